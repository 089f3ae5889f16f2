"""How well riskcore sees and acts, as one number from 0 to 100 that explains itself.

Pure: the engine fills the signs, `explain` takes points off for each that is bad and says why. What a number costs is
in the tables below: (from this value on, points lost), the worst last.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FULL = 100
CONNECTED, STALE = "connected", "stale"
USER, MARKET = "user", "market"

# Points for a hub that is not connected. The user hub tells of fills and positions, the market hub only of marks.
HUB_LOST = {USER: 40, MARKET: 20}
HUB_STALE = {USER: 25, MARKET: 10}
LONG_LOST_SECONDS = 60  # From here on a lost hub costs half as much again.

Levels = tuple[tuple[int, int], ...]
SNAPSHOT_AGE_SECONDS: Levels = ((120, 5), (300, 15), (900, 30))
NEVER_SNAPSHOT = 40
REST_FAILURES: Levels = ((1, 5), (3, 20), (10, 35))
REST_LATENCY_MS: Levels = ((1_000, 5), (3_000, 15))
TOKEN_LEFT_SECONDS: Levels = ((3_600, 5), (600, 15), (0, 40))  # At or below, the least last.
QUOTA_USED_PERCENT: Levels = ((70, 5), (90, 15), (100, 25))
COMMIT_LATENCY_MS: Levels = ((50, 5), (250, 15), (1_000, 25))
UNRESOLVED_REQUESTS: Levels = ((1, 10), (3, 25))
DRIFTS_LAST_HOUR: Levels = ((1, 3), (5, 10), (20, 20))
BLIND_RULES: Levels = ((1, 15), (3, 30))
HALTED = FULL
NOT_ARMED = 50


@dataclass(frozen=True, slots=True)
class HubSign:
    """One hub connection: its name, its state, and for how many seconds it has been in it."""

    name: str
    state: str
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Signs:
    """What an engine knows of itself. None where there is nothing to measure yet."""

    armed: bool = True  # Whether the first snapshot is reconciled and the rules judge.
    hubs: tuple[HubSign, ...] = ()
    snapshot_age_seconds: int | None = None  # Of the account that was seen in full longest ago; None: one never was.
    rest_failures: int = 0  # Calls that failed in a row, the latest ones.
    rest_latency_ms: int | None = None
    token_left_seconds: int | None = None
    quota_used_percent: int = 0  # Of the broker's request quota in its present window.
    commit_latency_ms: int | None = None
    halted: str | None = None  # Why nothing can be stored at the moment.
    unresolved_requests: int = 0
    drifts_last_hour: int = 0
    blind_rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One reason for lost points."""

    name: str
    points_lost: int
    sentence: str


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
        yield Part("journal", HALTED, f"nothing can be stored, so nothing new is decided: {signs.halted}")
    if not signs.armed:
        yield Part("armed", NOT_ARMED, "the rules are not armed yet: the first snapshot is missing")
    for hub in signs.hubs:
        yield _hub(hub)
    yield _snapshot(signs)
    failures = signs.rest_failures
    calls = "the last call to the broker" if failures == 1 else f"the last {failures} calls to the broker"
    yield Part("calls", _points(failures, REST_FAILURES), f"{calls} failed")
    if signs.rest_latency_ms is not None:
        points = _points(signs.rest_latency_ms, REST_LATENCY_MS)
        yield Part("latency", points, f"the broker answers after {signs.rest_latency_ms} ms")
    if signs.token_left_seconds is not None:
        yield _token(signs.token_left_seconds)
    points = _points(signs.quota_used_percent, QUOTA_USED_PERCENT)
    yield Part("quota", points, f"{signs.quota_used_percent} % of the broker's request quota is used")
    if signs.commit_latency_ms is not None:
        points = _points(signs.commit_latency_ms, COMMIT_LATENCY_MS)
        yield Part("disk", points, f"storing an event takes {signs.commit_latency_ms} ms")
    number = signs.unresolved_requests
    requests = "1 request" if number == 1 else f"{number} requests"
    yield Part("unresolved", _points(number, UNRESOLVED_REQUESTS), f"nobody knows what became of {requests}")
    times = "once" if signs.drifts_last_hour == 1 else f"{signs.drifts_last_hour} times"
    points = _points(signs.drifts_last_hour, DRIFTS_LAST_HOUR)
    yield Part("drift", points, f"fills and the broker's positions disagreed {times} in the last hour")
    points = _points(len(signs.blind_rules), BLIND_RULES)
    yield Part("blind", points, f"without their inputs, and judging nothing: {', '.join(signs.blind_rules)}")


def _hub(hub: HubSign) -> Part:
    if hub.state == CONNECTED:
        return Part(f"{hub.name} hub", 0, "")
    table = HUB_STALE if hub.state == STALE else HUB_LOST
    points = table.get(hub.name, HUB_LOST[MARKET])
    if hub.seconds >= LONG_LOST_SECONDS:
        points += points // 2
    return Part(f"{hub.name} hub", points, f"the {hub.name} hub is {hub.state} for {hub.seconds} s")


def _snapshot(signs: Signs) -> Part:
    age = signs.snapshot_age_seconds
    if age is None:
        return Part("snapshot", NEVER_SNAPSHOT, "an account was never seen in full")
    return Part("snapshot", _points(age, SNAPSHOT_AGE_SECONDS), f"an account was last seen in full {age} s ago")


def _token(left: int) -> Part:
    points = max((lost for least, lost in TOKEN_LEFT_SECONDS if left <= least), default=0)
    if left <= 0:
        return Part("token", points, "the login has expired and was not renewed")
    return Part("token", points, f"the login expires in {left} s and was not renewed yet")


def _points(value: int, levels: Levels) -> int:
    """The points of the highest level that a value reaches."""
    return max((lost for least, lost in levels if value >= least), default=0)
