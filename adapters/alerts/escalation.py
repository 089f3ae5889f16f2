"""Enforcement that stays unconfirmed: when the trader is told of it, and again. Source: INTERFACE.md 10."""

from collections.abc import Collection
from typing import NamedTuple

from riskcore.core.kinds import CANCELS, CUTS, STOPS
from riskcore.core.state import Book

FIRST_SECONDS, SECOND_SECONDS, EACH_SECONDS = 10, 30, 60


class Enforcement(NamedTuple):
    """One obligation that is not met while it matters."""

    obligation: str
    kind: str
    rule: str
    account: str


def unmet(book: Book) -> tuple[Enforcement, ...]:
    """What is to be closed, reduced or protected where something is held, and orders that are still to be cancelled.

    An order that works may open a position at any time, so a cancel matters while flat, too.
    """
    return tuple(
        Enforcement(one.id, one.kind, one.rule, account.name or str(account.id))
        for account in book.accounts.values()
        if account.obligations
        for one in account.obligations.values()
        if (one.kind in (*CUTS, *STOPS) and account.held()) or (one.kind in CANCELS and account.working_orders())
    )


class Escalation:
    """Remembers since when each is unmet: told after 10 s, after 30 s, then each minute while it lasts."""

    def __init__(self) -> None:
        self._since: dict[Enforcement, float] = {}
        self._told_after: dict[Enforcement, int] = {}

    def due(self, open_now: Collection[Enforcement], seconds: float) -> list[tuple[Enforcement, int]]:
        """Which to tell at `seconds` of a clock that never goes back, with how long each has been unmet by then."""
        for gone in [one for one in self._since if one not in open_now]:
            del self._since[gone]
            self._told_after.pop(gone, None)
        due = []
        for one in open_now:
            lasted = int(seconds - self._since.setdefault(one, seconds))
            if lasted >= self._next(one):
                self._told_after[one] = lasted
                due.append((one, lasted))
        return due

    def _next(self, one: Enforcement) -> int:
        told_after = self._told_after.get(one)
        if told_after is None:
            return FIRST_SECONDS
        return SECOND_SECONDS if told_after < SECOND_SECONDS else told_after + EACH_SECONDS
