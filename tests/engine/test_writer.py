"""Nothing counts before it is stored; with a broken disk only closing and cancelling goes on."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from riskcore.core.events import ClockTicked, Event, FactQuarantined, GapRecorded, PositionObserved
from riskcore.core.state import Account, Book, Lockout, Obligation, Request
from riskcore.engine.writer import Writer
from riskcore.errors import OutOfSequence, StoreError
from riskcore.schema.codec import encode_event
from riskcore.schema.payloads import Message

LOCKOUT = Lockout("account/R/l", "account", "R", "until_time", 1, 2, "")
TICK = Event(1, "clock", "clock@1", ClockTicked())


class Disk:
    pinched = None
    holds_lease = True

    def is_well(self) -> bool:
        return self.fault is None

    def cache_state(self, book: Book) -> None:
        self.cached = book

    def tidy(self) -> None:
        pass

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.fault: Exception | None = None

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        if self.fault is not None:
            raise self.fault
        self.stored.extend(events)


def book(*obligations: str) -> Book:
    account = Account(7)
    account.obligations = {name: Obligation(name, "CloseAllPositions", "RULE-003", None, 1) for name in obligations}
    return Book(accounts={7: account})


def request(kind: str, obligation: str = "o1") -> Request:
    return Request("r", obligation, kind, "C", None, 0, 0, None, 1, "planned", 1)


def test_what_is_kept_is_stored_once_and_in_order() -> None:
    disk = Disk()
    writer = Writer(disk)
    assert writer.commit(book()) == []
    later = Event(2, "clock", "clock@2", ClockTicked())
    writer.keep([TICK])
    writer.keep([later])
    assert writer.commit(book()) == [TICK, later] == disk.stored
    assert writer.commit(book()) == []
    assert writer.stored == 2


def test_what_could_not_be_stored_is_given_up_and_nothing_is_until_it_begins_again() -> None:
    disk = Disk()
    writer = Writer(disk)
    disk.fault = StoreError("disk full")
    writer.keep([TICK])
    assert writer.commit(book("o1")) == []
    assert writer.broken == "disk full"
    assert writer.discard() == [TICK]
    disk.fault = None
    writer.keep([TICK])
    assert writer.commit(book("o1")) == [], "only what is read from the journal says what is true"
    assert writer.discard() == [TICK]
    assert disk.stored == []
    assert not writer.has_stored("o1")
    writer.begin_again(book("o2"))
    writer.keep([TICK])
    assert writer.commit(book("o2")) == [TICK] == disk.stored
    assert writer.broken is None


def test_only_what_flattens_for_a_stored_obligation_may_leave_unstored() -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.remember(book("o1"))
    assert writer.may_leave(7, request("closeContract"))
    assert writer.may_leave(7, request("cancelOrder"))
    assert writer.may_leave(7, request("takeSnapshot")), "a question changes nothing"
    assert not writer.may_leave(7, request("partialCloseContract"))
    assert not writer.may_leave(7, request("placeStop"))
    assert not writer.may_leave(7, request("closeContract", "o2"))
    assert not writer.may_leave(8, request("closeContract"))
    disk.fault = StoreError("locked")
    writer.keep([TICK])
    writer.commit(book("o2"))
    assert not writer.may_leave(7, request("closeContract", "o2")), "its obligation is not stored"


def test_nothing_may_leave_when_another_engine_may_have_taken_over() -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.remember(book("o1"))
    disk.fault = StoreError("the server cannot be reached")
    writer.keep([TICK])
    writer.commit(book("o1"))
    assert writer.may_leave(7, request("closeContract"))
    disk.holds_lease = False
    assert not writer.may_leave(7, request("closeContract"))
    assert not writer.may_leave(7, request("takeSnapshot"))


def test_what_was_decided_and_not_stored_is_taken_out_of_the_book() -> None:
    writer = Writer(Disk())
    stored = book("o1")
    stored.accounts[7].lockouts = {"l1": LOCKOUT}
    writer.remember(stored)
    now = book("o1", "o2")
    account = now.accounts[7]
    account.lockouts = {"l1": LOCKOUT, "l2": LOCKOUT}
    requests = [
        replace(request("closeContract", "o1"), id="stays"),
        replace(request("partialCloseContract", "o1"), id="may not leave"),
        replace(request("closeContract", "o2"), id="of a decision not stored"),
        replace(request("placeOrder", ""), id="of the trader"),
    ]
    account.requests = {one.id: one for one in (*requests, replace(requests[3], id="sent before"))}
    writer.keep_to_stored(now, [(7, one) for one in requests])
    assert list(account.obligations) == ["o1"]
    assert list(account.lockouts) == ["l1"]
    assert list(account.requests) == ["stays", "sent before"]


def test_somebody_elses_journal_is_not_borne() -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.keep([TICK, TICK])
    disk.fault = OutOfSequence("taken over")
    with pytest.raises(OutOfSequence):
        writer.commit(book())


HALF = "half \ud800"


def position(contract: str, at: int = 2) -> Event:
    return Event(at, "broker", f"position:{contract}", PositionObserved(7, contract, 1, None))


def derived(text: str) -> Event:
    return Event(2, "core", "gap", GapRecorded(7, None, text), "position:MNQ")


@pytest.mark.parametrize(
    ("waiting", "at_fault", "kept"),
    [
        ([TICK, position(HALF), TICK], "PositionObserved", [TICK]),
        ([TICK, position("MNQ"), derived("said"), derived(HALF), TICK], "PositionObserved", [TICK]),
        ([TICK, position("MNQ"), derived("said"), position(HALF)], "PositionObserved", [TICK, "MNQ", "said"]),
    ],
)
def test_what_no_journal_can_hold_is_left_out_with_its_fact(
    waiting: list[Event], at_fault: str, kept: list[object]
) -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.keep(waiting)
    [marker] = writer.leave_out_unfit("cannot be stored", "1")
    assert isinstance(marker.body, FactQuarantined)
    assert (marker.body.fact, marker.body.error) == (at_fault, "cannot be stored")
    assert writer.commit(book()) == [*waiting[: len(kept)], marker]
    encode_event(0, marker)


def test_of_what_can_never_be_kept_nothing_is() -> None:
    writer = Writer(Disk())
    writer.keep([derived(HALF)])
    assert writer.leave_out_unfit("cannot be stored", "1") == []
    writer.keep([TICK, position("MNQ", at=-(10**30))])
    assert writer.leave_out_unfit("cannot be stored", "1") == []
    assert writer.commit(book()) == [TICK], "an instant outside the calendar has no place in a journal"
