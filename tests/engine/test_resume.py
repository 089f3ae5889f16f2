"""Start-up and recovery are one path: the book behind the last event stored, whatever that was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from riskcore.core import project
from riskcore.core.events import ClockTicked, DayRolled, Event, FactQuarantined, TradeRecorded, TradingDayOpened
from riskcore.core.rebuild import fold
from riskcore.core.rulebook import rulebook_of
from riskcore.core.runner import Runner
from riskcore.core.state import Book
from riskcore.core.step import Turn
from riskcore.engine.resume import MOST_LEFT_OUT, resume
from riskcore.errors import InvariantBroken
from riskcore.schema.codec import state_hash
from riskcore.settings.calendar import day_for
from riskcore.store.journal import Journal
from tests.replay.test_determinism import DAYS, EVERYTHING, Live, settings_of

PROFILE = settings_of(EVERYTHING)["profile"]["name"]
DAY = next(day for day in DAYS if day.name == "daily-loss")


def recorded() -> list[Event]:
    """The facts of a recorded day, without its opening."""
    stored = Live(DAY / "session.jsonl", EVERYTHING, every_event=False).stored
    return [event for event in stored if not event.derived][1:]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal.open(tmp_path / "journal.db", PROFILE, write=True)


def test_an_empty_journal_resumes_with_an_empty_book(journal: Journal) -> None:
    resumed = resume(journal)
    assert (resumed.book, resumed.last_at, resumed.day_ended) == (Book(), 0, False)


@pytest.mark.parametrize("cached", [False, True])
def test_the_resumed_book_is_the_book_that_was_stored(journal: Journal, cached: bool) -> None:
    runner = Runner(settings_of(EVERYTHING), (journal.append,), day_for, version="test", keep_quotes=True)
    facts = recorded()
    for index, fact in enumerate(facts):
        runner.event(fact)
        if index % 150 == 40:
            if cached:
                journal.cache_state(runner.finish())
            assert state_hash(resume(journal).book) == state_hash(runner.finish())
    runner.finish()
    resumed = resume(journal)
    assert resumed.last_at == facts[-1].at
    assert not resumed.day_ended


def test_a_day_that_was_closed_is_not_closed_twice(journal: Journal) -> None:
    runner = Runner(settings_of(EVERYTHING), (journal.append,), day_for, version="test")
    facts = recorded()
    for fact in facts:
        runner.event(fact)
    runner.end_day("2026-11-23")
    resumed = resume(journal)
    assert resumed.day_ended
    assert resumed.book.day is not None
    stored: list[Event] = []
    settings = settings_of(EVERYTHING)
    again = Runner(
        settings, (stored.extend, journal.append), day_for, version="test", book=resumed.book, day_ended=True
    )
    again.event(Event(resumed.book.day.closes_at + 5, "clock", "clock", ClockTicked()))
    assert not any(isinstance(event.body, DayRolled) for event in stored)
    assert len(journal.streams()) == 2
    assert Turn(Book(), rulebook_of(settings)).book == Book()


# ---- events that cannot be folded ----------------------------------------------------------------------


def stored_day(journal: Journal, extra: int = 0) -> list[Event]:
    """A recorded day in the journal, with as many clock ticks more as asked for."""
    stored: list[Event] = []
    listeners = (stored.extend, journal.append)
    runner = Runner(settings_of(EVERYTHING), listeners, day_for, version="test", keep_quotes=True)
    facts = recorded()
    for fact in facts:
        runner.event(fact)
    for number in range(extra):
        runner.event(Event(facts[-1].at + number, "clock", f"bad{number}", ClockTicked()))
    runner.finish()
    return stored


def fail_on(monkeypatch: pytest.MonkeyPatch, kind: type, bad: Callable[[Any], bool]) -> None:
    real = project._HANDLERS[kind]

    def broken(book: Book, at: int, body: Any) -> Any:
        if bad(body):
            book.accounts.clear()
            raise KeyError("lost")
        return real(book, at, body)

    monkeypatch.setitem(project._HANDLERS, kind, broken)


def test_a_start_goes_on_without_an_event_that_cannot_be_folded(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = stored_day(journal)
    fills = [event for event in stored if isinstance(event.body, TradeRecorded)]
    poison = fills[-1]
    fail_on(monkeypatch, TradeRecorded, lambda body: body == poison.body)
    resumed = resume(journal)
    [left_out] = resumed.left_out
    body = left_out.body
    assert isinstance(body, FactQuarantined)
    assert (left_out.key, body.fact, body.error) == (f"quarantine:{poison.key}", "TradeRecorded", "KeyError: 'lost'")
    expected, rulebook = Book(), rulebook_of(settings_of(EVERYTHING))
    for event in stored:
        if event.key != poison.key or event.derived:
            fold(expected, rulebook, event)
    assert state_hash(resumed.book) == state_hash(expected)
    assert (resumed.last_at, resumed.day_ended) == (stored[-1].at, False)


@pytest.mark.parametrize("count", [MOST_LEFT_OUT - 1, MOST_LEFT_OUT, MOST_LEFT_OUT + 1])
def test_a_journal_with_too_many_such_events_is_refused(
    journal: Journal, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stored_day(journal, extra=count)[-count]
    assert first.key == "bad0"
    seen: list[int] = []

    def late(body: ClockTicked) -> bool:
        return bool(seen)

    fail_on(monkeypatch, ClockTicked, late)
    real = project.apply

    def noting(book: Book, event: Event) -> Any:
        seen[:] = [1] if event.key.startswith("bad") else []
        return real(book, event)

    monkeypatch.setattr("riskcore.core.rebuild.apply", noting)
    if count > MOST_LEFT_OUT:
        with pytest.raises(InvariantBroken, match="the journal cannot be folded \\(KeyError: 'lost'\\)"):
            resume(journal)
    else:
        assert [event.key for event in resume(journal).left_out] == [f"quarantine:bad{one}" for one in range(count)]


def test_nothing_goes_on_without_the_opening_of_its_day(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    stored_day(journal)
    fail_on(monkeypatch, TradingDayOpened, lambda body: True)
    with pytest.raises(InvariantBroken, match="the journal cannot be folded \\(KeyError: 'lost'\\)"):
        resume(journal)
