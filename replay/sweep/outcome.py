"""What one setting made of one account and day, and how it is followed along a course (INTERFACE.md 6, WHATIF.md 8).

Money is 1e-6 dollars, durations are nanoseconds.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import astuple, dataclass, field
from typing import Any, Self

from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.market import DayFacts
from replay.whatif.result import effects_of
from riskcore.core import events as e
from riskcore.core.issuers import GUARD_ID
from riskcore.core.marks import valuation_at
from riskcore.core.names import ACCOUNT
from riskcore.core.programme.maximum_loss import floor_breached_at
from riskcore.core.programme.target import passed_on
from riskcore.core.programme.terms import account_terms
from riskcore.core.state import Account, Mark

Name = tuple[int, str]  # Account and trade date.
_ABOUT_MONEY = (e.TradeRecorded, e.TradeVoided, e.PositionObserved)
_ABOUT_THE_MARKET = (e.MarketTraded, e.BarObserved)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table, without the setting. `outcome`: passed, lost or open in a programme, None without one."""

    account: int
    trade_date: str
    baseline_usd: int
    counterfactual_usd: int
    simulated_usd: int
    breaches: int
    left_out_contracts: int
    locked_ns: int
    worst_equity_usd: int
    outcome: str | None
    flags: str

    @property
    def effect_usd(self) -> int:
        return self.counterfactual_usd - self.baseline_usd

    def plain(self) -> list[Any]:
        """As a list of texts and numbers, for a file."""
        return list(astuple(self))

    @classmethod
    def of_plain(cls, plain: Sequence[Any]) -> Self:
        """The outcome that `plain` made this of."""
        return cls(*plain)


@dataclass(slots=True)
class DaySeen:
    """What is followed along one account and day of a course."""

    breaches: int = 0
    locked_ns: int = 0
    worst_usd: int = 0
    outcome: str | None = None


@dataclass(slots=True)
class Follower:
    """Listens to the counterfactual, and follows its equity along quotes. Pass `listen` to its course."""

    course: Course
    seen: dict[Name, DaySeen] = field(default_factory=dict)
    locked_since: dict[int, int] = field(default_factory=dict)

    def beside(self, course: Course) -> "Follower":
        """A copy that goes on along another course from here."""
        return Follower(course, {name: copy(one) for name, one in self.seen.items()}, dict(self.locked_since))

    def _of(self, account: int) -> DaySeen:
        name = account, self.course.book.trade_date
        found = self.seen.get(name)
        if found is None:
            found = self.seen[name] = DaySeen()
        return found

    # ---- what happens --------------------------------------------------------------------------------

    def listen(self, events: Sequence[e.Event]) -> None:
        """A listener of the course: the book stands where these events leave it."""
        book = self.course.book
        for event in events:
            body = event.body
            if isinstance(body, e.RuleBreached):
                self._of(body.account).breaches += body.rule != GUARD_ID
            elif isinstance(body, e.CommandIssued | e.LockoutEnded):
                self._look_at_locks(book.accounts[body.account], event.at)
            elif isinstance(body, e.TradingDayOpened):
                for account in book.accounts.values():
                    self._look_at_locks(account, body.day.opens_at)
            elif isinstance(body, e.DayRolled):
                self._day_ends()
            elif isinstance(body, _ABOUT_MONEY):
                self._measure(book.accounts.get(body.account), book.marks)
            elif isinstance(body, e.BarObserved):
                for price in (body.low, body.high, body.close):
                    self._measure_all(body.contract, Mark(price, None, None, event.at, 0))
            elif isinstance(body, e.MarketTraded):
                self._measure_all(body.contract, book.marks.get(body.contract))

    def _look_at_locks(self, account: Account, at: int) -> None:
        locked = any(one.scope == ACCOUNT for one in account.lockouts.values())
        since = self.locked_since.get(account.id)
        if locked and since is None:
            self.locked_since[account.id] = at
        elif since is not None and not locked:
            self._of(account.id).locked_ns += at - self.locked_since.pop(account.id)

    def _day_ends(self) -> None:
        book, settings = self.course.book, self.course.runner.turn.rulebook.settings
        assert book.day is not None, "a day ends that was open"
        for account in book.accounts.values():
            since = self.locked_since.pop(account.id, None)
            if since is not None:
                self._of(account.id).locked_ns += book.day.closes_at - since
            if account_terms(settings, account.id, account.name) is not None:
                lost, passed = floor_breached_at(account) is not None, passed_on(account) is not None
                self._of(account.id).outcome = "lost" if lost else "passed" if passed else "open"

    def finish(self) -> None:
        """The recording ends inside a day: a lockout lasts until it expires, or to the reset at most."""
        book = self.course.book
        if book.day is None:
            return
        for account in book.accounts.values():
            since = self.locked_since.pop(account.id, None)
            if since is not None:
                ends = [one.expires_at for one in account.lockouts.values() if one.scope == ACCOUNT]
                until = max((book.day.closes_at if one is None else one for one in ends), default=since)
                self._of(account.id).locked_ns += min(until, book.day.closes_at) - since
        self._day_ends()

    # ---- equity --------------------------------------------------------------------------------------

    def follow(self, day: DayFacts, start: int, end: int) -> None:
        """The equity of every account that holds something along the quotes at these places."""
        book = self.course.book
        for account in book.accounts.values():
            held = [one.contract for one in account.positions.values() if one.valued]
            if not held:
                continue
            marks = dict(book.marks)
            for contract in held:
                before = day.last_before(contract, start)
                if before is not None:
                    marks[contract] = Mark(before.price, None, None, before.at, 0)
            for place, contract, last in day.extremes(held, start, end, turns=False):
                marks[contract] = Mark(last, None, None, day.ats[place], 0)
                self._measure(account, marks)

    def _measure_all(self, contract: str, mark: Mark | None) -> None:
        book = self.course.book
        for account in book.accounts.values():
            if mark is not None and contract in account.positions:
                self._measure(account, {**book.marks, contract: mark})

    def _measure(self, account: Account | None, marks: Mapping[str, Mark]) -> None:
        """What the day has realised, net, and what is open at these marks; what nobody can value is left out."""
        if account is None:
            return
        book, mode = self.course.book, self.course.runner.turn.rulebook.profile.mark
        figures = account.days.get(book.trade_date)
        equity_usd = 0 if figures is None else figures.net_usd
        for position in account.positions.values():
            if position.valued:
                equity_usd += valuation_at(book, position, marks.get(position.contract), mode, book.now).value or 0
        seen = self._of(account.id)
        seen.worst_usd = min(seen.worst_usd, equity_usd)


def outcomes_of(courses: Courses, follower: Follower, trade_dates: Sequence[str]) -> list[Outcome]:
    """The rows of these days, once a pair of courses has run to its end and its follower has finished."""
    found = []
    for day in effects_of(courses).days:
        if day.trade_date not in trade_dates:
            continue
        seen = follower.seen.get((day.account, day.trade_date), DaySeen())
        found.append(
            Outcome(
                day.account,
                day.trade_date,
                day.baseline_usd,
                day.counterfactual_usd,
                day.simulated_usd,
                seen.breaches,
                day.beside.left_out_contracts,
                seen.locked_ns,
                seen.worst_usd,
                seen.outcome,
                ",".join(sorted(day.beside.flags)),
            )
        )
    return found
