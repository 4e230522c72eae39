import { typed } from "./again.js";
import { askJSON } from "./api.js";
import { byId, copy, count, el, fill, icon, number } from "./dom.js";
import { bytes } from "./photo.js";
import { bars, line } from "./plot.js";

const names = { none: "No run yet", running: "Running", waiting: "Waiting", watching: "Watching", stalled: "Stalled", finished: "Finished", stopped: "Stopped", error: "Could not go on", died: "Ended without a word" };

// The run's progress, as it goes on.
export class RunView {
  // news is called with each state of the run.
  constructor(news) {
    this.news = news;
    this.section = byId("run");
    this.listen();
    // A page in the background holds no connection.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.source?.close() : this.listen()));
  }

  listen() {
    this.source?.close();
    if (document.hidden) return;
    this.source = new EventSource("/api/run/events");
    this.source.onmessage = (event) => this.take(JSON.parse(event.data));
    this.source.addEventListener("failure", (event) => this.fail(JSON.parse(event.data)));
    this.source.onerror = () => {
      if (this.source.readyState === EventSource.CLOSED) this.fail("photodesc browse has ended. Start it again and open the address that it prints.");
      else this.link("lost", "Not connected");
    };
  }

  async look() {
    this.take(await askJSON("/api/run"));
  }

  take(run) {
    this.run = run;
    const moving = ["running", "waiting", "watching", "stalled"].includes(run.state);
    this.link(run.state, moving && run.total_known ? `${Math.floor(run.percent)} %` : "Run");
    this.news(run);
    if (!this.section.hidden) this.draw();
  }

  link(state, text) {
    byId("run-link").dataset.state = state;
    byId("run-text").textContent = text;
  }

  fail(text) {
    this.link("lost", "Run");
    if (!this.section.hidden) this.section.replaceChildren(el("p.problem", { role: "alert" }, text));
  }

  show(visible) {
    this.section.hidden = !visible;
    if (visible && this.run) this.draw();
    else if (visible) this.look().catch((error) => this.fail(error.message));
  }

  draw() {
    const r = this.run;
    const up = r.running;
    const young = (r.per_minute ?? []).length <= 10 && r.per_ten_seconds?.length;
    const rates = (young ? r.per_ten_seconds : r.per_minute) ?? [];
    // The running count is not comparable yet, unless it is all there is.
    const whole = rates.length > 1 ? rates.slice(0, -1) : rates;
    const rate = up ? r.rate_last_hour : r.rate_overall;
    const memory = r.sample.supervisor_bytes + r.sample.worker_bytes;
    const focus = this.section.contains(document.activeElement);
    fill(
      this.section,
      el("header.run-head", {}, el("h1", { id: "run-title" }, "The run"), el("span.state", { "data-state": r.state }, names[r.state] ?? r.state)),
      el("p.sentence", {}, sentence(r)),
      progress(r),
      el("dl.tiles", {}, tile("Described", number(r.completed)), tile("Failed", number(r.failed), r.failed ? "bad" : ""), tile("Photos an hour", rate ? number(Math.round(rate)) : "–"), tile("Time left", up && r.left_seconds ? spell(r.left_seconds) : "–")),
      up ? null : command(r),
      asked(r),
      el(
        "div.plots",
        {},
        rates.length ? bars(young ? "Photos in ten seconds" : "Photos a minute", whole.slice(-120), `the last ${spell(Math.min(120, whole.length) * (young ? 10 : 60))} of work`) : null,
        up && r.memory.length ? line("Memory", r.memory.slice(-600), r.sample.budget_bytes, `${bytes(memory)} of ${bytes(r.sample.budget_bytes)}`, bytes) : null,
      ),
      up ? el("p.note", {}, work(r)) : null,
      machines(r),
      list("Described last", (r.recent ?? []).filter((p) => p.status === "ok")),
      list("Failed last", r.failures ?? []),
    );
    if (focus) byId("main").focus();
  }
}

function sentence(r) {
  if (r.state === "none") return "No run has worked in this folder yet.";
  if (r.running) return r.phase ? r.phase[0].toUpperCase() + r.phase.slice(1) : "Describing photos";
  const text = r.stop?.text ? `: ${r.stop.text}` : "";
  if (r.state === "died") return "The last run ended without a word, as after a power cut. Going on is safe.";
  if (r.state === "finished") return r.failed ? `Done. All photos are described but ${number(r.failed)}, which failed.` : "Done. All photos are described.";
  return (names[r.state] ?? r.state) + text;
}

function progress(r) {
  if (!r.total_known || !r.total) return null;
  const done = (r.completed / r.total) * 100;
  const failed = (r.failed / r.total) * 100;
  const ok = el("span.ok");
  ok.style.width = `${done}%`;
  const bad = el("span.bad");
  bad.style.width = `${failed}%`;
  return el("div.progress", {}, el("div.track", { role: "progressbar", "aria-label": "Photos described", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": done.toFixed(1) }, ok, bad), el("p", {}, `${number(r.completed)} of ${number(r.total)} photos, ${done.toFixed(done < 10 ? 1 : 0)} %`));
}

const tile = (name, value, kind = "") => el(`div.tile-${kind || "plain"}`, {}, el("dt", {}, name), el("dd", {}, value));

function command(r) {
  if (r.state === "finished" && !r.failed) return null;
  const [what, text] = r.state === "none" ? ["Begin one with", r.begin] : r.state === "finished" ? [`Try the failed ${r.failed === 1 ? "one" : "ones"} again with`, r.retry] : ["Go on with", r.begin];
  return el("div.command", {}, el("p", {}, what), el("code", {}, text), el("button.button", { type: "button", onclick: () => copy(text, "Command") }, icon("copy"), "Copy"));
}

// asked is what waits to be described again.
function asked(r) {
  const c = r.requests;
  if (!c || !(c.waiting + c.described + c.failed)) return null;
  const done = [c.described ? `${number(c.described)} done` : "", c.failed ? `${number(c.failed)} failed` : ""].filter(Boolean).join(", ");
  const rows = (r.asked ?? []).map((a) => [el("p", {}, `${count(a.photos, "photo")} to be described again${a.model ? ` by ${a.model}` : ""}. ${a.command ? "No run that is up does this. Type" : "The run takes this up as it goes."}`), a.command ? typed(a.command) : null]);
  return el("section.asked", {}, el("h2", {}, "Asked for"), ...rows, done ? el("p.note", {}, `Taken up so far: ${done}`) : null);
}

function list(title, photos) {
  if (!photos.length) return null;
  return el("section.latest", {}, el("h2", {}, title), el("ul", {}, ...[...photos].reverse().slice(0, 8).map((p) => el("li", {}, el("span.file", {}, p.path), el("span.said", {}, p.kind ? `${p.kind}: ${p.text}` : p.text)))));
}

// work is what the run's machine does just now. A run may leave all to others.
function work(r) {
  const inFlight = `${number(r.in_flight)} in flight`;
  return r.sample.workers ? [count(r.sample.workers, "worker"), inFlight, `processors ${Math.round(r.sample.cpu_percent)} % busy`, `batch ${r.batch}`].join(" · ") : inFlight;
}

const machinesMost = 20;

// machines are those that take part in a run, or did.
function machines(r) {
  const nodes = r.nodes ?? [];
  if (!nodes.length) return null;
  const rows = nodes.slice(0, machinesMost).map((n) => el("li", {}, el("span.file", {}, n.name), el("span.said", {}, machine(n, Date.parse(r.now)))));
  return el("section.latest.machines", {}, el("h2", {}, "Other machines"), el("ul", {}, ...rows), nodes.length > machinesMost ? el("p.note", {}, `and ${number(nodes.length - machinesMost)} more`) : null);
}

function machine(n, now) {
  const does = { working: `${number(n.in_flight)} in flight`, waiting: n.phase, paused: `gets no photos: ${n.paused}`, silent: `not seen for ${spell(Math.max(0, now - Date.parse(n.seen)) / 1000)}`, left: "has left" }[n.state];
  return [does, `${number(n.described)} described`, n.rate && n.state === "working" ? `${number(Math.round(n.rate))} an hour` : "", n.failed ? `${number(n.failed)} failed` : ""].filter(Boolean).join(" · ");
}

function spell(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${Math.round((seconds % 3600) / 60)} min`;
  return `${Math.round(hours / 24)} days`;
}
