"""Which setting of a sweep to choose, and how sure that is, as the summary and the report show it."""

from typing import Any

from replay.sweep.grid import number_of
from replay.sweep.honesty import (
    EMBARGO_DAYS,
    FEWEST_DAYS,
    Effects,
    Ground,
    Luck,
    Plateau,
    WalkForward,
    luck_of,
    standard_error,
    walk_forward,
)
from replay.sweep.sweep import Setting, Table
from riskcore.core.quantities import money_text

Row = dict[str, Any]
_ONE_DAY = "one day of history says nothing about the next, so no setting is recommended"
_NO_PLATEAU = "no settings side by side all gain, so none is recommended: a peak by itself is mostly luck"
_NO_DAYS = "there are no days to choose a setting on"


def winners_of(table: Table) -> Row:
    """The keys `luck`, `plateau`, `no_recommendation` and `walk_forward` of the summary.

    A day's effect is that of all accounts together. Standard errors are rounded to 5 digits.
    """
    dates = table.trade_dates
    if len(dates) < FEWEST_DAYS:
        reason = _ONE_DAY if dates else _NO_DAYS
        return {"luck": None, "plateau": None, "no_recommendation": reason, "walk_forward": None}
    effects = [effects_by_day(setting, dates) for setting in table.settings]
    ground = Ground(table.grid)
    plateau, walked = ground.plateau_of(effects), walk_forward(ground, effects)
    return {
        "luck": _luck_row(luck_of(effects), table, effects),
        "plateau": None if plateau is None else _plateau_row(plateau, table, effects),
        "no_recommendation": _NO_PLATEAU if plateau is None else None,
        "walk_forward": None if walked is None else _walked_row(walked, dates),
    }


def middle_of(table: Table) -> Setting | None:
    """The setting that is recommended: the middle of the plateau, None where there is none."""
    dates = table.trade_dates
    if len(dates) < FEWEST_DAYS:
        return None
    plateau = Ground(table.grid).plateau_of([effects_by_day(setting, dates) for setting in table.settings])
    return None if plateau is None else table.settings[plateau.middle]


def effects_by_day(setting: Setting, dates: list[str]) -> list[int]:
    """The effect of a setting on each of these days, over all accounts."""
    by_date = dict.fromkeys(dates, 0)
    for row in setting.rows():
        by_date[row.trade_date] += row.effect_usd
    return list(by_date.values())


def _luck_row(luck: Luck, table: Table, effects: list[list[int]]) -> Row:
    return {
        "trials": luck.trials,
        "expected_best": {
            "standard_errors": round(luck.expected_standard_errors, 5),
            "net_pnl": money_text(_cents(luck.expected)),
        },
        "best": {
            "setting": dict(table.settings[luck.best].values),
            "net_pnl": money_text(sum(effects[luck.best])),
            "standard_errors": _rounded(luck.best_standard_errors),
            "deflated_probability": _rounded(luck.probability),
        },
    }


def _plateau_row(plateau: Plateau, table: Table, effects: list[list[int]]) -> Row:
    inside = [dict(table.settings[place].values) for place in plateau.places]
    middle = plateau.middle
    return {
        "settings": len(inside),
        "values": {axis.key: _span([one[axis.key] for one in inside]) for axis in table.grid.axes},
        "lowest": money_text(min(sum(effects[place]) for place in plateau.places)),
        "middle": {
            "setting": dict(table.settings[middle].values),
            "net_pnl": money_text(sum(effects[middle])),
            "standard_error": error_text(effects[middle]),
        },
    }


def _span(values: list[str]) -> list[str]:
    """The smallest and the largest value of a key; a word is both."""
    ordered = sorted(values, key=lambda value: (number_of(value) or 0, value))
    return [ordered[0], ordered[-1]]


def _walked_row(walked: WalkForward, dates: list[str]) -> Row:
    return {
        "first_day": dates[walked.first],
        "days": len(walked.effects),
        "days_without_recommendation": walked.chosen.count(None),
        "embargo_days": EMBARGO_DAYS,
        "net_pnl": money_text(sum(walked.effects)),
        "standard_error": error_text(walked.effects),
    }


def error_text(effects: Effects) -> str | None:
    """The standard error of the sum of some days, to the cent; None for a single day."""
    return money_text(_cents(standard_error(effects))) if len(effects) >= FEWEST_DAYS else None


def _cents(amount_usd: float) -> int:
    """A statistic is no exact amount: cents are all it is shown with."""
    return round(amount_usd / 10_000) * 10_000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
