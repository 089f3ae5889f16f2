"""The page of a sweep, made of its JSON alone."""

from typing import Any

import pytest

from replay.sweep.report import MOST_ROWS, sweep_html

LIMIT, TARGET = "rules.daily_realized_loss.loss_limit", "rules.daily_profit_target.profit_target"
BASIS = "rules.daily_realized_loss.basis"
Row = dict[str, Any]


def setting(values: dict[str, str], net_pnl: str) -> Row:
    effect = {"net_pnl": net_pnl, "exact": net_pnl, "simulated": "0", "standard_error": "100"}
    worst = {"account": 1, "trade_date": "2026-11-16", "net_pnl": "-502.48"}
    days = {"helped": 1, "hurt": 0, "unchanged": 0}
    return {"setting": values, "effect": effect, "days": days, "breaches": 1, "worst_day": worst}


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
