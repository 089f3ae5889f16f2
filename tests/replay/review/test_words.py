"""The words of a review."""

import pytest

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
