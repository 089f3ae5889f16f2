"""What is traded and what goes wrong in a simulated week, and the clock of it.

Every day the same is traded and the same goes wrong, so that what an engine gathers in a day is the same every day.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any

from adapters.simulator.faults import Fault
from adapters.simulator.scenario import Action, PricePath, Scenario
from riskcore.core.quantities import SECOND_NS
from tests.adapters.clocks import LoopClock

PROFILE = "soak"
STARTS_AT = 1_794_783_900 * SECOND_NS  # Sunday 2026-11-15, 17:05 in Chicago.
HOUR_SECONDS, DAY_SECONDS = 3_600, 86_400
SETTINGS = f"""\
[profile]
name = "{PROFILE}"
operator_unlock = "with_reason"

[rules.max_contracts]
limit = 4

[rules.daily_realized_loss]
loss_limit = "900"
basis = "combined"

[rules.trade_frequency_limit]
per_hour = 30

[rules.trade_management]
enabled = true
auto_stop_loss = {{ ticks = 60 }}
auto_breakeven = {{ profit_trigger_ticks = 20, offset_ticks = 1 }}
trailing_stop = {{ activation_ticks = 30, trail_distance_ticks = 20 }}
"""
_MINUTE, _CYCLE_MINUTES, _CYCLES = 60, 30, 48
# Minute of the cycle and what is done then; a size of five is more than is allowed.
_DEEDS: tuple[tuple[float, dict[str, Any]], ...] = (
    (1, {"deed": "bracket", "side": 1, "size": 2, "ticks": 60, "target_ticks": 80}),
    (5, {"deed": "market", "side": 1, "size": 3}),
    (9, {"deed": "close"}),
    (9.5, {"deed": "cancel"}),
    (12, {"deed": "limit", "side": 1, "size": 1, "ticks": 900}),
    (14, {"deed": "cancel"}),
    (18, {"deed": "market", "side": -1, "size": 2}),
    (24, {"deed": "close"}),
    (24.5, {"deed": "cancel"}),
)
_START_PRICE, _SWING_POINTS, _FALL_POINTS = 21_000, 6, 150
_FALLS_IN_CYCLE = 40
_STRIKES_AFTER_SECONDS = 1_200  # Within the hour, between two trades.
# One an hour, round and round; the numbers are how long it lasts.
_TROUBLE: tuple[tuple[str, str, float], ...] = (
    ("dropped", "user", 1),
    ("dropped", "market", 1),
    ("http_503", "rest", 30),
    ("server_close", "user", 1),
    ("half_open", "market", 60),
    ("gateway_logout", "user", 1),
    ("http_429", "rest", 10),
    ("silent", "user", 60),
    ("refused", "market", 30),
    ("http_401", "rest", 2),
    ("server_close_final", "market", 1),
    ("timeout_after", "rest", 15),
    ("duplicated", "user", 60),
    ("html_with_200", "rest", 10),
    ("http_502", "user", 30),
    ("fills_missing", "user", 120),
    ("market_frozen", "market", 120),
)


def scenario(days: int) -> Scenario:
    actions, targets = [], []
    for cycle in range(days * _CYCLES):
        begins = cycle * _CYCLE_MINUTES * _MINUTE
        actions += [Action(begins + minute * _MINUTE, **deed) for minute, deed in _DEEDS]
        falls = cycle % _CYCLES == _FALLS_IN_CYCLE
        for minute, points in ((4, 0), (7, -_FALL_POINTS if falls else _SWING_POINTS), (20, 0), (22, -_SWING_POINTS)):
            targets.append((float(begins + minute * _MINUTE), str(_START_PRICE + points)))
    path = PricePath("MNQ", str(_START_PRICE), tuple(targets), noise_ticks=2, quotes_per_second=1)
    return Scenario("soak", "every day the same", SETTINGS, (path,), actions=tuple(actions), seconds=days * DAY_SECONDS)


def trouble(hour: int) -> Fault:
    """What goes wrong in an hour, counted from 0."""
    name, place, seconds = _TROUBLE[hour % len(_TROUBLE)]
    return Fault(name, place, lasts_seconds=seconds)


async def each_hour(clock: LoopClock, hours: int, midst: Callable[[int], Any], end: Callable[[int], None]) -> None:
    """Await `midst` within every hour and call `end` when it is over."""
    for hour in range(hours):
        starts_at = STARTS_AT + hour * HOUR_SECONDS * SECOND_NS
        await _until(clock, starts_at + _STRIKES_AFTER_SECONDS * SECOND_NS)
        await midst(hour)
        await _until(clock, starts_at + HOUR_SECONDS * SECOND_NS)
        end(hour)


async def _until(clock: LoopClock, at: int) -> None:
    await clock.sleep(max(at - clock.now(), 0) / SECOND_NS)


def week_clock(began_seconds: float) -> LoopClock:
    """The clock of a week that began at this time of the loop, which all loops of a shared time have in common."""
    return LoopClock(STARTS_AT + math.floor((asyncio.get_running_loop().time() - began_seconds) * SECOND_NS))
