"""After its own core has gone wrong an engine stores nothing more: the journal holds what is true."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from riskcore.core.events import AccountObserved, Event, Fact, PositionObserved
from riskcore.core.state import Book, Request
from riskcore.core.step import Turn
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options, Ports
from riskcore.engine.ports import Line, Outcome, Sink
from riskcore.engine.resume import Resumed
from riskcore.errors import InvariantBroken, OutOfSequence, StoreError
from riskcore.settings.config import read_settings
from tests.engine.hand_clock import HandClock

ACCOUNT = 7
CONTRACT = "CON.F.US.MNQ.Z26"


class Disk:
    """A journal in memory. `fault` is what the next append raises."""

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.fault: Exception | None = None

    def append(self, events: Sequence[Event]) -> None:
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.stored += events

    def tidy(self) -> None:
        pass

    @property
    def pinched(self) -> str | None:
        return None

    def is_well(self) -> bool:
        return True

    def cache_state(self, book: Book) -> None:
        raise StoreError("there is no room for a copy")


class Broker:
    """Gateway and feed: tells an account and then `positions`, each under its key, and answers nothing."""

    def __init__(self, *positions: str) -> None:
        self._positions = positions

    async def open(self, sink: Sink) -> None:
        sink.line(said("account", AccountObserved(ACCOUNT, "PRAC", 50_000_000_000, True, True)))

    async def run(self, sink: Sink) -> None:
        for size, key in enumerate(self._positions, start=1):
            sink.line(said(key, PositionObserved(ACCOUNT, CONTRACT, size, None)))
        await asyncio.Event().wait()

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        pass

    async def carry_out(self, account: int, request: Request) -> Outcome:
        return Outcome("unresolved")

    async def snapshot(self, account: int, since: int, urgent: bool = False) -> bool:
        return False

    async def describe(self, contract: str) -> None:
        pass

    async def refresh_mark(self, contract: str) -> None:
        pass

    async def close(self) -> None:
        pass


class Nobody:
    """An announcer without an audience."""

    def stored(self, events: Sequence[Event], book: Book) -> None:
        pass

    def say(self, kind: str, /, **figures: Any) -> None:
        pass


def said(key: str, body: Fact) -> Line:
    return {"key": key, "body": body}


def engine(disk: Disk, broker: Broker) -> Engine:
    ports = Ports(
        journal=disk,
        clock=HandClock(),
        gateway=broker,
        feed=broker,
        announcer=Nobody(),
        normalise=lambda line, at: [Event(at, "broker", line["key"], line["body"])],
    )
    options = Options(read_settings("[rules.max_contracts]\nlimit = 50\n").plain, "1", enforces=True)
    return Engine(options, ports, Resumed(Book(), 0, False), lambda: Resumed(Book(), 0, False))


def keys(disk: Disk) -> list[str]:
    return [event.key for event in disk.stored if event.source == "broker"]


def test_what_comes_behind_a_broken_invariant_is_not_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Turn.take

    def breaks(self: Turn, fact: Event) -> None:
        assert fact.key != "second", "made to break"
        take(self, fact)

    monkeypatch.setattr(Turn, "take", breaks)
    disk = Disk()
    with pytest.raises(InvariantBroken, match="made to break"):
        asyncio.run(engine(disk, Broker("first", "second", "third")).run())
    assert keys(disk) == ["account"]


def test_an_engine_whose_journal_was_taken_over_tries_no_second_time() -> None:
    disk = Disk()
    disk.fault = OutOfSequence("somebody else appended")
    with pytest.raises(OutOfSequence, match="somebody else"):
        asyncio.run(engine(disk, Broker("first")).run())
    assert disk.stored == []
