"""Fills: realised P&L, FIFO lots, voids, repeats and corrections (RULES.md 1.5, topstepx/API.md 0 and 3.4)."""

from dataclasses import dataclass, replace

from riskcore.core.events import TradeRecorded, TradeVoided
from riskcore.core.exposure_change import exposure_changed, note_disagreement
from riskcore.core.order_roles import is_own_fill
from riskcore.core.quantities import MICROSECOND_NS, SECOND_NS
from riskcore.core.requests import closes_by_itself
from riskcore.core.state import Account, Book, DayFigures, Lot, Position, Trade
from riskcore.core.trading_day import trade_date_of
from riskcore.core.view import Effect

# A broker time further ahead of the receipt than this is not believed (RULES.md 1.1).
BROKER_CLOCK_AHEAD_NS = 5 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Lots:
    """Open lots of one contract after a fill. `shortage` is what a closing fill found nothing to close for."""

    side: int
    lots: tuple[Lot, ...]
    early: tuple[Lot, ...]
    trip_ended: bool = False
    shortage: int = 0


def next_lots(side: int, lots: tuple[Lot, ...], early: tuple[Lot, ...], trade: Trade) -> Lots:
    """Lots after one more fill; the oldest lot closes first (50 of 50 real partial exits, API.md 3.4).

    A fill without P&L opens, a fill with P&L closes. The two halves of a flip may come in either order: an
    opening fill against open lots waits in `early` until they are closed.
    """
    opening = trade.profit_usd is None
    lot = Lot(trade.id, trade.price, trade.size)
    if opening and (not lots or trade.side == side):
        return Lots(trade.side, (*lots, lot), early)
    if opening:
        return Lots(side, lots, (*early, lot))
    if not lots or trade.side == side:
        return Lots(side, lots, early, shortage=trade.size)
    left, remaining = trade.size, []
    for one in lots:
        taken = min(left, one.size)
        left -= taken
        if one.size > taken:
            remaining.append(Lot(one.trade_id, one.price, one.size - taken))
    if remaining:
        return Lots(side, tuple(remaining), early)
    return Lots(-side if early else 0, early, (), trip_ended=True, shortage=left)


def record_trade(book: Book, account: Account, body: TradeRecorded, at: int) -> Effect:
    """Book one version of a fill: new, repeated, or with something added."""
    known = account.trades.get(body.trade_id)
    if known is not None:
        before = _size_of(account, known)
        return _corrected(book, account, known, before, at) if _merge(account, known, body) else Effect((account.id,))
    believed = body.created_at is not None and body.created_at <= at + BROKER_CLOCK_AHEAD_NS
    placed_at = body.created_at if believed and body.created_at is not None else at
    assert book.day is not None, "a fill before the trading day was opened"
    position = account.positions.setdefault(body.contract, Position(body.contract))
    trade = Trade(
        id=body.trade_id,
        contract=body.contract,
        placed_at=placed_at,
        trade_date=trade_date_of(book.day, placed_at),
        price=body.price,
        side=body.side,
        size=body.size,
        profit_usd=body.profit_usd,
        fees_usd=body.fees_usd,
        commissions_usd=body.commissions_usd,
        voided=False,
        order_id=body.order_id,
        recorded_at=at,
        round_trip=position.round_trips,
    )
    trade = replace(trade, enforced=is_own_fill(account, trade) or closes_by_itself(account, trade))
    account.trades[trade.id] = trade
    _book_figures(account, trade)
    _note_order_filled(account, trade, at)
    shortage, increased = _book_lots(book, account, position, trade, at)
    gap = f"a closing fill of {trade.size} found {trade.size - shortage} open" if shortage else None
    return Effect(
        (account.id,),
        trade=trade,
        late=trade.trade_date < book.trade_date,
        increased=(trade.contract,) if increased else (),
        contract=trade.contract,
        gap=gap,
    )


def _size_of(account: Account, trade: Trade) -> int:
    position = account.positions.get(trade.contract)
    return position.size if position is not None else 0


def _corrected(book: Book, account: Account, known: Trade, before: int, at: int) -> Effect:
    """A later version or a void has changed a fill; one of an earlier day is late (RULES.md 1.1)."""
    position = account.positions[known.contract]
    increased = exposure_changed(book, account, position, before, at)
    note_disagreement(position, at)
    return Effect(
        (account.id,),
        late=known.trade_date < book.trade_date,
        increased=(known.contract,) if increased else (),
        contract=known.contract,
        corrected=known,
    )


def _book_figures(account: Account, trade: Trade) -> None:
    day = account.day(trade.trade_date)
    day.fills += 1
    order_key = order_key_of(trade)
    day.order_fills[order_key] = day.order_fills.get(order_key, 0) + 1
    _add_money(day, trade, 1)
    if trade.profit_usd is not None:
        day.worst_usd = min(day.worst_usd, day.net_usd)
        day.best_usd = max(day.best_usd, day.net_usd)


def order_key_of(trade: Trade) -> int:
    """The order a fill belongs to; a fill that names none counts as an order of its own."""
    return trade.order_id if trade.order_id is not None else -trade.id


def _add_money(day: DayFigures, trade: Trade, times: int) -> None:
    day.gross_usd += times * (trade.profit_usd or 0)
    day.fees_usd += times * (trade.fees_usd or 0)
    day.commissions_usd += times * (trade.commissions_usd or 0)


def _note_order_filled(account: Account, trade: Trade, at: int) -> None:
    order = account.orders.get(trade.order_id) if trade.order_id is not None else None
    if order is not None and order.filled_at is None:
        account.orders[order.id] = replace(order, filled_at=at)


def _book_lots(book: Book, account: Account, position: Position, trade: Trade, at: int) -> tuple[int, bool]:
    """Move the lots; returns (contracts closed beyond what was known, whether exposure grew)."""
    before, lots_before = position.size, position.lot_size
    after = next_lots(position.side, position.lots, position.early, trade)
    position.side, position.lots, position.early = after.side, after.lots, after.early
    position.fill_at = at
    if after.trip_ended:
        position.round_trips += 1
        account.day(trade.trade_date).round_trips += 1
    grown = abs(position.lot_size) > abs(lots_before) or position.lot_size * lots_before < 0
    explains_push = position.pushed is not None and abs(position.lot_size) <= abs(position.pushed)
    if grown and not (explains_push and not position.awaits_mark):
        position.increase_price, position.awaits_mark, position.increased_at = trade.price, True, at
    increased = exposure_changed(book, account, position, before, at)
    note_disagreement(position, at)
    known = max(abs(lots_before), abs(position.pushed or 0))
    return (after.shortage if trade.profit_usd is not None and trade.size > known else 0), increased


def _merge(account: Account, known: Trade, body: TradeRecorded) -> bool:
    """A present value beats an absent one, a later one an earlier; True when the difference is a correction."""
    if known.voided:
        return False
    merged = replace(
        known,
        profit_usd=known.profit_usd if body.profit_usd is None else body.profit_usd,
        fees_usd=known.fees_usd if body.fees_usd is None else body.fees_usd,
        commissions_usd=known.commissions_usd if body.commissions_usd is None else body.commissions_usd,
        order_id=known.order_id if body.order_id is None else body.order_id,
    )
    if merged == known:
        return False
    day = account.day(known.trade_date)
    _add_money(day, known, -1)
    _add_money(day, merged, 1)
    _move_order_fill(day, known, merged)
    if (merged.profit_usd is None) != (known.profit_usd is None):
        _replace_trade(account, account.positions[known.contract], merged)
    else:
        account.trades[known.id] = merged
    return True


def _move_order_fill(day: DayFigures, known: Trade, merged: Trade | None) -> None:
    for trade, times in ((known, -1), (merged, 1)):
        if trade is not None:
            order_key = order_key_of(trade)
            count = day.order_fills.get(order_key, 0) + times
            if count:
                day.order_fills[order_key] = count
            else:
                day.order_fills.pop(order_key, None)


def void_trade(book: Book, account: Account, body: TradeVoided, at: int) -> Effect:
    """Take a fill back out: P&L, fees, counts, lots. Voided on first sight: only remembered.

    Lockouts already set stay, running extremes stay as they were lived (RULES.md 1.5).
    """
    known = account.trades.get(body.trade_id)
    if known is None:
        tombstone = Trade(body.trade_id, "", at, book.trade_date, 0, 0, 0, None, None, None, True, None, at)
        account.trades[body.trade_id] = tombstone
        return Effect()
    if known.voided:
        return Effect((account.id,))
    day = account.day(known.trade_date)
    day.fills -= 1
    _add_money(day, known, -1)
    _move_order_fill(day, known, None)
    before = _size_of(account, known)
    _replace_trade(account, account.positions[known.contract], replace(known, voided=True))
    return _corrected(book, account, known, before, at)


def _fold_contract(account: Account, contract: str) -> tuple[Lots, dict[str, int]]:
    """Lots and round trips per trade date from the fills that count, in the order they were recorded."""
    state = Lots(0, (), ())
    trips: dict[str, int] = {}
    for trade in account.trades.values():
        if trade.contract == contract and not trade.voided:
            state = next_lots(state.side, state.lots, state.early, trade)
            trips[trade.trade_date] = trips.get(trade.trade_date, 0) + state.trip_ended
    return state, trips


def _replace_trade(account: Account, position: Position, trade: Trade) -> None:
    """Put a changed fill in place and fold its contract again."""
    _, trips_before = _fold_contract(account, position.contract)
    account.trades[trade.id] = trade
    of_contract = [one for one in account.trades.values() if one.contract == trade.contract]
    _fold_again(account, position, trips_before, of_contract)


def _fold_again(account: Account, position: Position, trips_before: dict[str, int], ordered: list[Trade]) -> None:
    """Lots, and which round trip each fill belongs to, from fills in their order.

    A voided fill moves nothing and belongs to the trip at its place: the unit it is taken out of is judged again.
    """
    number = first = min(trade.round_trip for trade in ordered)
    state = Lots(0, (), ())
    for trade in ordered:
        account.trades[trade.id] = replace(trade, round_trip=number)
        if not trade.voided:
            state = next_lots(state.side, state.lots, state.early, trade)
            number += state.trip_ended
    position.side, position.lots, position.early = state.side, state.lots, state.early
    position.round_trips += number - first - sum(trips_before.values())
    _, trips_after = _fold_contract(account, position.contract)
    _count_trips(account, trips_before, trips_after)


def _count_trips(account: Account, before: dict[str, int], after: dict[str, int]) -> None:
    for trade_date in sorted({**before, **after}):
        account.day(trade_date).round_trips += after.get(trade_date, 0) - before.get(trade_date, 0)


def put_in_order(book: Book, account: Account, at: int) -> None:
    """A list has told of fills that were missed: those made before fills already known take their place before them.

    What was open when a fill was missed closes what came before it, so lots in the order of receipt would have the
    wrong prices. Instants are compared in microseconds (API.md 0.12); equal ones stay in the order of receipt.
    """
    for position in list(account.positions.values()):
        fills = [one for one in account.trades.values() if one.contract == position.contract and not one.voided]
        ordered = sorted(fills, key=lambda one: one.placed_at // MICROSECOND_NS)
        if fills == ordered:
            continue
        lots, _ = _fold_contract(account, position.contract)
        # Lots carried over from an earlier day cannot be told from the fills that are kept.
        if (lots.side, lots.lots, lots.early) == (position.side, position.lots, position.early):
            before = position.size
            _fold_in_order(account, position, ordered)
            exposure_changed(book, account, position, before, at)
            note_disagreement(position, at)


def _fold_in_order(account: Account, position: Position, ordered: list[Trade]) -> None:
    _, trips_before = _fold_contract(account, position.contract)
    following = iter(ordered)
    in_place = [
        next(following) if one.contract == position.contract and not one.voided else one
        for one in account.trades.values()
    ]
    account.trades = {trade.id: trade for trade in in_place}
    _fold_again(account, position, trips_before, ordered)
