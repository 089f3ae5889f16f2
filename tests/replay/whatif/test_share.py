"""A shared what-if says nothing about who trades, nor how much money it was about."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from replay.whatif.report import report_html
from replay.whatif.share import LEFT_OUT, share
from riskcore.core.quantities import money
from riskcore.schema.rows import Row
from tests.replay.whatif.sample_result import sample

SECRET = "anna-7781"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path, value


def private() -> Row:
    """A result with something private in every place where there may be some."""
    result = sample(12, (99000001, 99000002))
    position = {
        "contract": "CON.F.US.MNQ.Z25",
        "side": "long",
        "size": 2,
        "average_price": "21000.25",
        "unrealized": "-306.55",
    }
    lockout = {"scope": "account", "rule": "RULE-003", "kind": "until_reset", "set_at": "2025-09-02T15:00:00Z"}
    for course in ("baseline", "counterfactual"):
        for account in result[course]["accounts"]:
            account["positions"] = [position]
            account["lockouts"] = [lockout | {"expires_at": None, "reason": f"{SECRET} lost 517.31"}]
            account["note"] = SECRET
    for row in result["divergence"]:
        row["counterfactual_action"] |= {
            "text": f"{SECRET} 517.31",
            "order": 555001,
            "breach": "b/99000001",
            "scope": SECRET,
        }
    result["stamp"]["sessions"][0]["path"] = f"{SECRET}.jsonl"
    result["stamp"]["command"] = f"riskcore whatif {SECRET}.jsonl --account 99000001"
    result["stamp"]["host"] = SECRET
    result["stamp"]["settings_diff"] += [
        {"key": f'accounts."{SECRET}".max_contracts.limit', "baseline": None, "counterfactual": 5},
        {"key": "profile.accounts", "baseline": [SECRET], "counterfactual": "all"},
        {
            "key": "rules.cooldown_after_loss.loss_thresholds",
            "baseline": None,
            "counterfactual": [{"loss_amount": "517.31"}],
        },
        {"key": "rules.daily_realized_profit.message", "baseline": None, "counterfactual": SECRET},
    ]
    result["assumptions"] |= {"bars": f"{SECRET}/bars", "seed": 4, "bar_path": "point"}
    result["range"]["kindest_of"]["who"] = SECRET
    result["new"] = SECRET
    return result


def test_no_name_no_id_and_no_path_is_left() -> None:
    result = private()
    text = json.dumps(share(result))
    for word in (SECRET, "99000001", "99000002", "50KTC", "555001", ".jsonl", "517.31", "21000.25"):
        assert word not in text
    ids = {row["cause"].partition(":")[2] for row in result["divergence"]}
    assert not any(one in text for one in ids)
    assert report_html(share(result)).count("Account 1") >= 2


def test_no_amount_is_left() -> None:
    result = private()
    amounts = {
        value.lstrip("-")
        for path, value in leaves(result)
        if isinstance(value, str)
        and re.fullmatch(r"-?[0-9]+\.[0-9]{2}", value)
        and path.rpartition(".")[2] not in ("mean_size", "losing_share", "fraction")
    }
    assert len(amounts) > 50
    kept = {str(value).lstrip("-") for _, value in leaves(share(result))}
    assert not amounts & kept
    # 50000 is the size of the account, 400 the limit itself.
    assert not {"50000", "50000.00", "48000.00", "400", "300", "3000"} & kept


def test_an_amount_becomes_a_share_of_the_loss_limit() -> None:
    result = sample(3)
    result["effect"] |= {"net_pnl": "-500", "exact": "100.10", "simulated": "-600.10"}
    shared = share(result)
    assert shared["shared"] == {"amounts": "share of the loss limit"}
    assert [shared["effect"][name] for name in ("net_pnl", "exact", "simulated")] == ["-1.25", "0.25025", "-1.50025"]
    assert share(result, "1000")["effect"]["net_pnl"] == "-0.5"


@pytest.mark.parametrize(
    ("amount", "ratio"), [("0.0001", "0"), ("0.0002", "0.000001"), ("-0.0002", "-0.000001"), ("-0.0001", "0")]
)
def test_a_share_is_rounded_to_a_millionth_away_from_zero(amount: str, ratio: str) -> None:
    result = sample(1)
    result["effect"]["net_pnl"] = amount
    assert share(result)["effect"]["net_pnl"] == ratio


@pytest.mark.parametrize("limit", ["0", "-1"])
def test_a_loss_limit_of_nothing_is_refused(limit: str) -> None:
    with pytest.raises(ValueError, match="above 0"):
        share(sample(1), limit)


def test_shared_figures_still_add_up() -> None:
    shared = share(sample(20))
    for row in shared["effect"]["by_day"]:
        assert abs(money(row["baseline"]) + money(row["net_pnl"]) - money(row["counterfactual"])) <= 2
        assert abs(money(row["exact"]) + money(row["simulated"]) - money(row["net_pnl"])) <= 2


def diff(key: str, before: Any, after: Any) -> Row:
    return {"key": key, "baseline": before, "counterfactual": after}


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ([diff("rules.daily_realized_loss.loss_limit", "1000", "400")], "400"),
        ([diff("rules.daily_realized_loss.loss_limit", "1000", None)], "1000"),
        ([diff("rules.daily_realized_loss.loss_limit", "1000", "off")], "1000"),
        (
            [
                diff("rules.daily_unrealized_loss.loss_limit", None, "300"),
                diff("rules.daily_realized_loss.0.loss_limit", None, "700"),
            ],
            "700",
        ),
        ([diff("group.0.loss_limit", None, 900)], "900"),
        # The closest approach: 100 dollars that are a quarter of the limit.
        ([diff("rules.max_contracts.limit", 4, 5)], "400"),
    ],
)
def test_which_limit_counts_as_one(changes: list[Row], limit: str) -> None:
    result = sample(2)
    near = {"distance": "100.00", "unit": "$", "fraction": "0.25", "at": "2025-09-02T15:00:00Z"}
    row = {
        "account": 99000001,
        "trade_date": "2025-09-02",
        "rule": "RULE-003",
        "baseline": near,
        "counterfactual": near,
    }
    result["closest"] = [row]
    result["stamp"]["settings_diff"] = changes
    result["effect"]["net_pnl"] = limit
    assert share(result)["effect"]["net_pnl"] == "1"


def test_without_any_limit_the_largest_recorded_loss_counts() -> None:
    result = sample(2)
    result["closest"], result["stamp"]["settings_diff"] = [], []
    for row, net in zip(result["effect"]["by_day"], ("-250", "900"), strict=True):
        row["baseline"] = net
    assert [row["baseline"] for row in share(result)["effect"]["by_day"]] == ["-1", "3.6"]


def test_settings_are_open_where_they_say_no_money() -> None:
    result = sample(1)
    result["stamp"]["settings_diff"] = [
        diff("rules.daily_realized_loss.loss_limit", "1000", "400"),
        diff("rules.daily_realized_loss.action", "alert_only", "flatten_and_lock"),
        diff("rules.daily_realized_loss.enabled", None, True),
        diff("rules.daily_realized_profit.profit_target", "off", "800"),
        diff("rules.max_contracts.0.limit", None, 5),
        diff("rules.trade_management.trailing_stop.activation_ticks", None, 8),
        diff("rules.daily_realized_profit.message", None, "for Anna"),
        diff("programme.size", "50K", "100K"),
    ]
    shown = [(row["key"], row["baseline"], row["counterfactual"]) for row in share(result)["stamp"]["settings_diff"]]
    assert shown == [
        ("rules.daily_realized_loss.loss_limit", "250%", "100%"),
        ("rules.daily_realized_loss.action", "alert_only", "flatten_and_lock"),
        ("rules.daily_realized_loss.enabled", None, True),
        ("rules.daily_realized_profit.profit_target", "off", "200%"),
        ("rules.max_contracts.0.limit", None, 5),
        ("rules.trade_management.trailing_stop.activation_ticks", None, 8),
        ("rules.daily_realized_profit.message", None, LEFT_OUT),
        ("programme.…", LEFT_OUT, LEFT_OUT),
    ]


def test_a_shared_report_speaks_of_percent() -> None:
    result = sample(5)
    result["stamp"]["settings_diff"] = [diff("rules.daily_realized_loss.loss_limit", "1000", "400")]
    text = report_html(share(result))
    assert "a loss limit of 100%" in text
    assert "Loss limit 100% instead of 250%" in text
    assert "amounts in percent of the loss limit" in text
    assert "names and ids are replaced" in text


def test_sharing_changes_nothing_in_what_is_shared() -> None:
    result = private()
    before = deepcopy(result)
    share(result)
    assert result == before


def test_quick_and_unpriced_stay_unknown() -> None:
    result = sample(2)
    result["range"], result["effect"]["by_rule"] = None, []
    result["effect"]["by_day"][0]["guard_cost"] = None
    shared = share(result)
    assert shared["range"] is None
    assert shared["effect"]["by_day"][0]["guard_cost"] is None
