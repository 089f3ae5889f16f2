"""Days that cannot change are taken from an earlier run instead of being worked out again (WHATIF.md 7).

The further runs of a study (range, shares) differ from its first one by policy, broker or rules. A day on which the
first run never parted from the record does not depend on policy and broker; and a rule that found nothing on it can be
missing. When such a day opens alike for all that a rule may read, it closes alike, so its close is copied. What lies
further back than a rule can see (figures and fills of earlier days, how often a rule has breached) stays the run's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from replay.whatif.account_course import AccountCourse
from replay.whatif.course import Course
from replay.whatif.market import DayFacts, Told
from riskcore.core import events as e
from riskcore.core.copies import copy_account, copy_book, copy_position
from riskcore.core.names import episode_name, memory_name, rule_key
from riskcore.core.old_trades import is_old_id
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book, Position, Trade

# No rolling window reaches back further than this (RULE-006: trades in the hour).
LONGEST_WINDOW_NS = 3_600 * SECOND_NS
# Settings whose rules look further back than a day.
CARRIED = ("programme", "programme_accounts", "groups")
Plain = Mapping[str, Any]


@dataclass(slots=True)
class Unchanged:
    """A day on which the first run never parted: how it opened, and how it stood before its last timers."""

    opening: Book
    closing: Book
    baseline: Book
    fired: frozenset[str]  # Tables of rules that found anything.
    courses: dict[int, AccountCourse]  # What of each account goes over to the next day.


@dataclass(slots=True)
class UnchangedDays:
    """What the first run found, and how many days of the further runs were taken from it."""

    known: dict[str, Unchanged] = field(default_factory=dict)
    first: bool = True  # The first run is under way, and its days are kept.
    runs: int = 0
    days: int = 0
    skipped: int = 0
    _opening: tuple[Book, Book] | None = None  # Of the baseline and of the counterfactual.

    def row(self) -> dict[str, int]:
        return {"runs": self.runs, "days": self.days, "skipped": self.skipped}

    def text(self) -> str:
        runs = f"{self.runs} further {'run' if self.runs == 1 else 'runs'}"
        return f"{runs}, {self.skipped} of {self.days} days skipped because they cannot change"

    # ---- the first run -------------------------------------------------------------------------------

    def opened(self, baseline: Course, counterfactual: Course) -> None:
        """The first run has opened a day."""
        self._opening = copy_book(baseline.book), copy_book(counterfactual.book)

    def closing(
        self, day: DayFacts, baseline: Course, counterfactual: Course, accounts: Mapping[int, AccountCourse]
    ) -> None:
        """The first run has taken all facts of a day that another one follows."""
        opening, self._opening = self._opening, None
        if opening is None or any(state.parted for state in accounts.values()) or _looks_back(day, opening[0]):
            return
        for course in (baseline, counterfactual):
            course.settle()
        self.known[day.day.trade_date] = Unchanged(
            opening[1],
            copy_book(counterfactual.book),
            copy_book(baseline.book),
            frozenset(counterfactual.fired_today),
            {account: state.carried_over() for account, state in accounts.items()},
        )

    # ---- further runs --------------------------------------------------------------------------------

    def skip(self, day: DayFacts, baseline: Course, counterfactual: Course, accounts: dict[int, AccountCourse]) -> bool:
        """Whether the day cannot change; then both courses, and `accounts`, stand where its last fact leaves them."""
        self.days += 1
        known = self.known.get(day.day.trade_date)
        if known is None or any(state.parted for state in accounts.values()):
            return False
        book = counterfactual.book
        off = _silenced(book.settings, known.opening.settings, known.fired)
        if off is None or book.accounts.keys() != known.opening.accounts.keys():
            return False
        pairs = [(account, known.opening.accounts[account.id]) for account in book.accounts.values()]
        if all(_same(mine, other, off) for mine, other in pairs):
            whole = True
        elif (
            not known.fired
            and not _reaches_back(counterfactual)
            and all(_alike(*one, off, day.day.opens_at) for one in pairs)
        ):
            whole = False
        else:
            return False
        self.skipped += 1
        closed = {
            account.id: _closed(book.accounts.get(account.id), known, account, off, whole=whole)
            for account in known.closing.accounts.values()
        }
        ordinal = max(book.ordinal, known.closing.ordinal)
        counterfactual.stand_at(
            replace(copy_book(known.closing), settings=book.settings, accounts=closed, ordinal=ordinal)
        )
        baseline.stand_at(copy_book(known.baseline))
        counterfactual.fired.update(known.fired)
        for account, carried in known.courses.items():
            accounts.setdefault(account, AccountCourse(account)).take_over(carried)
        return True


def _reaches_back(course: Course) -> bool:
    """Whether a rule in force counts more than the day: then a day opens alike only where everything is the same."""
    rulebook = course.runner.turn.rulebook
    return any(course.book.settings.get(name) for name in CARRIED) or any(
        instance.rule.reaches_back is not None
        for account in course.book.accounts.values()
        for instance in rulebook.instances(account)
    )


def _looks_back(day: DayFacts, opening: Book) -> bool:
    """Whether a day's facts are about fills of earlier days, or change the settings."""
    told: set[tuple[int, int]] = set()
    for item in day.items:
        if not isinstance(item, Told):
            continue
        body = item.event.body
        if isinstance(body, e.ConfigChanged):
            return True
        if not isinstance(body, e.TradeRecorded | e.TradeVoided):
            continue
        account = opening.accounts.get(body.account)
        of_today = isinstance(body, e.TradeRecorded) and (body.created_at or item.event.at) >= day.day.opens_at
        if of_today and not _knows(account, body.trade_id):
            told.add((body.account, body.trade_id))
        elif (body.account, body.trade_id) not in told:
            return True
    return False


def _knows(account: Account | None, trade_id: int) -> bool:
    return account is not None and (account.trade(trade_id) is not None or is_old_id(account, trade_id))


# ---- whether a day opens alike -----------------------------------------------------------------------


def _silenced(mine: Plain, first: Plain, fired: frozenset[str]) -> frozenset[str] | None:
    """The tables that are off here and found nothing on this day there; None where anything else differs."""
    off: set[str] = set()
    if any(mine.get(name) != first.get(name) for name in {*mine, *first} - {"rules", "accounts"}):
        return None
    if mine["accounts"].keys() != first["accounts"].keys():
        return None
    scopes = [(mine["rules"], first["rules"])]
    scopes += [(mine["accounts"][name], first["accounts"][name]) for name in mine["accounts"]]
    for rules, others in scopes:
        if rules.keys() != others.keys():
            return None
        for name, tables in rules.items():
            if len(tables) != len(others[name]):
                return None
            for index, (table, other) in enumerate(zip(tables, others[name], strict=True)):
                if table == other:
                    continue
                key = rule_key(name, index)
                if table.get("enabled", True) or key in fired:
                    return None
                off.add(key)
    return frozenset(off)


def _same(mine: Account, first: Account, off: frozenset[str]) -> bool:
    """Whether an account is the same in everything but what the tables that are off remember."""
    return _without(mine, off) == _without(first, off)


def _without(account: Account, off: frozenset[str]) -> Account:
    return replace(
        account,
        positions={name: _of_position(position, off) for name, position in account.positions.items()},
        memory=_of_memory(account.memory, off),
        episodes=_of_episodes(account.episodes, off),
        counters=_of_episodes(account.counters, off),
    )


def _of_position(position: Position, off: frozenset[str]) -> Position:
    return replace(copy_position(position), memory=_of_memory(position.memory, off))


def _of_memory(memory: Mapping[str, int], off: frozenset[str]) -> dict[str, int]:
    starts = tuple(memory_name(key, "") for key in off)
    return {name: value for name, value in memory.items() if not name.startswith(starts)}


def _of_episodes(episodes: Mapping[str, int], off: frozenset[str]) -> dict[str, int]:
    starts = tuple(episode_name(key, "") for key in off)
    return {name: value for name, value in episodes.items() if not name.startswith(starts)}


def _alike(mine: Account, first: Account, off: frozenset[str], opens_at: int) -> bool:
    """Whether an account that is flat and free is the same in everything that a rule may read on a new day."""
    names = dict.fromkeys((*mine.positions, *first.positions))
    return (
        all(_free(account) for account in (mine, first))
        and all(_tells_pushes(mine, name) == _tells_pushes(first, name) for name in names)
        and _of_memory(mine.memory, off) == _of_memory(first.memory, off)
        and _of_episodes(mine.episodes, off) == _of_episodes(first.episodes, off)
        and _recent(mine, opens_at) == _recent(first, opens_at)
        and all(getattr(mine, name) == getattr(first, name) for name in _TOLD)
    )


# What the broker said of an account, and nothing of a course changes.
_TOLD = (
    "name",
    "can_trade",
    "simulated",
    "orders",
    "guarded",
    "reconciled_at",
    "orders_listed_at",
    "listed_at",
    "rights_told_at",
    "unseeded",
    "seeded_at",
)


def _free(account: Account) -> bool:
    """Whether nothing is held, locked or under way."""
    flat = all(
        not position.valued and not position.early and position.disagrees_since is None and not position.memory
        for position in account.positions.values()
    )
    return flat and not account.lockouts and not account.obligations and not account.requests


def _tells_pushes(account: Account, contract: str) -> bool:
    position = account.positions.get(contract)
    return position is not None and position.pushed is not None


def _recent(account: Account, opens_at: int) -> dict[int, Trade]:
    """The fills that a rolling window may still see."""
    return {
        trade.id: trade
        for trade in account.trades.values()
        if max(trade.placed_at, trade.recorded_at) > opens_at - LONGEST_WINDOW_NS
    }


# ---- where a day leaves an account -------------------------------------------------------------------


def _closed(mine: Account | None, known: Unchanged, closing: Account, off: frozenset[str], *, whole: bool) -> Account:
    """An account at the close of a day that it opened alike; what a rule cannot see stays its own."""
    closed = copy_account(_without(closing, off))
    opening = known.opening.accounts.get(closing.id)
    if whole or mine is None or opening is None:
        return closed
    earlier = copy_account(mine)
    trips = {name: _trips(mine, name) - _trips(opening, name) for name in closing.positions}
    closed.positions = {
        **earlier.positions,
        **{
            name: replace(position, round_trips=position.round_trips + trips[name])
            for name, position in closed.positions.items()
        },
    }
    closed.trades = earlier.trades | {
        trade.id: replace(trade, round_trip=trade.round_trip + trips.get(trade.contract, 0))
        for trade in closed.trades.values()
        if trade.id not in opening.trades
    }
    closed.old_trades, closed.old_ids = earlier.old_trades, earlier.old_ids
    closed.days = earlier.days | {name: day for name, day in closed.days.items() if name not in opening.days}
    closed.counters, closed.first_at = earlier.counters, earlier.first_at
    if closing.balance_usd == opening.balance_usd:
        closed.balance_usd = earlier.balance_usd
    return closed


def _trips(account: Account, contract: str) -> int:
    position = account.positions.get(contract)
    return 0 if position is None else position.round_trips
