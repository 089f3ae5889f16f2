"""Settings edited while a day runs: what tightens counts at once, what loosens at the reset (RULES.md 1.6)."""

import pytest

from riskcore.core import events as e
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.state import Book
from riskcore.schema.codec import state_hash
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger


def running(limit: int) -> Ledger:
    return Ledger(settings=settings(limit))


def settings(limit: int) -> dict[str, object]:
    return read_settings(f"[profile]\n[rules.max_contracts]\nlimit = {limit}\n").plain


def changed(day: Ledger, limit: int) -> Ledger:
    day.take(e.ConfigChanged(settings(limit)), "config:1", "operator")
    return day


def test_a_tighter_limit_is_judged_at_once() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]
    assert day.kinds == ["ReducePosition"]


def test_a_looser_limit_waits() -> None:
    day = changed(running(3), 5).fill("MNQ", 4, "21000")
    assert [breach.figures["limit"] for breach in day.breaches] == ["3"]


def test_a_rebuild_judges_by_the_settings_of_each_moment() -> None:
    day = changed(running(5).fill("MNQ", 4, "21000"), 3)
    again = Book(settings=settings(5))
    for event in day.events[:1]:
        rebuild(again, rulebook_of(again.settings), [event])
    again.settings = settings(5)
    rebuild(again, rulebook_of(again.settings), day.events[1:])
    assert state_hash(again) == state_hash(day.book)


BLOCKED = '[[rules.symbol_blocks]]\nblocked_symbols = ["RTY"]\n[[rules.symbol_blocks]]\nblocked_symbols = ["ES"]\n'
IMMEDIATE = '[profile]\nloosen_policy = "immediate"\n'


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (BLOCKED, {"symbol:RTY", "symbol:ES"}),
        ('[[rules.symbol_blocks]]\nblocked_symbols = ["RTY"]\n', {"symbol:RTY"}),
        ("[rules.max_contracts]\n", set()),
        ("[[rules.symbol_blocks]]\nenabled = false\n[[rules.symbol_blocks]]\nenabled = false\n", set()),
    ],
)
def test_a_block_ends_with_the_table_that_set_it(rules: str, left: set[str]) -> None:
    """Nothing else would ever end it, and the operator may not (RULE-011, Config)."""
    day = Ledger(settings=read_settings(IMMEDIATE + BLOCKED).plain)
    day.push("RTY", 1).push("ES", 1)
    assert {one.scope for one in day.account_state.lockouts.values()} == {"symbol:RTY", "symbol:ES"}
    day.take(e.ConfigChanged(read_settings(IMMEDIATE + rules).plain), "config:1", "operator")
    assert {one.scope for one in day.account_state.lockouts.values()} == left
    assert {body.ended_by for body in day.bodies(e.LockoutEnded)} <= {"config"}


def test_a_lockout_of_lost_rights_ends_with_its_rule() -> None:
    day = Ledger(settings=read_settings(f"{IMMEDIATE}[rules.auth_loss_guard]\n").plain)
    day.account(can_trade=False)
    assert len(day.account_state.lockouts) == 1
    day.take(e.ConfigChanged(read_settings(IMMEDIATE).plain), "config:1", "operator")
    assert day.account_state.lockouts == {}


def under(rules: str, *, loosening: bool = False) -> dict[str, object]:
    return read_settings(f"{IMMEDIATE if loosening else '[profile]'}\n{rules}").plain


def edited(day: Ledger, settings: dict[str, object], number: int = 1) -> Ledger:
    return day.take(e.ConfigChanged(settings), f"config:{number}", "operator")


TOTALS = [
    ("[rules.daily_realized_loss]\nloss_limit = ", "-500", "-99.99", "-0.01"),
    ("[rules.daily_realized_profit]\nprofit_target = ", "500", "99.99", "0.01"),
    ("[rules.period_loss]\nloss_limit = ", "-500", "-99.99", "-0.01"),
]


@pytest.mark.parametrize(("rule", "reached", "within", "rest"), TOTALS)
def test_a_total_breaches_once_under_each_setting(rule: str, reached: str, within: str, rest: str) -> None:
    """RULES.md 7: a `flatten` acts again when the limit is raised."""
    day = Ledger(settings=under(f"{rule}500\naction = 'flatten'", loosening=True)).closed(reached).closed(rest)
    assert len(day.breaches) == 1
    edited(day, under(f"{rule}600.01\naction = 'flatten'", loosening=True)).closed(within)
    assert len(day.breaches) == 1
    assert len(day.closed(rest).closed(rest).breaches) == 2


def test_a_limit_that_was_reached_in_shadow_acts_once_it_is_out_of_it() -> None:
    rule = "[rules.daily_realized_loss]\nloss_limit = 500\n"
    day = edited(Ledger(settings=under(f"{rule}shadow = true")).closed("-500"), under(rule))
    assert [lockout.kind for lockout in day.account_state.lockouts.values()] == ["until_reset"]
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]


@pytest.mark.parametrize(
    "change", ["locked = true", "warn_at = [0.5]", "[rules.max_contracts]", "enabled = false", "loss_limit = 1000"]
)
def test_what_leaves_the_limit_in_force_as_it_is_breaches_nothing_again(change: str) -> None:
    """A looser limit waits for the reset, and one that is switched off holds until then."""
    rule = "[rules.daily_realized_loss]\n"
    day = Ledger(settings=under(rule)).closed("-500")
    edited(day, under(rule + change))
    edited(day, under(rule), 2)
    assert [breach.rule for breach in day.breaches] == ["RULE-003"]


def test_a_rule_that_was_off_for_a_while_breaches_no_second_time() -> None:
    rule = "[rules.daily_realized_loss]\naction = 'flatten'\n"
    day = Ledger(settings=under(rule, loosening=True)).closed("-500")
    edited(day, under(f"{rule}enabled = false", loosening=True)).closed("-1")
    assert len(edited(day, under(rule, loosening=True), 2).closed("-1").breaches) == 1


def test_a_rebuild_forgets_the_same_breaches() -> None:
    rule = "[rules.daily_realized_loss]\nloss_limit = 500\n"
    day = edited(Ledger(settings=under(f"{rule}shadow = true")).closed("-500"), under(rule)).closed("-1")
    again = Book(settings=under(f"{rule}shadow = true"))
    rebuild(again, rulebook_of(again.settings), day.events)
    assert state_hash(again) == state_hash(day.book)
