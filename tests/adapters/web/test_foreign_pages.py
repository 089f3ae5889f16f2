"""Other pages in the trader's browser, which has the cookie: whatever they try, nothing is read and nothing changes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.web.conftest import Asked, asked
from tests.adapters.web.pages import let_in
from tests.adapters.web.serving import recorded_day
from tests.browser import browser

AT_ONCE = 25
# One attempt after another as scripts of a page can make them; counts what could be read, or was opened.
ATTACK = """(async () => {
  const [port, number, seed, atOnce] = [PORT, NUMBER, SEED, AT_ONCE];
  let state = seed;
  const chance = (most) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor(state / 65536) % most;
  };
  const pick = (list) => list[chance(list.length)];
  const hosts = [`http://127.0.0.1:${port}`, `http://localhost:${port}`];
  const paths = ['lock', 'flatten', 'cancel-all', 'order', 'unlock', 'link', 'payout', 'reset', 'note', 'status',
    'events?after=start'];
  const bodies = ['{"until":"30m"}', '{}', 'until=30m', '{"reason":"x"}', '{"action":"close","contract":"MNQ"}'];
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
    'application/json'];
  const counts = {read: 0, opened: 0, tried: {}};
  const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  const frame = document.body.appendChild(document.createElement('iframe'));
  frame.name = 'frame';
  const kinds = {
    cors: async (url) => {
      const own = pick([{}, {'X-Riskcore': '1'}, {'X-Riskcore': '1', Authorization: 'Bearer x'}]);
      const headers = {'Content-Type': pick(types), ...own};
      const answer = await fetch(url, {method: 'POST', credentials: 'include', headers, body: pick(bodies)});
      counts.read += answer.type !== 'opaque' ? 1 : 0;
    },
    simple: async (url) => {
      const headers = {'Content-Type': pick(types.slice(0, 3))};
      const how = {method: 'POST', mode: 'no-cors', credentials: 'include', headers, body: pick(bodies)};
      counts.read += (await fetch(url, how)).type !== 'opaque' ? 1 : 0;
    },
    read: async (url) => { counts.read += (await fetch(url, {credentials: 'include'})).type !== 'opaque' ? 1 : 0; },
    beacon: async (url) => navigator.sendBeacon(url, pick(bodies)),
    image: (url) => new Promise((done) => {
      const one = new Image();
      one.onload = () => { counts.read++; done(); };
      one.onerror = done;
      one.src = pick([url, url.replace(/api.*/, 'open?once=x'), url.replace(/api.*/, 'icon.svg')]);
    }),
    script: (url) => new Promise((done) => {
      const one = document.createElement('script');
      one.onload = () => { counts.read++; done(); };
      one.onerror = done;
      one.src = pick([url, url.replace(/api.*/, 'words.js')]);
      document.body.append(one);
      one.remove();
    }),
    form: async (url) => {
      const one = document.createElement('form');
      Object.assign(one, {action: url, method: 'post', target: 'frame', enctype: pick(types.slice(0, 3))});
      const field = document.createElement('input');
      [field.name, field.value] = pick([['until', '30m'], ['{"until":"30m","x":"', '"}']]);
      one.append(field);
      document.body.append(one);
      one.submit();
      one.remove();
      await later(5);
    },
    socket: (url) => new Promise((done) => {
      const one = new WebSocket(url.replace('http', 'ws').replace(/api.*/, 'api/stream?after=start'));
      one.onopen = () => { counts.opened++; one.close(); done(); };
      one.onerror = done;
    }),
    events: (url) => new Promise((done) => {
      const one = new EventSource(url, {withCredentials: true});
      one.onopen = () => { counts.opened++; };
      one.onerror = () => { one.close(); done(); };
    }),
  };
  for (let tried = 0; tried < number; tried += atOnce) {
    await Promise.all([...Array(atOnce)].map(async () => {
      const kind = pick(Object.keys(kinds)), url = `${pick(hosts)}/api/${pick(paths)}`;
      counts.tried[kind] = (counts.tried[kind] || 0) + 1;
      await Promise.race([kinds[kind](url), later(300)]).catch(() => {});
    }));
  }
  return counts;
})()"""


@contextmanager
def foreign_page() -> Iterator[int]:
    """A page of somebody else; the port it is served from."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>prizes</title><body>You have won."
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with asked(*recorded_day(tmp_path_factory.mktemp("foreign"))) as found:
        yield found


@pytest.mark.parametrize("number", [250, pytest.param(10_000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_no_page_of_another_origin_reads_or_changes_anything(
    service: Asked, tmp_path: Path, name: str, number: int
) -> None:
    stored = len(service.desk.events)
    with foreign_page() as port, browser(tmp_path) as page:
        let_in(page, service.control)
        page.call("Page.enable")
        page.call("Page.navigate", url=f"http://{name}:{port}/")
        while page.evaluate("document.title") != "prizes" or page.evaluate("document.readyState") != "complete":
            pass
        found: dict[str, Any] = {"read": 0, "opened": 0, "tried": 0}
        for seed in range(1, number // 250 + 1):
            script = ATTACK.replace("[PORT, NUMBER, SEED, AT_ONCE]", str([service.port, 250, seed * 7919, AT_ONCE]))
            counts = page.evaluate(script)
            assert len(counts["tried"]) == 9, "every kind of attempt"
            found = {"read": found["read"] + counts["read"], "opened": found["opened"] + counts["opened"],
                     "tried": found["tried"] + sum(counts["tried"].values())}  # fmt: skip
        # The cookie is there: the page itself is let in, so the attempts could have been.
        page.call("Page.navigate", url=service.control.url + "/")
        while page.evaluate("document.title") == "prizes":
            pass
        assert page.evaluate("document.querySelector('#binding') !== null")
    assert found == {"read": 0, "opened": 0, "tried": number}
    assert len(service.desk.events) == stored
    assert service.desk.account_state.lockouts == {}
