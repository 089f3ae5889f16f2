"""The next trading days as rows: opening, deadlines, early closes, closed days, releases (`riskcore calendar`).

Deadlines are those PROG-HOURS keeps (core/programme/hours_table.py). Without [programme] they are the firm's, and
nothing acts at them.
"""

from collections.abc import Mapping
from typing import Any

from riskcore.core.programme.hours_table import closes_earlier, is_closed, next_session_at, times_of
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.state import Day
from riskcore.core.trading_day import (
    EXCHANGE_ZONE,
    WEEKDAYS,
    exchange_instant,
    instant,
    local_text,
    ordinal_of,
    weekday,
)
from riskcore.schema.instants import utc_text
from riskcore.settings.calendar import calendar_ends, calendar_known, day_for
from riskcore.settings.programme import programmes_of, read_programme
from riskcore.settings.programme_figures import Figures, by_key, cpi_releases

Row = dict[str, Any]
_SESSION_OPENS = "hours.opens"


def calendar_rows(plain: Mapping[str, Any], now: int, days: int) -> Row:
    """The trading day of an instant and those after it. Raises ConfigError."""
    programmes = programmes_of(plain)
    judged = bool(programmes)
    if not judged:
        programmes = [(None, read_programme({}, "programme", []))]
    every = [(account, terms_of(programme["terms"])) for account, programme in programmes]
    rows = []
    at = now
    for _ in range(days):
        day = day_for(plain, at)
        rows.append(_day_row(day, every))
        at = day.closes_at
    return {
        "schema": "riskcore.calendar/1",
        "timezone": plain["profile"]["timezone"],
        "judged": judged,  # Whether [programme] makes anything act at the deadlines.
        "calendar_ends": calendar_ends(),
        "releases_end": f"{max(cpi_releases())[:4]}-12-31",
        "days": rows,
    }


def _day_row(day: Day, every: list[tuple[str | None, Terms]]) -> Row:
    terms = every[0][1]
    ordinal = ordinal_of(day.trade_date)
    chicago = day.zones[EXCHANGE_ZONE]
    closed = is_closed(terms, day)
    opens = Figures({}).seconds(_SESSION_OPENS)
    return {
        "trade_date": day.trade_date,
        "weekday": WEEKDAYS[weekday(ordinal)],
        "known": calendar_known(int(day.trade_date[:4])),
        "holiday": day.holiday,
        "closed": closed,
        "session_opens": None if closed else _moment(day, instant(chicago, ordinal - 1, opens)),
        "early_close": None if day.early_close_at is None else _moment(day, day.early_close_at),
        "reset": _moment(day, day.closes_at),
        "next_session": _moment(day, next_session_at(terms, day)),
        "release": _release(terms, day),
        "deadlines": [] if closed else [_deadlines(day, account, one) for account, one in every],
    }


def _release(terms: Terms, day: Day) -> Row | None:
    """The window round the release of the consumer price index, on its days."""
    if day.trade_date not in terms.news_days:
        return None
    return {
        "name": "CPI",
        "from": _moment(day, exchange_instant(day, terms.news_from)),
        "until": _moment(day, exchange_instant(day, terms.news_until)),
    }


def _deadlines(day: Day, account: str | None, terms: Terms) -> Row:
    earlier = [root for root, _ in terms.own_closes if closes_earlier(terms, day, root)]
    return {
        "account": account,  # None: every account without a programme of its own.
        **_times(day, terms, None),
        "roots": {root: _times(day, terms, root) for root in earlier},
    }


def _times(day: Day, terms: Terms, root: str | None) -> Row:
    times = times_of(terms, day, root)
    return {
        "last_entry": _moment(day, times.last_entry),
        "flatten": _moment(day, times.flatten),
        "hard": _moment(day, times.hard),
        "flat_by": _moment(day, times.deadline),
        "source": _source(day, terms, root, times.deadline),
    }


def _source(day: Day, terms: Terms, root: str | None, deadline: int) -> str:
    """Which of the times makes the deadline, and where it stands."""
    if root is not None and deadline == exchange_instant(day, dict(terms.own_closes)[root]):
        return f"own close {by_key()[f'hours.own_close.{root}'][0].source}"
    if deadline == exchange_instant(day, terms.flat_by):
        return f"flat_by {by_key()['hours.flat_by'][0].source}"
    source = by_key()["hours.early_close_minutes"][0].source
    return f"{terms.early_close_minutes} min before the early close {source}"


def _moment(day: Day, at: int) -> Row:
    """An instant, as UTC and as the clock of the profile shows it."""
    return {"utc": utc_text(at), "local": local_text(day.zones[day.timezone], at)}
