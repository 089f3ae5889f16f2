"""What is said while the journal cannot be written, and when the engine may begin again."""

from dataclasses import replace
from typing import Any

import pytest

from riskcore.core.events import (
    BarObserved,
    Event,
    PositionObserved,
    QuotesObserved,
    RequestAttempted,
    RequestPlanned,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book
from riskcore.engine.halt import AGAIN, ANSWERS_NS, HALTED, PINCHED, WELL, WORDS, Halt
from riskcore.engine.writer import Writer
from riskcore.errors import StoreError
from tests.engine.test_writer import TICK, Disk, book, request


class Said:
    def __init__(self) -> None:
        self.rows: list[tuple[str, dict[str, Any]]] = []

    def stored(self, events: object, book: Book) -> None:
        raise AssertionError("nothing is stored")

    def say(self, kind: str, /, **figures: Any) -> None:
        self.rows.append((kind, figures))


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def halt(disk: Disk) -> Halt:
    return Halt(Writer(disk), Said())


def breaks(halt: Halt, disk: Disk) -> None:
    disk.fault = StoreError("full")
    halt.writer.keep([TICK])
    halt.writer.commit(Book())
    halt.writer.discard()


def said(halt: Halt) -> list[tuple[str, dict[str, Any]]]:
    assert isinstance(halt.announcer, Said)
    return halt.announcer.rows


def test_each_change_is_said_once_and_says_whether_limits_act(halt: Halt, disk: Disk) -> None:
    halt.say()
    disk.pinched = "full"
    halt.say()
    halt.say()
    breaks(halt, disk)
    halt.say()
    halt.say()
    disk.pinched = None
    halt.writer.begin_again(Book())
    halt.say()
    disk.pinched = "full"
    halt.say()
    disk.pinched = None
    halt.say()
    pinched = {"text": WORDS[PINCHED], "over": False, "reason": "full", "limits_act": True}
    assert [figures for _, figures in said(halt)] == [
        pinched,
        {"text": WORDS[HALTED], "over": False, "reason": "full", "limits_act": False},
        {"text": AGAIN, "over": True, "reason": None, "limits_act": False, "not_stored": 0},
        pinched,
        {"text": WORDS[WELL], "over": True, "reason": None, "limits_act": True},
    ]
    assert "LIMITS DO NOT ACT ANY MORE" in WORDS[HALTED]


def test_facts_that_are_not_stored_are_counted_until_it_is_over(halt: Halt, disk: Disk) -> None:
    quotes = QuotesObserved(((1, "C", 1, None, None), (2, "C", 2, None, None)))
    bar = BarObserved("C", 1, 1, 1, 1, 1, 1)
    breaks(halt, disk)
    halt.say()
    halt.note(
        [
            TICK,
            Event(1, "market", "q", quotes),
            Event(1, "market", "b", bar),
            Event(1, "broker", "p", PositionObserved(7, "C", 1, None)),
        ],
        Book(),
    )
    halt.writer.begin_again(Book())
    halt.say()
    assert said(halt)[-1][1]["not_stored"] == 3
    assert halt.missed == 0


def test_what_is_done_for_a_stored_obligation_is_told_and_no_decision_is(halt: Halt, disk: Disk) -> None:
    halt.writer.remember(book("o1"))
    breaks(halt, disk)
    planned = [
        RequestPlanned(7, f"{one}/closeContract/C/1", one, "closeContract", "C", None, 0, 0, None, 1)
        for one in ("o1", "o2")
    ]
    events: list[Event] = [Event(1, "core", "k", plan, "k") for plan in planned]
    events += [Event(1, "gateway", "k", RequestAttempted(7, plan.request)) for plan in planned]
    halt.note(events, Book(accounts={7: Account(7)}))
    [(kind, figures)] = said(halt)
    assert (kind, figures["id"], figures["stored"]) == ("request", "o1/closeContract/C/1", False)


def test_it_begins_again_when_what_left_unstored_has_its_outcome_or_never_gets_one(halt: Halt, disk: Disk) -> None:
    account = Account(7)
    account.requests = {"r": request("closeContract")}
    assert halt.is_over([account], SECOND_NS), "nothing has left unstored"
    halt.sent_at = SECOND_NS
    assert halt.is_over([account], SECOND_NS), "it is only planned"
    account.requests["r"] = replace(request("closeContract"), state="attempted")
    assert not halt.is_over([account], SECOND_NS + ANSWERS_NS - 1)
    assert halt.is_over([account], SECOND_NS + ANSWERS_NS)
    account.requests.clear()
    assert halt.is_over([account], SECOND_NS)
    disk.fault = StoreError("full")
    assert not halt.is_over([account], SECOND_NS)
