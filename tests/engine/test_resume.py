"""Start-up and recovery are one path: the book behind the last event stored, whatever that was."""

from pathlib import Path

import pytest

from riskcore.core.events import ClockTicked, DayRolled, Event
from riskcore.core.rulebook import rulebook_of
from riskcore.core.runner import Runner
from riskcore.core.state import Book
from riskcore.core.step import Turn
from riskcore.engine.resume import resume
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
