"""The working copy of a book (Runner.begin): what the core fails on halfway is undone by dropping it."""

from dataclasses import replace

from riskcore.core.state import Account, Book, Position


def copy_position(position: Position) -> Position:
    return replace(position, memory=dict(position.memory))


def copy_account(account: Account) -> Account:
    """A copy that can be edited without touching the original."""
    return replace(
        account,
        positions={key: copy_position(value) for key, value in account.positions.items()},
        orders=dict(account.orders),
        trades=dict(account.trades),
        days={key: replace(value, order_fills=dict(value.order_fills)) for key, value in account.days.items()},
        lockouts={key: replace(value, held=dict(value.held)) for key, value in account.lockouts.items()},
        obligations={key: replace(value, attempts=dict(value.attempts)) for key, value in account.obligations.items()},
        requests=dict(account.requests),
        episodes=dict(account.episodes),
        counters=dict(account.counters),
        memory=dict(account.memory),
        guarded=dict(account.guarded),
    )


def copy_book(book: Book) -> Book:
    """A copy that facts can be taken on without touching the original."""
    return replace(
        book,
        contracts=dict(book.contracts),
        marks=dict(book.marks),
        accounts={key: copy_account(value) for key, value in book.accounts.items()},
        connections=dict(book.connections),
        connection_since=dict(book.connection_since),
    )
