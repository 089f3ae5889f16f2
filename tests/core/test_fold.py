"""Fills folded into lots and round trips, and folded again when one of them changes."""

from dataclasses import replace

from riskcore.core.fold import fills_of, fold, is_in_order, put, put_in_order, set_lots
from riskcore.core.lots import NO_LOTS
from riskcore.core.state import Account, Lot, OldTrade, Position, Shown, Trade
from tests.core.ledger import Ledger

BOUGHT = Trade(1, "C", 1000, "2026-11-20", 100, 1, 2, None, 0, 0, False, None, 0)
SOLD = replace(BOUGHT, id=2, placed_at=2000, side=-1, profit_usd=0)


def test_fills_come_to_lots_trips_and_numbers() -> None:
    again = replace(BOUGHT, id=3, placed_at=3000)
    folded = fold([BOUGHT, SOLD, again], None, None)
    assert (folded.lots.lots, folded.trips, folded.numbers) == (
        (Lot(3, 100, 2),),
        {"2026-11-20": 1},
        {1: 0, 2: 0, 3: 1},
    )


def test_voided_fills_move_nothing_and_settled_ones_have_no_part() -> None:
    folded = fold([replace(BOUGHT, voided=True), replace(SOLD, settled=True)], None, None)
    assert (folded.lots, folded.numbers) == (NO_LOTS, {1: 0})


def test_what_was_shown_comes_behind_the_fills_that_are_part_of_it_and_before_all_others() -> None:
    folded = fold([SOLD, replace(BOUGHT, shown=True)], Shown(3, 310, 0), None)
    assert (folded.shown.size, folded.lots.size, folded.lots.carried, folded.lots.carried_cost) == (2, 1, 0, 0)
    assert fold([replace(BOUGHT, shown=True)], Shown(2, 200, 0), None).lots.carried == 0
    assert fold([], Shown(2, None, 0), None).lots.carried_cost is None


def test_changed_fills_go_where_they_were() -> None:
    account = Account(1, trades={2: SOLD}, old_trades={1: OldTrade.of(BOUGHT)})
    shared = account.old_trades
    put(account, [replace(BOUGHT, voided=True), replace(SOLD, voided=True)])
    assert [one.voided for one in fills_of(account, "C")] == [True, True]
    assert shared == {1: OldTrade.of(BOUGHT)}, "copies of the account share it"
    assert fills_of(account, "D") == []


def test_a_fill_is_in_order_when_none_of_its_contract_was_made_later() -> None:
    account = Account(1, trades={1: BOUGHT, 5: replace(BOUGHT, id=5, contract="D", placed_at=9000)})
    assert is_in_order(account, SOLD)
    assert is_in_order(account, replace(SOLD, placed_at=1000))
    assert is_in_order(account, replace(SOLD, placed_at=1999))
    assert not is_in_order(account, replace(SOLD, placed_at=999))
    assert is_in_order(Account(1), SOLD)


def test_late_fills_take_their_place_among_those_of_their_contract() -> None:
    other = replace(BOUGHT, id=5, contract="D", placed_at=9000)
    account = Account(1, trades={2: SOLD, 5: other, 1: BOUGHT})
    put_in_order(account, "C")
    assert list(account.trades) == [1, 5, 2]


def test_a_fill_without_a_time_of_the_broker_stays_behind_those_that_were_known_before_it() -> None:
    ahead, undated = replace(BOUGHT, placed_at=5000), replace(SOLD, dated=False)
    account = Account(1, trades={1: ahead})
    assert is_in_order(account, undated)
    account.trades[2] = undated
    half, later, between = (replace(BOUGHT, id=at, placed_at=at) for at in (5999, 6000, 4999))
    assert is_in_order(account, later)
    assert not is_in_order(account, half), "the other half of the fill that was known belongs before it"
    assert not is_in_order(account, between)
    assert not is_in_order(account, replace(between, placed_at=1999))
    account.trades |= {one.id: one for one in (half, later, between)}
    put_in_order(account, "C")
    assert list(account.trades) == [4999, 1, 5999, 2, 6000]


def test_times_that_are_ahead_of_the_clock_say_which_fill_was_made_first() -> None:
    told = replace(BOUGHT, placed_at=1_000, recorded_at=1_000, dated=False, ahead_at=9_000)
    account = Account(1, trades={1: told})
    assert is_in_order(account, replace(BOUGHT, id=2, placed_at=9_000))
    assert is_in_order(account, replace(BOUGHT, id=2, dated=False, ahead_at=9_000))
    assert not is_in_order(account, replace(BOUGHT, id=2, placed_at=8_999))
    late = replace(BOUGHT, id=2, placed_at=1_001, recorded_at=1_001, dated=False, ahead_at=8_999)
    assert not is_in_order(account, late)
    account.trades |= {2: late, 3: replace(BOUGHT, id=3, placed_at=5_000, recorded_at=1_002)}
    put_in_order(account, "C")
    assert list(account.trades) == [3, 2, 1]


def test_a_time_is_wrong_that_leaves_a_closing_fill_nothing_to_close() -> None:
    opened = replace(BOUGHT, placed_at=1_000, recorded_at=1_000, dated=False, ahead_at=9_000)
    account = Account(1, trades={1: opened, 2: replace(SOLD, recorded_at=2_001)})
    put_in_order(account, "C")
    assert list(account.trades) == [1, 2]
    account.trades[3] = replace(BOUGHT, id=3, placed_at=1_500, recorded_at=2_002)
    put_in_order(account, "C")
    assert list(account.trades) == [3, 2, 1], "now there is another that it may have closed"


def test_what_is_confirmed_goes_as_what_is_carried_goes() -> None:
    for carried, confirmed in ((3, 2), (1, 1), (0, 0), (-1, 0)):
        position = Position("C", confirmed=2)
        set_lots(position, replace(NO_LOTS, carried=carried))
        assert position.confirmed == confirmed


def test_fills_know_their_trip_again_after_one_before_them_changed() -> None:
    day = Ledger().closed("-1").closed("-2").fill("MNQ", 1, "21000")
    day.void(2)
    trades = day.account_state.trades.values()
    assert [one.round_trip for one in trades] == [0, 0, 0, 0, 0]
    assert day.account_state.days["2026-11-20"].round_trips == 0
    day.fill("MNQ", -3, "21000", profit="0")
    assert day.account_state.positions[day.contract("MNQ")].round_trips == 1
