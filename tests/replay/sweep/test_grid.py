"""`--grid` texts as combinations of values, and what makes no sense in them."""

import pytest

from replay.sweep.grid import MOST_SETTINGS, grid_of
from riskcore.errors import ConfigError

LIMIT = "rules.daily_realized_loss.loss_limit"


def values(text: str) -> tuple[str, ...]:
    return grid_of([f"{LIMIT}={text}"]).axes[0].values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200:400:100", ("200", "300", "400")),
        ("200:399.99:100", ("200", "300")),
        ("200:200:50", ("200",)),
        ("0.1:0.3:0.1", ("0.1", "0.2", "0.3")),
        ("-2:2:2", ("-2", "0", "2")),
        ("off,200,400", ("off", "200", "400")),
        ("200,100:300:100", ("200", "100", "300")),
        ('["Mon","Tue"],["Wed"]', ('["Mon","Tue"]', '["Wed"]')),
        ('"15:10",15:08', ('"15:10"', "15:08")),
        ("weekly", ("weekly",)),
        ("09:30,10:00", ("09:30", "10:00")),
    ],
)
def test_values(text: str, expected: tuple[str, ...]) -> None:
    assert values(text) == expected


def test_a_range_without_a_step_says_so() -> None:
    with pytest.raises(ConfigError, match="the step is missing"):
        values("200:400")


def test_every_combination_the_last_key_fastest() -> None:
    grid = grid_of([f"{LIMIT}=1,2", "rules.max_contracts.0.limit=3:4:1"])
    assert len(grid) == 4
    assert [tuple(value for _, value in found) for found in grid] == [("1", "3"), ("1", "4"), ("2", "3"), ("2", "4")]


def test_a_grid_of_a_million_is_one_and_a_larger_one_is_none() -> None:
    assert (
        len(grid_of([f"{LIMIT}=1:1000:1", f"rules.max_contracts.limit=1:{MOST_SETTINGS // 1000}:1"])) == MOST_SETTINGS
    )
    with pytest.raises(ConfigError, match="more than 1,000,000 settings"):
        grid_of([f"{LIMIT}=1:1000:1", f"rules.max_contracts.limit=1:{MOST_SETTINGS // 1000 + 1}:1"])


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ([], "needs one key"),
        (["loss_limit=1"], "not a setting's name"),
        ([LIMIT], "a value is missing"),
        ([f"{LIMIT}="], "a value is missing"),
        ([f"{LIMIT}=1,,2"], "a value is missing"),
        ([f"{LIMIT}=400:200:50"], "the last not below the first"),
        ([f"{LIMIT}=200:400:0"], "the step above 0"),
        ([f"{LIMIT}=0:999999999999:0.000001"], "more than 1,000,000 settings"),
        ([f"{LIMIT}=1", f"{LIMIT}=2"], "another --grid gives this key too"),
    ],
)
def test_what_makes_no_sense(texts: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        grid_of(texts)


def test_a_key_of_set_and_grid_is_given_once() -> None:
    with pytest.raises(ConfigError, match="--set gives this key too"):
        grid_of([f"{LIMIT}=1,2"], [f"{LIMIT}=3"])
