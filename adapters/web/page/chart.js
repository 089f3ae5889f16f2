// The curve of a day's P&L with its limits, as SVG.
import {dollars, time, element, privacy} from './words.js';

const LEFT = 8, RIGHT = 8, TOP = 18, BOTTOM = 24;

function shape(name, attributes, text) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}

// `points`: [{at, value}] in order of time; `lines`: [{value, name, kind}], kind `limit` or `floor`; `open`: the P&L now with
// open positions, null without any.
// In privacy the shape would still give the figures away, so none is drawn.
export function chart(points, lines, open) {
  if (privacy.on) return element('p', 'The curve is hidden: •••', {class: 'muted'});
  const narrow = matchMedia('(max-width: 700px)').matches, WIDTH = narrow ? 330 : 1000, HEIGHT = narrow ? 240 : 300;
  const values = [0, ...(open === null ? [] : [open]), ...points.map((one) => one.value), ...lines.map((one) => one.value)];
  const low = Math.min(...values), high = Math.max(...values), span = high - low || 1;
  const first = points[0].at, wide = points.at(-1).at - first || 1;
  const x = (at) => LEFT + ((at - first) / wide) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((high - value) / span) * (HEIGHT - TOP - BOTTOM);
  const last = points.at(-1).value;
  const words = `P&L from ${time(new Date(first))} to ${time(new Date(points.at(-1).at))}, now ${dollars(last.toFixed(2))} closed`
    + (open === null ? '; ' : ` and ${dollars(open.toFixed(2))} with open positions; `) + lines.map((one) => `${one.name} at ${dollars(one.value.toFixed(2))}`).join(', ');
  const node = shape('svg', {class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words});
  for (const one of [{value: 0, name: '0', kind: 'axis'}, ...lines]) {
    node.append(shape('line', {class: one.kind, x1: LEFT, x2: WIDTH - RIGHT, y1: y(one.value), y2: y(one.value)}));
    const label = one.kind === 'axis' ? '$0' : `${one.name} ${dollars(one.value.toFixed(2))}`;
    node.append(shape('text', {x: LEFT + 2, y: y(one.value) - 4}, label));
  }
  // Between two fills the P&L stays as it was: a step, not a slope.
  let path = '';
  points.forEach((one, at) => { path += at ? `H${x(one.at)}V${y(one.value)}` : `M${x(one.at)} ${y(one.value)}`; });
  node.append(shape('path', {class: 'curve', d: path}));
  if (open !== null) {
    node.append(shape('line', {class: 'open', x1: x(points.at(-1).at), x2: x(points.at(-1).at), y1: y(last), y2: y(open)}));
    node.append(shape('circle', {class: 'open', cx: x(points.at(-1).at) - 3, cy: y(open), r: 4}));
    node.append(shape('text', {x: WIDTH - RIGHT - 12, y: y(open) + 4, 'text-anchor': 'end'}, `with open ${dollars(open.toFixed(2))}`));
  }
  node.append(shape('text', {x: LEFT, y: HEIGHT - 6}, time(new Date(first))));
  node.append(shape('text', {x: WIDTH - RIGHT, y: HEIGHT - 6, 'text-anchor': 'end'}, time(new Date(points.at(-1).at))));
  return node;
}
