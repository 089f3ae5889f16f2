"""A live engine takes over in the middle of a day: what is unknown, what waits, what is judged once (RULES.md 1.6)."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.freshness import reconciled
from riskcore.core.marks import open_cost
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.restart import absence
from riskcore.core.state import Book
from riskcore.settings.config import read_settings
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, CHICAGO, Ledger, nanoseconds

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


@pytest.mark.parametrize("text", ["09:00:03", "09:00:05", "09:10:00", "2026-11-20 18:00"])
def test_a_request_may_run_out_of_time_while_nobody_watches(text: str) -> None:
    desk = begun(**LOSS).fill("ES", 1, "6000").order(7, "MNQ", 1).closed("-100").attempt("close")
    assert isinstance(desk, Restarted)
    desk.start(text).connect().later(1).snapshot(("ES", 1))
    assert desk.open("closeContract").state == "planned"


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
    return datetime.fromisoformat(text if "-" in text else f"2026-11-20 {text}").replace(tzinfo=CHICAGO)


def test_fills_before_the_one_that_was_pushed_take_their_place_before_it() -> None:
    """A start amid a day: ten are bought and pushed, and only then the list tells of a round trip before them."""
    desk = begun().at("09:01:00").push("MNQ", 10, "20986.25")
    desk.fill("MNQ", 10, "20986.25", created=today("09:00:50"))
    desk.fill("MNQ", 5, "21000.5", created=today("09:00:10"))
    desk.fill("MNQ", -5, "20985.5", profit="-150", created=today("09:00:20"))
    position = desk.account_state.positions[MNQ]
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


# ---- what was done while nobody judged (RULES.md 1.6, Restart) ----------------------------------------

UNTIL_RESET = {"limit": 3, "lockout": "until_reset"}
OVER_AND_OUT: dict[str, dict[str, Any]] = {
    "RULE-001": {"max_contracts": UNTIL_RESET},
    "RULE-002": {"max_contracts_per_instrument": {"limits": {"ES": 3}, "lockout": "until_reset"}},
    "RULE-004": {"daily_unrealized_loss": {"loss_limit": money("300"), "lockout": "until_reset"}},
    "RULE-005": {"max_unrealized_profit": {"profit_target": money("300"), "lockout": "until_reset"}},
    "RULE-006": {"trade_frequency_limit": {"per_hour": 1, "per_session": 1}},
    "RULE-007": {"cooldown_after_loss": {"consecutive_losses": {"count": 2, "cooldown_seconds": 86_400}}},
    "RULE-008": {"no_stop_loss_grace": {"grace_period_seconds": 1}},
    "RULE-009": {"session_block_outside": {"windows": [{"days": [4], "start": 3_600, "end": 7_200}]}},
    "RULE-011": {"symbol_blocks": {"blocked_symbols": ("ES",)}},
}
of_every_rule = pytest.mark.parametrize("rules", OVER_AND_OUT.values(), ids=OVER_AND_OUT)


def looked_at(desk: Desk, *held: tuple[str, int], fills: bool = True) -> Desk:
    """What a start is shown: positions, orders, then the fills of two losing trades of four, which are over."""
    positions = tuple(e.PositionObserved(ACCOUNT, desk.contract(name), size) for name, size in held)
    desk.later(1).take(e.PositionsListed(ACCOUNT, positions), "positions")
    desk.take(e.OrdersListed(ACCOUNT, (1, 6, 7, 8), ()), "orders")
    for made_at in ("09:50:00", "09:55:00") if fills else ():
        desk.fill("ES", 4, "6000", created=today(made_at))
        desk.fill("ES", -4, "5990", profit="-2000", created=today(made_at))
    return desk.list_fills()


def unlocked(desk: Desk) -> bool:
    return desk.breaches == [] and not desk.account_state.lockouts and desk.asked == []


@of_every_rule
def test_what_was_over_before_the_first_start_breaches_nothing(rules: dict[str, Any]) -> None:
    desk = looked_at(Restarted(**rules).at("10:00:00").start().account().connect())  # type: ignore[attr-defined]
    assert unlocked(desk.mark("ES", "5900").mark("ES", "6100").later(30))
    assert desk.account_state.day(desk.book.trade_date).gross_usd == money("-4000"), "it counts all the same"


@of_every_rule
@pytest.mark.parametrize("known", [True, False], ids=["known contract", "new contract"])
def test_what_was_over_before_a_restart_breaches_nothing(rules: dict[str, Any], known: bool) -> None:
    desk = begun(**rules)
    if known:
        desk.push("ES", 0)
    assert unlocked(looked_at(desk.start("10:00:00").connect()).mark("ES", "5900").mark("ES", "6100").later(30))


@pytest.mark.parametrize("rule", [name for name in OVER_AND_OUT if name not in ("RULE-006", "RULE-007")])
def test_what_was_over_before_the_look_behind_a_gap_breaches_nothing(rule: str) -> None:
    desk = begun(**OVER_AND_OUT[rule]).at("09:40:00").take(e.ConnectionChanged("user", "lost"), "connection")
    assert isinstance(desk, Restarted)
    desk.at("10:00:00")
    assert unlocked(looked_at(desk.connect()).mark("ES", "5900").mark("ES", "6100").later(30))


@pytest.mark.parametrize("rule", ["RULE-006", "RULE-007"])
def test_the_trades_of_a_gap_of_this_run_are_judged_when_they_are_listed(rule: str) -> None:
    desk = begun(**OVER_AND_OUT[rule]).at("09:40:00").take(e.ConnectionChanged("user", "lost"), "connection")
    assert isinstance(desk, Restarted)
    assert [one.rule for one in looked_at(desk.at("10:00:00").connect()).breaches][:1] == [rule]


@pytest.mark.parametrize("rule", ["RULE-001", "RULE-002", "RULE-009", "RULE-011"])
@pytest.mark.parametrize("again", [True, False], ids=["restart", "first start"])
def test_what_is_still_there_breaches_at_the_list_that_shows_it(rule: str, again: bool) -> None:
    desk = begun(**OVER_AND_OUT[rule]) if again else Restarted(**OVER_AND_OUT[rule])
    desk.at("10:00:00").start().connect()  # type: ignore[attr-defined]
    assert [breach.rule for breach in looked_at(desk, ("ES", 4)).breaches] == [rule]
    assert desk.breach_times == ["10:00:01"]


@pytest.mark.parametrize("held", [3, 4])
def test_a_limit_lets_a_position_be_that_is_at_it(held: int) -> None:
    desk = looked_at(begun(max_contracts=UNTIL_RESET).start("10:00:00").connect(), ("ES", held), fills=False)
    assert desk.kinds == (["SetLockout", "ReducePosition"] if held > 3 else [])


def held_four(**rules: Any) -> Restarted:
    """Four were held when the engine stopped; they were closed before it started again."""
    desk = begun(**rules).push("ES", 4, "6000").fill("ES", 4, "6000")
    assert isinstance(desk, Restarted)
    return desk


@pytest.mark.parametrize("price_then", ["5900", "6100"])
def test_a_quote_before_the_list_closes_nothing_that_may_be_gone(price_then: str) -> None:
    desk = held_four(**OVER_AND_OUT["RULE-004"], **OVER_AND_OUT["RULE-005"]).start("09:59:00")
    desk.connect().mark("ES", price_then)
    assert unlocked(desk)
    assert unlocked(looked_at(desk, fills=False))
    still = held_four(**OVER_AND_OUT["RULE-004"], **OVER_AND_OUT["RULE-005"]).start("09:59:00")
    still.connect().mark("ES", price_then)
    assert len(looked_at(still, ("ES", 4), fills=False).breaches) == 1, "a state that holds breaches at once"


def test_settings_that_were_tightened_meanwhile_judge_what_the_list_shows() -> None:
    before, after = (
        read_settings(f'[profile]\n[rules.max_contracts]\nlimit = {limit}\nlockout = "until_reset"\n').plain
        for limit in (5, 3)
    )
    for held, rules in (((), []), ((("ES", 4),), ["RULE-001"])):
        desk = held_four(max_contracts={**UNTIL_RESET, "limit": 5}).start("10:00:00")
        desk.book.settings = before
        desk.take(e.ConfigChanged(after), "config", "operator")
        desk.connect()
        assert desk.breaches == []
        assert [one.rule for one in looked_at(desk, *held, fills=False).breaches] == rules


def test_no_rules_time_comes_while_nobody_watches() -> None:
    """The allowed hours end at 09:30, and what was open then is closed by nobody, or by the trader."""
    hours = {"session_block_outside": {"windows": [{"days": [4], "start": 3_600, "end": 9 * 3_600 + 1_800}]}}
    assert unlocked(looked_at(held_four(**hours).start("10:00:00").connect(), fills=False))
    desk = looked_at(held_four(**hours).start("10:00:00").connect(), ("ES", 4), fills=False)
    assert [(one.rule, one.target) for one in desk.breaches] == [("RULE-009", "end")]
    assert desk.breach_times == ["10:00:01"]


def test_nor_over_a_reset() -> None:
    hours = {"session_block_outside": {"windows": [{"days": [0, 4], "start": 3_600, "end": 9 * 3_600 + 1_800}]}}
    desk = held_four(**hours)
    missed = absence(desk.book)
    monday = Ledger(start="2026-11-23 08:30", **hours).events[0]
    assert desk.book.day is not None
    opened = replace(monday, at=desk.book.day.closes_at)
    started = e.Event(nanoseconds(today("2026-11-23 08:30")), "operator", "start", e.EngineStarted("0", True))
    before = len(desk.events)
    for event in (*missed, opened, started):
        desk._step(event)
    told = desk.events[before:]
    assert isinstance(told[-1].body, e.CommandIssued | e.GapRecorded)
    assert not [event for event in told if isinstance(event.body, e.RuleBreached | e.TimerFired)]
    assert desk.book.trade_date == "2026-11-23"


def test_a_lockout_ends_in_its_time_while_nobody_watches() -> None:
    desk = begun(**OVER_AND_OUT["RULE-001"]).push("ES", 4)
    assert isinstance(desk, Restarted)
    assert desk.account_state.lockouts
    desk.start("2026-11-20 17:30")
    assert not desk.account_state.lockouts


def test_blindness_counts_from_the_start() -> None:
    desk = held_four(profile={"on_blind": "flatten", "blind_limit_ns": 60 * SECOND_NS}, **GRACE).start("10:00:00")
    desk.later(59)
    assert desk.breaches == [], "the engine was not blind, it was not there"
    assert [breach.rule for breach in desk.later(1).breaches] == ["BLIND"]


# ---- a lockout that survives, and what is found behind it --------------------------------------------

LOCKING = {"daily_realized_loss": {"loss_limit": money("100"), "action": "lock_only"}}


def locked() -> Restarted:
    desk = begun(**LOCKING).closed("-100").push("MNQ", 0)
    assert isinstance(desk, Restarted)
    return desk.start("09:59:00").connect()


def guarded(desk: Desk) -> list[str]:
    return [breach.target for breach in desk.breaches if breach.rule == "GUARD"]


def test_what_was_opened_and_closed_under_a_lockout_is_history() -> None:
    assert guarded(looked_at(locked())) == []


@pytest.mark.parametrize("pushed_first", [True, False])
def test_what_was_opened_under_a_lockout_and_is_there_is_closed(pushed_first: bool) -> None:
    desk: Desk = locked()
    if pushed_first:
        desk = desk.push("ES", 4)  # type: ignore[assignment]
        assert guarded(desk) == []
    assert guarded(looked_at(desk, ("ES", 4), fills=False)) == [ES]
    assert guarded(desk.later(60)) == [ES]


def test_an_entry_order_under_a_lockout_is_cancelled_when_it_is_listed() -> None:
    desk: Desk = locked().order(7, "ES", 1, limit="5900")  # type: ignore[assignment]
    assert guarded(desk) == [], "positions decide whether it is an entry"
    desk.take(e.PositionsListed(ACCOUNT, ()), "positions")
    desk.take(e.OrdersListed(ACCOUNT, (1, 6, 7, 8), (7,)), "orders")
    assert guarded(desk) == ["order:7"]


def test_an_entry_order_that_was_taken_away_meanwhile_is_history() -> None:
    desk = begun(**LOCKING).order(7, "ES", -1, type=4, stop="5990").push("ES", 1).closed("-100").push("MNQ", 0)
    assert isinstance(desk, Restarted)
    assert guarded(looked_at(desk.start("09:59:00").connect(), fills=False)) == []


# ---- fills of the past count -------------------------------------------------------------------------


def test_history_seeds_the_run_of_losses() -> None:
    desk = begun(
        cooldown_after_loss={"loss_thresholds": (), "consecutive_losses": {"count": 3, "cooldown_seconds": 60}}
    )
    looked_at(desk.start("10:00:00").connect())
    assert desk.breaches == []
    assert [breach.figures["losses"] for breach in desk.closed("-1").breaches] == ["3"]


def test_history_seeds_the_count_of_trades() -> None:
    desk = looked_at(begun(trade_frequency_limit={"per_hour": 4}).start("10:00:00").connect())
    assert desk.breaches == []
    assert [breach.figures["count"] for breach in desk.fill("ES", 1, "6000").breaches] == ["5"]


@pytest.mark.parametrize(("before_ns", "breaches"), [(1, 0), (0, 1), (-1, 1)])
def test_a_fill_is_history_when_it_was_made_before_the_start(before_ns: int, breaches: int) -> None:
    desk = begun(cooldown_after_loss={}).start("10:00:00").connect()
    body = e.TradeRecorded(ACCOUNT, 1, MNQ, price("21000"), -1, 1, desk.book.started_at - before_ns, money("-150"), 0)
    desk.later(1).take(body, "trade:1")
    assert len(desk.breaches) == breaches


def test_a_day_total_over_its_limit_is_still_there() -> None:
    desk = looked_at(begun(**LOSS).start("10:00:00").connect())
    assert [breach.rule for breach in desk.breaches] == ["RULE-003"]
    assert len(desk.account_state.lockouts) == 1


def test_a_recording_judges_everything_as_it_came() -> None:
    day = Desk(cooldown_after_loss={}).at("10:00:00").fill("MNQ", -1, "21000", profit="-150", created=today("09:00:00"))
    assert [breach.rule for breach in day.breaches] == ["RULE-007"]


@pytest.mark.parametrize(("before_ns", "breaches"), [(1, 0), (0, 1), (-1, 1)])
def test_a_fill_older_than_a_list_that_does_not_have_its_contract_opens_nothing(before_ns: int, breaches: int) -> None:
    """In a recording too: a list of positions, and then one of fills."""
    day = Desk(max_contracts=UNTIL_RESET).at("10:00:00").snapshot()
    asked_at = day.account_state.reconciled_at
    body = e.TradeRecorded(ACCOUNT, 1, ES, price("6000"), 1, 4, asked_at - before_ns, None, 0)
    day.later(1).take(body, "trade:1")
    assert len(day.breaches) == breaches
    assert day.account_state.positions[ES].size == 4 * breaches


def test_a_fill_older_than_the_list_leaves_what_later_fills_opened() -> None:
    day = Desk(max_contracts=UNTIL_RESET).at("10:00:00").snapshot().later(1).fill("ES", 2, "6000")
    day.fill("ES", -4, "5990", created=today("09:50:00"))
    assert day.account_state.positions[ES].pushed is None
