"""The state of an engine as rows: what `riskcore status --json` prints and every screen is drawn from.

Built from the book alone, which any reader can fold from the journal. Money and prices are exact decimal text, instants
UTC text, seconds whole numbers.
"""

from collections.abc import Iterable

from riskcore.audit.attribution import Attribution
from riskcore.audit.blindness import blind_rows, unseeded_rules
from riskcore.audit.limits import gauges
from riskcore.audit.words import order_row
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money_text, price_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, DayFigures, Obligation, Order, Position, Request
from riskcore.core.view import Effect, View
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row, day_row, lockout_row, position_row

_MOMENT = e.Event(0, "core", "status", e.ClockTicked())


def view_of(book: Book, rulebook: Rulebook, account: Account) -> View:
    """One account as its rules see it now."""
    return View(book, account, _MOMENT, Effect(), rulebook.profile.pnl_basis, rulebook.profile.mark)


def book_row(book: Book, rulebook: Rulebook, accounts: Iterable[Account], now: int) -> Row:
    """Everything in force, as of `now` for countdowns and as of the last event for values. Safe sizes are apart:
    they are tried out, which takes more time than an engine may lose.
    """
    day = book.day
    return {
        "profile": book.profile,
        "trade_date": day.trade_date if day is not None else None,
        "timezone": day.timezone if day is not None else None,
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
        "positions": [held_row(view, position) for position in account.held()],
        "orders": [known_order_row(account, order) for order in account.working_orders()],
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


def known_order_row(account: Account, order: Order) -> Row:
    """An order, and who made it by what its own account tells."""
    maker = Attribution().of_order(account.id, account.orders, order)
    return {"id": order.id, **order_row(order), "tag": order.tag, **maker.row()}


def seconds_until(instant: int, now: int) -> int:
    """Whole seconds from `now` to an instant, rounded up, never below 0."""
    return max(-((now - instant) // SECOND_NS), 0)


def seconds_since(instant: int, now: int) -> int:
    """Whole seconds that have passed since an instant, never below 0."""
    return max((now - instant) // SECOND_NS, 0)


def _left(expires_at: int | None, now: int) -> int | None:
    return None if expires_at is None else seconds_until(expires_at, now)


def held_row(view: View, position: Position) -> Row:
    """A position with its value and mark."""
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
