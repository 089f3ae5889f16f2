"""The turn: time, order, arbitration, faults, days (RULES.md 1.1, 1.4, 1.6, 3.3, 3.5)."""

from dataclasses import replace
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.copies import copy_book
from riskcore.core.project import settle
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rules import daily_unrealized_loss
from riskcore.core.state import Book, Obligation
from riskcore.core.step import Turn
from riskcore.core.timers import TimerFailed
from riskcore.schema.codec import state_hash
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

LOSS = {"loss_limit": money("100")}


def test_the_book_given_is_never_changed() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("MNQ", 1, "21000")
    before, kept = state_hash(day.book), day.book
    day.fill("MNQ", -1, "20900", profit="-200").order(3, "ES", 1).push("MNQ", 0).mark("ES", "6000")
    assert state_hash(kept) == before
    assert state_hash(copy_book(day.book)) == state_hash(day.book)


def test_a_timer_due_at_the_instant_of_an_event_comes_first() -> None:
    day = Ledger(cooldown_after_loss={}).at("10:00:00").closed("-100").at("10:05:00").fill("MNQ", 1, "21000")
    kinds = [type(event.body).__name__ for event in day.events]
    assert kinds.index("LockoutEnded") == len(kinds) - 2


def test_timers_due_together_run_by_rule_and_account() -> None:
    day = Ledger(cooldown_after_loss={}).at("10:00:00").closed("-100").closed("-100", account=99000002)
    day.at("10:06:00").tick()
    assert [ended.account for ended in day.bodies(e.LockoutEnded)] == [ACCOUNT, 99000002]


def test_a_timer_fires_at_its_own_time_however_late_the_next_event_is() -> None:
    day = Ledger(cooldown_after_loss={}).at("10:00:00").closed("-100").at("12:00:00").tick()
    [ended] = [event for event in day.events if isinstance(event.body, e.LockoutEnded)]
    assert ended.at == nanoseconds(day.now) - (115 * 60) * 10**9
    assert ended.key.startswith("timer:RULE-007:99000001:account/RULE-007/cooldown@")


def test_commands_of_several_rules_become_one_set_named_after_the_strongest() -> None:
    day = Ledger(
        daily_realized_loss={"loss_limit": money("500"), "basis": "combined"},
        daily_unrealized_loss={"loss_limit": money("300"), "scope": "total"},
    )
    day.fill("MNQ", 1, "21000").mark("MNQ", "20750")
    assert sorted(breach.rule for breach in day.breaches) == ["RULE-003", "RULE-004"]
    closes = [issued for issued in day.commands if issued.command.kind == "CloseAllPositions"]
    assert [issued.rule for issued in closes] == ["RULE-003"]


def test_a_close_in_force_absorbs_what_comes_later() -> None:
    day = Ledger(max_contracts={"limit": 1}, daily_unrealized_loss={"loss_limit": money("300")})
    day.fill("MNQ", 1, "21000").mark("MNQ", "20850").fill("MNQ", 1, "20850")
    assert day.kinds == ["ClosePosition"]
    assert [breach.rule for breach in day.breaches] == ["RULE-004", "RULE-001"]


def test_a_lower_level_replaces_nothing_but_is_a_command_of_its_own() -> None:
    day = Ledger(max_contracts={"limit": 3}, max_contracts_per_instrument={"limits": {"MNQ": 1}})
    day.fill("MNQ", 4, "21000")
    assert [(issued.command.kind, issued.command.to) for issued in day.commands] == [("ReducePosition", 1)]


def test_an_obligation_ends_only_when_it_is_met() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("ES", 1, "6000").closed("-100")
    assert [obligation.kind for obligation in day.account_state.obligations.values()] == ["CloseAllPositions"]
    day.at("2026-11-20 17:30:00").tick()
    assert day.account_state.lockouts == {}
    assert len(day.account_state.obligations) == 1
    day.fill("ES", -1, "6000", profit="0")
    assert day.account_state.obligations == {}


def test_cancel_is_bound_to_the_orders_that_work_when_it_is_issued() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "action": "flatten_and_lock"}).order(5, "ES", 1).closed("-100")
    assert [one.order_ids for one in day.account_state.obligations.values() if one.kind == "CancelOrders"] == [(5,)]
    day.order(5, "ES", 1, status=3)
    assert day.account_state.obligations == {}


def test_shadow_records_and_emits_nothing() -> None:
    day = Ledger(daily_realized_loss={**LOSS, "shadow": True}).closed("-100")
    assert [breach.shadow for breach in day.breaches] == [True]
    assert day.commands == []


def test_strict_mode_turns_every_breach_into_a_flatten_and_a_lockout() -> None:
    day = Ledger(max_contracts={"limit": 1}, profile={"strict_mode": True}).fill("MNQ", 2, "21000")
    assert day.kinds == ["SetLockout", "CancelOrders", "CloseAllPositions"]


def test_a_rule_given_twice_decides_twice() -> None:
    day = Ledger(daily_realized_loss=[{"loss_limit": money("50"), "action": "lock_only"}, LOSS]).closed("-60")
    assert day.kinds == ["SetLockout"]
    day.closed("-40")
    assert [breach.rule_key for breach in day.breaches if breach.rule != "GUARD"] == [
        "daily_realized_loss.0",
        "daily_realized_loss.1",
    ]


def test_a_rule_that_raises_fails_closed_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(params: Any, view: Any) -> Any:
        raise ZeroDivisionError("by zero")

    day = Ledger(daily_unrealized_loss={}, daily_realized_loss=LOSS)
    rules = day.rulebook.instances(day.fill("ES", 1, "6000").account_state)
    replaced = tuple(
        replace(one, rule=replace(one.rule, evaluate=broken)) if one.rule is daily_unrealized_loss.RULE else one
        for one in rules
    )
    day.replace_rules(*replaced)
    day.closed("-100")
    [fault] = day.bodies(e.RuleFaulted)
    assert (fault.rule, fault.text) == ("RULE-004", "ZeroDivisionError: by zero")
    assert "account/RULE-004/fault" in day.account_state.lockouts
    assert [breach.rule for breach in day.breaches] == ["RULE-003"]
    day.mark("ES", "6000")
    assert len(day.bodies(e.RuleFaulted)) == 1


def test_a_rule_whose_memory_raises_fails_closed_too() -> None:
    def broken(params: Any, view: Any) -> Any:
        raise KeyError("lost")

    day = Ledger(daily_unrealized_loss={})
    [one, *rest] = day.rulebook.instances(day.fill("ES", 1, "6000").account_state)
    day.replace_rules(replace(one, rule=replace(one.rule, remember=broken)), *rest)
    day.mark("ES", "6000")
    assert len(day.bodies(e.RuleFaulted)) == 1


def test_a_timer_that_does_not_move_on_is_a_broken_invariant() -> None:
    day = Ledger(daily_unrealized_loss={}).fill("ES", 1, "6000")
    [one, *rest] = day.rulebook.instances(day.account_state)
    stuck = replace(one, rule=replace(one.rule, deadline=lambda params, view: 5))
    day.replace_rules(stuck, *rest)
    with pytest.raises(TimerFailed, match="did not move on"):
        day.tick()


def test_accounts_are_isolated_and_overrides_are_their_own() -> None:
    overrides = {"99000002": {"daily_realized_loss": [{"loss_limit": money("50")}]}}
    day = Ledger(daily_realized_loss=LOSS, overrides=overrides)
    day.closed("-60").closed("-60", account=99000002)
    assert [breach.account for breach in day.breaches] == [99000002]
    assert day.account_state.lockouts == {}


def test_only_the_accounts_of_the_profile_are_judged_once_their_names_are_known() -> None:
    day = Ledger(daily_realized_loss=LOSS, profile={"accounts": ["mine"]})
    day.account(name="mine").account(99000002, name="other").closed("-100").closed("-100", account=99000002)
    assert [breach.account for breach in day.breaches] == [ACCOUNT]


def test_without_names_the_profile_judges_every_account_unless_ids_are_listed() -> None:
    day = Ledger(daily_realized_loss=LOSS, profile={"accounts": ["mine"]}).closed("-100")
    assert len(day.breaches) == 1
    day = Ledger(daily_realized_loss=LOSS, profile={"accounts": ["99000002"]}).closed("-100")
    assert day.breaches == []


def test_every_phase_of_a_bar_is_judged_at_the_time_of_the_bar() -> None:
    day = Ledger(daily_unrealized_loss=LOSS, daily_realized_profit={"profit_target": money("100"), "basis": "combined"})
    day.at("10:00:00").fill("MNQ", 1, "21000").bar("MNQ", "10:01:00", ("21000", "21050", "20950", "21000"))
    assert [breach.rule for breach in day.breaches if breach.rule != "RULE-013"] == ["RULE-004"]
    assert set(day.breach_times) == {"10:02:00"}
    assert day.book.now == nanoseconds(day.now)


def test_a_closing_fill_larger_than_what_is_known_is_recorded_as_a_gap() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("MNQ", 1, "21000").fill("MNQ", -3, "20990", profit="-60")
    [gap] = day.bodies(e.GapRecorded)
    assert (gap.account, gap.contract) == (ACCOUNT, day.contract("MNQ"))


def test_a_drift_is_a_timer_of_its_own() -> None:
    day = Ledger(daily_realized_loss=LOSS).at("10:00:00").fill("MNQ", 2, "21000").push("MNQ", 1).tick("10:00:05")
    [event] = [event for event in day.events if isinstance(event.body, e.DriftDetected)]
    assert (event.at, event.key) == (
        nanoseconds(day.now) - 3 * 10**9,
        f"timer:DRIFT:{ACCOUNT}:{day.contract('MNQ')}@{event.at}",
    )
    assert isinstance(event.body, e.DriftDetected)
    assert (event.body.fills_size, event.body.broker_size) == (2, 1)


def test_a_mark_concerns_no_account_whose_rules_read_no_quotes() -> None:
    day = Ledger(max_contracts={"limit": 1}).fill("MNQ", 1, "21000")
    count = len(day.events)
    day.mark("MNQ", "1")
    assert [type(event.body) for event in day.events[count:]] == [e.QuoteObserved]


def test_an_override_ends_a_lockout_at_once_where_the_profile_allows_it() -> None:
    for policy, ends in (("with_reason", ["override"]), ("never", [])):
        day = Ledger(cooldown_after_loss={}, profile={"operator_unlock": policy}).at("10:00:00").closed("-100")
        day.at("10:00:10").take(e.OperatorOverride(ACCOUNT, "account/RULE-007/cooldown", "why"), "op:1", "operator")
        assert [ended.ended_by for ended in day.bodies(e.LockoutEnded)] == ends
        assert bool(day.account_state.lockouts) is not bool(ends)


def test_what_is_in_force_ends_also_where_no_rule_judges_any_more() -> None:
    day = Ledger().fill("ES", 1, "6000")
    close = Obligation("o", "ClosePosition", "R", None, 0, contract=day.contract("ES"))
    day.account_state.obligations["o"] = close
    assert day.tick().account_state.obligations == {"o": close}
    day.fill("ES", -1, "6000", profit="0")
    assert day.account_state.obligations == {}
    assert [met.obligation for met in day.bodies(e.ObligationMet)] == ["o"]


def test_a_rule_without_its_inputs_is_left_out_and_the_others_go_on() -> None:
    rules = {"daily_unrealized_loss": LOSS, "daily_realized_loss": LOSS}
    day = Ledger(**rules, lacks=("quotes",)).fill("ES", 1, "6000").mark("ES", "5900").closed("-100")
    assert [breach.rule for breach in day.breaches] == ["RULE-003"]


def test_a_count_that_comes_down_ends_its_episode() -> None:
    day = Ledger(max_contracts={"limit": 1}).fill("MNQ", 2, "21000").fill("MNQ", -1, "21000", profit="0")
    assert [(ended.rule_key, ended.target) for ended in day.bodies(e.EpisodeEnded)] == [("max_contracts.0", "count")]
    day.fill("MNQ", 1, "21000")
    assert [breach.id.rsplit("/", 1)[1] for breach in day.breaches] == ["1", "2"]


def test_actions_in_shadow_are_not_issued() -> None:
    for shadow, alerts in ((True, 0), (False, 1)):
        day = Ledger(auth_loss_guard={"shadow": shadow}).account(balance="50000")
        assert len(day.alerts) == alerts


def test_a_late_fill_breaches_its_own_day_once_and_commands_nothing() -> None:
    day = Ledger(daily_realized_loss=LOSS, start="2026-11-20 15:00:00").fill("MNQ", 1, "21000")
    then = day.now
    day.at("2026-11-23 09:00:00")
    for _ in range(2):
        day.fill("MNQ", -1, "20900", profit="-150", created=then)
    [breach] = day.breaches
    assert (breach.target, breach.flags) == ("late.2026-11-20", ("late",))
    assert day.kinds == []


def test_a_late_loss_is_named_and_starts_no_cooldown() -> None:
    day = Ledger(cooldown_after_loss={}, start="2026-11-20 15:00:00").fill("MNQ", 1, "21000")
    then = day.now
    day.at("2026-11-23 09:00:00").fill("MNQ", -1, "20900", profit="-150", created=then)
    assert [(breach.rule, breach.flags) for breach in day.breaches] == [("RULE-007", ("late",))]
    assert (day.kinds, day.account_state.lockouts) == ([], {})


def test_rights_that_come_back_end_the_lockout_the_rule_set() -> None:
    day = Ledger(auth_loss_guard={}).account(can_trade=False).account(can_trade=True)
    assert [(ended.lockout, ended.ended_by) for ended in day.bodies(e.LockoutEnded)] == [
        ("account/RULE-010/can_trade", "restored")
    ]


def test_the_planner_carries_out_and_follows_up_on_what_is_in_force() -> None:
    desk = Desk(daily_realized_loss=LOSS).at("10:00:00").snapshot().order(7, "ES", -1, type=4, stop="5990")
    desk.fill("ES", 1, "6000").closed("-100")
    assert f"closeContract {desk.contract('ES')}" in desk.asked
    desk.attempt("close").fill("ES", -1, "6000", profit="0").push("ES", 0)
    desk.tick("10:00:20")
    assert "cancelOrder 7" in desk.asked


def test_settled_marks_are_in_place_before_the_first_fact() -> None:
    day = Ledger(daily_unrealized_loss=LOSS).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    mark = replace(day.book.marks[day.contract("MNQ")], last=price("20900"))
    tick = e.Event(day.book.now + 1, "market", "q", e.QuoteObserved(day.contract("MNQ"), bid=1))
    turn = Turn(copy_book(day.book), day.rulebook)
    turn.take(tick)
    assert turn.events == [tick]
    turn = Turn(copy_book(day.book), day.rulebook)
    settle(turn.book, {day.contract("MNQ"): mark})
    turn.take(tick)
    assert [event.body.rule for event in turn.events if isinstance(event.body, e.RuleBreached)] == ["RULE-004"]


# ---- days --------------------------------------------------------------------------------------------


def test_the_reset_is_the_last_event_of_the_old_day_and_starts_again_at_zero() -> None:
    day = Ledger(daily_realized_loss=LOSS, start="2026-11-20 15:00:00").closed("-90").fill("ES", 1, "6000")
    day.at("2026-11-20 17:00:00").closed("-90")
    assert day.breaches == []
    kinds = [type(event.body).__name__ for event in day.events]
    assert kinds[kinds.index("DayRolled") + 1] == "TradingDayOpened"
    assert day.account_state.days["2026-11-23"].gross_usd == money("-90")
    assert day.account_state.days["2026-11-20"].held
    assert day.account_state.days["2026-11-23"].held


def test_downtime_over_several_days_rolls_once_with_both_dates() -> None:
    day = Ledger(start="2026-11-18 12:00:00").tick().at("2026-11-23 09:00:00").tick()
    assert [(rolled.trade_date, rolled.next_date) for rolled in day.bodies(e.DayRolled)] == [
        ("2026-11-18", "2026-11-23")
    ]


def test_what_the_reset_leaves_alone() -> None:
    day = Ledger(cooldown_after_loss={"loss_thresholds": ({"loss_amount": money("10"), "cooldown_seconds": 7200},)})
    day.at("16:30:00").fill("ES", 1, "6000").order(9, "ES", -1, type=4, stop="5990").order(8, "ES", -1, status=3)
    day.closed("-10").at("17:00:00").tick()
    account = day.account_state
    assert [lockout.kind for lockout in account.lockouts.values()] == ["cooldown"]
    assert [order.id for order in account.orders.values()] == [9]
    assert account.positions[day.contract("ES")].size == 1


def test_figures_and_fills_of_long_ago_are_let_go_but_open_lots_are_kept() -> None:
    day = Ledger(start="2026-11-02 09:00:00").fill("ES", 1, "6000", trade=77)
    for number in range(3, 21):
        day.at(f"2026-11-{number:02d} 12:00:00").closed("-1") if number % 7 not in (0, 1) else None
    account = day.account_state
    assert len(account.days) <= 9
    assert account.positions[day.contract("ES")].lot_size == 1
    assert 77 in account.old_ids
    assert len(account.trades) < 12


# ---- fold --------------------------------------------------------------------------------------------


def test_folding_the_stored_events_gives_the_same_state_as_living_them() -> None:
    day = Ledger(
        daily_realized_loss={**LOSS, "basis": "trailing_unrealized"},
        daily_unrealized_loss={"loss_limit": money("300"), "confirm_ms": 500},
    )
    day.at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21020").at("10:00:01").mark("MNQ", "20800")
    day.at("10:00:02").mark("MNQ", "20790").fill("MNQ", -1, "20790", profit="-420").bar("MNQ", "10:01:00", ("1",) * 4)
    again = type(day.book)()
    for event in day.events:
        fold(again, day.rulebook, event)
    assert state_hash(again) == state_hash(day.book)
    once = type(day.book)()
    rebuild(once, day.rulebook, day.events)
    assert state_hash(once) == state_hash(day.book)


def test_quotes_stored_many_to_an_event_are_judged_one_by_one() -> None:
    rules = {"daily_unrealized_loss": {"loss_limit": money("300")}}
    one, many = Ledger(**rules), Ledger(**rules)
    for day in (one, many):
        day.at("10:00:00").fill("MNQ", 1, "21000")
    quotes = []
    for number, last in enumerate(("21000", "20900", "20850", "20800")):
        one.at(f"10:00:0{number}").quote(one.contract("MNQ"), last=last)
        quote = (
            one.events[-1]
            if number < 2
            else next(event for event in reversed(one.events) if isinstance(event.body, e.QuoteObserved))
        )
        assert isinstance(quote.body, e.QuoteObserved)
        quotes.append((quote.at, quote.body.contract, quote.body.last, None, None))
    batch = e.Event(quotes[-1][0], "market", "quotes", e.QuotesObserved(tuple(quotes)))
    turn = Turn(copy_book(many.book), many.rulebook)
    turn.take(batch)
    assert state_hash(turn.book) == state_hash(one.book)
    ids = [event.body.id for event in turn.events if isinstance(event.body, e.RuleBreached)]
    assert ids == [breach.id for breach in one.breaches]


def test_a_day_ends_once_however_often_it_is_told() -> None:
    day = Ledger(daily_realized_loss=LOSS).fill("ES", 1, "6000")
    turn = Turn(copy_book(day.book), day.rulebook)
    turn.end_day("2026-11-23")
    turn.end_day("2026-11-23")
    assert [type(event.body) for event in turn.events].count(e.DayRolled) == 1
    nothing = Turn(Book(), day.rulebook)
    nothing.end_day("2026-11-23")
    assert nothing.events == []


def test_two_accounts_whose_time_is_up_at_the_same_instant_are_both_judged() -> None:
    """The instant comes for each of them, also where a deadline counts only while it lies ahead."""
    day = Ledger(daily_unrealized_loss={"loss_limit": money("100"), "confirm_ms": 500}).at("10:00:00")
    day.fill("MNQ", 1, "21000").fill("MNQ", 1, "21000", account=ACCOUNT + 1).mark("MNQ", "20900")
    day.at("10:00:02").tick()
    at = nanoseconds(day.now) - 3 * SECOND_NS // 2
    assert [(breach.account, breach.rule) for breach in day.breaches] == [
        (ACCOUNT, "RULE-004"),
        (ACCOUNT + 1, "RULE-004"),
    ]
    assert [event.at for event in day.events if isinstance(event.body, e.RuleBreached)] == [at, at]
