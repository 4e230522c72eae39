import { AgainView } from "./again.js";
import { askPhotos, forgetTexts } from "./api.js";
import { byId, count, el, say } from "./dom.js";
import { Filters } from "./filters.js";
import { Grid } from "./grid.js";
import { PhotoView } from "./photo.js";
import { RunView } from "./run.js";

// The address says everything: which view, which photo, what is searched and filtered.
const names = ["q", "folder", "keyword", "from", "to", "failed", "corrected", "copies", "gone", "order"];
const query = byId("query");
const order = byId("order");
let photos = null;
let shown = null; // parameters of what the grid shows
let asking = null;
let scrolled = 0; // where the grid was when the run was opened

const parameters = () => {
  const all = new URLSearchParams(location.search);
  for (const name of [...all.keys()]) if (!names.includes(name)) all.delete(name);
  return all;
};
const address = (path, all) => (String(all) ? `${path}?${all}` : path);
const openID = () => location.pathname.match(/^\/photo\/([0-9a-f]+)$/)?.[1];

const grid = new Grid((i) => openPhoto(photos.id(i)));
const filters = new Filters(set);
const again = new AgainView();
const view = new PhotoView({
  moved: (step) => {
    if (!photos) return;
    const i = photos.indexOf(view.id) + step;
    if (i < 0 || i >= photos.length || (i === 0 && step > 0 && photos.indexOf(view.id) < 0)) return;
    history.replaceState({ from: "grid" }, "", address(`/photo/${photos.id(i)}`, parameters()));
    follow();
  },
  closed: () => (history.state?.from === "grid" ? history.back() : go(address("/", parameters()))),
  changed: () => refresh(true),
  search: (keyword) => {
    const all = parameters();
    all.set("keyword", keyword);
    go(address("/", all));
  },
  query: () => parameters().get("q") ?? "",
});
const run = new RunView((state) => {
  view.requestsChanged(state.requests);
  if (!photos || state.version === photos.version || asking || openID()) return;
  // What a person looks at does not move.
  if (photos.length) byId("fresh").hidden = location.pathname === "/run";
  else refresh(true);
});

function go(to, state = {}) {
  history.pushState(state, "", to);
  follow();
}

function openPhoto(id) {
  go(address(`/photo/${id}`, parameters()), { from: "grid" });
}

// set changes filters in the address.
function set(name, value) {
  const all = parameters();
  for (const [n, v] of Object.entries(typeof name === "object" ? name : { [name]: value })) v ? all.set(n, v) : all.delete(n);
  go(address("/", all));
}

// follow shows what the address says.
async function follow() {
  const all = parameters();
  const atRun = location.pathname === "/run";
  if (atRun && !byId("photos").hidden) scrolled = scrollY;
  const back = !atRun && byId("photos").hidden;
  byId("photos").hidden = atRun;
  document.querySelector(".order").hidden = all.has("q");
  if (document.activeElement !== query) query.value = all.get("q") ?? "";
  order.value = all.get("order") ?? "";
  filters.follow(all);
  byId("fresh").hidden = true;
  run.show(atRun);
  byId("run-link").toggleAttribute("aria-current", atRun);
  if (atRun) {
    view.close();
    scrollTo(0, 0);
    return;
  }
  if (back) {
    grid.resized();
    scrollTo(0, scrolled);
  }
  if (String(all) !== shown) await ask(all, false);
  const id = openID();
  if (!photos) return;
  if (!id) {
    const was = view.id ? photos.indexOf(view.id) : null;
    view.close();
    grid.resized();
    if (was !== null) grid.go(was < 0 ? grid.current : was);
    return;
  }
  if (view.id === id) return;
  const i = photos.indexOf(id);
  view.open(id, { i, of: photos.length }, i < 0 ? 1.5 : photos.shape(i));
}

// ask shows the photos of a view.
async function ask(all, stay) {
  asking?.abort();
  const mine = (asking = new AbortController());
  document.body.classList.add("asking");
  try {
    photos = await askPhotos(all, mine.signal);
    shown = String(all);
    byId("fresh").hidden = true;
    const empty = byId("empty");
    empty.hidden = photos.length > 0;
    const text = photos.more && photos.length ? `More than ${count(photos.length, "photo")}` : photos.length ? count(photos.length, "photo") : "No photos";
    byId("count").textContent = text;
    say(text);
    if (!photos.length) empty.replaceChildren(...nothing(all));
    grid.show(photos, stay);
    again.follow(all, photos, narrowed(all));
  } catch (error) {
    if (error.name === "AbortError") return;
    photos = null;
    shown = null;
    again.follow(all, null, false);
    grid.clear();
    byId("count").textContent = "Photos";
    byId("empty").hidden = false;
    byId("empty").replaceChildren(el("h2", {}, "Something went wrong"), el("p", { role: "alert" }, error.message), error.status === 400 ? el("button.button", { type: "button", onclick: () => go("/") }, "Show all photos") : el("button.button", { type: "button", onclick: () => refresh(false) }, "Try again"));
  } finally {
    if (asking === mine) {
      asking = null;
      document.body.classList.remove("asking");
    }
  }
}

const narrowed = (all) => names.some((n) => n !== "order" && all.has(n));

function nothing(all) {
  if (!narrowed(all)) return [el("h2", {}, "No photo is described yet"), el("p", {}, "Photos appear here as soon as the run has described them."), el("a.button", { href: "/run", "data-nav": true }, "See the run")];
  const words = all.has("q");
  const filtered = names.some((n) => n !== "order" && n !== "q" && all.has(n));
  const why = photos.more ? "None of the newest matches fits these filters. Add a word to the search." : words && filtered ? "No photo with these words fits the filters." : words ? "No description has all of these words." : "No photo fits these filters.";
  return [el("h2", {}, "Nothing fits"), el("p", {}, why), el("button.button", { type: "button", onclick: () => go("/") }, "Show all photos")];
}

function refresh(stay) {
  forgetTexts();
  return ask(parameters(), stay);
}

let typing = 0;
query.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const all = parameters();
    query.value.trim() ? all.set("q", query.value) : all.delete("q");
    // One step back leads out of the search, not through its letters.
    if (shown !== null && new URLSearchParams(shown).has("q") && location.pathname === "/") {
      history.replaceState(history.state, "", address("/", all));
      follow();
    } else go(address("/", all));
  }, 80);
});
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === "ArrowDown") {
    event.preventDefault();
    grid.go(grid.current);
  } else if (event.key === "Escape") {
    query.blur();
  }
});
order.addEventListener("change", () => set("order", order.value));
byId("fresh").textContent = "New photos · show";
byId("fresh").addEventListener("click", () => refresh(false));
byId("help-open").addEventListener("click", () => byId("help").showModal());

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-nav]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) return;
  switch (event.key) {
    case "/":
      query.focus();
      query.select();
      break;
    case "d":
      again.open();
      break;
    case "f":
      filters.toggle();
      break;
    case "r":
      go(location.pathname === "/run" ? "/" : "/run");
      break;
    case "?":
      byId("help").showModal();
      break;
    case "Escape":
      if (location.pathname === "/run") go("/");
      else if (parameters().has("q")) set("q", "");
      else return;
      break;
    case "ArrowDown":
    case "ArrowRight":
      if (location.pathname === "/run" || document.activeElement !== document.body) return;
      grid.go(grid.current);
      break;
    default:
      return;
  }
  event.preventDefault();
});

addEventListener("popstate", () => follow());
history.scrollRestoration = "manual";
follow();
