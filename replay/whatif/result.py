"""What a study of two courses found, as INTERFACE.md 6 promises it. Money is 1e-6 dollars, exact text in the rows."""

from dataclasses import dataclass, field
from typing import Any

from replay.whatif.account_course import DayOfAccount
from replay.whatif.courses import Courses
from riskcore.core.marks import valuation
from riskcore.core.quantities import money_text
from riskcore.core.state import Book

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DayEffect:
    """One account on one trading day under both courses."""

    account: int
    trade_date: str
    baseline_usd: int
    counterfactual_usd: int
    simulated_usd: int
    beside: DayOfAccount

    @property
    def net_usd(self) -> int:
        return self.counterfactual_usd - self.baseline_usd

    @property
    def exact_usd(self) -> int:
        return self.net_usd - self.simulated_usd

    def row(self) -> Row:
        beside = self.beside
        return {
            "account": self.account,
            "trade_date": self.trade_date,
            "baseline": money_text(self.baseline_usd),
            "counterfactual": money_text(self.counterfactual_usd),
            "net_pnl": money_text(self.net_usd),
            "exact": money_text(self.exact_usd),
            "simulated": money_text(self.simulated_usd),
            "left_out_entries": len(beside.left_out_orders),
            "left_out_contracts": beside.left_out_contracts,
            "guard_cost": None if beside.guard_cost_usd is None else money_text(beside.guard_cost_usd),
            "flags": sorted(beside.flags),
        }


@dataclass(frozen=True, slots=True)
class Effects:
    """The effect of one counterfactual."""

    days: list[DayEffect]
    divergences: list[Row]
    open_baseline_usd: int = 0
    open_counterfactual_usd: int = 0
    fired: frozenset[str] = field(default_factory=frozenset)  # Tables of rules that found anything.
    asked: bool = False  # Whether the counterfactual broker was asked for anything.
    path_assumed: bool = True  # Whether the reading of bars and of limits that are touched had a say.
    end_assumed: bool = True  # Whether what becomes of enforcement that only the record has had a say.

    @property
    def net_usd(self) -> int:
        return sum(day.net_usd for day in self.days)

    @property
    def simulated_usd(self) -> int:
        return sum(day.simulated_usd for day in self.days)

    @property
    def extrapolated(self) -> bool:
        return any("extrapolated" in day.beside.flags for day in self.days)

    def row(self) -> Row:
        net, simulated = self.net_usd, self.simulated_usd
        return {
            "net_pnl": money_text(net),
            "exact": money_text(net - simulated),
            "simulated": money_text(simulated),
            "open_pnl": {
                "baseline": money_text(self.open_baseline_usd),
                "counterfactual": money_text(self.open_counterfactual_usd),
            },
            "by_quality": by_quality(self.days),
            "days": {
                "helped": sum(day.net_usd > 0 for day in self.days),
                "hurt": sum(day.net_usd < 0 for day in self.days),
                "unchanged": sum(day.net_usd == 0 for day in self.days),
                "left_on_the_table": money_text(-sum(min(day.net_usd, 0) for day in self.days)),
            },
        }


# How far what priced a day's fills can be trusted; the first that a day is flagged with names its quality.
QUALITIES = ("extrapolated", "unpriced", "priced_by_fill", "from_bars")


def by_quality(days: list[DayEffect]) -> list[Row]:
    """The effect of days apart, by the weakest price that a fill of theirs hangs on."""
    found: dict[str, list[DayEffect]] = {}
    for day in days:
        quality = next((one for one in QUALITIES if one in day.beside.flags), "quotes")
        found.setdefault(quality, []).append(day)
    return [
        {
            "quality": quality,
            "days": len(found[quality]),
            "net_pnl": money_text(sum(day.net_usd for day in found[quality])),
        }
        for quality in ("quotes", *reversed(QUALITIES))
        if quality in found
    ]


def effects_of(courses: Courses, chosen: tuple[str, ...] = ()) -> Effects:
    """The effect of a pair of courses that has run to its end, on some trading days or on all."""
    base, counter = courses.baseline, courses.counterfactual
    rulebooks = base.rulebook, counter.rulebook
    days: list[DayEffect] = []
    judged = [
        account
        for account in sorted({*base.collector.days, *counter.collector.days})
        if any(
            account in course.book.accounts and rulebook.judges(course.book.accounts[account])
            for course, rulebook in zip((base, counter), rulebooks, strict=True)
        )
    ]
    for account in judged:
        recorded, changed = base.collector.days.get(account, {}), counter.collector.days.get(account, {})
        state = courses.state(account)
        for trade_date in sorted(one for one in {*recorded, *changed} if not chosen or one in chosen):
            before = recorded[trade_date].net_usd if trade_date in recorded else 0
            after = changed[trade_date].net_usd if trade_date in changed else 0
            beside = state.days.get(trade_date, DayOfAccount())
            simulated = after - before if beside.all_simulated else state.simulated.by_day.get(trade_date, 0)
            days.append(DayEffect(account, trade_date, before, after, simulated, beside))
    divergences = [
        row
        for account in judged
        for row in courses.state(account).divergences
        if not chosen or row["trade_date"] in chosen
    ]
    divergences.sort(key=lambda row: (row["at"], row["account"]))
    return Effects(
        days,
        divergences,
        _open_usd(base.book, judged, rulebooks[0].profile.mark),
        _open_usd(counter.book, judged, rulebooks[1].profile.mark),
        frozenset(counter.fired),
        courses.asked,
        any(state.limits_rested for state in courses.accounts.values()),
        any(state.end_assumed for state in courses.accounts.values()),
    )


def _open_usd(book: Book, accounts: list[int], mode: str) -> int:
    """Open P&L at the last mark; what nobody can value is left out."""
    total = 0
    for account in (book.accounts[name] for name in accounts if name in book.accounts):
        for position in account.positions.values():
            total += valuation(book, position, mode, book.now).value or 0 if position.valued else 0
    return total
