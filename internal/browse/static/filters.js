import { askJSON } from "./api.js";
import { byId, el, number } from "./dom.js";

const mostListed = 200;

// Filters that are either there or not.
const kinds = ["failed", "corrected", "copies", "gone"];

// The panel with what photos can be narrowed by, and the chips that say by what they are.
export class Filters {
  constructor(set) {
    this.set = set; // (name, value): "" takes a filter away
    this.panel = byId("filters");
    this.button = byId("filters-open");
    this.button.addEventListener("click", () => this.toggle());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.toggle(false);
    });
  }

  async toggle(open = this.panel.hidden) {
    this.panel.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("filtering", open);
    if (!open) {
      this.button.focus();
      return;
    }
    this.panel.replaceChildren(el("p.loading", {}, "…"));
    try {
      this.facets = await askJSON("/api/facets");
      this.draw();
      this.panel.querySelector("button, input")?.focus();
    } catch (error) {
      this.panel.replaceChildren(el("p.problem", { role: "alert" }, error.message));
    }
  }

  // follow shows the filters of an address.
  follow(parameters) {
    this.parameters = parameters;
    const names = { folder: "Folder", keyword: "Keyword", from: "From", to: "Until", failed: "Failed", corrected: "Corrected", copies: "Duplicates", gone: "Gone" };
    const chips = [];
    for (const [name, label] of Object.entries(names)) {
      if (!parameters.has(name)) continue;
      const value = kinds.includes(name) ? "" : parameters.get(name);
      chips.push(el("button.chip", { type: "button", "aria-label": `Remove the filter ${label} ${value}`, onclick: () => this.set(name, "") }, value ? el("span.chip-name", {}, label) : label, value ? ` ${value}` : "", el("span.x", { "aria-hidden": "true" }, "×")));
    }
    byId("chips").replaceChildren(...chips);
    this.button.classList.toggle("on", chips.length > 0);
    if (!this.panel.hidden && this.facets) this.draw();
  }

  draw() {
    const f = this.facets;
    const focus = document.activeElement?.id;
    const none = Object.fromEntries(kinds.map((name) => [name, ""]));
    const kind = (name, label, n) => el("button.option", { type: "button", id: `show-${name || "all"}`, "aria-pressed": String(name ? this.parameters.has(name) : !kinds.some((other) => this.parameters.has(other))), onclick: () => (name ? this.set(name, this.parameters.has(name) ? "" : "1") : this.set(none)) }, el("span", {}, label), el("span.n", {}, number(n)));
    const date = (name, label) => {
      const input = el("input", { type: "date", id: `date-${name}`, onchange: (e) => this.set(name, e.target.value) });
      input.value = this.parameters.get(name) ?? "";
      return el("label", {}, label, input);
    };
    this.panel.replaceChildren(
      el("div.filters-head", {}, el("h2", {}, "Filters"), el("button.button.plain", { type: "button", onclick: () => this.toggle(false) }, "Close")),
      el("section", {}, el("h3", {}, "Show"), kind("", "All photos", f.photos), kind("failed", "Failed", f.failed), kind("corrected", "Corrected", f.corrected), f.copies ? kind("copies", "Duplicates", f.copies) : null, f.gone ? kind("gone", "Gone from the folder", f.gone) : null),
      el("section.dates", {}, el("h3", {}, "Date"), date("from", "From"), date("to", "Until")),
      this.list("folder", "Folders", f.folders ?? []),
      this.list("keyword", "Keywords", f.keywords ?? []),
    );
    if (focus) byId(focus)?.focus();
  }

  // list is a list of names with a field that narrows it.
  list(name, title, all) {
    const chosen = this.parameters.get(name) ?? "";
    const box = el("ul.names");
    const fill = (text) => {
      const wanted = text.toLowerCase();
      const fitting = all.filter((c) => c.name.toLowerCase().includes(wanted));
      const options = fitting.slice(0, mostListed).map((c) => el("li", {}, el("button.option", { type: "button", "aria-pressed": String(c.name === chosen), onclick: () => this.set(name, c.name === chosen ? "" : c.name) }, el("span", {}, name === "folder" && !wanted ? indented(c.name) : c.name), el("span.n", {}, number(c.n)))));
      if (fitting.length > mostListed) options.push(el("li.note", {}, `${number(fitting.length - mostListed)} more: type part of the name`));
      if (!fitting.length) options.push(el("li.note", {}, all.length ? "None has this in its name" : "None yet"));
      box.replaceChildren(...options);
    };
    fill("");
    return el("section", {}, el("h3", {}, title), all.length > 8 ? el("input", { type: "search", id: `narrow-${name}`, placeholder: `Find in ${number(all.length)}`, "aria-label": `Find in ${title.toLowerCase()}`, oninput: (e) => fill(e.target.value) }) : null, box);
  }
}

// indented is a folder's last name, moved in by its depth.
function indented(path) {
  const parts = path.split("/");
  const node = el("span.deep", {}, parts.at(-1));
  node.style.paddingInlineStart = `${(parts.length - 1) * 12}px`;
  return node;
}
