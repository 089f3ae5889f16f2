"""RULE-010 AuthLossGuard, to the boundary of RULES.md 5."""

from typing import Any

import pytest

from riskcore.core.events import CommandIssued, ConnectionChanged, LockoutEnded, OperatorOverride
from riskcore.core.rules import by_name
from tests.core.ledger import ACCOUNT, Ledger, clock
from tests.core.test_restart import Restarted

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


# ---- the start of live -------------------------------------------------------------------------------


def switched_on(**settings: Any) -> Restarted:
    """The broker said false before a start at 10:00:00 that is the first one with this rule."""
    desk = Restarted(auth_loss_guard=settings).at("09:58:00").start().connect()
    instances = desk.rulebook.instances(desk.account(can_trade=True).account_state)
    desk.replace_rules()
    desk.at("09:59:00").account(can_trade=False)
    desk.replace_rules(*instances)
    return desk.start("10:00:00").connect()


def asked(desk: Ledger) -> list[str]:
    return command_times(desk, "ConfirmRights")


def test_at_a_start_it_waits_for_what_the_broker_says() -> None:
    desk = switched_on().tick("10:00:01")
    assert (desk.breaches, asked(desk)) == ([], [])
    desk.account(can_trade=True).tick("10:01:00")
    assert (desk.breaches, desk.kinds) == ([], [])


def test_at_a_start_it_judges_the_answer() -> None:
    desk = switched_on().at("10:00:01").account(can_trade=False)
    assert desk.breach_times == ["10:00:01"]


def test_where_the_start_did_not_say_it_asks_once_and_then_goes_by_the_last_word() -> None:
    desk = switched_on().tick("10:00:04.999")
    assert asked(desk) == []
    desk.at("10:00:07").closed("-1").tick("10:00:09.999")
    assert (asked(desk), desk.breaches) == (["10:00:05"], [])
    desk.tick("10:01:00")
    assert (asked(desk)[:1], desk.breach_times) == (["10:00:05"], ["10:00:10"])


def test_nobody_who_cannot_hear_is_given_up_on() -> None:
    desk = (
        switched_on()
        .at("10:00:01")
        .take(ConnectionChanged("user", "lost"), "connection")
        .at("10:00:30")
        .closed("-1")
        .tick("10:01:00")
    )
    assert desk.breaches == []
    desk.take(ConnectionChanged("user", "connected"), "connection").tick("10:01:09.999")
    assert desk.breaches == []
    assert desk.tick("10:01:10").breach_times == ["10:01:10"]


def test_without_the_check_the_last_word_counts_at_once() -> None:
    assert switched_on(check_on_startup=False).breach_times == ["10:00:00"]


def test_a_lockout_that_was_in_force_stays_while_the_answer_is_awaited() -> None:
    desk = Restarted(auth_loss_guard={}).at("09:58:00").start().connect().account(can_trade=False)
    assert isinstance(desk, Restarted)
    desk.start("10:00:00").connect()
    assert is_locked(desk)
    assert not is_locked(desk.at("10:00:01").account(can_trade=True))
