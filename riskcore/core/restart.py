"""A live engine takes over: what the one before left open, and what happened unseen meanwhile. Part of the fold.

Source: RULES.md 1.6 (Restart) and 8.6, INTERFACE.md 7.
"""

from dataclasses import replace

from riskcore.core import events as e
from riskcore.core.freshness import UNSEEN_SINCE
from riskcore.core.kinds import CONNECTED, HUBS, LOST, Source
from riskcore.core.state import Account, Book, Trade, account_of
from riskcore.core.view import Effect

OPERATOR: Source = "operator"
# What a rule may wait for behind a start, by the names under which it needs them (Rule.needs).
UNSEEN = POSITIONS, ORDERS, TRADES = ("positions", "orders", "trades")
ENGINE = "engine"  # Awaited while none runs: blindness is an engine's.


def absence(book: Book) -> list[e.Event]:
    """The facts with which a stored book goes on in a new process: nothing was seen since its last event.

    Handled before anything else, they make rules that need sight wait for it, also when their time came meanwhile.
    """
    hubs = [hub for hub in HUBS if book.connections.get(hub) == CONNECTED] if book.day is not None else []
    return [e.Event(book.now, OPERATOR, f"connection:{hub}@{book.now}", e.ConnectionChanged(hub, LOST)) for hub in hubs]


def is_absence(fact: e.Event) -> bool:
    """Whether a fact says that from here on no engine watched, until one starts again."""
    return fact.source == OPERATOR and isinstance(fact.body, e.ConnectionChanged)


def engine_started(book: Book, at: int, body: e.EngineStarted) -> Effect:
    """Nothing hears the answer to what was on its way any more; fills of the gap are still to be listed."""
    book.enforces, book.started_at = body.enforces, at
    for hub in HUBS:
        known = book.connections.get(hub)
        if known == CONNECTED:
            book.connections[hub] = LOST
        if known in (None, CONNECTED):
            # The sockets of the process before are gone: what it saw last is no picture of now.
            book.connection_since[hub] = at
    for account in book.accounts.values():
        account.unseeded = True
        account.memory.pop(UNSEEN_SINCE, None)  # Of what this engine sees it says so itself.
        _take_over_requests(account, at, body.enforces)
    return Effect(tuple(book.accounts))


def unseen_marks(book: Book) -> list[e.GapRecorded]:
    """What a rule remembers of the best mark of a position may be short of the truth (RULE-005, RULE-012)."""
    text = "the market was not seen while riskcore did not run"
    return [
        e.GapRecorded(account.id, position.contract, text)
        for account in book.accounts.values()
        for position in account.held()
    ]


def _take_over_requests(account: Account, at: int, enforces: bool) -> None:
    """Sent without an answer: unknown. Not sent yet: planned anew from what there is now, or not at all."""
    for request in list(account.requests.values()):
        if not enforces or (request.state == "planned" and request.obligation):
            del account.requests[request.id]
        elif request.state == "attempted":
            account.requests[request.id] = replace(request, state="unresolved", at=at)


def trades_listed(book: Book, at: int, body: e.TradesListed) -> Effect:
    """The fills are complete when the list reaches back to the reset, or to where they were known to be complete."""
    account = account_of(book, body.account)
    assert book.day is not None, "a list of fills before the trading day was opened"
    if body.from_at <= max(book.day.opens_at, account.seeded_at):
        account.seeded_at = max(account.seeded_at, at if body.asked_at is None else body.asked_at)
        account.unseeded = False
    return Effect((account.id,))


def awaited(book: Book, account: Account, absent: bool = False) -> tuple[str, ...]:
    """What a live engine has not been shown of an account since it started; nothing in a recording.

    All of it while none runs (`absent`). Until then the book holds what an earlier run saw last, and no rule breaches
    over what may be gone (RULES.md 1.6).
    """
    if absent:
        return (ENGINE, *UNSEEN)
    if not book.started_at:
        return ()
    unknown = (
        (POSITIONS, account.reconciled_at < book.started_at),
        (ORDERS, account.orders_listed_at < book.started_at),
        (TRADES, account.unseeded),
    )
    return tuple(name for name, missing in unknown if missing)


def awaited_by(book: Book, body: object) -> tuple[str, ...]:
    """What is awaited of the account that a list is about, before the list is folded."""
    if not isinstance(body, e.PositionsListed | e.OrdersListed):
        return ()
    known = book.accounts.get(body.account)
    if known is None:
        return UNSEEN if book.started_at else ()
    return awaited(book, known)


def shown(book: Book, body: object, effect: Effect, unknown: tuple[str, ...]) -> Effect:
    """The effect of a fact with what only a live engine tells apart: is a fill history, is a list the first one."""
    if effect.trade is not None and is_history(book, book.accounts[effect.accounts[0]], effect.trade):
        return effect._replace(history=True)
    if unknown and isinstance(body, e.PositionsListed | e.OrdersListed):
        still = awaited(book, book.accounts[body.account])
        return effect._replace(shown=tuple(name for name in unknown if name not in still))
    return effect


def is_history(book: Book, account: Account, trade: Trade) -> bool:
    """Whether no engine judged when a fill was made: before this engine started, or before its first list of the day.

    Such a fill counts in totals, windows and runs, and is not itself a trade to judge (RULES.md 1.6).
    """
    if not book.started_at:
        return False
    assert book.day is not None, "a fill before the trading day was opened"
    first_look = account.unseeded and account.seeded_at < book.day.opens_at
    return first_look or trade.placed_at < book.started_at
