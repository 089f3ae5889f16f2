// What each section shows, from the rows of the API.
import {chart} from './chart.js';
import {after, countdown, counted, dollars, element, root, secret, sentence, table, terms, time, words} from './words.js';
import {demanded, explanation, outcome} from './why.js';

const STATES = {breached: '✖ breached', near: '▲ near', warn: '△ warn', ok: '✔ ok', blind: '? blind', shadow: '◌ shadow', off: '– off'};
const state = (name) => element('span', STATES[name] || name, {class: name});
const measure = (row, name) => row[name] === null ? 'none' : row.unit === '$' ? dollars(row[name])
  : row.unit === 's' && name !== 'limit' ? `${secret(Math.round(row[name]))} s` : [secret(row[name]), row.unit === 's' ? ' s' : ''].join('');
// With a single account its name stands in the overview, and not in every row.
const rows = (status, caption, heads, found, none) => status.accounts.length > 1 ? table(caption, ['Account', ...heads], found, none)
  : table(caption, heads, found.map((row) => row.slice(1)), none);
const all = (status, name) => status.accounts.flatMap((account) => account[name].map((row) => ({...row, owner: account.name})));

const ticks = (row) => row.ticks === null || row.ticks === undefined ? '' : counted(row.ticks, 'tick');
const unitOf = (row) => row.left === '1' && row.unit && row.unit.length > 1 ? row.unit.replace(/s$/, '') : row.unit || '';
const leftOf = (row) => row.unit !== '$' ? `${secret(row.left)} ${unitOf(row)} left`
  : `${[dollars(row.left), ticks(row)].filter(Boolean).join(' or ')} left`;

// The first row over all accounts that binds: the engine puts it first in each account.
const RANK = ['breached', 'near', 'warn', 'ok'];
export function binding(status, skew) {
  const firsts = status.accounts.map((one) => ({row: one.limits[0], account: one})).filter((one) => one.row && RANK.includes(one.row.state));
  firsts.sort((a, b) => RANK.indexOf(a.row.state) - RANK.indexOf(b.row.state) || b.row.used - a.row.used);
  const lines = [], first = firsts[0];
  if (!first) return {state: 'ok', about: '', lines: [element('p', 'No limit binds: none is measured.')]};
  const {row, account} = first;
  lines.push(element('p', [state(row.state), ` ${row.rule} ${sentence(row.name || '')}: ${leftOf(row)}`]));
  // A count may bind first; what may still be lost in dollars stands beside it.
  const money = account.limits.find((one) => one.unit === '$' && one.left !== null && RANK.includes(one.state));
  if (money && money !== row) lines.push(element('p', `Nearest in dollars: ${money.rule} ${leftOf(money)}`));
  const sizes = account.safe_size.map((one) => `${root(one.contract)} ${one.size === null ? 'unknown without a stop' : secret(one.size)}`);
  lines.push(element('p', `Largest safe size: ${sizes.join(', ') || 'unknown, no quote'}`));
  const locks = all(status, 'lockouts');
  const until = locks.map((one) => one.until || one.expires_at).filter(Boolean).sort().at(-1);
  if (!locks.length) lines.push(element('p', 'Not locked. Opening, adding and closing are allowed within the limits.', {class: 'allowed'}));
  else {
    const rules = [...new Set(locks.map((one) => one.rule))].join(', ');
    const allowed = locks.map((one) => one.allowed).find(Boolean) || 'Closing and reducing stay possible; nothing may be opened or added.';
    lines.push(element('p', ['Locked by ' + rules, until ? ', ' : ', no end set', ...(until ? [countdown(until, skew), ' left'] : []), '. ', sentence(allowed)], {class: 'allowed'}));
  }
  return {state: row.state, about: [row.state, row.rule, row.contract, account.id, ...locks.map((one) => one.rule)].join(), lines};
}

const overview = ({status}) => status.accounts.map((one) => element('div', [
  element('h3', secret(one.name)),
  terms([
    ['Balance', dollars(one.balance)], ['P&L of the day', dollars(one.day_pnl)], ['Realised', dollars(one.realized)],
    ['Open', dollars(one.unrealized)], ['Fills today', secret(one.day?.fills)], ['Round trips', secret(one.day?.round_trips)],
    ['Trading', one.can_trade ? 'allowed by the firm' : 'not allowed by the firm'],
    ['Commands unmet', secret(one.obligations.length)],
  ]),
])).concat(latest(status), health(status));

const latest = ({breaches}) => breaches.length ? [table('Latest breaches', ['Time', 'Rule', 'What'], breaches.slice(-5).reverse().map((one) =>
  [time(one.at), one.rule, figuresOf(one)]))] : [];
const figuresOf = ({contract, figures}) => sentence([contract && root(contract),
  ...Object.entries(figures).map(([name, value]) => `${words(name).replace('pnl', 'P&L')} ${String(value).replaceAll('/', ' ')}`)].filter(Boolean).join(', '));

const health = ({health: found}) => !found ? [] : [
  element('h3', `Health: ${secret(found.score)} of ${secret(100)}`),
  ...(found.parts.length ? [element('ul', found.parts.map((one) => element('li', sentence(one.sentence))))] : []),
];

// Where the P&L of the day would be at a limit. A loss is measured in the basis of its rule: without open P&L, or with it
// and from the highest point of the day.
function limitLines(account) {
  const combined = Number(account.day_pnl), realized = Number(account.realized);
  return account.limits.filter((row) => row.unit === '$' && row.limit !== null && row.now !== null).flatMap((row) => {
    if (row.rule === 'PROGRAMME-MLL') return [{value: combined - (Number(row.now) - Number(row.limit)), name: 'floor', kind: 'floor'}];
    if (!['RULE-003', 'PROGRAMME-DLL'].includes(row.rule)) return [];
    const total = row.name === 'day loss' ? realized : combined;
    return [{value: total - Number(row.now) - Number(row.limit), name: row.rule, kind: 'limit'}];
  });
}

function curves({status, fills}) {
  return status.accounts.flatMap((account) => {
    let total = 0;
    const points = fills.filter((one) => one.account === account.id && !one.voided).map((one) => {
      total += Number(one.pnl || 0) - (account.pnl_basis === 'gross' ? 0 : Number(one.fees || 0) + Number(one.commissions || 0));
      return {at: Date.parse(one.at), value: total};
    });
    if (points.length && status.last_event_at) points.push({at: Math.max(Date.parse(status.last_event_at), points.at(-1).at), value: Number(account.realized)});
    const lines = limitLines(account), open = account.positions.length ? Number(account.day_pnl) : null;
    const trades = table('Fills', ['Time', 'Contract', 'Side', 'Size', 'Price', 'P&L'], fills.filter((one) => one.account === account.id).map((one) =>
      [time(one.at), root(one.contract), one.side, secret(one.size), secret(one.price), one.pnl === null ? 'opens' : dollars(one.pnl)]), 'none today');
    return [element('h3', secret(account.name)), points.length ? chart(account.id, points, lines, open) : element('p', 'No fill today.', {class: 'muted'}),
      element('p', `Now ${dollars(account.day_pnl)}, of which ${dollars(account.unrealized)} is open; closed trades alone: worst ${dollars(account.day?.worst_running_net ?? null)}, best ${dollars(account.day?.best_running_net ?? null)}`), trades];
  });
}

const positions = ({status}) => [
  rows(status, 'Positions', ['Contract', 'Side', 'Size', 'Average', 'Price', 'Open P&L'], all(status, 'positions').map((one) =>
    [secret(one.owner), root(one.contract), one.side, secret(one.size), secret(one.average_price),
      [secret(one.mark), one.stale ? ' (old)' : ''].join(''), dollars(one.unrealized)]), 'none'),
  rows(status, 'Working orders', ['Contract', 'Side', 'Type', 'Size', 'Limit', 'Stop'], all(status, 'orders').map((one) =>
    [secret(one.owner), root(one.contract), one.side || 'unknown', words(String(one.type || 'unknown')), secret(one.size), secret(one.limit_price), secret(one.stop_price)]), 'none'),
];

const limits = ({status}, skew) => [
  rows(status, 'Every limit, the binding one first', ['State', 'Rule', 'Now', 'Limit', 'Left', 'Ticks', 'Until', 'In words'], all(status, 'limits').map((one) =>
    [secret(one.owner), state(one.state), [one.rule, one.contract ? ` ${root(one.contract)}` : ''].join(''), measure(one, 'now'), measure(one, 'limit'), measure(one, 'left'), secret(one.ticks),
      one.until ? [time(one.until), ' (', countdown(one.until, skew), ')'] : 'none', sentence(one.text)]), 'none'),
  rows(status, 'Largest safe size', ['Contract', 'Stop in ticks', 'Size', 'Held by'], all(status, 'safe_size').map((one) =>
    [secret(one.owner), root(one.contract), secret(one.stop_ticks), secret(one.size), `${one.rule || ''} ${sentence(one.text)}`]), 'no contract is quoted'),
];

const connections = ({status}) => [table('Connections', ['Hub', 'State', 'Since'],
  status.connections.map((one) => [one.hub, `${one.state === 'connected' ? '✔' : '✖'} ${one.state}`, time(one.since)]), 'none yet'), ...health(status)];

const calendar = ({days}) => [table('Trading days', ['Day', 'Reset', 'Last entry', 'Flat by', 'What is special'], days.map((one) => {
  const deadline = one.deadlines?.[0] || {};
  const special = [one.closed && 'closed', one.holiday, one.early_close && 'early close', one.release && 'release'].filter(Boolean);
  return [`${one.weekday} ${one.trade_date}`, time(one.reset?.utc), time(deadline.last_entry?.utc), time(deadline.flat_by?.utc),
    special.map((text) => typeof text === 'string' ? text : 'see calendar').join(', ') || 'nothing'];
}), 'no day is known')];

const lockouts = ({status, history}, skew) => [
  rows(status, 'In force', ['Rule', 'Scope', 'Left', 'Why'], all(status, 'lockouts').map((one) => {
    const until = one.until || one.expires_at;
    return [secret(one.owner), one.rule, sentence(one.scope), until ? countdown(until, skew) : 'no end set', sentence(one.reason || one.text || '')];
  }), 'none'),
  rows(status, 'Of this day', ['Rule', 'Kind', 'Set', 'Ended', 'By'], history.map((one) =>
    [secret(one.account_name), one.rule, words(one.kind), time(one.set_at), one.ended_at ? time(one.ended_at) : 'not ended', one.ended_by || '']), 'none'),
];

// An id is a figure that privacy hides, so a button names it by letters.
const letters = new Map(), ids = new Map();
function why(id) {
  if (!letters.has(id)) {
    letters.set(id, [...String(ids.size)].map((digit) => 'ABCDEFGHIJ'[digit]).join(''));
    ids.set(letters.get(id), id);
  }
  return element('button', 'Why', {type: 'button', 'aria-expanded': 'false', value: letters.get(id)});
}

// The explanation opens below its row, over the whole width.
export async function explain(button) {
  const row = button.closest('tr'), open = button.getAttribute('aria-expanded') === 'false';
  button.setAttribute('aria-expanded', String(open));
  if (!open) return row.nextElementSibling?.classList.contains('why') && row.nextElementSibling.remove();
  const cell = element('td', 'One moment.', {colspan: row.cells.length});
  row.after(element('tr', cell, {class: 'why'}));
  const answer = await fetch(`/api/why/${encodeURIComponent(ids.get(button.value))}`).catch(() => null);
  const lines = answer?.ok ? explanation(await answer.json()) : [element('p', 'The engine gives no explanation at the moment.')];
  cell.replaceChildren(element('div', lines));
}

// From the decision to the socket.
function sent({requests}) {
  const first = (requests || []).find((one) => one.sent_at);
  return first ? after(first.sent_after_seconds ?? null) : 'none';
}

const MOST = 100;
const newest = (found) => found.slice(-MOST).reverse();
const captionOf = (name, found) => found.length > MOST ? `${name}: the newest ${secret(MOST)} of ${secret(found.length)}` : name;

const enforcement = ({commands, breaches}) => [
  table(captionOf('Commands', commands), ['Time', 'Rule', 'What', 'Sent', 'Outcome', 'Why'], newest(commands).map((one) =>
    [time(one.at), one.rule, demanded(one), sent(one), outcome(one), why(one.id)]), 'none today'),
  table(captionOf('Breaches', breaches), ['Time', 'Rule', 'Figures', 'Why'], newest(breaches).map((one) =>
    [time(one.at), one.rule, figuresOf(one), why(one.id)]), 'none today'),
];

export const SECTIONS = {overview, pnl: curves, positions, limits, connections, calendar, lockouts, enforcement};
