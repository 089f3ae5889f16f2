"""A rule from outside the package is a rule like any other: nothing knows the package's own rules by name."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from riskcore.audit.blindness import blind_rows, unseeded_rules
from riskcore.audit.limits import gauges
from riskcore.audit.status import view_of
from riskcore.core import rules
from riskcore.core.loosening import compare, in_force_now
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.rulebook import title_of
from riskcore.core.rules.base import OPEN_LOSS, Action, Rule
from riskcore.core.rules.commands import lock_until_reset
from riskcore.engine.snapshot_schedule import PERIOD_NS, period_of
from riskcore.settings.config import read_settings
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger
from tests.core.rules.outside import NAME, RULE, UNDECLARED, added
from tests.core.test_restart import Restarted, begun

YESTERDAY = datetime(2026, 11, 19, 14, 0, tzinfo=CHICAGO)
LIMIT: dict[str, Any] = {NAME: {"loss_limit": money("100")}}


@pytest.fixture
def outside() -> Iterator[Rule]:
    with added(RULE):
        yield RULE


@pytest.fixture
def undeclared() -> Iterator[Rule]:
    with added(UNDECLARED):
        yield UNDECLARED


@pytest.mark.parametrize(("profit", "breaches"), [("-99.99", 0), ("-100", 1), ("-100.01", 1)])
def test_it_judges(outside: Rule, profit: str, breaches: int) -> None:
    day = Ledger(**LIMIT).closed(profit)
    assert len(day.breaches) == breaches
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"] * breaches


# ---- a fill of yesterday -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [RULE, UNDECLARED], ids=["declared", "undeclared"])
def test_a_fill_of_yesterday_is_recorded_and_locks_nothing_today(rule: Rule) -> None:
    with added(rule):
        day = Ledger(**LIMIT).fill("MNQ", -1, "21000", profit="-100", created=YESTERDAY)
    [breach] = day.breaches
    assert (breach.rule, breach.target, breach.flags) == ("RULE-990", "late.2026-11-19", ("late",))
    assert day.commands == []
    assert not day.account_state.lockouts


def test_the_same_function_by_the_name_of_a_rule_of_the_package_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    named = replace(RULE, id="RULE-003", name="daily_realized_loss")
    monkeypatch.setitem(rules._BY_NAME, named.name, named)
    day = Ledger(daily_realized_loss=LIMIT[NAME]).fill("MNQ", -1, "21000", profit="-100", created=YESTERDAY)
    assert ([breach.flags for breach in day.breaches], day.commands) == ([("late",)], [])


def test_what_a_late_fill_leads_to_without_a_breach_comes_to_nothing_too() -> None:
    """A lockout that a rule asks for in an Action is a lockout today as well."""
    acting = replace(
        UNDECLARED,
        evaluate=lambda params, view: (
            [Action("now", (lock_until_reset("lost"),))] if view.day.realised_usd("net") else []
        ),
    )
    with added(acting):
        late = Ledger(**LIMIT).fill("MNQ", -1, "21000", profit="-100", created=YESTERDAY)
        today = Ledger(**LIMIT).fill("MNQ", -1, "21000", profit="-100")
    assert (late.kinds, today.kinds) == ([], ["SetLockout"])


def test_a_rule_that_judges_what_there_is_now_acts_on_a_late_fill_too() -> None:
    holding = replace(
        UNDECLARED, evaluate=lambda params, view: [Action("now", (lock_until_reset("held"),))] * bool(view.held())
    )
    with added(holding):
        day = Ledger(**LIMIT).fill("MNQ", 1, "21000", created=YESTERDAY)
    assert day.kinds == ["SetLockout"]


# ---- a restart ---------------------------------------------------------------------------------------


def test_after_a_start_it_waits_for_the_fills_it_needs(outside: Rule) -> None:
    desk = begun(**LIMIT).closed("-50")
    assert isinstance(desk, Restarted)
    desk.start("10:00:00").connect()
    assert unseeded_rules(desk.book, desk.rulebook, desk.account_state) == ["RULE-990"]
    desk.closed("-50")
    assert desk.breaches == []
    desk.snapshot()
    assert [breach.rule for breach in desk.breaches] == ["RULE-990"]


def test_after_a_start_it_judges_at_once_where_it_waits_for_nothing() -> None:
    with added(replace(RULE, waits_for=())):
        desk = begun(**LIMIT).closed("-50")
        assert isinstance(desk, Restarted)
        desk.start("10:00:00").connect().closed("-50")
    assert [breach.rule for breach in desk.breaches] == ["RULE-990"]


# ---- blindness ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lacks", "blind"), [(("trades",), True), (("orders",), False)])
def test_it_is_blind_without_what_it_needs(outside: Rule, lacks: tuple[str, ...], blind: bool) -> None:
    day = Ledger(lacks=lacks, **LIMIT).closed("-100")
    view = view_of(day.book, day.rulebook, day.account_state)
    rows = [row["name"] for row in blind_rows(day.book, day.rulebook, day.account_state, view)]
    assert rows == [NAME] * blind
    assert len(day.breaches) == (not blind)
    states = [gauge.state for gauge in gauges(day.book, day.rulebook, day.account_state, view)]
    assert ("blind" in states) == blind


# ---- what people see ---------------------------------------------------------------------------------


def test_its_gauges_are_shown(outside: Rule) -> None:
    day = Ledger(**LIMIT).closed("-40")
    view = view_of(day.book, day.rulebook, day.book.accounts[ACCOUNT])
    rows = {gauge.reading.name: gauge.row() for gauge in gauges(day.book, day.rulebook, day.account_state, view)}
    assert list(rows) == ["closed loss", "fills"]
    assert rows["closed loss"] == {
        "account": ACCOUNT,
        "rule": "RULE-990",
        "contract": None,
        "name": "closed loss",
        "kind": "loss",
        "now": "-40.00",
        "limit": "100",
        "unit": "$",
        "left": "60.00",
        "ticks": None,
        "used": "0.4",
        "state": "ok",
        "until": None,
        "text": "closed loss -40.00, the limit 100: 60.00 left",
    }


def test_a_gauge_is_never_below_zero(outside: Rule) -> None:
    day = Ledger(**LIMIT).closed("40")
    view = view_of(day.book, day.rulebook, day.account_state)
    [row] = [one.row() for one in gauges(day.book, day.rulebook, day.account_state, view) if one.reading.kind == "loss"]
    assert (row["now"], row["used"], row["left"]) == ("40.00", "0", "140.00")


def test_its_warnings_are_given_at_its_address(outside: Rule) -> None:
    warning = f"rules.{NAME} sees no open loss: add [rules.daily_unrealized_loss]"
    assert warning in read_settings(f"[rules.{NAME}]").warnings
    for bounding in ("[rules.daily_unrealized_loss]", '[rules.daily_realized_loss]\nbasis = "combined"'):
        assert warning not in read_settings(f"[rules.{NAME}]\n{bounding}").warnings
    assert read_settings(f"[[rules.{NAME}]]\n[[rules.{NAME}]]").warnings.count(warning) == 1
    of_account = read_settings(f"[accounts.A.rules.{NAME}]\nloss_limit = 5").warnings
    assert f"accounts.A.{warning}" in of_account


def test_what_it_bounds_quiets_the_warnings_of_others_and_is_advised() -> None:
    with added(replace(RULE, bounds=lambda params: (OPEN_LOSS,), warnings=None)):
        alone = read_settings("[rules.daily_realized_loss]").warnings
        both = read_settings(f"[rules.daily_realized_loss]\n[rules.{NAME}]").warnings
        idle = read_settings(f"[rules.daily_realized_loss]\n[rules.{NAME}]\nenabled = false").warnings
    assert any(f"add [rules.daily_unrealized_loss] or [rules.{NAME}] or basis" in text for text in alone)
    assert not any("open loser" in text for text in both)
    assert any("open loser" in text for text in idle)


# ---- settings ----------------------------------------------------------------------------------------


def plain(loss_limit: int, base: int) -> dict[str, Any]:
    return read_settings(f"[rules.{NAME}]\nloss_limit = {loss_limit}\nbase = {base}").plain


@pytest.mark.parametrize(("loss_limit", "base", "loosened"), [(60, 39, False), (60, 40, False), (60, 41, True)])
def test_fields_that_limit_together_loosen_together(outside: Rule, loss_limit: int, base: int, loosened: bool) -> None:
    old, new = plain(50, 50), plain(loss_limit, base)
    assert [change.loosens for change in compare(old, new)] == [loosened, loosened]
    (table,) = in_force_now(old, new)["rules"][NAME]
    expected = old if loosened else new
    assert table == expected["rules"][NAME][0]


@pytest.mark.parametrize("on_by_default", [True, False])
def test_it_is_on_by_default_or_only_when_it_is_enabled(on_by_default: bool) -> None:
    with added(replace(RULE, on_by_default=on_by_default)):
        (table,) = read_settings(f"[rules.{NAME}]").plain["rules"][NAME]
        (enabled,) = read_settings(f"[rules.{NAME}]\nenabled = true").plain["rules"][NAME]
    assert (table["enabled"], enabled["enabled"]) == (on_by_default, True)


@pytest.mark.parametrize(("seconds", "period_ns"), [(0, PERIOD_NS), (20, 20 * SECOND_NS), (60, PERIOD_NS)])
def test_the_broker_is_asked_as_often_as_it_wants(outside: Rule, seconds: int, period_ns: int) -> None:
    day = Ledger(**{NAME: {"ask_seconds": seconds}}).closed("-1")
    assert period_of(day.rulebook, [day.account_state]) == period_ns


# ---- the registry ------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"id": "RULE-003"}, {"name": "daily_realized_loss"}, {"id": "BLIND"}])
def test_an_id_or_name_is_given_once(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="already"):
        rules.add(replace(RULE, **changes))
    assert NAME not in [rule.name for rule in rules.RULES]


def test_it_has_a_title_while_it_is_a_rule(outside: Rule) -> None:
    assert title_of("RULE-990") == RULE.title
    assert title_of("BLIND") == "Lost sight of the broker"
    assert title_of("RULE-991") is None
