"""A grid of settings over recorded days, and the chance to pass. Source: INTERFACE.md 6 and 11, WHATIF.md 7."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec
import polars as pl

from replay.odds.payouts import Costs
from replay.odds.study import OddsStudy
from replay.odds.study import odds as run_odds
from replay.sweep.summary import remarks_on, swept
from replay.sweep.sweep import Sweep
from replay.sweep.table_file import frame_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study
from riskcore.api.arguments import Accounts, AnyPath, files, texts
from riskcore.api.results import Row
from riskcore.core.quantities import money
from riskcore.errors import ConfigError
from riskcore.folders import user_folder
from riskcore.own_packages import are_ours
from riskcore.settings.config import Given

Value = str | int | Decimal


@dataclass(frozen=True, slots=True)
class SettingEffect:
    """One setting of a grid. `setting`: its grid keys and values; the rest as the JSON has it."""

    setting: dict[str, str]
    effect: Row
    days: dict[str, int]
    drawdown: str
    breaches: int
    worst_day: Row | None
    odds: list[Row] | None = None


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What each setting of a grid would have made of the days, and how much of the best one is luck.

    `frame` has a row for each setting, account and day: the columns of `sweep --out`. `luck`, `plateau`,
    `walk_forward` and `suggestions` are those of `sweep --json`; `warnings` are the sentences that the command prints
    on stderr.
    """

    frame: pl.DataFrame
    days: int
    accounts: list[int]
    settings: list[SettingEffect]
    luck: Row | None
    plateau: Row | None
    no_recommendation: str | None
    walk_forward: Row | None
    suggestions: list[Row]
    assumptions: Row
    stamp: Row
    warnings: list[str]
    _json: Row = field(repr=False)
    odds: Row | None = None

    def to_dict(self) -> Row:
        """The object that `riskcore sweep --json` prints."""
        return self._json


@dataclass(frozen=True, slots=True)
class AccountOdds:
    """The chances of one account, as `odds --json` has them; `passing`, `losing` and `neither` are 0 to 1.

    They are None when the days are too few for a single figure. `data_95` is how far days as few as these leave the
    chance to pass open, `monte_carlo_95` only how far the drawing does. `figures` is the whole object of the JSON.
    """

    account: int
    name: str
    passing: float | None
    losing: float | None
    neither: float | None
    monte_carlo_95: tuple[float, float]
    data_95: tuple[float, float]
    lose_data_95: tuple[float, float]
    days_used: int
    method: str
    judged: str
    payouts: Row | None
    notes: list[str]
    figures: Row = field(repr=False)


@dataclass(frozen=True, slots=True)
class OddsResult:
    """The chances of each account. `warnings` are the sentences that the command prints on stderr."""

    accounts: list[AccountOdds]
    stamp: Row
    warnings: list[str]
    _json: Row = field(repr=False)

    def to_dict(self) -> Row:
        """The object that `riskcore odds --json` prints."""
        return self._json


def sweep(
    paths: AnyPath | Sequence[AnyPath],
    settings: Given = None,
    *,
    grid: Mapping[str, Value | Sequence[Value]],
    sets: str | Sequence[str] = (),
    baseline: Given = None,
    accounts: Accounts = (),
    policy: str = "follow",
    latency_ms: int = 250,
    slippage_ticks: int = 2,
    bars: AnyPath | Sequence[AnyPath] = (),
    workers: int = 1,
    cluster: str | None = None,
    every_setting: bool = False,
    odds: bool = False,
    draws: int = 10_000,
    seed: int = 1,
    skip_bad_lines: bool = False,
    strict: bool = False,
) -> SweepResult:
    """Say what each setting of a grid would have made of recorded days, as `riskcore sweep` does.

    `grid`: values by setting, either a text as `--grid` takes it ("200:1000:50") or the values themselves; all are
    combined. `workers`: 1 works in this process; with more, your program must guard its own start
    (`if __name__ == "__main__"`), as `multiprocessing` asks. `cluster`: the address of a dask cluster instead. What is
    finished is kept in the user's cache folder, and a large grid runs without being asked about. `odds`: also the
    chance of each setting to pass the programme, from so many `draws` of that `seed`.

    Raises ConfigError, InputError, Corrupt.
    """
    if not isinstance(grid, Mapping):
        raise ConfigError('grid: give the values by setting, such as {"rules.max_contracts.limit": [2, 4]}')
    if (workers != 1 or cluster is not None) and not are_ours():
        raise ConfigError("your program has a package `adapters` or `replay` of its own: sweep with workers=1")
    warnings: list[str] = []
    study = Study(
        sessions=tuple(files(paths)),
        asked=Asked(settings, texts(sets), settings is not None, baseline),
        policy=policy,
        latency_ms=latency_ms,
        slippage_ticks=slippage_ticks,
        bars=tuple(files(bars)),
        restrict=texts(accounts),
        skip_bad_lines=skip_bad_lines,
        strict=strict,
        command="riskcore.sweep",
        warn=warnings.append,
    )
    asked = tuple(f"{key}={_values(values)}" for key, values in grid.items())
    whole = Sweep(study, asked, user_folder("cache") / "sweep", workers, cluster, every_setting=every_setting)
    table, row = swept(whole, (draws, seed) if odds else None)
    said = [*warnings, *remarks_on(table)]
    return msgspec.convert({**row, "frame": frame_of(table), "warnings": said, "_json": row}, SweepResult)


def odds(
    paths: AnyPath | Sequence[AnyPath],
    settings: Given = None,
    *,
    sets: str | Sequence[str] = (),
    accounts: Accounts = (),
    draws: int = 10_000,
    seed: int = 1,
    block: str = "day",
    combine_fee: Value = 0,
    activation_fee: Value = 0,
    skip_bad_lines: bool = False,
    strict: bool = False,
) -> OddsResult:
    """Say how likely these days are to pass the Combine or to lose it, as `riskcore odds` does.

    `draws`: how many journeys are drawn (`--paths`); the same `seed` draws the same. `block`: "day" or "week", what is
    drawn whole. Fees are dollars: of the Combine a month, and once when it is passed.

    Raises ConfigError, InputError, Corrupt.
    """
    warnings: list[str] = []
    study = Study(
        tuple(files(paths)),
        Asked(settings, texts(sets), settings is not None),
        restrict=texts(accounts),
        skip_bad_lines=skip_bad_lines,
        strict=strict,
        command="riskcore.odds",
        warn=warnings.append,
    )
    costs = Costs(_fee("combine_fee", combine_fee), _fee("activation_fee", activation_fee))
    row = run_odds(OddsStudy(study, draws, seed, block, costs))
    found = [
        {**one, "passing": one["pass"], "losing": one["lose"], "figures": one} for one in row.get("accounts", [row])
    ]
    return msgspec.convert({"accounts": found, "stamp": row["stamp"], "warnings": warnings, "_json": row}, OddsResult)


def _values(values: Value | Sequence[Value]) -> str:
    return ",".join(map(_text, [values] if isinstance(values, Value) else values))


def _text(value: Value) -> str:
    """A value as `--grid` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _fee(name: str, amount: Value) -> int:
    try:
        return money(str(amount))
    except ValueError:
        raise ConfigError(f"{name} {amount}: not an amount of dollars") from None
