// The three things this page can do, each only after a confirmation.
import {sentence} from './words.js';

const ASKED = {
  flatten: ['Flatten every account?', 'Closes every position at the market and cancels every working order, stops included.', 'Yes, flatten'],
  'cancel-all': ['Cancel every working order?', 'Stops are cancelled too; open positions are then no longer protected by them.', 'Yes, cancel all'],
  lock: ['Lock every account?', 'Nothing can be opened or added until then. This page cannot undo it.', 'Yes, lock'],
};
const get = (id) => document.getElementById(id);
let asked = null;

function ask(name) {
  asked = name;
  [get('confirm-title').textContent, get('confirm-text').textContent, get('confirm-yes').textContent] = ASKED[name];
  get('confirm-until').hidden = name !== 'lock';
  get('confirm').showModal();
  get('confirm-no').focus();
}

async function send(name) {
  const body = name === 'lock' ? {until: get('until').value} : {};
  let said;
  try {
    const answer = await fetch(`/api/${name}`, {
      method: 'POST',
      headers: {'Content-Type': 'application/json', 'X-Riskcore': '1'},
      body: JSON.stringify(body),
    });
    const row = await answer.json();
    if (!answer.ok) said = `Refused: ${sentence(row.error)}`;
    else if (row.carried_out === false) said = 'Recorded only: this engine does not carry anything out.';
    else said = 'Recorded; the enforcement section shows when it is done.';
  } catch {
    said = 'No answer from the engine: it is unknown whether it was recorded. Look at the broker’s own platform.';
  }
  get('outcome').textContent = `${get(name).textContent}: ${said}`;
  get('outcome').hidden = false;
}

export function confirmations() {
  for (const name of Object.keys(ASKED)) get(name).addEventListener('click', () => ask(name));
  get('confirm-no').addEventListener('click', () => get('confirm').close());
  get('confirm-yes').addEventListener('click', () => {
    get('confirm').close();
    send(asked);
  });
}
