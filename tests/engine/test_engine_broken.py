"""After its own core has gone wrong an engine stores nothing more: the journal holds what is true."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import step, timers
from riskcore.core.events import (
    AccountObserved,
    Event,
    Fact,
    FactQuarantined,
    PositionObserved,
    PositionsListed,
    RuleFaulted,
    TimerQuarantined,
)
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.state import Account, Book, Request
from riskcore.engine import sight
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options, Ports
from riskcore.engine.ports import Line, Outcome, Sink
from riskcore.engine.resume import Resumed
from riskcore.errors import InvariantBroken, OutOfSequence, StoreError
from riskcore.schema.codec import encode_event
from riskcore.schema.payloads import Message
from riskcore.settings.config import read_settings
from tests.engine.hand_clock import HandClock

ACCOUNT = 7
CONTRACT = "CON.F.US.MNQ.Z26"


class Disk:
    """A journal in memory. `fault` is what the next append raises."""

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.fault: Exception | None = None

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        for event in events:
            encode_event(0, event)
        if self.fault is not None:
            fault, self.fault = self.fault, None
            raise fault
        self.stored += events

    def tidy(self) -> None:
        pass

    @property
    def pinched(self) -> str | None:
        return None

    @property
    def holds_lease(self) -> bool:
        return True

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

    def reconnect(self, reason: str) -> None:
        """There is no hub."""

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


def engine(disk: Disk, broker: Broker, left_out: Sequence[Event] = ()) -> Engine:
    ports = Ports(
        journal=disk,
        clock=HandClock(),
        gateway=broker,
        feed=broker,
        announcer=Nobody(),
        normalise=lambda line, at: [Event(at, "broker", line["key"], line["body"])],
    )
    options = Options(read_settings("[rules.max_contracts]\nlimit = 50\n").plain, "1", enforces=True)
    resumed = Resumed(Book(), 0, False, tuple(left_out))
    return Engine(options, ports, resumed, lambda: Resumed(Book(), 0, False))


def keys(disk: Disk) -> list[str]:
    return [event.key for event in disk.stored if event.source == "broker"]


def unfit(event: Event) -> bool:
    return event.key == "second"


def in_the_projection(patch: pytest.MonkeyPatch) -> None:
    failing(patch, step, "apply", lambda book, event: unfit(event), KeyError("lost"))


def in_the_planner(patch: pytest.MonkeyPatch) -> None:
    def planned(book: Book, account: Account, timeout: int) -> bool:
        return any(position.size == 2 for position in account.positions.values())

    failing(patch, step, "missing", planned, ZeroDivisionError("by zero"))


def in_what_comes_due(patch: pytest.MonkeyPatch) -> None:
    def due(book: Book, *_: object) -> bool:
        return any(position.size == 2 for one in book.accounts.values() for position in one.positions.values())

    failing(patch, step, "due_timers", due, RuntimeError("never due"))


def as_an_invariant(patch: pytest.MonkeyPatch) -> None:
    failing(patch, step, "apply", lambda book, event: unfit(event), AssertionError("made to break"))


@pytest.mark.parametrize("place", [in_the_projection, in_the_planner, in_what_comes_due, as_an_invariant])
def test_what_the_core_fails_on_is_kept_and_what_comes_behind_it_is_not_stored(
    place: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    disk = Disk()
    with pytest.raises(InvariantBroken, match="riskcore itself went wrong") as caught:
        asyncio.run(engine(disk, Broker("first", "second", "third")).run())
    assert keys(disk)[:3] == ["account", "first", "quarantine:second"]
    assert isinstance(disk.stored[-1].body, FactQuarantined | PositionObserved)
    assert (caught.value.left_out, caught.value.starts_again) == (("second",), True)


def test_a_deadline_the_core_fails_on_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("planner")

    monkeypatch.setattr(timers, "deadlines", broken)
    disk = Disk()
    with pytest.raises(InvariantBroken, match="KeyError"):
        asyncio.run(engine(disk, Broker("first")).run())
    assert [event.body.kind for event in disk.stored if isinstance(event.body, TimerQuarantined)] == ["planner"]


@pytest.mark.parametrize("where", ["evaluate", "remember", "deadline"])
def test_a_rule_that_raises_ends_no_engine(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("lost")

    real = Rulebook.instances

    def instances(self: Rulebook, account: Account) -> tuple[RuleInstance, ...]:
        return tuple(replace(one, rule=replace(one.rule, **{where: broken})) for one in real(self, account))

    monkeypatch.setattr(Rulebook, "instances", instances)
    disk = Disk()
    running = engine(disk, Broker("first", "second"))

    async def run() -> None:
        life = asyncio.create_task(running.run())
        while "second" not in keys(disk):
            await asyncio.sleep(0)
        running.stop()
        await life

    asyncio.run(run())
    assert any(isinstance(event.body, RuleFaulted) for event in disk.stored)


def test_a_core_that_fails_when_the_engine_winds_up_judges_and_stores_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_the_projection(monkeypatch)
    disk = Disk()
    running = engine(disk, Broker("first"))

    async def run() -> None:
        life = asyncio.create_task(running.run())
        while "first" not in keys(disk):
            await asyncio.sleep(0)
        running.stop()
        for size, key in ((2, "second"), (3, "third")):
            running.inbox.line(said(key, PositionObserved(ACCOUNT, CONTRACT, size, None)))
        await life

    with pytest.raises(InvariantBroken) as caught:
        asyncio.run(run())
    assert keys(disk)[-2:] == ["first", "quarantine:second"]
    assert not caught.value.starts_again, "somebody has asked it to stop"


def test_a_mistake_beside_the_turns_ends_the_engine_like_one_of_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("period")

    monkeypatch.setattr(sight, "period_of", broken)
    disk = Disk()
    with pytest.raises(InvariantBroken, match="KeyError: 'period'"):
        asyncio.run(engine(disk, Broker("first")).run())


def failing(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, bad: Callable[..., bool], error: Exception
) -> None:
    """The function raises where `bad` says so of its arguments."""
    real = getattr(module, name)

    def broken(*args: Any) -> Any:
        if bad(*args):
            raise error
        return real(*args)

    monkeypatch.setattr(module, name, broken)


def test_an_engine_whose_journal_was_taken_over_tries_no_second_time() -> None:
    disk = Disk()
    disk.fault = OutOfSequence("somebody else appended")
    with pytest.raises(OutOfSequence, match="somebody else"):
        asyncio.run(engine(disk, Broker("first")).run())
    assert disk.stored == []


def test_a_fact_that_no_journal_can_hold_is_kept_as_what_is_left_out() -> None:
    disk = Disk()
    with pytest.raises(InvariantBroken, match="cannot be stored") as caught:
        asyncio.run(engine(disk, Broker("first", "half \ud800", "third")).run())
    assert keys(disk) == ["account", "first", "quarantine:half \\ud800"]
    body = disk.stored[-1].body
    assert isinstance(body, FactQuarantined)
    assert (body.fact, body.data["size"]) == ("PositionObserved", 2)
    assert (caught.value.left_out, caught.value.starts_again) == (("half \\ud800",), True)


def test_a_fact_that_no_journal_could_hold_is_set_aside_when_it_is_reported_again() -> None:
    told = ("first", "half \ud800", "third")
    before, behind = Disk(), Disk()
    with pytest.raises(InvariantBroken):
        asyncio.run(engine(before, Broker(*told)).run())
    running = engine(behind, Broker(*told), left_out=before.stored[-1:])

    async def run() -> None:
        life = asyncio.create_task(running.run())
        while "third" not in keys(behind) and not life.done():
            await asyncio.sleep(0)
        running.stop()
        await life

    asyncio.run(run())
    assert keys(behind) == ["account", "first", "quarantine:half \\ud800", "third"]
    assert [event.body.again for event in behind.stored if isinstance(event.body, FactQuarantined)] == [True]


def test_a_list_that_the_core_fails_on_names_the_row_at_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def two(book: Book, event: Event) -> bool:
        return any(row.size == 2 for row in getattr(event.body, "positions", ()))

    failing(monkeypatch, step, "apply", two, KeyError("lost"))
    rows = tuple(PositionObserved(ACCOUNT, f"CON.F.US.{name}.Z26", size, None) for size, name in enumerate("ABC", 1))
    disk = Disk()
    running = engine(disk, Broker())
    running.inbox.line(said("list", PositionsListed(ACCOUNT, rows)))
    with pytest.raises(InvariantBroken, match=r"KeyError: 'lost'; at fault: row 2 of 3, CON\.F\.US\.B\.Z26"):
        asyncio.run(running.run())
    assert keys(disk)[-1] == "quarantine:list"
