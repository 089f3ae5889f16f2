"""What a rule sees and what it may remember."""

from riskcore.core import events as e
from riskcore.core.quantities import money
from riskcore.core.view import Effect, View
from tests.core.ledger import ACCOUNT, Ledger

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"


def view_of(day: Ledger, **effect: object) -> View:
    made = Effect((ACCOUNT,), **effect)  # type: ignore[arg-type]
    event = e.Event(day.book.now, "clock", "k", e.ClockTicked())
    return View(day.book, day.account_state, event, made, "net", "last", "r.0")


def test_a_day_without_fills_shows_zeros_and_leaves_no_trace() -> None:
    day = Ledger().order(7, "ES", 1)
    assert view_of(day).day.net_usd == 0
    assert day.account_state.days == {}


def test_a_late_fill_is_seen_with_the_figures_of_its_own_day() -> None:
    day = Ledger().closed("-40")
    trade = next(iter(day.account_state.trades.values()))
    assert view_of(day, trade=trade).day.trade_date == "2026-11-20"
    late = view_of(day, trade=trade, late=True)
    assert late.day is day.account_state.days[trade.trade_date]


def test_the_order_of_the_event_as_merged() -> None:
    day = Ledger().order(7, "ES", 1)
    assert view_of(day).order is None
    assert view_of(day, order_id=8).order is None
    assert view_of(day, order_id=7).order is day.account_state.orders[7]


def test_roots_and_ticks_of_known_and_unknown_contracts() -> None:
    view = view_of(Ledger().fill("ES", 1, "6000"))
    assert (view.root(ES), view.tick_size(ES)) == ("ES", 250_000_000)
    assert (view.root("CON.F.US.XYZ.Z26"), view.tick_size("CON.F.US.XYZ.Z26")) == ("XYZ", None)


def test_the_total_adds_what_is_known_and_says_what_is_not() -> None:
    day = Ledger().at("10:00:00").fill("ES", 1, "6000").fill("MNQ", 1, "21000").mark("ES", "6002").mark("MNQ", "20990")
    total = view_of(day).total()
    assert (total.value, total.fresh, total.flags) == (money("80"), money("80"), ())
    day.push("YM", 1).at("10:00:20").mark("ES", "6001").quote("CON.F.US.XX.Z26", "1")
    total = view_of(day).total()
    assert (total.value, total.fresh) == (money("30"), money("50"))
    assert total.flags == ("stale_mark", "incomplete_marks")


def test_memory_belongs_to_the_rule_and_changing_it_is_noticed() -> None:
    day = Ledger().fill("ES", 1, "6000")
    view, position = view_of(day), day.account_state.positions[ES]
    view.keep(position, "peak", None)
    view.keep_account("count", None)
    assert not view.changed
    view.keep(position, "peak", 5)
    view.keep_account("count", 2)
    assert view.changed
    assert (view.recall(position, "peak"), view.recall_account("count")) == (5, 2)
    view.rule_key = "r.1"
    assert (view.recall(position, "peak"), view.recall_account("count")) == (None, None)
    view.rule_key, view.changed = "r.0", False
    view.keep(position, "peak", 5)
    assert not view.changed
    view.keep(position, "peak", None)
    assert view.changed
    assert position.memory == {}


def test_an_episode_is_the_rules_own() -> None:
    day = Ledger().fill("ES", 1, "6000")
    day.account_state.episodes["r.0|total"] = 1
    view = view_of(day)
    assert view.episode_open("total")
    assert not view.episode_open("day")
    view.rule_key = "r.1"
    assert not view.episode_open("total")


def test_the_fill_and_the_time_of_the_event() -> None:
    day = Ledger().closed("-40")
    trade = next(iter(day.account_state.trades.values()))
    assert view_of(day).trade is None
    assert view_of(day, trade=trade).trade is trade
    assert view_of(day).now == day.book.now


def test_open_positions_are_listed_and_valued_once_per_event() -> None:
    day = Ledger().fill("ES", 1, "6000").closed("-40").mark("ES", "6002")
    view = view_of(day)
    assert [position.contract for position in view.held()] == [ES]
    assert view.held() is view.held()
    position = view.held()[0]
    assert view.value(position) is view.value(position)
    assert view.total() is view.total()
    assert (view.total().value, view.total().incomplete) == (money("100"), False), "what is closed counts nothing"
