// The page: reads the GET routes, hears from the stream when to read again, and draws.
import {confirmations} from './confirm.js';
import {SECTIONS, binding, explain} from './sections.js';
import {follow} from './stream.js';
import {dollars, element, keepTime, privacy, put, remember, sentence, tick, time, zone} from './words.js';

const get = (id) => document.getElementById(id);
const LIVE = ['armed', 'dry_run'];
const ANEW = 'Run “riskcore web” on this computer: after a restart this page needs a new link.';
const GAP_MS = 100;  // Between the beginnings of two readings; the first of them follows at once.
const SIZES_MS = 1000;  // Between two readings of the safe sizes while nothing but quotes comes: they take the longest.
let found = null, sizes = {}, sizedAt = -SIZES_MS, skew = 0, engine = 'unknown', live = false, current = '', told = '';

const read = async (name) => {
  const answer = await fetch(`/api/${name}`);
  if (answer.status === 401) throw Object.assign(new Error(ANEW), {anew: true});
  return answer.ok ? answer.json() : null;
};

let reading = false, again = false;
async function refresh(sized) {
  if (reading) { again = {sized: sized || again.sized}; return; }
  reading = true;
  begunAt = performance.now();
  try {
    const whole = sized || performance.now() - sizedAt >= SIZES_MS;
    const status = await read(whole ? 'status' : 'status?safe_size=false');
    if (!status) throw new Error('no figures');
    if (whole) sizedAt = performance.now();
    for (const one of status.accounts) one.safe_size = sizes[one.id] = one.safe_size || sizes[one.id] || [];
    const [fills, history, commands, breaches, calendar] = await Promise.all([
      current === 'pnl' ? read('fills') : null,
      current === 'lockouts' && status.trade_date ? read(`lockouts?day=${status.trade_date}`) : null,
      current === 'enforcement' ? read('enforcement') : null,
      current === 'enforcement' ? read('breaches') : null,
      current === 'calendar' ? read('calendar') : null,
    ]);
    found = {section: current, status, fills: fills?.fills || [], history: history?.lockouts || [],
      commands: commands?.enforcement || [], breaches: breaches?.breaches || [], days: calendar?.days || []};
    skew = Date.parse(status.now.slice(0, 23) + 'Z') - Date.now();
    remember(status.accounts);
    keepTime(status.timezone);
    draw();
  } catch (error) {
    stale(error.anew ? ANEW : `Not live: the engine does not answer. ${ANEW}`);
  } finally {
    reading = false;
    if (again) { const {sized: next} = again; again = false; refresh(next); }
  }
}

let soon = null, dueAt = Infinity, sizedSoon = false, begunAt = -GAP_MS;
function refreshSoon(atLeastMs, sized = true) {
  const afterMs = Math.max(atLeastMs, begunAt + GAP_MS - performance.now());
  sizedSoon ||= sized;
  const at = performance.now() + afterMs;
  if (at >= dueAt) return;
  clearTimeout(soon);
  dueAt = at;
  soon = setTimeout(() => { const next = sizedSoon; dueAt = Infinity; sizedSoon = false; refresh(next); }, afterMs);
}

function draw() {
  get('privacy').setAttribute('aria-pressed', String(privacy.on));
  if (!found) return;
  const line = binding(found.status, -skew);
  put(get('binding'), line.lines);
  get('binding').dataset.state = line.state;
  get('zone').textContent = `Times are in ${zone()}.`;
  // A screen reader is told of another limit, state or lock, not of each price.
  const about = `${line.about} ${privacy.on}`;
  if (about !== told) {
    told = about;
    const words = get('binding').cloneNode(true);
    for (const node of words.querySelectorAll('[data-until]')) node.textContent = '';
    get('told').textContent = [...words.children].map((one) => one.textContent).join('. ');
  }
  const total = found.status.accounts.map((one) => dollars(one.day_pnl)).join(' ');
  document.title = get('stale').hidden ? `${total} riskcore` : 'NOT LIVE riskcore';
  if (found.section === current && !get(current).querySelector('[aria-expanded=true]')) {
    put(get(current).querySelector('.rows'), SECTIONS[current](found, -skew));
  }
}

function show() {
  const name = location.hash.slice(1);
  current = name in SECTIONS ? name : 'overview';
  for (const one of Object.keys(SECTIONS)) get(one).hidden = one !== current;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${current}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  refresh(true);
}

function stale(text) {
  get('stale').textContent = text;
  get('stale').hidden = false;
  document.title = 'NOT LIVE riskcore';
}

// The buttons stay: an engine that only the stream has lost still flattens.
function lost() {
  live = false;
  get('state').textContent = 'not live';
  stale(`Not live: the connection to the engine is lost. ${ANEW}`);
}

function heard(message) {
  if (message.type === 'daemon_status') {
    const before = engine;
    engine = message.data.state;
    get('state').textContent = engine.replace('_', ' ');
    const can = LIVE.includes(engine);
    for (const name of ['flatten', 'cancel-all', 'lock']) get(name).disabled = !can;
    if (can) get('stale').hidden = true;
    else stale(engine === 'read_only' ? 'Not live: read from the journal, no engine answers here.' : `Not live: the engine is ${engine}.`);
    if (before !== engine || !live) refreshSoon(0);
    live = true;
  }
  if (message.type === 'alert' && message.data && message.data.level !== 'info') {
    alerted = message;
    showAlert();
  }
  refreshSoon(message.type === 'daemon_status' ? 1000 : 0, message.type !== 'MarketQuote');
}

let alerted = null;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
function showAlert() {
  get('alert').hidden = !alerted;
  if (!alerted) return;
  const {title, text, allowed} = alerted.data;
  const said = [title, text, allowed].filter(Boolean).map(sentence).map(capital).join('. ').replaceAll('.. ', '. ');
  get('alert').querySelector('span').textContent = `⚠ ${time(alerted.at)} ${said}`;
}
get('alert').querySelector('button').addEventListener('click', () => { alerted = null; showAlert(); });

get('privacy').addEventListener('click', () => {
  privacy.toggle();
  get('outcome').hidden = true;
  for (const open of document.querySelectorAll('[aria-expanded=true]')) open.click();
  showAlert();
  draw();
});
document.querySelector('main').addEventListener('click', ({target}) => {
  const button = target.closest('button[aria-expanded]');
  if (button) explain(button);
});
addEventListener('hashchange', show);
setInterval(() => document.querySelectorAll('[data-until]').forEach(tick), 1000);
confirmations();
show();
follow(heard, lost);
draw();
