// Makes elements. Text is always text: nothing here reads HTML.

// el makes an element: el("a.button", {href: "/", onclick: f}, "text", other, …). Properties that are
// null or false are left out; data and aria attributes are written as they are.
export function el(what, properties, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// fill replaces what an element has. What is null is left out, as in el.
export const fill = (node, ...children) => node.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));

const svgSpace = "http://www.w3.org/2000/svg";

// svg makes an element of SVG.
export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// icon is one of the symbols in icons.svg.
export function icon(name) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("use", { href: `/static/icons.svg#${name}` }));
}

export const byId = (id) => document.getElementById(id);

const numbers = new Intl.NumberFormat("en");

// count writes a number with a noun: "1,234 photos".
export const count = (n, one, many = one + "s") => `${numbers.format(n)} ${n === 1 ? one : many}`;

export const number = (n) => numbers.format(n);

const toasts = byId("toast"); // a dialog that is filled anew drops it
let hiding = 0;

// toast shows a short message at the lower edge.
export function toast(text) {
  const node = toasts;
  node.textContent = text;
  node.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (node.hidden = true), 6000);
  // A dialog that is open lies above everything else.
  (document.querySelector("dialog[open]") ?? document.body).append(node);
}

// say tells a screen reader what has changed.
export const say = (text) => (byId("status").textContent = text);

// copy puts text onto the clipboard.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    toast("The browser does not allow copying here");
  }
}
