"""Studies of days that a test gives as facts, without files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from replay.sweep.pieces import Piece, Ways, pieces_of, ways_of
from replay.sweep.settings import Changed
from replay.whatif.days import Sessions, days_of
from replay.whatif.market import DayFacts
from replay.whatif.study import Runs, Setting, Study
from riskcore.core.events import Event
from riskcore.core.quotes import Quotes
from tests.replay.random_days import RandomDay
from tests.replay.sweep.random_grids import random_grid

NOWHERE = (Path("given"),)


@dataclass(slots=True)
class GivenDays(Runs):
    """Days of these facts in the place of a recording's."""

    items: list[Quotes | Event] = field(default_factory=list)

    def _read(self, uncovered: list[str]) -> Iterator[DayFacts]:
        return days_of([self.items], self.setting.baseline)


def given(
    items: Sequence[Quotes | Event], baseline: dict[str, Any], policy: str = "follow", latency_ms: int = 250
) -> tuple[list[Piece], Ways]:
    """The pieces of some facts, and what all settings of a sweep over them share."""
    study = Study(NOWHERE, policy=policy, latency_ms=latency_ms, independent_days=True, quick=True)
    setting = Setting(baseline, lambda recorded: recorded, acts=False)
    runs = GivenDays(study, Sessions(NOWHERE, baseline), setting, items=list(items))
    return list(pieces_of(runs)), ways_of(runs)


def nothing_on(settings: dict[str, Any]) -> dict[str, Any]:
    """The same day judged by nothing."""
    beside = {name: part for name, part in settings.items() if name not in ("groups", "programme_accounts")}
    return {**beside, "programme": None, "rules": {}, "accounts": {}}


def random_sweep(seed: int, count: int) -> tuple[list[Piece], Ways, list[Changed]]:
    """Random days of several accounts and contracts, and a random grid over them."""
    random = Random(seed)
    grid = random_grid(random)
    baseline = random_grid(random)[0] if random.random() < 0.3 else nothing_on(grid[0])
    day = RandomDay(seed, count, quiet=random.random() < 0.4)
    policy, latency_ms = random.choice(("follow", "freeze", "stop")), random.choice((0, 250, 5_000))
    pieces, ways = given(day.items, baseline, policy, latency_ms)
    return pieces, ways, [Changed(one) for one in grid]
