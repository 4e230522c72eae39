import { askTexts } from "./api.js";
import { byId, el } from "./dom.js";
import { boxes, justify, rowAt, rowOf } from "./layout.js";

// Only the rows near the window are in the document.
const beyond = 1; // windows above and below
const settle = 90; // ms without scrolling after which pictures of fast scrolling are asked for

export class Grid {
  constructor(open) {
    this.node = byId("grid");
    this.month = byId("month");
    this.open = open;
    this.photos = null;
    this.rows = { tops: [], heights: [], firsts: [], length: 0, total: 0 };
    this.shown = new Map(); // photo → element
    this.current = 0; // which photo the keyboard is at
    this.last = { y: 0, at: 0 };
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(this.node.parentElement);
    this.node.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.current = Number(link.dataset.i);
      this.open(this.current);
    });
  }

  // show shows other photos, from the top unless it is to stay where it is.
  show(photos, stay) {
    const focused = this.node.contains(document.activeElement);
    this.photos = photos;
    this.clear();
    if (!stay) {
      this.current = 0;
      scrollTo(0, 0);
    }
    this.current = Math.min(this.current, Math.max(0, photos.length - 1));
    this.lay();
    if (focused && stay) this.go(this.current);
  }

  clear() {
    for (const node of this.shown.values()) drop(node);
    this.shown.clear();
  }

  resized() {
    const width = this.node.clientWidth;
    // An open photo hides the scroll bar and with it changes the width for a while.
    if (!this.photos || !width || width === this.width || document.querySelector("dialog.photo[open]")) return;
    const anchor = this.rows.firsts[rowAt(this.rows, this.above())] ?? 0;
    const wasDeep = scrollY > 200;
    this.clear();
    this.lay();
    if (wasDeep) scrollTo(0, this.rows.tops[rowOf(this.rows, anchor)] + this.offset());
  }

  lay() {
    this.width = this.node.clientWidth;
    const wanted = this.width < 600 ? 116 : this.width < 1100 ? 180 : 210;
    this.shape = (i) => this.photos.shape(i);
    this.rows = justify(this.photos.length, this.shape, this.width, wanted);
    this.node.style.height = `${this.rows.total}px`;
    this.render(true);
  }

  offset() {
    return this.node.getBoundingClientRect().top + scrollY - headerHeight();
  }

  // above is how much of the grid is above the window.
  above() {
    return Math.max(0, scrollY - this.offset());
  }

  scrolled() {
    if (this.waiting || this.node.offsetParent === null) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      const now = performance.now();
      const speed = Math.abs(scrollY - this.last.y) / Math.max(1, now - this.last.at);
      this.last = { y: scrollY, at: now };
      this.render(speed < innerHeight / 150);
      this.showMonth();
    });
  }

  // render puts the rows near the window into the document. Pictures are asked for at once, or when scrolling has settled.
  render(now) {
    if (!this.photos || !this.rows.tops.length) return;
    const from = this.above() - innerHeight * beyond;
    const to = this.above() + innerHeight * (1 + beyond);
    const wanted = new Map();
    for (let row = rowAt(this.rows, Math.max(0, from)); row < this.rows.tops.length && this.rows.tops[row] < to; row++)
      for (const box of boxes(this.rows, row, this.shape)) wanted.set(box.i, box);
    const focused = document.activeElement?.dataset?.i;
    for (const [i, node] of this.shown)
      if (!wanted.has(i) && String(i) !== focused) {
        drop(node);
        this.shown.delete(i);
      }
    const added = [];
    for (const [i, box] of wanted) if (!this.shown.has(i)) added.push(this.add(box));
    this.node.append(...added);
    if (!this.shown.has(this.current)) {
      // The keyboard enters the grid where the window is.
      this.current = this.rows.firsts[Math.min(rowAt(this.rows, this.above()) + 1, this.rows.firsts.length - 1)];
      this.shown.get(this.current)?.firstChild.setAttribute("tabindex", "0");
    }
    clearTimeout(this.settling);
    if (now) this.load();
    else this.settling = setTimeout(() => this.load(), settle);
  }

  add(box) {
    const { i } = box;
    const id = this.photos.id(i);
    const link = el("a.tile", { href: `/photo/${id}${location.search}`, "data-i": i, "data-id": id, tabindex: i === this.current ? "0" : "-1" }, el("img", { alt: "", decoding: "async", draggable: "false" }));
    if (this.photos.failed(i)) link.classList.add("failed");
    if (this.photos.corrected(i)) link.classList.add("corrected");
    const node = el("li", { "aria-setsize": this.photos.length, "aria-posinset": i + 1 }, link);
    node.style.transform = `translate(${box.left}px, ${box.top}px)`;
    node.style.width = `${box.width}px`;
    node.style.height = `${box.height}px`;
    this.shown.set(i, node);
    return node;
  }

  // load asks for the pictures and texts of what is shown.
  load() {
    const ids = [];
    for (const node of this.shown.values()) {
      const link = node.firstChild;
      const picture = link.firstChild;
      if (!picture.getAttribute("src")) {
        picture.onload = () => link.classList.add("loaded");
        picture.onerror = () => picture.getAttribute("src") && link.classList.add("none");
        picture.src = `/thumbnail/${link.dataset.id}`;
      }
      if (!link.title) ids.push(link.dataset.id);
    }
    clearTimeout(this.naming);
    this.naming = setTimeout(() => this.name(ids), 60);
  }

  async name(ids) {
    let texts;
    try {
      texts = await askTexts(ids);
    } catch {
      return; // the pictures are there without their texts
    }
    for (const node of this.shown.values()) {
      const link = node.firstChild;
      const text = texts.get(link.dataset.id);
      if (!text || link.title) continue;
      link.title = text.text ? `${text.name}\n${text.text}` : text.name;
      link.firstChild.alt = text.text ? `${text.name}: ${text.text}` : text.name;
      link.dataset.name = text.name;
    }
  }

  showMonth() {
    const i = this.rows.firsts[rowAt(this.rows, this.above() + 60)];
    const month = i === undefined ? "" : this.photos.month(i);
    if (!month || scrollY < 300) {
      this.month.classList.remove("shown");
      return;
    }
    const [year, m] = month.split("-");
    this.month.textContent = new Date(Date.UTC(year, m - 1)).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
    this.month.classList.add("shown");
    clearTimeout(this.fading);
    this.fading = setTimeout(() => this.month.classList.remove("shown"), 1200);
  }

  // go puts the keyboard on a photo and scrolls to it.
  go(i, focus = true) {
    if (!this.photos?.length) return;
    i = Math.max(0, Math.min(this.photos.length - 1, i));
    this.shown.get(this.current)?.firstChild.setAttribute("tabindex", "-1");
    this.current = i;
    const row = rowOf(this.rows, i);
    const top = this.rows.tops[row] + this.offset();
    const bottom = top + this.rows.heights[row];
    if (top < scrollY) scrollTo(0, Math.max(0, top - 8));
    else if (bottom > scrollY + innerHeight - headerHeight()) scrollTo(0, bottom - innerHeight + headerHeight() + 8);
    this.render(true);
    const link = this.shown.get(i)?.firstChild;
    link?.setAttribute("tabindex", "0");
    if (focus) link?.focus({ preventScroll: true });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = this.target(event.key);
    if (to === undefined) return;
    event.preventDefault();
    this.go(to);
  }

  target(key) {
    switch (key) {
      case "ArrowRight":
        return this.current + 1;
      case "ArrowLeft":
        return this.current - 1;
      case "ArrowDown":
        return this.beside(1);
      case "ArrowUp":
        return this.beside(-1);
      case "Home":
        return 0;
      case "End":
        return this.photos.length - 1;
    }
  }

  // beside is the photo above or below the current one.
  beside(rows) {
    const row = rowOf(this.rows, this.current);
    const to = row + rows;
    if (to < 0 || to >= this.rows.tops.length) return this.current;
    const here = boxes(this.rows, row, this.shape).find((b) => b.i === this.current);
    const middle = here.left + here.width / 2;
    const near = boxes(this.rows, to, this.shape);
    return (near.find((b) => b.left + b.width >= middle) ?? near.at(-1)).i;
  }
}

const headerHeight = () => document.querySelector(".bar").offsetHeight;

// drop takes an element away and ends the loading of its picture.
function drop(node) {
  node.querySelector("img").removeAttribute("src");
  node.remove();
}
