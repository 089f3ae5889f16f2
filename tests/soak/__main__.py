"""A simulated week of `riskcore live` at high speed; fails when the engine grows: python -m tests.soak [--days 5].

Engine and simulated gateway are processes of their own over real sockets, so that each is measured alone; their waiting
is left out.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from subprocess import PIPE
from typing import Any

from tests.processes import start
from tests.soak.measures import SLACK, growing, largest
from tests.soak.week import HOUR_SECONDS

WHOLE_DAYS = 5  # The first is warming up; then two are compared with two.
_MEMORY = Path("/dev/shm")  # A disk in memory, where there is one: what is sought is not how fast a disk is.


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=5.0, help="simulated trading days (default: 5)")
    parser.add_argument("--trace", action="store_true", help="show where memory came from that the engine gathered")
    chosen = parser.parse_args()
    hours, began = round(chosen.days * 24), time.monotonic()
    gateway_hours: list[dict[str, int]] = []
    engine_hours: list[dict[str, int]] = []
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        words = [sys.executable, "-m", "tests.soak.gateway_side", str(hours)]
        with start(words, stdout=PIPE, text=True) as gateway:
            where = gateway.stdout.readline()
            words = [sys.executable, "-m", "tests.soak.engine_side", str(hours), folder, where]
            with start(words + ["--trace"] * chosen.trace, stdout=PIPE, text=True) as engine:
                for number in range(1, hours + 1):
                    engine_hours.append(_row(engine.stdout.readline(), "engine"))
                    gateway_hours.append(_row(gateway.stdout.readline(), "gateway"))
                    took = time.monotonic() - began
                    print(f"hour {number:3}  after {took:.0f} s", flush=True)
                    print(f"    engine   {_figures(engine_hours[-1])}")
                    print(f"    gateway  {_figures(gateway_hours[-1])}", flush=True)
                ending = _row(engine.stdout.readline(), "engine")
    print(f"{hours} hours, {ending['events']} events stored, {ending['starts']} starts, {took:.0f} s")
    print(f"{hours * HOUR_SECONDS / took:.0f} times as fast as life")
    for text in ending["traced"]:
        print(f"added: {text}")
    for text in largest(engine_hours[-1], 12):
        print(f"largest: {text}")
    for text in growing(gateway_hours):
        print(f"the simulated gateway gathers: {text}")
    if chosen.days < WHOLE_DAYS:
        print(f"in fewer than {WHOLE_DAYS} days what an engine keeps of one day or two counts as growing")
    found = growing(engine_hours)
    for text in found:
        print(f"FOUND {text}")
    return int(bool(found))


def _row(line: str, side: str) -> dict[str, Any]:
    if not line:
        raise SystemExit(f"the {side} has ended before its time")
    row: dict[str, Any] = json.loads(line)
    return row


def _figures(hour: dict[str, int]) -> str:
    return "  ".join(f"{name} {hour[name]}" for name in SLACK if name in hour)


if __name__ == "__main__":
    sys.exit(main())
