"""After its own core has gone wrong an engine stores nothing more: the journal holds what is true."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import step, timers
from riskcore.core.events import (
    AccountObserved,
    ConnectionChanged,
    Event,
    Fact,
    FactQuarantined,
    FlattenRequested,
    PositionObserved,
    PositionsListed,
    RequestAttempted,
    RequestUnresolved,
    RuleFaulted,
    TimerQuarantined,
)
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.state import Account, Book, Request
from riskcore.engine import sight
from riskcore.engine.engine import Engine
from riskcore.engine.options import Options, Ports
from riskcore.engine.ports import Line, Outcome, Sink
from riskcore.engine.recovery import GOES_ON, MOST_FAILURES
from riskcore.engine.resume import Resumed, resume
from riskcore.errors import InvariantBroken, OutOfSequence, StoreError
from riskcore.schema.codec import encode_event
from riskcore.schema.payloads import Message
from riskcore.settings.config import read_settings
from tests.engine.hand_clock import HandClock

ACCOUNT = 7
CONTRACT = "CON.F.US.MNQ.Z26"
MOST_TURNS = 2000  # Of the loop, until whatever is awaited has come.
ROWS = ("first", "second", "third")


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

    def cached_state(self, day: str) -> None:
        pass

    def streams(self) -> list[str]:
        return ["the day"] if self.stored else []

    def read(self, day: str, after: int) -> Iterator[tuple[int, Event, None]]:
        return ((seq, event, None) for seq, event in enumerate(self.stored, start=1))

    def resumed(self) -> Resumed:
        """What it says, as an engine that begins again reads it."""
        return resume(self)  # type: ignore[arg-type]


class Broker:
    """Gateway and feed: tells an account and then `positions`, each under its key, and answers nothing."""

    def __init__(self, *positions: str, more: Sequence[Line] = ()) -> None:
        self._positions = positions
        self._more = more
        self.looked_at: list[int] = []
        self.carried_out: list[str] = []

    async def open(self, sink: Sink) -> None:
        sink.line(said("account", AccountObserved(ACCOUNT, "PRAC", 50_000_000_000, True, True)))

    async def run(self, sink: Sink) -> None:
        sink.line(said("hub", ConnectionChanged("user", "connected")))
        for size, key in enumerate(self._positions, start=1):
            sink.line(said(key, PositionObserved(ACCOUNT, CONTRACT, size, None)))
        for line in self._more:
            sink.line(line)
        await asyncio.Event().wait()

    def reconnect(self, reason: str) -> None:
        """There is no hub."""

    def follow(self, accounts: Sequence[int], contracts: Sequence[str]) -> None:
        pass

    async def carry_out(self, account: int, request: Request) -> Outcome:
        self.carried_out.append(request.id)
        return Outcome("unresolved")

    async def snapshot(self, account: int, since: int, urgent: bool = False) -> bool:
        self.looked_at.append(account)
        return False

    async def describe(self, contract: str) -> None:
        pass

    async def refresh_mark(self, contract: str) -> None:
        pass

    async def close(self) -> None:
        pass


class Audience:
    """An announcer that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def stored(self, events: Sequence[Event], book: Book) -> None:
        pass

    def say(self, kind: str, /, **figures: Any) -> None:
        self.said.append({"type": kind, **figures})


def said(key: str, body: Fact) -> Line:
    return {"key": key, "body": body}


def engine(
    disk: Disk,
    broker: Broker,
    left_out: Sequence[Event] = (),
    audience: Audience | None = None,
) -> Engine:
    ports = Ports(
        journal=disk,
        clock=HandClock(),
        gateway=broker,
        feed=broker,
        announcer=audience or Audience(),
        normalise=lambda line, at: [
            Event(at, "broker", one["key"], one["body"]) for one in line.get("together", [line])
        ],
        accounts_named=lambda line: [ACCOUNT] if line["hub"] == "user" else [],
    )
    options = Options(read_settings("[rules.max_contracts]\nlimit = 50\n").plain, "1", enforces=True)
    resumed = Resumed(Book(), 0, False, tuple(left_out))
    return Engine(options, ports, resumed, disk.resumed)


def run_until(running: Engine, reached: Callable[[], bool]) -> None:
    """Let an engine live until something is reached, or it ends by itself, and stop it."""

    async def run() -> None:
        life = asyncio.create_task(running.run())
        for _ in range(MOST_TURNS):
            if reached() or life.done():
                break
            await asyncio.sleep(0)
        running.stop()
        await life

    asyncio.run(run())


def keys(disk: Disk) -> list[str]:
    return [event.key for event in disk.stored if event.source == "broker" and event.key != "hub"]


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
def test_what_the_core_fails_on_is_kept_and_the_engine_goes_on_with_what_comes_behind_it(
    place: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    place(monkeypatch)
    disk, audience = Disk(), Audience()
    broker = Broker("first", "second", "third")
    running = engine(disk, broker, audience=audience)
    run_until(running, lambda: "third" in keys(disk) and len(broker.looked_at) > 1)
    assert keys(disk) == ["account", "first", "quarantine:second", "third"]
    [halt] = [row for row in audience.said if row["type"] == "halt"]
    assert (halt["text"], halt["left_out"]) == (GOES_ON, ["second"])
    assert halt["limits_act"] == halt["over"] == running.ready
    assert "riskcore itself went wrong" in halt["reason"]
    assert any("PositionObserved second" in row.get("text", "") for row in audience.said if row["type"] == "drift")
    assert broker.looked_at[0] == broker.looked_at[-1] == ACCOUNT
    assert disk.resumed().book == running.book


def test_a_deadline_the_core_fails_on_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("planner")

    monkeypatch.setattr(timers, "deadlines", broken)
    disk = Disk()
    with pytest.raises(InvariantBroken, match="KeyError"):
        asyncio.run(engine(disk, Broker("first")).run())
    assert [event.body.kind for event in disk.stored if isinstance(event.body, TimerQuarantined)] == ["planner"]


def test_the_rest_of_a_message_is_taken_when_the_core_fails_on_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_projection(monkeypatch)
    disk = Disk()
    told = [said(key, PositionObserved(ACCOUNT, CONTRACT, size, None)) for size, key in enumerate(ROWS, start=1)]
    run_until(engine(disk, Broker(more=[{"together": told}])), lambda: "third" in keys(disk))
    assert keys(disk)[-3:] == ["first", "quarantine:second", "third"]


def test_what_the_failed_turn_meant_to_send_has_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two attempts fails: the first is stored, and counts as unknown until the broker says."""
    failing(
        monkeypatch,
        step,
        "apply",
        lambda book, event: isinstance(event.body, RequestAttempted) and event.body.request.endswith("EP.Z26/1"),
        KeyError("lost"),
    )
    told = [said(one, PositionObserved(ACCOUNT, f"CON.F.US.{one}.Z26", 1, None)) for one in ("MNQ", "EP")]
    disk, broker = Disk(), Broker(more=told)
    running = engine(disk, broker)

    def of(kind: type[RequestAttempted | RequestUnresolved]) -> list[str]:
        return [event.body.request for event in disk.stored if isinstance(event.body, kind)]

    asked: list[str] = []

    def reached() -> bool:
        if keys(disk)[-1:] == ["EP"] and not asked:
            asked.append(running.submit(FlattenRequested(ACCOUNT)))
        return bool(of(RequestUnresolved))

    run_until(running, reached)
    assert of(RequestUnresolved)[:1] == of(RequestAttempted)[:1]
    assert of(RequestAttempted)[0] not in broker.carried_out


@pytest.mark.parametrize("often", [MOST_FAILURES, MOST_FAILURES + 1])
def test_a_core_that_fails_too_often_ends_riskcore(often: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [f"bad {number}" for number in range(often)]
    failing(monkeypatch, step, "apply", lambda book, event: event.key in told, KeyError("lost"))
    disk = Disk()
    running = engine(disk, Broker(*told, "last"))
    if often <= MOST_FAILURES:
        run_until(running, lambda: "last" in keys(disk))
        return
    with pytest.raises(InvariantBroken) as caught:
        run_until(running, lambda: "last" in keys(disk))
    assert (caught.value.left_out, caught.value.starts_again) == ((told[-1],), False)


def test_a_core_that_fails_on_what_concerns_more_than_an_account_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, step, "apply", lambda book, event: isinstance(event.body, ConnectionChanged), KeyError("lost"))
    disk = Disk()
    running = engine(disk, Broker())
    with pytest.raises(InvariantBroken, match="riskcore itself went wrong") as caught:
        asyncio.run(running.run())
    assert (caught.value.left_out, caught.value.starts_again) == (("hub",), True)


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
