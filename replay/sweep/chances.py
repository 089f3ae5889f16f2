"""The chance to pass of each setting of a sweep and of the recorded days, all by the same draws (docs/guides/sweep.md).

What a setting made of a day is the row that the sweep has of it; a day that it leaves alone is the recorded one. So
differences between settings owe nothing to the drawing, and settings that come to the same days are drawn once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from replay.odds.chances import Chance, Spread, odds_of_many, share, spreads_of
from replay.odds.days import OddsDay, fresh, table_of
from replay.odds.history import History
from replay.odds.recorded import histories
from replay.odds.study import FEWEST_SHOWN, check_draws, figures_of, judged_where, usable_of
from replay.sessions import ignore
from replay.sweep.grid import grid_of
from replay.sweep.outcome import Outcome
from replay.sweep.sweep import Setting, Sweep, Table, sweep
from replay.whatif.study import Runs, runs_of
from riskcore.core.programme.terms import Terms, account_terms

Row = dict[str, Any]
Days = tuple[OddsDay, ...]
# Histories drawn for the data's interval of each setting, and the journeys through each: fewer than of a single one.
OUTER, INNER = 200, 50


@dataclass(frozen=True, slots=True)
class Recorded:
    """The recorded days of every account that can pass something, and how they are to be drawn."""

    runs: Runs
    histories: list[History]
    paths: int
    seed: int
    table: Table | None = None  # What the settings made of them, where journeys test the firm's floor themselves.

    def swept(self, asked: Sweep) -> "Recorded":
        """With the table of the settings; nothing is worked out again that a sweep has already."""
        study = replace(asked.study, warn=ignore)
        return replace(self, table=sweep(replace(asked, study=study, for_odds=True, agree=ignore)))


def recorded_days(asked: Sweep, paths: int, seed: int) -> Recorded:
    """The days that every setting shares. Raises ConfigError without a programme, or with nothing to draw from."""
    check_draws(paths, seed)
    study = asked.study
    first = study.asked.having(next(iter(grid_of(asked.grid, study.asked.sets))))
    runs = runs_of(replace(study, asked=first, warn=ignore).checked())
    return Recorded(runs, usable_of(histories(runs), study), paths, seed)


def with_chances(result: Row, recorded: Recorded) -> Row:
    """The summary with `odds` of its own, and `odds` in the row of each setting: one object for each account."""
    assert recorded.table is not None, "the settings have been swept"
    rows: list[list[Row]] = [[] for _ in recorded.table.settings]
    accounts = [_account(one, recorded.table.settings, recorded, rows) for one in recorded.histories]
    settings = [{**row, "odds": found} for row, found in zip(result["settings"], rows, strict=True)]
    drawn = {"paths": recorded.paths, "seed": recorded.seed, "block": "day"}
    about = {**drawn, "outer_histories": OUTER, "outer_paths": INNER, "accounts": accounts}
    return {**result, "settings": settings, "odds": about}


def _account(history: History, settings: Sequence[Setting], recorded: Recorded, rows: list[list[Row]]) -> Row:
    """What is said of one account, and a row for each setting that has a programme for it."""
    shown, plain = len(history.recorded) >= FEWEST_SHOWN, recorded.runs.recorded
    known: dict[tuple[int, Days], _Found] = {}
    all_terms: list[Terms] = []
    asked: list[tuple[int, tuple[int, Days]]] = []
    for place, setting in enumerate(settings):
        terms = account_terms(setting.changed(plain), history.account, history.name)
        if terms is None or terms.maximum_loss_usd is None:
            continue
        terms = fresh(terms)
        if terms not in all_terms:
            all_terms.append(terms)
        asked.append((place, (all_terms.index(terms), _days(history, setting.rows()))))
    for index, terms in enumerate(all_terms):
        wanted = [days for _, (number, days) in asked if number == index]
        different = list(dict.fromkeys([history.recorded, *wanted]))
        chances = odds_of_many(different, terms, paths=recorded.paths, seed=recorded.seed)
        spreads = spreads_of(table_of(different, terms), terms, recorded.seed, outer=OUTER, inner=INNER)
        for number, one in enumerate(zip(different, chances, spreads, strict=True), start=1):
            recorded.runs.study.step(f"odds: {number:,} of {len(different):,} different outcomes")
            days, chance, spread = one
            known[index, days] = _Found(chance, spread)
    for place, (number, days) in asked:
        found, before = known[number, days], known[number, history.recorded]
        rows[place].append(
            {
                "account": history.account,
                **figures_of(found.chance, found.spread, recorded.paths, shown),
                "difference": {
                    "pass": share(found.chance.passed - before.chance.passed) if shown else None,
                    "data_95": [share(one) for one in found.spread.better_than(before.spread)],
                    "days_changed": sum(a != b for a, b in zip(history.recorded, days, strict=True)),
                },
            }
        )
    before = known[0, history.recorded]
    return {
        "account": history.account,
        "name": history.name,
        "stage": all_terms[0].stage,
        "size": all_terms[0].size,
        "goal": "first_payout" if all_terms[0].target_usd is None else "target",
        "days_used": len(history.recorded),
        "judged": judged_where(history.recorded),
        "recorded": figures_of(before.chance, before.spread, recorded.paths, shown),
    }


@dataclass(frozen=True, slots=True)
class _Found:
    chance: Chance
    spread: Spread


def _days(history: History, rows: Sequence[Outcome]) -> Days:
    """The recorded days of an account as a setting has them."""
    by_date = {row.trade_date: row for row in rows if row.account == history.account}
    return tuple(_day(day, by_date.get(day.trade_date)) for day in history.recorded)


def _day(day: OddsDay, row: Outcome | None) -> OddsDay:
    if row is None or not (row.effect_usd or row.simulated_usd or row.left_out_contracts):
        return day
    net = row.counterfactual_usd
    low = min(row.worst_equity_usd, net, 0)
    traded = bool(net or row.worst_equity_usd or row.simulated_usd)
    return day._replace(net_usd=net, low_usd=low, high_usd=max(net, 0), low_before_high_usd=low, traded=traded)
