"""Questions to the broker's archive, each asked once: answers of earlier runs count, long lists are asked in parts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.topstepx import fields
from adapters.topstepx.fields import Object, Rejected, decode, encode, required
from replay.fetching.answers import Answers
from replay.fetching.plan import OVERLAP_NS, SETTLED_AFTER_NS, BarUnit, Window, halves
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import CannotWrite, GatewayError
from riskcore.schema.instants import utc_text

# From here on a list may have been cut off by the broker (API.md 2.4 shows such a bound): its halves are asked too.
MANY_ROWS = 100
Row = dict[str, Any]


class Archive(Protocol):
    """The broker's history (adapters.topstepx.archive). Rows are the broker's own; every question raises GatewayError.

    None stands for a contract or order that the broker does not know, and for a call that it does not have.
    """

    async def accounts(self) -> list[Any]: ...
    async def contracts_like(self, text: str) -> list[Any]: ...
    async def contract(self, contract: str) -> Any | None: ...
    async def trades(self, account: int, start: int, end: int) -> list[Any]: ...
    async def orders(self, account: int, start: int, end: int) -> list[Any]: ...
    async def queried_orders(self, account: int, start: int, end: int) -> list[Any] | None: ...
    async def order(self, account: int, order: int) -> Any | None: ...
    async def bars(self, contract: str, start: int, end: int, unit: int, unit_number: int) -> list[Any] | None: ...


@dataclass(slots=True)
class Questions:
    """What one run asks. `now` is the time, `broker` names the host whose answers are kept."""

    archive: Archive
    answers: Answers
    broker: str
    now: Callable[[], int]
    asked: int = 0
    kept: int = 0

    async def accounts(self) -> list[Object]:
        """Every account of the login, as it is now."""
        self.asked += 1
        return _objects(await self.archive.accounts(), "accounts")

    async def contracts_like(self, text: str) -> list[Object]:
        """Contracts on offer whose name is like `text`."""
        self.asked += 1
        return _objects(await self.archive.contracts_like(text), "contracts")

    async def contract(self, contract: str) -> Object | None:
        """The record of a contract as it is now; None for one that the broker does not know."""
        self.asked += 1
        row = await self.archive.contract(contract)
        return None if row is None else _objects([row], "contracts")[0]

    async def trades(self, account: int, window: Window) -> list[Object]:
        """The half-turns of a window and of a minute on both sides of it."""
        return await self._listed("trades", account, window, self.archive.trades)

    async def orders(self, account: int, window: Window) -> list[Object]:
        """The orders created in a window, as Order/search shows them."""
        return await self._listed("orders", account, window, self.archive.orders)

    async def queried_orders(self, account: int, window: Window) -> list[Object] | None:
        """The same as Order/v2/query shows them, in every status; None where the broker has no such call."""
        start, end = window.start - OVERLAP_NS, window.end + OVERLAP_NS
        question = {"ask": "queried orders", "account": account, **_times(start, end)}
        rows = await self._answer(question, end, lambda: self.archive.queried_orders(account, start, end))
        return None if rows is None else _objects(rows, "Order/v2/query")

    async def order(self, account: int, order: int, until: int) -> Object | None:
        """One order by its id; what is said of it is final when `until` has long passed."""
        question = {"ask": "order", "account": account, "order": order}
        return await self._answer(question, until, lambda: self.archive.order(account, order))  # type: ignore[no-any-return]

    async def bars(self, contract: str, window: Window, unit: BarUnit) -> dict[int, Object] | None:
        """Every bar that begins in a window, by the instant at which it begins; None for an unknown contract.

        The broker gives the latest of a window, 20,000 at most, so pages follow one another from the newest to the
        oldest until nothing older comes: an answer that is shorter than it could be does not show that it is the last.
        """
        found: dict[int, Object] = {}
        oldest: int | None = window.end
        while oldest is not None:
            question = _bars_question(contract, window.start, oldest, unit)
            rows = await self._answer(question, oldest, self._page(contract, window.start, oldest, unit))
            if rows is None:
                return None
            oldest = _add_page(found, rows, contract, window, oldest)
        return found

    def bars_at_hand(self, contract: str, window: Window, unit: BarUnit) -> dict[int, Object]:
        """The bars of a window that was asked for in this run, read again: they need not all be in memory at once."""
        found: dict[int, Object] = {}
        oldest: int | None = window.end
        while oldest is not None:
            rows = self.answers.get(self._full(_bars_question(contract, window.start, oldest, unit)))
            if rows is None:
                raise CannotWrite(f"the bars of {contract} were kept and are gone; was the folder changed meanwhile?")
            oldest = _add_page(found, rows, contract, window, oldest)
        return found

    def _page(self, contract: str, start: int, end: int, unit: BarUnit) -> Callable[[], Awaitable[list[Any] | None]]:
        return lambda: self.archive.bars(contract, start, end, unit.code, unit.number)

    async def _listed(
        self, name: str, account: int, window: Window, ask: Callable[[int, int, int], Awaitable[list[Any]]]
    ) -> list[Object]:
        """The rows of a window, each once by its id, in the order of their ids."""
        found: dict[int, Object] = {}
        waiting = [(window.start - OVERLAP_NS, window.end + OVERLAP_NS)]
        while waiting:
            start, end = waiting.pop()
            question = {"ask": name, "account": account, **_times(start, end)}
            rows = _objects(await self._answer(question, end, _asking(ask, account, start, end)), name)
            for row in rows:
                found[_id(row, name)] = row
            if len(rows) >= MANY_ROWS and end - start >= 2 * SECOND_NS:
                waiting.extend(halves(start, end))
        return [found[number] for number in sorted(found)]

    async def _answer(self, question: Row, until: int, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What was kept, or what the broker says now; it is kept when it will not change any more."""
        full = self._full(question)
        known = self.answers.get(full)
        if known is not None:
            self.kept += 1
            return known
        asked_at = self.now()
        self.asked += 1
        answer = await ask()
        if answer is None:
            return None
        self.answers.keep(full, answer, lasting=until + SETTLED_AFTER_NS <= asked_at)
        return decode(encode(answer).encode()).value  # The same whether it was kept or not.

    def _full(self, question: Row) -> Row:
        return {"broker": self.broker, **question}


def _asking(
    ask: Callable[[int, int, int], Awaitable[list[Any]]], account: int, start: int, end: int
) -> Callable[[], Awaitable[list[Any]]]:
    return lambda: ask(account, start, end)


def _bars_question(contract: str, start: int, end: int, unit: BarUnit) -> Row:
    return {"ask": "bars", "contract": contract, "unit": str(unit), **_times(start, end)}


def _add_page(found: dict[int, Object], rows: list[Any], contract: str, window: Window, end: int) -> int | None:
    """Add the bars of a page; where the next, older one ends, None when there is none."""
    page = {at: row for at, row in _bars(rows, contract) if window.start <= at < end}
    found |= page
    oldest = min(page, default=window.start)
    return oldest if oldest > window.first_bar_at else None


def _times(start: int, end: int) -> Row:
    return {"from": utc_text(start), "to": utc_text(end)}


def _objects(rows: list[Any], name: str) -> list[Object]:
    if any(not isinstance(row, dict) for row in rows):
        raise GatewayError(f"the broker's list of {name} has a row that is no object")
    return rows


def _id(row: Object, name: str) -> int:
    try:
        return required(fields.identifier(row, "id"), "id")
    except Rejected as error:
        raise GatewayError(f"the broker's list of {name} has a row that cannot be read: {error}") from None


def _bars(rows: list[Any], contract: str) -> list[tuple[int, Object]]:
    try:
        return [(required(fields.instant_of(row, "t"), "t"), row) for row in _objects(rows, f"bars of {contract}")]
    except Rejected as error:
        raise GatewayError(f"the bars of {contract} cannot be read: {error}") from None
