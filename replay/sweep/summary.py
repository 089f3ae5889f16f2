"""A sweep in short: per setting the effect, the days it helped and hurt, its breaches and its worst day."""

from typing import Any

from replay.sweep.chances import Recorded, recorded_days, with_chances
from replay.sweep.sweep import FEW_DAYS, Setting, Sweep, Table, sweep
from replay.sweep.winners import effects_by_day, error_text, winners_of
from replay.whatif.report_words import counted
from replay.whatif.study import Study
from riskcore.core.quantities import money_text
from riskcore.version import VERSION

SCHEMA = "riskcore.sweep/1"
Row = dict[str, Any]


def swept(asked: Sweep, odds: tuple[int, int] | None) -> tuple[Table, Row]:
    """A sweep, and the result of `sweep --json`.

    `odds`: with the chance of each setting, from so many journeys of a seed. Raises ConfigError, InputError, Corrupt.
    """
    recorded = None if odds is None else recorded_days(asked, *odds)
    table = sweep(asked)
    return table, _summary(table, asked.study, None if recorded is None else recorded.swept(asked))


def _summary(table: Table, study: Study, recorded: Recorded | None) -> Row:
    dates = table.trade_dates
    result = {
        "schema": SCHEMA,
        "grid": [{"key": axis.key, "values": list(axis.values)} for axis in table.grid.axes],
        "days": len(dates),
        "accounts": sorted({row.account for setting in table.settings[:1] for row in setting.rows()}),
        "settings": [_row(setting, dates) for setting in table.settings],
        **winners_of(table),
        "suggestions": _suggestions(table),
        "assumptions": {
            "policy": study.policy,
            "latency_ms": study.latency_ms,
            "slippage_ticks": study.slippage_ticks,
            "independent_days": True,
        },
        "stamp": {
            "sessions": [{"path": row["path"], "sha256": row["sha256"]} for row in table.sessions],
            "version": VERSION,
            "command": study.command,
        },
    }
    return result if recorded is None else with_chances(result, recorded)


def _suggestions(table: Table) -> list[Row]:
    """What the recorded days that ended well needed of each limit; nothing is said of few days."""
    if table.approaches is None or len(table.trade_dates) < FEW_DAYS:
        return []
    return table.approaches.measured().rows()


def _row(setting: Setting, dates: list[str]) -> Row:
    rows = setting.rows()
    effects = [row.effect_usd for row in rows]
    simulated = sum(row.simulated_usd for row in rows)
    worst = min(rows, key=lambda row: row.counterfactual_usd, default=None)
    return {
        "setting": dict(setting.values),
        "effect": {
            "net_pnl": money_text(sum(effects)),
            "exact": money_text(sum(effects) - simulated),
            "simulated": money_text(simulated),
            "standard_error": error_text(effects_by_day(setting, dates)),
        },
        "days": {
            "helped": sum(effect > 0 for effect in effects),
            "hurt": sum(effect < 0 for effect in effects),
            "unchanged": sum(effect == 0 for effect in effects),
        },
        "drawdown": money_text(drawdown_usd(setting, dates)),
        "breaches": sum(row.breaches for row in rows),
        "worst_day": None
        if worst is None
        else {
            "account": worst.account,
            "trade_date": worst.trade_date,
            "net_pnl": money_text(worst.counterfactual_usd),
        },
    }


def drawdown_usd(setting: Setting, dates: list[str]) -> int:
    """The deepest fall of the net of all accounts below its highest close before, from close to close; 0 at least."""
    by_date = dict.fromkeys(dates, 0)
    for row in setting.rows():
        by_date[row.trade_date] += row.counterfactual_usd
    net = highest = deepest = 0
    for change in by_date.values():
        net += change
        highest = max(highest, net)
        deepest = max(deepest, highest - net)
    return deepest


def remarks_on(table: Table) -> list[str]:
    """What to know before believing any figure of a sweep."""
    dates = table.trade_dates
    if not dates:
        return ["the sessions tell of no account's trading, so there is nothing that other rules could change"]
    found = []
    if len(dates) == 1:
        found.append("one day of history: which setting would have been best on it says nothing about the next day")
    elif len(dates) < FEW_DAYS:
        found.append(f"{len(dates)} days of history are few: which setting comes out best is mostly luck")
    by_account: dict[int, set[str]] = {}
    for row in table.settings[0].rows():
        by_account.setdefault(row.account, set()).add(row.trade_date)
    if len({frozenset(days) for days in by_account.values()}) > 1:
        named = ", ".join(f"{account} ({counted(len(days), 'day')})" for account, days in sorted(by_account.items()))
        found.append(
            f"the sessions mix histories of accounts that did not trade on the same days: {named}; "
            "choose one with --account"
        )
    return found
