"""A live engine takes over in the middle of a day: what is unknown, what waits, what is judged once (RULES.md 1.6)."""

from datetime import datetime
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.marks import open_cost
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.restart import absence
from riskcore.core.sight import reconciled
from riskcore.core.state import Book
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, CHICAGO, nanoseconds

LOSS = {"daily_realized_loss": {"loss_limit": money("100")}}
ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


class Restarted(Desk):
    """A desk whose engine stops and starts again."""

    def start(self, text: str | None = None, *, enforces: bool = True) -> "Restarted":
        """A new process at a later time: nothing was seen since the last event."""
        for event in absence(self.book):
            self._step(event)
        if text is not None:
            self.at(text)
        self.take(e.EngineStarted("0", enforces), "engine", "operator")
        return self

    def connect(self) -> "Restarted":
        self.take(e.ConnectionChanged("user", "connected"), "connection")
        return self


def begun(**options: Any) -> Restarted:
    """Connected and seen in full at 09:00."""
    return Restarted(**options).at("09:00:00").start().connect().snapshot()  # type: ignore[attr-defined,no-any-return]


def states(desk: Desk) -> list[str]:
    return [request.state for request in desk.account_state.requests.values()]


# ---- what was on its way -----------------------------------------------------------------------------


def test_a_request_without_an_answer_is_unresolved() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").closed("-100").attempt("close")
    assert isinstance(desk, Restarted)
    assert states(desk) == ["attempted"]
    desk.start("09:00:01")
    [request] = [one for one in desk.account_state.requests.values() if one.kind == "closeContract"]
    assert (request.state, request.at) == ("unresolved", nanoseconds(desk.now))


def test_an_answered_request_stays_answered() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").closed("-100").attempt("close").accept("close")
    assert isinstance(desk, Restarted)
    assert "accepted" in states(desk.start("09:00:01"))


def test_what_was_not_sent_is_planned_anew() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").closed("-100")
    assert isinstance(desk, Restarted)
    desk.start("09:00:01")
    assert desk.asked == [f"closeContract {ES}", f"closeContract {ES}"]
    assert len({one.request for one in desk.planned}) == 2
    assert states(desk) == ["planned"]


def test_an_engine_that_only_decides_carries_nothing_on() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").closed("-100").attempt("close")
    assert isinstance(desk, Restarted)
    assert desk.start("09:00:01", enforces=False).account_state.requests == {}
    assert desk.later(60).asked == [f"closeContract {ES}"]
    assert [one.kind for one in desk.account_state.obligations.values()] == ["CloseAllPositions"]


def test_the_close_that_was_lost_with_the_process_is_repeated_when_a_snapshot_shows_it_open() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").closed("-100").attempt("close")
    assert isinstance(desk, Restarted)
    desk.start("09:00:01").connect().later(1).snapshot(("ES", 1))
    assert desk.asked.count(f"closeContract {ES}") == 2


def test_a_list_asked_for_before_a_request_was_lost_proves_nothing() -> None:
    desk = Desk(max_contracts={"limit": 2}).at("09:59:00").snapshot().at("10:00:00").push("ES", 5).attempt()
    desk.later(0.5).snapshot(("ES", 5)).attempt("partial").lose("partial").later(2)
    rows = (e.PositionObserved(ACCOUNT, ES, 5),)
    for seconds_ago, cuts in ((3, 1), (1.5, 1), (0.5, 2)):
        asked_at = nanoseconds(desk.now) - round(seconds_ago * SECOND_NS)
        desk.take(e.OrdersListed(ACCOUNT, (1, 6, 7, 8), (), asked_at), "orders")
        desk.take(e.TradesListed(ACCOUNT, desk.book.day.opens_at, asked_at), "trades")
        desk.take(e.PositionsListed(ACCOUNT, rows, asked_at), "positions")
        assert [one for one in desk.asked if "partial" in one] == [f"partialCloseContract {ES} by 3"] * cuts


# ---- what nobody has seen ----------------------------------------------------------------------------


def test_nothing_was_seen_since_the_last_event() -> None:
    desk = begun()
    [fact] = absence(desk.book)
    assert (fact.at, fact.body) == (desk.book.now, e.ConnectionChanged("user", "lost"))
    assert absence(Book()) == []
    desk._step(fact)
    assert absence(desk.book) == []


def test_an_account_is_reconciled_when_positions_orders_and_fills_were_listed_since_the_start() -> None:
    desk = begun()
    assert reconciled(desk.book, desk.account_state)
    desk.start("09:01:00").connect().later(1)
    desk.take(e.PositionsListed(ACCOUNT, ()), "positions").take(e.OrdersListed(ACCOUNT, (1,), ()), "orders")
    assert not reconciled(desk.book, desk.account_state)
    desk.list_fills()
    assert reconciled(desk.book, desk.account_state)


def test_until_then_nothing_but_closes_goes_out() -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").order(7, "MNQ", 1).closed("-100")
    assert isinstance(desk, Restarted)
    desk.start("09:01:00").connect().later(1)
    desk.take(e.PositionsListed(ACCOUNT, ()), "positions").take(e.OrdersListed(ACCOUNT, (1,), (7,)), "orders")
    assert desk.asked.count("cancelOrder 7") == 1
    desk.list_fills()
    assert desk.asked.count("cancelOrder 7") == 2


def test_a_held_position_has_a_gap_in_its_marks() -> None:
    desk = begun().fill("ES", 1, "6000")
    assert isinstance(desk, Restarted)
    desk.start("09:01:00")
    [gap] = desk.bodies(e.GapRecorded)
    assert (gap.account, gap.contract) == (ACCOUNT, ES)


def test_a_disagreement_is_not_counted_while_nothing_was_seen() -> None:
    desk = begun().push("ES", 1)
    assert isinstance(desk, Restarted)
    desk.start("09:10:00").connect().later(1.5)
    assert desk.bodies(e.DriftDetected) == []
    desk.later(0.5)
    assert len(desk.bodies(e.DriftDetected)) == 1


# ---- grace (RULE-008, Restart) -----------------------------------------------------------------------

GRACE = {"no_stop_loss_grace": {"grace_period_seconds": 30}}


def uncovered() -> Restarted:
    desk = begun(**GRACE).fill("MNQ", 1, "21000").push("MNQ", 1)
    assert isinstance(desk, Restarted)
    return desk.start("09:05:00").connect()


def test_a_grace_that_ran_out_unseen_is_not_judged_before_orders_are_listed() -> None:
    desk = uncovered().later(20)
    assert desk.breaches == []
    desk.snapshot(("MNQ", 1))
    assert [breach.rule for breach in desk.breaches] == ["RULE-008"]


def test_a_stop_that_was_placed_unseen_was_there() -> None:
    desk = uncovered().later(1).order(9, "MNQ", -1, type=4, stop="20990").snapshot(("MNQ", 1), orders=(9,)).later(60)
    assert desk.breaches == []


def test_orders_that_were_never_listed_are_waited_for() -> None:
    desk = Restarted(**GRACE).at("09:00:00").start().connect()
    desk.take(e.PositionsListed(ACCOUNT, (e.PositionObserved(ACCOUNT, MNQ, 1),)), "positions").later(100)
    assert desk.breaches == []
    desk.snapshot(("MNQ", 1))
    assert [breach.rule for breach in desk.breaches] == ["RULE-008"], "the time since it was seen counts"


def test_polling_is_sight_while_the_lists_are_fresh() -> None:
    desk = begun(**GRACE).fill("MNQ", 1, "21000").push("MNQ", 1)
    desk.take(e.ConnectionChanged("user", "lost"), "connection")
    for _ in range(4):
        desk.later(5).snapshot(("MNQ", 1))
    assert desk.breaches == []
    desk.later(9.9)
    assert desk.breaches == []
    desk.later(5).later(60)
    assert desk.breaches == [], "the last list is too old to say that no stop came"
    desk.snapshot(("MNQ", 1))
    assert len(desk.breaches) == 1


def test_a_grace_runs_out_while_polling() -> None:
    desk = begun(**GRACE).fill("MNQ", 1, "21000").push("MNQ", 1)
    desk.take(e.ConnectionChanged("user", "lost"), "connection")
    for _ in range(7):
        desk.later(5).snapshot(("MNQ", 1))
    assert desk.breach_times == ["09:00:30"]


# ---- reconciled while polling ------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "seen"), [(0, True), (9.999, True), (10, False)])
def test_an_account_that_is_polled_is_reconciled_while_the_poll_is_fresh(seconds: float, seen: bool) -> None:
    desk = Desk().snapshot().take(e.ConnectionChanged("user", "lost"), "connection")
    assert isinstance(desk, Desk)
    assert not reconciled(desk.book, desk.account_state), "the list was asked for before the loss"
    desk.later(60).snapshot()
    assert reconciled(desk.later(seconds).book, desk.account_state) is seen


# ---- fills of the day (RULES.md 8.6) -----------------------------------------------------------------


def test_a_recording_is_never_unseeded() -> None:
    assert not Desk().snapshot().account_state.unseeded


def test_an_account_first_heard_of_by_a_live_engine_is_unseeded() -> None:
    desk = Restarted().at("10:00:00").start().account()
    assert desk.account_state.unseeded
    desk.list_fills()  # type: ignore[attr-defined]
    assert not desk.account_state.unseeded


@pytest.mark.parametrize(("late", "unseeded"), [(0, False), (1, True)])
def test_a_list_of_fills_must_reach_back_to_the_reset(late: int, unseeded: bool) -> None:
    desk = Restarted().at("10:00:00").start().account()
    assert desk.book.day is not None
    desk.take(e.TradesListed(ACCOUNT, desk.book.day.opens_at + late), "trades")
    assert desk.account_state.unseeded is unseeded


@pytest.mark.parametrize(("late", "unseeded"), [(0, False), (1, True)])
def test_or_to_where_the_fills_were_complete(late: int, unseeded: bool) -> None:
    desk = begun()
    known = nanoseconds(desk.now)
    desk.start("09:30:00")
    desk.take(e.TradesListed(ACCOUNT, known + late, nanoseconds(desk.now) - SECOND_NS), "trades")
    assert desk.account_state.unseeded is unseeded
    assert desk.account_state.seeded_at == (known if unseeded else nanoseconds(desk.now) - SECOND_NS)


def test_totals_are_judged_once_all_fills_are_there() -> None:
    desk = Restarted(**LOSS).at("10:00:00").start().account().closed("-150").tick("10:00:02")
    assert desk.breaches == []
    desk.closed("60")
    desk.list_fills()  # type: ignore[attr-defined]
    assert desk.breaches == [], "together they are within the limit"
    desk.closed("-10")
    assert desk.breach_times == ["10:00:02"]


def test_a_total_over_its_limit_breaches_when_the_list_is_there() -> None:
    desk = Restarted(**LOSS).at("10:00:00").start().account().closed("-150").at("10:00:02")
    desk.list_fills()  # type: ignore[attr-defined]
    assert desk.breach_times == ["10:00:02"]


@pytest.mark.parametrize(
    "rule", [{"trade_frequency_limit": {"per_minute": 1}}, {"cooldown_after_loss": {"unit": "fill"}}]
)
def test_history_breaches_no_rule_about_single_trades(rule: dict[str, Any]) -> None:
    desk = Restarted(**rule).at("10:00:00").start().account().closed("-150").at("10:00:02")
    desk.list_fills()  # type: ignore[attr-defined]
    assert desk.breaches == []
    desk.closed("-150")
    assert desk.breaches != []


@pytest.mark.parametrize(("costs", "breaches"), [("49.99", 0), ("50", 1)])
def test_costs_of_history_told_later_breach_only_a_higher_tier(costs: str, breaches: int) -> None:
    desk = Restarted(cooldown_after_loss={}).at("10:00:00").start().account()
    desk.fill("ES", -1, "5997", profit="-150", fees=None, trade=70).at("10:00:02")
    desk.list_fills()  # type: ignore[attr-defined]
    desk.fill("ES", -1, "5997", profit="-150", fees=costs, trade=70)
    assert len(desk.breaches) == breaches


@pytest.mark.parametrize(
    "rule", [{"trade_frequency_limit": {"per_minute": 1}}, {"cooldown_after_loss": {"unit": "fill"}}]
)
def test_the_fills_of_a_gap_are_news(rule: dict[str, Any]) -> None:
    desk = begun(**rule).start("09:30:00").closed("-150")
    assert desk.breaches != []


def test_a_day_that_begins_while_the_engine_runs_begins_complete() -> None:
    desk = begun(**LOSS).at("2026-11-20 18:00").closed("-100")
    assert len(desk.breaches) == 1
    assert desk.book.started_at > 0


# ---- fills that came in another order than they were made --------------------------------------------


def today(text: str) -> datetime:
    """Of the day in the test, for a fill that was made earlier than it comes."""
    return datetime.fromisoformat(f"2026-11-20 {text}").replace(tzinfo=CHICAGO)


def test_fills_before_the_one_that_was_pushed_take_their_place_before_it() -> None:
    """A start amid a day: ten are bought and pushed, and only then the list tells of a round trip before them."""
    desk = begun().at("09:01:00").push("MNQ", 10, "20986.25")
    desk.fill("MNQ", 10, "20986.25", created=today("09:00:50"))
    desk.fill("MNQ", 5, "21000.5", created=today("09:00:10"))
    desk.fill("MNQ", -5, "20985.5", profit="-150", created=today("09:00:20"))
    position = desk.account_state.positions[MNQ]
    assert [lot.price for lot in position.lots] == [price("20986.25"), price("21000.5")], "as they came"
    position = desk.list_fills().account_state.positions[MNQ]
    assert [(lot.price, lot.size) for lot in position.lots] == [(price("20986.25"), 10)]
    day = desk.account_state.day(desk.book.trade_date)
    assert (day.round_trips, position.round_trips) == (1, 1)
    assert [trade.round_trip for trade in desk.account_state.trades.values()] == [0, 0, 1]
    assert open_cost(position) == (10, 10 * price("20986.25"))


def test_fills_that_came_in_order_stay_as_they_are() -> None:
    desk = begun().fill("MNQ", 2, "21000").fill("MNQ", -1, "20990", profit="-20").fill("MNQ", 1, "20995")
    before = [*desk.account_state.trades.items()], desk.account_state.positions[MNQ].lots
    desk.list_fills()
    assert before == ([*desk.account_state.trades.items()], desk.account_state.positions[MNQ].lots)


def test_an_opening_fill_behind_its_close_leaves_nothing_open() -> None:
    desk = begun().at("09:01:00")
    desk.fill("MNQ", -1, "20990", profit="-20", created=today("09:00:20"))
    desk.fill("MNQ", 1, "21000", created=today("09:00:10"))
    assert desk.account_state.positions[MNQ].size == 1
    desk.list_fills()
    assert desk.account_state.positions[MNQ].size == 0
    assert desk.account_state.day(desk.book.trade_date).round_trips == 1


def test_fills_of_another_contract_and_voided_ones_keep_their_place() -> None:
    desk = begun().at("09:01:00")
    desk.fill("ES", 1, "6000", created=today("09:00:59"), trade=1)
    desk.fill("MNQ", 1, "21000", created=today("09:00:50"), trade=2)
    desk.fill("MNQ", 1, "21010", created=today("09:00:40"), trade=3)
    desk.fill("MNQ", 1, "21020", created=today("09:00:30"), trade=4).void(3)
    desk.list_fills()
    assert list(desk.account_state.trades) == [1, 4, 3, 2]
    assert [lot.trade_id for lot in desk.account_state.positions[MNQ].lots] == [4, 2]


def test_instants_within_a_microsecond_stay_in_the_order_of_receipt() -> None:
    """The hub prints seven digits and REST six, so the same instant looks earlier from REST."""
    desk = begun().at("09:01:00")
    for number, fraction in ((1, 500), (2, 0)):
        created = nanoseconds(today("09:00:10")) + fraction
        body = e.TradeRecorded(ACCOUNT, number, MNQ, price("21000"), 1, 1, created, None, 0, None, number)
        desk.take(body, f"trade:{number}")
    desk.list_fills()
    assert list(desk.account_state.trades) == [1, 2]
