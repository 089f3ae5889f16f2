"""The cells of the fault grid: every fault, wherever it can strike, at each of three moments.

| fault | user hub | market hub | REST |
|---|---|---|---|
| refused, dropped, half-open, silent, slow, delayed 1, 30 and 120 s, split at every byte | x | x | x |
| duplicated, reordered, two records in a frame, oversize frame | x | x | a call has one answer and no frames |
| server close with and without allowReconnect, GatewayLogout, handshake error | x | x | SignalR's own |
| 400, 401, 403, 404, 429 with and without Retry-After, 500, 502, 503, 504, HTML with status 200 | x | x | x |
| timeout before sending | x | x | x |
| timeout after sending, action performed but answer lost, error codes | an upgrade performs nothing | as user | x |
| fills missing | x | carries no fills | is where they are found |
| market feed frozen while connected | carries no quotes | x | REST bars are what replaces it |
| disk full, read-only, locked, slow | once for the whole program | | |
| clock jumping forwards, backwards, forwards and set right | once for the whole program | | |

A status on a hub is the answer to the attempt to connect: behind the upgrade there are none any more, so open
connections are dropped when it comes into force. `kill -9` is tests/crash/test_kill_live.py.
"""

from dataclasses import dataclass
from typing import Any

from adapters.simulator.faults import FAULTS, PLACES, Fault, places_of

IDLE, OPEN, ENFORCING = "idle", "position_open", "enforcement_in_flight"
MOMENTS = (IDLE, OPEN, ENFORCING)
DISK, CLOCK = "disk", "clock"
DISK_FAULTS = ("full", "read_only", "locked", "slow")
# By how many seconds the machine's clock is wrong, one after the other, until it is set right.
CLOCK_FAULTS = {"forwards": (3600.0,), "backwards": (-3600.0,), "forwards_and_backwards": (1800.0, -1800.0)}
LASTS_SECONDS = 8.0
# What a fault is told beyond its name, at which places; every other one strikes as it is.
_DELAYS: dict[str, dict[str, Any]] = {f"delayed_{seconds}s": {"seconds": float(seconds)} for seconds in (1, 30, 120)}
_VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "delayed": _DELAYS,
    "http_429": {"http_429": {}, "http_429_retry_after": {"retry_after_seconds": 3}},
    "oversize_frame": {"oversize_frame": {"times": 2}},
}
# Answers that say nothing of what was done: the call is carried out all the same.
_PERFORMED = ("http_500", "http_504", "html_with_200", "error_code")


@dataclass(frozen=True, slots=True)
class Cell:
    """A fault at a moment. `name` tells the variants of a fault apart; disk and clock have no fault of the gateway."""

    name: str
    place: str
    moment: str
    fault: Fault | None = None

    @property
    def id(self) -> str:
        return f"{self.name}-{self.place}-{self.moment}"

    @property
    def lasts_seconds(self) -> float:
        late = self.fault.seconds if self.fault is not None and self.fault.name == "delayed" else 0
        return max(LASTS_SECONDS, late + 2)

    @property
    def stops_the_program(self) -> bool:
        """Whether everything that shares its thread stands still while the fault strikes."""
        return self.place == DISK


def _cells() -> tuple[Cell, ...]:
    faults = []
    for place in PLACES:
        for name in (name for name in FAULTS if place in places_of(name)):
            faults += [(shown, Fault(name, place, **told)) for shown, told in _VARIANTS.get(name, {name: {}}).items()]
    faults += [(f"{name}_performed", Fault(name, "rest", processed=True)) for name in _PERFORMED]
    found = [Cell(name, fault.place, moment, fault) for name, fault in faults for moment in MOMENTS]
    found += [Cell(name, DISK, moment) for name in DISK_FAULTS for moment in MOMENTS]
    found += [Cell(name, CLOCK, moment) for name in CLOCK_FAULTS for moment in MOMENTS]
    return tuple(found)


CELLS = _cells()
