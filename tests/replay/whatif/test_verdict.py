"""The sentence that says what a what-if found."""

from typing import Any

import pytest

from replay.whatif.report_figures import figures_of
from replay.whatif.verdict import doubts, headline, verdict
from riskcore.schema.rows import Row
from tests.replay.whatif.sample_result import sample

LIMIT = "rules.daily_realized_loss.loss_limit"


def found(effects: list[str], days: int = 61, accounts: tuple[int, ...] = (99000001,)) -> Row:
    """A result in which the first days have these effects and the others none."""
    result = sample(days, accounts)
    rows = result["effect"]["by_day"]
    for row, effect in zip(rows, [*effects, *["0"] * len(rows)], strict=False):
        row["net_pnl"] = effect
    result["effect"]["net_pnl"] = str(sum(map(int, effects)))
    result["range"] |= {"cruellest": "410", "kindest": "1150"}
    result["divergence"] = []
    result["stamp"]["settings_diff"] = [change(LIMIT, "500", "400")]
    return result


def change(key: str, before: Any, after: Any) -> Row:
    return {"key": key, "baseline": before, "counterfactual": after}


BETTER, WORSE = ["2134", *["1"] * 6], ["-1306", *["-1"] * 4]


def test_the_sentence_of_the_issue() -> None:
    result = found([*BETTER, *WORSE])
    assert verdict(figures_of(result)) == (
        "Over 61 days a loss limit of 400 (RULE-003) would have changed 12: 7 better +2,140, 5 worse −1,310; "
        "net +830, range +410 … +1,150."
    )


def test_several_accounts_are_counted_by_account_and_day() -> None:
    text = verdict(figures_of(found(["10", "-2"], 3, (1, 2))))
    assert text.startswith(
        "Over 3 days in 2 accounts a loss limit of 400 (RULE-003) would have changed 2 account days: "
    )


def test_one_day() -> None:
    text = verdict(figures_of(found(["-5"], 1)))
    assert text.startswith(
        "Over 1 day a loss limit of 400 (RULE-003) would have changed 1: 0 better 0, 1 worse −5; net −5,"
    )


def test_without_a_range_the_sentence_ends_before_it_and_says_why() -> None:
    result = found(BETTER)
    result["range"] = None
    assert verdict(figures_of(result)).endswith("; net +2,140.")
    assert doubts(figures_of(result)) == ["No range and no shares were worked out (--quick)."]


def test_no_effect() -> None:
    result = found([], 4)
    result["range"] |= {"cruellest": "0", "kindest": "0"}
    assert verdict(figures_of(result)) == "Over 4 days a loss limit of 400 (RULE-003) would have changed no result."


def test_no_effect_in_the_middle_of_a_range() -> None:
    result = found([], 4)
    result["range"] |= {"cruellest": "-298", "kindest": "0"}
    assert verdict(figures_of(result)).endswith("would have changed no result. Range −298 … 0.")


def test_days_acted_on_that_ended_the_same_are_not_hidden() -> None:
    result = found([], 4)
    result["range"] = None
    where = {"account": 99000001, "trade_date": "2025-09-02"}
    action = {"kind": "SetLockout", "rule": "RULE-003", "contract": None}
    result["divergence"] = [where | {"baseline_action": None, "counterfactual_action": action}]
    assert verdict(figures_of(result)).endswith("changed no result. It acted on 1 day that ended the same.")


@pytest.mark.parametrize(
    ("cruellest", "kindest", "doubtful"),
    [("-0.01", "0.01", True), ("0", "0.01", False), ("-0.01", "0", False), ("1", "2", False)],
)
def test_a_range_across_zero_shows_nothing(cruellest: str, kindest: str, doubtful: bool) -> None:
    result = found(BETTER)
    result["range"] |= {"cruellest": cruellest, "kindest": kindest}
    assert any("includes zero" in text for text in doubts(figures_of(result))) is doubtful


@pytest.mark.parametrize(
    ("changes", "subject", "title"),
    [
        ([], "the same settings", "The same settings"),
        ([change(LIMIT, None, "400")], "a loss limit of 400 (RULE-003)", "Loss limit 400"),
        (
            [change(LIMIT, "400", None), change("rules.daily_realized_loss.action", "flatten_and_lock", None)],
            "being without a loss limit (RULE-003)",
            "Loss limit off instead of 400",
        ),
        (
            [change(LIMIT, "400", None), change("rules.daily_realized_loss.action", None, "alert")],
            "these 2 settings",
            "2 other settings",
        ),
        (
            [change(LIMIT, None, 400), change("rules.daily_realized_loss.action", None, "flatten_and_lock")],
            "a loss limit of 400 (RULE-003)",
            "Loss limit 400",
        ),
        (
            [change(LIMIT, "500", "400"), change("rules.daily_realized_loss.action", "alert", "flatten_and_lock")],
            "these 2 settings",
            "2 other settings",
        ),
        (
            [change("rules.daily_unrealized_loss.0.loss_limit", None, "300"), change(LIMIT, "500", "400")],
            "a loss limit of 300 (RULE-004) and a loss limit of 400 (RULE-003)",
            "RULE-004 loss limit 300, RULE-003 loss limit 400 instead of 500",
        ),
        (
            [change("rules.trade_management.trailing_stop.activation_ticks", None, 8)],
            "a trailing stop activation ticks of 8 (RULE-012)",
            "Trailing stop activation ticks 8",
        ),
        ([change(LIMIT, "400", "off")], "being without a loss limit (RULE-003)", "Loss limit off instead of 400"),
        ([change("programme.size", "50K", "100K")], "programme.size = 100K", "programme.size 100K instead of 50K"),
        ([change(f"rules.r{place}.limit", 1, 2) for place in range(4)], "these 4 settings", "4 other settings"),
    ],
)
def test_what_was_changed(changes: list[Row], subject: str, title: str) -> None:
    result = found(BETTER)
    result["stamp"]["settings_diff"] = changes
    assert verdict(figures_of(result)).startswith(f"Over 61 days {subject} would have changed 7:")
    assert headline(figures_of(result))[0] == title


def test_cents_are_shown_where_there_are_any() -> None:
    result = found(BETTER)
    result["effect"]["by_day"][0]["net_pnl"] = "0.10"
    assert "7 better +6.10, 0 worse 0;" in verdict(figures_of(result))


@pytest.mark.parametrize(
    ("before", "title", "subject"),
    [(None, "3 rules switched on", "these 3 rules"), ("1", "6 other settings", "these 6 settings")],
)
def test_rules_that_are_switched_on_are_counted_as_rules(before: str | None, title: str, subject: str) -> None:
    """A pause has no limit that could name it, so such rules are counted, and not each of their fields."""
    result = found(BETTER)
    keys = ("cooldown_after_loss.enabled", "cooldown_after_loss.loss_thresholds.0.loss_amount")
    keys += ("trade_frequency_limit.0.per_hour", "trade_frequency_limit.0.per_minute")
    keys += ("trade_frequency_limit.1.per_hour", "trade_frequency_limit.1.per_minute")
    result["stamp"]["settings_diff"] = [change(f"rules.{key}", before, "5") for key in keys]
    figures = figures_of(result)
    assert headline(figures)[0] == title
    assert verdict(figures).startswith(f"Over 61 days {subject} would have changed 7: ")
