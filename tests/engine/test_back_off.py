"""How long to wait after failures in a row."""

from random import Random

import pytest

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.back_off import BackOff

BACK_OFF = BackOff(SECOND_NS, 10 * SECOND_NS)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 10), (6, 10), (10**9, 10)]
)
def test_the_wait_doubles_up_to_the_longest(failures: int, seconds: int) -> None:
    assert BACK_OFF.wait_ns(failures) == seconds * SECOND_NS


@pytest.mark.parametrize("failures", [1, 3, 9])
def test_chance_makes_it_up_to_half_as_long_again(failures: int) -> None:
    wait = BACK_OFF.wait_ns(failures)
    waits = [BACK_OFF.spread_ns(failures, Random(seed)) for seed in range(200)]
    assert wait <= min(waits) < wait * 1.05
    assert wait * 1.45 < max(waits) < wait * 1.5
