"""What one scenario of the crash points consists of: a few seconds of trading, and what is done to the engine."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from adapters.simulator.scenario import AccountPlan, Action, FaultAt, Habit, PricePath, Scenario
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from riskcore.settings.config import read_settings
from tests.simulation.plan import FIRST_ACCOUNT, PROFILE, Plan

if TYPE_CHECKING:
    from tests.simulation.world import World

# So long the engine has in peace behind the last thing that happens, a death included, before it is judged.
SETTLE_SECONDS = 5.0
ONE_QUOTE_A_SECOND = 1
_SEED = 1


@dataclass(frozen=True, slots=True)
class Word:
    """What the operator asks for at a second. When the engine dies before he has an answer he looks whether it is done,
    and asks again if it is not.
    """

    at: float
    fact: e.Fact
    done: "Callable[[World], bool]"


@dataclass(frozen=True, slots=True)
class Script:
    """Times in seconds. `calls` are the paths that must be called and `stored` the events that must come, undisturbed:
    a script that does not do what its name says proves nothing.

    `edits` are settings that are put into the file, `stops` are restarts in good order. `flat`: whether nothing is held
    and nothing works at the end.
    """

    name: str
    rules: str
    prices: tuple[PricePath, ...]
    actions: tuple[Action, ...] = ()
    habits: tuple[Habit, ...] = ()
    faults: tuple[FaultAt, ...] = ()
    words: tuple[Word, ...] = ()
    edits: tuple[tuple[float, str], ...] = ()
    stops: tuple[float, ...] = ()
    accounts: int = 1
    balance: str = "50000"
    largest_fill: int = 0
    begins: str = "15:30:00"
    seconds: float = 6.0
    flat: bool = True
    calls: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()

    @property
    def start(self) -> int:
        return int(datetime.fromisoformat(f"2026-11-17T{self.begins}").replace(tzinfo=UTC).timestamp()) * SECOND_NS

    def plan(self) -> Plan:
        """The script as the simulated world takes it, with nothing but the script going wrong."""
        return Plan(
            seed=_SEED,
            start=self.start,
            scenario=Scenario(
                self.name,
                "crash points",
                "",
                self.prices,
                tuple(
                    AccountPlan(FIRST_ACCOUNT + place, f"PRAC-V2-{FIRST_ACCOUNT + place}", self.balance)
                    for place in range(self.accounts)
                ),
                self.actions,
                self.habits,
                self.faults,
                self.seconds,
                largest_fill=self.largest_fill,
            ),
            settings=settings_of(self.rules),
            heal_at=self.seconds,
            end_at=self.seconds + SETTLE_SECONDS,
        )


def settings_of(rules: str) -> dict[str, Any]:
    """The settings of a profile with these rules."""
    return read_settings(f'[profile]\nname = "{PROFILE}"\noperator_unlock = "with_reason"\n{rules}').plain
