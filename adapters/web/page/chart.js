// The curve of a day's P&L with its limits, drawn by uPlot: point at it to read it, drag over a span to see that alone.
import {clock, dollars, time, element, privacy, zone} from './words.js';

const {uPlot} = window, HEIGHT = 300, FONT = '12px system-ui, sans-serif', DOT = 4;
const HOW = 'Point at the curve to read it, or go to it with Tab and use ← and →. Drag over a span to see that alone.';
const MOST_SEEN = 2000;  // Of the P&L with open positions since the page was opened; then every other one is enough.
export const drawings = new Map();  // By account, so that what is pointed at or chosen stays when figures come.

const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clockAt = (seconds) => clock(new Date(seconds * 1000));
const money = (value) => dollars(value.toFixed(2));
const axis = (more) => ({stroke: colour('--muted'), font: FONT, grid: {stroke: colour('--line'), width: 1}, ticks: {stroke: colour('--line')}, ...more});

class Drawing {
  constructor() {
    this.seen = [[], []];
    this.host = element('div', '', {role: 'img', tabindex: '0'});
    this.reading = element('output', HOW, {class: 'muted'});
    this.whole = element('button', 'Show the whole day', {type: 'button', hidden: ''});
    this.node = element('div', [this.host, element('p', [this.reading, ' ', this.whole])], {class: 'chart', 'data-kept': ''});
    this.whole.addEventListener('click', () => { this.plot.setData(this.plot.data); this.host.focus(); });
    this.host.addEventListener('keydown', (event) => this.press(event));
    new ResizeObserver(() => this.fit()).observe(this.host);
  }

  show(points, lines, open, words) {
    this.host.setAttribute('aria-label', words);
    this.lines = lines;
    this.note(points[0].at / 1000, points.at(-1).at / 1000, open);
    const [at, closed, withOpen] = uPlot.join([[points.map((one) => one.at / 1000), points.map((one) => one.value)], this.seen]);
    const data = [at, closed, withOpen, ...lines.map((one) => at.map(() => one.value))], kinds = lines.map((one) => one.kind).join();
    if (this.plot && this.kinds === kinds) {
      const part = this.part();
      this.plot.setData(data, !part);
      if (part) this.plot.redraw();
      this.read();
      return;
    }
    this.plot?.destroy();
    this.kinds = kinds;
    this.plot = new uPlot(this.options(), data, this.host);
    this.fit();
  }

  // The P&L with open positions at this moment; null, where the curve breaks off, without any.
  note(first, at, open) {
    const known = this.seen[0].map((time, index) => [time, this.seen[1][index]]).filter(([time]) => time >= first && time < at);
    const kept = known.length < MOST_SEEN ? known : known.filter((_, index) => index % 2);
    this.seen = [[...kept.map(([time]) => time), at], [...kept.map(([, value]) => value), open]];
  }

  options() {
    const curve = {stroke: colour('--course'), width: 2, points: {show: false}};
    const limits = this.lines.map((one) => ({stroke: colour(one.kind === 'floor' ? '--lock' : '--worse'), width: 1.5, dash: one.kind === 'floor' ? [2, 3] : [6, 4], points: {show: false}}));
    return {
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone()),
      width: 300, height: HEIGHT, legend: {show: false}, cursor: {y: false, drag: {x: true, y: false}},
      // Between two fills the P&L stays as it was: a step, not a slope.
      series: [{}, {...curve, paths: uPlot.paths.stepped({align: 1})}, {...curve, dash: [3, 3]}, ...limits],
      scales: {x: {range: (_, low, high) => low === high ? [low - 30, high + 30] : [low, high]}, y: {range: (_, low, high) => this.heights(low, high)}},
      axes: [axis({values: (_, at) => at.map((one) => clockAt(one).slice(0, at[1] - at[0] < 60 ? 8 : 5)), space: 64}),
        axis({values: (_, values) => values.map((one) => money(one).replace('.00', '')), size: 72})],
      hooks: {draw: [() => this.label()], setCursor: [() => this.read()], setScale: [() => { this.whole.hidden = !this.part(); }]},
    };
  }

  heights(low, high) {
    const bottom = Math.min(0, low), top = Math.max(0, high), room = (top - bottom || 1) * 0.08;
    return [bottom - room, top + room];
  }

  // Whether a span of the day is shown alone.
  part() {
    const {scales: {x}, data: [at]} = this.plot;
    return x.min > at[0] || x.max < at.at(-1);
  }

  fit() {
    if (this.plot && this.host.clientWidth) this.plot.setSize({width: this.host.clientWidth, height: HEIGHT});
  }

  // What lines and the last point mean, beside them.
  label() {
    const {ctx, bbox, data} = this.plot, scale = devicePixelRatio;
    ctx.save();
    ctx.font = FONT.replace('12', String(12 * scale));
    ctx.textAlign = 'left';
    ctx.fillStyle = colour('--muted')();
    for (const one of this.lines) ctx.fillText(`${one.name} ${money(one.value)}`, bbox.left + 4 * scale, this.plot.valToPos(one.value, 'y', true) - 5 * scale);
    const open = data[2].at(-1), x = this.plot.valToPos(data[0].at(-1), 'x', true), y = this.plot.valToPos(open ?? 0, 'y', true);
    if (typeof open === 'number' && x <= bbox.left + bbox.width) {
      ctx.textAlign = 'right';
      ctx.fillText(`with open ${money(open)}`, x - 10 * scale, y + 4 * scale);
      ctx.fillStyle = colour('--course')();
      ctx.beginPath();
      ctx.arc(x, y, DOT * scale, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  read() {
    if (!this.plot) return;
    const {cursor: {idx}, data: [at, closed, withOpen]} = this.plot;
    if (idx === null || idx === undefined) { this.reading.textContent = HOW; return; }
    const behind = closed.slice(0, idx + 1).findLast((one) => typeof one === 'number') ?? 0, open = withOpen[idx];
    this.reading.textContent = `${clockAt(at[idx])}: ${money(behind)} closed${typeof open === 'number' ? `, ${money(open)} with open positions` : ''}`;
  }

  press(event) {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key], {plot} = this, [at] = plot.data;
    if (!step) return;
    event.preventDefault();
    const from = plot.cursor.idx ?? (step > 0 ? -1 : at.length), to = Math.max(0, Math.min(at.length - 1, from + step));
    plot.setCursor({left: plot.valToPos(at[to], 'x'), top: 0});
  }
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawings.forEach(({plot}) => plot.redraw(false)));

// `points`: [{at, value}] in order of time; `lines`: [{value, name, kind}], kind `limit` or `floor`; `open`: the P&L now with
// open positions, null without any.
// In privacy the shape would still give the figures away, so none is drawn.
export function chart(account, points, lines, open) {
  if (privacy.on) {
    drawings.get(account)?.plot.destroy();
    drawings.delete(account);
    return element('p', 'The curve is hidden: •••', {class: 'muted'});
  }
  const words = `P&L from ${time(new Date(points[0].at))} to ${time(new Date(points.at(-1).at))}, now ${money(points.at(-1).value)} closed`
    + (open === null ? '; ' : ` and ${money(open)} with open positions; `) + lines.map((one) => `${one.name} at ${money(one.value)}`).join(', ');
  const drawing = drawings.get(account) || new Drawing();
  drawings.set(account, drawing);
  drawing.show(points, lines, open, words);
  return drawing.node;
}
