"""The latest moment to hold a position (WHATIF.md 2): 15:08 in Chicago where no programme says another."""

from datetime import date

from riskcore.core.state import Day
from riskcore.core.trading_day import EXCHANGE_ZONE, instant
from riskcore.settings.calendar import zone_rows

FLAT_BY_SECONDS = (15 * 60 + 8) * 60


def flat_by(day: Day) -> int:
    """The flat-by time of a trading day, in nanoseconds UTC."""
    ordinal = date.fromisoformat(day.trade_date).toordinal()
    return instant(zone_rows(EXCHANGE_ZONE, ordinal), ordinal, FLAT_BY_SECONDS)
