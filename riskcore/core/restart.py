"""A live engine takes over: what the one before left open, and what nobody has seen meanwhile. Part of the fold.

Source: RULES.md 1.6 (Restart) and 8.6, INTERFACE.md 7.
"""

from dataclasses import replace

from riskcore.core import events as e
from riskcore.core.sight import CONNECTED, HUBS, LOST
from riskcore.core.state import Account, Book, account_of
from riskcore.core.view import Effect

# Rules about totals of the day wait for all of its fills; those about single trades do not look at history.
OF_TOTALS = ("RULE-003", "RULE-013")
OF_TRADES = ("RULE-006", "RULE-007")


def absence(book: Book) -> list[e.Event]:
    """The facts with which a stored book goes on in a new process: nothing was seen since its last event.

    Handled before anything else, they make rules that need sight wait for it, also when their time came meanwhile.
    """
    hubs = [hub for hub in HUBS if book.connections.get(hub) == CONNECTED] if book.day is not None else []
    return [
        e.Event(book.now, "operator", f"connection:{hub}@{book.now}", e.ConnectionChanged(hub, LOST)) for hub in hubs
    ]


def engine_started(book: Book, at: int, body: e.EngineStarted) -> Effect:
    """What was on its way has nobody any more who hears the answer; fills of the gap are still to be listed."""
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
        _take_over_requests(account, at, body.enforces)
    return Effect(tuple(book.accounts))


def _take_over_requests(account: Account, at: int, enforces: bool) -> None:
    """Sent without an answer: nobody knows. Not sent yet: planned anew from what there is now, or by nobody."""
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


def waits_for_fills(book: Book, account: Account, rule: str) -> bool:
    """Whether a rule cannot judge yet: it remembers, and looks when the fills have been listed.

    A single trade is judged as it comes when only the gap of a restart is missing; history breaches nothing.
    """
    if not account.unseeded:
        return False
    assert book.day is not None, "rules are judged within a trading day"
    history = account.seeded_at < book.day.opens_at
    return rule in OF_TOTALS or (rule in OF_TRADES and history)
