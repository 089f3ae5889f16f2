"""A close has an exit order: the market order the broker makes of it (RULES.md 1.6, 8.7).

closeContract and partialCloseContract answer without an order id, so the order is recognised: a market order of that
contract on the other side, without a tag, first shown after the attempt. Two closes can reverse a position. So no
second one leaves while such an order works, nor before it is known that none is on its way. Pure functions over one
account; times are nanoseconds.
"""

from collections.abc import Iterator

from riskcore.core.issuers import PLANNER_KEY
from riskcore.core.kinds import CLOSING
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import TERMINAL, TYPE_MARKET, WORKING, Account, Order, Request, Trade

# What made an order when no open request did: a close that was over before its order was shown; or perhaps a close.
# Pushes may be older than the close that followed them, so the side that was expected may have been wrong.
OVER, UNSURE = "", "?"
# After a lost answer the broker is asked once more this much later: the call itself may have been delayed.
ASK_ONCE_MORE_NS = SECOND_NS
# How long fills and position may trail behind the word that the exit order has ended, before a look is worth it.
SETTLE_NS = SECOND_NS // 4
# When you are alerted that a close is still open.
ALERT_NS = 5 * SECOND_NS
# The fill of a close may be told after the position is: events of one fill come in no fixed order (RULES.md 2).
LATE_FILL_NS = 5 * SECOND_NS
# How long the fills of an order may come behind its own word that it has filled.
FILLS_AWAITED_NS = 2 * SECOND_NS
# How far the clock of the broker may be behind ours.
BROKER_CLOCK_BEHIND_NS = 5 * SECOND_NS


def is_exit_order(order: Order) -> bool:
    """Whether a close of riskcore made this order. It is no entry, counts for no limit, and is never cancelled."""
    return order.exit_of not in (None, UNSURE)


def origin(account: Account, order: Order, at: int) -> str | None:
    """The request that made an order shown for the first time, OVER or UNSURE; None for an order of somebody else."""
    if order.type != TYPE_MARKET or order.tag is not None or order.parent_id is not None:
        return None
    sent = [request for request in sent_closes(account, order.contract) if not _is_history(account, order, request)]
    for request in sent:
        if request.side in (0, order.side):
            return request.id
    closed_at = account.memory.get(closed_name(order.contract))
    recent = closed_at is not None and at - closed_at <= LATE_FILL_NS
    if recent and any(trade.order_id == order.id and trade.enforced for trade in account.trades.values()):
        return OVER
    return UNSURE if sent or recent else None


def _is_history(account: Account, order: Order, request: Request) -> bool:
    """Whether an order is older than a close, or proves nothing.

    Its fills were told before the close left, though its own push may come behind it, or were part of the size that was
    shown by then; or it had ended when it was first shown, and never filled, or did so well before the attempt. To wait
    for one more picture where it was the exit order after all costs a moment, and no second close.
    """
    if any(trade.order_id == order.id and _is_earlier(trade, request) for trade in account.trades.values()):
        return True
    if order.status not in TERMINAL:
        return False
    if _was_part_of_shown(account, order, request):
        return True
    changed_at = order.updated_at
    older = changed_at is not None and changed_at < request.attempted_at - BROKER_CLOCK_BEHIND_NS
    return older or not order.fill_volume


def _was_part_of_shown(account: Account, order: Order, request: Request) -> bool:
    """Whether fills, those of an order too, come to the size that was shown before a close left."""
    position = account.positions.get(order.contract)
    if position is None or position.pushed != position.lot_size or position.push_at >= request.attempted_at:
        return False
    return order.fill_volume > 0 and not lacks_fills(account, order)


def _is_earlier(fill: Trade, request: Request) -> bool:
    """Whether a fill was told before a close left, whatever the clock of the broker says."""
    return fill.recorded_at < request.attempted_at


def closed_name(contract: str | None) -> str:
    """Under which name an account remembers when riskcore last closed or cut a position."""
    return f"{PLANNER_KEY}.{contract}.closed_at"


def sent_closes(account: Account, contract: str | None) -> list[Request]:
    """The closes and cuts of a contract that were sent and whose outcome is still open."""
    return [
        request
        for request in account.requests.values()
        if request.kind in CLOSING and request.contract == contract and request.state != "planned"
    ]


def exit_orders(account: Account, request: Request) -> list[Order]:
    """The orders that a close may have made; an order of the trader on the same side may be among them."""
    return [order for order in account.orders.values() if order.exit_of == request.id]


def is_shown(account: Account, request: Request) -> bool:
    """Whether the order of a close was shown, or fills of an unknown order that are as large as the close."""
    if exit_orders(account, request):
        return True
    fills = (
        trade
        for trade in account.trades.values()
        if trade.contract == request.contract and trade.side == request.side and trade.order_id not in account.orders
    )
    return sum(fill.size for fill in fills if not _is_earlier(fill, request)) >= max(request.size, 1)


def filled_size(account: Account, order: Order) -> int:
    """How many contracts of an order the fills recorded so far have executed."""
    return sum(trade.size for trade in account.trades.values() if trade.order_id == order.id and not trade.voided)


def lacks_fills(account: Account, order: Order) -> bool:
    """Whether fills of an order are still to be told, by its own word; one that was voided was told."""
    return sum(trade.size for trade in account.trades.values() if trade.order_id == order.id) < order.fill_volume


def left_to_fill(account: Account, order: Order) -> int:
    """How many contracts of an order may still fill, by its own word, its fills and the position that was pushed.

    A push that lots do not explain yet counts for an order that closes those lots. On the other side it may be
    anything that was held before the first fill was seen.
    """
    left = order.size - _volume(account, order)
    position = account.positions.get(order.contract)
    if position is not None and order.side * position.lot_size < 0:
        left -= order.side * (position.size - position.lot_size)
    return max(left, 0)


def works(account: Account, order: Order) -> bool:
    """Whether more of an order may fill. Its fills may say that it is done before its own last version does."""
    return order.working and not (order.size and filled_size(account, order) >= order.size)


def is_on_its_way(account: Account, contract: str | None) -> bool:
    """Whether something may still close a contract: a close that was sent, or the order of one."""
    return bool(sent_closes(account, contract)) or any(True for _ in _working_exits(account, contract))


def _working_exits(account: Account, contract: str | None) -> Iterator[Order]:
    """Orders that may still close some of a contract; what only may be one counts as long as it would do so.

    Which side is held is not certain just then: a push may be older than the close that it followed. So it counts at
    first whatever its side is, until a complete picture was asked for well after it was made.
    """
    position = account.positions.get(contract or "")
    size = position.size if position is not None else 0
    for order in account.orders.values():
        if order.exit_of is None or order.contract != contract or order.status not in WORKING:
            continue
        made_at = order.recorded_at if order.updated_at is None else order.updated_at
        closes = order.exit_of != UNSURE or order.side * size < 0 or looked_at(account) < made_at + LATE_FILL_NS
        if closes and works(account, order):
            yield order


def looked_at(account: Account) -> int:
    """When the broker was asked for the last complete picture: positions, orders and fills."""
    return min(account.reconciled_at, account.orders_listed_at, account.seeded_at)


def outcome(account: Account, request: Request, command_timeout_ns: int) -> tuple[bool, str] | None:
    """Whether a close had an effect, and why it is over; None while it may still do something."""
    orders = exit_orders(account, request)
    if any(works(account, order) for order in orders):
        return None
    made = _made_by(request, orders)
    if made:
        filled = any(_volume(account, order) for order in made)
        told = (
            filled and all(_is_told(account, order) for order in orders) and not _may_be_older(account, request, made)
        )
        if told or _is_clear(account, request.contract, _ended_at(account, orders)):
            return filled, "its order has ended" if filled else "its order ended without a fill"
        return None
    if _is_clear(account, request.contract, _certain_from(request, command_timeout_ns)):
        return False, "positions, orders and fills show that nothing is on its way"
    return None


def _made_by(request: Request, orders: list[Order]) -> list[Order]:
    """The orders of the size that was asked for; what else was seen on that side may be the trader's own."""
    return [order for order in orders if request.size in (0, order.size) or not order.size]


def _may_be_older(account: Account, request: Request, made: list[Order]) -> bool:
    """Whether orders had ended before a close left, by the broker's clock, and leave all open that it was to close.

    That clock may be behind ours; or they are the trader's own, which were not told before, and the order of the close
    is still to be shown. Only a picture tells.
    """
    position = account.positions.get(request.contract or "")
    left = -request.side * position.lot_size if position is not None else 0
    ended = [order.updated_at for order in made if order.updated_at is not None]
    return left >= request.size and len(ended) == len(made) and max(ended) < request.attempted_at


def _volume(account: Account, order: Order) -> int:
    return max(order.fill_volume, filled_size(account, order))


def _ended_at(account: Account, orders: list[Order]) -> int:
    """When it was heard that the last of some orders had ended, by its own word or by its fills.

    One that a list just did not have may have filled between the parts of that very picture: only a later one counts.
    """
    ids = [order.id for order in orders]
    heard = [order.recorded_at + order.gone for order in orders if not order.working]
    return max([*heard, *(one.recorded_at for one in account.trades.values() if one.order_id in ids)], default=0)


def _is_told(account: Account, order: Order) -> bool:
    """Whether fills and position show all that an ended order did, so that the size left is certain."""
    position = account.positions.get(order.contract)
    agree = position is not None and position.pushed in (None, position.lot_size)
    return agree and not order.gone and filled_size(account, order) >= order.fill_volume


def _is_clear(account: Account, contract: str | None, since: int) -> bool:
    """Whether a complete picture asked for since then leaves no doubt about a contract."""
    position = account.positions.get(contract or "")
    return looked_at(account) >= since and (position is None or position.disagrees_since is None)


def _unknown_since(request: Request, command_timeout_ns: int) -> int:
    """From when on no more can be expected to arrive about a close whose order was never shown."""
    return request.at if request.state == "unresolved" else request.at + command_timeout_ns


def _certain_from(request: Request, command_timeout_ns: int) -> int:
    """A picture asked for from then on proves that a close did nothing."""
    once_more_ns = 0 if request.state == "accepted" else ASK_ONCE_MORE_NS
    return _unknown_since(request, command_timeout_ns) + once_more_ns


def look_due(account: Account, contract: str | None, command_timeout_ns: int) -> int | None:
    """When to ask the broker for the outcome of the closes of a contract; None when nothing is open."""
    sent = sent_closes(account, contract)
    dues = [_look_due(account, request, command_timeout_ns) for request in sent]
    known = [request.id for request in sent]
    for order in _working_exits(account, contract):
        if order.exit_of not in known:
            seen = looked_at(account) >= order.recorded_at
            dues.append(looked_at(account) + command_timeout_ns if seen else order.recorded_at + SETTLE_NS)
    return min(dues, default=None)


def _look_due(account: Account, request: Request, command_timeout_ns: int) -> int:
    orders, seen_at = exit_orders(account, request), looked_at(account)
    if any(works(account, order) for order in orders):
        return max(request.at, seen_at) + command_timeout_ns
    made = _made_by(request, orders)
    if made:
        ended_at = _ended_at(account, orders)
        first, certain = ended_at + SETTLE_NS * any(_volume(account, order) for order in made), ended_at
    else:
        first = _unknown_since(request, command_timeout_ns)
        certain = _certain_from(request, command_timeout_ns)
    if seen_at < first and seen_at < certain:
        return first
    return seen_at + ASK_ONCE_MORE_NS if seen_at >= certain else certain


def alert_due(account: Account, request: Request, command_timeout_ns: int) -> int | None:
    """When you are alerted about a close that is still open; None when a complete picture is all it waits for."""
    if any(works(account, order) for order in exit_orders(account, request)):
        return request.attempted_at + ALERT_NS
    unknown_since = _unknown_since(request, command_timeout_ns)
    return None if looked_at(account) >= unknown_since else unknown_since + ALERT_NS
