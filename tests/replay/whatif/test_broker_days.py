"""The counterfactual broker on whole days: bars, stops that rules place, orders that go on working (WHATIF.md 4)."""

from pathlib import Path
from typing import Any

import pytest

from replay.whatif.broker import Assumptions, Resting, resting_fill
from replay.whatif.market import DayFacts
from riskcore.core.events import AccountObserved, BarObserved, Event, QuoteObserved
from riskcore.core.quantities import SECOND_NS, price, price_text
from riskcore.schema.instants import instant_ns
from riskcore.settings.calendar import day_for
from riskcore.settings.config import read_settings
from tests.recordings import MNQ
from tests.replay.whatif.sessions import Trades, export, study, study_of

OPEN_LOSS = "rules.daily_unrealized_loss.loss_limit=300"


def bar(day: Trades, opens: str, open_: float, high: float, low: float, close: float) -> None:
    """A minute bar as the broker's history has it, told when it has ended."""
    day.line(
        {
            "rest": "/api/History/retrieveBars",
            "request": {"contractId": MNQ, "unit": 2, "unitNumber": 1},
            "status": 200,
            "response": {
                "bars": [{"t": f"2026-11-20T{opens}+00:00", "o": open_, "h": high, "l": low, "c": close, "v": 1}],
                "success": True,
                "errorCode": 0,
                "errorMessage": None,
            },
        }
    )


def test_a_close_inside_a_bar(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").trade(2, 21000)
    day.at("09:01:00")
    bar(day, "15:00:00", 21000, 21001, 20990, 20995)
    day.at("09:02:00")
    bar(day, "15:01:00", 20995, 20996, 20920, 20921)
    day.at("09:03:00")
    bar(day, "15:02:00", 20921, 20950, 20900, 20940)
    day.at("09:20:00").trade(-2, 20950)
    result = study(day, tmp_path, OPEN_LOSS, quick=False)
    row = result["effect"]["by_day"][0]
    # Decided when the bar of 09:01 is known, at 09:02: inside the bar of 09:02, which closes later; its open counts.
    assert row["flags"] == ["from_bars"]
    assert row["net_pnl"] == "-118.00"  # 20921 less two ticks against 20950, twice 2 dollars a point.
    found = result["range"]
    assert (found["kindest"], found["kindest_of"]["bar_path"]) == ("0", "kindest")
    assert (found["cruellest"], found["cruellest_of"]["bar_path"]) == ("-204.00", "cruellest")


def test_an_entry_whose_own_fees_lock_is_closed_although_its_push_comes_later(tmp_path: Path) -> None:
    """The last push is still flat when the entry's fees reach the limit of 50: 2 are sold at 20990 less two ticks."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000).push(1, 21000)
    day.at("09:05:00").trade(-1, 20976).push(0, 20976)
    day.at("09:10:00").trade(2, 20990).at("09:10:00.100").push(2, 20990)
    day.at("09:10:01").sparse(lastPrice=20990, bestBid=20990, bestAsk=20990.25)
    day.at("09:20:00").trade(-2, 21000).push(0, 21000)
    # 20989.50 instead of 21000 on two contracts.
    assert study(day, tmp_path, "rules.daily_realized_loss.loss_limit=50")["effect"]["net_pnl"] == "-42.00"


def test_an_exit_order_that_was_cancelled_closes_nothing_of_a_later_entry(tmp_path: Path) -> None:
    """WHATIF.md 2: orders that the counterfactual engine cancelled stay cancelled, whatever the record says later."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:01").order(7, 1, 4, 1, 2, stopPrice=20900)
    for second in (0, 1):
        day.at(f"09:05:0{second}").sparse(lastPrice=20925, bestBid=20925, bestAsk=20925.25)
    # Closed at 20924.50 and the stop cancelled with it; the record still holds two and buys one more.
    day.at("09:06:00").trade(1, 20930)
    day.at("09:07:00").trade(-2, 20900, order=7)
    day.at("09:08:00").trade(-1, 20940)
    # 24.50 points better on two contracts; the one bought at 20930 is sold at 20940 in both courses.
    assert study(day, tmp_path, OPEN_LOSS)["effect"]["net_pnl"] == "98.00"


def closed_by_the_broker(day: Trades) -> Trades:
    """What was bought loses more than 300, is closed at 20924.50 and recorded sold at 20950."""
    for second in (0, 1):
        day.at(f"09:05:0{second}").sparse(lastPrice=20925, bestBid=20925, bestAsk=20925.25)
    day.at("09:20:00").trade(-2, 20950)
    return day


def test_the_fees_of_the_brokers_fill_are_those_that_were_told_last(tmp_path: Path) -> None:
    """The latest recorded fill costs 0.62 a contract, then 1.00 by a later version; its commissions stay."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.user("GatewayUserTrade", {**day.last_trade, "fees": 1.5, "commissions": None})
    # 25.50 points on two contracts, and 0.38 a contract more than the recorded exit.
    assert study(closed_by_the_broker(day), tmp_path, OPEN_LOSS)["effect"]["net_pnl"] == "-102.76"


def test_a_void_of_the_time_before_the_divergence_leaves_the_lots_that_stand(tmp_path: Path) -> None:
    """One bought at 6010 is voided behind the close of the others; where the broker pushes, the size follows."""
    contract, day = "CON.F.US.MES.U26", Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.trade(1, 6010, contract).push(1, 6010, contract)
    busted = day.last_trade
    for second in (0, 1):
        day.at(f"09:05:0{second}").sparse(lastPrice=20925, bestBid=20925, bestAsk=20925.25)
    day.at("09:06:00").void(busted).push(0, 6010, contract)
    day.lots[(busted["accountId"], contract)].clear()
    day.at("09:07:00").trade(1, 6000, contract).push(1, 6000, contract)
    day.at("09:08:00").trade(-1, 6000, contract).push(0, 6000, contract)
    day.at("09:20:00").trade(-2, 20950)
    assert study(day, tmp_path, OPEN_LOSS)["effect"]["net_pnl"] == "-102.00"


def test_the_rest_of_a_flip_whose_first_fill_locks_is_executed_and_closed(tmp_path: Path) -> None:
    """WHATIF.md 2: the order worked when the lockout began; the push of flat comes behind the fill that decides."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(-1, 21000).push(-1, 21000)
    day.at("09:05:00").order(9, 6, 2, 0, 2).at("09:05:00.010").trade(1, 21030, order=9).push(0, 0)
    day.order(9, 1, 2, 0, 2, fillVolume=1).trade(1, 21030, order=9).push(1, 21030)
    day.order(9, 2, 2, 0, 2, fillVolume=2)
    day.at("09:05:01").sparse(lastPrice=21030, bestBid=21030, bestAsk=21030.25)
    day.at("09:20:00").trade(-1, 21040, order=10).push(0, 0)
    row = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=50")["effect"]["by_day"][0]
    # Sold at 21029.50 instead of 21040.
    assert (row["net_pnl"], row["simulated"], row["left_out_contracts"]) == ("-21.00", "-21.00", 0)


@pytest.mark.parametrize("told", [True, False])
def test_the_rest_of_an_order_that_became_an_entry_when_flat_is_executed_and_closed(told: bool, tmp_path: Path) -> None:
    """The third order of a minute pauses; what closes one of its two contracts leaves one that opens."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(1, 21000, order=7)
    day.order(6, 1, 1, 0, 1, limitPrice=20900)  # Cancelled by the pause, with which the courses part.
    day.at("09:00:10").trade(1, 21000, order=8).push(2, 21000).at("09:00:20").order(9, 6, 2, 1, 3)
    day.at("09:00:20.010").trade(-2, 21000, order=9).push(0, 0)
    if told:
        day.order(9, 1, 2, 1, 3, fillVolume=2)
    day.trade(-1, 21000, order=9).push(-1, 21000).order(9, 2, 2, 1, 3, fillVolume=3)
    day.at("09:00:21").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000)
    day.at("09:20:00").trade(1, 20990, order=10).push(0, 0)
    row = study(day, tmp_path, "rules.trade_frequency_limit.per_minute=2")["effect"]["by_day"][0]
    # Bought back at 21000.50 instead of 20990.
    assert (row["net_pnl"], row["left_out_contracts"]) == ("-21.00", 0)


def test_a_stop_that_a_rule_places_is_filled_at_the_next_quote(tmp_path: Path) -> None:
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25).trade(2, 21000)
    day.at("09:00:06").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.at("09:05:00").sparse(lastPrice=20990, bestBid=20990, bestAsk=20990.25)
    day.at("09:05:01").sparse(bestBid=20989.5)
    day.at("09:20:00").trade(-2, 21010)
    rules = (
        "rules.no_stop_loss_grace.grace_period_seconds=5",
        "rules.no_stop_loss_grace.action=place_stop",
        "rules.no_stop_loss_grace.place_stop_ticks=40",
    )
    result = study(day, tmp_path, *rules)
    assert result["divergence"][0]["counterfactual_action"]["kind"] == "PlaceStop"
    # Stop at 20990, triggered at 09:05:00, filled at the bid of the next quote less one tick.
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-43.00"
    assert result["effect"]["net_pnl"] == result["effect"]["simulated"] == "-83.00"


def looser(quotes: list[tuple[str, dict[str, float]]], **order: Any) -> Trades:
    """Long 2 closed by riskcore at 09:05 with an order of the trader's; what the market did after it."""
    day = Trades().account()
    day.at("09:00:00").sparse(lastPrice=21000, bestBid=20999.75, bestAsk=21000.25)
    day.order(500, 1, **order).trade(2, 21000)
    day.at("09:05:00").sparse(lastPrice=20924, bestBid=20923.75, bestAsk=20924.25)
    day.at("09:05:00.400").trade(-2, 20924)
    day.at("09:05:00.500").order(500, 3, **order)
    for at, prices in quotes:
        day.at(at).sparse(**prices)
    day.at("16:00:00").clock()
    return day


@pytest.mark.parametrize(("bid", "filled"), [(21050.0, False), (21050.25, True)])
def test_a_limit_that_goes_on_working_fills_when_it_is_traded_through(tmp_path: Path, bid: float, filled: bool) -> None:
    day = looser(
        [("09:40:00", {"bestBid": bid}), ("14:00:00", {"lastPrice": 20990, "bestBid": 20990})],
        kind=1,
        side=1,
        size=2,
        limitPrice=21050,
    )
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), "rules.daily_unrealized_loss.loss_limit=900")
    gross = result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"]
    # Filled at its own price; else closed at 15:08 at the last mark.
    assert gross == ("200.00" if filled else "-40.00")


def test_what_is_kept_is_closed_at_the_flat_by_time(tmp_path: Path) -> None:
    day = looser(
        [("15:07:59", {"bestBid": 20980}), ("15:08:00.250", {"bestBid": 20970})],
        kind=4,
        side=1,
        size=2,
        stopPrice=20800,
    )
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), "rules.daily_unrealized_loss.loss_limit=900")
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-122.00"  # 20970 less two ticks.
    assert result["effect"]["by_day"][0]["flags"] == ["extrapolated"]


def test_what_is_kept_is_closed_at_the_deadline_of_the_programme(tmp_path: Path) -> None:
    day = looser(
        [("15:08:00.250", {"bestBid": 20970}), ("15:10:00.250", {"bestBid": 20960})],
        kind=4,
        side=1,
        size=2,
        stopPrice=20800,
    )
    sets = ("rules.daily_unrealized_loss.loss_limit=900", 'programme.enforce=["mll"]')
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), *sets)
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-162.00"  # 20960 less two ticks.


def test_two_accounts_part_one_by_one(tmp_path: Path) -> None:
    other = 99000002
    day = Trades().account().account(other, "50KTC-V2-99000002")
    for account in (99000001, other):
        day.at("09:00:00" if account == 99000001 else "09:00:10").trade(2, 21000, account=account)
    day.at("09:10:00").trade(-2, 20870, account=99000001).trade(-2, 20990, account=other)
    day.at("09:30:00").trade(1, 20900, account=99000001).trade(1, 20900, account=other)
    day.at("09:40:00").trade(-1, 20890, account=99000001).trade(-1, 20890, account=other)
    result = study(day, tmp_path, "rules.daily_realized_loss.loss_limit=500")
    assert [(row["account"], row["net_pnl"]) for row in result["effect"]["by_day"]] == [
        (99000001, "21.24"),
        (other, "0"),
    ]


def test_a_trailing_stop_that_goes_on_working_follows_the_last_price(tmp_path: Path) -> None:
    # Cancelled with the last at 20924: 74 points behind it. 20950 lifts it to 20876, which the next low meets.
    day = looser(
        [
            ("09:40:00", {"lastPrice": 20950, "bestBid": 20949.75}),
            ("09:41:00", {"lastPrice": 20876.25, "bestBid": 20876}),
            ("09:42:00", {"lastPrice": 20876, "bestBid": 20875.75}),
            ("09:42:01", {"bestBid": 20875.5}),
        ],
        kind=5,
        side=1,
        size=2,
        stopPrice=20850,
    )
    result = study_of(tmp_path, (export(day, tmp_path, OPEN_LOSS),), "rules.daily_unrealized_loss.loss_limit=900")
    # One tick below the bid after the trigger, 20875.25: 124.75 points on two.
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-499.00"


def test_a_stop_that_goes_on_working_is_met_inside_a_bar(tmp_path: Path) -> None:
    day = looser([], kind=4, side=1, size=2, stopPrice=20850)
    clock = day.lines.pop()
    day.at("09:41:00")
    bar(day, "15:40:00", 20880, 20890, 20840, 20860)
    day.lines.append(clock)
    recorded = export(day, tmp_path, OPEN_LOSS)
    result = study_of(tmp_path, (recorded,), "rules.daily_unrealized_loss.loss_limit=900", quick=False)
    # Its own price, one tick worse: 150.25 points on two.
    assert result["counterfactual"]["accounts"][0]["days"][0]["gross_pnl"] == "-601.00"
    assert result["effect"]["by_day"][0]["flags"] == ["extrapolated", "from_bars"]
    # At worst the low of that bar, 20840, one tick worse.
    assert (result["range"]["cruellest"], result["range"]["cruellest_of"]["bar_path"]) == ("-337.00", "cruellest")


TICK = price("0.25")
DAY = day_for(read_settings("").plain, instant_ns("2026-11-20T15:00:00.000000000Z"))
BEGAN = instant_ns("2026-11-20T15:00:30.000000000Z")


def resting(kind: str, side: int, at: str, bars: list[str], path: str, trail: str | None = None) -> Any:
    """How an order that works since 09:00:30 is filled by minute bars from 09:00 on, and in which of them."""
    facts = DayFacts(DAY)
    facts.add_event(Event(BEGAN, "broker", "account", AccountObserved(1)))
    for number, text in enumerate(bars):
        opens_at = BEGAN + (60 * number - 30) * SECOND_NS
        prices = [price(one) for one in text.split()]
        body = BarObserved(MNQ, opens_at, 60 * SECOND_NS, *prices)
        facts.add_event(Event(opens_at + 60 * SECOND_NS, "market", f"bar:{number}", body))
    order = Resting(1, MNQ, side, kind, price(at), None if trail is None else price(trail))  # type: ignore[arg-type]
    fill = resting_fill(facts, order, TICK, BEGAN, 0, Assumptions(bar_path=path))  # type: ignore[arg-type]
    if fill is None:
        return None
    assert fill.flags == ("from_bars",)
    minute = (fill.moment.at - BEGAN + 30 * SECOND_NS) // (60 * SECOND_NS)
    return minute, price_text(fill.price)


@pytest.mark.parametrize(
    ("kind", "side", "at", "bars", "point", "kindest", "cruellest"),
    [
        # A sell stop met inside the second bar.
        ("stop", -1, "100", ["105 106 104 105", "105 106 98 104"], (2, "99.75"), (2, "99.75"), (2, "97.75")),
        # One tick above the stop is not enough, and exactly there is.
        ("stop", -1, "100", ["105 106 104 105", "105 106 100.25 104"], None, None, None),
        ("stop", -1, "100", ["105 106 104 105", "105 106 100 104"], (2, "99.75"), (2, "99.75"), (2, "99.75")),
        # The market opens beyond it.
        ("stop", -1, "100", ["105 106 104 105", "97 99 95 98"], (2, "96.75"), (2, "96.75"), (2, "94.75")),
        ("stop", 1, "100", ["95 96 94 95", "95 103 94 96"], (2, "100.25"), (2, "100.25"), (2, "103.25")),
        # The first bar had begun before the order: its low may have been before it too.
        ("stop", -1, "100", ["105 106 98 105"], None, None, (1, "97.75")),
        # It closes beyond the stop: that came later, and how the market stood when the stop began to work nobody knows.
        ("stop", -1, "100", ["105 106 98 100.25"], None, None, (1, "97.75")),
        ("stop", -1, "100", ["105 106 98 100"], (1, "99.75"), (1, "99.75"), (1, "97.75")),
        ("stop", -1, "100", ["105 106 98 99"], (1, "98.75"), (1, "98.75"), (1, "97.75")),
        ("limit", -1, "100", ["95 96 94 95", "95 100 94 96"], None, (2, "100"), None),
        ("limit", -1, "100", ["95 96 94 95", "95 100.25 94 96"], (2, "100"), (2, "100"), (2, "100")),
        ("limit", 1, "100", ["105 106 99 105"], None, (1, "100"), None),
    ],
)
def test_resting_orders_and_bars(
    kind: str, side: int, at: str, bars: list[str], point: Any, kindest: Any, cruellest: Any
) -> None:
    found = [resting(kind, side, at, bars, path) for path in ("point", "kindest", "cruellest")]
    assert found == [point, kindest, cruellest]


@pytest.mark.parametrize(("path", "expected"), [("point", None), ("kindest", None), ("cruellest", (2, "104.75"))])
def test_a_trailing_stop_inside_a_bar_hangs_on_the_order_of_its_extremes(path: str, expected: Any) -> None:
    # Five behind: the high of 110 lifts the stop of 100 to 105, where the low is; it closes above.
    assert resting("stop", -1, "100", ["105 105 105 105", "106 110 105 108"], path, "5") == expected


def test_a_trailing_stop_that_a_bar_has_lifted_meets_the_next_one() -> None:
    bars = ["105 105 105 105", "106 110 106 109", "109 109 104 106"]
    assert resting("stop", -1, "100", bars, "point", "5") == (3, "104.75")


def test_a_bar_that_quotes_fall_into_fills_nothing_that_they_do_not() -> None:
    facts = DayFacts(DAY)
    facts.add_event(Event(BEGAN, "broker", "account", AccountObserved(1)))
    opens_at = BEGAN + 30 * SECOND_NS
    facts.add_event(Event(opens_at + SECOND_NS, "market", "quote", QuoteObserved(MNQ, price("105"), None, None)))
    body = BarObserved(MNQ, opens_at, 60 * SECOND_NS, price("105"), price("105"), price("95"), price("105"))
    facts.add_event(Event(opens_at + 60 * SECOND_NS, "market", "bar", body))
    assert resting_fill(facts, Resting(1, MNQ, -1, "stop", price("100")), TICK, BEGAN, 0, Assumptions()) is None


def test_a_stop_that_begins_to_work_inside_a_bar_meets_its_close(tmp_path: Path) -> None:
    """The first fact behind the stop's beginning is the end of the bar: what works is asked from its own instant on."""
    day = Trades().account()
    day.at("09:00:10").trade(1, 21000)
    day.at("09:01:00")
    bar(day, "15:00:00", 21000, 21000, 20985, 20988)
    day.at("09:03:00").trade(-1, 20995)
    result = study(day, tmp_path, "rules.no_stop_loss_grace.action=place_stop")
    row = result["effect"]["by_day"][0]
    # 40 ticks below the entry from 09:00:40.250 on; the bar closes at 20988, one tick worse is 20987.75.
    assert row["net_pnl"] == "-14.50"
    assert row["flags"] == ["from_bars"]
