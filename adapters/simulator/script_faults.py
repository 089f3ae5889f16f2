"""The faults of a scenario's script, brought about when their time or their request comes."""

from collections.abc import Callable, Sequence

from adapters.simulator.faults import Fault
from adapters.simulator.scenario import FaultAt
from riskcore.core.quantities import SECOND_NS


class ScriptFaults:
    """`inject` puts a fault in force. Times are the broker's, nanoseconds."""

    def __init__(self, faults: Sequence[FaultAt], inject: Callable[[Fault], None]) -> None:
        self._faults = faults
        self._inject = inject
        self._timed: list[tuple[int, FaultAt]] = []
        self._left = {fault: fault.count for fault in faults if fault.on_path is not None}
        self._begun = False

    def begin(self, at: int) -> None:
        """The script begins now; later calls change nothing."""
        if self._begun:
            return
        self._begun = True
        timed = [
            (at + round(fault.at_seconds * SECOND_NS), fault) for fault in self._faults if fault.at_seconds is not None
        ]
        self._timed = sorted(timed, key=lambda one: one[0])

    def due(self) -> int | None:
        """When the next fault comes by its time."""
        return self._timed[0][0] if self._timed else None

    def advance(self, at: int) -> None:
        while self._timed and self._timed[0][0] <= at:
            fault = self._timed.pop(0)[1]
            self._inject(_fault_of(fault, fault.count))

    def requested(self, path: str) -> None:
        """A request has come for a path ("/api/Position/closeContract")."""
        for fault, left in self._left.items():
            if left and path == f"/api/{fault.on_path}":
                self._left[fault] = left - 1
                self._inject(_fault_of(fault, 1))


def _fault_of(fault: FaultAt, times: int) -> Fault:
    """One that lasts when it has a length, else one that strikes `times`."""
    only = f"/api/{fault.on_path}" if fault.on_path is not None and fault.where == "rest" else None
    if fault.seconds:
        return Fault(fault.name, fault.where, only=only, lasts_seconds=fault.seconds)
    return Fault(fault.name, fault.where, only=only, times=times)
