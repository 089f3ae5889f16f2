"""The soak can fail: what grows is found, and what only comes and goes is not."""

import asyncio
from collections import deque

from riskcore.core.state import Account, Book, Order
from tests.soak.measures import container_sizes, growing, process_measures

_HOURS = 50


def _hours(entries_of: list[int]) -> list[dict[str, int]]:
    return [{"engine.book.orders": entries} for entries in entries_of]


def test_what_grows_for_ever_is_found() -> None:
    assert growing(_hours([10 * hour for hour in range(_HOURS)])) == ["engine.book.orders grew from 290 to 490"]


def test_what_fills_up_every_day_or_only_at_the_start_is_not() -> None:
    assert growing(_hours([100 * (hour % 10) for hour in range(_HOURS)])) == []
    assert growing(_hours([min(100 * hour, 900) for hour in range(_HOURS)])) == []


def test_every_container_of_riskcore_is_found_through_attributes() -> None:
    order = Order(1, "CON.F.US.MNQ.Z26", 1, 1, 1, 1, 0, None, None, None, None, None, None, 0)
    book = Book(accounts={name: Account(name, orders={1: order, 2: order}) for name in (1, 2, 3)})
    sizes = container_sizes({"book": book, "queue": deque([1, 2])})
    assert sizes["book.accounts"] == 3
    assert sizes["book.accounts[].orders"] == 6
    assert sizes["queue"] == 2


def test_this_process_is_measured() -> None:
    async def measured() -> dict[str, int]:
        return process_measures(asyncio.get_running_loop())

    found = asyncio.run(measured())
    assert found["tasks"] == 1
    assert found["objects"] > 1_000
