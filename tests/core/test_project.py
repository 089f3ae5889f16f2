"""The fold: facts change the state and nothing is decided (DESIGN.md, "The idea in four lines")."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.project import _HANDLERS, apply, settle
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.state import Book, Contract, Mark, Order
from riskcore.core.view import Effect
from riskcore.schema.codec import state_hash
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


def test_every_event_is_folded() -> None:
    # Quotes journaled as one event, and bars, are taken apart before they are folded (core/step.py).
    assert {*get_args(e.Body)} - {*_HANDLERS} == {e.QuotesObserved, e.BarObserved}


def order_of(day: Ledger, order_id: int = 7) -> Order:
    return day.account_state.orders[order_id]


# ---- accounts and contracts --------------------------------------------------------------------------


def test_what_an_account_message_leaves_out_stays_known() -> None:
    day = Ledger().account(name="one", balance="50000", can_trade=True).account(can_trade=False)
    account = day.account_state
    assert (account.name, account.balance_usd, account.can_trade) == ("one", money("50000"), False)


def test_a_contract_the_broker_describes_wins_over_the_table() -> None:
    day = Ledger().fill("ES", 1, "6000")
    assert not day.book.contracts[ES].described
    described = Contract(ES, "ES", price("0.25"), money("12.50"), described=True)
    day.take(e.ContractDescribed(described)).fill("ES", 1, "6000")
    assert day.book.contracts[ES] is described


def test_an_unknown_product_stays_unknown() -> None:
    day = Ledger().push("CON.F.US.XYZ.Z26", 1).mark("CON.F.US.ABC.Z26", "1")
    assert day.book.contracts == {}


# ---- orders ------------------------------------------------------------------------------------------


def test_an_order_keeps_what_later_versions_leave_out() -> None:
    day = Ledger().order(7, "ES", -2, type=4, stop="5990", parent=5, linked=6)
    day.take(e.OrderObserved(ACCOUNT, 7, None, 1, fill_volume=1))
    order = order_of(day)
    assert (order.contract, order.type, order.side, order.size, order.remaining) == (ES, 4, -1, 2, 1)
    assert (order.stop_price, order.parent_id, order.linked_id) == (price("5990"), 5, 6)


def test_a_stop_that_triggers_keeps_its_type_on_the_terminal_version() -> None:
    day = Ledger().order(7, "ES", -1, type=4, stop="5990").order(7, "ES", -1, type=2, status=2, filled=1)
    assert (order_of(day).type, order_of(day).status) == (4, 2)
    assert order_of(Ledger().order(7, "ES", -1, type=2, status=2)).type == 2
    assert order_of(Ledger().order(7, "ES", -1, type=4).order(7, "ES", -1, type=2)).type == 2


def test_an_order_works_since_it_was_first_open() -> None:
    day = Ledger().at("10:00:00").order(7, "ES", 1, status=6)
    assert order_of(day).working_since is None
    day.at("10:00:01").order(7, "ES", 1, status=1)
    since = order_of(day).working_since
    day.at("10:00:02").order(7, "ES", 1, status=1)
    assert order_of(day).working_since == since == nanoseconds(day.now) - SECOND_NS
    day.at("10:00:03").order(7, "ES", 1, status=8).at("10:00:04").order(7, "ES", 1, status=1)
    assert order_of(day).working_since == nanoseconds(day.now)


@pytest.mark.parametrize(("status", "filled", "is_filled"), [(1, 0, False), (1, 1, True), (2, 0, True), (3, 0, False)])
def test_when_an_order_was_first_seen_filled(status: int, filled: int, is_filled: bool) -> None:
    day = Ledger().at("10:00:00").order(7, "ES", 2, status=status, filled=filled)
    seen = nanoseconds(day.now) if is_filled else None
    day.at("10:00:05").order(7, "ES", 2, status=status, filled=filled)
    assert order_of(day).filled_at == seen


@pytest.mark.parametrize(
    ("known", "known_at", "new", "new_at", "taken"),
    [
        (1, 5000, 3, 5000, True),  # one instant: what ends an order wins,
        (3, 5000, 1, 5000, False),  # whichever came first;
        (3, 5000, 1, 5999, False),  # times are compared in microseconds;
        (3, 5_000_000, 1, 5_000_999, False),
        (3, 5000, 1, 6000, True),  # a later version is believed,
        (1, 5000, 6, 4999, False),  # an earlier one is not;
        (3, None, 1, 9000, False),  # without a time an ended order stays ended,
        (3, 5000, 1, None, False),
        (1, None, 6, None, True),
        (3, None, 5, None, True),
    ],
)
def test_versions_of_an_order_in_any_order(
    known: int, known_at: int | None, new: int, new_at: int | None, taken: bool
) -> None:
    day = Ledger().take(e.OrderObserved(ACCOUNT, 7, ES, known, updated_at=known_at))
    day.take(e.OrderObserved(ACCOUNT, 7, ES, new, updated_at=new_at))
    assert order_of(day).status == (new if taken else known)


@pytest.mark.parametrize(("seconds", "gone"), [(2, False), (2.001, True)])
def test_a_working_order_missing_from_the_list_works_no_more_unless_it_is_new(seconds: float, gone: bool) -> None:
    day = Ledger().at("10:00:00").order(7, "ES", 1).order(8, "ES", 1).order(9, "ES", 1, status=8)
    day.at(f"10:00:0{seconds}").take(e.OrdersListed(ACCOUNT, (1,), (8,)))
    assert [order.status for order in day.account_state.orders.values()] == [3 if gone else 1, 1, 8]
    assert day.account_state.orders_listed_at == nanoseconds(day.now)


# ---- positions ---------------------------------------------------------------------------------------


def test_exposure_follows_fills_until_the_first_push_and_pushes_from_then_on() -> None:
    day = Ledger().fill("ES", 2, "6000")
    position = day.account_state.positions[ES]
    assert (position.size, position.pushed) == (2, None)
    day.push("ES", 1, "6000")
    assert day.account_state.positions[ES].size == 1
    day.fill("ES", 5, "6000")
    assert day.account_state.positions[ES].size == 1


def test_a_snapshot_shows_contracts_it_does_not_list_as_flat() -> None:
    day = Ledger().push("ES", 1).push("MNQ", 2).push("MNQ", 0)
    day.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, "CON.F.US.YM.Z26", -1),)))
    sizes = {position.contract: position.size for position in day.account_state.positions.values()}
    assert sizes == {ES: 0, MNQ: 0, "CON.F.US.YM.Z26": -1}
    assert day.account_state.reconciled_at == nanoseconds(day.now)


def test_a_push_that_nobody_explains_waits_for_its_mark() -> None:
    day = Ledger().mark("ES", "6000").push("ES", 1, "6000")
    assert day.account_state.positions[ES].awaits_mark
    day.mark("ES", "6001")
    assert not day.account_state.positions[ES].awaits_mark
    day.push("ES", 2)
    position = day.account_state.positions[ES]
    assert (position.awaits_mark, position.increase_price, position.average_price) == (True, None, price("6000"))
    day.quote("ES")
    assert not day.account_state.positions[ES].awaits_mark, "the mark has prices, though this quote brought none"


def test_a_push_that_fills_explain_does_not_wait() -> None:
    day = Ledger().fill("ES", 2, "6000").mark("ES", "6001").push("ES", 2, "6000")
    assert not day.account_state.positions[ES].awaits_mark


def test_fills_and_pushes_that_disagree_for_two_seconds_are_a_drift_and_the_broker_wins() -> None:
    day = Ledger().at("10:00:00").fill("ES", 2, "6000").push("ES", 1, "6000").tick("10:00:01.999")
    assert day.bodies(e.DriftDetected) == []
    [drift] = day.tick("10:00:02").bodies(e.DriftDetected)
    assert (drift.fills_size, drift.broker_size) == (2, 1)
    position = day.account_state.positions[ES]
    assert (position.lots, position.carried, position.carried_cost) == ((), 1, price("6000"))


def test_fills_that_turn_up_after_a_drift_let_the_next_missing_fill_be_noticed() -> None:
    day = Ledger().at("10:00:00").fill("ES", 2, "6000").push("ES", 2).push("ES", 1).tick("10:00:02")
    day.at("10:00:02.001").fill("ES", -1, "6000", profit="0", created=day.now - timedelta(seconds=3))
    assert day.account_state.positions[ES].lot_size == 1
    day.push("ES", 3).tick("10:00:05")
    assert [(one.fills_size, one.broker_size) for one in day.bodies(e.DriftDetected)] == [(2, 1), (1, 3)]


def test_a_drift_to_flat_drops_the_lots() -> None:
    day = Ledger().at("10:00:00").fill("ES", 2, "6000").push("ES", 0).tick("10:00:03")
    position = day.account_state.positions[ES]
    assert (position.lots, position.side, position.carried) == ((), 0, 0)


# ---- marks -------------------------------------------------------------------------------------------


def test_a_sparse_quote_changes_only_what_it_names() -> None:
    day = Ledger().quote("ES", last="6000", bid="5999.75").quote("ES", ask="6000.25").take(e.MarketTraded(ES, 1), "p")
    mark = day.book.marks[ES]
    assert (mark.last, mark.bid, mark.ask) == (1, price("5999.75"), price("6000.25"))


def test_a_mark_concerns_only_those_who_hold_the_contract() -> None:
    day = Ledger().fill("ES", 1, "6000").fill("MNQ", 1, "21000", account=99000002)
    quote = e.Event(nanoseconds(day.now), "market", "q", e.QuoteObserved(ES, 1))
    assert apply(day.book, quote).accounts == (ACCOUNT,)


def test_a_quote_without_any_price_leaves_a_position_waiting() -> None:
    day = Ledger().push("ES", 1, "6000").quote("ES")
    assert day.account_state.positions[ES].awaits_mark
    assert not day.quote("ES", bid="6000").account_state.positions[ES].awaits_mark


def test_settled_marks_are_put_in_place_and_time_never_runs_back() -> None:
    day = Ledger().at("10:00:00").tick()
    now = nanoseconds(day.now)
    newer, older = Mark(price("6000"), None, None, now + 5, 1), Mark(price("21000"), None, None, now - 5, 1)
    settle(day.book, {ES: newer, MNQ: older})
    assert (day.book.marks, day.book.now) == ({ES: newer, MNQ: older}, now + 5)
    assert day.book.contracts[ES].root == "ES"


def test_a_connection_is_lost_since_it_was_first_seen_so() -> None:
    day = Ledger().fill("ES", 1, "6000").fill("ES", 1, "6000", account=99000002)
    start = day.book.now

    def changed(state: str, after: int) -> tuple[int, ...]:
        event = e.Event(start + after, "gateway", "c", e.ConnectionChanged("user", state))
        return apply(day.book, event).accounts

    assert changed("lost", 1) == (ACCOUNT, 99000002)
    changed("lost", 2)
    assert (day.book.connections, day.book.connection_since) == ({"user": "lost"}, {"user": start + 1})
    changed("connected", 3)
    assert (day.book.connections, day.book.connection_since) == ({"user": "connected"}, {"user": start + 3})


# ---- lockouts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "ends"), [(5, 9, 9), (9, 5, 9), (5, 5, 5), (None, 5, None), (5, None, None)]
)
def test_a_lockout_set_again_keeps_the_later_end(first: int | None, second: int | None, ends: int | None) -> None:
    day = Ledger().fill("ES", 2, "6000").fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="0")
    for number, expires_at in enumerate((first, second)):
        command = e.Command(
            "SetLockout", scope="account", lockout_key="k", lockout_kind="cooldown", expires_at=expires_at
        )
        issued = e.CommandIssued(f"c{number}", ACCOUNT, "R", "r.0", "b", command)
        apply(day.book, e.Event(day.book.now + number, "core", f"c{number}", issued))
    [lockout] = day.account_state.lockouts.values()
    assert (lockout.expires_at, lockout.set_at, lockout.held) == (ends, nanoseconds(day.now), {ES: 2})


# ---- the day -----------------------------------------------------------------------------------------


def test_the_reset_ends_episodes_and_memory_of_the_day_and_nothing_else() -> None:
    day = Ledger().fill("ES", 1, "6000")
    account = day.account_state
    account.episodes.update({"a.0|day": 1, "a.0|day.fault": 1, f"b.0|{ES}": 1})
    account.memory.update({"a.0.day_peak": 1, "a.0.peak": 2})
    apply(day.book, e.Event(day.book.now, "core", "r", e.DayRolled("2026-11-20", "2026-11-23")))
    assert account.episodes == {f"b.0|{ES}": 1}
    assert account.memory == {"a.0.peak": 2}


def test_the_reset_forgets_counters_of_orders_and_days_that_are_gone() -> None:
    day = Ledger().fill("ES", 1, "6000").order(5, "ES", 1, limit="5990")
    account = day.account_state
    kept = {"a.0|day": 4, f"a.0|{ES}": 2, "a.0|order:5": 1, "a.0|on.2026-11-20": 1, "a.0|late.2026-11-20": 1}
    kept["planner.0|order:6@1/1/GUARD/order:6/1/CancelOrder:6/cancelOrder/6"] = 1  # A request that began with order 6.
    account.counters.update({**kept, "a.0|order:6": 3, "a.0|on.2026-11-02": 1, "a.0|late.2026-11-02": 1})
    apply(day.book, e.Event(day.book.now, "core", "r", e.DayRolled("2026-11-20", "2026-11-23")))
    assert account.counters == kept


def test_a_day_that_opens_with_a_position_was_held_and_one_without_was_not() -> None:
    day = Ledger(start="2026-11-20 15:00:00").fill("ES", 1, "6000").closed("-1", account=99000002)
    day.at("2026-11-20 17:00:00").tick()
    held, flat = (day.book.accounts[account].days for account in (ACCOUNT, 99000002))
    assert held["2026-11-23"].held
    assert "2026-11-23" not in flat


def test_an_event_nobody_knows_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        apply(Book(), e.Event(0, "broker", "k", Effect()))  # type: ignore[arg-type]


def test_facts_that_change_nothing() -> None:
    day = Ledger().fill("ES", 1, "6000")
    before = state_hash(day.book)
    day.take(e.WireRejected("why", "raw")).take(e.DepthObserved(ES, "rows")).take(e.CallObserved("/path", 200))
    assert state_hash(replace(day.book, now=day.book.now)) == before


# ---- properties --------------------------------------------------------------------------------------

CENTS = st.integers(-50_000, 50_000)
FILLS = st.lists(st.tuples(st.sampled_from(("ES", "MNQ")), st.integers(-3, 3).filter(bool), CENTS, CENTS), max_size=20)


def live_through(fills: list[tuple[str, int, int, int]]) -> Ledger:
    """Fills as a broker books them: what reduces has a P&L, and what goes through zero comes in two halves."""
    day, sizes = Ledger(), {"ES": 0, "MNQ": 0}
    for name, size, profit, fees in fills:
        closing = min(abs(size), abs(sizes[name])) if size * sizes[name] < 0 else 0
        side = 1 if size > 0 else -1
        costs: dict[str, Any] = {"fees": f"{abs(fees)}e-2", "commissions": "0.25"}
        if closing:
            day.fill(name, side * closing, "6000", profit=f"{profit}e-2", **costs)
        if abs(size) > closing:
            day.fill(name, side * (abs(size) - closing), "6000", **costs)
        sizes[name] += size
    return day


@given(FILLS)
@settings(max_examples=60, deadline=None)
def test_the_sum_of_fills_is_the_position_and_money_is_conserved(fills: list[tuple[str, int, int, int]]) -> None:
    day = live_through(fills)
    if not fills:
        return
    account = day.account_state
    for name in ("ES", "MNQ"):
        position = account.positions.get(day.contract(name))
        assert (position.size if position else 0) == sum(size for one, size, *_ in fills if one == name)
    trades = account.trades.values()
    [figures] = account.days.values()
    assert figures.gross_usd == sum(trade.profit_usd or 0 for trade in trades)
    assert figures.net_usd == figures.gross_usd - sum(trade.costs_usd() for trade in trades)
    assert figures.worst_usd <= 0 <= figures.best_usd
    assert figures.fills == len(trades) == sum(figures.order_fills.values())


@given(FILLS)
@settings(max_examples=40, deadline=None)
def test_voiding_every_fill_leaves_nothing(fills: list[tuple[str, int, int, int]]) -> None:
    day = live_through(fills)
    for trade_id in list(day.account_state.trades) if fills else ():
        day.void(trade_id)
    for account in day.book.accounts.values():
        [figures] = account.days.values()
        assert (figures.net_usd, figures.gross_usd, figures.fills, figures.order_fills) == (0, 0, 0, {})
        assert figures.round_trips == 0
        assert all(position.size == 0 for position in account.positions.values())


@pytest.mark.parametrize(
    ("second", "kind", "reason"),
    [(("until_reset", 100), "cooldown", "first"), (("until_reset", 101), "until_reset", "second")],
)
def test_a_lockout_set_again_is_of_the_kind_that_ends_last(second: tuple[str, int], kind: str, reason: str) -> None:
    day = Ledger().account(name="one")
    for text, (lockout_kind, expires_at) in (("first", ("cooldown", 100)), ("second", second)):
        command = e.Command(
            "SetLockout",
            scope="account",
            lockout_key="key",
            lockout_kind=lockout_kind,
            expires_at=expires_at,
            text=text,
        )
        apply(day.book, e.Event(1, "core", text, e.CommandIssued(text, ACCOUNT, "RULE-001", "max.0", None, command)))
    lockout = day.account_state.lockouts["account/RULE-001/key"]
    assert (lockout.kind, lockout.reason, lockout.expires_at) == (kind, reason, max(100, second[1]))


@pytest.mark.parametrize(("filled", "kept"), [("16:59:57.999", False), ("16:59:58", True), ("16:59:59", True)])
def test_a_reset_forgets_an_order_once_no_leg_of_it_can_be_trusted_any_more(filled: str, kept: bool) -> None:
    day = Ledger(start="2026-11-19 16:00:00").at(filled).order(7, "ES", 1, type=2, status=2, filled=1)
    assert (7 in day.tick("17:00:00").account_state.orders) is kept


@pytest.mark.parametrize(("status", "kept"), [(1, True), (8, True), (2, False), (3, False)])
def test_a_reset_keeps_the_entry_of_a_leg_that_works(status: int, kept: bool) -> None:
    day = Ledger(start="2026-11-19 16:00:00").order(7, "ES", 1, type=2, status=2, filled=1)
    day.order(8, "ES", -1, type=4, stop="5990", parent=7, status=status).at("17:00:00").tick()
    assert (7 in day.account_state.orders) is kept
