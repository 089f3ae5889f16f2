"""The journal against eventsourcing's own SQLite application and against bare SQLite, in one sitting.

python tests/benchmarks/bench_store.py --dir DIR [--events 100000] [--runs 5]     DIR on the disk to be judged

append_100, append_1: durable appends, all a journal does included. read: every event of the store, chain checked,
decoded. es_*: an eventsourcing application (JSON, WAL, durable) saving and rebuilding one aggregate. raw_1: bare
SQLite, synchronous FULL, one row a commit. Sides alternate; figures are medians, ratios are of the medians.
"""

import argparse
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from riskcore.core.events import Event, QuoteObserved, TradingDayOpened
from riskcore.core.state import Day
from riskcore.store.journal import Journal

AT = 1_755_613_892_123_456_789
DATE = "2026-08-19"
SINGLES = 3000


class Instrument(Aggregate):
    @event("Opened")
    def __init__(self) -> None:
        self.bid = self.ask = 0

    @event("Quoted")
    def quote(self, contract: str, last: int, bid: int, ask: int) -> None:
        self.bid, self.ask = bid, ask


def figures(number: int) -> tuple[int, int, int]:
    bid = 21_000_000_000_000 + number % 64 * 250_000_000
    return bid, bid, bid + 250_000_000


def quote(number: int) -> Event:
    return Event(
        AT + number * 50_000_000, "market", f"quote:{number}", QuoteObserved("CON.F.US.MNQ.U26", *figures(number))
    )


def journal(folder: Path) -> Journal:
    opened = Journal.open(folder / "journal.db", "bench", write=True)
    if not opened.streams():
        day = Day(DATE, AT, AT + 1, "America/Chicago", 61_200, {})
        body = TradingDayOpened("bench", day, {}, (), (), {}, (), "1", "")
        opened.append([Event(AT, "clock", f"day:{DATE}", body)])
    return opened


def append(count: int, size: int) -> Callable[[Path], float]:
    def run(folder: Path) -> float:
        batches = [[quote(number) for number in range(first, first + size)] for first in range(0, count, size)]
        with journal(folder) as writer:
            started = time.perf_counter()
            for batch in batches:
                writer.append(batch)
            return count / (time.perf_counter() - started)

    return run


def application(folder: Path) -> Application:
    return Application({"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "es.db")})


def es_append(count: int, size: int) -> Callable[[Path], float]:
    def run(folder: Path) -> float:
        app = application(folder)
        aggregate = Instrument()
        app.save(aggregate)
        spent = 0.0
        for first in range(0, count, size):
            started = time.perf_counter()
            # Calling the method is what makes the event: part of the library's price, as making bytes is of ours.
            for number in range(first, first + size):
                aggregate.quote("CON.F.US.MNQ.U26", *figures(number))
            app.save(aggregate)
            spent += time.perf_counter() - started
        app.close()
        return count / spent

    return run


def raw(count: int) -> Callable[[Path], float]:
    def run(folder: Path) -> float:
        database = sqlite3.connect(folder / "raw.db", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, state BLOB)")
        started = time.perf_counter()
        for number in range(count):
            database.execute("INSERT INTO rows VALUES (?, ?)", (number, b"x" * 190))
        rate = count / (time.perf_counter() - started)
        database.close()
        return rate

    return run


def reader(folder: Path, count: int) -> Callable[[Path], float]:
    with journal(folder) as writer:
        for first in range(0, count, 1000):
            writer.append([quote(number) for number in range(first, first + 1000)])

    def run(_: Path) -> float:
        with Journal.open(folder / "journal.db", "bench") as opened:
            started = time.perf_counter()
            number = sum(1 for _ in opened.read(DATE))
            return number / (time.perf_counter() - started)

    return run


def es_rebuild(folder: Path, count: int) -> Callable[[Path], float]:
    app = application(folder)
    aggregate = Instrument()
    for number in range(count - 1):
        aggregate.quote("CON.F.US.MNQ.U26", *figures(number))
    app.save(aggregate)

    def run(_: Path) -> float:
        started = time.perf_counter()
        app.repository.get(aggregate.id)
        return count / (time.perf_counter() - started)

    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    kept = Path(tempfile.mkdtemp(dir=options.dir))
    cases = {
        "append_100": append(20_000, 100),
        "es_append_100": es_append(20_000, 100),
        "append_1": append(SINGLES, 1),
        "raw_1": raw(SINGLES),
        "read": reader(kept, options.events),
        "es_rebuild": es_rebuild(kept, options.events),
    }
    rates: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(options.runs):
        for name, case in cases.items():
            folder = Path(tempfile.mkdtemp(dir=options.dir))
            rates[name].append(case(folder))
            shutil.rmtree(folder)
    shutil.rmtree(kept)
    for name, found in rates.items():
        print(f"{name:14} {median(found):10,.0f} /s   ({min(found):,.0f} to {max(found):,.0f})")
    for ours, theirs in (("append_100", "es_append_100"), ("append_1", "raw_1"), ("read", "es_rebuild")):
        print(f"{ours} / {theirs}: {median(rates[ours]) / median(rates[theirs]):.2f}")


if __name__ == "__main__":
    main()
