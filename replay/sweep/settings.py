"""One setting of a sweep in a form that travels to another process."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from replay.odds.recorded import loss_as_recorded
from replay.whatif.settings import Asked, for_journal, same_day

Plain = dict[str, Any]


@dataclass(frozen=True)
class Changed:
    """How the settings of the counterfactual come of a recorded day's: others in their place, or some of them set.

    `plain`: in their place, None for a journal export without --config. `sets`: assignments as --set has them.
    `for_odds`: the Maximum Loss Limit acts only where it did in the record.
    """

    plain: Plain | None
    sets: tuple[str, ...] = ()
    for_odds: bool = False

    def __call__(self, recorded: Plain) -> Plain:
        """The settings under which the counterfactual of a recorded day runs. Raises ConfigError."""
        found = self._of_recorded(recorded) if self.plain is None else same_day(recorded, self.plain)
        return loss_as_recorded(found, recorded) if self.for_odds else found

    @cached_property
    def _of_recorded(self) -> Callable[[Plain], Plain]:
        return for_journal(Asked(sets=self.sets))

    def __getstate__(self) -> dict[str, Any]:
        return {"plain": self.plain, "sets": self.sets, "for_odds": self.for_odds}
