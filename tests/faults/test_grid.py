"""The fault grid: every fault, wherever it can strike, while idle, with a position open, and amid enforcement.

After each the account is flat, nothing was done twice, nothing of ours added to or reversed a position, nobody
hammered the broker, and the journal holds.
"""

import asyncio
import os

import pytest

from riskcore.core.quantities import SECOND_NS
from riskcore.store.journal import Journal
from tests.adapters.clocks import SCALE, run_hurried
from tests.faults.cells import CELLS, POSITION, PROFILE, Cell, Result, play

AT_A_TIME = 8
MARKET_ORDER = 2  # The trader's.
REDUCING = {"Position/closeContract", "Position/partialCloseContract", "Order/cancel"}


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Result | BaseException]:
    """Every cell that was asked for, several at a time: most of their time is waiting."""
    wanted = {
        item.callspec.params["cell"].id
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("cell"), Cell)
    }
    cells = [cell for cell in CELLS if cell.id in wanted]
    folder = tmp_path_factory.mktemp("grid")

    async def every() -> dict[str, Result | BaseException]:
        room = asyncio.Semaphore(AT_A_TIME)

        async def one(cell: Cell) -> Result:
            async with room:
                return await play(cell, folder / f"{cell.id}.db")

        found = await asyncio.gather(*(one(cell) for cell in cells), return_exceptions=True)
        return {cell.id: result for cell, result in zip(cells, found, strict=True)}

    return run_hurried(every(), float(os.environ.get("RISKCORE_FAULT_SCALE", SCALE)))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_survived(cell: Cell, results: dict[str, Result | BaseException]) -> None:
    result = results[cell.id]
    if isinstance(result, BaseException):
        raise result
    assert result.struck, "the fault has struck"
    assert result.breached, "the loss was seen"
    assert result.flat, "flat within sixty seconds of healing"
    _only_reduced(result)
    _patient(result)
    with Journal.open(result.store, PROFILE) as journal:
        journal.verify_storage()


def _only_reduced(result: Result) -> None:
    broker = result.gateway.broker
    ours = [call for call in broker.received if call.request.get("type") != MARKET_ORDER]
    assert {call.path for call in ours} <= REDUCING, "nothing but closes and cancellations of ours"
    held = 0
    for fill in broker.fills:
        held += fill.side * fill.size
        assert 0 <= held <= POSITION, "never reversed, never larger than the trader made it"
    closed = sum(order.filled for order in broker.orders if order.closes)
    assert closed == POSITION, "closed once"
    closes = [call for call in broker.received if call.path == "Position/closeContract" and call.performed]
    assert len(closes) == 1, "no close was performed twice"


def _patient(result: Result) -> None:
    for hub in result.gateway.hubs.values():
        if len(hub.attempts) > 1:
            span = (hub.attempts[-1] - hub.attempts[0]) / SECOND_NS
            assert len(hub.attempts) - 1 <= span, "at most one attempt per second"
