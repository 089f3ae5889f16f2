"""The words of a review."""

import pytest

from replay.review.page import _measure, _share
from replay.review.words import excursion_words


@pytest.mark.parametrize(
    ("ticks", "words"),
    [
        ("1", "1 tick"),
        ("-1", "-1 tick"),
        ("0", "0 ticks"),
        ("2", "2 ticks"),
        ("0.5", "0.5 ticks"),
        ("-11", "-11 ticks"),
    ],
)
def test_an_excursion_counts_its_ticks(ticks: str, words: str) -> None:
    assert excursion_words({"mae": "-2.50", "mae_ticks": ticks}, "mae") == f"-2.50 ({words})"
    assert excursion_words({"mae": None, "mae_ticks": None}, "mae") == "unknown"


@pytest.mark.parametrize(("used", "shown"), [("0.0999", "9%"), ("0.9999", "99%"), ("1", "100%"), ("1.055", "105%")])
def test_a_share_is_whole_only_where_the_limit_is_reached(used: str, shown: str) -> None:
    assert _share(used) == shown


@pytest.mark.parametrize(
    ("name", "unit", "shown"),
    [("contracts", "contracts", "2"), ("hour trades", "trades", "2"), ("time without a stop", "s", "2 s")],
)
def test_a_unit_that_the_name_says_is_not_said_again(name: str, unit: str, shown: str) -> None:
    assert _measure({"name": name, "unit": unit, "left": "2"}, "left") == shown
