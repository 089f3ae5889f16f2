"""The clock of a scenario: one about the reset plays at the reset, whatever time it is."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import SystemClock

if TYPE_CHECKING:
    from adapters.simulator.scenario import Scenario

EXCHANGE_ZONE = "America/Chicago"


class ShiftedClock(SystemClock):
    """The system's clock, at another time of day: a scenario about the reset plays at the reset."""

    def __init__(self, shift_ns: int) -> None:
        super().__init__()
        self._shift_ns = shift_ns

    def now(self) -> int:
        return super().now() + self._shift_ns

    def go_on_from(self, at: int) -> None:
        super().go_on_from(at - self._shift_ns)


def shift_ns(scenario: "Scenario") -> int:
    """From now to the next weekday's time in Chicago at which the scenario makes sense; 0 for any time."""
    if not scenario.local_time:
        return 0
    now = datetime.now(ZoneInfo(EXCHANGE_ZONE))
    begins = datetime.combine(now.date(), datetime.strptime(scenario.local_time, "%H:%M:%S").time(), now.tzinfo)
    while begins < now or begins.isoweekday() > 5:
        begins += timedelta(days=1)
    return round((begins.astimezone(UTC) - now.astimezone(UTC)).total_seconds()) * SECOND_NS
