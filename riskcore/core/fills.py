"""Fills: realised P&L, voids, repeats and corrections (RULES.md 1.5, topstepx/API.md 0 and 3.4)."""

from dataclasses import replace

from riskcore.core.carried import is_part_of_shown, take_back
from riskcore.core.events import TradeRecorded, TradeVoided
from riskcore.core.explained import believe_fills, forget_told, note_late
from riskcore.core.exposure_change import exposure_changed, note_disagreement
from riskcore.core.fold import fold_again, fold_of, is_in_order, put, put_in_order, set_lots
from riskcore.core.lots import Lots, after_fill, lots_of
from riskcore.core.old_trades import is_old_id, remember_void
from riskcore.core.order_roles import is_own_fill
from riskcore.core.quantities import SECOND_NS
from riskcore.core.requests import closes_by_itself
from riskcore.core.state import Account, Book, DayFigures, Position, Trade
from riskcore.core.trading_day import trade_date_of
from riskcore.core.view import Effect

# A broker time further ahead of the receipt than this is not believed (RULES.md 1.1).
BROKER_CLOCK_AHEAD_NS = 5 * SECOND_NS


def record_trade(book: Book, account: Account, body: TradeRecorded, at: int) -> Effect:
    """Book one version of a fill: new, repeated, or with something added."""
    known = account.trade(body.trade_id)
    if known is not None:
        before = _size_of(account, known)
        changed = _merge(book, account, known, body)
        return _corrected(book, account, known, before, at) if changed else Effect((account.id,))
    if is_old_id(account, body.trade_id):
        return Effect((account.id,))  # An id counts once, for ever; its day is closed.
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
        dated=believed,
        ahead_at=None if believed else body.created_at,
    )
    trade = replace(trade, enforced=body.own or is_own_fill(account, trade) or closes_by_itself(account, trade))
    _flat_where_not_listed(account, position, trade)
    trade = replace(trade, shown=is_part_of_shown(position, trade))
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


def _flat_where_not_listed(account: Account, position: Position, trade: Trade) -> None:
    """A fill older than the list of positions, in a contract that list did not have: the list is its first word.

    What it opened was closed again before the list was asked for, so it is no exposure (RULES.md 1.5 and 1.6).
    """
    if position.pushed is None and not position.size and trade.placed_at < account.reconciled_at:
        position.pushed, position.push_at = 0, account.reconciled_at


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
    note_late(position, trade)
    after = _moved(book, account, position, trade)
    believe_fills(book, account, position)
    position.fill_at = at
    grown = abs(position.lot_size) > abs(lots_before) or position.lot_size * lots_before < 0
    explains_push = position.pushed is not None and abs(position.lot_size) <= abs(position.pushed)
    if grown and not (explains_push and not position.awaits_mark):
        position.increase_price, position.awaits_mark, position.increased_at = trade.price, True, at
    increased = exposure_changed(book, account, position, before, at)
    note_disagreement(position, at)
    known = max(abs(lots_before), abs(position.pushed or 0))
    return (after.shortage if trade.profit_usd is not None and trade.size > known else 0), increased


def _moved(book: Book, account: Account, position: Position, trade: Trade) -> Lots:
    """What is open with one more fill; one that is reported late changes what the fills behind it closed."""
    contract = book.contracts.get(trade.contract)
    after = after_fill(lots_of(position), trade, contract)
    in_order = is_in_order(account, trade)
    if in_order and not trade.shown:
        account.trades[trade.id] = trade
        set_lots(position, after)
        if after.trip_ended:
            position.round_trips += 1
            account.day(trade.trade_date).round_trips += 1
        return after
    before = fold_of(book, account, position)
    account.trades[trade.id] = trade
    if not in_order:
        put_in_order(account, trade.contract)
    fold_again(book, account, position, before)
    return after


def _merge(book: Book, account: Account, known: Trade, body: TradeRecorded) -> bool:
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
    if merged.profit_usd == known.profit_usd:
        put(account, [merged])
    else:
        _replace_trade(book, account, account.positions[known.contract], merged)
    return True


def _replace_trade(book: Book, account: Account, position: Position, trade: Trade) -> None:
    """Put a fill in place that opens or closes something else than it did, and fold its contract again."""
    before = fold_of(book, account, position)
    put(account, [trade])
    forget_told(position)
    fold_again(book, account, position, before, keeps_carried=True)


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
    known = account.trade(body.trade_id)
    if known is None:
        known = remember_void(book, account, body, at)
    elif known.voided:
        return Effect((account.id,))
    else:
        day = account.day(known.trade_date)
        day.fills -= 1
        _add_money(day, known, -1)
        _move_order_fill(day, known, None)
    position = account.positions.get(known.contract)
    if position is None:
        return Effect()
    before = position.size
    _replace_trade(book, account, position, replace(known, voided=True))
    if known.settled:
        take_back(book, account, position, known)
    return _corrected(book, account, known, before, at)
