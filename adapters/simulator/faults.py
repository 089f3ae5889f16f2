"""Faults of the simulated gateway on command: what they are called, where they can strike, which are in force.

How they are carried out is in hub.py (hubs) and rest_server.py (REST). A fault strikes until it is cleared unless
it is told otherwise: `times` counts what it struck (connections, messages or calls), `lasts_seconds` runs on the
clock of the gateway. Sources: topstepx/API.md 4.4 and 1 (what was seen), and the faults riskcore has to survive.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.simulator.scenario import FaultAt
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from riskcore.errors import ConfigError

PLACES = ("user", "market", "rest")
_REST = ("rest",)
HTTP_STATUSES = (400, 401, 403, 404, 429, 500, 502, 503, 504)
HANDSHAKE = "handshake_error"

# Name: where it can strike, and what it does there.
_KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    "refused": (
        PLACES,
        "connections are refused; on REST without `only` the port is closed, so that nothing can have been sent",
    ),
    "dropped": (PLACES, "TCP is aborted: open connections at once, later ones when they are opened or used"),
    "half_open": (PLACES, "the socket stays open, but is no longer read or written"),
    "silent": (PLACES, "connections are accepted and read, but there are no messages, no pings and no answers"),
    "slow": (PLACES, "`seconds` pass before each record; an answer trickles in for `seconds`"),
    "duplicated": (HUBS, "every message arrives twice"),
    "reordered": (HUBS, "every second message overtakes the one before"),
    "delayed": (PLACES, "messages arrive `seconds` late while pings arrive in time; calls are answered `seconds` late"),
    "split": (PLACES, "every character arrives in a frame (hub) or chunk (REST) of its own"),
    "two_records_in_a_frame": (HUBS, "a frame holds a message and the record after it"),
    "oversize_frame": (HUBS, "a record of `size_bytes` arrives, an unknown event"),
    "server_close": (HUBS, "the server ends connections with allowReconnect"),
    "server_close_final": (HUBS, "the server ends connections without allowReconnect"),
    "gateway_logout": (HUBS, "GatewayLogout arrives and every subscription ends, while the socket stays open"),
    HANDSHAKE: (HUBS, "the handshake is answered with an error"),
    **{
        f"http_{status}": (PLACES, f"HTTP {status} instead of an answer or a connection")
        for status in HTTP_STATUSES
        if status != 429
    },
    "http_429": (PLACES, "HTTP 429, with Retry-After when `retry_after_seconds` is given"),
    "html_with_200": (PLACES, "a page of HTML with status 200 instead of an answer or a connection"),
    "timeout_before": (PLACES, "the request is neither carried out nor answered"),
    "timeout_after": (_REST, "the request is carried out and never answered"),
    "answer_lost": (_REST, "the request is carried out, then TCP is aborted"),
    "error_code": (_REST, "status 200, success false, `error_code`"),
    "success_with_error_code": (_REST, "status 200, success true, but an `error_code`"),
    "fills_missing": (("user",), "GatewayUserTrade is lost on the hub, while REST has every fill"),
    "market_frozen": (
        ("market",),
        "quotes, prints and depth stop while the connection stays open; REST bars are fresh",
    ),
}
FAULTS: dict[str, str] = {name: description for name, (_, description) in _KINDS.items()}

# Faults that hit a connection once and for good; open ones the moment the fault is injected.
ON_CONNECTION = (
    "dropped",
    "half_open",
    "silent",
    "oversize_frame",
    "server_close",
    "server_close_final",
    "gateway_logout",
)
# Faults that meet an attempt to connect; open connections are dropped, so that there is an attempt.
ON_ATTEMPT = (
    "refused",
    "half_open",
    "timeout_before",
    "html_with_200",
    *(f"http_{status}" for status in HTTP_STATUSES),
)


def places_of(name: str) -> tuple[str, ...]:
    """Where a fault can strike. Raises ConfigError for an unknown name."""
    if name not in _KINDS:
        raise ConfigError(f"unknown fault {name!r:.60}; known are {', '.join(FAULTS)}")
    return _KINDS[name][0]


def names_at(place: str) -> tuple[str, ...]:
    """Every fault that can strike at a place."""
    return tuple(name for name, (places, _) in _KINDS.items() if place in places)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Raises ConfigError when there is no such fault at that place.

    only: a REST path, a path ending in / for all below it; on a hub the target of messages, e.g. GatewayUserOrder.
    times: how often it strikes; None until cleared. lasts_seconds: how long it is in force; None until cleared.
    seconds: of slow and delayed. retry_after_seconds: of http_429 and http_503. error_code: of the two error codes.
    processed: whether the call is carried out all the same (HTTP statuses, html_with_200 and the error codes).
    """

    name: str
    place: str
    only: str | None = None
    times: int | None = None
    lasts_seconds: float | None = None
    seconds: float = 1.0
    retry_after_seconds: int | None = None
    error_code: int = 1
    processed: bool = False
    size_bytes: int = 4 << 20

    def __post_init__(self) -> None:
        if self.place not in places_of(self.name):
            raise ConfigError(
                f"fault {self.name} cannot strike at {self.place!r:.20}, only at {', '.join(places_of(self.name))}"
            )
        if self.times is not None and self.closes_port:
            raise ConfigError("attempts at a closed port are not counted; give refused lasts_seconds or only")

    @property
    def closes_port(self) -> bool:
        """Whether the REST port is closed while this is in force."""
        return self.name == "refused" and self.place == "rest" and self.only is None

    @property
    def status(self) -> int | None:
        """The HTTP status it answers with."""
        number = self.name.removeprefix("http_")
        return int(number) if number != self.name else None

    def concerns(self, what: str) -> bool:
        """Whether a path or a target is meant."""
        if self.only is None:
            return True
        return what.startswith(self.only) if self.only.endswith("/") else what == self.only


def fault_of(written: dict[str, Any]) -> Fault:
    """A fault out of a JSON object of its fields. Raises ConfigError for what is no fault."""
    readers: dict[str, Callable[[Any], Any]] = {
        "name": str,
        "place": str,
        "only": str,
        "times": int,
        "lasts_seconds": float,
        "seconds": float,
        "retry_after_seconds": int,
        "error_code": int,
        "processed": bool,
        "size_bytes": int,
    }
    unknown = [key for key in written if key not in readers]
    if unknown or "name" not in written or "place" not in written:
        raise ConfigError(f"a fault has name and place, and may have {', '.join(list(readers)[2:])}; got {written}")
    try:
        read = {key: readers[key](value) for key, value in written.items() if value is not None}
    except (TypeError, ValueError) as error:
        raise ConfigError(f"no fault: {error}") from None
    return Fault(**read)


@dataclass(slots=True)
class _InForce:
    fault: Fault
    left: int | None
    until: int | None


@dataclass(slots=True)
class FaultBoard:
    """The faults in force, the oldest first, and how often each kind has struck. `now` is nanoseconds."""

    now: Callable[[], int]
    struck: dict[tuple[str, str], int] = field(default_factory=dict)
    _in_force: list[_InForce] = field(default_factory=list)

    def __iter__(self) -> Iterator[Fault]:
        """Every fault in force."""
        self._forget()
        return iter([one.fault for one in self._in_force])

    def add(self, fault: Fault) -> None:
        until = None if fault.lasts_seconds is None else self.now() + round(fault.lasts_seconds * SECOND_NS)
        self._in_force.append(_InForce(fault, fault.times, until))

    def clear(self, place: str | None = None) -> None:
        """No fault any more, or none at one place."""
        self._in_force = [one for one in self._in_force if place is not None and one.fault.place != place]

    def strike(self, place: str, names: Collection[str], what: str | None = None) -> Fault | None:
        """The oldest fault in force of these names that concerns `what`; it counts as having struck once.

        None as `what` is a connection as a whole, which faults for single messages do not concern.
        """
        self._forget()
        for one in self._in_force:
            fault = one.fault
            if fault.place != place or fault.name not in names:
                continue
            if not (fault.concerns(what) if what is not None else fault.only is None):
                continue
            if one.left is not None:
                one.left -= 1
            self.count(fault)
            return fault
        return None

    def count(self, fault: Fault) -> None:
        """It has struck once more."""
        key = (fault.name, fault.place)
        self.struck[key] = self.struck.get(key, 0) + 1

    def _forget(self) -> None:
        if self._in_force:
            now = self.now()
            self._in_force = [one for one in self._in_force if one.left != 0 and (one.until is None or now < one.until)]


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
