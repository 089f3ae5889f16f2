"""Many settings at once, and amounts in the width that holds them: the same journeys as one by one, in 64 bits."""

import random

import numpy as np
import pytest

from replay.odds import journeys as journeys_module
from replay.odds.chances import spread_of, spreads_of
from replay.odds.days import Block, closing_day, table_of
from replay.odds.journeys import journeys
from riskcore.core.programme.terms import Terms
from tests.replay.odds.sample_days import CENT, terms, usd
from tests.replay.odds.test_arithmetic import random_days

# Beside these 5,000 dollars of target and room, the largest day counts twice: it is lived once, and once in passing.
_FULL = (2**31 - 2 - 500_000) // 2


@pytest.mark.parametrize("block", ["day", "week"])
@pytest.mark.parametrize("under", [terms(size="50K"), terms(stage="xfa", size="50K")], ids=["combine", "xfa"])
def test_the_data_s_interval_of_each_of_many_is_that_of_it_alone(under: Terms, block: Block) -> None:
    # More than go through their journeys at a time.
    histories = [random_days(random.Random(seed)) for seed in range(10 if under.target_usd else 5)]
    together = list(spreads_of(table_of(histories, under, block), under, 3, outer=200, inner=50))
    assert len(together) == len(histories)
    for days, spread in zip(histories, together, strict=True):
        alone = spread_of(table_of([days], under, block), under, 3, outer=200, inner=50)
        assert (spread.passed.tolist(), spread.lost.tolist()) == (alone.passed.tolist(), alone.lost.tolist())
        assert spread.blocks == alone.blocks


@pytest.mark.parametrize("boundary", ["inclusive", "exclusive"])
@pytest.mark.parametrize("pass_at", ["end_of_day", "in_session"])
def test_narrow_amounts_give_the_same_journeys(pass_at: str, boundary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    under = terms(size="50K", readings={"pass_at": pass_at, "consistency_boundary": boundary})
    table = table_of([random_days(random.Random(seed)) for seed in range(4)], under)
    narrow = journeys(table, under, 300, 1)
    monkeypatch.setattr(journeys_module, "_LARGEST", 0)
    wide = journeys(table, under, 300, 1)
    assert np.array_equal(narrow.ends, wide.ends)
    assert np.array_equal(narrow.days, wide.days)


@pytest.mark.parametrize(("cents", "amounts"), [(_FULL, np.int32), (_FULL + 1, np.int64)])
def test_amounts_that_would_not_fit_are_wide(cents: int, amounts: type) -> None:
    under = terms(size="50K")
    table = table_of([[closing_day(cents * CENT), closing_day(-CENT)]], under)
    assert journeys_module._Rules(under, table, 1).amounts is amounts


@pytest.mark.parametrize(
    ("best", "boundary", "counts"),
    [
        (1_649.99, "inclusive", False),
        (1_650, "inclusive", False),
        (1_650.01, "inclusive", True),
        (1_649.99, "exclusive", False),
        (1_650, "exclusive", True),
    ],
)
def test_a_best_day_is_kept_only_where_it_can_raise_the_target(best: float, boundary: str, counts: bool) -> None:
    under = terms(size="50K", readings={"consistency_boundary": boundary})
    table = table_of([[closing_day(usd(best)), closing_day(usd(-100))]], under)
    assert journeys_module._Rules(under, table, 1_000).best_counts == counts
