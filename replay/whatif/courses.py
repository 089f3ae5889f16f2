"""Two courses over the same days: facts go to both until an account parts (WHATIF.md 1).

Both courses only decide. After each fact and each timer what they decided is compared, contract by contract and order
by order; from the first difference of an account and day on, the counterfactual broker answers for that account.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from replay.whatif.account_course import AccountCourse
from replay.whatif.actions import Action, actions_of, keep_out_row
from replay.whatif.alike import start_alike
from replay.whatif.broker import Assumptions
from replay.whatif.closest import Closest
from replay.whatif.counterfactual import Counterfactual
from replay.whatif.course import Course
from replay.whatif.desk import Ids
from replay.whatif.intent import Piece, open_lots, split
from replay.whatif.market import DayFacts, Run, Told
from replay.whatif.own_days import OwnDays
from replay.whatif.unchanged_days import UnchangedDays
from riskcore.core import events as e
from riskcore.core.copies import copy_account
from riskcore.core.lots import lots_of
from riskcore.core.state import Account, Lockout
from riskcore.schema.instants import utc_text

Policy = Literal["follow", "freeze", "stop"]
End = Literal["kept", "recorded"]
Plain = dict[str, Any]
OPENING = "opening"
# Which actions policy freeze begins with (WHATIF.md 2): a stop that is placed or moved closes nothing.
FREEZING = ("close", "cancel")


@dataclass(frozen=True, slots=True)
class Options:
    """How the counterfactual is worked out. `end`: what becomes of enforcement that only the record has."""

    policy: Policy = "follow"
    assumptions: Assumptions = field(default_factory=Assumptions)
    independent_days: bool = False
    end: End = "kept"


class Follower(Protocol):
    """Goes along one course and looks at its accounts."""

    def look(self, account_id: int, at: int) -> None:
        """A fact of an account has been taken."""

    def follow(self, day: DayFacts, start: int, end: int) -> None:
        """The quotes at these places have been taken, and nothing else."""

    def market(self, event: e.Event) -> None:
        """A fact that is of no account has been taken: a bar, a print, a connection."""


@dataclass(slots=True)
class Courses:
    """One pair of courses. `settings_of` makes the settings of the counterfactual from those of a recorded day."""

    baseline: Course
    counterfactual: Course
    options: Options
    settings_of: Callable[[Plain], Plain]
    accounts: dict[int, AccountCourse] = field(default_factory=dict)
    days: list[str] = field(default_factory=list)
    closest: tuple[Closest, ...] = ()  # How near each course came to the limits; empty where nobody asks.
    followers: tuple[Follower, ...] = ()  # Who else goes along each course; one of each, or none.
    follow: Callable[[DayFacts, int, int], None] | None = None  # Hears of the quotes the counterfactual has taken.
    ids: Ids = field(default_factory=Ids)
    asked: bool = False  # Whether the broker of any day was asked for anything.
    unchanged: UnchangedDays | None = None  # Days that cannot change; None: every day is worked out.
    load: Callable[[DayFacts], None] | None = None  # Brings back the facts of a day that is only outlined.
    goes_on: bool = False  # Days that are not run here came before: both courses stand at the end of the last one.
    opened: Callable[[Course], None] | None = None  # Hears of a day that the counterfactual has just opened.
    _broker: Counterfactual | None = None
    _base: dict[int, dict[tuple[str, str], Action]] = field(default_factory=dict)
    _alike: set[tuple[int, tuple[str, str]]] = field(default_factory=set)
    _own: OwnDays = field(default_factory=OwnDays)

    @property
    def broker(self) -> Counterfactual:
        assert self._broker is not None, "a day has been opened"
        return self._broker

    def run(self, days: Iterable[DayFacts], next_date: str | None = None) -> None:
        """All days, one after another; `next_date`: the day that follows the last one and is not run."""
        for _ in self.through(days, next_date):
            pass

    def through(self, days: Iterable[DayFacts], next_date: str | None = None) -> Iterator[DayFacts]:
        """The same; yields each day before it is opened, while both courses stand where the day before left them."""
        before: DayFacts | None = None
        for day in days:
            if not day.ats and day.opened is None:
                continue
            if before is not None:
                self.finish_day(before, day.day.trade_date)
            yield day
            self.open(day)
            if not self._is_skipped(day):
                if day.outlined and self.load is not None:
                    self.load(day)
                for item in day.items:
                    self.take(day, item)
            before = day
        if before is not None:
            self.end(before, next_date or before.rolled_to)

    def state(self, account: int) -> AccountCourse:
        found = self.accounts.get(account)
        if found is None:
            found = self.accounts[account] = AccountCourse(account)
        return found

    # ---- days ----------------------------------------------------------------------------------------

    def open(self, day: DayFacts) -> None:
        """Open a day in both courses."""
        if self.options.independent_days:
            self._start_from_baseline()
        if day.opened is not None:
            self._open_recorded(day.opened)
        else:
            for course in (self.baseline, self.counterfactual):
                course.open_day(day.ats[0], day.lacks)
        if self.opened is not None:
            self.opened(self.counterfactual)
        self.baseline.settle()
        day.marks = dict(self.baseline.book.marks)
        self.days.append(day.day.trade_date)
        self.counterfactual.fired_today.clear()
        self._broker = Counterfactual(day, self.counterfactual, self.baseline, self.options, self.state, self.ids)
        opened_at = day.ats[0] if day.ats else day.day.opens_at
        for account in self.counterfactual.book.accounts.values():
            self._begin_day(account, opened_at)
        if self.options.independent_days and (self.goes_on or len(self.days) > 1):
            self._judge_opening(day)

    def _is_skipped(self, day: DayFacts) -> bool:
        """Whether the day cannot change, and its close is known from an earlier run."""
        if self.unchanged is None:
            return False
        if not self.unchanged.first:
            return self.unchanged.skip(day, self.baseline, self.counterfactual, self.accounts)
        self.unchanged.opened(self.baseline, self.counterfactual)
        return False

    def _open_recorded(self, opened: e.Event) -> None:
        body = opened.body
        assert isinstance(body, e.TradingDayOpened)
        self.baseline.take(opened)
        accounts = tuple(replace(account, requests={}) for account in body.accounts)
        settings = self.settings_of(body.settings)
        changed = replace(body, settings=settings, enforces=False, accounts=accounts)
        self.counterfactual.take(replace(opened, body=changed))

    def _begin_day(self, account: Account, at: int) -> None:
        state = self.state(account.id)
        known = self.baseline.book.accounts.get(account.id)
        base_lots = {} if known is None else _open_of(known)
        for contract, lots in base_lots.items():
            state.recorded.setdefault(contract, sum(lot.size for lot in lots))
        state.begin_day()
        self.counterfactual.note_lockouts(account)
        if base_lots == _open_of(account):
            state.simulated.forget()
            start_alike(self.counterfactual, state, known)
            return
        self._part(state, at, OPENING, None, None)
        self.broker.carry_orders(state)

    def _start_from_baseline(self) -> None:
        """Each day starts from a copy of the baseline's account; what the other rules left stays where both have it."""
        book, rulebook = self.counterfactual.book, self.counterfactual.rulebook
        book.ordinal = max(book.ordinal, self.baseline.book.ordinal)
        for account in self.baseline.book.accounts.values():
            copied = replace(copy_account(account), requests={})
            present = [instance.rule.id for instance in rulebook.instances(account) if not instance.shadow]
            copied.lockouts = {name: one for name, one in copied.lockouts.items() if _stays(one, present)}
            book.accounts[account.id] = copied
            self._own.begin(copied)

    def _judge_opening(self, day: DayFacts) -> None:
        """What the copied state breaches already under the other rules is decided at the reset."""
        base, changed = self.baseline.rulebook, self.counterfactual.rulebook
        for account in list(self.counterfactual.book.accounts.values()):
            if changed.instances(account) != base.instances(account):
                key = f"whatif:opening:{account.id}@{day.day.opens_at}"
                body = e.AccountObserved(account.id)
                self.counterfactual.take(e.Event(day.day.opens_at, "gateway", key, body))
        self._compare(day.day.opens_at, 0)

    def finish_day(self, day: DayFacts, next_date: str) -> None:
        """The rest of a day that another one follows: its timers, and what the broker still has to do."""
        if self.unchanged is not None and self.unchanged.first:
            self.unchanged.closing(day, self.baseline, self.counterfactual, self.accounts)
        self.asked |= self.broker.desk.asked
        self._advance(day, day.day.closes_at - 1, len(day.ats) + 1)
        for course in (self.baseline, self.counterfactual):
            course.end_day(next_date)
            course.issued()
        if self.options.independent_days:
            self._own.end(self.counterfactual)

    def end(self, day: DayFacts, next_date: str | None) -> None:
        """Time ends with the last line; what the broker has been asked to close is closed all the same."""
        if next_date is not None:
            self.finish_day(day, next_date)
        else:
            self.broker.recording_ends()
            self.asked |= self.broker.desk.asked
            self._advance(day, day.last_at or day.day.opens_at, len(day.ats) + 1)
            if self.options.independent_days:
                self._own.end(self.counterfactual)
        for course in (self.baseline, self.counterfactual):
            course.finish()

    # ---- facts ---------------------------------------------------------------------------------------

    def take(self, day: DayFacts, item: Run | Told) -> None:
        """Quotes or one other fact of the open day."""
        if isinstance(item, Run):
            self._run(day, item.start, item.end)
        else:
            self._told(day, item)

    def _run(self, day: DayFacts, start: int, end: int) -> None:
        """Quotes, in pieces that end where something else has to happen."""
        while start < end:
            self._advance(day, day.ats[start], start)
            quotes = day.quotes(start, self._limit(day, start, end))
            taken = self.baseline.quotes(quotes)
            self._follow(0, day, start, start + taken)
            # The baseline, now behind these quotes, has no timer among them: the limit of both is still that of one.
            offset, limit = 0, taken
            while offset < taken:
                before = offset
                offset += self.counterfactual.quotes(quotes.part(offset, limit))
                self._follow(1, day, start + before, start + offset)
                if offset == taken:
                    self._compare(day.ats[start + offset - 1], start + offset - 1)
                else:
                    self._cf_decides(start + offset - 1)
                    self._answer(start + offset)
                    limit = min(taken, self._limit(day, start + offset, end) - start)
            start += taken

    def _follow(self, which: int, day: DayFacts, start: int, end: int) -> None:
        """How near a course comes to the limits along quotes, while it holds what it holds."""
        for along in (self.closest, self.followers):
            if along:
                along[which].follow(day, start, end)
        if which and self.follow is not None:
            self.follow(day, start, end)

    def _limit(self, day: DayFacts, start: int, end: int) -> int:
        """Up to which place quotes may be taken at once: to the next timer, or what the broker does next."""
        quotes = day.quotes(start, end)
        timed = min(self.baseline.first_timed(quotes), self.counterfactual.first_timed(quotes))
        return min(start + max(1, timed), self.broker.next_place(start))

    def _told(self, day: DayFacts, told: Told) -> None:
        place, event = told.place, told.event
        self._advance(day, event.at, place)
        body = event.body
        account = getattr(body, "account", None)
        if not isinstance(account, int):
            self.baseline.take(event)
            self.counterfactual.take(self._for_counterfactual(event))
            self._compare(event.at, place)
            for follower in self.followers:
                follower.market(event)
            return
        state = self.state(account)
        kept_out = None if state.parted else self._kept_out(state, event)
        facts = self.broker.before(state, event)
        self.baseline.take(event)
        self._begin_moment()
        if kept_out is not None:
            self._part(state, event.at, event.key, self._base.get(account), kept_out)
        if state.parted:
            for _ in self.broker.intent(state, event, place, facts):
                self._cf_decides(place + 1)
        elif getattr(body, "trade_id", None) in state.shares:
            for _ in self.broker.fills.again(state, event, facts):
                self._cf_decides(place + 1)
        else:
            self.counterfactual.take(self._for_counterfactual(self.broker.marked(state, event, facts)))
            self._cf_decides(place + 1)
        self.broker.after(state, event, facts)
        self._end_moment(place)
        for one in self.closest:
            one.look(account, event.at)
        for follower in self.followers:
            follower.look(account, event.at)

    def _for_counterfactual(self, event: e.Event) -> e.Event:
        if isinstance(event.body, e.ConfigChanged):
            return replace(event, body=replace(event.body, settings=self.settings_of(event.body.settings)))
        return event

    def _kept_out(self, state: AccountCourse, event: e.Event) -> dict[str, Any] | None:
        """Whether the counterfactual keeps out an entry that this fact reports, and the baseline does not."""
        body = event.body
        if isinstance(body, e.TradeRecorded):
            known = self.baseline.book.accounts.get(state.id)
            if known is not None and known.trade(body.trade_id) is not None:
                return None
            recorded = state.recorded.get(body.contract, 0)
            size = split(recorded, body.side, body.size, closes=body.profit_usd is not None).opening
            contract, side = body.contract, body.side
        elif isinstance(body, e.PositionObserved):
            account = self.counterfactual.book.accounts.get(state.id)
            position = account.positions.get(body.contract) if account is not None else None
            held = 0 if position is None else max(position.lot_size, position.size, key=abs)
            grown = abs(body.size) > abs(held) or body.size * held < 0
            size, contract, side = (abs(body.size) if grown else 0), body.contract, 1 if body.size > 0 else -1
        else:
            return None
        if not size:
            return None
        rule = self.counterfactual.refuses(state.id, contract, side, event.at)
        if rule is None or self.baseline.refuses(state.id, contract, side, event.at) is not None:
            return None
        return keep_out_row(state.id, contract, rule, size)

    # ---- time ----------------------------------------------------------------------------------------

    def _advance(self, day: DayFacts, at: int, place: int) -> None:
        """Timers up to an instant, and what the broker does before the fact at a place, in order."""
        while True:
            timers = [self.baseline.next_timer(), self.counterfactual.next_timer()]
            due = min((one for one in timers if one is not None and one <= at), default=None)
            request_at = self.broker.next_at(place)
            if due is not None and (request_at is None or due <= request_at):
                self.baseline.pass_time(due)
                self.counterfactual.pass_time(due)
                self._compare(due, place)
            elif request_at is not None:
                self._answer(place, once=True)
            else:
                return

    def _answer(self, place: int, *, once: bool = False) -> None:
        """What the broker does before the fact at a place."""
        while self.broker.next_at(place) is not None:
            for decided_from in self.broker.act():
                self._cf_decides(decided_from)
            if once:
                return

    # ---- comparing -----------------------------------------------------------------------------------

    def _compare(self, at: int, place: int) -> None:
        self._begin_moment()
        self._cf_decides(place)
        self._end_moment(place)

    def _begin_moment(self) -> None:
        self._base = actions_of(self.baseline.book, self.baseline.issued())
        self._alike = set()

    def _cf_decides(self, place: int) -> None:
        """What the counterfactual has just decided: alike is left to the record, the rest goes to the broker."""
        issued = self.counterfactual.issued()
        if not issued:
            return
        for account, actions in actions_of(self.counterfactual.book, issued).items():
            state, base, done = self.state(account), self._base.get(account, {}), list[Action]()
            for name, action in actions.items():
                if self._changes_nothing(state, action):
                    continue
                if action.like(base.get(name)):
                    done.append(action)
                    self._alike.add((account, name))
                    if action.what == "close":
                        state.alike[action.contract] = action.level[0] or 0
                    continue
                if not state.parted:
                    self._part(state, action.at, action.cause, base, action.row)
                self.broker.decided.carry_out(state, action, place)
                done.append(action)
            if state.parted and done:
                state.note_action([one.contract for one in done if one.what in FREEZING])

    def _changes_nothing(self, state: AccountCourse, action: Action) -> bool:
        """An order that the record has filled is not cancelled; what both courses are closing alike is closed once."""
        if action.what == "cancel":
            return self.broker.decided.is_used_up(state, int(action.target))
        return action.name not in self._base.get(state.id, {}) and _is_under_way(state, action)

    def _end_moment(self, place: int) -> None:
        """What only the baseline did."""
        for account, actions in self._base.items():
            state = self.state(account)
            for name, action in actions.items():
                if (account, name) not in self._alike and not _is_under_way(state, action):
                    if not state.parted:
                        self._part(state, action.at, action.cause, actions, None)
                    self.broker.decided.only_recorded(state, action, place)
        self._base = {}

    def _part(
        self,
        state: AccountCourse,
        at: int,
        cause: str,
        base: Mapping[tuple[str, str], Action] | None,
        action: dict[str, Any] | None,
    ) -> None:
        """The courses of an account part for the rest of the day."""
        state.parted = True
        state.divergences.append(
            {
                "account": state.id,
                "trade_date": self.days[-1],
                "at": utc_text(at),
                "cause": cause,
                "baseline_action": next((one.row for one in (base or {}).values()), None),
                "counterfactual_action": action,
            }
        )
        if cause != OPENING:
            self.broker.tell_sizes(state, at)


def _is_under_way(state: AccountCourse, action: Action) -> bool:
    """Whether both courses have decided before to close the contract, as far or further."""
    closing = state.alike.get(action.contract) if action.what == "close" else None
    return closing is not None and closing <= (action.level[0] or 0)


def _open_of(account: Account) -> dict[str, list[Piece]]:
    """The open lots of an account by contract."""
    found = {name: open_lots(lots_of(position)) for name, position in account.positions.items()}
    return {name: lots for name, lots in sorted(found.items()) if lots}


def _stays(lockout: Lockout, present: list[str]) -> bool:
    """A lockout of a rule that the counterfactual does not have ends."""
    return not lockout.rule.startswith("RULE-") or lockout.rule in present
