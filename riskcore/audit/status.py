"""The state of an engine as rows: what `riskcore status --json` prints and every screen is drawn from.

Built from the book alone, which any reader can fold from the journal. Money and prices are exact decimal text, instants
UTC text, seconds whole numbers.
"""

from collections.abc import Iterable, Mapping

from riskcore.audit.limits import gauges
from riskcore.audit.words import order_row
from riskcore.core import events as e
from riskcore.core.freshness import out_of_sight
from riskcore.core.kinds import CONNECTED, MARKET_HUB, USER_HUB, ConnectionState, Hub
from riskcore.core.quantities import SECOND_NS, money_text, price_text
from riskcore.core.restart import TRADES, awaited
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, DayFigures, Obligation, Position, Request
from riskcore.core.view import Effect, View
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, day_row, lockout_row, position_row

# What each hub tells of; a rule that needs it is blind while the hub is not connected (RULES.md 8.4).
TOLD_BY: dict[Hub, tuple[str, ...]] = {USER_HUB: ("trades", "orders", "positions"), MARKET_HUB: ("quotes",)}
_MOMENT = e.Event(0, "core", "status", e.ClockTicked())


def view_of(book: Book, rulebook: Rulebook, account: Account) -> View:
    """One account as its rules see it now."""
    return View(book, account, _MOMENT, Effect(), rulebook.profile.pnl_basis, rulebook.profile.mark)


def book_row(book: Book, rulebook: Rulebook, accounts: Iterable[Account], now: int) -> Row:
    """Everything in force, as of `now` for countdowns and as of the last event for values."""
    day = book.day
    return {
        "profile": book.profile,
        "trade_date": day.trade_date if day is not None else None,
        "resets_at": utc_text(day.closes_at) if day is not None else None,
        "seconds_to_reset": seconds_until(day.closes_at, now) if day is not None else None,
        "carries_out": book.enforces,
        "connections": connection_rows(book, now),
        "accounts": [account_row(book, rulebook, account, now) for account in accounts],
    }


def connection_rows(book: Book, now: int) -> list[Row]:
    """The hubs and how long each has been as it is."""
    rows = []
    for hub, state in sorted(book.connections.items()):
        since = book.connection_since.get(hub)
        rows.append(
            {
                "hub": hub,
                "state": state,
                "since": None if since is None else utc_text(since),
                "seconds": None if since is None else seconds_since(since, now),
            }
        )
    return rows


def account_row(book: Book, rulebook: Rulebook, account: Account, now: int) -> Row:
    """One account: money, positions, orders, what is in force and what is on its way."""
    view = view_of(book, rulebook, account)
    basis = rulebook.profile.pnl_basis
    day = account.days.get(book.trade_date) or DayFigures(book.trade_date)
    total = view.total()
    known = [] if not rulebook.judges(account) else gauges(book, rulebook, account, view)
    return {
        "id": account.id,
        "name": account.name,
        "judged": rulebook.judges(account),
        "simulated": account.simulated,
        "can_trade": account.can_trade,
        "balance": None if account.balance_usd is None else money_text(account.balance_usd),
        "reconciled_at": utc_text(account.reconciled_at) if account.reconciled_at else None,
        "day": day_row(day),
        "pnl_basis": basis,
        "realized": money_text(day.realised_usd(basis)),
        "unrealized": money_text(total.value),
        "unrealized_flags": list(total.flags),
        "day_pnl": money_text(day.realised_usd(basis) + total.value),
        "limits": [gauge.row() for gauge in known],
        "positions": [_position(view, position) for position in account.held()],
        "orders": [{"id": order.id, **order_row(order), "tag": order.tag} for order in account.working_orders()],
        "lockouts": [
            {"id": name, **lockout_row(lockout), "seconds_left": _left(lockout.expires_at, now)}
            for name, lockout in sorted(account.lockouts.items())
            if lockout.expires_at is None or now < lockout.expires_at
        ],
        "obligations": [_obligation(one, now) for one in account.obligations.values()],
        "requests": [_request(one, now) for one in account.requests.values()],
        "blind": blind_rows(book, rulebook, account, view),
        "unseeded": unseeded_rules(book, rulebook, account),
    }


def blind_rows(book: Book, rulebook: Rulebook, account: Account, view: View) -> list[Row]:
    """Rules that lack what they judge by, and why: their recording, a lost hub, or a stale mark (RULES.md 1.5, 8.4).

    Lists that are polled stand in for the user hub, and bars for quotes: what the rules act on is no lack.
    """
    stale = [position.contract for position in view.held() if _is_unmarked(view, position)]
    missing = [hub for hub in TOLD_BY if _is_lost(book.connections, hub)]
    if USER_HUB in missing and not out_of_sight(book, account):
        missing.remove(USER_HUB)
    if MARKET_HUB in missing and view.held() and not stale and _marked_since_loss(book, view):
        missing.remove(MARKET_HUB)
    lost = {need: hub for hub in missing for need in TOLD_BY[hub]}
    found = []
    for instance in rulebook.instances(account):
        needs = instance.rule.needs(instance.params)
        blind = instance.blind_because(book)
        hubs = sorted({lost[need] for need in needs if need in lost})
        if blind is not None:
            reason = blind
        elif hubs:
            reason = " and ".join(f"the {hub} hub is {book.connections[hub]}" for hub in hubs)
        elif "quotes" in needs and stale:
            reason = f"no fresh mark of {' and '.join(stale)}"
        else:
            continue
        found.append({"rule": instance.rule.id, "name": instance.rule.name, "reason": reason})
    return sorted(found, key=lambda row: str(row["rule"]))


def _marked_since_loss(book: Book, view: View) -> bool:
    """Whether another source has reported the market of every position since its hub was lost."""
    since = book.connection_since.get(MARKET_HUB, 0)
    return all(book.marks[position.contract].at > since for position in view.held())


def unseeded_rules(book: Book, rulebook: Rulebook, account: Account) -> list[str]:
    """The rules that do not judge yet because the fills of the day are still to be listed (RULES.md 8.6)."""
    if book.day is None:
        return []
    unseen = tuple(name for name in awaited(book, account) if name == TRADES)
    return sorted(dict.fromkeys(one.rule.id for one in rulebook.instances(account) if one.waits(unseen)))


def _is_lost(connections: Mapping[Hub, ConnectionState], hub: Hub) -> bool:
    return connections.get(hub, CONNECTED) != CONNECTED


def _is_unmarked(view: View, position: Position) -> bool:
    one = view.value(position)
    return one.value is None or one.stale


def seconds_until(instant: int, now: int) -> int:
    """Whole seconds from `now` to an instant, rounded up, never below 0."""
    return max(-((now - instant) // SECOND_NS), 0)


def seconds_since(instant: int, now: int) -> int:
    """Whole seconds that have passed since an instant, never below 0."""
    return max((now - instant) // SECOND_NS, 0)


def _left(expires_at: int | None, now: int) -> int | None:
    return None if expires_at is None else seconds_until(expires_at, now)


def _position(view: View, position: Position) -> Row:
    one = view.value(position)
    mark = view.book.marks.get(position.contract)
    return {
        **position_row(view.book, position, view.mark_mode),
        "mark": None if one.price is None else price_text(one.price),
        "marked_at": None if mark is None else utc_text(mark.at),
        "stale": one.stale,
        "opened_at": utc_text(position.opened_at) if position.opened_at else None,
    }


def _obligation(obligation: Obligation, now: int) -> Row:
    return {
        "id": obligation.id,
        "kind": obligation.kind,
        "rule": obligation.rule,
        "contract": obligation.contract,
        "orders": list(obligation.order_ids),
        "set_at": utc_text(obligation.set_at),
        "unmet_seconds": seconds_since(obligation.set_at, now),
        "failures": obligation.failures,
    }


def _request(request: Request, now: int) -> Row:
    return {
        "id": request.id,
        "kind": request.kind,
        "contract": request.contract,
        "order": request.order_id,
        "size": request.size or None,
        "attempt": request.attempt,
        "state": request.state,
        "since": utc_text(request.at),
        "seconds": seconds_since(request.at, now),
    }
