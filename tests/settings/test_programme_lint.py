"""Limits of the trader's own beside the firm's: looser is told, as tight is not (riskcore config check)."""

import pytest

from riskcore.settings.config import read_settings
from riskcore.settings.programme_lint import programme_notes

DAY = "[rules.daily_realized_loss]\nbasis = 'combined'\nloss_limit = "
ALL = "[rules.max_contracts]\nlimit = "
WEIGHTED = "[rules.max_contracts]\nweighting = 'mini_equivalent'\nlimit = "
ROOT = "[rules.max_contracts_per_instrument]\ndefault_limit = 1\nlimits = "
GAIN = "[rules.daily_realized_profit]\nprofit_target = "
XFA = "stage = 'xfa'\n"
BOUGHT = "daily_loss_limit = 'standard'\n"


def warnings(text: str) -> list[str]:
    return read_settings(f"[programme]\n{text}").warnings


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"{BOUGHT}{DAY}999.99", None),
        (f"{BOUGHT}{DAY}1000", None),
        (f"{BOUGHT}{DAY}1000.01", "loss_limit = 1000.01: looser than the firm's daily loss limit of 1000"),
        (f"{DAY}2000", None),
        (f"{DAY}2000.01", "looser than the firm's maximum loss of 2000, which ends the account"),
        ("[rules.daily_unrealized_loss]\nloss_limit = 2000.01", "looser than the firm's maximum loss of 2000"),
        ("[rules.daily_unrealized_loss]\nloss_limit = 2000", None),
        (f"{ALL}5", None),
        (f"{ALL}6", "rules.max_contracts.limit = 6: counts every contract as one"),
        (f"{WEIGHTED}5", None),
        (f"{WEIGHTED}6", "rules.max_contracts.limit = 6: looser than the firm's cap of 5 minis"),
        (f"{XFA}{WEIGHTED}5", None),
        (f"{XFA}{WEIGHTED}6", "looser than the firm's cap of 5 minis"),
        (f"{ROOT}{{ GC = 3 }}", None),
        (f"{ROOT}{{ GC = 4 }}", "limits.GC = 4: looser than the firm's cap of 3 contracts"),
        (f"{ROOT}{{ SI = 1 }}", "limits.SI = 1: looser than the firm's cap of 0 contracts"),
        (f"{ROOT}{{ MNQ = 50 }}", None),
        (f"{ROOT}{{ MNQ = 51 }}", "limits.MNQ = 51: looser than the firm's cap of 50 contracts"),
        (f"{GAIN}1650", None),
        (f"{GAIN}1650.01", "profit_target = 1650.01: above 1650.00, the largest day"),
        (f"{XFA}{GAIN}9999", None),
        ("mll_buffer = 2000", None),
        ("mll_buffer = 2000.01", "programme.mll_buffer = 2000.01: larger than the whole room of 2000"),
        ("stage = 'practice'\nmll_buffer = 9000", None),
    ],
)
def test_looser_than_the_firm(text: str, part: str | None) -> None:
    found = warnings(text)
    if part is None:
        assert found == []
    else:
        assert [one for one in found if part in one], found


def test_a_limit_in_shadow_is_not_compared() -> None:
    assert not [one for one in warnings(f"{DAY}2000.01\nshadow = true") if "looser" in one]


def test_a_limit_on_closed_trades_alone_is_told_beside_a_programme_too() -> None:
    found = warnings("[rules.daily_realized_loss]\nloss_limit = 500")
    assert any("cannot stop an open loser" in one for one in found)


def test_an_account_is_compared_with_its_own_terms() -> None:
    text = f"size = '150K'\n{WEIGHTED}15\n"
    text += "[accounts.A.programme]\nsize = '50K'\n[accounts.B.rules.max_contracts]\nlimit = 16"
    found = warnings(text)
    assert [one.split(":")[0] for one in found] == [
        "accounts.A.rules.max_contracts.limit = 15",
        "accounts.B.rules.max_contracts.limit = 16",
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("created = 2026-09-10", "one day may make 1650.00 (55 % of the target) before the target grows"),
        ("created = 2026-09-09", 'profit_target = "1500"'),
        ("size = '150K'\ncreated = 2026-09-10", '[rules.daily_realized_profit] profit_target = "4950"'),
        ("consistency = 'off'", None),
        (XFA, None),
        (f"created = 2026-09-10\n{GAIN}1000", None),
        (f"created = 2026-09-10\n{GAIN}1000\nshadow = true", "one day may make"),
    ],
)
def test_the_figure_for_consistency_is_proposed(text: str, part: str | None) -> None:
    notes = programme_notes(read_settings(f"[programme]\n{text}").plain)
    assert notes == [] if part is None else part in notes[0]


@pytest.mark.parametrize(
    ("text", "noted"),
    [("", True), ("created = 2026-09-09", False), ("consistency = 0.55", False), ("consistency = 'off'", False)],
)
def test_a_day_of_purchase_that_is_missing_is_noted_where_it_decides(text: str, noted: bool) -> None:
    notes = programme_notes(read_settings(f"[programme]\n{text}").plain)
    told = "programme.created is not given (created_unknown): one day may be 55 % of the profit, as for an account"
    assert any(one.startswith(told) for one in notes) == noted
    assert programme_notes(read_settings("[programme]\nstage = 'xfa'").plain) == []


PERIOD = "[[rules.period_loss]]\nperiod = '{}'\nloss_limit = {}"


@pytest.mark.parametrize("period", ["weekly", "monthly"])
@pytest.mark.parametrize(("limit", "looser"), [("1999.99", False), ("2000", False), ("2000.01", True)])
def test_a_longer_period_is_compared_with_what_ends_the_account(period: str, limit: str, looser: bool) -> None:
    """It may lose more than the firm lets one day lose."""
    found = [one for one in warnings(BOUGHT + PERIOD.format(period, limit)) if "looser" in one]
    expected = f"rules.period_loss.loss_limit = {limit}: looser than the firm's maximum loss of 2000, which ends"
    assert [one.startswith(expected) for one in found] == [True] * looser
