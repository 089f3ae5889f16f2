"""Packed columns come back number by number."""

from random import Random

import numpy as np
import pytest

from replay.columns.extremes import UNSAID
from replay.columns.packed import Packed, pack

EDGES = [0, 1, 126, 127, 128, 2**15 - 1, 2**15, 2**31 - 1, 2**31, 2**40, 2**62]


@pytest.mark.parametrize("seed", range(60))
def test_a_column_comes_back_as_it_was(seed: int) -> None:
    random = Random(seed)
    unit, most = random.choice([1, 250_000_000, 10**9]), random.choice(EDGES)
    numbers = [random.randint(-most, most) // unit * unit for _ in range(random.choice([0, 1, 2, 50]))]
    numbers += [most, -most] if random.random() < 0.5 else []
    if random.random() < 0.4:
        numbers = [UNSAID if random.random() < 0.5 else one for one in numbers]
    column = np.array(numbers, np.int64)
    form, data = pack(column)
    assert Packed(form, memoryview(data))[:].tolist() == numbers


def test_prices_that_move_by_ticks_take_a_byte_each() -> None:
    column = np.array([25_000_000_000_000 + step * 250_000_000 for step in (0, 1, 2, 1, -126)], np.int64)
    form, data = pack(column)
    assert (form.width, form.unit, len(data)) == ("<i1", 250_000_000, 3 * 8 + 5)
