"""The report's drawings: their scale, and that a line goes where its figures are."""

import re

import pytest

from replay.whatif.report_charts import SIDE, bar, effect_chart, equity_chart, scale_of
from replay.whatif.report_figures import figures_of
from riskcore.core.quantities import MONEY_SCALE
from riskcore.schema.rows import Row
from tests.replay.whatif.sample_result import sample

DOLLAR: int = MONEY_SCALE


@pytest.mark.parametrize(
    ("values", "low", "high", "step"),
    [
        ([0], -1, 1, 1),
        ([1], 0, 1, 1),
        ([100, -25], -50, 100, 50),
        ([999, -1], -200, 1000, 200),
        ([-500], -500, 0, 100),
        ([501], 0, 600, 200),
    ],
)
def test_a_scale_has_round_ends_around_zero(values: list[int], low: int, high: int, step: int) -> None:
    scale = scale_of([value * DOLLAR for value in values])
    assert (scale.low, scale.high) == (low * DOLLAR, high * DOLLAR)
    assert len(scale.ticks()) <= 8
    assert 0 in scale.ticks()
    assert scale.at(scale.low) == 0
    assert scale.at(scale.high) == SIDE


@pytest.mark.parametrize("largest", [1, 7, 10**6, 3 * 10**18])
def test_few_steps_whatever_the_size(largest: int) -> None:
    for values in ([largest], [-largest], [largest, -largest]):
        assert len(scale_of(values).ticks()) <= 8


def nets(*pairs: tuple[int, int]) -> Row:
    """A result whose days have these nets of baseline and counterfactual, in dollars, without a programme."""
    result = sample(len(pairs), programme=False)
    result["divergence"], result["tilt"] = [], []
    for row, (baseline, counterfactual) in zip(result["effect"]["by_day"], pairs, strict=True):
        row |= {"baseline": str(baseline), "counterfactual": str(counterfactual)}
        row |= {"net_pnl": str(counterfactual - baseline), "simulated": "0"}
    return result


def drawn(html: str, kind: str) -> str:
    found = re.search(rf'viewBox="0 0 1000 1000".*?<path class="{kind}" d="([^"]*)"', html)
    return found[1] if found else ""


def test_both_courses_start_at_zero_and_end_at_their_net() -> None:
    html = equity_chart(figures_of(nets((-100, 0), (50, 100))), None, "equity")
    # From -100 to 100 dollars: zero in the middle, higher is further up, so a smaller y.
    assert drawn(html, "record") == "M0 500 500 1000 1000 750"
    assert drawn(html, "course") == "M0 500 500 500 1000 0"
    assert "at the end −50.00 as recorded, +100.00 with these settings" in html


def test_the_area_between_turns_where_the_courses_cross() -> None:
    html = equity_chart(figures_of(nets((-100, 0), (200, -100))), None, "equity")
    # Ahead by 100 after the first day, behind by 200 after the second: they cross a third of the way.
    assert drawn(html, "gain").endswith("M500 500L666 666L500 1000z")
    assert drawn(html, "loss") == "M666 666L1000 1000V0z"


def test_days_that_part_and_days_that_lock_are_marked() -> None:
    result = nets((0, 0), (-100, 0), (0, 0), (0, 0))
    action = {"kind": "ClosePosition", "rule": "RULE-004", "contract": None}
    where = {"account": 99000001, "trade_date": "2025-09-03", "at": "2025-09-03T15:00:00Z", "cause": "trade:1"}
    result["divergence"] = [where | {"baseline_action": None, "counterfactual_action": action}]
    html = equity_chart(figures_of(result), 99000001, "equity")
    assert drawn(html, "dot").startswith("M500 ")
    assert drawn(html, "dot").count("M") == 1
    assert drawn(html, "lock") == ""
    action["kind"] = "KeepOut"
    assert drawn(equity_chart(figures_of(result), 99000001, "equity"), "lock") == "M500 1000h0"


def test_the_floor_is_drawn_from_the_opening_balance() -> None:
    result = sample(2)
    for course in ("baseline", "counterfactual"):
        for day, floor in zip(result[course]["accounts"][0]["days"], ("48000", "48100"), strict=True):
            day |= {"opening_balance": "50000", "floor": floor}
    result["effect"]["by_day"] = [row | {"baseline": "0", "counterfactual": "0"} for row in result["effect"]["by_day"]]
    assert drawn(equity_chart(figures_of(result), 99000001, "equity"), "floor") == "M0 1000 500 1000 1000 950"


def test_a_column_says_better_or_worse_exact_or_simulated() -> None:
    result = nets((0, 100), (0, -100), (0, 0), (0, 50))
    result["effect"]["by_day"][3]["simulated"] = "50"
    html = effect_chart(figures_of(result))
    assert drawn(html, "up") == "M95 500V0H155V500z"
    assert drawn(html, "down") == "M345 500V1000H405V500z"
    assert drawn(html, "up sim") == "M845 500V250H905V500z"
    assert drawn(html, "down sim") == ""
    assert "Best day: Tue 2025-09-02, +100.00. Worst day: Wed 2025-09-03, −100.00." in html


def test_a_bar_leads_from_one_amount_to_another() -> None:
    scale = scale_of([100 * DOLLAR, -100 * DOLLAR])
    assert 'class="up" d="M500 150H750V850H500z"' in bar(scale, 0, 50 * DOLLAR)
    assert 'class="down sim" d="M750 150H500V850H750z"' in bar(scale, 50 * DOLLAR, 0, simulated=True)
    assert 'class="up"' not in bar(scale, 0, 0)
