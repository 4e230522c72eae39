// Lays photos out in rows that fill the width, without looking at the photos themselves.

const gap = 4; // pixels between photos
const tallest = 14_000_000; // pixels of an element that all browsers scroll through

// justify returns the rows of a grid: where each begins (top, in pixels), its height, its first photo, and the height of all.
// shape(i) is width by height.
export function justify(length, shape, width, wanted) {
  let rows = lay(length, shape, width, wanted);
  for (let tries = 0; rows.total > tallest && tries < 4; tries++) {
    wanted *= Math.sqrt(tallest / rows.total) * 0.98;
    rows = lay(length, shape, width, wanted);
  }
  return rows;
}

function lay(length, shape, width, wanted) {
  const tops = [];
  const heights = [];
  const firsts = [];
  let top = 0;
  let first = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    sum += clamp(shape(i));
    const inner = width - gap * (i - first);
    if (inner / sum > wanted && i < length - 1) continue;
    // The last row is not blown up to the width.
    const height = Math.min(inner / sum, inner / sum > wanted ? wanted : Infinity);
    tops.push(top);
    heights.push(height);
    firsts.push(first);
    top += height + gap;
    first = i + 1;
    sum = 0;
  }
  return { tops, heights, firsts, length, total: Math.max(0, top - gap) };
}

// Very long and very high photos are cut to these shapes in the grid.
export const clamp = (shape) => Math.min(3, Math.max(0.5, shape));

// rowAt is the row at a height, by bisection.
export function rowAt(rows, y) {
  let low = 0;
  let high = rows.tops.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows.tops[middle] <= y) low = middle;
    else high = middle - 1;
  }
  return low;
}

// rowOf is the row with a photo.
export function rowOf(rows, i) {
  let low = 0;
  let high = rows.firsts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (rows.firsts[middle] <= i) low = middle;
    else high = middle - 1;
  }
  return low;
}

// boxes returns the photos of a row with their places.
export function boxes(rows, row, shape) {
  const first = rows.firsts[row];
  const after = rows.firsts[row + 1] ?? rows.length;
  const height = rows.heights[row];
  const list = [];
  let left = 0;
  for (let i = first; i < after; i++) {
    const width = clamp(shape(i)) * height;
    list.push({ i, left, width, top: rows.tops[row], height });
    left += width + gap;
  }
  return list;
}
