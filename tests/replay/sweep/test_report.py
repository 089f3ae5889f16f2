"""The page of a sweep, made of its JSON alone."""

from typing import Any

import pytest

from replay.sweep.frontier import ahead
from replay.sweep.report import MOST_ROWS, sweep_html

LIMIT, TARGET = "rules.daily_realized_loss.loss_limit", "rules.daily_profit_target.profit_target"
BASIS = "rules.daily_realized_loss.basis"
Row = dict[str, Any]
_DIFFERENCE = {"pass": 0.1, "data_95": [-0.5, 0.5], "days_changed": 2}


def setting(values: dict[str, str], net_pnl: str, drawdown: str = "500", chance: float | None = None) -> Row:
    effect = {"net_pnl": net_pnl, "exact": net_pnl, "simulated": "0", "standard_error": "100"}
    worst = {"account": 1, "trade_date": "2026-11-16", "net_pnl": "-502.48"}
    days = {"helped": 1, "hurt": 0, "unchanged": 0}
    odds = {} if chance is None else {"odds": [{"account": 1, "pass": chance, "difference": _DIFFERENCE}]}
    about = {"days": days, "drawdown": drawdown, "breaches": 1, "worst_day": worst}
    return {"setting": values, "effect": effect, **about, **odds}


def result(axes: dict[str, list[str]], settings: list[Row], middle: Row | None = None) -> Row:
    plateau = None
    if middle is not None:
        values = {key: [listed[0], listed[-1]] for key, listed in axes.items()}
        shown = {"setting": middle["setting"], "net_pnl": middle["effect"]["net_pnl"], "standard_error": "100"}
        plateau = {"settings": 3, "values": values, "lowest": "100", "middle": shown}
    return {
        "grid": [{"key": key, "values": listed} for key, listed in axes.items()],
        "days": 1 if middle is None else 30,
        "accounts": [1],
        "settings": settings,
        "luck": None,
        "plateau": plateau,
        "no_recommendation": None if plateau else "one day of history says <nothing>",
        "walk_forward": None,
        "assumptions": {"policy": "follow", "latency_ms": 250, "slippage_ticks": 2, "independent_days": True},
        "stamp": {"sessions": [{"path": "<b>.jsonl", "sha256": "0" * 64}], "version": "1", "command": "riskcore sweep"},
    }


def curve() -> Row:
    settings = [setting({LIMIT: value}, net_pnl) for value, net_pnl in (("200", "100"), ("400", "300"), ("600", "-50"))]
    return result({LIMIT: ["200", "400", "600"]}, settings, settings[1])


def test_one_key_is_a_curve_with_its_band_and_the_recommended_setting() -> None:
    page = sweep_html(curve())
    assert page.count('class="band"') == 1
    # The axis runs from -200 to +400; 100 to each side of +100, +300 and -50.
    assert 'class="band" d="M166 334L500 0L833 584L833 917L500 334L166 667z"' in page
    assert 'class="dot" d="M500 167h0"' in page
    assert "<strong>loss_limit 400</strong>" in page


def test_two_keys_are_a_heat_map() -> None:
    settings = [
        setting({LIMIT: limit, TARGET: target}, net_pnl)
        for limit, target, net_pnl in (("9", "5", "80"), ("9", "10", "-40"), ("10", "5", "0"), ("10", "10", "10"))
    ]
    page = sweep_html(result({LIMIT: ["9", "10"], TARGET: ["5", "10"]}, settings, settings[0]))
    # 9 lies below 10, 5 left of 10: numbers, not words, are in order.
    assert '<path class="up" fill-opacity=".80" d="M0 1000V500H500V1000z"/>' in page
    assert '<path class="down" fill-opacity=".50" d="M500 1000V500H1000V1000z"/>' in page
    assert '<path class="up" fill-opacity=".20" d="M500 500V0H1000V500z"/>' in page
    assert page.count("fill-opacity=") == 3
    assert 'class="dot" d="M250 750h0"' in page


@pytest.mark.parametrize(("count", "shown"), [(8, 8), (9, 5)])
def test_each_label_stands_below_its_value(count: int, shown: int) -> None:
    settings = [setting({LIMIT: str(value)}, "10") for value in range(count)]
    page = sweep_html(result({LIMIT: [str(value) for value in range(count)]}, settings))
    below = page.split('<div class="x"')[1].split("</div>")[0]
    assert (below.count("<span"), below.count("></span>")) == (count, count - shown)


def test_a_picture_for_each_value_that_is_no_number() -> None:
    settings = [
        setting({BASIS: basis, LIMIT: limit}, "10") for basis in ("realized", "combined") for limit in ("1", "2")
    ]
    page = sweep_html(result({BASIS: ["realized", "combined"], LIMIT: ["1", "2"]}, settings, settings[0]))
    assert page.count('class="band"') == 2
    assert page.index("basis combined. Effect along") < page.index("basis realized. Effect along")


def test_three_numeric_keys_are_not_drawn() -> None:
    values = {LIMIT: ["1", "2"], TARGET: ["1", "2"], "rules.x.y": ["1", "2"]}
    page = sweep_html(result(values, [setting(dict.fromkeys(values, "1"), "10")]))
    assert "see the table" in page


def test_without_a_recommendation_the_page_says_why() -> None:
    settings = [setting({LIMIT: "200"}, "100")]
    page = sweep_html(result({LIMIT: ["200"]}, settings))
    assert "<strong>No recommendation</strong>" in page
    assert "one day of history says &lt;nothing&gt;" in page


def test_it_needs_no_network_no_script_and_escapes_what_it_shows() -> None:
    page = sweep_html(curve())
    assert "default-src 'none'" in page
    for outside in ("http://", "https://", "<script", "<link", "url(", "@import", "<b>.jsonl"):
        assert outside not in page
    assert page == sweep_html(curve())


@pytest.mark.parametrize(("count", "cut"), [(MOST_ROWS, False), (MOST_ROWS + 1, True)])
def test_a_long_table_keeps_the_largest_effects(count: int, cut: bool) -> None:
    settings = [setting({LIMIT: str(1000 + index)}, str(index)) for index in range(count)]
    page = sweep_html(result({LIMIT: [row["setting"][LIMIT] for row in settings]}, settings))
    table = page[page.index('<section id="settings"') :]
    assert table.count("loss_limit 1") == MOST_ROWS
    assert ("with the largest effect" in table) == cut
    assert ("loss_limit 1000" in table) == (not cut)


# ---- the frontier ------------------------------------------------------------------------------------


def test_only_what_nothing_beats_in_both_is_ahead() -> None:
    assert ahead([(1, 9), (3, 3), (2, 3), (3, 2), (2, 8), (1, 9), (0, 10)]) == [1, 4, 0, 5, 6]
    assert ahead([(1, 1)]) == [0]


def test_settings_that_trade_off_are_joined_and_the_others_grey() -> None:
    figures = (
        ("200", "100", "100", 0.5),
        ("400", "300", "400", 0.2),
        ("600", "50", "150", 0.3),
        ("800", "0", "0", 0.1),
    )
    settings = [setting({LIMIT: value}, net, fall, chance) for value, net, fall, chance in figures]
    found = result({LIMIT: [one[0] for one in figures]}, settings)
    before = {"pass": 0.1, "data_95": [0.0, 0.9]}
    account = {"account": 1, "name": "<a>", "goal": "target", "days_used": 30, "recorded": before}
    found["odds"] = {"paths": 100, "seed": 1, "outer_histories": 200, "accounts": [account]}
    page = sweep_html(found)
    parts = page[page.index('<section id="frontier"') : page.index('<section id="settings"')].split("<figure>")[1:]
    assert len(parts) == 2
    # Net 0 to 300 upwards. Falls of 400 to 0 across, then chances from 0 to 1.
    assert 'class="behind" d="M625 834h0"' in parts[0]
    assert 'class="course" d="M0 0L750 667L1000 1000"' in parts[0]
    assert 'class="behind" d="M300 834h0M100 1000h0"' in parts[1]
    assert 'class="course" d="M200 0L500 667"' in parts[1]
    assert "of &lt;a&gt; across" in parts[1]
    for part, rows in zip(parts, (3, 2), strict=True):
        assert part.count('scope="row"') == rows
        assert 'aria-describedby="frontier' in part


def test_a_setting_that_is_best_in_both_leaves_nothing_to_trade_off() -> None:
    settings = [
        setting({LIMIT: "1"}, "100", "10"),
        setting({LIMIT: "2"}, "50", "20"),
        setting({LIMIT: "3"}, "100", "10"),
    ]
    page = sweep_html(result({LIMIT: ["1", "2", "3"]}, settings))
    assert "frontier" not in page


def test_the_date_of_the_worst_day_is_not_broken_and_no_setting_is_said_to_be_the_only_one() -> None:
    page = sweep_html(curve())
    assert '>−502.48 <span class="day">2026-11-16</span></td>' in page
    assert "No setting differs" not in page
