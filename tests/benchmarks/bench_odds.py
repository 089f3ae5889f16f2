"""Journeys of `riskcore odds`: one history of 60 days, and a thousand settings with common random numbers.

python -m tests.benchmarks.bench_odds [--runs 3] [--settings 1000] [--paths 10000]

Engine time in this process, without reading sessions. journeys: 10,000 through a Combine (at most 0.33 s wanted).
funded: 10,000 funded accounts for a year. many: every setting, the same draws (1,000 settings: at most 10 s wanted).
interval: the data's interval of one history. intervals: those of every setting, as `sweep --odds` has them. exact: the
fractions of days of ±250 in a 50K.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from replay.odds.chances import odds_of_many, spread_of, spreads_of
from replay.odds.days import OddsDay, closing_day, table_of
from replay.odds.funded import funded
from replay.odds.journeys import journeys
from replay.odds.merged import exact
from replay.sweep.chances import INNER, OUTER
from riskcore.core.programme.terms import Terms, terms_of
from riskcore.core.quantities import MONEY_SCALE
from riskcore.settings.programme import read_programme

DAYS = 60


def terms(**programme: Any) -> Terms:
    return terms_of(read_programme(programme, "programme", [])["terms"])


def history(seed: int) -> list[OddsDay]:
    chance = random.Random(seed)
    return [closing_day(round(chance.gauss(50, 500) * 100) * MONEY_SCALE // 100) for _ in range(DAYS)]


def seconds(work: Callable[[], Any], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return round(median(taken), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--settings", type=int, default=1_000)
    parser.add_argument("--paths", type=int, default=10_000)
    asked = parser.parse_args()
    combine, xfa = terms(size="50K"), terms(stage="xfa", size="50K")
    one, many = history(0), [history(seed) for seed in range(asked.settings)]
    step = 250 * MONEY_SCALE
    found = {
        "journeys": seconds(lambda: journeys(table_of([one], combine), combine, asked.paths, 1), asked.runs),
        "funded": seconds(lambda: funded(table_of([one], xfa), xfa, asked.paths, 1), asked.runs),
        "interval": seconds(lambda: spread_of(table_of([one], combine), combine, 1), asked.runs),
        "exact": seconds(lambda: exact([closing_day(step), closing_day(-step)], combine), asked.runs),
        "intervals": seconds(
            lambda: list(spreads_of(table_of(many, combine), combine, 1, outer=OUTER, inner=INNER)), 1
        ),
        "many": seconds(lambda: odds_of_many(many, combine, paths=asked.paths, seed=1), 1),
    }
    print(json.dumps({"days": DAYS, "settings": asked.settings, "paths": asked.paths, "seconds": found}, indent=2))


if __name__ == "__main__":
    main()
