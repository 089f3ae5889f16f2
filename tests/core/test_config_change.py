"""Settings edited while a day runs: what tightens counts at once, what loosens at the reset (RULES.md 1.6)."""

from riskcore.config import read_settings
from riskcore.core import events as e
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.schema.codec import state_hash
from tests.core.ledger import Ledger


def running(limit: int) -> Ledger:
    day = Ledger()
    day.settings = settings(limit)
    day.book.settings = day.settings
    day.rulebook = rulebook_of(day.settings)
    return day


def settings(limit: int) -> dict[str, object]:
    return read_settings(f"[profile]\n[rules.max_contracts]\nlimit = {limit}\n").plain


def changed(day: Ledger, limit: int) -> Ledger:
    day.take(e.ConfigChanged(settings(limit)), "config:1", "operator")
    day.rulebook = rulebook_of(day.book.settings)
    return day


def test_a_tighter_limit_is_judged_at_once() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]
    assert day.kinds == ["ReducePosition"]


def test_a_looser_limit_waits() -> None:
    day = changed(running(3), 5).fill("MNQ", 4, "21000")
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]


def test_a_rebuild_judges_by_the_settings_of_each_moment() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    again = Book(settings=settings(5))
    for event in day.events[:1]:
        rebuild(again, rulebook_of(again.settings), [event])
    again.settings = settings(5)
    rebuild(again, rulebook_of(again.settings), day.events[1:])
    assert state_hash(again) == state_hash(day.book)
