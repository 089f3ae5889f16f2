"""How well riskcore sees and acts, as one number from 0 to 100 that explains itself.

Pure: the engine fills the signs, `explain` takes points off for each that is bad and says why, with the figure and
the value from which it costs points. What a number costs is in the tables below: (from this value on, points lost),
the worst last.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from riskcore.core.events import ConnectionChanged, DriftDetected, Event
from riskcore.core.kinds import CONNECTED, LOST, MARKET_HUB, STALE, USER_HUB, ConnectionState, Hub
from riskcore.core.quantities import MINUTE_NS

HEALTH_SCHEMA = "riskcore.health/1"
FULL = 100

# Points for a hub that is not connected. The user hub reports fills and positions, the market hub only marks.
HUB_LOST = {USER_HUB: 40, MARKET_HUB: 20}
HUB_STALE = {USER_HUB: 25, MARKET_HUB: 10}
LONG_LOST_SECONDS = 60  # From here on a lost hub costs half as much again.
CLOSED_BREAKER = "closed"
BREAKER_NOT_CLOSED = 10

Levels = tuple[tuple[int, int], ...]
SNAPSHOT_AGE_SECONDS: Levels = ((120, 5), (300, 15), (900, 30))
NEVER_SNAPSHOT = 40
REST_FAILURES: Levels = ((1, 5), (3, 20), (10, 35))
REST_LATENCY_MS: Levels = ((1_000, 5), (3_000, 15))
TOKEN_LEFT_SECONDS: Levels = ((3_600, 5), (600, 15), (0, 40))  # At or below, the least last.
QUOTA_USED_PERCENT: Levels = ((70, 5), (90, 15), (100, 25))
COMMIT_LATENCY_MS: Levels = ((50, 5), (250, 15), (1_000, 25))
UNRESOLVED_REQUESTS: Levels = ((1, 10), (3, 25))
HUB_LOSSES_LAST_HOUR: Levels = ((3, 3), (10, 10))
DRIFTS_LAST_HOUR: Levels = ((1, 3), (5, 10), (20, 20))
BLIND_RULES: Levels = ((1, 15), (3, 30))
DEAD_CHANNELS: Levels = ((1, 5), (3, 15))
UNSEEDED_RULES: Levels = ((1, 15), (3, 30))
HALTED = FULL
ON_RESERVE = 60
NOT_ARMED = 50


@dataclass(frozen=True, slots=True)
class HubSign:
    """One hub connection: its name, its state, for how many seconds it has been in it, and why it was lost last."""

    name: Hub
    state: ConnectionState
    seconds: int = 0
    losses_last_hour: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QuotaSign:
    """One of the broker's quotas: how many calls of how many in so many seconds; 100 % while the broker wants none."""

    name: str
    used: int
    limit: int
    seconds: int
    used_percent: int


@dataclass(frozen=True, slots=True)
class Signs:
    """What an engine knows of itself. None where there is nothing to measure yet."""

    armed: bool = True  # Whether the first snapshot is reconciled and the rules judge.
    hubs: tuple[HubSign, ...] = ()
    snapshot_age_seconds: int | None = None  # Of the account that was seen in full longest ago; None: one never was.
    rest_failures: int = 0  # Calls that failed in a row, the latest ones.
    rest_latency_ms: int | None = None
    breaker: str = CLOSED_BREAKER
    token_left_seconds: int | None = None
    quotas: tuple[QuotaSign, ...] = ()
    commit_latency_ms: int | None = None
    halted: str | None = None  # Why nothing can be stored at the moment.
    pinched: str | None = None  # Why only the reserve of a full disk lets events be stored.
    unresolved_requests: int = 0
    drifts_last_hour: int = 0
    blind_rules: tuple[str, ...] = ()
    unseeded_rules: tuple[str, ...] = ()
    dead_channels: tuple[str, ...] = ()  # By which alerts no longer get through.


@dataclass(frozen=True, slots=True)
class Part:
    """One reason for lost points: what was measured, from which value on it costs so much, and both in words."""

    name: str
    points_lost: int
    sentence: str
    figure: int | str | None = None
    from_figure: int | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """The score, and every reason why it is not 100, the costliest first."""

    score: int
    parts: tuple[Part, ...]


def explain(signs: Signs) -> Health:
    """The health of an engine: 100 is everything seen and stored at once, 0 is nothing guarded."""
    parts = [part for part in _parts(signs) if part.points_lost]
    lost = sum(part.points_lost for part in parts)
    return Health(max(FULL - lost, 0), tuple(sorted(parts, key=lambda part: -part.points_lost)))


def _parts(signs: Signs) -> Iterator[Part]:
    if signs.halted is not None:
        yield Part("journal", HALTED, f"nothing can be stored, so limits no longer act: {signs.halted}")
    elif signs.pinched is not None:
        yield Part("journal", ON_RESERVE, f"limits act only as long as a small reserve lasts: {signs.pinched}")
    if not signs.armed:
        yield Part("armed", NOT_ARMED, "the rules are not armed yet: the first snapshot is missing")
    for hub in signs.hubs:
        yield _hub(hub)
        yield _measured(
            f"{hub.name} hub losses",
            hub.losses_last_hour,
            HUB_LOSSES_LAST_HOUR,
            f"the {hub.name} hub was lost {_times(hub.losses_last_hour)} in the last hour",
        )
    yield _snapshot(signs)
    yield from _broker(signs)
    if signs.commit_latency_ms is not None:
        took = f"storing an event takes {signs.commit_latency_ms} ms"
        yield _measured("disk", signs.commit_latency_ms, COMMIT_LATENCY_MS, took, "ms")
    number = signs.unresolved_requests
    requests = "1 request" if number == 1 else f"{number} requests"
    yield _measured("unresolved", number, UNRESOLVED_REQUESTS, f"the outcome of {requests} is unknown")
    drifts = signs.drifts_last_hour
    disagreed = f"fills and the broker's positions disagreed {_times(drifts)} in the last hour"
    yield _measured("drift", drifts, DRIFTS_LAST_HOUR, disagreed)
    blind = f"without their inputs, and judging nothing: {', '.join(signs.blind_rules)}"
    yield _measured("blind", len(signs.blind_rules), BLIND_RULES, blind)
    unseeded = f"unseeded, waiting for the fills of the day: {', '.join(signs.unseeded_rules)}"
    yield _measured("unseeded", len(signs.unseeded_rules), UNSEEDED_RULES, unseeded)
    dead = f"alerts no longer get through by {', '.join(signs.dead_channels)}"
    yield _measured("alerts", len(signs.dead_channels), DEAD_CHANNELS, dead)


def _broker(signs: Signs) -> Iterator[Part]:
    """The way to the broker's REST host."""
    failures = signs.rest_failures
    calls = "the last call to the broker" if failures == 1 else f"the last {failures} calls to the broker"
    yield _measured("calls", failures, REST_FAILURES, f"{calls} failed")
    if signs.breaker != CLOSED_BREAKER:
        waits = f"the circuit breaker is {signs.breaker}: everything but enforcement waits"
        yield Part("breaker", BREAKER_NOT_CLOSED, waits, signs.breaker)
    if signs.rest_latency_ms is not None:
        answers = f"the broker answers after {signs.rest_latency_ms} ms"
        yield _measured("latency", signs.rest_latency_ms, REST_LATENCY_MS, answers, "ms")
    if signs.token_left_seconds is not None:
        yield _token(signs.token_left_seconds)
    for quota in signs.quotas:
        used = f"{quota.used} of {quota.limit} {quota.name} in {quota.seconds} s are used"
        yield _measured(f"{quota.name} quota", quota.used_percent, QUOTA_USED_PERCENT, used, "%")


def _hub(hub: HubSign) -> Part:
    if hub.state == CONNECTED:
        return Part(f"{hub.name} hub", 0, "")
    table = HUB_STALE if hub.state == STALE else HUB_LOST
    points = table[hub.name]
    if hub.seconds >= LONG_LOST_SECONDS:
        points += points // 2
    why = f": {hub.reason}" if hub.reason else ""
    return Part(f"{hub.name} hub", points, f"the {hub.name} hub is {hub.state} for {hub.seconds} s{why}", hub.seconds)


def _snapshot(signs: Signs) -> Part:
    age = signs.snapshot_age_seconds
    if age is None:
        return Part("snapshot", NEVER_SNAPSHOT, "an account was never seen in full")
    return _measured("snapshot", age, SNAPSHOT_AGE_SECONDS, f"an account was last seen in full {age} s ago", "s")


def _token(left: int) -> Part:
    least, points = min((level for level in TOKEN_LEFT_SECONDS if left <= level[0]), default=(0, 0))
    if left <= 0:
        return Part("token", points, "the login has expired and was not renewed", left, least)
    return Part("token", points, f"the login expires in {left} s and was not renewed yet", left, least)


def _measured(name: str, figure: int, levels: Levels, sentence: str, unit: str = "") -> Part:
    """The points of the highest level that a figure reaches."""
    least, points = max((level for level in levels if figure >= level[0]), default=(0, 0))
    from_there = f" (from {least}{unit and f' {unit}'} on)" if least > 1 else ""
    return Part(name, points, f"{sentence}{from_there}", figure, least)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


REMEMBERED_COMMITS = 100
HOUR_NS = 60 * MINUTE_NS
MOST_REMEMBERED = 1_000  # Of the happenings of an hour: more of them cost no more points.


class Vitals:
    """Of the latest commits, and of the last hour."""

    def __init__(self) -> None:
        self._commits_ns: deque[int] = deque(maxlen=REMEMBERED_COMMITS)
        self._drifts: deque[int] = deque(maxlen=MOST_REMEMBERED)
        self._losses: dict[Hub, deque[int]] = {}

    def stored(self, events: Sequence[Event], after_ns: int) -> None:
        """These events were stored, which took so long."""
        self._commits_ns.append(after_ns)
        for event in events:
            body = event.body
            if isinstance(body, DriftDetected):
                self._drifts.append(event.at)
            elif isinstance(body, ConnectionChanged) and body.state == LOST:
                self._losses.setdefault(body.hub, deque(maxlen=MOST_REMEMBERED)).append(event.at)

    @property
    def commit_ns(self) -> tuple[int, int] | None:
        """The median of the latest commits and the slowest of them; None before the first."""
        return (median_low(self._commits_ns), max(self._commits_ns)) if self._commits_ns else None

    def drifts(self, now: int) -> int:
        """How often fills and the broker's positions disagreed in the last hour."""
        return _recent(self._drifts, now)

    def losses(self, hub: Hub, now: int) -> int:
        """How often a hub was lost in the last hour."""
        return _recent(self._losses.get(hub, ()), now)


def _recent(instants: Iterable[int], now: int) -> int:
    return sum(at > now - HOUR_NS for at in instants)
