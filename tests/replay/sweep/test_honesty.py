"""What the best of many settings is worth. Reference values: ODDS.md 5."""

import pytest

from replay.sweep.grid import grid_of
from replay.sweep.honesty import Ground, deflated_probability, expected_best_of, luck_of, walk_forward

LIMIT = "rules.daily_realized_loss.loss_limit"
BASIS = "rules.daily_realized_loss.basis"


def days(*totals: int) -> list[list[int]]:
    """Settings that come to these totals over four days, with a spread of about a tenth."""
    return [[total // 4 + total // 40 * sign for sign in (1, -1, 1, -1)] for total in totals]


def middle_of(grid: str, *totals: int) -> int | None:
    plateau = Ground(grid_of([grid])).plateau_of(days(*totals))
    return None if plateau is None else plateau.middle


@pytest.mark.parametrize(("trials", "standard_errors"), [(1, 0), (10, 1.57460), (100, 2.53060), (1000, 3.25512)])
def test_expected_best_of_null_trials(trials: int, standard_errors: float) -> None:
    assert expected_best_of(trials) == pytest.approx(standard_errors, abs=5e-6)


@pytest.mark.parametrize(("trials", "probability"), [(100, 0.900397), (46, 0.950502)])
def test_deflated_sharpe(trials: int, probability: float) -> None:
    found = deflated_probability(2.5 / 250**0.5, 1250, 0.5 / 250, trials, -3, 10)
    assert found == pytest.approx(probability, abs=5e-7)


def test_settings_alike_on_every_day_are_one_trial() -> None:
    luck = luck_of([[0, 0, 0], [100, 200, 300], [100, 200, 300], [300, 0, 0]])
    assert (luck.trials, luck.best) == (3, 1)
    assert luck.best_standard_errors == pytest.approx(600 / (100 * 3**0.5))
    assert luck.expected == pytest.approx(luck.expected_standard_errors * (173.20508 + 300) / 2)


@pytest.mark.parametrize(("count", "known"), [(19, False), (20, True), (21, True)])
def test_a_probability_needs_twenty_days(count: int, known: bool) -> None:
    luck = luck_of([[10 + day % 3 for day in range(count)], [day % 2 for day in range(count)]])
    assert (luck.probability is not None) == known


def test_effects_without_a_spread_have_no_probability() -> None:
    luck = luck_of([[0] * 20, [5] * 20])
    assert (luck.best, luck.best_standard_errors, luck.probability, luck.expected) == (1, None, None, 0.0)


def test_the_middle_of_the_widest_plateau_and_not_the_peak() -> None:
    grid = f"{LIMIT}=100:1100:100"
    assert middle_of(grid, 0, 9000, 0, 0, 1000, 1000, 1000, 1010, 990, 0, 0) == 6
    assert middle_of(grid, 0, 0, 0, 0, 0, 9000, 0, 0, 0, 0, 0) is None


def test_the_order_of_a_list_does_not_matter() -> None:
    assert middle_of(f"{LIMIT}=300,100,200,400", 1000, 1000, 1000, 0) == 2


@pytest.mark.parametrize(("beside", "found"), [("109.9", None), ("110", None), ("110.1", 1)])
def test_a_neighbour_lies_within_ten_percent(beside: str, found: int | None) -> None:
    """The losing setting counts against the three that gain as long as it is a neighbour of 100 too."""
    assert middle_of(f"{LIMIT}=100,100.5,101,{beside}", 1000, 1000, 1000, -1000) == found


@pytest.mark.parametrize("count", [2, 3])
def test_two_settings_have_no_middle(count: int) -> None:
    found = middle_of(f"{LIMIT}=100:{count}00:100", *[1000] * count)
    assert found == (None if count == 2 else 1)


@pytest.mark.parametrize(("total", "found"), [(-400, None), (0, None), (40, 1)])
def test_a_plateau_lies_above_zero(total: int, found: int | None) -> None:
    assert middle_of(f"{LIMIT}=100,200,300", total, total, total) == found


def test_a_ridge_beside_nothing_is_no_plateau() -> None:
    grid = grid_of(["rules.daily_profit_target.profit_target=1,2,3", f"{LIMIT}=100,200,300"])
    assert Ground(grid).plateau_of(days(0, 0, 0, 1000, 1000, 1000, 0, 0, 0)) is None


def test_settings_without_an_effect_are_no_part_of_a_plateau() -> None:
    """The spread is larger than the effect, so that the height is zero."""
    settings = [[300, -100], [300, -100], [300, -100], [300, -100], [0, 0]]
    plateau = Ground(grid_of([f"{LIMIT}=100:500:100"])).plateau_of(settings)
    assert plateau is not None
    assert plateau.places == (0, 1, 2, 3)


def test_rules_that_differ_in_kind_form_no_plateau() -> None:
    grid = grid_of([f"{BASIS}=realized,combined", f"{LIMIT}=100:300:100"])
    plateau = Ground(grid).plateau_of(days(1000, 1000, 1000, -10, 1000, 1000))
    assert plateau is not None
    assert (plateau.places, plateau.middle) == ((0, 1, 2), 1)
    assert middle_of(f"{BASIS}=a,b,c", 1000, 1000, 1000) is None


def test_the_middle_over_two_keys() -> None:
    grid = grid_of([f"{LIMIT}=100:300:100", "rules.daily_profit_target.profit_target=100:300:100"])
    plateau = Ground(grid).plateau_of(days(*[1000] * 9))
    assert plateau is not None
    assert (len(plateau.places), plateau.middle) == (9, 4)


@pytest.mark.parametrize(("count", "judged"), [(3, None), (4, 1), (10, 4)])
def test_walking_forward_chooses_on_the_first_half_and_leaves_a_day_out(count: int, judged: int | None) -> None:
    ground = Ground(grid_of([f"{LIMIT}=100,200,300"]))
    walked = walk_forward(ground, [[10 + day for day in range(count)]] * 3)
    assert (None if walked is None else len(walked.effects)) == judged


def test_no_later_day_has_a_part_in_the_choice() -> None:
    """The fourth day is left out: whatever it is, the fifth is judged by a choice of the first three."""
    ground = Ground(grid_of([f"{LIMIT}=100,200,300"]))
    for left_out in (-1_000_000, 1_000_000):
        walked = walk_forward(ground, [[10, 11, 12, left_out, 7]] * 3)
        assert walked is not None
        assert (walked.first, walked.effects[-1], walked.chosen[-1]) == (3, 7, 1)
    for early in (-1_000_000, 1_000_000):
        walked = walk_forward(ground, [[10, 11, early, 5, 7]] * 3)
        assert walked is not None
        assert (walked.chosen[-1] is None) == (early < 0)
