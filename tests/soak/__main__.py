"""A simulated week of `riskcore live` at high speed; fails when anything grows: python -m tests.soak [--days 5]."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.measures import SLACK, growing, largest
from tests.soak.week import HOUR_SECONDS, run_week

_FASTEST = 1_000_000  # Nobody waits for anything but sockets and the disk.
_MEMORY = Path("/dev/shm")  # A disk in memory, where there is one: what is sought is not how fast a disk is.


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=5.0, help="simulated trading days (default: 5)")
    parser.add_argument("--speed", type=float, default=_FASTEST, help="how many times as fast waiting is")
    chosen = parser.parse_args()
    hours, began = round(chosen.days * 24), time.monotonic()

    def told(number: int, hour: dict[str, int]) -> None:
        figures = "  ".join(f"{name} {hour[name]}" for name in SLACK if name in hour)
        print(f"hour {number:3}  {figures}  after {time.monotonic() - began:.0f} s", flush=True)

    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        week = run_week(hours, Path(folder), told, chosen.speed)
    took = time.monotonic() - began
    print(f"{hours} hours, {week.events} events stored, {week.starts} starts, {took:.0f} s")
    print(f"{hours * HOUR_SECONDS / took:.0f} times as fast as life")
    for text in largest(week.hours[-1], 12):
        print(f"largest: {text}")
    for text in growing(week.simulator):
        print(f"the simulated broker remembers: {text}")
    found = growing(week.hours)
    for text in found:
        print(f"FOUND {text}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
