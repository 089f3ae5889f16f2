"""What sides and types of orders are called."""

import pytest

from riskcore.core import order_words as words
from riskcore.core.order_terms import TAKES
from riskcore.core.state import BUY, SELL


@pytest.mark.parametrize(("side", "word"), [(BUY, "buy"), (SELL, "sell"), (-3, "sell"), (0, None)])
def test_side_words(side: int, word: str | None) -> None:
    assert words.side_word(side) == word


def test_every_type_that_can_be_placed_takes_its_prices() -> None:
    assert sorted(words.PLACED_TYPES.values()) == sorted(TAKES)
    assert "stop-limit" not in words.PLACED_TYPES
