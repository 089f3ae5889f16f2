"""The two intervals of a chance: what drawing so many journeys leaves open, and what so few days leave open.

The first is Wilson's. The second draws whole histories from the days, as many days each, and lets journeys go through
all of them with the same draws; its percentiles are set further out for a short history, as Student's t is wider than
the normal, so that it holds the truth in 95 of 100 cases.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

Interval = tuple[float, float]
_NORMAL = NormalDist()
_Z = 1.959964  # Its quantile at 97.5 %.


def wilson(hits: int, count: int) -> Interval:
    """Between what the chance lies when so many of so many journeys hit."""
    share, square = hits / count, _Z * _Z / count
    middle = (share + square / 2) / (1 + square)
    half = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def data_interval(found: Sequence[float], blocks: int) -> Interval:
    """From what resampled histories of so many blocks gave: percentiles, set out for their number."""
    ordered = sorted(found)
    outside = int(tail(blocks) * (len(ordered) + 1))
    place = min(max(outside, 1), len(ordered)) - 1
    return ordered[place], ordered[len(ordered) - 1 - place]


def tail(blocks: int) -> float:
    """The share of resampled histories outside on either side: 0.025 for many blocks, less for few.

    Resampling understates the spread by (n − 1) / n and knows nothing of Student's t (Hesterberg, What Teachers Should
    Know about the Bootstrap, 2014, "expanded percentile interval").
    """
    if blocks < 2:
        return 0.0
    wider = math.sqrt(blocks / (blocks - 1)) * _student(blocks - 1)
    return round(_NORMAL.cdf(-wider), 6)


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t, by the series of Cornish and Fisher; exact where that is not good enough."""
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    z = _Z
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return float(z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms)))


_FEW = (12.7062, 4.3027, 3.1824, 2.7764)
