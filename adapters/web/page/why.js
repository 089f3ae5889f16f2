// One decision in sentences: what came in, the figures at the limit, the settings that decided, what followed.
import {after, counted, dollars, element, root, secret, sentence, time, words} from './words.js';

const MOST_FILLS = 10;
const list = (title, lines) => lines.length ? [element('h4', title), element('ul', lines.map((line) => element('li', line)))] : [];
const clock = (text) => time(text);

function head({rule, breach, account}) {
  const about = breach?.contract ? ` in ${root(breach.contract)}` : '';
  const what = breach ? `was breached${about} at ${clock(breach.at)}` : 'acted without a breach';
  return element('p', `${rule.id}${rule.title ? ` (${sentence(rule.title)})` : ''} ${what} on account ${secret(account.name || account.id)}.`);
}

const figures = ({breach}) => !breach ? [] : Object.entries(breach.figures).map(([name, value]) => {
  const parts = breach.parts?.unrealized !== undefined && ['day_pnl', 'equity'].includes(name)
    ? `, of which ${dollars(breach.parts.unrealized)} open` : '';
  return `${words(name)}: ${sentence(String(value))}${parts}`;
});

function lockout({lockout: one}) {
  if (!one) return [];
  const until = one.expires_at ? `until ${clock(one.expires_at)}` : 'until it is lifted';
  return [`${one.rule} had locked the ${one.scope === 'account' ? 'account' : sentence(one.scope)} at ${clock(one.set_at)} ${until}: ${sentence(one.reason)}.`];
}

function setting(value) {
  if (value === null) return 'off';
  return sentence(typeof value === 'object' ? JSON.stringify(value).replace(/["{}[\]]/g, ' ').trim() : String(value));
}
const settings = ({rule}) => Object.entries(rule.settings || {}).map(([name, value]) => `${words(name)}: ${setting(value)}`);

function state({state: {day, positions, fills}}) {
  const lines = [];
  if (day) lines.push(`The day so far: ${dollars(day.net_pnl)} net of ${counted(day.fills, 'fill')} and ${counted(day.round_trips, 'round trip')}.`);
  for (const one of positions) {
    const open = one.mark === null ? 'without a price' : `open P&L ${dollars(one.unrealized)} at ${secret(one.mark)}`;
    lines.push(`Held: ${one.side} ${secret(one.size)} ${root(one.contract)} from ${secret(one.average_price)}, ${open}.`);
  }
  for (const one of fills.slice(-MOST_FILLS)) {
    const booked = one.voided ? 'voided' : one.pnl === null ? 'opening' : `P&L ${dollars(one.pnl)}`;
    lines.push(`Fill ${clock(one.at)}: ${one.side} ${secret(one.size)} ${root(one.contract)} at ${secret(one.price)}, ${booked}, net of the day ${dollars(one.running_net)}.`);
  }
  return lines;
}

export const demanded = (row) => [words(row.kind), row.contract && root(row.contract), row.order && `order ${secret(row.order)}`,
  row.size && secret(row.size), row.price && `at ${secret(row.price)}`].filter(Boolean).join(' ');

export function outcome(row) {
  if (row.outcome === 'met') return row.met_after_seconds == null ? 'met' : `met ${after(row.met_after_seconds)}`;
  return row.outcome === 'superseded' ? 'superseded by a newer command' : row.outcome === undefined ? 'recorded' : 'not met';
}

function commands(rows, chosen) {
  return rows.map((row) => {
    const sent = (row.requests || []).map((one) => one.sent_at
      ? `sent ${after(one.sent_after_seconds ?? null)}, ${one.outcome}` : `planned, not sent (${one.outcome})`);
    const text = `${demanded(row)}: ${[outcome(row), ...sent].join('; ')}.`;
    const because = row.met_by ? ` ${clock(row.met_by.at)}: ${sentence(row.met_by.text)}.` : '';
    return row.id === chosen ? element('strong', text + because) : text + because;
  });
}

export const explanation = (row) => [
  head(row),
  element('p', `What came in at ${clock(row.input.at)}: ${sentence(row.input.text)}.`),
  ...list('Figures at the limit', figures(row)),
  ...list('The lockout it violated', lockout(row)),
  ...list('Settings that decided', settings(row)),
  ...list('The account at that moment', state(row)),
  ...list('Left out of the day until then', row.left_out.map(sentence)),
  ...list('What was demanded', commands(row.commands, row.id)),
  ...list('Already demanded before', commands(row.already_in_force, row.id)),
];
