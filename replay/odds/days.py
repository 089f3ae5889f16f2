"""The days that journeys are made of, as the columns that the engine gathers from.

A day is a whole: its net result at the close, how low its running equity went inside, and what it counts for. Blocks
are runs of days that are drawn together: single days, or the days of a calendar week. Money is 1e-6 dollars.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from riskcore.core.programme.scaling import size_cap_units
from riskcore.core.programme.terms import Terms

Block = Literal["day", "week"]
BLOCKS: tuple[Block, ...] = ("day", "week")
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class OddsDay(NamedTuple):
    """One recorded day of one account, measured from the balance it opened with.

    `low_usd` is the lowest running equity inside the day, 0 at most; `high_usd` the highest realised result inside
    it, and `low_before_high_usd` the lowest running equity up to then. `marked`: quotes or bars marked what was open.
    """

    net_usd: int
    low_usd: int = 0
    high_usd: int = 0
    low_before_high_usd: int = 0
    traded: bool = True
    trade_date: str = ""
    marked: bool = True
    largest_units: int = 0  # The most micro-units that were held at once.
    costs_usd: int = 0  # Fees and commissions; they are in the net.


def closing_day(net_usd: int) -> OddsDay:
    """A day of which only the close is known."""
    return OddsDay(net_usd, min(net_usd, 0), max(net_usd, 0), min(net_usd, 0), marked=False)


def without_mean(days: Sequence[OddsDay]) -> list[OddsDay]:
    """The same days with no edge: the mean result is taken off every one. Inside the day they stay as recorded."""
    mean = round_half_even(sum(day.net_usd for day in days), len(days)) if days else 0
    return [
        day._replace(
            net_usd=day.net_usd - mean,
            low_usd=min(day.low_usd, day.net_usd - mean),
            high_usd=max(day.high_usd - max(mean, 0), day.net_usd - mean, 0),
            low_before_high_usd=min(day.low_before_high_usd, day.low_usd),
        )
        for day in days
    ]


def round_half_even(number: int, divisor: int) -> int:
    quotient, rest = divmod(number, divisor)
    return quotient + (rest * 2 > divisor or (rest * 2 == divisor and quotient % 2 == 1))


def within_size(day: OddsDay, units: int) -> OddsDay:
    """A day of an account that may hold only so many micro-units: a larger one in proportion to its largest size."""
    largest = day.largest_units
    if largest <= units:
        return day
    return day._replace(
        net_usd=day.net_usd * units // largest,
        low_usd=day.low_usd * units // largest,
        high_usd=day.high_usd * units // largest,
        low_before_high_usd=day.low_before_high_usd * units // largest,
        largest_units=units,
        costs_usd=day.costs_usd * units // largest,
    )


def limited(day: OddsDay, terms: Terms) -> tuple[OddsDay, bool]:
    """A day under the firm's Daily Loss Limit, and whether it was reached: at the limit the firm ends the day.

    A day that our own guard has ended beyond the limit (a gap) keeps the loss it had. What was realised after the
    limit was reached is no result of the day.
    """
    limit = terms.loss_limit_usd
    if limit is None or min(day.low_usd, day.net_usd) > -limit:
        return day, False
    net = min(day.net_usd, -limit) if terms.enforces("dll") else -limit
    low = min(day.low_usd, net) if terms.enforces("dll") else net
    if day.low_before_high_usd <= -limit:
        day = day._replace(high_usd=0, low_before_high_usd=0)
    return day._replace(net_usd=net, low_usd=low), True


@dataclass(frozen=True, slots=True)
class Table:
    """The days of several settings, or of several resamples, as columns of (setting, day).

    A block is a run of days: `starts` has the first day of each, `last` marks the last day of each. `sizes`: the same
    days as each step of the terms' scaling allows them, in its order; empty where every day fits the lowest one.
    """

    net: Integers
    low: Integers
    high: Integers
    low_before_high: Integers
    traded: Flags
    limit_hit: Flags
    starts: Integers
    last: Flags
    sizes: tuple["Table", ...] = ()

    @property
    def settings(self) -> int:
        return int(self.net.shape[0])

    @property
    def days(self) -> int:
        return int(self.net.shape[1])

    @property
    def blocks(self) -> int:
        return int(self.starts.shape[1])

    @property
    def single(self) -> bool:
        """Whether every block is one day."""
        return self.blocks == self.days

    def part(self, start: int, end: int) -> "Table":
        """Some of the settings."""
        columns = {name: getattr(self, name)[start:end] for name in self.__dataclass_fields__}
        return Table(**columns | {"sizes": tuple(one.part(start, end) for one in self.sizes)})

    def resampled(self, chosen: Integers) -> "Table":
        """The blocks chosen, (resample, block), from each setting; a row for each setting and resample."""
        lengths = np.diff(np.append(self.starts[0], self.days))
        picked = lengths[chosen]
        longest = int(picked.sum(axis=1).max())
        places = np.zeros((len(chosen), longest), dtype=np.int64)
        starts = np.zeros_like(chosen)
        for row, blocks in enumerate(chosen):
            ends = np.cumsum(picked[row])
            starts[row] = ends - picked[row]
            inside = np.arange(ends[-1]) - np.repeat(starts[row], picked[row])
            places[row, : ends[-1]] = np.repeat(self.starts[0][blocks], picked[row]) + inside
        drawn = {
            name: getattr(self, name)[:, places].reshape(-1, longest)
            for name in ("net", "low", "high", "low_before_high", "traded", "limit_hit", "last")
        }
        starts = np.tile(starts, (self.settings, 1))
        return Table(**drawn, starts=starts, sizes=tuple(one.resampled(chosen) for one in self.sizes))


def table_of(histories: Sequence[Sequence[OddsDay]], terms: Terms, block: Block = "day") -> Table:
    """Histories of the same dates, one a setting, under the firm's Daily Loss Limit and its sizes by balance."""
    table = _columns(histories, terms, block)
    caps = [cap for _, lots in terms.scaling if (cap := size_cap_units(terms, lots)) is not None]
    if not caps or all(day.largest_units <= min(caps) for history in histories for day in history):
        return table
    smaller = ([[within_size(day, cap) for day in history] for history in histories] for cap in caps)
    return replace(table, sizes=tuple(_columns(days, terms, block) for days in smaller))


def _columns(histories: Sequence[Sequence[OddsDay]], terms: Terms, block: Block) -> Table:
    limited_days = [[limited(day, terms) for day in history] for history in histories]
    starts = block_starts([day.trade_date for day in histories[0]], block)
    last = np.zeros(len(histories[0]), dtype=np.bool_)
    last[[*(start - 1 for start in starts[1:]), len(last) - 1]] = True
    rows = [[day for day, _ in history] for history in limited_days]
    net, low, high, before = (
        np.array([[getattr(day, name) for day in history] for history in rows], dtype=np.int64)
        for name in ("net_usd", "low_usd", "high_usd", "low_before_high_usd")
    )
    return Table(
        net,
        np.minimum(low, net),
        high,
        before,
        np.array([[day.traded for day in history] for history in rows], dtype=np.bool_),
        np.array([[hit for _, hit in history] for history in limited_days], dtype=np.bool_),
        np.tile(np.array(starts, dtype=np.int64), (len(rows), 1)),
        np.tile(last, (len(rows), 1)),
    )


def block_starts(trade_dates: Sequence[str], block: Block) -> list[int]:
    """The place of the first day of each block. A week is one of the calendar, Monday to Sunday."""
    if block == "day":
        return list(range(len(trade_dates)))
    weeks = [date.fromisoformat(one).isocalendar()[:2] for one in trade_dates]
    return [place for place, week in enumerate(weeks) if place == 0 or week != weeks[place - 1]]


def fresh(terms: Terms) -> Terms:
    """The terms of an account that begins anew: what the trader's own account has behind it does not count."""
    return replace(terms, floor_override_usd=None, first_payout_taken=False)
