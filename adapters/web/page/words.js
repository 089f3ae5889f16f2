// What is written: elements, times, and the privacy that hides figures wherever they would stand.

const HIDDEN = '•••';
const KEPT = /RULE-\d+|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?)?|\b\d\d:\d\d(?::\d\d)?\b/g;
let names = [];

export const privacy = {on: localStorage.getItem('riskcore.privacy') === 'on'};
privacy.toggle = () => {
  privacy.on = !privacy.on;
  localStorage.setItem('riskcore.privacy', privacy.on ? 'on' : 'off');
};

// Account names stand in free text too, and need not hold a digit.
export function remember(accounts) { names = accounts.map((one) => String(one.name)).filter(Boolean); }

// An amount, price, size, name or id.
export const secret = (value, unit = '') =>
  value === null || value === undefined ? 'none' : privacy.on ? HIDDEN : `${unit}${value}`;

export const dollars = (value) =>
  value === null || value === undefined ? 'unknown'
    : privacy.on ? HIDDEN : grouped(String(value));

function grouped(amount) {
  const [whole, cents = ''] = amount.replace('-', '').split('.');
  return `${amount.startsWith('-') ? '-' : ''}$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents.padEnd(2, '0')}`;
}

export const counted = (number, name) => `${secret(number)} ${name}${String(number) === '1' && !privacy.on ? '' : 's'}`;

// The contract as people know it.
export const root = (contract) => contract?.split('.')[3] || contract || 'none';

// A name of a field or a kind as words: CancelOrders, loss_limit.
export const words = (name) => name.replaceAll('_', ' ').replace(/([a-z])([A-Z])/g, '$1 $2');

// How long after the decision, for people.
export function after(seconds) {
  if (seconds === null || seconds === undefined) return 'at a time that is not known';
  const milliseconds = Number(seconds) * 1000;
  if (milliseconds < 1) return 'at once';
  return milliseconds < 1000 ? `after ${secret(Math.round(milliseconds))} ms` : `after ${secret((milliseconds / 1000).toFixed(1))} s`;
}

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
const CONTRACT = /\bCON\.[A-Z]+\.[A-Z]+\.([A-Z0-9]+)\.[A-Z]\d+/g;

// A sentence of the engine, with instants as clock times. In privacy every word with a digit is hidden, but rules and times.
export function sentence(given) {
  let text = (given || '').replace(INSTANT, (at) => time(at)).replace(CONTRACT, (_, code) => code);
  if (!privacy.on) return text;
  for (const name of names) text = text.replaceAll(name, HIDDEN);
  const hide = (part) => part.replace(/[^\s,;:()]*\d[^\s,;:()]*/g, HIDDEN);
  let result = '', from = 0;
  for (const found of text.matchAll(KEPT)) {
    result += hide(text.slice(from, found.index)) + found[0];
    from = found.index + found[0].length;
  }
  return result + hide(text.slice(from));
}

// Every time is in the zone of the profile; the browser's own stands in until that is known.
const timer = (zone) => new Intl.DateTimeFormat('en-GB', {timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit',
  day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit'});
let timing = timer();
export const zone = () => timing.resolvedOptions().timeZone;
export function keepTime(name) {
  if (!name || name === zone()) return;
  try { timing = timer(name); } catch { /* A zone that this browser does not know: the page names the one that it shows. */ }
}
function local(at) {
  const part = Object.fromEntries(timing.formatToParts(at).map(({type, value}) => [type, value]));
  return {date: `${part.year}-${part.month}-${part.day}`, clock: `${part.hour}:${part.minute}:${part.second}`};
}
export const clock = (at) => local(at).clock;
export const time = (text) => {
  if (!text) return 'open';
  const {date, clock: shown} = local(new Date(text));
  return date === local(new Date()).date ? shown : `${date} ${shown}`;
};
const two = (number) => String(number).padStart(2, '0');

// The time left until an instant, counted by the page's clock every second.
export function countdown(until, skewMs) {
  const node = element('span', '', {'data-until': until, 'data-skew': String(Math.round(skewMs || 0))});
  tick(node);
  return node;
}
export function tick(node) {
  const left = Math.max(0, Math.round((new Date(node.dataset.until) - Date.now() - Number(node.dataset.skew)) / 1000));
  const hours = Math.floor(left / 3600);
  node.textContent = left === 0 ? '0:00' : `${hours ? hours + ':' : ''}${hours ? two(Math.floor(left / 60) % 60) : Math.floor(left / 60)}:${two(left % 60)}`;
}

export function element(name, content = '', attributes = {}) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...[content].flat().filter((one) => one !== ''));
  return node;
}

// Puts in only what has changed: what has the focus, is selected or is read out stays. A node that is `data-kept` stays whole.
export function put(host, nodes) {
  nodes.forEach((node, at) => {
    const old = host.childNodes[at];
    if (!old) host.append(node);
    else if (old === node || old.isEqualNode(node)) return;
    else if (old.nodeName !== node.nodeName || 'kept' in (old.dataset || {}) || 'kept' in (node.dataset || {})) old.replaceWith(node);
    else if (old.nodeType === Node.TEXT_NODE) old.data = node.data;
    else {
      for (const {name} of [...old.attributes]) if (!node.hasAttribute(name)) old.removeAttribute(name);
      for (const {name, value} of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
      put(old, [...node.childNodes]);
    }
  });
  while (host.childNodes.length > nodes.length) host.lastChild.remove();
}

const NUMBERS = new Set(['Now', 'Limit', 'Left', 'Ticks', 'Size', 'Price', 'Average', 'Open P&L', 'P&L', 'Stop', 'Stop in ticks', 'Sent']);

export function table(caption, heads, rows, none) {
  if (!rows.length) return element('p', `${caption}: ${none}`, {class: 'muted'});
  const cells = (row) => row.map((cell, at) => element('td', element('span', cell), {'data-name': heads[at], class: kind(heads[at], cell)}));
  const kind = (head, cell) => [NUMBERS.has(head) && 'number', cell === 'none' && 'none'].filter(Boolean).join(' ');
  return element('table', [
    element('caption', caption),
    element('thead', element('tr', heads.map((head) => element('th', head, {scope: 'col', class: kind(head)})))),
    element('tbody', rows.map((row) => element('tr', cells(row)))),
  ]);
}

export const terms = (pairs) =>
  element('dl', pairs.map(([term, value]) => element('div', [element('dt', term), element('dd', value)])));
