"""The fault grid: every fault, wherever it can strike, while idle, with a position open, and amid enforcement.

After each the account is flat, nothing was done twice, nothing of ours added to or reversed a position, nobody
hammered the broker, everything is connected and known again, and the journal holds. RISKCORE_FAULT_SCALE is how many
times as fast as life everybody waits.
"""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.clocks import SCALE, run_hurried
from tests.faults.cells import CELLS, IDLE, Cell
from tests.faults.plot import play
from tests.faults.verdict import judge_cell, judge_quiet

AT_A_TIME = 8
FASTER = float(os.environ.get("RISKCORE_FAULT_SCALE", SCALE))
pytestmark = pytest.mark.timeout(1800 * max(1, SCALE / FASTER))  # All cells are played before the first is judged.


@dataclass
class Grid:
    """The outcomes of the cells, and what was said while they ran: log lines, failures that nothing waited for."""

    outcomes: dict[str, list[str] | Exception] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def run(self, cells: Sequence[Cell], folder: Path) -> None:
        """Several at a time, for most of their time is waiting; but those alone that stop everything."""
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.failures.append(repr(context)))
        room, alone = asyncio.Semaphore(AT_A_TIME), asyncio.Semaphore(1)
        await asyncio.gather(*(self._play(cell, folder, room) for cell in cells if not cell.stops_the_program))
        await asyncio.gather(*(self._play(cell, folder, alone) for cell in cells if cell.stops_the_program))

    async def _play(self, cell: Cell, folder: Path, room: asyncio.Semaphore) -> None:
        async with room:
            try:
                result = await play(cell, folder / f"{cell.id}.db", judge_quiet)
                self.secrets |= result.stack.secrets
                self.outcomes[cell.id] = judge_cell(result)
            except Exception as error:
                self.outcomes[cell.id] = error


class _Lines(logging.Handler):
    """Keeps what anybody logs at any level."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


@pytest.fixture(scope="module")
def grid(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Grid:
    """Every cell that was asked for."""
    wanted = {
        item.callspec.params["cell"].id
        for item in request.session.items
        if hasattr(item, "callspec") and isinstance(item.callspec.params.get("cell"), Cell)
    }
    found = Grid()
    cells = [cell for cell in CELLS if cell.id in wanted]
    handler, root = _Lines(found.lines), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        run_hurried(found.run(cells, tmp_path_factory.mktemp("grid")), FASTER)
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
    return found


def _marked(cell: Cell) -> Any:
    """A fault while nothing is at stake has the least to break, so .ci/nightly alone tries those."""
    return pytest.param(cell, id=cell.id, marks=pytest.mark.nightly if cell.moment == IDLE else ())


@pytest.mark.parametrize("cell", [_marked(cell) for cell in CELLS])
def test_survived(cell: Cell, grid: Grid) -> None:
    outcome = grid.outcomes[cell.id]
    if isinstance(outcome, Exception):
        raise outcome
    assert outcome == []


def test_no_line_of_a_log_tells_a_secret(grid: Grid) -> None:
    assert grid.lines or not grid.outcomes
    assert [line for line in grid.lines if any(secret in line for secret in grid.secrets)] == []


def test_no_failure_was_left_lying_about(grid: Grid) -> None:
    assert grid.failures == []
