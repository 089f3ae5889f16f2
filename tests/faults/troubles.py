"""What goes wrong in a cell: at the gateway, on the disk, with the machine's clock."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from adapters.simulator.faults import Fault
from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import Event, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Book
from riskcore.errors import StoreError
from riskcore.schema.chain import stream_of
from riskcore.schema.payloads import Message
from riskcore.store.journal import Journal
from riskcore.store.sqlite import LOCK_WAIT_SECONDS
from tests.adapters.clocks import HurriedLoop, LoopClock
from tests.faults.cells import CLOCK, CLOCK_FAULTS, DISK, ENFORCING, Cell
from tests.simulation.invariants import Judge
from tests.simulation.witness import Witness

SLOW_SECONDS = 2.0
LARGEST_DATABASE_PAGES = 2**32 - 2
CLOSE = "/api/Position/closeContract"


class Trouble(Protocol):
    """Begins, may be asked whether it has really struck, and heals."""

    def strike(self) -> None: ...

    def struck(self) -> bool: ...

    def heal(self) -> None: ...


class GatewayTrouble:
    """A fault of the simulated gateway."""

    def __init__(self, gateway: SimulatedGateway, fault: Fault, moment: str) -> None:
        self._gateway, self._fault, self._moment = gateway, fault, moment

    def strike(self) -> None:
        self._gateway.inject(self._fault)
        if self._fault.place == "rest" and self._moment != ENFORCING:
            # Nothing is asked without a reason: a lost hub is one to ask for everything again.
            self._gateway.inject(Fault("dropped", "user", times=1))

    def struck(self) -> bool:
        return self._gateway.struck(self._fault.name, self._fault.place) > 0

    def heal(self) -> None:
        self._gateway.clear()


class Wall:
    """The machine's two clocks: one that somebody may set, one that only goes on."""

    def __init__(self, true: LoopClock) -> None:
        self._true = true
        self.ahead_seconds = 0.0

    def wall(self) -> int:
        return self._true.now() + round(self.ahead_seconds * SECOND_NS)

    def monotonic(self) -> int:
        return self._true.now()


class ClockTrouble:
    """The machine's clock is set wrong, perhaps again another way, and at last right."""

    def __init__(self, wall: Wall, jumps: Sequence[float], loop: HurriedLoop) -> None:
        self._wall, self._jumps, self._loop = wall, jumps, loop

    def strike(self) -> None:
        for place, seconds in enumerate(self._jumps):
            self._loop.call_later(place, self._set, seconds)

    def _set(self, seconds: float) -> None:
        self._wall.ahead_seconds = seconds

    def struck(self) -> bool:
        return self._wall.ahead_seconds != 0

    def heal(self) -> None:
        self._wall.ahead_seconds = 0


class Disk:
    """The real journal on a real file, as the engine writes it, with judges beside it.

    `on_breach` is called once, when a breach is stored and before anything is sent for it. `struck` counts what failed
    or was slow.
    """

    def __init__(self, journal: Journal, store: Path, judge: Judge, witness: Witness, loop: HurriedLoop) -> None:
        self.journal = journal
        self.store = store
        self.slow_seconds = 0.0
        self.struck = 0
        self.breached = False
        self.on_breach: Callable[[], None] | None = None
        self._judge, self._witness, self._loop = judge, witness, loop
        self._recorder = journal._recorder

    def append(self, events: Sequence[Event], messages: Sequence[Message] = ()) -> None:
        if self.slow_seconds:
            self._loop.pass_over(self.slow_seconds)
            self.struck += 1
        try:
            self.journal.append(events, messages)
        except StoreError:
            self.struck += 1
            self._judge.disk_broken = True
            raise
        self._judge.disk_broken = False
        self._witness.appended(events)
        for trade_date in self.journal.streams():
            stream = stream_of(self.journal.profile, trade_date)
            self._judge.committed(self._recorder.rows(stream, self._judge.seqs.get(stream, 0), len(events)))

        if not self.breached and any(isinstance(event.body, RuleBreached) for event in events):
            self.breached = True
            if self.on_breach is not None:
                self.on_breach()

    def tidy(self) -> None:
        self.journal.tidy()

    def cache_state(self, book: Book) -> None:
        self.journal.cache_state(book)

    @property
    def pinched(self) -> str | None:
        return self.journal.pinched

    @property
    def holds_lease(self) -> bool:
        return self.journal.holds_lease

    def is_well(self) -> bool:
        if self.slow_seconds:
            self._loop.pass_over(self.slow_seconds)
        return self.journal.is_well()

    def tell(self, pragma: str) -> int | None:
        """Set or ask something of the connection that the journal is written with."""
        found = self._recorder._writer._sqlite_conn.execute(f"PRAGMA {pragma}").fetchone()
        return found[0] if found else None


class DiskTrouble:
    """A disk that is full, read-only, locked by somebody else, or slow."""

    def __init__(self, disk: Disk, name: str, gateway: SimulatedGateway, moment: str) -> None:
        self._disk, self._name, self._gateway, self._moment = disk, name, gateway, moment
        self._other: sqlite3.Connection | None = None

    def strike(self) -> None:
        if self._moment == ENFORCING and self._name != "slow":
            # The first close comes to nothing, so that another one is due while the disk is broken.
            self._gateway.inject(Fault("http_503", "rest", only=CLOSE, times=1))
        match self._name:
            case "full":
                self._disk.tell(f"max_page_count = {self._disk.tell('page_count')}")
            case "read_only":
                self._disk.tell("query_only = 1")
            case "locked":
                self._other = sqlite3.connect(self._disk.store, isolation_level=None)
                self._other.execute("BEGIN IMMEDIATE")
                # SQLite waits by the machine's clock: the wait is left out here and passes on the cell's.
                self._disk.tell("busy_timeout = 0")
                self._disk.slow_seconds = LOCK_WAIT_SECONDS
            case "slow":
                self._disk.slow_seconds = SLOW_SECONDS

    def struck(self) -> bool:
        return self._disk.struck > 0

    def heal(self) -> None:
        self._gateway.clear()
        self._disk.slow_seconds = 0.0
        match self._name:
            case "full":
                self._disk.tell(f"max_page_count = {LARGEST_DATABASE_PAGES}")
            case "read_only":
                self._disk.tell("query_only = 0")
            case "locked":
                assert self._other is not None, "it was locked"
                self._other.execute("ROLLBACK")
                self._other.close()


def trouble_of(cell: Cell, gateway: SimulatedGateway, disk: Disk, wall: Wall, loop: HurriedLoop) -> Trouble:
    if cell.place == DISK:
        return DiskTrouble(disk, cell.name, gateway, cell.moment)
    if cell.place == CLOCK:
        return ClockTrouble(wall, CLOCK_FAULTS[cell.name], loop)
    assert cell.fault is not None, "it is one of the gateway"
    return GatewayTrouble(gateway, cell.fault, cell.moment)
