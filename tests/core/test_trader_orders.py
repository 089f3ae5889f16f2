"""The trader's own orders: every reason to decline, just inside and just outside its limit; what is sent otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.quantities import money, price
from riskcore.core.state import OrderTerms
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT

MARKET = OrderTerms(2)
BUY, SELL = 1, -1


class Trader(Desk):
    """A desk whose trader asks riskcore for orders; reconciled and quoted to begin with."""

    def __init__(self, *, seen: bool = True, **options: Any) -> None:
        super().__init__(**options)
        if seen:
            self.account(name="PRAC-1", can_trade=True).snapshot()
            self.mark("MNQ", "21000")

    def ask(self, action: str, **figures: Any) -> "Trader":
        figures.setdefault("account", ACCOUNT)
        if "contract" in figures:
            figures["contract"] = self.contract(figures["contract"])
        self._take(e.OrderRequested(action=action, **figures), "operator", f"order:{self.next_id()}")
        return self

    def place(self, size: int, contract: str = "MNQ", terms: OrderTerms = MARKET, **figures: Any) -> "Trader":
        """A market order unless the terms say otherwise; a size below zero sells."""
        side = BUY if size > 0 else SELL
        return self.ask("place", contract=contract, side=side, size=abs(size), terms=terms, **figures)

    def close(self, contract: str = "MNQ", size: int = 0) -> "Trader":
        return self.ask("close", contract=contract, size=size)

    @property
    def declined(self) -> str:
        """Why the last order was declined; empty when it was planned."""
        body = self.events[-1].body
        for event in reversed(self.events):
            if isinstance(event.body, e.OrderDeclined | e.RequestPlanned):
                body = event.body
                break
        return body.reason if isinstance(body, e.OrderDeclined) else ""

    def seen(self, size: int, order_id: int = 50, contract: str = "MNQ", status: int = 1, **terms: Any) -> "Trader":
        """The broker shows the order last planned, by its tag."""
        body = e.OrderObserved(
            ACCOUNT, order_id, self.contract(contract), status, 2, BUY if size > 0 else SELL, abs(size), **terms
        )
        self.take(body, "order")
        return self


# ---- what is sent ------------------------------------------------------------------------------------


def test_an_allowed_order_is_planned_with_a_tag_of_its_own() -> None:
    desk = Trader(max_contracts={"limit": 5}).place(2)
    [planned] = desk.planned
    assert (planned.kind, planned.side, planned.size, planned.obligation) == ("placeOrder", BUY, 2, "")
    assert planned.contract == desk.contract("MNQ")
    assert planned.terms == MARKET
    assert planned.tag is not None
    assert planned.tag.startswith("rc-")
    assert len(planned.tag) <= 60
    assert planned.request == f"order:1/{ACCOUNT}/placeOrder/{planned.contract}/1"
    desk.place(1)
    assert len({one.tag for one in desk.planned}) == 2
    assert len({one.request for one in desk.planned}) == 2


def test_the_same_fact_gives_the_same_tag() -> None:
    first, second = Trader().place(1), Trader().place(1)
    assert first.planned[0] == second.planned[0]


@pytest.mark.parametrize(
    ("side", "terms", "placed"),
    [
        (BUY, OrderTerms(1, limit_price=price("20990.10")), OrderTerms(1, limit_price=price("20990.00"))),
        (SELL, OrderTerms(1, limit_price=price("21010.10")), OrderTerms(1, limit_price=price("21010.25"))),
        (SELL, OrderTerms(4, stop_price=price("20990.20")), OrderTerms(4, stop_price=price("20990.00"))),
        (BUY, OrderTerms(4, stop_price=price("21010.05")), OrderTerms(4, stop_price=price("21010.25"))),
        (SELL, OrderTerms(5, trail_price=price("20990.20")), OrderTerms(5, trail_price=price("20990.00"))),
        (BUY, OrderTerms(1, limit_price=price("20990.25")), OrderTerms(1, limit_price=price("20990.25"))),
    ],
)
def test_prices_are_rounded_away_from_the_market(side: int, terms: OrderTerms, placed: OrderTerms) -> None:
    desk = Trader().place(side, terms=terms)
    assert desk.planned[0].terms == placed


def test_a_bracket_is_sent_as_signed_ticks() -> None:
    desk = Trader().place(1, terms=OrderTerms(2, stop_loss_ticks=-4, take_profit_ticks=4))
    assert desk.declined == ""
    assert desk.planned[0].terms == OrderTerms(2, stop_loss_ticks=-4, take_profit_ticks=4)
    assert Trader().place(-1, terms=OrderTerms(2, stop_loss_ticks=4, take_profit_ticks=-4)).declined == ""


def test_a_close_is_whole_or_partial() -> None:
    desk = Trader().push("MNQ", 3, "21000").snapshot(("MNQ", 3))
    desk.close(size=2)
    assert [(one.kind, one.side, one.size) for one in desk.planned] == [("partialCloseContract", SELL, 2)]
    assert Trader().push("MNQ", -3, "21000").close(size=3).planned[0].kind == "closeContract"
    assert Trader().push("MNQ", -3, "21000").close(size=2).planned[0].side == BUY
    assert Trader().push("MNQ", 3, "21000").close().planned[0].kind == "closeContract"


def test_a_working_order_is_cancelled_and_changed() -> None:
    desk = Trader().order(7, "MNQ", 1, type=1, limit="20990")
    desk.ask("modify", order_id=7, terms=OrderTerms(limit_price=price("20995.10")))
    assert desk.planned[0].terms == OrderTerms(1, limit_price=price("20995.00"))
    assert (desk.planned[0].kind, desk.planned[0].order_id, desk.planned[0].size) == ("modifyOrder", 7, 0)
    other = Trader().order(7, "MNQ", 1, type=1, limit="20990").ask("cancel", order_id=7)
    assert (other.planned[0].kind, other.planned[0].order_id) == ("cancelOrder", 7)


# ---- who may ask -------------------------------------------------------------------------------------


def test_an_unknown_account_is_declined() -> None:
    desk = Trader().ask("place", account=5, contract="MNQ", side=BUY, size=1, terms=MARKET)
    assert desk.declined == "account 5 is not known here"
    assert 5 not in desk.book.accounts


def test_an_account_of_another_profile_is_declined() -> None:
    assert "not one of this profile" in Trader(profile={"accounts": ["OTHER"]}).place(1).declined


def test_an_engine_that_only_decides_sends_nothing() -> None:
    desk = Trader()
    desk.take(e.EngineStarted("0", enforces=False), "start")
    assert "--dry-run" in desk.place(1).declined
    desk.take(e.EngineStarted("0", enforces=True), "start")
    assert desk.snapshot().place(1).declined == ""


def test_a_live_funded_account_is_declined() -> None:
    desk = Trader()
    desk.take(e.AccountObserved(ACCOUNT, simulated=False), "account")
    assert "live funded" in desk.place(1).declined


def test_nothing_but_a_whole_close_is_sent_before_the_account_was_seen_in_full() -> None:
    desk = Trader(seen=False)
    desk.push("MNQ", 2, "21000")
    assert "seen in full" in desk.place(1).declined
    assert "seen in full" in desk.close(size=1).declined
    assert desk.close().declined == ""


def test_a_lost_connection_declines_what_opens() -> None:
    desk = Trader().take(e.ConnectionChanged("user", "lost"), "c")
    assert "connection" in desk.place(1).declined
    other = Trader().push("MNQ", 1, "21000").take(e.ConnectionChanged("market", "stale"), "c")
    assert "no market data" in other.place(1).declined
    assert other.place(-1).declined == ""


def test_an_account_that_nothing_is_seen_of_declines_all_but_a_whole_close() -> None:
    desk = Trader().push("MNQ", 2, "21000").take(e.SightChanged(ACCOUNT, True), "sight")
    assert "nothing tells what the account does" in desk.place(1).declined
    assert "nothing tells what the account does" in desk.close(size=1).declined
    assert desk.close().declined == ""


# ---- what an order needs -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "terms", "why"),
    [
        (1, OrderTerms(3, price("1"), price("1")), "no orders of type 3"),
        (1, OrderTerms(1), "a limit order needs a limit price"),
        (1, OrderTerms(2, limit_price=price("1")), "a market order takes no limit price"),
        (-1, OrderTerms(4, stop_price=price("21000")), "must lie below the market: 21000 is not below 21000"),
        (1, OrderTerms(4, stop_price=price("21000")), "must lie above the market"),
        (-1, OrderTerms(5, trail_price=price("20749.75")), "the trail would be 1001 ticks"),
        (1, OrderTerms(2, stop_loss_ticks=4), "the stop loss of a buy lies below its entry"),
        (1, OrderTerms(2, take_profit_ticks=-4), "the take profit of a buy lies above its entry"),
        (-1, OrderTerms(2, stop_loss_ticks=-4), "the stop loss of a sell lies above its entry"),
        (1, OrderTerms(2, stop_loss_ticks=-3), "3 ticks away; the broker wants 4"),
        (1, OrderTerms(2, take_profit_ticks=3), "3 ticks away"),
    ],
)
def test_terms_that_cannot_be(size: int, terms: OrderTerms, why: str) -> None:
    assert why in Trader().place(size, terms=terms).declined


@pytest.mark.parametrize(
    ("size", "terms"),
    [
        (-1, OrderTerms(4, stop_price=price("20999.75"))),
        (1, OrderTerms(4, stop_price=price("21000.25"))),
        (-1, OrderTerms(5, trail_price=price("20750"))),
        (1, OrderTerms(6)),
        (-1, OrderTerms(7)),
    ],
)
def test_terms_that_just_can_be(size: int, terms: OrderTerms) -> None:
    assert Trader().place(size, terms=terms).declined == ""


def test_a_stop_is_compared_with_the_side_it_would_trade_at() -> None:
    desk = Trader().quote("MNQ", "21000", "20999", "21001")
    assert "below 20999" in desk.place(-1, terms=OrderTerms(4, stop_price=price("20999"))).declined
    assert "above 21001" in desk.place(1, terms=OrderTerms(4, stop_price=price("21001"))).declined
    assert desk.place(1, terms=OrderTerms(4, stop_price=price("21001.25"))).declined == ""


def test_an_old_mark_leaves_the_side_to_the_broker_but_no_trail() -> None:
    desk = Trader().later(10.001)
    assert desk.place(-1, terms=OrderTerms(4, stop_price=price("21500"))).declined == ""
    assert "last price" in desk.place(-1, terms=OrderTerms(5, trail_price=price("20990"))).declined


@pytest.mark.parametrize("figures", [{"side": 0}, {"size": 0}, {"size": -1}, {"terms": None}, {"side": 2}])
def test_an_order_needs_side_size_and_terms(figures: dict[str, Any]) -> None:
    asked = {"contract": "MNQ", "side": BUY, "size": 1, "terms": MARKET, **figures}
    assert "an order needs a side" in Trader().ask("place", **asked).declined


def test_an_unknown_contract_or_action_is_declined() -> None:
    assert "is not known" in Trader().place(1, "CON.F.US.XX.Z26").declined
    assert "nothing that can be done" in Trader().ask("double", contract="MNQ").declined


# ---- what the rules say ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "size", "admitted"), [(3, 1, True), (3, 2, True), (3, 3, False), (0, 5, True), (0, 6, False)]
)
def test_the_account_limit(held: int, size: int, admitted: bool) -> None:
    desk = Trader(max_contracts={"limit": 5})
    if held:
        desk.push("ES", held, "6000").snapshot(("ES", held))
    reason = f"RULE-001 declines it: it would make {held + size} contracts, the limit is 5"
    assert desk.place(size).declined == ("" if admitted else reason)


def test_working_entries_and_orders_on_their_way_count_too() -> None:
    desk = Trader(max_contracts={"limit": 5}).fill("ES", 1, "6000").order(3, "ES", 2, limit="5990")
    assert desk.place(2).declined == ""
    assert "it would make 6" in desk.place(1).declined
    desk.attempt("placeOrder").refuse("placeOrder")
    assert desk.place(1).declined == ""
    protected = Trader(max_contracts={"limit": 5}).push("ES", 4, "6000").order(3, "ES", -4, type=4, stop="5990")
    assert protected.place(1).declined == ""


def test_an_order_seen_by_its_tag_is_not_counted_twice() -> None:
    desk = Trader(max_contracts={"limit": 4}).place(2)
    tag = desk.planned[0].tag
    desk.attempt().accept()
    assert "it would make 5" in desk.place(3).declined
    desk.seen(2, tag=tag)
    assert not desk.account_state.requests
    assert desk.place(2).declined == ""


def test_a_limit_that_counts_working_orders_wants_the_order_to_fit_while_it_works() -> None:
    desk = Trader(max_contracts={"limit": 5, "include_working_orders": True}).push("MNQ", 3, "21000")
    desk.snapshot(("MNQ", 3))
    desk.order(4, "MNQ", -3, type=4, stop="20900")
    assert desk.place(-5, terms=OrderTerms(1, limit_price=price("21100"))).declined != ""
    assert desk.place(2, terms=OrderTerms(1, limit_price=price("20990"))).declined == ""


@pytest.mark.parametrize(
    ("root", "size", "admitted"), [("MNQ", 2, True), ("MNQ", 3, False), ("ES", 9, True), ("RTY", 1, False)]
)
def test_the_limit_of_a_product(root: str, size: int, admitted: bool) -> None:
    desk = Trader(max_contracts_per_instrument={"limits": {"MNQ": 2, "RTY": 0}})
    desk.mark(root, "6000").order(3, "ES", 1, limit="5990")
    assert (desk.place(size, root).declined == "") is admitted


def test_two_expiries_of_a_product_count_together() -> None:
    desk = Trader(max_contracts_per_instrument={"limits": {"MNQ": 2}}).push("MNQ", 1, "21000")
    desk.mark("CON.F.US.MNQ.H27", "21100")
    assert desk.place(1, "CON.F.US.MNQ.H27").declined == ""
    assert "3 contracts of MNQ" in desk.place(1, "CON.F.US.MNQ.H27").declined


@pytest.mark.parametrize("when", ["exceeded", "reached"])
def test_a_trade_too_many(when: str) -> None:
    """Below the limit it is admitted; at the limit the next fill would break it, whatever the lockout says."""
    settings = {"per_minute": 2, "per_hour": None, "per_session": None, "breach_when": when}
    desk = Trader(trade_frequency_limit=settings)
    desk.fill("MNQ", 1, "21000")
    assert desk.place(1).declined == ""
    desk.fill("MNQ", 1, "21000")
    assert desk.place(1).declined != ""
    desk.later(60)
    assert desk.mark("MNQ", "21000").place(1).declined == ""


def test_the_session_limit_lasts_all_day() -> None:
    desk = Trader(trade_frequency_limit={"per_minute": None, "per_hour": None, "per_session": 1})
    desk.fill("MNQ", 1, "21000").later(7200)
    assert "1 trades in the session already, the limit is 1" in desk.place(1).declined
    assert desk.close().declined == ""


@pytest.mark.parametrize(("at", "admitted"), [("14:57:59.999", True), ("14:58:00", False), ("15:00:01", False)])
def test_outside_the_allowed_hours_and_before_their_end(at: str, admitted: bool) -> None:
    desk = Trader(session_block_outside={"flatten_before_end_seconds": 120}, start="2026-11-20 10:00:00")
    desk.at(at)
    declined = desk.place(1).declined
    assert (declined == "") is admitted
    assert admitted or "they begin again 2026-11-23 08:30:00 America/Chicago" in declined


def test_hours_of_a_product_replace_the_general_ones() -> None:
    own = {"ES": [{"days": [4], "start": 3600, "end": 7200}]}
    desk = Trader(session_block_outside={"per_instrument": own}, start="2026-11-20 10:00:00").mark("ES", "6000")
    assert "outside the allowed hours" in desk.place(1, "ES").declined
    assert desk.place(1, "MNQ").declined == ""


def test_a_blocked_product() -> None:
    desk = Trader(symbol_blocks={"blocked_symbols": ["ES"]}).mark("ES", "6000").mark("MES", "6000")
    assert desk.place(1, "ES").declined == "RULE-011 declines it: ES is blocked"
    assert desk.place(1, "MES").declined == ""


def test_a_shadow_rule_declines_nothing() -> None:
    assert Trader(max_contracts={"limit": 1, "shadow": True}).place(5).declined == ""


def test_a_rule_that_fails_declines(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise ZeroDivisionError("no")

    monkeypatch.setattr("riskcore.core.rules.max_contracts.count_with", failing)
    assert "nothing is opened unchecked" in Trader(max_contracts={}).place(1).declined


# ---- lockouts and closing ----------------------------------------------------------------------------


def test_a_lockout_declines_what_opens_increases_or_flips_and_nothing_else() -> None:
    desk = Trader(daily_realized_loss={"loss_limit": money("100"), "action": "lock_only"})
    desk.push("ES", 2, "6000").fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="-100").push("MNQ", 0)
    desk.mark("ES", "6000")
    reason = "the account is locked by RULE-003 until 2026-11-20 17:00:00 America/Chicago"
    assert reason in desk.place(1).declined
    assert reason in desk.place(1, "ES").declined
    assert reason in desk.place(-3, "ES").declined
    assert desk.place(-2, "ES").declined == ""
    assert reason in desk.place(-1, "ES").declined, "two sales on their way make a short"
    desk.attempt("placeOrder").refuse("placeOrder")
    assert desk.close("ES", 1).declined == ""


def test_a_stop_is_loosened_during_a_lockout_but_not_grown() -> None:
    desk = Trader(daily_realized_loss={"loss_limit": money("100"), "action": "lock_only"})
    desk.push("ES", 2, "6000").order(9, "ES", -2, type=4, stop="5990")
    desk.fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="-100").push("MNQ", 0).mark("ES", "6000")
    assert "locked" in desk.ask("modify", order_id=9, size=3).declined
    assert desk.ask("modify", order_id=9, terms=OrderTerms(stop_price=price("5980"))).declined == ""


def test_lockouts_without_an_end_say_what_ends_them() -> None:
    desk = Trader(auth_loss_guard={}).account(can_trade=False).account(can_trade=True)
    assert desk.place(1).declined == ""
    desk.account(can_trade=False)
    assert desk.place(1).declined == "the broker does not let this account trade at the moment"


def test_a_symbol_lockout_covers_its_product_only() -> None:
    desk = Trader(symbol_blocks={"blocked_symbols": ["ES"]}).order(1, "ES", 1, limit="5900").mark("ES", "6000")
    assert desk.place(1, "ES").declined == "ES is locked by RULE-011 while the product is blocked: ES is blocked"
    assert desk.place(1).declined == ""


def test_a_personal_lockout_counts_without_any_rule() -> None:
    desk = Trader()
    desk.take(e.LockRequested(ACCOUNT, desk.book.now + 60 * 10**9, "lunch", flatten=False), "lock:1", "operator")
    assert "locked by OPERATOR" in desk.place(1).declined
    assert desk.fill("MNQ", 1, "21000").kinds[-1] == "ClosePosition"


def test_nothing_is_placed_while_a_position_is_being_closed() -> None:
    desk = Trader(daily_unrealized_loss={"loss_limit": money("100")}).push("MNQ", 1, "21000").mark("MNQ", "20900")
    assert desk.asked == ["closeContract CON.F.US.MNQ.Z26"]
    why = "RULE-004 is closing or reducing MNQ just now"
    assert why in desk.place(1).declined
    assert why in desk.place(-1).declined
    assert "on its way already" in desk.close().declined
    desk.mark("ES", "6000")
    assert desk.place(1, "ES").declined == ""


# ---- close, cancel, modify ---------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "why"), [(3, ""), (4, "3 contracts of MNQ are open"), (-1, "cannot be closed")])
def test_a_close_is_no_larger_than_the_position(size: int, why: str) -> None:
    assert why in Trader().push("MNQ", 3, "21000").close(size=size).declined


def test_only_an_open_position_is_closed_and_only_once() -> None:
    desk = Trader().push("MNQ", 3, "21000")
    assert "no open position" in desk.close("ES").declined
    assert desk.close(size=1).declined == ""
    assert "on its way already" in desk.close(size=1).declined


@pytest.mark.parametrize("status", [2, 3, 4, 5])
def test_only_working_orders_are_cancelled(status: int) -> None:
    desk = Trader().order(7, "MNQ", 1, status=status)
    assert "not known as a working order" in desk.ask("cancel", order_id=7).declined
    assert "not known as a working order" in desk.ask("cancel", order_id=8).declined


@pytest.mark.parametrize(
    ("status", "cancelled", "modified"), [(1, True, True), (6, True, False), (7, False, False), (8, True, False)]
)
def test_what_each_working_status_allows(status: int, cancelled: bool, modified: bool) -> None:
    desk = Trader().order(7, "MNQ", 1, status=status, limit="20900")
    terms = OrderTerms(limit_price=price("20901"))
    assert (desk.ask("modify", order_id=7, terms=terms).declined == "") is modified
    other = Trader().order(7, "MNQ", 1, status=status, limit="20900")
    assert (other.ask("cancel", order_id=7).declined == "") is cancelled


def test_one_request_about_an_order_at_a_time() -> None:
    desk = Trader().order(7, "MNQ", 1, limit="20900").ask("cancel", order_id=7)
    assert "on its way already" in desk.ask("cancel", order_id=7).declined


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        ({"terms": OrderTerms(limit_price=price("20900.1"))}, "is like that already"),
        ({"size": 2}, "is like that already"),
        ({"size": 1}, "1 contracts of order 7 have filled already"),
        ({"terms": OrderTerms(stop_price=price("1"))}, "has no stop price to change"),
        ({"terms": OrderTerms(stop_loss_ticks=-4)}, "brackets are given with the order itself"),
        ({"size": 4}, "RULE-001 declines it"),
        ({"size": 3}, ""),
    ],
)
def test_what_a_working_order_may_become(figures: dict[str, Any], why: str) -> None:
    desk = Trader(max_contracts={"limit": 3}).push("MNQ", 1, "21000").snapshot(("MNQ", 1))
    desk.order(7, "MNQ", 2, limit="20900", filled=1)
    declined = desk.ask("modify", order_id=7, **figures).declined
    assert why in declined
    assert bool(why) == bool(declined)


# ---- the life of a request ---------------------------------------------------------------------------


def test_an_order_ends_when_the_broker_shows_it_by_its_tag() -> None:
    desk = Trader().place(1)
    desk.attempt().accept().later(30)
    assert desk.open().state == "accepted", "nobody has seen it yet, and nobody has looked"
    desk.seen(1, tag=desk.planned[0].tag)
    assert [body.request for body in desk.bodies(e.RequestConfirmed)] == [desk.planned[0].request]


def test_an_order_that_shows_up_rejected_was_not_placed() -> None:
    desk = Trader().place(1)
    desk.attempt().seen(1, tag=desk.planned[0].tag, status=5)
    assert desk.open().state == "attempted"
    desk.refuse()
    assert desk.bodies(e.RequestConfirmed) == []


def test_a_snapshot_without_the_order_ends_it_and_nothing_is_sent_again() -> None:
    desk = Trader().place(1)
    desk.attempt().lose().later(60)
    assert desk.open().state == "unresolved"
    desk.snapshot().later(60)
    assert [body.reason for body in desk.bodies(e.RequestSuperseded)] == ["a snapshot showed what happened"]
    assert desk.asked == ["placeOrder CON.F.US.MNQ.Z26"]


def test_what_was_refused_is_over() -> None:
    desk = Trader().place(1)
    desk.attempt().refuse().later(60)
    assert not desk.account_state.requests
    assert len(desk.planned) == 1


def test_what_was_not_sent_in_time_is_never_sent() -> None:
    desk = Trader().place(1)
    desk.later(2.999)
    assert desk.open().state == "planned"
    desk.later(0.001)
    assert [body.reason for body in desk.bodies(e.RequestSuperseded)] == ["it was not sent in time"]


def test_a_whole_close_sweeps_what_is_left_working() -> None:
    """The broker leaves bracket legs behind; a forgotten one opens a new position (API.md 0.9)."""
    desk = Trader().push("MNQ", 1, "21000").order(9, "MNQ", -1, type=4, stop="20900").close()
    desk.attempt().accept().fill("MNQ", -1, "21000", profit="0").push("MNQ", 0)
    assert desk.asked == ["closeContract CON.F.US.MNQ.Z26", "cancelOrder 9"]


def test_a_partial_close_ends_with_its_fill() -> None:
    desk = Trader().push("MNQ", 3, "21000").close(size=2)
    desk.attempt()
    desk.fill("MNQ", -1, "21000", profit="0")
    assert desk.open().state == "attempted"
    desk.fill("MNQ", -1, "21000", profit="0")
    assert not desk.account_state.requests


@pytest.mark.parametrize(("limit", "open_still"), [("20905", False), ("20904.75", True)])
def test_a_change_ends_when_it_is_seen(limit: str, open_still: bool) -> None:
    desk = Trader().order(7, "MNQ", 1, limit="20900")
    desk.ask("modify", order_id=7, terms=OrderTerms(limit_price=price("20905")))
    desk.attempt().order(7, "MNQ", 1, limit=limit)
    assert bool(desk.account_state.requests) is open_still


# ---- the promise of the limits -----------------------------------------------------------------------

sizes = st.integers(-6, 6).filter(bool)


@given(
    held=st.dictionaries(st.sampled_from(["MNQ", "ES", "MES"]), sizes, max_size=3),
    working=st.lists(st.tuples(st.sampled_from(["MNQ", "ES", "MES"]), sizes), max_size=2),
    wanted=st.tuples(st.sampled_from(["MNQ", "ES", "MES"]), sizes),
    settings=st.fixed_dictionaries(
        {
            "limit": st.integers(1, 12),
            "weighting": st.sampled_from(["contracts", "mini_equivalent"]),
            "include_working_orders": st.booleans(),
        }
    ),
    of_mnq=st.integers(0, 6),
)
def test_an_admitted_order_breaches_no_limit_when_it_fills_alone(
    held: dict[str, int],
    working: list[tuple[str, int]],
    wanted: tuple[str, int],
    settings: dict[str, Any],
    of_mnq: int,
) -> None:
    desk = Trader(max_contracts=settings, max_contracts_per_instrument={"limits": {"MNQ": of_mnq}})
    for root, size in held.items():
        desk.push(root, size, "6000")
    for number, (root, size) in enumerate(working, 1):
        desk.order(number, root, size, limit="6000")
    breached = len(desk.breaches)
    desk.mark(wanted[0], "6000")
    desk.place(wanted[1], wanted[0])
    # What only reduces is always allowed, also where it counts as a working order beside others.
    reduces = -held.get(wanted[0], 0) * wanted[1] > 0 and abs(wanted[1]) <= abs(held[wanted[0]])
    if breached or desk.declined or reduces:
        return
    desk.seen(wanted[1], contract=wanted[0], tag=desk.planned[-1].tag)
    desk.seen(wanted[1], contract=wanted[0], status=2, fill_volume=abs(wanted[1]))
    desk.push(wanted[0], held.get(wanted[0], 0) + wanted[1])
    assert len(desk.breaches) == breached
