"""When the firm wants a product flat on a trade date, and when its next session opens (PROGRAMME.md 3.5, PROG-HOURS).

All times are of Chicago, whatever the zone of the profile.
"""

from dataclasses import dataclass

from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.state import Day
from riskcore.core.trading_day import (
    EXCHANGE_ZONE,
    date_text,
    exchange_instant,
    instant,
    local_text,
    ordinal_of,
    weekday,
)

SESSION_OPENS = 17 * 3600
FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Times:
    """The instants of one trade date at which entries end, positions are closed, and nothing may be open."""

    last_entry: int
    flatten: int
    hard: int
    deadline: int


def is_closed(terms: Terms, day: Day) -> bool:
    """Whether the trade date has no session at all."""
    return day.trade_date in terms.closed_days


def times_of(terms: Terms, day: Day, root: str | None = None) -> Times:
    """The times of a root that closes by itself, or of every other product (None)."""
    own = dict(terms.own_closes)
    seconds = terms.flat_by if root is None else min(terms.flat_by, own.get(root, terms.flat_by))
    deadline = exchange_instant(day, seconds)
    if day.early_close_at is not None:
        deadline = min(deadline, day.early_close_at - terms.early_close_minutes * MINUTE_NS)
    return Times(
        deadline - terms.last_entry_minutes * MINUTE_NS,
        deadline - terms.flatten_minutes * MINUTE_NS,
        deadline - terms.hard_minutes * MINUTE_NS,
        deadline,
    )


def closes_earlier(terms: Terms, day: Day, root: str) -> bool:
    """Whether a root has to be flat before the other products are."""
    return times_of(terms, day, root).deadline < times_of(terms, day).deadline


def next_trade_ordinal(terms: Terms, ordinal: int) -> int:
    """The next trade date that has a session."""
    ordinal += 1
    while weekday(ordinal) > FRIDAY or date_text(ordinal) in terms.closed_days:
        ordinal += 1
    return ordinal


def next_session_at(terms: Terms, day: Day) -> int:
    """When the next session opens: 17:00 on the eve of the next trade date that is not closed."""
    ordinal = next_trade_ordinal(terms, ordinal_of(day.trade_date))
    return instant(day.zones[EXCHANGE_ZONE], ordinal - 1, SESSION_OPENS)


def clock_text(day: Day, at: int) -> str:
    """An instant as a clock in Chicago shows it, to the minute: 15:10."""
    return local_text(day.zones[EXCHANGE_ZONE], at)[11:16]
