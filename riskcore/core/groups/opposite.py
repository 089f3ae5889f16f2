"""Opposite positions in several accounts: which position completed the pair, since when, and what is done about it.

The position that was opened or turned last completed it. Both have to be there without a break for a time of grace,
because the legs that a copier places arrive apart. Source: PROGRAMME.md 5, PROG-HEDGE, and 7.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Derived
from riskcore.core.names import episode_name, memory_name
from riskcore.core.rules.base import BREACHED, NO_MEASURE, OK, Breach, Finding, Reading, Rearm
from riskcore.core.rules.commands import alert, close_position
from riskcore.core.state import Account, Position
from riskcore.core.view import View

_BEFORE = "before"  # How many breaches the account had when the last day closed.
Family = Callable[[str], str]  # The name of the family that a root belongs to.


@dataclass(frozen=True, slots=True)
class Pair:
    """A position of the account in view that stands against an older one in another account."""

    family: str
    position: Position
    against: Account
    since: int


@dataclass(frozen=True, slots=True)
class Opposites:
    """Who must not be long while another is short, in what, and for how long it may be so."""

    accounts: Sequence[Account]
    family: Family
    grace_ns: int

    def findings(self, view: View, *, close: bool) -> Sequence[Finding]:
        """A breach for each family in which a pair outlasted the grace, until no opposite pair is left in it."""
        found: list[Finding] = [Rearm(name) for name in view.open_targets() if not self._stands(view, name)]
        due = [pair for pair in self._completed(view) if pair.since + self.grace_ns <= view.now]
        for name in dict.fromkeys(pair.family for pair in due if not view.episode_open(pair.family)):
            found.append(_breach([pair for pair in due if pair.family == name], close))
        return found

    def deadline(self, view: View) -> int | None:
        """When the first pair that has not been acted on outlasts the grace."""
        pairs = [pair for pair in self._completed(view) if not view.episode_open(pair.family)]
        return min((pair.since + self.grace_ns for pair in pairs), default=None)

    def reading(self, view: View) -> Reading:
        """The families in which the account is opposite to another now, and how often any has breached today."""
        others = [account for account in self.accounts if account is not view.account]
        standing = dict.fromkeys(
            name
            for position in view.held()
            for name in (self.family(view.root(position.contract)),)
            if any(self._is_opposite(view, position, other, name) for one in others for other in one.held())
        )
        today = sum(_breaches(one, view.rule_key) - one.memory.get(_before(view), 0) for one in self.accounts)
        words = (", ".join(standing) or "none") + (f"; breaches today: {today}" if today else "")
        return Reading("opposite positions", NO_MEASURE, now=words, state=BREACHED if standing else OK)

    def _completed(self, view: View) -> Iterator[Pair]:
        """The pairs that a position of the account in view completed."""
        others = [account for account in self.accounts if account is not view.account]
        for position in view.held():
            name = self.family(view.root(position.contract))
            for account in others:
                if any(self._older(view, account, other, position, name) for other in account.held()):
                    yield Pair(name, position, account, max(position.opened_at, view.book.started_at))
                    break

    def _older(self, view: View, account: Account, other: Position, position: Position, name: str) -> bool:
        """Whether a position of another account is opposite and was there first."""
        opposite = self._is_opposite(view, position, other, name)
        return opposite and (other.opened_at, account.id) < (position.opened_at, view.account.id)

    def _is_opposite(self, view: View, position: Position, other: Position, name: str) -> bool:
        return other.size * position.size < 0 and self.family(view.root(other.contract)) == name

    def _stands(self, view: View, name: str) -> bool:
        """Whether any two accounts hold opposite positions of a family."""
        held = [
            (position.size > 0, account.id)
            for account in self.accounts
            for position in account.held()
            if self.family(view.root(position.contract)) == name
        ]
        return any(long and not other_long and one != other for long, one in held for other_long, other in held)


def _breach(pairs: Sequence[Pair], close: bool) -> Breach:
    """The breach of a family, on the newest of the positions that completed a pair."""
    newest = max(pairs, key=lambda pair: (pair.since, pair.position.increase_order))
    figures = {"family": newest.family, "against": str(newest.against.id)}
    if close:
        commands = tuple(close_position(pair.position.contract) for pair in pairs)
    else:
        side = "long" if newest.position.size > 0 else "short"
        commands = (
            alert(
                f"{newest.position.contract} is {side} here and account {newest.against.name or newest.against.id} "
                f"holds the opposite in {newest.family}: close one of the two; closing and reducing stay possible"
            ),
        )
    return Breach(newest.family, figures, commands, contract=newest.position.contract)


def close_day(view: View) -> Sequence[Derived]:
    """The breaches so far are those of days that have closed; what comes is counted from there."""
    view.keep_account(_BEFORE, _breaches(view.account, view.rule_key) or None)
    return ()


def _before(view: View) -> str:
    return memory_name(view.rule_key, _BEFORE)


def _breaches(account: Account, rule_key: str) -> int:
    """How often the account has completed a pair that outlasted the grace."""
    stem = episode_name(rule_key, "")
    return sum(count for name, count in account.counters.items() if name.startswith(stem))
