"""How the way to the broker is doing, for `riskcore health`: answers, breaker, quota, login."""

from dataclasses import dataclass

from adapters.topstepx.quota import Spent


@dataclass(frozen=True, slots=True)
class Condition:
    """As of now. None where nothing was measured yet, or where there is no login."""

    failures: int  # In a row.
    answer_ns: int | None  # The median of the latest answers.
    breaker: str  # closed, open or half-open.
    quotas: tuple[Spent, ...]
    token_age_ns: int | None
    token_left_ns: int | None
