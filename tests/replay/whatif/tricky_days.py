"""Days whose figures were worked out by hand, one trap of WHATIF.md each. Fees 0.62 a contract and side, one account.

Every case names the sentence it rests on, and what one reading of it that is wrong would give.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.replay.whatif.recording_lines import MNQ, Lines
from tests.replay.whatif.reference_rules import Settings

SIDE = Fraction("0.62")
ENDING: Settings = {"daily_realized_loss": {"loss_limit": 500}}
CUTTING: Settings = {"daily_unrealized_loss": {"loss_limit": 300}}
PAUSING: Settings = {"cooldown_after_loss": {"tiers": ((100, 300),)}}
OPEN, FILLED, CANCELLED, PENDING = 1, 2, 3, 6
EP = "CON.F.US.EP.Z26"


@dataclass
class Trap:
    """Lines, settings and options, and per day what comes out: baseline, counterfactual, simulated, left out."""

    lines: Lines
    settings: Settings
    days: dict[str, tuple[Fraction, Fraction, Fraction, int]]
    diverges: tuple[str, ...]  # Local times, one per day that diverges.
    policy: str = "follow"
    latency_ms: int = 250
    independent: bool = False
    flags: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)  # Other columns of the first day's row.


def _row(baseline: str, sides: int, counterfactual: str, kept: int, simulated: str, left_out: int) -> Any:
    """Gross amounts with the sides of each course, as a row of net figures."""
    return (
        Fraction(baseline) - sides * SIDE,
        Fraction(counterfactual) - kept * SIDE,
        Fraction(simulated),
        left_out,
    )


def a_filled_order_works_no_longer() -> Trap:
    """Action: "cancels an order that works". The order of the breaching fill is pending in the record's next line only.

    A lockout that nobody runs into is no action: the day diverges at the order of 09:30, not at 09:10.
    """
    day = Lines().at("09:00:00").order(1, 2, PENDING).fill(2, 21000, order=1).order(1, 2, FILLED, filled=2)
    day.at("09:10:00").order(2, -2, PENDING).fill(-2, 20870, -520, order=2).order(2, -2, FILLED, filled=2)
    day.at("09:30:00").order(3, 1, PENDING).at("09:30:00.01").fill(1, 20900, order=3).order(3, 1, FILLED, filled=1)
    day.at("09:40:00").order(4, -1, PENDING).fill(-1, 20950, 100, order=4).order(4, -1, FILLED, filled=1)
    return Trap(day, ENDING, {"2026-11-18": _row("-420", 6, "-520", 4, "0", 1)}, ("2026-11-18 09:30:00",))


def a_push_behind_the_fill_holds_nothing() -> Trap:
    """Action: "closes a position that is held". The push of flat comes behind the fill that made it flat."""
    day = Lines().at("09:00:00").fill(2, 21000).position(2, 21000)
    day.at("09:10:00").fill(-2, 20870, -520).position(0)
    day.at("09:30:00").fill(1, 20900).position(1, 20900).at("09:40:00").fill(-1, 20950, 100).position(0)
    return Trap(day, ENDING, {"2026-11-18": _row("-420", 6, "-520", 4, "0", 1)}, ("2026-11-18 09:30:00",))


def pushes_count_no_more() -> Trap:
    """Section 2: recorded position pushes count no more. Reduced to 2 at 09:00:01, the push of 3 at 09:05 is history.

    3 bought, 1 sold @ 20999 - 2 ticks = 20998.50 (-3); 09:05 buys 1 @ 21000: 3 > 2 again, sold @ 21009.50 (+19, the
    oldest contract @ 21000); 09:10 sells 4 @ 21020: clipped to 2 (+40 each).
    Record: 4 x 40 = 160. Simulated: (20998.50 - 21020) x 2 + (21009.50 - 21020) x 2 = -43 - 21.
    """
    day = Lines().at("09:00:00").fill(3, 21000).position(3, 21000).at("09:00:01").quote(21000, 20999, 21000)
    day.at("09:05:00").fill(1, 21000).position(4, 21000).at("09:05:01").quote(21010, 21010, 21011)
    day.at("09:10:00").fill(-4, 21020, 160).position(0)
    row = _row("160", 8, "96", 8, "-64", 0)
    return Trap(day, {"max_contracts": {"limit": 2}}, {"2026-11-18": row}, ("2026-11-18 09:00:00",))


def a_flip_in_the_pause() -> Trap:
    """Section 2: the closing part first; what it decides counts for the opening part.

    09:10 sells 2 @ 20940 (-240) and, in one order, 3 more: the loss pauses, the 3 are left out, the day parts there.
    09:20 buys 3 @ 20930 for nothing.
    """
    day = Lines().at("09:00:00").fill(2, 21000)
    day.at("09:10:00").fill(-2, 20940, -240, order=7).fill(-3, 20940, order=7).at("09:20:00").fill(3, 20930, 60)
    return Trap(day, PAUSING, {"2026-11-18": _row("-180", 10, "-240", 4, "0", 3)}, ("2026-11-18 09:10:00",))


def a_flip_in_one_fill() -> Trap:
    """Example 5, told as one fill: locked and flat, recorded long 2, sells 5. Nothing closes, 3 are left out."""
    day = Lines().at("09:00:00").fill(2, 21000).at("09:10:00").fill(-2, 20870, -520)
    day.at("09:30:00").fill(2, 20900).at("09:40:00").fill(-5, 20950, 200)
    return Trap(day, ENDING, {"2026-11-18": _row("-320", 11, "-520", 4, "0", 5)}, ("2026-11-18 09:30:00",))


def the_next_quote_after_the_traders_exit_lapses() -> Trap:
    """Section 4: a request lapses when its contract is flat; a position opened after that is a new one.

    Decided at 09:05:00, the trader sells at 09:05:00.1 and buys again at 09:05:00.2: nothing is closed at 09:05:00.3.
    An action counts when it is decided: the day diverges all the same.
    """
    day = Lines().at("09:00:00").fill(2, 21000).at("09:05:00").quote(20925, 20925, 20926)
    day.at("09:05:00.1").fill(-2, 20925, -300).at("09:05:00.2").fill(2, 20926)
    day.at("09:05:00.3").quote(20927, 20927, 20928).at("09:10:00").fill(-2, 20950, 96)
    return Trap(day, CUTTING, {"2026-11-18": _row("-204", 8, "-204", 8, "0", 0)}, ("2026-11-18 09:05:00",))


def a_freeze_ends_flat() -> Trap:
    """Policies: frozen until the recorded position is flat; a flip is flat inside, at once.

    Closed by the broker @ 20923.50 at 09:05:01 (-306); 09:06 adds 1: left out; 09:08 sells 3 and 2 more: taken.
    Record: -300 (2 @ 20925) + 10 (1 @ 20920) and 2 short @ 20925, bought @ 20915: +40.
    """
    day = Lines().at("09:00:00").fill(2, 21000).at("09:05:00").quote(20925, 20925, 20926)
    day.at("09:05:01").quote(20924, 20924, 20925).at("09:06:00").fill(1, 20920)
    day.at("09:08:00").fill(-3, 20925, -290, order=9).fill(-2, 20925, order=9).at("09:12:00").fill(2, 20915, 40)
    # The queue: two closed by the broker, one left out. Simulated: 2 x (20923.50 - 20925) x 2.
    row = _row("-250", 10, "-266", 8, "-6", 1)
    return Trap(day, CUTTING, {"2026-11-18": row}, ("2026-11-18 09:05:00",), policy="freeze")


def stop_ends_with_the_day() -> Trap:
    """Policies: left out for the rest of that day; the next day starts as `follow`."""
    day = Lines("2026-11-18").at("09:00:00").fill(2, 21000).at("09:05:00").quote(20925, 20925, 20926)
    day.at("09:05:01").quote(20924, 20924, 20925).at("09:06:00").fill(-2, 20920, -320)
    day.at("09:30:00").fill(1, 20900).at("09:40:00").fill(-1, 20910, 20)
    day.at("09:00:00", "2026-11-19").fill(1, 20900).at("09:40:00").fill(-1, 20910, 20)
    first = _row("-300", 6, "-306", 4, "14", 1)
    days = {"2026-11-18": first, "2026-11-19": _row("20", 2, "20", 2, "0", 0)}
    return Trap(day, CUTTING, days, ("2026-11-18 09:05:00",), policy="stop")


def first_missing_is_replaced_first() -> Trap:
    """Money: "a clipped closing part replaces first what went missing first".

    A pause of 5 minutes from 09:00:30 leaves 1 out @ 21000; 1 is bought @ 21000 at 09:10 and cut at -300 @ 20849.50.
    09:20 sells 1 @ 20900: the contract left out (exact). 09:30 sells 1 @ 20950: 2 x (20849.50 - 20950) = -201.
    """
    rules: Settings = {**PAUSING, **CUTTING}
    day = Lines().at("08:59:00").fill(1, 21000).at("09:00:30").fill(-1, 20945, -110)
    day.at("09:02:00").fill(1, 21000).at("09:10:00").fill(1, 21000).at("09:15:00").quote(20850, 20850, 20851)
    day.at("09:15:01").quote(20850).at("09:20:00").fill(-1, 20900, -200).at("09:30:00").fill(-1, 20950, -100)
    row = _row("-410", 6, "-411", 4, "-201", 1)
    return Trap(day, rules, {"2026-11-18": row}, ("2026-11-18 09:02:00",))


def a_replacement_on_a_later_day() -> Trap:
    """Money: "a replacement on a later day then takes the recorded net of that contract out of the later day".

    The broker closes the lots of 21000 and 20980; the record sells 2 @ 20860 on the next day, of which the lot of 20850
    takes 1. Of that fill's -520 the lot of 21000 has -280, not half. Nothing of the later day's effect is exact.
    """
    day = Lines("2026-11-18").at("09:00:00").fill(1, 21000).at("09:01:00").fill(1, 20980)
    day.at("09:05:00").quote(20840, 20840, 20841).at("09:05:01").quote(20840, 20840, 20841)
    day.at("09:30:00").fill(1, 20850).at("09:00:00", "2026-11-19").fill(-2, 20860, -520)
    day.at("09:30:00").fill(-1, 20870, 40)
    days = {"2026-11-18": _row("0", 3, "-602", 5, "-603.24", 0), "2026-11-19": _row("-480", 3, "20", 1, "501.24", 0)}
    return Trap(day, CUTTING, days, ("2026-11-18 09:05:00", "2026-11-19 09:00:00"))


def a_void_undoes_a_replacement() -> Trap:
    """Money: "a void undoes a replacement". The exit that was clipped is voided and made again at another price.

    Broker: 2 @ 20923.50 (-306). The exit @ 20950 (simulated -106) is voided; the next one @ 20930: 2 x 2 x -6.50 = -26.
    """
    day = Lines().at("09:00:00").fill(2, 21000).at("09:05:00").quote(20925, 20925, 20926)
    day.at("09:05:01").quote(20924, 20924, 20925).at("09:20:00").fill(-2, 20950, -200, trade=501)
    day.at("09:21:00").fill(-2, 20950, trade=501, voided=True).at("09:30:00").fill(-2, 20930, -280)
    row = _row("-280", 4, "-306", 4, "-26", 0)
    return Trap(day, CUTTING, {"2026-11-18": row}, ("2026-11-18 09:05:00",))


def a_void_after_the_close_leaves_what_was_booked() -> Trap:
    """Section 2: a void applies to the share that was executed; what other fills realised stays as booked.

    Bought 1 @ 21000 and 1 @ 21000, both closed by the broker @ 20923.50 (-306). The second purchase is voided: its fee
    goes out of both courses, the broker's -306 stays. The exit of 1 @ 20950: 2 x (20923.50 - 20950) = -53 simulated,
    and -153.62 for the other contract.
    """
    day = Lines().at("09:00:00").fill(1, 21000).at("09:01:00").fill(1, 21000, trade=502)
    day.at("09:05:00").quote(20925, 20925, 20926).at("09:05:01").quote(20924, 20924, 20925)
    day.at("09:06:00").fill(1, 21000, trade=502, voided=True).at("09:20:00").fill(-1, 20950, -100)
    row = (Fraction("-101.24"), Fraction("-306") - 3 * SIDE, Fraction("-53") - Fraction("153.62"), 0)
    return Trap(day, CUTTING, {"2026-11-18": row}, ("2026-11-18 09:05:00",))


def fills_price_where_nobody_quotes() -> Trap:
    """Section 4: the next recorded fill of that contract prices the close, directly before it, without slippage.

    Limit 5: 6 bought @ 21000; the exit of 2 @ 21010 prices the cut of 1 (+20) and then sells 2 itself.
    The rest of 4 @ 21020 is clipped to 3. Simulated: (21010 - 21020) x 2.
    """
    day = Lines().at("09:00:00").fill(6, 21000).at("09:10:00").fill(-2, 21010, 40).at("09:20:00").fill(-4, 21020, 160)
    row = _row("200", 12, "180", 12, "-20", 0)
    flags = ("late_fill", "priced_by_fill")
    return Trap(day, {"max_contracts": {"limit": 5}}, {"2026-11-18": row}, ("2026-11-18 09:00:00",), flags=flags)


def the_last_mark_where_nothing_follows() -> Trap:
    """Section 4: within the trading day of the decision. The quote of the next morning prices nothing.

    6 bought @ 21000, quoted 21004 before: the fill is the mark (RULES.md 1.5), so 1 is sold @ 21000 at 09:00:00.25.
    The next day starts with other lots and diverges at its opening. 6 sold @ 21010 are clipped to 5; the recorded net
    of the sixth, 20 - 0.62, is taken out of that day.
    """
    day = Lines("2026-11-18").at("08:59:00").quote(21004, 21003, 21004).at("09:00:00").fill(6, 21000)
    day.at("08:00:00", "2026-11-19").quote(21005, 21004, 21005).at("09:00:00").fill(-6, 21010, 120)
    first = (-6 * SIDE, -7 * SIDE, -SIDE, 0)
    days = {"2026-11-18": first, "2026-11-19": _row("120", 6, "100", 5, "-19.38", 0)}
    starts = ("2026-11-18 09:00:00", "2026-11-19 08:00:00")
    return Trap(day, {"max_contracts": {"limit": 5}}, days, starts, flags=("unpriced",))


def fees_that_do_not_divide() -> Trap:
    """Fees per contract to a millionth of a dollar, the remainder on the part that was not executed.

    1.00 for 3 contracts bought and 3 sold; 1 cut @ 21000 for 0.333333; the exit clipped to 2 costs 0.666666.
    """
    day = Lines().at("09:00:00").fill(3, 21000, fees=1, commissions=0).at("09:00:01").quote(21000.5, 21000.5, 21001)
    day.at("09:10:00").fill(-3, 21010, 60, fees=1, commissions=0)
    counterfactual = 40 - 1 - Fraction("0.333333") - Fraction("0.666666")
    row = (Fraction(58), counterfactual, Fraction(-20), 0)
    return Trap(day, {"max_contracts": {"limit": 2}}, {"2026-11-18": row}, ("2026-11-18 09:00:00",))


def an_order_that_worked_fills_before_its_cancel() -> Trap:
    """Section 2: executed, and the guard closes it. A limit order of ES works when MNQ's loss pauses the account.

    Cancelled at 09:10:00.250, it fills at 09:10:00.1 @ 6000 and is closed @ 5999.50 - 2 ticks = 5999 (-50). Its own
    exit @ 6004 is clipped: simulated (5999 - 6004) x 50 = -250.
    """
    day = Lines().at("09:00:00").fill(1, 21000)
    day.contract = EP
    day.at("09:09:00").order(5, 1, OPEN, kind=1, price=6000)
    day.contract = MNQ
    day.at("09:10:00").fill(-1, 20940, -120)
    day.contract = EP
    day.at("09:10:00.1").fill(1, 6000, order=5).order(5, 1, FILLED, filled=1, kind=1, price=6000)
    day.at("09:10:00.3").quote(5999.75, 5999.75, 6000).at("09:10:00.4").quote(bid=5999.5)
    day.at("09:11:00").fill(-1, 6004, 200)
    row = _row("80", 4, "-170", 4, "-250", 0)
    return Trap(day, PAUSING, {"2026-11-18": row}, ("2026-11-18 09:10:00",))


def an_order_fills_at_the_cancel() -> Trap:
    """Cancels: at exactly t + latency no more. The same order fills at 09:10:00.250 and is left out."""
    day = Lines().at("09:00:00").fill(1, 21000).at("09:09:00").order(5, 1, OPEN, kind=1, price=20900)
    day.order(5, 1, CANCELLED, kind=1, price=20900).order(6, 2, OPEN, kind=1, price=20930)
    day.at("09:10:00").fill(-1, 20940, -120).at("09:10:00.25").fill(2, 20930, order=6)
    day.order(6, 2, FILLED, filled=2, kind=1, price=20930).at("09:11:00").fill(-2, 20935, 20)
    row = _row("-100", 6, "-120", 2, "0", 2)
    return Trap(day, PAUSING, {"2026-11-18": row}, ("2026-11-18 09:10:00",))


def cancelled_stays_cancelled() -> Trap:
    """Section 2: "orders that the counterfactual engine cancelled stay cancelled, whatever the record says later".

    An entry order cancelled at 09:10 fills at 09:20 in the record, when the pause is over: left out.
    """
    day = Lines().at("09:00:00").fill(1, 21000).at("09:09:00").order(6, 2, OPEN, kind=1, price=20930)
    day.at("09:10:00").fill(-1, 20940, -120).at("09:20:00").fill(2, 20930, order=6)
    day.order(6, 2, FILLED, filled=2, kind=1, price=20930).at("09:31:00").fill(-2, 20935, 20)
    row = _row("-100", 6, "-120", 2, "0", 2)
    return Trap(day, PAUSING, {"2026-11-18": row}, ("2026-11-18 09:10:00",))


def a_flip_placed_in_the_pause() -> Trap:
    """Section 2: a closing part is executed, whatever becomes of the entry in the same order.

    Latency 0: the order of 09:12 to sell 3 is kept out as an entry at once; its first contract closes the one of ES.
    """
    day = Lines().at("09:00:00").fill(1, 21000)
    day.contract = EP
    day.at("09:01:00").fill(1, 6000)
    day.contract = MNQ
    day.at("09:10:00").fill(-1, 20940, -120)
    day.contract = EP
    day.at("09:12:00").order(8, -3, PENDING).at("09:12:00.01").fill(-1, 6001, 50, order=8).fill(-2, 6001, order=8)
    day.order(8, -3, FILLED, filled=3).at("09:20:00").fill(2, 6000, 100)
    row = _row("30", 8, "-70", 4, "0", 2)
    return Trap(day, PAUSING, {"2026-11-18": row}, ("2026-11-18 09:12:00",), latency_ms=0)


def the_deciding_fill_prices_nothing() -> Trap:
    """Section 4: the *next* recorded fill, the broker's directly before it. Latency 0, no quotes.

    3 bought @ 21000 under a limit of 2: 1 is sold at the price of 09:10, the exit of 3 @ 21010 is clipped to 2.
    """
    day = Lines().at("09:00:00").fill(3, 21000).at("09:10:00").fill(-3, 21010, 60)
    row = _row("60", 6, "60", 6, "0", 0)
    flags = ("late_fill", "priced_by_fill")
    limit: Settings = {"max_contracts": {"limit": 2}}
    return Trap(day, limit, {"2026-11-18": row}, ("2026-11-18 09:00:00",), latency_ms=0, flags=flags)


def a_void_of_an_entry_left_out() -> Trap:
    """Section 2: what is recorded is split against the recorded position, and a void changes that.

    Bought 2 in the lockout and voided; the sale of 2 opens, and is left out too. A void changes no count.
    """
    day = Lines().at("09:00:00").fill(2, 21000).at("09:10:00").fill(-2, 20870, -520)
    day.at("09:30:00").fill(2, 20900, trade=503).at("09:31:00").fill(2, 20900, trade=503, voided=True)
    day.at("09:40:00").fill(-2, 20950).at("09:50:00").fill(2, 20940, 40)
    return Trap(day, ENDING, {"2026-11-18": _row("-480", 8, "-520", 4, "0", 4)}, ("2026-11-18 09:30:00",))


def the_reset_ends_a_lockout_not_a_pause() -> Trap:
    """RULES.md 3.5: a cooldown runs on across 17:00, so an entry of the next trading day is kept out by it."""
    day = Lines("2026-11-18").at("16:40:00").fill(1, 21000).at("16:58:00").fill(-1, 20940, -120)
    day.at("17:01:00").fill(1, 20950).at("17:02:00").fill(-1, 20960, 20)
    day.at("17:10:00").fill(1, 20950).at("17:12:00").fill(-1, 20960, 20)
    days = {"2026-11-18": _row("-120", 2, "-120", 2, "0", 0), "2026-11-19": _row("40", 4, "20", 2, "0", 1)}
    return Trap(day, PAUSING, days, ("2026-11-18 17:01:00",))


def the_guard_is_told_by_its_own_quote() -> Trap:
    """Left-out entries: made at its price, closed as in section 4, decided at that fill, fees of both sides included.

    1 bought @ 20900 at 09:30:00, bid 20899 at 09:30:00.2 is too early, 20898 at 09:30:01 less 2 ticks: -5.00 and 1.24.
    """
    day = Lines().at("09:00:00").fill(2, 21000).at("09:10:00").fill(-2, 20870, -520)
    day.at("09:30:00").fill(1, 20900).at("09:30:00.2").quote(20899, 20899, 20900)
    day.at("09:30:01").quote(bid=20898).at("09:45:00").fill(-1, 20950, 100)
    more = {"guard_cost": "6.24", "left_out_entries": 1}
    return Trap(day, ENDING, {"2026-11-18": _row("-420", 6, "-520", 4, "0", 1)}, ("2026-11-18 09:30:00",), more=more)


TRAPS: dict[str, Callable[[], Trap]] = {
    make.__name__: make
    for make in (
        a_filled_order_works_no_longer,
        a_push_behind_the_fill_holds_nothing,
        pushes_count_no_more,
        a_flip_in_the_pause,
        a_flip_in_one_fill,
        the_next_quote_after_the_traders_exit_lapses,
        a_freeze_ends_flat,
        stop_ends_with_the_day,
        first_missing_is_replaced_first,
        a_replacement_on_a_later_day,
        a_void_undoes_a_replacement,
        a_void_after_the_close_leaves_what_was_booked,
        fills_price_where_nobody_quotes,
        the_last_mark_where_nothing_follows,
        fees_that_do_not_divide,
        an_order_that_worked_fills_before_its_cancel,
        an_order_fills_at_the_cancel,
        cancelled_stays_cancelled,
        a_flip_placed_in_the_pause,
        the_deciding_fill_prices_nothing,
        a_void_of_an_entry_left_out,
        the_reset_ends_a_lockout_not_a_pause,
        the_guard_is_told_by_its_own_quote,
    )
}
