"""The days of one account, and the terms it is under."""

from dataclasses import dataclass
from typing import Any

from replay.odds.days import OddsDay
from riskcore.core.programme.terms import Terms


@dataclass(frozen=True, slots=True)
class History:
    """The days of one account, oldest first: as recorded, and under the settings asked for.

    `programme` is the plain table that its terms come from.
    """

    account: int
    name: str | None
    terms: Terms
    programme: dict[str, Any]
    recorded: tuple[OddsDay, ...]
    under: tuple[OddsDay, ...]

    @property
    def called(self) -> str:
        return self.name or str(self.account)
