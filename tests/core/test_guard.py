"""LockoutGuard (RULES.md 3.2) and lockouts (3.1)."""

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import money
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

LOSS = {"loss_limit": money("100")}


def locked(**more: object) -> Ledger:
    """A day that is locked and flat."""
    return Ledger(daily_realized_loss={**LOSS, **more}).at("10:00:00").closed("-100")


def guards(day: Ledger) -> list[e.RuleBreached]:
    return [breach for breach in day.breaches if breach.rule == "GUARD"]


def test_a_new_position_during_a_lockout_is_closed_once_per_new_exposure() -> None:
    day = locked().at("10:01:00").fill("ES", 1, "6000")
    assert [breach.contract for breach in guards(day)] == [day.contract("ES")]
    assert day.kinds[-1] == "ClosePosition"
    assert guards(day)[0].figures["lockout"] == "account/RULE-003/day"
    # Further exposure while the close is unmet is already covered; after flat it is a new one.
    day.fill("ES", 1, "6000")
    assert len(guards(day)) == 1
    day.fill("ES", -2, "6000", profit="0").fill("ES", 1, "6000")
    assert len(guards(day)) == 2


def test_lock_only_keeps_what_was_held_and_cuts_only_what_is_added() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "lock_only"}).fill("ES", 2, "6000").closed("-100")
    assert day.kinds == ["SetLockout"]
    day.fill("ES", 1, "6000")
    command = day.commands[-1].command
    assert (command.kind, command.to, command.size) == ("ReducePosition", 2, 1)


def test_the_smallest_size_held_since_the_lockout_is_what_may_be_held() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "lock_only"}).fill("ES", 3, "6000").closed("-100")
    day.fill("ES", -2, "6000", profit="0").fill("ES", 1, "6000")
    assert (day.commands[-1].command.kind, day.commands[-1].command.to) == ("ReducePosition", 1)


def test_a_flip_during_a_lockout_is_closed() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "lock_only"}).push("ES", 2, "6000").closed("-100")
    day.push("ES", -1, "6000")
    assert day.commands[-1].command.kind == "ClosePosition"


def test_a_push_that_completes_a_fill_already_seen_is_no_increase() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "lock_only"})
    day.push("ES", 2, "6000").fill("ES", 2, "6000").fill("ES", 1, "6000").closed("-100").push("ES", 3, "6000")
    assert guards(day) == []


@pytest.mark.parametrize(("size", "answered"), [(-1, False), (-2, False), (-3, True), (1, True)])
def test_an_order_is_an_entry_on_the_same_side_or_when_larger(size: int, answered: bool) -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "lock_only"}).fill("ES", 2, "6000").closed("-100")
    day.order(7, "ES", size, limit="6000")
    assert bool(guards(day)) is answered
    if answered:
        assert (day.commands[-1].command.kind, day.commands[-1].command.order_id) == ("CancelOrder", 7)


def test_an_entry_order_is_answered_once() -> None:
    day = locked().order(7, "ES", 1, status=6).order(7, "ES", 1, status=1).order(8, "ES", 1)
    assert [breach.target for breach in guards(day)] == ["order:7", "order:8"]


def test_other_roots_are_free_under_a_symbol_lockout() -> None:
    day = Ledger(symbol_blocks={"blocked_symbols": ("RTY",)}).fill("RTY", 1, "2000").fill("ES", 1, "6000")
    assert [breach.rule for breach in day.breaches] == ["RULE-011"]


def test_the_third_close_within_a_minute_alerts() -> None:
    day = locked()
    for at in ("10:01:00", "10:01:30", "10:02:00"):
        day.at(at).fill("ES", 1, "6000").fill("ES", -1, "6000", profit="0")
    assert len(guards(day)) == 3
    assert sum("three times" in text for text in day.alerts) == 1


def test_the_third_close_just_after_a_minute_does_not_alert() -> None:
    day = locked()
    for at in ("10:01:00", "10:01:30", "10:02:00.001"):
        day.at(at).fill("ES", 1, "6000").fill("ES", -1, "6000", profit="0")
    assert not any("three times" in text for text in day.alerts)


def test_a_lockout_is_active_before_its_end_and_over_at_it() -> None:
    for at, answered in (("10:04:59.999", 1), ("10:05:00", 0)):
        day = Ledger(cooldown_after_loss={}).at("10:00:00").closed("-100")
        day.at(at).fill("ES", 1, "6000")
        assert len(guards(day)) == answered


def test_the_lockout_until_reset_ends_at_the_reset() -> None:
    day = locked().at("16:59:59.999").fill("ES", 1, "6000").fill("ES", -1, "6000", profit="0")
    assert len(guards(day)) == 1
    day.at("17:00:00").fill("ES", 1, "6000")
    assert len(guards(day)) == 1
    [ended] = day.bodies(e.LockoutEnded)
    assert ended.ended_by == "reset"


def test_a_personal_lockout_flattens_and_cannot_be_undone() -> None:
    day = Ledger(daily_realized_loss=LOSS).at("10:00:00").fill("ES", 1, "6000")
    until = nanoseconds(day.now) + 900 * 10**9
    day.take(e.LockRequested(ACCOUNT, until, "lunch"), "lock:1", "operator")
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]
    day.take(e.OperatorOverride(ACCOUNT, "account/OPERATOR/personal", "I changed my mind"), "override:1", "operator")
    assert "account/OPERATOR/personal" in day.account_state.lockouts
    day.at("10:15:00").tick()
    assert day.account_state.lockouts == {}


def test_a_personal_lockout_may_leave_positions_alone() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("ES", 1, "6000")
    day.take(e.LockRequested(ACCOUNT, nanoseconds(day.now) + 1, "x", flatten=False), "lock:1", "operator")
    assert day.kinds == ["SetLockout"]


def test_an_override_with_reason_ends_a_lockout_but_never_a_condition() -> None:
    day = Ledger(daily_realized_loss=LOSS, auth_loss_guard={}, profile={"operator_unlock": "with_reason"})
    day.closed("-100").account(can_trade=False)
    for lockout in list(day.account_state.lockouts):
        day.take(e.OperatorOverride(ACCOUNT, lockout, "broker said so"), f"override:{lockout}", "operator")
    assert [lockout.kind for lockout in day.account_state.lockouts.values()] == ["condition"]
    day.take(e.OperatorOverride(ACCOUNT, "account/NONE/day", "nothing there"), "override:none", "operator")


def test_setting_a_lockout_again_keeps_the_later_end() -> None:
    day = Ledger(cooldown_after_loss={}).at("10:00:00").closed("-250").at("10:01:00").closed("-100")
    [lockout] = day.account_state.lockouts.values()
    assert lockout.expires_at == nanoseconds(day.at("10:15:00").now)


def test_an_entry_order_during_a_flatten_is_left_to_the_flatten() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("ES", 1, "6000").closed("-100").order(7, "ES", 1)
    assert guards(day) == []


def test_a_lockout_says_why_it_was_set() -> None:
    [lockout] = locked().account_state.lockouts.values()
    assert lockout.reason == "day P&L -100.00 reached the loss limit of 100"
