import { againForm, takeBack, waiting } from "./again.js";
import { askJSON, forgetText } from "./api.js";
import { byId, copy, count, el, fill, icon, number, say, toast } from "./dom.js";

// A photo with all that is known of it, in a dialog over the grid.
export class PhotoView {
  // moved is called with the step to another photo, closed when the dialog ends, changed after a correction, search with a keyword.
  constructor({ moved, closed, changed, search, query }) {
    Object.assign(this, { moved, closed, changed, search, query });
    this.dialog = byId("photo");
    this.drafts = new Map(); // what was written and not saved, by photo
    addEventListener("beforeunload", (event) => this.drafts.size && event.preventDefault());
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault(); // Escape ends the correction first
      this.escape();
    });
    this.dialog.addEventListener("keydown", (event) => this.key(event));
  }

  async open(id, place, shape) {
    const left = this.unsaved();
    this.id = id;
    this.editing = false;
    this.asking = false;
    this.data = null;
    this.place = place;
    this.frame(shape);
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.focus();
    if (left) sayKept();
    try {
      const data = await askJSON(`/api/photo/${id}`);
      if (this.id !== id) return;
      this.data = data;
      this.fill();
      say(`${data.name}: ${data.description || (data.failed ? "failed" : "")}`);
    } catch (error) {
      if (this.id !== id) return;
      this.panel.replaceChildren(el("p.problem", { role: "alert" }, error.message));
      this.stage.replaceChildren();
    }
  }

  close() {
    const left = this.unsaved();
    this.editing = false;
    this.id = null;
    if (this.dialog.open) this.dialog.close();
    this.dialog.replaceChildren();
    if (left) sayKept();
  }

  frame(shape) {
    const button = (name, label, key, action, off) => el(`button.round.${name}`, { type: "button", "aria-label": label, title: `${label} (${key})`, onclick: action, disabled: off }, icon(name));
    const { i, of } = this.place;
    const small = el("img.small", { src: `/thumbnail/${this.id}`, alt: "" });
    this.large = el("img.large", { alt: "" });
    this.stage = el("div.stage", { "aria-busy": "true" }, small, this.large);
    small.onerror = () => small.remove();
    this.swipe();
    this.large.onload = () => {
      this.stage.classList.add("loaded");
      this.stage.removeAttribute("aria-busy");
    };
    this.large.onerror = () => this.noPicture();
    this.large.src = `/picture/${this.id}`;
    this.stage.style.setProperty("--shape", shape || 1.5);
    this.panel = el("div.panel", { "aria-live": "off" }, el("p.loading", {}, "…"));
    fill(
      this.dialog,
      el("div.viewer", {}, this.stage, button("close", "Close", "Esc", () => this.closed()), button("previous", "Previous photo", "←", () => this.moved(-1), i <= 0), button("next", "Next photo", "→", () => this.moved(1), i < 0 || i >= of - 1), i >= 0 ? el("p.place", {}, `${number(i + 1)} of ${number(of)}`) : null),
      this.panel,
    );
  }

  // swipe goes from photo to photo with a finger.
  swipe() {
    let from = null;
    this.stage.addEventListener("touchstart", (event) => (from = event.touches.length === 1 ? event.touches[0] : null), { passive: true });
    this.stage.addEventListener("touchend", (event) => {
      const to = event.changedTouches[0];
      if (!from || this.editing || this.asking) return;
      const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
      if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) this.moved(x < 0 ? 1 : -1);
    });
  }

  noPicture() {
    this.stage.removeAttribute("aria-busy");
    this.stage.classList.add("none");
    const small = this.stage.querySelector(".small");
    if (small?.complete && small.naturalWidth) return; // the small one stays
    if (!this.stage.firstChild) return; // the photo is not known
    this.stage.replaceChildren(el("p.missing", {}, this.data?.missing || "No picture can be made of this file."));
  }

  fill() {
    const d = this.data;
    this.large.alt = d.description || d.name;
    if (d.missing && this.stage.classList.contains("none")) this.noPicture();
    fill(
      this.panel,
      el("header.head", {}, el("h2", { id: "photo-title" }, d.name), el("p.where", {}, d.folder || "in the photo folder")),
      d.missing && el("p.note", {}, d.missing),
      this.words(),
      ...d.answers.map((a) => el("section.answer", {}, el("h3", {}, a.name), el("p.text", {}, a.text))),
      el("section.facts", {}, el("h3", {}, "Details"), this.facts()),
    );
    this.dialog.setAttribute("aria-label", d.name);
  }

  words() {
    const d = this.data;
    const failed = d.failed && !d.corrected;
    const said = failed ? el("div.problem", {}, el("strong", {}, `Failed: ${d.failed.kind}`), el("p", {}, d.failed.message)) : el("p.text.description", {}, ...marked(d.description, this.query()));
    return el(
      "section.words",
      {},
      said,
      d.keywords.length ? el("ul.keywords", { "aria-label": "Keywords" }, ...d.keywords.map((k) => el("li", {}, el("button", { type: "button", title: `All photos with “${k}”`, onclick: () => this.search(k) }, k)))) : null,
      d.corrected ? el("p.note", {}, `Corrected by you on ${day(d.corrected)}`) : null,
      d.gone ? el("p.note", {}, "Not in the photo folder any more") : null,
      el("div.buttons", {}, el("button.button", { type: "button", onclick: () => this.edit(), "aria-keyshortcuts": "e" }, icon("edit"), this.drafts.has(d.id) ? "Go on correcting" : failed ? "Describe it yourself" : "Correct"), d.description ? el("button.button", { type: "button", onclick: () => copy(d.description, "Description") }, icon("copy"), "Copy") : null, el("button.button", { type: "button", onclick: () => this.again(), "aria-keyshortcuts": "d" }, icon("again"), "Describe again")),
      d.request ? waiting(d.request, () => this.takeBack()) : null,
    );
  }

  // again asks for another description.
  async again() {
    if (!this.data || this.editing || this.asking) return;
    const id = this.id;
    this.asking = true;
    try {
      const form = await againForm({ ids: [id] }, { cancelled: () => this.stop(), done: () => this.reload(id) });
      if (this.id !== id) return;
      this.panel.querySelector(".words .buttons").replaceWith(form);
      form.querySelector("select").focus();
    } catch (error) {
      toast(error.message);
      this.asking = false;
    }
  }

  async takeBack() {
    const id = this.id;
    try {
      await takeBack(id);
      await this.reload(id);
    } catch (error) {
      toast(error.message);
    }
  }

  // reload shows what is known of the photo now.
  async reload(id) {
    try {
      const data = await askJSON(`/api/photo/${id}`);
      if (this.id !== id) return;
      if (data.time !== this.data?.time) {
        forgetText(id);
        this.changed(id);
      }
      this.data = data;
      this.stop();
    } catch (error) {
      toast(error.message);
    }
  }

  // requestsChanged looks for an answer when a run has taken requests up.
  requestsChanged(counts) {
    const now = counts ? `${counts.described} ${counts.failed} ${counts.waiting}` : "";
    if (this.counts !== undefined && now !== this.counts && this.data?.request?.state === "waiting" && !this.editing && !this.asking) this.reload(this.id);
    this.counts = now;
  }

  facts() {
    const d = this.data;
    const rows = [
      ["Taken", d.taken && moment(d.taken)],
      ["Camera", d.camera],
      ["Place", d.place],
      ["Size", [d.width ? `${number(d.width)} × ${number(d.height)}` : "", d.bytes ? bytes(d.bytes) : ""].filter(Boolean).join(", ")],
      ["File", d.path],
      ["Moved from", d.moved_from],
      ["Same picture", d.same?.length ? el("ul.same", {}, ...d.same.map((other) => el("li", {}, el("a", { href: `/photo/${other.id}${location.search}` }, other.path))), d.same_count > d.same.length ? el("li", {}, `and ${number(d.same_count - d.same.length)} more`) : null) : null],
      ["Model", d.model],
      ["Prompt", d.prompt],
      [d.failed ? "Tried" : "Described", moment(d.time)],
      ["Words of", d.words_of],
      ["It took", d.seconds && !d.words_of ? `${d.seconds.toFixed(d.seconds < 10 ? 1 : 0)} s` + (d.tiles ? ` for ${count(d.tiles, "tile")} and ${count(d.tokens, "token")}` : "") + (d.attempts > 1 ? `, ${d.attempts} attempts` : "") : ""],
    ];
    return el("dl", {}, ...rows.filter(([, value]) => value).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  edit() {
    if (!this.data || this.editing || this.asking) return;
    this.editing = true;
    const d = this.data;
    const draft = this.drafts.get(d.id) ?? { description: d.description, keywords: d.keywords.join(", "), seen: d.seen };
    const write = () => {
      Object.assign(draft, { description: description.value, keywords: keywords.value });
      this.drafts.set(d.id, draft);
    };
    const description = el("textarea", { id: "edit-description", rows: "5", maxlength: "100000", oninput: write });
    description.value = draft.description;
    const keywords = el("input", { id: "edit-keywords", type: "text", autocomplete: "off", oninput: write });
    keywords.value = draft.keywords;
    const save = el("button.button.main", { type: "submit" }, "Save");
    const form = el(
      "form.edit",
      {
        onsubmit: (event) => {
          event.preventDefault();
          if (!save.disabled) this.save(description.value, split(keywords.value), draft, save);
        },
      },
      el("label", { for: "edit-description" }, "Description"),
      description,
      el("label", { for: "edit-keywords" }, "Keywords, separated by commas"),
      keywords,
      el("p.note", {}, "Your words count in the search and in all exports. The model’s are kept."),
      el("div.edit-problem", { role: "alert" }),
      el("div.buttons", {}, save, el("button.button", { type: "button", onclick: () => this.cancel() }, "Cancel"), d.corrected ? el("button.button.plain", { type: "button", onclick: () => this.send({ description: null, keywords: null, seen: draft.seen }, draft, "The model’s words count again") }, "Use the model’s words") : null),
    );
    this.panel.querySelector(".words").replaceWith(form);
    description.focus();
    description.setSelectionRange(description.value.length, description.value.length);
    description.style.height = `${Math.min(description.scrollHeight + 4, innerHeight * 0.6)}px`;
  }

  // unsaved is whether something was written. It stays until it is saved or cancelled.
  unsaved() {
    return this.editing && this.drafts.has(this.id);
  }

  cancel() {
    this.drafts.delete(this.id);
    this.stop();
  }

  stop() {
    this.editing = false;
    this.asking = false;
    this.fill();
    this.panel.querySelector(".words .button")?.focus();
  }

  // save sends only what differs from the model's words.
  save(description, keywords, draft, button) {
    const { model_words: model } = this.data;
    description = description.trim();
    const same = keywords.join("\n") === model.keywords.join("\n");
    button.disabled = true;
    this.send({ description: description === model.description.trim() ? null : description, keywords: same ? null : keywords, seen: draft.seen }, draft, "Saved").finally(() => (button.disabled = false));
  }

  async send(correction, draft, done) {
    const id = this.id;
    try {
      const data = await askJSON(`/api/photo/${id}/correction`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(correction) });
      this.drafts.delete(id);
      forgetText(id);
      this.changed(id);
      toast(done);
      if (this.id !== id) return;
      this.data = data;
      this.stop();
    } catch (error) {
      const problem = this.panel?.querySelector(".edit-problem");
      if (this.id !== id || !problem) toast(`Not saved. ${error.message}`);
      else if (error.status === 409) await this.changedMeanwhile(id, draft, problem);
      else fill(problem, el("p.problem", {}, `Not saved. ${error.message}`));
    }
  }

  // changedMeanwhile shows what would be replaced, which another window or a run has written.
  async changedMeanwhile(id, draft, problem) {
    try {
      const data = await askJSON(`/api/photo/${id}`);
      if (this.id !== id) return;
      this.data = data;
      draft.seen = data.seen;
      const words = [data.description && `“${data.description}”`, data.keywords.length && `with the keywords ${data.keywords.join(", ")}`].filter(Boolean).join(", ");
      fill(problem, el("p.problem", {}, `Not saved, because the words were changed meanwhile, in another window or by a run. Now they are ${words || "empty"}. “Save” puts yours in their place, “Cancel” keeps them.`));
    } catch (error) {
      fill(problem, el("p.problem", {}, `Not saved. ${error.message}`));
    }
  }

  escape() {
    if (this.editing) {
      if (this.unsaved()) sayKept();
      this.stop();
    } else if (this.asking) this.stop();
    else this.closed();
  }

  key(event) {
    if (this.editing) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.panel.querySelector("form.edit").requestSubmit();
      return;
    }
    if (this.asking && event.target.closest("textarea, select")) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowRight: 1, ArrowLeft: -1, j: 1, k: -1 };
    if (event.key in steps) {
      event.preventDefault();
      this.moved(steps[event.key]);
    } else if (event.key === "e") {
      event.preventDefault();
      this.edit();
    } else if (event.key === "d") {
      event.preventDefault();
      this.again();
    }
  }
}

const sayKept = () => toast("Your correction is not saved yet. Go on with it at the photo.");

const split = (text) => text.split(",").map((k) => k.trim()).filter(Boolean);

// marked is a text with the words of a search marked.
function marked(text, query) {
  const words = (query.match(/[\p{L}\p{N}]+/gu) ?? []).filter((w) => w !== "OR" && !query.includes("-" + w));
  if (!words.length) return [text];
  const escaped = words.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})[\\p{L}\\p{N}]*`, "giu");
  const parts = [];
  let at = 0;
  for (const m of text.matchAll(pattern)) {
    parts.push(text.slice(at, m.index), el("mark", {}, m[0]));
    at = m.index + m[0].length;
  }
  return [...parts, text.slice(at)];
}

const day = (time) => new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });

// moment writes a time; one without a zone is the camera's.
function moment(time) {
  const t = new Date(time);
  return isNaN(t) ? time : t.toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return `${n.toFixed(n < 10 && unit ? 1 : 0)} ${units[unit]}`;
}
