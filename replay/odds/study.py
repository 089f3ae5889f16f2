"""Odds over recorded sessions: everything INTERFACE.md 6 promises of `riskcore odds`, one object for each account."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from replay.odds.base_rates import PUBLISHED, random_walk
from replay.odds.chances import INNER, INNER_FUNDED, OUTER, OUTER_FUNDED, Chance, Spread, chance_of, share, spread_of
from replay.odds.days import BLOCKS, Block, OddsDay, fresh, table_of, without_mean
from replay.odds.history import History
from replay.odds.intervals import wilson
from replay.odds.journeys import MOST_DAYS
from replay.odds.payouts import Costs, funded_terms, payouts_row
from replay.odds.readings import readings_rows
from replay.odds.recorded import histories
from replay.odds.words import notes_of
from replay.whatif.settings import difference
from replay.whatif.study import Runs, Study, runs_of
from riskcore.core.programme.scaling import size_cap_units
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import limit_text
from riskcore.errors import ConfigError
from riskcore.version import VERSION

Row = dict[str, Any]
SCHEMA = "riskcore.odds/1"
FEWEST_DAYS, FEWEST_SHOWN = 2, 20
FEWEST_PATHS, MOST_PATHS = 100, 1_000_000
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class OddsStudy:
    """What was asked for. `sessions` names the days and the settings they are tried under."""

    sessions: Study
    paths: int = 10_000
    seed: int = 1
    block: str = "day"
    costs: Costs = field(default_factory=Costs)

    def checked_block(self) -> Block:
        """Which blocks are drawn. Raises ConfigError for options that make no sense."""
        check_draws(self.paths, self.seed)
        for option, cost in (("combine-fee", self.costs.combine_usd), ("activation-fee", self.costs.activation_usd)):
            if cost < 0:
                raise ConfigError(f"--{option} {limit_text(cost)}: a fee is not negative")
        found = next((one for one in BLOCKS if one == self.block), None)
        if found is None:
            raise ConfigError(f"--block {self.block}: there is {', '.join(BLOCKS)}")
        return found


def check_draws(paths: int, seed: int) -> None:
    """Raises ConfigError for numbers that make no sense."""
    for option, value in (("--paths", paths), ("--seed", seed)):
        if not isinstance(value, int):
            raise ConfigError(f"{option} {value}: must be a whole number")
    if not FEWEST_PATHS <= paths <= MOST_PATHS:
        raise ConfigError(f"--paths {paths}: must lie between {FEWEST_PATHS:,} and {MOST_PATHS:,}")
    if not 0 <= seed <= LARGEST_SEED:
        raise ConfigError(f"--seed {seed}: must lie between 0 and {LARGEST_SEED}")


def odds(asked: OddsStudy) -> Row:
    """The result for one account, or one for each of several. Raises ConfigError, InputError, Corrupt."""
    block = asked.checked_block()
    runs = runs_of(asked.sessions.checked())
    usable = usable_of(histories(runs), asked.sessions)
    rows = [_account(asked, block, runs, history, usable) for history in usable]
    stamp = _stamp(asked, runs)
    if len(rows) == 1:
        return {"schema": SCHEMA, **rows[0], "stamp": stamp}
    return {"schema": SCHEMA, "accounts": rows, "stamp": stamp}


def usable_of(found: list[History], study: Study) -> list[History]:
    """Those with days enough to draw from. Raises ConfigError where there are none, or there is nothing to pass."""
    usable = [one for one in found if len(one.under) >= FEWEST_DAYS]
    _refuse(found, usable, study.restrict)
    for history in found:
        if history not in usable:
            study.warn(f"{history.called}: one day says nothing about a chance; this account is left out")
    return usable


def _refuse(found: list[History], usable: list[History], restrict: tuple[str, ...]) -> None:
    if not found and restrict:
        raise ConfigError(f"--account {', '.join(restrict)}: the sessions hold no day with a fill of it")
    if not found:
        raise ConfigError("the sessions hold no day with a fill, so there is nothing to draw from")
    if not usable:
        raise ConfigError(
            f"{found[0].called}: one day with a fill says nothing about a chance; give at least {FEWEST_DAYS} days, "
            f"and {FEWEST_SHOWN} for a figure"
        )
    for history in usable:
        terms = history.terms
        if terms.maximum_loss_usd is None or (terms.target_usd is None and terms.stage != "xfa"):
            raise ConfigError(
                f"{history.called}: stage = {terms.stage!r} has no target and no published loss limit, so there is "
                "nothing to pass; odds judges a combine, an xfa or a challenge"
            )


# ---- one account -------------------------------------------------------------------------------------


def _account(asked: OddsStudy, block: Block, runs: Runs, history: History, all_of_them: list[History]) -> Row:
    terms, days = fresh(history.terms), list(history.under)
    drawn: Row = {"paths": asked.paths, "seed": asked.seed, "block": block}
    shown = len(days) >= FEWEST_SHOWN
    chance = chance_of(days, terms, **drawn)
    spread = spread_of(table_of([days], terms, block), terms, asked.seed)
    after = funded_terms(terms, history.programme)
    payouts = None
    if after is not None:
        begun = terms.stage == "xfa"
        payouts = payouts_row(
            days,
            after,
            chance,
            None if begun else spread,
            Costs() if begun else asked.costs,
            entered=1.0 if begun else chance.passed,
            shown=shown,
            **drawn,
        )
    row = {
        "account": history.account,
        "name": history.name,
        "stage": terms.stage,
        "product": terms.product,
        "size": terms.size,
        "goal": "first_payout" if terms.target_usd is None else "target",
        **figures_of(chance, spread, asked.paths, shown),
        "days_used": len(days),
        "first_day": days[0].trade_date,
        "last_day": days[-1].trade_date,
        "method": "bootstrap" if chance.fraction is None else "exact",
        "judged": judged_where(days),
        "payouts": payouts,
        **_beside(asked, block, history, days, chance, spread, shown),
        "readings": readings_rows(history, chance, _reader(asked, runs, history, days), drawn) if shown else [],
        "base_rates": {
            "zero_edge": share(chance_of(without_mean(days), terms, **drawn).passed) if shown else None,
            "random_walk": random_walk(terms),
            "published": PUBLISHED,
        },
        "assumptions": _assumptions(terms, drawn, days, after),
    }
    return {**row, "notes": notes_of(row, history, days, all_of_them)}


def figures_of(chance: Chance, spread: Spread, paths: int, shown: bool) -> Row:
    """Figures with both intervals; of too few days no single one, not even as an interval without any width."""
    figures: Row = {
        "pass": share(chance.passed),
        "lose": share(chance.lost),
        "neither": share(chance.neither),
        "pass_exact": None if chance.fraction is None else str(chance.fraction),
        "days_to_pass": None if chance.days_to_pass is None else chance.days_to_pass.row(),
        "days_to_lose": None if chance.days_to_lose is None else chance.days_to_lose.row(),
    }
    drawn = chance.monte_carlo_95
    if not shown:
        figures, drawn = dict.fromkeys(figures), wilson(round(chance.passed * paths), paths)
    return {
        **figures,
        "monte_carlo_95": [share(one) for one in drawn],
        "data_95": [share(one) for one in spread.passing],
        "lose_data_95": [share(one) for one in spread.losing],
    }


def judged_where(days: Sequence[OddsDay]) -> str:
    """Whether a breach is tested inside the day: only where every day with a fill has marks."""
    return "inside" if all(day.marked for day in days if day.traded) else "close"


def _beside(
    asked: OddsStudy,
    block: Block,
    history: History,
    days: list[OddsDay],
    chance: Chance,
    spread: Spread,
    shown: bool,
) -> Row:
    """The recorded behaviour under the same terms, and what the rules change; null where they change no day."""
    recorded = list(history.recorded)
    if recorded == days:
        return {"recorded": None, "difference": None}
    terms = fresh(history.terms)
    before = chance_of(recorded, terms, paths=asked.paths, seed=asked.seed, block=block)
    known = spread_of(table_of([recorded], terms, block), terms, asked.seed)
    return {
        "recorded": figures_of(before, known, asked.paths, shown),
        "difference": {
            "pass": share(chance.passed - before.passed) if shown else None,
            "data_95": [share(one) for one in spread.better_than(known)],
            "days_changed": sum(a != b for a, b in zip(recorded, days, strict=True)),
        },
    }


def _reader(
    asked: OddsStudy, runs: Runs, history: History, days: list[OddsDay]
) -> Callable[[dict[str, str]], list[OddsDay]]:
    """The same days under other readings that decide what a day comes to."""

    def read(readings: dict[str, str]) -> list[OddsDay]:
        def change(programme: Row) -> Row:
            terms = {**programme["terms"], "readings": {**programme["terms"]["readings"], **readings}}
            return {**programme, "readings": {**programme["readings"], **readings}, "terms": terms}

        asked.sessions.step(f"readings: the days again under {', '.join(readings.values())}")
        found = next((one for one in histories(runs, change) if one.account == history.account), None)
        return days if found is None else list(found.under)

    return read


def _assumptions(terms: Terms, drawn: Row, days: list[OddsDay], after: Terms | None) -> Row:
    lowest = None if after is None or not after.scaling else size_cap_units(after, after.scaling[0][1])
    return {
        **drawn,
        "start": "a new account",
        "horizon_days": MOST_DAYS,
        "outer_histories": OUTER,
        "outer_paths": INNER,
        "payout_histories": OUTER_FUNDED,
        "payout_paths": INNER_FUNDED,
        "costs_in_the_days": limit_text(sum(day.costs_usd for day in days)),
        "largest_units": max(day.largest_units for day in days),
        "funded_units_at_first": lowest,
        "size_cap_units": terms.size_cap_units,
    }


def _stamp(asked: OddsStudy, runs: Runs) -> Row:
    return {
        "sessions": [{"path": row["path"], "sha256": row["sha256"]} for row in runs.rows],
        "settings_diff": difference(runs.recorded, runs.setting.settings_of(runs.recorded)),
        "version": VERSION,
        "command": asked.sessions.command,
    }
