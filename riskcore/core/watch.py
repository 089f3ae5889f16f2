"""Quiet bounds: which quotes need no look at all (DESIGN.md, "The fast path").

A quote inside the bounds changes nothing but its mark, so the runner collects such marks (QuietMarks) and puts them in
place before anything else is judged. Evaluating every quote gives the same events and the same state; a property test
holds the two against each other.
"""

from collections.abc import Sequence

from riskcore.core.bounds import NEVER, NOTHING, Bounds, Watch
from riskcore.core.events import ClockTicked, Event
from riskcore.core.marks import CONSERVATIVE, mark_field, valued_side
from riskcore.core.project import next_mark
from riskcore.core.requests import HALTED_NS, awaits_trading
from riskcore.core.rulebook import Rulebook
from riskcore.core.rules.base import UNBOUNDED, Quiet
from riskcore.core.state import Account, Book, Mark, Position
from riskcore.core.timers import Timer, due_timers
from riskcore.core.view import Effect, View

__all__ = ["NEVER", "QuietMarks", "Watch", "watch"]

_ANY = (-UNBOUNDED, UNBOUNDED)
_MOMENT = Event(0, "core", "quiet", ClockTicked())


def watch(book: Book, rulebook: Rulebook, timers: Sequence[Timer] | None = None) -> Watch:
    """The bounds of the book as it is now, all rules and timers intersected; `timers` where they are known."""
    if timers is None:
        timers = due_timers(book, rulebook)
    found = Watch(book.day.closes_at if book.day is not None else 0)
    by_gaps: dict[int, tuple[str, ...]] = {}
    for account in book.accounts.values():
        held = [position for position in account.positions.values() if position.valued]
        by_gaps[account.id] = _narrow(found, book, rulebook, account, held) if held else ()
    # Stale marks are watched by gaps where they can be, by their deadline where they cannot.
    due = [timer.due for timer in timers if timer.kind == "fault" or timer.rule not in by_gaps[timer.account]]
    found.until = min([found.until, *due])
    return found


def _narrow(found: Watch, book: Book, rulebook: Rulebook, account: Account, held: list[Position]) -> tuple[str, ...]:
    """Narrow the bounds by one account; the ids of the rules whose deadlines are watched over by gaps."""
    profile = rulebook.profile
    view = View(book, account, _MOMENT, Effect(), profile.pnl_basis, profile.mark)
    quiet = Quiet()
    by_gaps = []
    for instance in rulebook.instances(account):
        if instance.rule.quiet is not None and not instance.lacking(book.lacks):
            view.rule_key = instance.key
            known_gaps = dict(quiet.gaps)
            try:
                instance.rule.quiet(instance.params, view, quiet)
            except Exception:
                # It does not know where it is quiet, so every quote is judged: slower, never wrong.
                quiet.never = True
            if quiet.gaps != known_gaps:
                by_gaps.append(instance.rule.id)
    found.until = min(found.until, quiet.until)
    for position in held:
        known = found.bounds.get(position.contract, (*_ANY, *_ANY, *_ANY))
        found.bounds[position.contract] = _intersect(known, _bounds_of(book, position, quiet, profile.mark))
    if quiet.never:
        return ()
    for position in held:
        if position.contract in book.marks and awaits_trading(account, position.contract, book.now):
            # The quote that ends a halt is looked at; a gap of just the length given is still quiet.
            quiet.gaps[position.contract] = min(HALTED_NS - 1, quiet.gaps.get(position.contract, HALTED_NS))
    for contract, gap_ns in quiet.gaps.items():
        found.gaps[contract] = min(gap_ns, found.gaps.get(contract, gap_ns))
    return tuple(by_gaps)


def _bounds_of(book: Book, position: Position, quiet: Quiet, mode: str) -> Bounds:
    mark = book.marks.get(position.contract)
    if quiet.never or mark is None or mark.from_bars or position.awaits_mark:
        return NEVER
    bounds = _bounds_by(mark, position, quiet.intervals.get(position.contract, _ANY), mode)
    if position.contract in quiet.conservative:
        conservative = _bounds_by(mark, position, quiet.conservative[position.contract], CONSERVATIVE)
        bounds = _intersect(bounds, conservative)
    return bounds


def _bounds_by(mark: Mark, position: Position, interval: tuple[int, int], mode: str) -> Bounds:
    """The interval for the price that values the position in a mode, and no news of one that would take its place."""
    side = valued_side(position)
    used = mark_field(mark, side, mode)
    by_field = {name: interval if name == used else _ANY for name in ("last", "bid", "ask")}
    if mode == "last" and used != "last":
        # The first last price would change what values the position.
        by_field["last"] = NOTHING
    if mode == CONSERVATIVE and used == "last":
        by_field["bid" if side > 0 else "ask"] = NOTHING
    return (*by_field["last"], *by_field["bid"], *by_field["ask"])


def _intersect(one: Bounds, other: Bounds) -> Bounds:
    if NEVER in (one, other):
        return NEVER
    low_last, high_last, low_bid, high_bid, low_ask, high_ask = one
    return (
        max(low_last, other[0]),
        min(high_last, other[1]),
        max(low_bid, other[2]),
        min(high_bid, other[3]),
        max(low_ask, other[4]),
        min(high_ask, other[5]),
    )


class QuietMarks:
    """Marks moved by quiet quotes and not put into the book yet: the bounds, and where each contract is now."""

    def __init__(self) -> None:
        self._watch: Watch | None = None  # None: to be worked out again.
        self._moved: dict[str, list[int | None]] = {}  # contract: [last, bid, ask, at]

    def bounds(self, book: Book, rulebook: Rulebook, timers: Sequence[Timer] | None = None) -> Watch:
        """The bounds in force, worked out again after something happened; `timers` where they are known."""
        if self._watch is None:
            self._watch = watch(book, rulebook, timers)
        return self._watch

    @property
    def known(self) -> bool:
        """Whether the bounds are known: nothing has happened since they were worked out."""
        return self._watch is not None

    def copy(self) -> "QuietMarks":
        """The same moved marks, to go back to; the bounds are worked out again."""
        other = QuietMarks()
        other._moved = {contract: list(moved) for contract, moved in self._moved.items()}
        return other

    def happened(self) -> None:
        """Something other than a quiet quote changed the book: the bounds are not good any more."""
        self._watch = None

    def marked_at(self, book: Book, contract: str) -> int:
        """When a contract was last quoted."""
        moved = self._moved.get(contract)
        at = moved[3] if moved is not None else book.marks[contract].at
        assert at is not None, "a moved mark has a time"
        return at

    def is_quiet(
        self, book: Book, known: Watch, at: int, contract: str, last: int | None, bid: int | None, ask: int | None
    ) -> bool:
        """Whether one quote lies within the bounds."""
        if at >= known.until:
            return False
        for watched, gap_ns in known.gaps.items():
            if at - self.marked_at(book, watched) > gap_ns:
                return False
        return known.holds(contract, last, bid, ask)

    def move(self, at: int, contract: str, last: int | None, bid: int | None, ask: int | None) -> None:
        """Remember a quiet quote; what it leaves out stays as it was."""
        moved = self._moved.get(contract)
        if moved is None:
            self._moved[contract] = [last, bid, ask, at]
            return
        if last is not None:
            moved[0] = last
        if bid is not None:
            moved[1] = bid
        if ask is not None:
            moved[2] = ask
        moved[3] = at

    def settled(self, book: Book) -> dict[str, Mark]:
        """The marks to put into the book before anything else is judged; nothing is remembered afterwards."""
        if not self._moved:
            return {}
        marks = {
            contract: next_mark(book, contract, at, last, bid, ask)
            for contract, (last, bid, ask, at) in self._moved.items()
            if at is not None
        }
        self._moved = {}
        return marks
