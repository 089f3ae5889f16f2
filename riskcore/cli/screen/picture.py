"""What a screen shows at one moment: rows of the journal, and nothing that still has to be looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from riskcore.cli.screen.words import UTC_CLOCK, Clock

Row = dict[str, Any]
OVERVIEW, PNL, POSITIONS, LIMITS = "overview", "pnl", "positions", "limits"
CONNECTIONS, CALENDAR, LOCKOUTS, ENFORCEMENT = "connections", "calendar", "lockouts", "enforcement"
# The views in the order of their number keys; the same as the page's.
VIEWS = (OVERVIEW, PNL, POSITIONS, LIMITS, CONNECTIONS, CALENDAR, LOCKOUTS, ENFORCEMENT)
UNWATCHED = "unwatched"  # What a hub is while no engine runs.
TITLES = {PNL: "P&L", POSITIONS: "positions and orders"}


@dataclass(frozen=True, slots=True)
class Picture:
    """Drawing it needs nothing else.

    `status`: `audit.status.book_row` with the safe sizes in it, None before a day is open. `recorded`: what had to be
    read from the day's events, by view; a view that is missing is still being read. `alarm`: why limits do not act.
    `running`: whether there is an engine that carries out what a key asks for.
    """

    profile: str = ""
    mode: str = ""
    now: int = 0
    clock: Clock = UTC_CLOCK
    status: Row | None = None
    happenings: Sequence[Mapping[str, Any]] = ()
    recorded: Mapping[str, Any] = field(default_factory=dict)
    alarm: str = ""
    running: bool = True

    @property
    def accounts(self) -> list[Row]:
        """The rows of the accounts."""
        return [] if self.status is None else list(self.status["accounts"])

    def local(self, text: str) -> str:
        """A sentence of the engine with its instants on the screen's clock."""
        return self.clock.localized(text, self.now)


def title_of(view: str) -> str:
    """A view as its heading and the key line name it."""
    return TITLES.get(view, view)
