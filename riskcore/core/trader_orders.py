"""What the trader asks riskcore to do with orders: declined with a sentence, or planned as a request (RULES.md 7).

Only orders sent through riskcore can be refused beforehand; what is placed in the platform's own screen is answered by
the guard. What reduces or closes is always allowed; what opens, increases or flips must fit into every lockout, every
obligation and every rule. Pure: the same book and the same fact give the same answer.
"""

from dataclasses import replace

from riskcore.core.events import Event, OrderDeclined, OrderRequested, RequestPlanned
from riskcore.core.exit_orders import is_on_its_way
from riskcore.core.freshness import connected, reconciled, unseen_since
from riskcore.core.guard import active_lockouts, shown_lockout
from riskcore.core.kinds import CLOSING, CONNECTED, CUTS, MARKET_HUB, LockoutKind, RequestKind
from riskcore.core.names import request_id, request_target, root_of_scope
from riskcore.core.order_roles import is_entry
from riskcore.core.order_terms import Declined, checked_brackets, checked_modification, checked_terms
from riskcore.core.requests import custom_tag
from riskcore.core.rulebook import Rulebook
from riskcore.core.rules.base import Proposal
from riskcore.core.rules.exposure import counted_orders
from riskcore.core.state import (
    BUY,
    SELL,
    STATUS_OPEN,
    STATUS_PENDING,
    STATUS_PENDING_CANCELLATION,
    TYPE_MARKET,
    Account,
    Book,
    Contract,
    Lockout,
    Order,
    OrderTerms,
)
from riskcore.core.trading_day import local_text
from riskcore.core.view import Effect, View

# Lockouts without an instant end when something happens (RULES.md 3.1).
_WITHOUT_END: dict[LockoutKind, str] = {
    "condition": "until the broker allows trading again",
    "symbol_permanent": "while the product is blocked",
    "terminal": "for good",
}


def answer(book: Book, rulebook: Rulebook, fact: Event) -> OrderDeclined | RequestPlanned:
    """The answer to an OrderRequested: a sentence that says what stands in the way, or the request to send."""
    asked = fact.body
    assert isinstance(asked, OrderRequested)
    try:
        return _request(book, rulebook, fact, asked)
    except Declined as declined:
        return OrderDeclined(asked.account, fact.key, declined.reason)


def objection(book: Book, rulebook: Rulebook, asked: OrderRequested, at: int) -> Declined | None:
    """What stands in the way of an order at an instant, whether or not this engine sends any; None: it may be sent."""
    moment = replace(book, now=max(at, book.now), enforces=True)
    try:
        _request(moment, rulebook, Event(moment.now, "operator", "objection", asked), asked)
    except Declined as declined:
        return declined
    return None


def _request(book: Book, rulebook: Rulebook, fact: Event, asked: OrderRequested) -> RequestPlanned:
    account = book.accounts.get(asked.account)
    if account is None:
        raise Declined(f"account {asked.account} is not known here")
    name = account.name or str(account.id)
    if account.simulated is False:
        raise Declined(f"account {name} is live funded: the firm allows no orders through the API there")
    if not rulebook.judges(account):
        raise Declined(f"account {name} is not one of this profile's accounts")
    if not book.enforces:
        raise Declined("this engine only decides (--dry-run): nothing is sent to the broker")
    # A whole close closes what exists and nothing else, so it needs no complete picture.
    closes_all = asked.action == "close" and asked.size == 0
    lost = not connected(book)
    if (lost or not reconciled(book, account)) and not closes_all:
        if lost:
            since = "the connection to the broker is lost"
        elif unseen_since(account) is not None:
            since = "nothing tells what the account does"
        else:
            since = "the account has not been seen in full yet"
        raise Declined(f"{since}; try again when it is there")
    profile = rulebook.profile
    view = View(book, account, fact, Effect((account.id,)), profile.pnl_basis, profile.mark)
    action = {"place": _place, "modify": _modify, "cancel": _cancel, "close": _close}.get(asked.action)
    if action is None:
        raise Declined(f"{asked.action!r} is nothing that can be done with an order")
    return action(view, rulebook, asked)


# ---- the four actions --------------------------------------------------------------------------------


def _place(view: View, rulebook: Rulebook, asked: OrderRequested) -> RequestPlanned:
    contract = _contract(view, asked.contract)
    if asked.side not in (BUY, SELL) or asked.size < 1 or asked.terms is None:
        raise Declined("an order needs a side, and a size of one contract or more")
    terms = checked_terms(contract, asked.side, asked.terms, view.book.marks.get(contract.id), view.now)
    order = _order(0, contract.id, asked.side, asked.size, terms, view.now)
    _refuse_while_closing(view, contract.id)
    opens = _opens(view.account, order)
    checked_brackets(asked.side, terms, opens=opens)
    if opens:
        _refuse_opening(view, rulebook, Proposal(order, _beside(view)))
    tag = _tag(view.book, view.account, view.event)
    return _planned(view, "placeOrder", contract.id, side=asked.side, size=asked.size, terms=terms, tag=tag)


def _modify(view: View, rulebook: Rulebook, asked: OrderRequested) -> RequestPlanned:
    order = _working_order(view, asked.order_id)
    if order.status != STATUS_OPEN:
        raise Declined(
            f"order {order.id} does not work at a price yet, or is being cancelled; it cannot be changed now"
        )
    _refuse_twice(view.account, order)
    contract = _contract(view, order.contract)
    terms = checked_modification(
        contract, order, asked.terms or OrderTerms(), view.book.marks.get(contract.id), view.now
    )
    size = asked.size or order.size
    if size <= order.fill_volume:
        raise Declined(
            f"{order.fill_volume} contracts of order {order.id} have filled already: it cannot be cut to {size}"
        )
    changed = _with_terms(order, terms, size)
    if changed == order and terms.trail_price is None:
        raise Declined(f"order {order.id} is like that already")
    grows = size > order.size and _opens(view.account, changed)
    if grows or is_entry(view.account, changed, view.now):
        _refuse_while_closing(view, contract.id)
        beside = tuple(one for one in _beside(view) if one.id != order.id)
        _refuse_opening(view, rulebook, Proposal(changed, beside))
    return _planned(view, "modifyOrder", contract.id, order_id=order.id, side=order.side, size=asked.size, terms=terms)


def _cancel(view: View, rulebook: Rulebook, asked: OrderRequested) -> RequestPlanned:
    order = _working_order(view, asked.order_id)
    if order.status == STATUS_PENDING_CANCELLATION:
        raise Declined(f"order {order.id} is being cancelled already")
    _refuse_twice(view.account, order)
    return _planned(view, "cancelOrder", order.contract, order_id=order.id)


def _close(view: View, rulebook: Rulebook, asked: OrderRequested) -> RequestPlanned:
    contract = asked.contract or ""
    position = view.account.positions.get(contract)
    held = abs(position.size) if position is not None else 0
    if position is None or not held:
        raise Declined(f"there is no open position in {contract or '(no contract)'}")
    root = view.root(contract)
    if asked.size < 0 or asked.size > held:
        raise Declined(f"{held} contracts of {root} are open: {asked.size} cannot be closed")
    planned = any(one.kind in CLOSING and one.contract == contract for one in view.account.requests.values())
    if planned or is_on_its_way(view.account, contract):
        raise Declined(f"a close of {root} is on its way already; ask again if {root} is still open in a few seconds")
    _refuse_while_closing(view, contract)
    side = SELL if position.size > 0 else BUY
    if asked.size in (0, held):
        return _planned(view, "closeContract", contract, side=side, size=held)
    return _planned(view, "partialCloseContract", contract, side=side, size=asked.size)


# ---- what stands in the way --------------------------------------------------------------------------


def _contract(view: View, contract_id: str | None) -> Contract:
    contract = view.book.contracts.get(contract_id or "")
    if contract is None:
        raise Declined(f"contract {contract_id or '(none)'} is not known: its tick size is needed first")
    return contract


def _working_order(view: View, order_id: int | None) -> Order:
    order = view.account.orders.get(order_id or 0)
    if order is None or not order.working:
        raise Declined(f"order {order_id} is not known as a working order of this account")
    return order


def _refuse_twice(account: Account, order: Order) -> None:
    if any(request.order_id == order.id for request in account.requests.values()):
        raise Declined(f"a request about order {order.id} is on its way already; its outcome comes first")


def _refuse_while_closing(view: View, contract: str) -> None:
    """An obligation to be flat, or smaller, is being carried out: nothing may come in its way (RULES.md 3.4)."""
    for obligation in view.account.obligations.values():
        closes = obligation.kind in CUTS
        if closes and obligation.contract in (None, contract):
            what = view.root(contract) if obligation.contract else "the account"
            text = f"{obligation.rule} is closing or reducing {what} just now; wait until that is done"
            raise Declined(text, obligation.rule)


def _refuse_opening(view: View, rulebook: Rulebook, proposal: Proposal) -> None:
    """Whatever forbids to open or increase: the broker, blindness, a lockout, a rule that would be breached."""
    account, contract = view.account, proposal.order.contract
    if account.can_trade is False:
        raise Declined("the broker does not let this account trade at the moment")
    if view.book.connections.get(MARKET_HUB, CONNECTED) != CONNECTED:
        raise Declined("no market data comes at the moment: nothing is opened blind")
    lockouts = active_lockouts(view, view.root(contract))
    if lockouts:
        shown = shown_lockout(lockouts)
        raise Declined(lockout_text(view.book, shown), shown.rule)
    for instance in rulebook.instances(account):
        if instance.rule.admit is None or instance.shadow:
            continue
        view.rule_key = instance.key
        try:
            objection = instance.rule.admit(instance.params, view, proposal)
        except Exception as error:
            objection = f"it failed ({type(error).__name__}: {error}), and nothing is opened unchecked"
        if objection is not None:
            raise Declined(f"{instance.rule.id} declines it: {objection}", instance.rule.id)


def lockout_text(book: Book, lockout: Lockout) -> str:
    """What is locked, by which rule, until when, and why."""
    where = root_of_scope(lockout.scope) or "the account"
    assert book.day is not None
    if lockout.expires_at is None:
        until = _WITHOUT_END.get(lockout.kind, "without an end")
    else:
        zone = book.day.timezone
        until = f"until {local_text(book.day.zones[zone], lockout.expires_at)} {zone}"
    return f"{where} is locked by {lockout.rule} {until}: {lockout.reason}"


# ---- exposure to come --------------------------------------------------------------------------------


def _order(order_id: int, contract: str, side: int, size: int, terms: OrderTerms, now: int) -> Order:
    """The order as it would work."""
    prices = (terms.limit_price, terms.stop_price)
    return Order(
        order_id, contract, STATUS_PENDING, terms.type, side, size, 0, *prices, None, None, None, None, recorded_at=now
    )


def _with_terms(order: Order, terms: OrderTerms, size: int) -> Order:
    return replace(
        order,
        size=size,
        limit_price=order.limit_price if terms.limit_price is None else terms.limit_price,
        stop_price=order.stop_price if terms.stop_price is None else terms.stop_price,
    )


def _on_the_way(account: Account) -> list[Order]:
    """The trader's own orders that were sent, or soon will be, and that the broker has not shown yet."""
    seen = [order.tag for order in account.orders.values()]
    return [
        _order(0, request.contract or "", request.side, request.size, request.terms or OrderTerms(), request.at)
        for request in account.requests.values()
        if request.kind == "placeOrder" and request.tag not in seen
    ]


def _beside(view: View) -> tuple[Order, ...]:
    """Every order a limit may count beside a new one, at the larger size where a change of size is on its way."""
    asked = {
        request.order_id: request.size for request in view.account.requests.values() if request.kind == "modifyOrder"
    }
    known = [replace(order, size=max(order.size, asked.get(order.id, 0))) for order in counted_orders(view)]
    return (*known, *_on_the_way(view.account))


def _opens(account: Account, order: Order) -> bool:
    """Whether the order would open, increase or flip, once what surely fills before it on its side has filled."""
    position = account.positions.get(order.contract)
    size = position.size if position is not None else 0
    sooner = [one for one in account.working_orders() if one.type == TYPE_MARKET and one.id != order.id]
    pending = sum(
        one.remaining
        for one in (*sooner, *_on_the_way(account))
        if one.contract == order.contract and one.side == order.side
    )
    for request in account.requests.values():
        if request.contract == order.contract and request.kind in CLOSING:
            pending += request.size if request.kind == "partialCloseContract" else abs(size)
    left = abs(size) - pending
    return order.side * size >= 0 or order.remaining > left


# ---- the request -------------------------------------------------------------------------------------


def _planned(
    view: View,
    kind: RequestKind,
    contract: str,
    *,
    order_id: int | None = None,
    side: int = 0,
    size: int = 0,
    terms: OrderTerms | None = None,
    tag: str | None = None,
) -> RequestPlanned:
    """A request without an obligation: it is tried once, and what becomes of it ends it."""
    target = request_target(kind, contract, order_id)
    return RequestPlanned(
        account=view.account.id,
        request=request_id(f"{view.event.key}/{view.account.id}", target, 1),
        obligation="",
        kind=kind,
        contract=contract,
        order_id=order_id,
        size=size,
        side=side,
        price=None,
        attempt=1,
        tag=tag,
        terms=terms,
    )


def _tag(book: Book, account: Account, fact: Event) -> str:
    """A custom tag that no other order of this account ever had: derived, so that a replay finds the same."""
    origin = f"{book.profile}/{account.id}/{fact.key}@{fact.at}"
    return custom_tag(origin)
