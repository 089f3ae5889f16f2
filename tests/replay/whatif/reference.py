"""An independent, slow `whatif`: both courses of every account over a wire recording (WHATIF.md), no product code.

It judges a subset of the rules (reference_rules.py). It does not know bars, stops of riskcore's own, recorded limits
that go on working, programmes or groups.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.replay.whatif.reference_account import Account
from tests.replay.whatif.reference_baseline import Baseline
from tests.replay.whatif.reference_books import Book, Mark, open_pnl
from tests.replay.whatif.reference_broker import FILL, QUOTE, Market, Moment, Request
from tests.replay.whatif.reference_course import FOLLOW, Course
from tests.replay.whatif.reference_facts import (
    Fact,
    Fill,
    Order,
    Push,
    Quote,
    Void,
    opens_at,
    read_facts,
    trade_date,
)
from tests.replay.whatif.reference_record import Record
from tests.replay.whatif.reference_rules import Settings


@dataclass(frozen=True)
class Row:
    """One account and day, as `by_day` shows it."""

    account: int
    trade_date: str
    baseline: Fraction
    counterfactual: Fraction
    simulated: Fraction
    left_out_entries: int
    left_out_contracts: int
    guard_cost: Fraction | None
    flags: tuple[str, ...]

    @property
    def net_pnl(self) -> Fraction:
        return self.counterfactual - self.baseline

    @property
    def exact(self) -> Fraction:
        return self.net_pnl - self.simulated


@dataclass(frozen=True)
class Result:
    rows: tuple[Row, ...]
    divergence: tuple[tuple[int, str, int], ...]  # Account, trade date, instant.
    open_pnl: tuple[Fraction, Fraction]

    def total(self, name: str) -> Fraction:
        return sum((getattr(row, name) for row in self.rows), Fraction(0))


@dataclass
class Run:
    facts: Sequence[Fact]
    settings: Settings
    baseline: Settings | None
    policy: str
    independent: bool
    market: Market
    marks: dict[str, Mark] = field(default_factory=dict)
    accounts: dict[int, Account] = field(default_factory=dict)
    divergence: dict[tuple[int, date], int] = field(default_factory=dict)
    held_days: set[tuple[int, date]] = field(default_factory=set)
    day: date | None = None

    def note_divergence(self, account: int, day: date, at: int) -> None:
        self.divergence.setdefault((account, day), at)

    def courses(self) -> list[Course]:
        return [account.course for account in self.accounts.values()]

    def go(self) -> None:
        for index, fact in enumerate(self.facts):
            self._pass_time(fact.at, index)
            self._open_day(fact.at, index)
            self._thaw(fact.at)
            self._execute(FILL, index, Moment(fact.at, index, index))
            self._take(fact, index)
            self._execute(QUOTE, index, Moment(fact.at, index + 1, index + 1))
            self._thaw(fact.at)
        ended = Moment(self.facts[-1].at, len(self.facts), len(self.facts)) if self.facts else None
        for course in self.courses():
            for contract in list(course.kept.contracts):
                assert ended is not None
                course.kept.close_at_the_end(course, contract, ended)
        self._pass_time(None, len(self.facts))

    def _take(self, fact: Fact, index: int) -> None:
        moment = Moment(fact.at, index if isinstance(fact, Quote) else index + 1, index + 1)
        if isinstance(fact, Quote):
            self.marks.setdefault(fact.contract, Mark()).take(fact, index)
            for account in self.accounts.values():
                account.take_quote(fact.contract, moment)
            for course in self.courses():
                behind = Moment(fact.at, index + 1, index + 1)
                course.kept.take_quote(course, fact.contract, self.market, index, behind)
        elif isinstance(fact, Order):
            self._account(fact.account).take_order(fact, moment)
        elif isinstance(fact, Push):
            self._account(fact.account).take_push(fact, moment)
        elif isinstance(fact, Fill):
            self._account(fact.account).take_fill(fact, moment)
        elif isinstance(fact, Void):
            self._account(fact.account).take_void(fact, moment)

    def _account(self, account: int) -> Account:
        if account not in self.accounts:
            record = Record()
            baseline = None if self.baseline is None else Baseline(self, account, record, self.baseline)
            course = Course(self, account, record, self.settings, baseline=baseline)
            self.accounts[account] = Account(record, baseline, course)
        return self.accounts[account]

    def _pass_time(self, until: int | None, index: int) -> None:
        """Closes that nothing but time brings: at the flat-by time, and without a quote or a fill to price them."""
        while True:
            due: list[tuple[int, Course, Request | str]] = []
            for course in self.courses():
                request, kept = course.next_mark(), course.kept.next_close()
                due += [] if request is None else [(request.plan.due, course, request)]
                due += [] if kept is None else [(kept[0], course, kept[1])]
            due = [one for one in due if until is None or one[0] <= until]
            if not due:
                return
            at, course, what = min(due, key=lambda one: one[0])
            if isinstance(what, str):
                course.kept.close_by_time(course, what, index)
            else:
                priced = self.market.by_mark(course.book, what.contract, at, index)
                course.execute(what, priced, Moment(at, index, index))

    def _open_day(self, at: int, index: int) -> None:
        day = trade_date(at)
        if day == self.day:
            return
        before, self.day = self.day, day
        for course in self.courses():
            if course.record.book.held() or course.book.held():
                self.held_days.add((course.account, day))
            course.open_day(at, self.independent, Moment(opens_at(day), index, index), before)

    def _thaw(self, at: int) -> None:
        for course in self.courses():
            course.thaw(at)

    def _execute(self, kind: str, index: int, moment: Moment) -> None:
        for course in self.courses():
            while (request := course.due_now(kind, index)) is not None:
                side = 1 if course.book.position(request.contract) > 0 else -1
                if kind == FILL:
                    priced = self.market.by_fill(index, request.plan.due)
                else:
                    priced = self.market.by_quote(request.contract, side, index, request.plan.due)
                course.execute(request, priced, moment)

    # ---- result --------------------------------------------------------------------------------------

    def result(self) -> Result:
        rows = [row for name in sorted(self.accounts) for row in self._rows(self.accounts[name].course)]
        divergence = sorted((account, str(day), at) for (account, day), at in self.divergence.items())
        opened = [self._open_pnl(course.record.book) for course in self.courses()]
        kept = [self._open_pnl(course.book) for course in self.courses()]
        return Result(tuple(rows), tuple(divergence), (sum(opened, Fraction(0)), sum(kept, Fraction(0))))

    def _rows(self, course: Course) -> list[Row]:
        own = course.book.fills if not self.independent else []
        days = {one.day for one in [*course.record.book.fills, *own]}
        days |= {day for account, day in self.held_days if account == course.account}
        return [self._row(course, day) for day in sorted(days)]

    def _row(self, course: Course, day: date) -> Row:
        own = course.ledger.days[day]
        cost = None if own.unpriced_entry else own.guard_cost
        baseline, counterfactual = course.record.book.net(day), self._counterfactual(course, day)
        simulated, flags = own.simulated, set(own.flags)
        if day in course.kept.days:
            simulated, flags = counterfactual - baseline, flags | {"extrapolated"}
        return Row(
            course.account, str(day), baseline, counterfactual, simulated, len(own.orders), own.contracts, cost,
            tuple(sorted(flags)),
        )  # fmt: skip

    def _counterfactual(self, course: Course, day: date) -> Fraction:
        return course.past.get(day, course.book.net(day))

    def _open_pnl(self, book: Book) -> Fraction:
        known = [open_pnl(book, contract, self.marks.get(contract)) for contract in book.held()]
        return sum((one[0] for one in known if one is not None), Fraction(0))


def run_of(
    lines: Iterable[str],
    settings: Settings,
    *,
    baseline: Settings | None = None,
    policy: str = FOLLOW,
    latency_ms: int = 250,
    slippage_ticks: int = 2,
    independent: bool = False,
) -> Run:
    """Both courses over the lines of a wire recording; without `baseline` nothing acted in it."""
    facts = read_facts(lines)
    run = Run(facts, settings, baseline, policy, independent, Market(facts, latency_ms, slippage_ticks))
    run.go()
    return run


def what_if(lines: Iterable[str], settings: Settings, **options: Any) -> Result:
    """What comes of it, with the options of `run_of`."""
    return run_of(lines, settings, **options).result()
