"""Thinned quotes: which stay, and that a day that would be decided otherwise is not thinned."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from replay.replay_run import run_replay
from replay.thinning import SLOT_NS, kept_rows, try_out
from riskcore.core.events import Event, QuotesObserved
from riskcore.core.quotes import Row
from tests.recordings import RULES, Recording

SECOND = 1_000_000_000


def kept(*rows: Row) -> list[int]:
    """The places of the quotes that stay."""
    return [rows.index(row) for row in kept_rows(rows)]


def test_each_slot_keeps_where_a_price_was_lowest_highest_and_last() -> None:
    lasts = (5, 7, 6, 2, 3, 6, 4)
    assert kept(*((at, "A", last, None, None) for at, last in enumerate(lasts))) == [1, 3, 6]
    # The sides and contracts are looked at apart.
    assert kept((0, "A", 5, 1, 9), (1, "B", 5, 1, 9), (2, "A", 5, 3, 9), (3, "A", 5, 2, 9)) == [0, 1, 2, 3]


def test_a_slot_ends_where_the_next_one_begins() -> None:
    at = (0, SLOT_NS - 2, SLOT_NS - 1, SLOT_NS, SLOT_NS + 1, 2 * SLOT_NS - 1)
    assert kept(*((one, "A", None, 8, None) for one in at)) == [0, 2, 3, 5]


def test_a_quote_that_says_nothing_stays_where_it_is_the_last() -> None:
    """It says that the market is alive."""
    assert kept((0, "A", 5, None, None), (1, "A", None, None, None), (2, "A", None, None, None)) == [0, 2]


def day(folder: Path, seconds: Sequence[float], more: str = "") -> list[Event]:
    """A day with a position of two lots that is quoted at these seconds, slowly falling."""
    recording = Recording().account().at("08:30:00").quote(21000).fill(2, 21000.25)
    for place, second in enumerate(seconds):
        minute, rest = divmod(second, 60)
        recording.at(f"08:{30 + int(minute)}:{rest:06.3f}").quote(20999.75 - 0.25 * (place % 40))
    recording.at("09:00:00").clock()
    settings = folder / "riskcore.toml"
    settings.write_text(RULES.replace("[profile]", f"[profile]\n{more}"), encoding="utf-8")
    events: list[Event] = []
    run_replay(
        [recording.write(folder / "day.jsonl")], config_path=settings, keep_quotes=True, listeners=(events.extend,)
    )
    return events


def test_a_dense_day_keeps_a_part_and_is_decided_the_same(tmp_path: Path) -> None:
    events = day(tmp_path, [1 + place / 10 for place in range(1000)])
    quotes = sum(len(event.body.quotes) for event in events if isinstance(event.body, QuotesObserved))
    found = try_out(events)
    assert found.refused is None
    assert 0.85 * quotes < found.left_out < quotes


@pytest.mark.parametrize("age", [1, 2, 3])
def test_a_day_that_needs_its_quotes_is_refused(tmp_path: Path, age: int) -> None:
    """With most of the quotes away, those that stay would be too old, and an alert would say so."""
    events = day(tmp_path, [1 + place / 4 for place in range(200)], f"max_quote_age_seconds = {age}")
    found = try_out(events)
    assert found.left_out == 0
    assert found.refused is not None
    assert "would be decided otherwise" in found.refused
