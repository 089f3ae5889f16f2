"""Contracts that the broker shows and no fill explains: carried in, missed, or pushed before their fills are reported.

How they are valued (RULES.md 1.5, "realised + unrealised = equity"):

- Lots are valued as fills say, whatever size is pushed: a push is ahead of its fills, or behind them, and the fills
  follow. After two seconds they do not, a drift is recorded, and the broker's figures stand for all of it.
- Where no lots are known the rest is valued at the broker's average price at once: rules must see a position that was
  carried in. A fill that is part of what was shown takes its share out of it, so nothing counts twice. A closing fill
  takes from it what it closes, before the push does, at the price its booked P&L stands for.
- A push that shows a size which fills went through a moment ago is behind them and says nothing new.
"""

from dataclasses import replace

from riskcore.core.explained import believe_fills, told_so_far
from riskcore.core.fold import fills_of, fold, fold_again, fold_of, put, set_lots
from riskcore.core.lots import NO_LOTS, lots_of, opened_for
from riskcore.core.quantities import MICROSECOND_NS, SECOND_NS
from riskcore.core.state import Account, Book, Position, Shown, Trade

# Fills and the push of one execution come in no fixed order: further apart than this they disagree (DESIGN.md).
APART_NS = 2 * SECOND_NS


def show(book: Book, account: Account, position: Position, at: int, true_at: int, listed: bool) -> None:
    """The broker has shown `position.pushed`, as it was at `true_at`: what of it is beyond the fills."""
    believe_fills(book, account, position)
    pushed, lots = position.pushed, lots_of(position)
    assert pushed is not None, "a size that was shown is known"
    unsettled = position.carried - position.confirmed
    if pushed == lots.size + position.carried:
        if position.carried_cost is None and position.average_price is not None:
            _take_over(book, account, position, true_at, listed)
        elif listed and position.shown is not None and true_at >= position.shown.at > 0:
            # It says nothing new but this: a fill that was made by now and is reported later is part of what was shown.
            position.shown = replace(position.shown, at=true_at, listed=True)
        return
    if (lots.lots and not unsettled) or pushed in sizes_gone_through(account, position, at):
        return
    known = position.confirmed or lots.size
    grows = pushed * known > 0 and abs(pushed) > abs(lots.size + position.confirmed)
    if known and not grows and "trades" not in book.lacks:
        return  # The fills that close it are still to come, and have its result.
    _take_over(book, account, position, true_at, listed)


def sizes_gone_through(account: Account, position: Position, at: int) -> list[int]:
    """The sizes that the fills of the last moments went through, as they were told and as they were made."""
    since = at - APART_NS
    recent = [
        one
        for one in account.trades.values()
        if one.recorded_at > since and one.contract == position.contract and not one.voided
    ]
    told = sorted(recent, key=lambda one: one.recorded_at)
    # The fills of one order may have one instant: their ids say which was first.
    made = sorted(recent, key=lambda one: (one.placed_at // MICROSECOND_NS, one.id))
    sizes = []
    for order in (told, made):
        size = position.carried + lots_of(position).size
        for trade in reversed(order):
            size -= trade.side * trade.size
            sizes.append(size)
    return sizes


def _take_over(book: Book, account: Account, position: Position, true_at: int, listed: bool) -> None:
    """What was shown stands for all fills that are known so far, and for what is beyond them."""
    shown = _figures(book, account, position, true_at, listed)
    if position.shown is not None and lots_of(position).flat:
        # Fills alone do not tell the round trips that began with what was carried in: those are over, and stay.
        put(account, [replace(one, settled=True) for one in fills_of(account, position.contract) if not one.settled])
        position.shown = None
    before = fold_of(book, account, position)
    known = fills_of(account, position.contract)
    put(account, [replace(one, shown=True) for one in known if not (one.shown or one.settled)])
    position.shown = shown
    fold_again(book, account, position, before)


def _figures(book: Book, account: Account, position: Position, true_at: int, listed: bool = False) -> Shown:
    """What the broker has shown last, and what the fills told by now come to."""
    size, average = position.pushed or 0, position.average_price
    told_size, told_cost = told_so_far(book, account, position) if size else (0, None)
    cost = None if average is None else _paid(book, position, average * size)
    return Shown(size, cost, true_at, listed, told_size, told_cost)


def _paid(book: Book, position: Position, cost: int) -> int:
    """What was paid, in whole ticks where it is that but for what the broker cuts off its average (1e-9 points).

    Without it a result that is exactly at a limit would be just short of it.
    """
    contract = book.contracts.get(position.contract)
    if contract is None:
        return cost
    whole = (cost + contract.tick_size // 2) // contract.tick_size * contract.tick_size
    return whole if abs(whole - cost) <= abs(position.pushed or 0) else cost


def is_part_of_shown(position: Position, trade: Trade) -> bool:
    """Whether a fill that is reported now was in what the broker showed before.

    It was when it was made by then; but a push is some moments old when it comes, so it may not know a fill that was
    made and is told about then. Of those the ones belong to it that it is ahead of: what opens, and what closes where
    fewer are left than fills say. One that was made later and is larger than what it is ahead by does not: another one
    is still to be told.
    """
    shown = position.shown
    if shown is None:
        return False
    made_ns = shown.at - trade.placed_at // MICROSECOND_NS * MICROSECOND_NS
    if made_ns > 0 and (shown.listed or max(made_ns, trade.recorded_at - shown.at) >= APART_NS):
        return True
    unsettled = position.carried - position.confirmed
    ahead = trade.side * unsettled > 0 or (unsettled != 0 and trade.profit_usd is None)
    explains = lots_of(position).size + trade.side * trade.size == position.pushed
    if made_ns < 0 and trade.size > abs(unsettled) and not explains:
        return False
    return ahead and (explains or not shown.listed)


def believe_broker(book: Book, account: Account, position: Position) -> None:
    """Fills and the broker have disagreed for too long: its size and average price stand for all fills so far.

    Not where a fill was made since it showed them: then the fill is the newer word, and only its push is missing. None
    is made later than it was reported, whatever the broker's clock says.
    """
    fills = (one for one in account.trades.values() if one.contract == position.contract)
    if max((min(one.placed_at, one.recorded_at) for one in fills), default=0) > position.push_at:
        return
    _stands_for_all(account, position, _figures(book, account, position, position.push_at))


def close_books(account: Account, position: Position, at: int) -> None:
    """Fills are about to be forgotten while what they opened is held: it stays open at the cost it has."""
    lots = lots_of(position)
    cost = None if lots.carried_cost is None else lots.cost + lots.carried_cost
    confirmed = position.lot_size
    _stands_for_all(account, position, Shown(lots.size + lots.carried, cost, at))
    position.confirmed = confirmed


def _stands_for_all(account: Account, position: Position, shown: Shown) -> None:
    put(account, [replace(one, settled=True) for one in fills_of(account, position.contract) if not one.settled])
    position.shown, position.confirmed = shown, shown.size
    set_lots(position, replace(NO_LOTS, carried=shown.size, carried_cost=shown.cost if shown.size else 0))


def take_back(book: Book, account: Account, position: Position, voided: Trade) -> None:
    """A fill that the fold has no part of is void: what it closed is open again, what it opened is not."""
    before = fold_of(book, account, position)
    reopened = _reopened(book, account, position, voided)
    if reopened is None:
        return
    size, cost = reopened
    shown = position.shown or Shown(0, 0, 0)
    position.shown = Shown(
        shown.size + size, None if None in (shown.cost, cost) else (shown.cost or 0) + (cost or 0), shown.at
    )
    position.confirmed += size
    fold_again(book, account, position, before)


def _reopened(book: Book, account: Account, position: Position, voided: Trade) -> tuple[int, int | None] | None:
    """Signed contracts, and their cost, by which a void changes what is open."""
    known = [one for one in fills_of(account, voided.contract) if one.settled]
    trip = [one for one in known if one.round_trip == voided.round_trip]
    if sum(one.side * one.size for one in trip) == 0:
        return _reopened_in(book, account, trip, voided)
    if voided.profit_usd is not None:
        opened = opened_for(voided, book.contracts.get(voided.contract))
        return -voided.side * voided.size, None if opened is None else -voided.side * opened
    if voided.round_trip != position.round_trips or position.carried * voided.side <= 0:
        return None  # It was closed long ago.
    size = min(voided.size, abs(position.carried))
    return -voided.side * size, -voided.side * voided.price * size


def _reopened_in(book: Book, account: Account, trip: list[Trade], voided: Trade) -> tuple[int, int] | None:
    """The same in a round trip all of which was told: it may not have been one, or not have been at all."""
    contract = book.contracts.get(voided.contract)
    after, before = (
        fold([replace(one, settled=False, shown=False) for one in fills], None, contract)
        for fills in (trip, [voided if one.id == voided.id else one for one in trip])
    )
    for trade_date, trips in before.trips.items():
        account.day(trade_date).round_trips += after.trips.get(trade_date, 0) - trips
    size, cost = after.lots.size - before.lots.size, after.lots.cost - before.lots.cost
    return (size, cost) if size else None
