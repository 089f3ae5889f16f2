"""What the broker shows of accounts, orders and positions, pushed or listed. Part of the fold; decides nothing.

A list is an answer to a question, and true as of the instant the question left (`asked_at`): what was pushed since is
newer and stays (DESIGN.md "Connection and truth"). A list that does not say when it was asked is of its arrival.
"""

from dataclasses import replace

from riskcore.core import events as e
from riskcore.core.balance import compare_balance
from riskcore.core.carried import show
from riskcore.core.exit_orders import origin
from riskcore.core.exposure_change import exposure_changed, know_contract, note_disagreement
from riskcore.core.in_force import note_flat_checks
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import (
    STATUS_CANCELLED,
    STATUS_FILLED,
    STATUS_OPEN,
    TERMINAL,
    WORKING,
    Account,
    Book,
    Order,
    Position,
    account_of,
)
from riskcore.core.view import Effect

# An order pushed this shortly before a list that does not say when it was asked may be missing from it for good reason.
LIST_LAG_NS = 2 * SECOND_NS


def account_observed(book: Book, at: int, body: e.AccountObserved) -> Effect:
    """Name and kind of an account; balance and rights unless something newer was pushed."""
    account = account_of(book, body.account)
    told_at = at if body.asked_at is None else body.asked_at
    overtaken = body.asked_at is not None and account.rights_told_at >= body.asked_at
    for name in ("name", "simulated") if overtaken else ("name", "balance_usd", "can_trade", "simulated"):
        value = getattr(body, name)
        if value is not None:
            setattr(account, name, value)
    if body.can_trade is not None:
        account.rights_told_at = max(account.rights_told_at, told_at)
    if body.balance_usd is None or overtaken:
        return Effect((account.id,))
    contract, gap = compare_balance(book, account, told_at) or (None, None)
    return Effect((account.id,), contract=contract, gap=gap, balance_at=told_at)


# ---- orders ------------------------------------------------------------------------------------------


def order_observed(book: Book, at: int, body: e.OrderObserved) -> Effect:
    """One version of an order, merged into what is known of it."""
    account = account_of(book, body.account)
    known = account.orders.get(body.order_id)
    if known is None:
        known = Order(
            body.order_id, body.contract or "", body.status, 0, 0, 0, 0, None, None, None, None, None, None, at
        )
    elif _older(body, known):
        return Effect((account.id,))
    order = replace(
        known,
        contract=body.contract or known.contract,
        status=body.status,
        # A triggered stop turns into a market order on its fill event: a terminal version keeps the type.
        type=known.type if body.type is None or (known.type and body.status in TERMINAL) else body.type,
        recorded_at=at,
        gone=False,
        **{
            name: getattr(known, name) if getattr(body, name) is None else getattr(body, name)
            for name in ("side", "size", "fill_volume", "limit_price", "stop_price", "parent_id", "linked_id", "tag")
        },
        updated_at=body.updated_at if body.updated_at is not None else known.updated_at,
    )
    if order.status == STATUS_OPEN and (known.status != STATUS_OPEN or known.working_since is None):
        order = replace(order, working_since=at)
    if order.filled_at is None and (order.status == STATUS_FILLED or order.fill_volume > 0):
        order = replace(order, filled_at=at)
    if order.id not in account.orders:
        order = replace(order, exit_of=origin(account, order, at))
    account.orders[order.id] = order
    know_contract(book, order.contract)
    return Effect((account.id,), order_id=order.id)


def _older(body: e.OrderObserved, known: Order) -> bool:
    """Whether this version was overtaken by one already seen (compared in microseconds, API.md 0.12).

    An order that a list did not have and that is shown again still works: nothing said that it had ended.
    """
    ended = known.status in TERMINAL and body.status in WORKING and not known.gone
    if body.updated_at is None or known.updated_at is None:
        return ended
    if body.updated_at // 1000 != known.updated_at // 1000:
        return body.updated_at < known.updated_at
    return ended


def orders_listed(book: Book, at: int, body: e.OrdersListed) -> Effect:
    """Orders of the listed statuses that are not in the list are no longer working."""
    account = account_of(book, body.account)
    asked_at = at if body.asked_at is None else body.asked_at
    if asked_at < account.orders_listed_at:
        return Effect((account.id,))
    for order in list(account.orders.values()):
        missing = order.status in body.statuses and order.id not in body.order_ids
        newer = order.recorded_at + LIST_LAG_NS >= at if body.asked_at is None else order.recorded_at >= asked_at
        if missing and not newer:
            gone = body.asked_at is not None
            account.orders[order.id] = replace(order, status=STATUS_CANCELLED, recorded_at=at, gone=gone)
    account.orders_listed_at = asked_at
    return Effect((account.id,))


# ---- positions ---------------------------------------------------------------------------------------


def position_observed(book: Book, at: int, body: e.PositionObserved) -> Effect:
    """The broker's own size of one contract, as it is now."""
    return _show(book, account_of(book, body.account), body, at, at, listed=False)


def _show(book: Book, account: Account, body: e.PositionObserved, at: int, true_at: int, listed: bool) -> Effect:
    position = account.positions.setdefault(body.contract, Position(body.contract))
    know_contract(book, body.contract)
    before = position.size
    position.pushed, position.push_at = body.size, true_at
    if body.average_price is not None:
        position.average_price = body.average_price
    explained = position.lot_size * body.size > 0 and abs(position.lot_size) >= abs(body.size)
    increased = exposure_changed(book, account, position, before, at)
    show(book, account, position, at, true_at, listed)
    if increased and not explained:
        # The price of this increase is unknown: an older mark must not value it (RULES.md 1.5).
        if position.carried or not position.awaits_mark:
            position.increase_price = None
        position.awaits_mark = True
    note_disagreement(position, at)
    return Effect((account.id,), increased=(body.contract,) if increased else (), contract=body.contract)


def positions_listed(book: Book, at: int, body: e.PositionsListed) -> Effect:
    """All open positions: contracts that are not in the list are flat."""
    account = account_of(book, body.account)
    asked_at = at if body.asked_at is None else body.asked_at
    if asked_at < account.reconciled_at:
        return Effect((account.id,))
    increased: list[str] = []
    listed = [position.contract for position in body.positions]
    gone = [name for name, position in account.positions.items() if name not in listed and position.size]
    for shown in (*body.positions, *(e.PositionObserved(account.id, contract, 0) for contract in gone)):
        if body.asked_at is None or not _newer(account, shown.contract, asked_at):
            increased.extend(_show(book, account, shown, at, asked_at, listed=True).increased)
    account.reconciled_at, account.listed_at = asked_at, at
    note_flat_checks(account, asked_at)
    return Effect((account.id,), increased=tuple(increased))


def _newer(account: Account, contract: str, asked_at: int) -> bool:
    """Whether what is known of a contract was said after the list was asked for: by a push, or by fills alone."""
    known = account.positions.get(contract)
    if known is None:
        return False
    return known.push_at >= asked_at or (known.pushed is None and known.fill_at >= asked_at)
