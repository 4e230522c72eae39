'use strict';
const find = document.getElementById('find');
const cells = Array.from(document.querySelectorAll('.grid > li'), li => ({ li, text: li.textContent.toLowerCase() }));
find.closest('label').hidden = false;
find.addEventListener('input', () => {
  const words = find.value.toLowerCase().split(/\s+/);
  for (const c of cells) c.li.hidden = !words.every(w => c.text.includes(w));
  for (const s of document.querySelectorAll('section')) s.hidden = !s.querySelector('.grid > li:not([hidden])');
});
const shown = () => document.querySelector('figure:target');
const follow = (figure, what) => { const a = figure.querySelector(what); if (a && !a.hidden) location.replace(a.href); };
document.addEventListener('keydown', e => {
  const figure = shown();
  if (!figure || e.altKey || e.ctrlKey || e.metaKey) return;
  const what = { Escape: '.close', ArrowLeft: '.before', ArrowRight: '.after' }[e.key];
  if (what) { e.preventDefault(); follow(figure, what); }
});
let last = null;
window.addEventListener('hashchange', () => {
  const figure = shown();
  if (figure) figure.querySelector('.close').focus({ preventScroll: true });
  else if (last) { last.scrollIntoView({ block: 'nearest' }); last.querySelector('.open').focus({ preventScroll: true }); }
  last = figure;
});
