"""A simulated week of `riskcore live` against the simulated gateway, over real sockets, with the waiting left out.

Every day the same is traded and the same goes wrong, so that what an engine gathers in a day is the same every day.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from io import TextIOBase
from pathlib import Path
from typing import Any

from adapters.simulator.faults import Fault
from adapters.simulator.scenario import Action, PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.cli.live_run import Broker, Run, run_live
from riskcore.cli.live_text import Printer
from riskcore.config import read_settings
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.control_client import ask
from riskcore.engine.engine import Engine
from riskcore.errors import RiskcoreError
from tests.adapters.clocks import LoopClock, run_hurried
from tests.soak.measures import container_sizes, process_measures

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


@dataclass
class Week:
    """What was measured, an entry for each simulated hour; `simulator` are the sizes of the other side."""

    hours: list[dict[str, int]] = field(default_factory=list)
    simulator: list[dict[str, int]] = field(default_factory=list)
    events: int = 0
    starts: int = 0


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


def run_week(hours: int, folder: Path, told: Callable[[int, dict[str, int]], None], scale: float) -> Week:
    """Run so many simulated hours in `folder`; `told` hears of every hour measured."""
    week = Week()
    run_hurried(_live(hours, folder, told, week), scale)
    return week


async def _live(hours: int, folder: Path, told: Callable[[int, dict[str, int]], None], week: Week) -> None:
    clock = LoopClock(STARTS_AT)
    plot = scenario(-(-hours * HOUR_SECONDS // DAY_SECONDS))
    store = str(folder / "journal.db")
    async with SimulatedGateway(plot, seed=1, clock=clock, at=STARTS_AT, waits=False) as gateway:
        printer = Printer(clock, as_json=True, stream=_Nowhere())

        async def measured(engine: Engine) -> None:
            week.starts += 1
            while len(week.hours) < hours:
                ends_at = STARTS_AT + (len(week.hours) + 1) * HOUR_SECONDS * SECOND_NS
                await clock.sleep(_STRIKES_AFTER_SECONDS)
                name, place, seconds = _TROUBLE[len(week.hours) % len(_TROUBLE)]
                gateway.inject(Fault(name, place, lasts_seconds=seconds))
                await asyncio.to_thread(_asks, store)
                await clock.sleep(max(ends_at - clock.now(), 0) / SECOND_NS)
                hour = process_measures(asyncio.get_running_loop(), [gateway.broker, gateway.rest.calls])
                hour |= container_sizes({"engine": engine, "printer": printer})
                week.hours.append(hour)
                week.simulator.append(container_sizes({"simulator": gateway}))
                week.events = engine.writer.stored
                told(len(week.hours), hour)

        await run_live(
            Run(
                settings=read_settings(SETTINGS),
                store=store,
                broker=Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key)),
                enforces=True,
                announcer=printer,
                warn=lambda text: None,
                config_path=folder / "riskcore.toml",
                clock=clock,
            ),
            measured,
        )
        printer.close()


def _asks(store: str) -> None:
    """What a trader's commands ask of the running engine."""
    for question in ("status", "health", "portfolio", "price"):
        try:
            ask(store, PROFILE, {"ask": question, "contract": "MNQ"})
        except RiskcoreError:
            # While the broker is lost there may be no price; that it was asked is what counts.
            continue


class _Nowhere(TextIOBase):
    """Where the lines of a week go."""

    def write(self, text: str) -> int:
        return len(text)
