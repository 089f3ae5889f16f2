"""The journal on Postgres against SQLite and against eventsourcing's own Postgres application, in one sitting.

python -m tests.benchmarks.bench_postgres [--events 100000] [--days 10] [--runs 5]

A server of its own, fsync on, in the folder for temporary files (TMPDIR says which disk). Sides alternate; figures are
medians. step: one durable event a commit. batch: a hundred. read: every event, chain checked, decoded. es_*: an
eventsourcing application saving and rebuilding one aggregate. Last, `verify` and `audit` of a store of so many days
of so many events, and of one of them, on the server and in a file: CPU seconds and the most memory of the command.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import median
from urllib.parse import quote as escaped

from eventsourcing.application import Application

from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.state import Day
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests import processes
from tests.benchmarks.bench_store import AT, Instrument, figures, quote
from tests.postgres_server import PASSWORD, USER, PostgresServer, running_server

DAY_NS = 86_400_000_000_000
SINGLES, BATCHED = 1000, 10_000


def opened(number: int = 0) -> Event:
    at = AT + number * DAY_NS
    day = Day(f"2026-03-{number + 1:02}", at, at + DAY_NS, "America/Chicago", 61_200, {})
    settings = read_settings("").plain
    return Event(
        at, "clock", f"day:{day.trade_date}", TradingDayOpened("bench", day, settings, (), (), {}, (), "1", "")
    )


def shifted(number: int, day: int) -> Event:
    event = quote(number)
    return replace(event, at=event.at - AT + AT + day * DAY_NS)


def append(new_store: Callable[[], str], count: int, size: int) -> float:
    batches = [[quote(number) for number in range(first, first + size)] for first in range(0, count, size)]
    with Journal.open(new_store(), "bench", write=True) as writer:
        writer.append([opened()])
        started = time.perf_counter()
        for batch in batches:
            writer.append(batch)
        return count / (time.perf_counter() - started)


def application(server: PostgresServer) -> Application:
    where = {"HOST": "127.0.0.1", "PORT": str(server.port), "USER": USER, "PASSWORD": PASSWORD}
    names = {f"POSTGRES_{name}": value for name, value in where.items()}
    return Application(
        {"PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": server.new_database(), **names}
    )


def es_append(server: PostgresServer, count: int, size: int) -> float:
    app, aggregate, spent = application(server), Instrument(), 0.0
    app.save(aggregate)
    for first in range(0, count, size):
        started = time.perf_counter()
        for number in range(first, first + size):
            aggregate.quote("CON.F.US.MNQ.U26", *figures(number))
        app.save(aggregate)
        spent += time.perf_counter() - started
    app.close()
    return count / spent


def fill(store: str, days: int, events: int) -> None:
    with Journal.open(store, "bench", write=True) as writer:
        for day in range(days):
            writer.append([opened(day)])
            for first in range(0, events - 1, 1000):
                writer.append([shifted(number, day) for number in range(first, min(first + 1000, events - 1))])


def read(store: str, day: str) -> float:
    with Journal.open(store, "bench") as journal:
        started = time.perf_counter()
        count = sum(1 for _ in journal.read(day))
        return count / (time.perf_counter() - started)


def es_rebuild(server: PostgresServer, count: int) -> float:
    app, aggregate = application(server), Instrument()
    for number in range(count - 1):
        aggregate.quote("CON.F.US.MNQ.U26", *figures(number))
        if not number % 1000:  # All at once it waits for its server for ever.
            app.save(aggregate)
    app.save(aggregate)
    started = time.perf_counter()
    app.repository.get(aggregate.id)
    rate = count / (time.perf_counter() - started)
    app.close()
    return rate


def command(*words: str) -> tuple[float, float]:
    """CPU seconds and the most megabytes of a command."""
    with tempfile.TemporaryFile() as said:
        child = processes.start([sys.executable, "-m", "riskcore", *words], stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        said.seek(0)
        # A difference (1) is as good: these days hand nothing on to each other, which a recorded one does.
        assert os.waitstatus_to_exitcode(status) in (0, 1), said.read()[-500:].decode()
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    os.environ["XDG_DATA_HOME"] = str(folder)
    with running_server() as server:

        def on_server() -> str:
            return server.url(server.new_database(), password=escaped(PASSWORD, safe=""))

        def in_file() -> str:
            return str(Path(tempfile.mkdtemp(dir=folder)) / "journal.db")

        kept = on_server()
        fill(kept, options.days, options.events)
        cases: dict[str, Callable[[], float]] = {
            "step": lambda: append(on_server, SINGLES, 1),
            "sqlite_step": lambda: append(in_file, SINGLES, 1),
            "batch": lambda: append(on_server, BATCHED, 100),
            "es_batch": lambda: es_append(server, BATCHED, 100),
            "read": lambda: read(kept, "2026-03-01"),
            "es_rebuild": lambda: es_rebuild(server, options.events),
        }
        rates: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(options.runs):
            for name, case in cases.items():
                rates[name].append(case())
        for name, found in rates.items():
            print(f"{name:12} {median(found):10,.0f} /s   ({min(found):,.0f} to {max(found):,.0f})")
        for ours, theirs in (("step", "sqlite_step"), ("batch", "es_batch"), ("read", "es_rebuild")):
            print(f"{ours} / {theirs}: {median(rates[ours]) / median(rates[theirs]):.2f}")
        beside = in_file()
        fill(beside, options.days, options.events)
        for name, (where, store) in product(("verify", "audit"), {"a server": kept, "a file": beside}.items()):
            for days in ([], ["--day", "2026-03-01"]):
                seconds, megabytes = command(name, "--quiet", "--store", store, *days)
                what = "one day" if days else f"{options.days} days"
                print(f"{name} of {what} of {options.events:,} events in {where}: {seconds:.1f} s, {megabytes:.0f} MB")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
