"""Fills that no rule's window reaches back to: kept in little room, and their ids for ever (RULES.md 1.5).

A fill is kept whole for two trading days, and in little room while the figures of its day are. Of older ones the id is
kept: told again they count for nothing. A void of one brings its row along.
"""

from bisect import bisect_left

from riskcore.core.carried import close_books
from riskcore.core.events import TradeVoided
from riskcore.core.explained import forget_told
from riskcore.core.state import Account, Book, OldTrade, Trade

# Trading days whose fills are kept whole: rolling windows cross the reset.
DAYS_OF_TRADES_KEPT = 2
# Trading days whose figures, and whose fills in full, are kept: a late fill, a correction or a void may change them.
DAYS_OF_FIGURES_KEPT = 8


def is_old_id(account: Account, trade_id: int) -> bool:
    """Whether a fill was booked so long ago that only its id is known."""
    index = bisect_left(account.old_ids, trade_id)
    return index < len(account.old_ids) and account.old_ids[index] == trade_id


def retire(account: Account, at: int) -> None:
    """At the reset: fills that are no longer recent are kept in little room, those of forgotten days as ids."""
    for position in account.positions.values():
        forget_told(position)
    _keep_small(account, sorted(account.days)[-DAYS_OF_TRADES_KEPT:])
    forgotten = {
        trade_id: one
        for trade_id, one in account.old_trades.items()
        if one.trade_date not in account.days and not one.voided
    }
    if not forgotten:
        return
    for position in account.positions.values():
        folded = any(one.contract == position.contract and not one.settled for one in forgotten.values())
        if folded:
            close_books(account, position, at)
    account.old_trades = {key: one for key, one in account.old_trades.items() if key not in forgotten}
    account.old_ids = tuple(sorted((*account.old_ids, *forgotten)))


def _keep_small(account: Account, recent_dates: list[str]) -> None:
    """The fills of each contract before the first recent one: their order stays that in which they were folded."""
    going_on: dict[str, None] = {}
    small: dict[int, OldTrade] = {}
    for trade in account.trades.values():
        if trade.trade_date in recent_dates:
            going_on[trade.contract] = None
        if trade.contract not in going_on:
            small[trade.id] = OldTrade.of(trade)
    if small:
        account.trades = {key: trade for key, trade in account.trades.items() if key not in small}
        account.old_trades = {**account.old_trades, **small}


def remember_void(book: Book, account: Account, body: TradeVoided, at: int) -> Trade:
    """A void of a fill that is not known: of one so old that its row is gone, or of one that was never booked.

    An old one is what the void itself says. One never booked is only remembered, so that it never will be.
    """
    old = is_old_id(account, body.trade_id)
    row = body if old and body.contract is not None else TradeVoided(body.account, body.trade_id)
    trade = Trade(
        id=body.trade_id,
        contract=row.contract or "",
        placed_at=at if row.created_at is None else row.created_at,
        trade_date=book.trade_date,
        price=row.price or 0,
        side=row.side or 0,
        size=row.size or 0,
        profit_usd=row.profit_usd,
        fees_usd=row.fees_usd,
        commissions_usd=row.commissions_usd,
        voided=True,
        order_id=row.order_id,
        recorded_at=at,
        round_trip=-1,
        settled=True,
    )
    if old:
        account.old_ids = tuple(one for one in account.old_ids if one != trade.id)
    account.trades[trade.id] = trade
    return trade
