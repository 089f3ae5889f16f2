"""Working copies share nothing that changes (DESIGN.md)."""

import dataclasses
from typing import Any

from riskcore.core import state as s
from riskcore.core.copies import copy_book
from riskcore.schema.codec import state_hash
from tests.schema.examples import example


def test_a_copy_of_the_book_shares_nothing_that_can_change() -> None:
    book = example(s.Book)
    before, copied = state_hash(book), copy_book(book)
    assert copied == book
    for account in copied.accounts.values():
        for name in ("positions", "orders", "trades", "days", "lockouts", "obligations", "requests"):
            for record in getattr(account, name).values():
                for field in dataclasses.fields(record):
                    spoil(record, field.name)
            getattr(account, name).clear()
        for name in ("episodes", "counters", "memory", "guarded"):
            getattr(account, name).clear()
    for name in ("contracts", "marks", "connections", "connection_since", "accounts"):
        getattr(copied, name).clear()
    assert state_hash(book) == before


def spoil(record: Any, name: str) -> None:
    """Change a field in place where that is possible at all."""
    if isinstance(getattr(record, name), dict):
        getattr(record, name).clear()
    elif not record.__dataclass_params__.frozen:
        setattr(record, name, None)
