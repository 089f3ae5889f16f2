"""Columns find the first quote outside its bounds where looking one by one finds it, and leave marks where it does."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.columns import extremes
from replay.columns.columns import ColumnQuotes, Columns
from replay.columns.extremes import UNSAID, Extremes
from replay.columns.packed import Packed, pack
from riskcore.core.bounds import NEVER, Watch
from riskcore.core.quotes import Quotes
from riskcore.core.rules.base import UNBOUNDED

START = 10**18


def random_columns(random: Random) -> Columns:
    names = [f"C{number}" for number in range(random.choice((1, 1, 2, 3)))]
    count, unsaid = random.choice((1, 3, 20, 300, 1500)), random.choice((0, 0.3, 0.9))
    at, prices, rows = START, [100] * len(names), []
    for _ in range(count):
        at += random.choice((0, 0, 1, 2, 5))
        code = random.randrange(len(names))
        prices[code] += random.choice((-1, 0, 0, 1))
        shown = [UNSAID if random.random() < unsaid else prices[code] + step for step in (0, -1, 1)]
        rows.append((at, code, *shown))
    ats, codes, lasts, bids, asks = (column.copy() for column in np.array(rows, np.int64).T)
    return Columns(ats, codes.astype(np.int16), names, lasts, bids, asks)


def packed_columns(columns: Columns) -> Columns:
    """The same as they come out of a cache."""
    ats, lasts, bids, asks = (
        Packed(form, memoryview(data))
        for form, data in map(pack, (columns.ats, columns.lasts, columns.bids, columns.asks))
    )
    return Columns(ats, columns.codes, columns.names, lasts, bids, asks)


def random_watch(random: Random, columns: Columns) -> Watch:
    watch = Watch(random.choice((UNBOUNDED, int(random.choice(columns.ats)) + random.choice((-1, 0, 1)))))
    for name in [*columns.names, "another"]:
        if random.random() < 0.7:
            one, two, three = (
                random.choice(
                    (
                        (-UNBOUNDED, UNBOUNDED),
                        (1, 0),
                        (100 - random.randrange(20), 100 + random.randrange(20)),
                        (-UNBOUNDED, 100 + random.randrange(9)),
                    )
                )
                for _ in range(3)
            )
            watch.bounds[name] = random.choice(((*one, *two, *three), (*one, *two, *three), NEVER))
            if random.random() < 0.4:
                watch.gaps[name] = random.choice((1, 3, 4, 8, 20, 60))
    return watch


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_columns_give_what_looking_one_by_one_gives(seed: int) -> None:
    random = Random(seed)
    with pytest.MonkeyPatch.context() as patch:
        fan = random.choice((2, 3, 4, 256))
        patch.setattr(extremes, "FAN", fan)
        patch.setattr(extremes, "_SCANNED", 2 * fan)
        columns = random_columns(random)
        listed = Quotes(*(list(column) for column in ColumnQuotes(columns, 0, len(columns.ats))))  # type: ignore[arg-type]
        whole = ColumnQuotes(random.choice((columns, packed_columns(columns))), 0, len(columns.ats))
        for _ in range(30):
            start = random.randrange(len(listed))
            end, base = random.randint(start + 1, len(listed)), random.randint(0, start)
            part = whole.part(base, random.randint(end, len(listed)))
            watch = random_watch(random, columns)
            marked = {name: listed.ats[max(start - 1, 0)] - random.choice((0, 1, 3, 7)) for name in watch.gaps}
            found = listed.first_outside(start, end, watch, marked)
            assert part.first_outside(start - base, end - base, watch, marked) + base == found
            for at, contract, *prices in listed.rows(start, found):
                assert at < watch.until
                assert watch.holds(contract, *prices)
            assert part.moves(start - base, end - base) == listed.moves(start, end)
            assert part.rows(start - base, end - base) == listed.rows(start, end)
            assert part.row(start - base) == listed.row(start)
            at = listed.ats[start] + random.choice((-1, 0, 1))
            assert min(whole.first_at(at, base), len(listed)) == listed.first_at(at, base)


@pytest.mark.parametrize(("low", "high", "first"), [(0, 7, 700_000), (0, 6, 500_000), (4, 9, 0), (3, 8, 1_000_000)])
def test_the_first_value_just_outside_a_bound_is_found_among_a_million(low: int, high: int, first: int) -> None:
    values = np.full(1_000_000, 3, np.int64)
    values[500_000], values[700_000] = 7, 8
    assert Extremes(values).first_outside(0, len(values), low, high) == first
