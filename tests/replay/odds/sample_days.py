"""Days of given distributions, and terms, for the tests of odds."""

import math
import random
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np

from replay.odds.days import OddsDay, Table, closing_day, table_of
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.quantities import MONEY_SCALE
from riskcore.settings.programme import read_programme

CENT = MONEY_SCALE // 100


def terms(**programme: Any) -> Terms:
    return terms_of(read_programme(programme, "programme", [])["terms"])


def usd(amount: float) -> int:
    """Dollars to the cent."""
    return round(amount * 100) * CENT


def two_point(up: float, down: float, ups: int = 1, downs: int = 1) -> list[OddsDay]:
    """Days that win or lose one amount, judged at the close."""
    return [closing_day(usd(up))] * ups + [closing_day(usd(-down))] * downs


def normal_days(count: int, mean: float, deviation: float, seed: int) -> list[OddsDay]:
    """A trader's history: independent normal days."""
    chance = random.Random(seed)
    return [closing_day(usd(chance.gauss(mean, deviation))) for _ in range(count)]


def normal_grid(mean: float, deviation: float, *, inside: bool) -> list[OddsDay]:
    """Normal days at even quantiles; inside them a Brownian bridge with its lowest point, at even quantiles too."""
    found = []
    for rank in range(800):
        net = mean + deviation * NormalDist().inv_cdf((rank + 0.5) / 800)
        if not inside:
            found.append(closing_day(usd(net)))
            continue
        for place in range(40):
            # The lowest point of a bridge from 0 to net whose variance is that of the day.
            low = (net - math.sqrt(net * net - 2 * deviation**2 * math.log((place + 0.5) / 40))) / 2
            found.append(OddsDay(usd(net), min(usd(low), 0), max(usd(net), 0), min(usd(low), 0)))
    return found


def script(*nets: float, lows: tuple[float, ...] | None = None, under: Terms) -> Table:
    """A table whose only block is this sequence of days."""
    days = [
        OddsDay(usd(net), min(usd(low), 0), max(usd(net), 0), min(usd(low), 0))
        for net, low in zip(nets, lows or nets, strict=True)
    ]
    return in_order(table_of([days], under))


def in_order(table: Table) -> Table:
    """The table with all its days as one block, so that a journey lives them in their order."""
    last = np.zeros((1, table.days), dtype=np.bool_)
    last[0, -1] = True
    sizes = tuple(in_order(one) for one in table.sizes)
    return replace(table, starts=np.zeros((1, 1), dtype=np.int64), last=last, sizes=sizes)
