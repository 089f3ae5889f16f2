"""Skipping quiet quotes changes nothing: same derived events, same state (DESIGN.md, "The fast path")."""

import os
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.columns.columns import ColumnQuotes, Columns
from replay.columns.extremes import UNSAID
from riskcore.core.events import Event
from riskcore.core.quotes import Quotes
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.runner import Runner
from riskcore.core.state import Book
from riskcore.schema.codec import encode_event, state_hash
from riskcore.settings.calendar import day_for
from tests.replay.random_days import RandomDay, settings_of


def in_columns(quotes: Quotes) -> Quotes:
    """The same quotes as columns, a part of longer ones."""
    names = list(dict.fromkeys(quotes.contracts))
    codes = np.array([names.index(name) for name in quotes.contracts] * 2, np.int16)
    prices = (
        np.array([UNSAID if one is None else one for one in column] * 2, np.int64)
        for column in (quotes.lasts, quotes.bids, quotes.asks)
    )
    ats = np.array([*[quotes.ats[0]] * len(quotes), *quotes.ats], np.int64)
    return ColumnQuotes(Columns(ats, codes, names, *prices), len(quotes), 2 * len(quotes))


def run(day: RandomDay, plain: dict[str, Any], *, every_event: bool, columns: bool = False) -> tuple[list[bytes], str]:
    derived: list[bytes] = []

    stored: list[Event] = []

    def listen(events: list[Event]) -> None:
        stored.extend(events)
        derived.extend(encode_event(0, event)[1] for event in events if event.derived)

    runner = Runner(plain, (listen,), day_for, version="test", every_event=every_event, keep_quotes=True)
    for item in day.items:
        if isinstance(item, Quotes):
            runner.quotes(in_columns(item) if columns else item)
        else:
            runner.event(item)
    lived = state_hash(runner.finish())
    again = Book()
    rebuild(again, rulebook_of(plain), stored)
    assert state_hash(again) == lived
    return derived, lived


# RISKCORE_EXAMPLES makes it a long campaign of fresh days.
EXAMPLES = int(os.environ.get("RISKCORE_EXAMPLES", "4"))


@pytest.mark.timeout(300 + 5 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
)
@given(st.integers(0, 2**32), st.booleans())
def test_skipping_gives_the_same_as_every_rule_at_every_event(seed: int, quiet: bool) -> None:
    day, plain = RandomDay(seed, count=120, quiet=quiet), settings_of(Random(seed))
    skipped = run(day, plain, every_event=False)
    assert skipped == run(day, plain, every_event=True)
    assert skipped == run(day, plain, every_event=False, columns=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rulebook, "quote_readers", Rulebook.instances)
        assert skipped == run(day, plain, every_event=True)
