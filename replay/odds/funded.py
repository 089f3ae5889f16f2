"""Journeys through a funded account (XFA): payouts as soon as they are allowed, until the account is lost.

The trader of these journeys asks for the most that is allowed, at the close of the first day that nothing stands in
the way; the window of the next payout begins with the day after. A year ends them (PROGRAMME.md 3.7, 4 and 5). How
many lots a day may have hangs on the balance it opens with (3.2): a larger day counts in proportion.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from replay.odds.days import Flags, Integers, Table
from replay.odds.draws import FUNDED, Draws
from replay.odds.walk import Walk, batches, gather
from riskcore.core.programme.terms import SCALING_BOUNDARY, Terms
from riskcore.core.quantities import CENT, FRACTION_SCALE

YEAR_DAYS = 252
_BALANCE, _FLOOR, _PAID, _AFTER, _DAYS, _NET, _BEST = range(7)
_CARRIED, _SCRATCH = 7, 2


@dataclass(frozen=True, slots=True)
class Funded:
    """What became of each funded account: (setting, journey). A `lost_on` or `paid_on` of 0 means that it did not."""

    requested: Integers  # Sum of all payouts, before the firm's share.
    payouts: Integers
    paid_on: Integers  # Day of the first payout.
    lost_on: Integers


def funded(table: Table, terms: Terms, count: int, seed: int, most_days: int = YEAR_DAYS) -> Funded:
    """So many funded accounts of each setting from their first day, the same draws for all of them."""
    parts = batches(table.settings, count)
    draws = Draws(seed, FUNDED, count, keep=len(parts) > 1)
    found = Funded(*(np.zeros((table.settings, count), dtype=np.int64) for _ in Funded.__dataclass_fields__))
    for start, end in parts:
        part = table.part(start, end)
        walk = Walk(part, draws, _CARRIED, _SCRATCH)
        rows = Funded(*(getattr(found, name)[start:end].reshape(-1) for name in Funded.__dataclass_fields__))
        _travel(walk, part, terms, rows, most_days)
    return found


def _travel(walk: Walk, table: Table, terms: Terms, found: Funded, most_days: int) -> None:
    assert terms.maximum_loss_usd is not None, "a funded account can be lost"
    room, standard = terms.maximum_loss_usd, terms.payout_path == "standard"
    sizes = table.sizes or (table,)
    nets, lows, limit_hit, traded = (
        np.concatenate([getattr(one, name).ravel() for one in sizes]) for name in ("net", "low", "limit_hit", "traded")
    )
    counted = traded & (nets >= terms.payout_day_usd) if standard else traded
    counts, in_window = counted.astype(np.int64), np.where(traded, nets, 0)
    walk.carried(_FLOOR)[:] = -room
    while walk.day < most_days and walk.size:
        balance, floor, days = (walk.carried(one) for one in (_BALANCE, _FLOOR, _DAYS))
        places = walk.step()
        if table.sizes:
            places = places + _steps(balance, terms) * table.net.size
        net, low = gather(nets, places, walk.scratch(0)), gather(lows, places, walk.scratch(1))
        low += balance
        lost = low <= floor
        balance += net
        if terms.floor_kind == "eod":
            # After the first payout the floor is at 0, and what a balance implies is never above that.
            np.subtract(balance, room, out=low)
            np.minimum(low, 0, out=low)
            np.maximum(floor, low, out=floor)
        days += gather(counts, places, low)
        if not standard:
            window, best = walk.carried(_NET), walk.carried(_BEST)
            window += gather(in_window, places, low)
            np.maximum(best, low, out=best)
        asked = np.flatnonzero(days >= terms.payout_days)
        asked = asked[~lost[asked] & ~limit_hit[places[asked]]]
        asked = asked[_allowed(walk, terms, asked)]
        if len(asked):
            _pay(walk, terms, asked, found)
        if lost.any():
            found.lost_on[walk.homes[lost]] = walk.day
            walk.keep(np.flatnonzero(~lost))


def _steps(balance: Integers, terms: Terms) -> Integers:
    """Which step of the scaling each balance stands on; exactly at one the upper, or the lower by the other reading."""
    begins = np.array([begin for begin, _ in terms.scaling if begin is not None], dtype=np.int64)
    side: Literal["left", "right"] = "right" if terms.reading(SCALING_BOUNDARY) == "upper" else "left"
    return np.searchsorted(begins, balance, side)


def _allowed(walk: Walk, terms: Terms, places: Integers) -> Flags:
    """Where, with the days that are needed, nothing but the amount can stand in the way of a payout."""
    if terms.payout_path == "standard":
        gained: Flags = walk.carried(_BALANCE)[places] - walk.carried(_AFTER)[places] >= CENT
        gained |= walk.carried(_PAID)[places] == 0
        return gained
    window, best = walk.carried(_NET)[places], walk.carried(_BEST)[places]
    allowed: Flags = (window > 0) & (best * FRACTION_SCALE <= window * terms.payout_best_day_share)
    return allowed


def most_allowed(balance: Integers, terms: Terms) -> Integers:
    """The most that may be asked for at a balance, in whole cents; 0 where that is less than the firm pays out."""
    assert terms.payout_cap_usd is not None, "a funded account has a cap for payouts"
    most = np.minimum(balance * terms.payout_share // FRACTION_SCALE, terms.payout_cap_usd) // CENT * CENT
    return np.where(most < terms.payout_minimum_usd, 0, most)


def _pay(walk: Walk, terms: Terms, asked: Integers, found: Funded) -> None:
    """Pay the most that is allowed at these places. From the first payout on the floor is at 0 for good."""
    balance = walk.carried(_BALANCE)
    amounts = most_allowed(balance[asked], terms)
    asked, amounts = asked[amounts > 0], amounts[amounts > 0]
    balance[asked] -= amounts
    walk.carried(_AFTER)[asked] = balance[asked]
    walk.carried(_FLOOR)[asked] = 0
    walk.carried(_PAID)[asked] = 1
    for column in (_DAYS, _NET, _BEST):
        walk.carried(column)[asked] = 0
    homes = walk.homes[asked]
    found.requested[homes] += amounts
    found.payouts[homes] += 1
    first = homes[found.paid_on[homes] == 0]
    found.paid_on[first] = walk.day
