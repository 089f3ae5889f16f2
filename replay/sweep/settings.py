"""One setting of a sweep in a form that travels to another process."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from replay.whatif.settings import Asked, for_journal, same_day

Plain = dict[str, Any]


@dataclass(frozen=True)
class Changed:
    """How the settings of the counterfactual come of a recorded day's: others in their place, or some of them set.

    `plain`: in their place, None for a journal export without --config. `sets`: assignments as --set has them.
    """

    plain: Plain | None
    sets: tuple[str, ...] = ()

    def __call__(self, recorded: Plain) -> Plain:
        """The settings under which the counterfactual of a recorded day runs. Raises ConfigError."""
        return self._of_recorded(recorded) if self.plain is None else same_day(recorded, self.plain)

    @cached_property
    def _of_recorded(self) -> Callable[[Plain], Plain]:
        return for_journal(Asked(sets=self.sets))

    def __getstate__(self) -> dict[str, Any]:
        return {"plain": self.plain, "sets": self.sets}
