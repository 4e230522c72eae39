import { el, svg } from "./dom.js";

const width = 600;
const height = 150;

// bars draws counts as columns, the newest at the right.
export function bars(title, values, text) {
  const most = Math.max(1, ...values);
  const step = width / Math.max(values.length, 30);
  const from = width - step * values.length;
  const columns = values.map((v, i) => {
    const h = v ? Math.max(2, (v / most) * (height - 6)) : 0;
    return svg("rect", { class: "bar-column", x: (from + i * step + step * 0.1).toFixed(1), y: (height - h).toFixed(1), width: (step * 0.8).toFixed(1), height: h.toFixed(1), rx: Math.min(2, step * 0.2).toFixed(1) });
  });
  return figure(title, text, String(most), columns);
}

// line draws one value over time, and a limit.
export function line(title, values, limit, text, label) {
  const most = Math.max(...values, limit || 0, 1) * 1.05;
  const step = width / Math.max(values.length - 1, 60);
  const from = width - step * (values.length - 1);
  const at = (v, i) => `${(from + i * step).toFixed(1)},${(height - (v / most) * height).toFixed(1)}`;
  const shapes = [];
  if (values.length > 1) {
    const points = values.map(at).join(" ");
    shapes.push(svg("polygon", { class: "line-area", points: `${from.toFixed(1)},${height} ${points} ${width},${height}` }), svg("polyline", { class: "line", points }));
  }
  if (limit) {
    const y = (height - (limit / most) * height).toFixed(1);
    shapes.push(svg("line", { class: "limit", x1: 0, x2: width, y1: y, y2: y }));
  }
  return figure(title, text, label(most), shapes);
}

function figure(title, text, most, shapes) {
  return el("figure.plot", {}, el("figcaption", {}, el("span", {}, title), el("span.value", {}, text)), el("div.drawing", { role: "img", "aria-label": `${title}: ${text}` }, svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...shapes), el("span.most", { "aria-hidden": "true" }, most)));
}
