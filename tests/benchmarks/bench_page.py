"""The trader's page in a real Chromium beside a real `riskcore live`, its broker and its browser three processes.

python -m tests.benchmarks.bench_page --dir DIR [--quotes 20000] [--per-second 200] [--contracts 50] [--samples 100]
    DIR on a real disk. Everything in one sitting; processors are shared with the browser, so give it two of them.

pixel: from the instant at which a quote leaves the broker to the frame behind the one that shows its price, at 4 quotes
    a second. Beside it what the engine's process takes of a core with the page open, and without.
day: --quotes quotes, so many a second over so many contracts; what the page holds of memory, nodes and listeners,
    after a collection, at ten points.
breach: from the push of a blocked position to the bytes of its close at the broker, with the page open and the stream
    read, and without both, in turns, a breach every half second; and to the start of the program that plays the sound.
"""

import argparse
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.request import Request, urlopen

from websockets.sync.client import connect

from riskcore.engine.control_file import Control, control_path, read_control
from tests.benchmarks.bench_live import BURST_SETTINGS, LATENCY_SETTINGS, percentile
from tests.browser import Page, browser
from tests.processes import start

SOUND = "canberra-gtk-play"
SEEN = """
window.seen = [];
new MutationObserver(() => {
  const text = document.querySelector('#positions td[data-name=Price]')?.innerText;
  if (!text || text === window.lastSeen) return;
  window.lastSeen = text;
  requestAnimationFrame(() => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => window.seen.push([text, performance.timeOrigin + performance.now()]);
    port2.postMessage(0);
  });
}).observe(document.querySelector('#positions'), {subtree: true, childList: true, characterData: true});
"""


class Stack:
    """One broker and one engine, both running."""

    def __init__(self, folder: Path, settings: str, words: list[str], stack: ExitStack) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        environment = {**os.environ, "WAIT": "1", "GAP": "0.25"}
        command = [sys.executable, "-m", "tests.benchmarks.raw_broker", *words]
        self.broker = stack.enter_context(
            start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True)
        )
        ports = self.said()
        config, store, programs = self.folder / "riskcore.toml", str(self.folder / "journal.db"), self.folder / "bin"
        config.write_text(settings, encoding="utf-8")
        programs.mkdir()
        player = programs / SOUND
        player.write_text(f"#!/bin/sh\ndate +%s%N >> {self.folder / 'sounds'}\n", encoding="utf-8")
        player.chmod(player.stat().st_mode | stat.S_IXUSR)
        environment |= {
            "PATH": f"{programs}:{environment['PATH']}",
            "PROJECT_X_USERNAME": "raw",
            "PROJECT_X_API_KEY": "raw",
            "RISKCORE_API_URL": f"http://127.0.0.1:{ports['api']}",
            "RISKCORE_RTC_URL": f"http://127.0.0.1:{ports['rtc']}",
        }
        live = [
            sys.executable,
            "-m",
            "riskcore",
            "live",
            "--config",
            str(config),
            "--store",
            store,
            "--quiet",
            "--json",
        ]
        with (self.folder / "log").open("wb") as log:
            self.engine = stack.enter_context(start(live, stdout=log, stderr=log, env=environment))
        self.control = _ready(control_path(store, "bench"), self.folder / "log")

    def go(self) -> None:
        """The broker may begin."""
        assert self.broker.stdin is not None
        self.broker.stdin.write("go\n")
        self.broker.stdin.flush()

    def said(self) -> dict[str, Any]:
        assert self.broker.stdout is not None
        found: dict[str, Any] = json.loads(self.broker.stdout.readline())
        return found

    def processor_seconds(self) -> float:
        """What the engine's process has taken, all threads, user and system."""
        fields = Path(f"/proc/{self.engine.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def share(self, seconds: float) -> float:
        """The share of a core that the engine takes for so long, in percent."""
        before, began = self.processor_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self.processor_seconds() - before) / (time.monotonic() - began) * 100


def _ready(path: Path, log: Path) -> Control:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        control = read_control(path)
        if control is not None and '"type":"ready"' in log.read_text(encoding="utf-8").replace(" ", ""):
            return control
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8")[-2000:])


@contextmanager
def running(folder: Path, settings: str, *words: str) -> Iterator[Stack]:
    with ExitStack() as stack:
        yield Stack(folder, settings, list(words), stack)


@contextmanager
def paged(one: Stack, section: str) -> Iterator[Page]:
    """The page of an engine in a Chromium, at a section."""
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as page:
        headers = {
            "Authorization": f"Bearer {one.control.token}",
            "X-Riskcore": "1",
            "Content-Type": "application/json",
        }
        with urlopen(Request(f"{one.control.url}/api/link", b"{}", headers)) as answer:
            link = json.loads(answer.read())["url"]
        page.call("Page.enable")
        page.call("Performance.enable")
        page.call("Page.navigate", url=link)
        until = time.monotonic() + 30
        while not page.evaluate("document.querySelector('#overview dl') !== null"):
            assert time.monotonic() < until, "the page shows nothing"
            time.sleep(0.1)
        page.evaluate(f"void (location.hash = '{section}')")
        time.sleep(1)
        yield page


@contextmanager
def streamed(one: Stack) -> Iterator[None]:
    """Somebody reads the whole stream."""
    over, reads = Event(), Event()
    url = f"{one.control.url.replace('http', 'ws', 1)}/api/stream?after=start"
    headers = {"Authorization": f"Bearer {one.control.token}"}

    def read() -> None:
        with connect(url, additional_headers=headers, proxy=None) as socket:
            reads.set()
            while not over.is_set():
                with suppress(TimeoutError):
                    socket.recv(timeout=0.5)

    thread = Thread(target=read, daemon=True)
    thread.start()
    assert reads.wait(20)
    yield
    over.set()
    thread.join(20)


def pixel(folder: Path, seconds: int) -> None:
    with running(folder, BURST_SETTINGS, "quotes", str(12 * seconds), "4", "1") as one:
        one.go()
        time.sleep(2)
        shares = [one.share(seconds)]
        with paged(one, "positions") as page:
            page.evaluate(SEEN)
            shares.append(one.share(seconds))
            seen = page.evaluate("window.seen")
        time.sleep(2)
        shares.append(one.share(seconds / 2))
        sent = dict(one.said()["sent"])
    taken = [at - sent[text] / 1e6 for text, at in seen if text in sent]
    print(
        f"quote to pixel, {len(taken)} shown: p50 {percentile(taken, 0.5):.0f} ms, p99 {percentile(taken, 0.99):.0f} ms"
    )
    without, beside, behind = (f"{share:.2f} %" for share in shares)
    print(f"engine at 4 quotes a second: {without} of a core without the page, {beside} with it, {behind} after it")


def day(folder: Path, quotes: int, per_second: int, contracts: int) -> None:
    words = ("quotes", str(quotes), str(per_second), str(contracts))
    with running(folder, BURST_SETTINGS, *words) as one, paged(one, "limits") as page:
        page.evaluate("window.draws = 0; new MutationObserver(() => window.draws++)"
                      ".observe(document.querySelector('#limits .rows'),"
                      " {childList: true, characterData: true, subtree: true}); void 0")  # fmt: skip
        one.go()
        for point in range(11):
            page.call("HeapProfiler.collectGarbage")
            known = {row["name"]: row["value"] for row in page.call("Performance.getMetrics")["metrics"]}
            print(
                f"page after {quotes * point // 10:>6} quotes, {page.evaluate('window.draws'):>5} drawings:"
                f" heap {known['JSHeapUsedSize'] / 1024:.0f} KiB, {known['Nodes']:.0f} nodes,"
                f" {known['JSEventListeners']:.0f} listeners"
            )
            time.sleep(quotes / per_second / 10 if point < 10 else 0)
        one.said()


def breach(folder: Path, samples: int, rounds: int) -> None:
    settings = LATENCY_SETTINGS + '[alerts]\nchannels = ["sound"]\n'
    taken: dict[bool, list[float]] = {False: [], True: []}
    sounds: list[float] = []
    for turn in range(2 * rounds):
        watched = turn % 2 == 1
        with running(folder, settings, "latency", str(samples), str(folder), "1") as one, ExitStack() as stack:
            if watched:
                stack.enter_context(paged(one, "enforcement"))
                stack.enter_context(streamed(one))
            one.go()
            pairs = one.said()["sent_and_arrived_ns"]
            taken[watched] += [(arrived - sent) / 1e6 for sent, arrived in pairs]
            time.sleep(1)
            heard = (one.folder / "sounds").read_text(encoding="ascii").split()
            sounds.append((int(heard[0]) - pairs[0][0]) / 1e6)
    for watched, ms in taken.items():
        name = "page open, stream read" if watched else "without both"
        print(f"breach to close, {name}: p50 {percentile(ms, 0.5):.2f} ms, p99 {percentile(ms, 0.99):.2f} ms")
    print(f"breach to sound: {', '.join(f'{ms:.0f}' for ms in sounds)} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--quotes", type=int, default=20_000)
    parser.add_argument("--per-second", type=int, default=200)
    parser.add_argument("--contracts", type=int, default=50)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("pixel", "day", "breach"))
    chosen = parser.parse_args()
    if chosen.only in (None, "pixel"):
        pixel(chosen.dir, chosen.seconds)
    if chosen.only in (None, "day"):
        day(chosen.dir, chosen.quotes, chosen.per_second, chosen.contracts)
    if chosen.only in (None, "breach"):
        breach(chosen.dir, chosen.samples, chosen.rounds)


if __name__ == "__main__":
    main()
