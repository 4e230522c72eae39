import { askJSON } from "./api.js";
import { byId, copy, count, el, fill, icon } from "./dom.js";

// Asks for other descriptions of photos: of one on its page, of all that a view shows in a dialog.

const send = (body) => askJSON("/api/requests", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// againForm is what a person chooses. meant is {ids} or {view}, done gets the answer, cancelled ends it.
export async function againForm(meant, { done, cancelled }) {
  const choices = await askJSON("/api/choices");
  const own = el("textarea", { id: "again-text", rows: "3", maxlength: "4000", "aria-label": "Your prompt" });
  const text = el("p.note.again-words");
  const option = (value, label) => el("option", { value }, label);
  const prompt = el("select", { id: "again-prompt" }, option("", "As the run does"), ...choices.prompts.map((p) => option(p.name, p.name)), option("own", "Your own words…"));
  const follow = () => {
    own.hidden = prompt.value !== "own";
    text.textContent = prompt.value === "own" ? "Asked of the model as you write it." : (choices.prompts.find((p) => p.name === prompt.value)?.text ?? "With the same prompt once more.");
  };
  prompt.addEventListener("change", () => {
    follow();
    if (!own.hidden) own.focus();
  });
  follow();
  const models = choices.models.filter((m) => m !== choices.model);
  const model = el("select", { id: "again-model" }, option("", choices.model ? `The run’s, ${choices.model}` : "The run’s"), ...models.map((m) => option(m, m)));
  const problem = el("div.edit-problem", { role: "alert" });
  const ask = el("button.button.main", { type: "submit" }, "Ask for it");
  const form = el(
    "form.edit.again",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        if (ask.disabled) return;
        const words = prompt.value === "own" ? own.value.trim() : prompt.value;
        if (prompt.value === "own" && !words) {
          fill(problem, el("p.problem", {}, "Write what is to be asked."));
          own.focus();
          return;
        }
        ask.disabled = true;
        try {
          done(await send({ ...meant, prompt: words, model: model.value }));
        } catch (error) {
          fill(problem, el("p.problem", {}, error.message));
        } finally {
          ask.disabled = false;
        }
      },
    },
    el("label", { for: "again-prompt" }, "What to ask"),
    prompt,
    own,
    text,
    models.length ? el("label", { for: "again-model" }, "Model") : null,
    models.length ? model : null,
    el("p.note", {}, "The new description takes the place of the model’s. What you corrected stays and counts."),
    problem,
    el("div.buttons", {}, ask, el("button.button", { type: "button", onclick: cancelled }, "Cancel")),
  );
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return form;
}

// takeBack cancels what waits for a photo.
export const takeBack = (id) => send({ ids: [id], cancel: true });

const asWhat = (q) => (q.prompt ? ` with “${q.prompt}”` : "") + (q.model ? `, by ${q.model}` : "");

// waiting says what becomes of a request; takenBack is called when a person cancels it.
export function waiting(q, takenBack) {
  if (q.state === "failed") return el("p.note.request", { role: "status" }, `Not described again${asWhat(q)}: ${q.why || "it failed"}`);
  return el("div.request", { role: "status" }, el("p.note", {}, `Waits to be described again${asWhat(q)}. ${q.command ? "No run that is up does this. Type" : "The run that is up takes it up as it goes."}`), q.command ? typed(q.command) : null, el("button.button.plain", { type: "button", onclick: takenBack }, "Take it back"));
}

// typed is a command to be typed.
export const typed = (command) => el("div.command", {}, el("code", {}, command), el("button.button", { type: "button", onclick: () => copy(command, "Command") }, icon("copy"), "Copy"));

// AgainView asks for all photos of a view.
export class AgainView {
  constructor() {
    this.dialog = byId("again");
    this.button = byId("again-open");
    this.button.addEventListener("click", () => this.open());
  }

  // follow offers it for a view that is narrowed to some photos.
  follow(parameters, photos, narrowed) {
    this.view = String(parameters);
    this.photos = photos;
    this.button.hidden = !narrowed || !photos?.length;
  }

  async open() {
    if (this.button.hidden || this.dialog.open) return;
    const title = el("h2", { id: "again-title" }, `Describe ${count(this.photos.length, "photo")} again`);
    fill(this.dialog, title, el("p.loading", {}, "…"));
    this.dialog.showModal();
    const close = () => this.dialog.close();
    try {
      const form = await againForm({ view: this.view }, { cancelled: close, done: (answer) => this.asked(title, answer) });
      fill(this.dialog, title, form);
      form.querySelector("select").focus();
    } catch (error) {
      fill(this.dialog, title, el("p.problem", { role: "alert" }, error.message), el("div.buttons", {}, el("button.button", { type: "button", onclick: close }, "Close")));
    }
  }

  asked(title, answer) {
    const already = answer.photos - answer.changed;
    const text = `${count(answer.changed, "photo")} to be described again${already ? `, ${count(already, "photo")} waiting for that already` : ""}. ${answer.command ? "No run that is up does this. Type" : "The run that is up takes this up as it goes."}`;
    const close = el("button.button.main", { type: "button", onclick: () => this.dialog.close() }, "Close");
    fill(this.dialog, title, el("p", { role: "status" }, text), answer.command ? typed(answer.command) : null, el("div.buttons", {}, close));
    close.focus();
  }
}
