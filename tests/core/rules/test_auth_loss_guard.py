"""RULE-010 AuthLossGuard, to the boundary of RULES.md 5."""

import pytest

from riskcore.core.events import CommandIssued, LockoutEnded, OperatorOverride
from riskcore.core.rules import by_name
from tests.core.ledger import ACCOUNT, Ledger, clock

LOCKOUT = "account/RULE-010/can_trade"


def guarded(**settings: object) -> Ledger:
    return Ledger(auth_loss_guard=dict(settings), start="2026-11-20 09:00:00")


def command_times(day: Ledger, kind: str) -> list[str]:
    return [
        clock(event.at)
        for event in day.events
        if isinstance(event.body, CommandIssued) and event.body.command.kind == kind
    ]


def is_locked(day: Ledger) -> bool:
    return LOCKOUT in day.account_state.lockouts


def test_rule_010_example_1_lock_at_once_flatten_after_five_seconds_and_no_reset_ends_it() -> None:
    day = guarded().fill("MNQ", 1, "21000").fill("ES", 1, "5900").at("14:30:00").account(can_trade=False)
    assert day.kinds == ["SetLockout", "CancelOrders"]
    lockout = day.account_state.lockouts[LOCKOUT]
    assert (lockout.kind, lockout.expires_at) == ("condition", None)
    day.tick("14:30:05")
    assert day.kinds == ["SetLockout", "CancelOrders", "CancelOrders", "CloseAllPositions"]
    assert command_times(day, "CloseAllPositions") == ["14:30:05"]
    assert is_locked(day.tick("17:30:00"))
    assert not is_locked(day.at("2026-11-23 09:00:00").account(can_trade=True))
    assert day.kinds[-1] == "ClearLockout"
    assert [(ended.lockout, ended.ended_by) for ended in day.bodies(LockoutEnded)] == [(LOCKOUT, "restored")]
    assert day.breach_times == ["14:30:00"]
    assert day.breaches[0].figures == {"can_trade": "false"}


@pytest.mark.parametrize("can_trade", [True, False])
def test_rule_010_example_2_an_update_without_the_field_changes_nothing(can_trade: bool) -> None:
    day = guarded().account(can_trade=can_trade)
    before = day.kinds
    day.account(balance="50000")
    assert (day.kinds, is_locked(day)) == (before, not can_trade)
    assert day.alerts == []


def test_rule_010_example_3_flatten_only_after_five_seconds_without_a_break() -> None:
    day = guarded().fill("MNQ", 1, "21000").at("10:00:00").account(can_trade=False)
    day.at("10:00:04").account(can_trade=True).at("10:00:15").account(can_trade=False).tick("10:05:00")
    assert day.breach_times == ["10:00:00", "10:00:15"]
    assert command_times(day, "SetLockout") == ["10:00:00", "10:00:15"]
    assert command_times(day, "ClearLockout") == ["10:00:04"]
    assert command_times(day, "CloseAllPositions") == ["10:00:20"]


@pytest.mark.parametrize(("at", "closes"), [("10:00:04.999", 0), ("10:00:05", 1), ("10:00:06", 1)])
def test_rights_that_come_back_at_the_very_instant_are_too_late(at: str, closes: int) -> None:
    day = guarded().fill("MNQ", 1, "21000").at("10:00:00").account(can_trade=False)
    day.at(at).account(can_trade=True).tick("10:05:00")
    assert len(command_times(day, "CloseAllPositions")) == closes


def test_nothing_repeats_while_it_stays_false() -> None:
    day = guarded().at("10:00:00").account(can_trade=False).account(can_trade=False)
    day.at("10:00:07").account(can_trade=False).at("11:00:00").account(can_trade=False)
    assert (len(day.breaches), command_times(day, "CloseAllPositions")) == (1, ["10:00:05"])


def test_without_delay_the_flatten_comes_at_once() -> None:
    day = guarded(flatten_after_seconds=0).at("10:00:00").account(can_trade=False).tick("10:01:00")
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]


def test_entry_orders_are_cancelled_at_once() -> None:
    day = guarded().order(7, "MNQ", 1, limit="20900").at("10:00:00").account(can_trade=False)
    cancel = next(one for one in day.account_state.obligations.values() if one.kind == "CancelOrders")
    assert cancel.order_ids == (7,)


def test_the_lockout_stays_when_it_is_not_to_end_by_itself() -> None:
    day = guarded(auto_unlock_on_restore=False).account(can_trade=False).account(can_trade=True)
    assert is_locked(day)
    assert "ClearLockout" not in day.kinds
    day.account(can_trade=False)
    assert len(day.breaches) == 2


def test_only_its_own_lockout_ends() -> None:
    day = Ledger(auth_loss_guard={}, daily_realized_loss={"loss_limit": 100_000_000}).closed("-100")
    day.account(can_trade=False).account(can_trade=True)
    assert list(day.account_state.lockouts) == ["account/RULE-003/day"]


def test_an_operator_cannot_end_it() -> None:
    day = Ledger(auth_loss_guard={}, profile={"operator_unlock": "with_reason"}).account(can_trade=False)
    day.take(OperatorOverride(ACCOUNT, LOCKOUT, "let me"))
    assert is_locked(day)


# ---- never known -------------------------------------------------------------------------------------


def test_an_account_that_was_never_described_is_not_talked_about() -> None:
    day = guarded().closed("-10").tick("10:00:00")
    assert (day.breaches, day.commands) == ([], [])


def test_an_account_described_without_the_field_is_told_once() -> None:
    day = guarded().account(balance="50000").account(balance="50001")
    assert (len(day.alerts), day.kinds, day.breaches) == (1, [], [])


def test_unknown_can_lock_until_the_broker_says() -> None:
    day = guarded(on_unknown="lock").fill("MNQ", 1, "21000")
    assert day.kinds == ["SetLockout", "CancelOrders"]
    assert (len(day.alerts), is_locked(day)) == (1, True)
    day.at("10:00:00").account(balance="50000").tick("10:01:00")
    assert (len(day.breaches), command_times(day, "CloseAllPositions")) == (1, [])
    assert not is_locked(day.account(can_trade=True))
    assert len(day.account(balance="50000").breaches) == 1


def test_unknown_that_turns_out_false_is_a_breach_of_its_own() -> None:
    day = guarded(on_unknown="lock").closed("-10").at("10:00:00").account(can_trade=False).tick("10:01:00")
    assert [breach.target for breach in day.breaches] == ["can_trade.unknown", "can_trade"]
    assert command_times(day, "CloseAllPositions") == ["10:00:05"]


@pytest.mark.parametrize(("seconds", "valid"), [(0, True), (1, False), (29, False), (30, True), (3600, True)])
def test_the_interval_of_verification_is_zero_or_thirty_and_more(seconds: int, valid: bool) -> None:
    rule = by_name("auth_loss_guard")
    if valid:
        assert rule.build({"verify_interval_seconds": seconds}).verify_interval_seconds == seconds
    else:
        with pytest.raises(ValueError, match="0 for never, or 30 to 3600"):
            rule.build({"verify_interval_seconds": seconds})
