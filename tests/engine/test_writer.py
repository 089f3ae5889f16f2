"""Nothing counts before it is stored; with a broken disk only closing and cancelling goes on."""

from collections.abc import Sequence

import pytest

from riskcore.core.events import ClockTicked, Event
from riskcore.core.state import Account, Book, Obligation, Request
from riskcore.engine import writer as writer_module
from riskcore.engine.writer import Writer
from riskcore.errors import OutOfSequence, StoreError

TICK = Event(1, "clock", "clock@1", ClockTicked())


class Disk:
    def cache_state(self, book: Book) -> None:
        self.cached = book

    def tidy(self) -> None:
        pass

    def __init__(self) -> None:
        self.stored: list[Event] = []
        self.fault: Exception | None = None

    def append(self, events: Sequence[Event]) -> None:
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


def test_a_broken_disk_keeps_everything_until_it_heals() -> None:
    disk = Disk()
    writer = Writer(disk)
    disk.fault = StoreError("disk full")
    writer.keep([TICK])
    assert writer.commit(book("o1")) == []
    assert writer.broken == "disk full"
    writer.keep([TICK])
    disk.fault = None
    assert writer.commit(book()) == [TICK, TICK] == disk.stored
    assert writer.broken is None


def test_only_what_flattens_for_a_stored_obligation_may_leave_unstored() -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.remember(book("o1"))
    assert writer.may_leave(7, request("closeContract"))
    assert writer.may_leave(7, request("cancelOrder"))
    assert not writer.may_leave(7, request("partialCloseContract"))
    assert not writer.may_leave(7, request("placeStop"))
    assert not writer.may_leave(7, request("closeContract", "o2"))
    assert not writer.may_leave(8, request("closeContract"))
    disk.fault = StoreError("locked")
    writer.keep([TICK])
    writer.commit(book("o2"))
    assert not writer.may_leave(7, request("closeContract", "o2")), "its obligation is not stored"
    disk.fault = None
    writer.commit(book("o2"))
    assert writer.may_leave(7, request("closeContract", "o2"))


def test_somebody_elses_journal_and_an_endless_fault_are_not_borne(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    writer = Writer(disk)
    writer.keep([TICK, TICK])
    disk.fault = OutOfSequence("taken over")
    with pytest.raises(OutOfSequence):
        writer.commit(book())
    disk.fault = StoreError("disk full")
    monkeypatch.setattr(writer_module, "MOST_UNSTORED", 1)
    with pytest.raises(StoreError, match="disk full"):
        writer.commit(book())
