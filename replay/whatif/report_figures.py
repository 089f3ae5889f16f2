"""The figures of a what-if that its report, card and verdict show, read once from the JSON. Money is 1e-6 dollars."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from replay.whatif.report_words import Amounts
from riskcore.core.quantities import money
from riskcore.schema.rows import Row


@dataclass(frozen=True, slots=True)
class DayEffect:
    """One account on one trading day under both courses."""

    account: int
    trade_date: str
    baseline: int
    counterfactual: int
    effect: int
    exact: int
    simulated: int
    left_out_entries: int
    left_out_contracts: int
    guard_cost: int | None
    flags: tuple[str, ...]
    divergence: Row | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment at which a rule would have locked, and how the trader went on (WHATIF.md 5, tilt ledger)."""

    account: int
    trade_date: str
    rule: str
    at: str
    after: Row
    otherwise: Row


@dataclass(frozen=True, slots=True)
class Figures:
    """What was found, over all accounts and days."""

    result: Row
    amounts: Amounts
    names: dict[int, str]
    days: tuple[DayEffect, ...]
    effect: int
    exact: int
    simulated: int
    cruellest: int | None
    kindest: int | None
    open_baseline: int
    open_counterfactual: int
    moments: tuple[Moment, ...]

    @property
    def dates(self) -> list[str]:
        return sorted({day.trade_date for day in self.days})

    @property
    def helped(self) -> list[DayEffect]:
        return [day for day in self.days if day.effect > 0]

    @property
    def hurt(self) -> list[DayEffect]:
        return [day for day in self.days if day.effect < 0]

    @property
    def equal(self) -> list[DayEffect]:
        """Acted on, and the same in the end."""
        return [day for day in self.days if day.effect == 0 and day.divergence is not None]

    @property
    def untouched(self) -> list[DayEffect]:
        return [day for day in self.days if day.effect == 0 and day.divergence is None]

    @property
    def changed(self) -> list[DayEffect]:
        """Every day that is worth a row: with an effect, or acted on."""
        return [day for day in self.days if day.effect != 0 or day.divergence is not None]

    def name(self, account: int) -> str:
        """The account as the trader knows it."""
        return self.names.get(account, str(account))

    def of_account(self, account: int) -> tuple[DayEffect, ...]:
        return tuple(day for day in self.days if day.account == account)

    @property
    def locked(self) -> set[tuple[int, str]]:
        """The accounts and days on which a rule would have locked, as far as the result says."""
        found = {(one.account, one.trade_date) for one in self.moments}
        for day in self.days:
            action = day.divergence["counterfactual_action"] if day.divergence else None
            if action is not None and action["kind"] in ("SetLockout", "KeepOut"):
                found.add((day.account, day.trade_date))
        return found


def figures_of(result: Row) -> Figures:
    """The figures of a `riskcore whatif --json` (schema riskcore.whatif/1), as made by the command or by `share`."""
    effect = result["effect"]
    divergences = {(row["account"], row["trade_date"]): row for row in result["divergence"]}
    days = [_day(row, divergences.get((row["account"], row["trade_date"]))) for row in effect["by_day"]]
    found_range = result["range"] or {"cruellest": None, "kindest": None}
    return Figures(
        result=result,
        amounts=Amounts(shared="shared" in result),
        names={row["id"]: row["name"] or str(row["id"]) for row in result["baseline"]["accounts"]},
        days=tuple(sorted(days, key=lambda day: (day.trade_date, day.account))),
        effect=money(effect["net_pnl"]),
        exact=money(effect["exact"]),
        simulated=money(effect["simulated"]),
        cruellest=optional(found_range["cruellest"]),
        kindest=optional(found_range["kindest"]),
        open_baseline=money(effect["open_pnl"]["baseline"]),
        open_counterfactual=money(effect["open_pnl"]["counterfactual"]),
        moments=tuple(
            Moment(row["account"], row["trade_date"], row["rule"], row["at"], row["after"], row["otherwise"])
            for row in sorted(result["tilt"], key=lambda row: (row["at"], row["account"], row["rule"]))
        ),
    )


def _day(row: Row, divergence: Row | None) -> DayEffect:
    return DayEffect(
        account=row["account"],
        trade_date=row["trade_date"],
        baseline=money(row["baseline"]),
        counterfactual=money(row["counterfactual"]),
        effect=money(row["net_pnl"]),
        exact=money(row["exact"]),
        simulated=money(row["simulated"]),
        left_out_entries=row["left_out_entries"],
        left_out_contracts=row["left_out_contracts"],
        guard_cost=optional(row["guard_cost"]),
        flags=tuple(row["flags"]),
        divergence=divergence,
    )


def in_dollars(unit: str) -> bool:
    """Whether a distance of this unit is an amount."""
    return unit.lower() in ("$", "usd", "dollars")


def optional(text: Any) -> int | None:
    """An amount or ratio that may be missing."""
    return None if text is None else money(str(text))


def total(days: Sequence[DayEffect]) -> int:
    """The effect of some days together."""
    return sum(day.effect for day in days)


def running(days: Sequence[DayEffect], dates: Sequence[str], course: str) -> list[int]:
    """The cumulative net of a course, baseline or counterfactual, at the start and after each date."""
    by_date = dict.fromkeys(dates, 0)
    for day in days:
        by_date[day.trade_date] += day.baseline if course == "baseline" else day.counterfactual
    return [0, *accumulate(by_date.values())]


@dataclass(frozen=True, slots=True)
class Habits:
    """How someone traded: entries, contracts an entry, net, share of losing entries (both ratios in 1e-6)."""

    entries: int
    mean_size: int | None
    net: int
    losing_share: int | None


def habits(rows: Sequence[Row]) -> Habits:
    """Several spans together; sizes and shares are weighed by the entries of each."""
    entries = sum(row["entries"] for row in rows)
    return Habits(
        entries,
        _weighed(rows, "mean_size"),
        sum(money(row["net_pnl"]) for row in rows if row["net_pnl"] is not None),
        _weighed(rows, "losing_share"),
    )


def _weighed(rows: Sequence[Row], field: str) -> int | None:
    known = [(row["entries"], money(str(row[field]))) for row in rows if row["entries"] and row[field] is not None]
    weight = sum(entries for entries, _ in known)
    return sum(entries * value for entries, value in known) // weight if weight else None


def first_moments(moments: Sequence[Moment]) -> list[Moment]:
    """The first moment of each account and day: later ones of the day are part of what followed it."""
    found: dict[tuple[int, str], Moment] = {}
    for moment in moments:
        found.setdefault((moment.account, moment.trade_date), moment)
    return list(found.values())
