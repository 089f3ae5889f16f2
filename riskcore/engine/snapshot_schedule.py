"""When the broker is asked what there is: after every connection, at intervals, on drift, and by polling while blind.

Pure schedule over times; the engine takes the snapshots. Source: DESIGN.md "Connection and truth", API.md 4.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from riskcore.core.events import DriftDetected, RequestUnresolved
from riskcore.core.exit_orders import FILLS_AWAITED_NS, lacks_fills, look_due
from riskcore.core.freshness import POLLED_NS
from riskcore.core.kinds import CONNECTED, MARKET_HUB
from riskcore.core.marks import stale_at
from riskcore.core.quantities import DAY_NS, MINUTE_NS, SECOND_NS
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book
from riskcore.engine.back_off import BackOff

PERIOD_NS = 60 * SECOND_NS  # While the stream works, as a check on what it may have lost.
POLL_NS = 5 * SECOND_NS  # While the stream is lost: REST polling instead of it.
SLOW_POLL_NS = 15 * SECOND_NS  # When polling fails as well: single snapshots.
STAND_IN_NS = 60 * SECOND_NS  # How long the lists of an account stand in for a message that cannot be read.
FAILURES_TO_SLOW = 5
BACK_OFF = BackOff(SECOND_NS, SLOW_POLL_NS)
OVERLAP_NS = 10 * MINUTE_NS  # How far back fills are listed again, to catch late corrections (API.md 3.4).
LONGEST_GAP_NS = 4 * DAY_NS  # Fills before the reset are asked for over a long weekend, not after a holiday.
MARKS_NS = 5 * SECOND_NS  # Between two looks at the bars of a contract whose quotes are stale.
STREAM, POLLING, SNAPSHOTS = "stream", "polling", "snapshots"


@dataclass(slots=True)
class _Account:
    due: int = 0
    failures: int = 0
    asking: bool = False
    again: bool = False  # Only a look that begins from now on counts.
    succeeded_at: int = 0
    stands_in_until: int = 0  # Its lists stand in for messages that cannot be read.
    unread_since: int = 0  # The first message that could not be read and whose place no list has taken yet; 0: none.
    unread_at: int = 0  # The last one.
    reached: int | None = None  # The first instant since which looks have listed every fill.


@dataclass(slots=True)
class SnapshotSchedule:
    """Which account is to be asked about next. All times in nanoseconds."""

    streaming: bool = False
    period_ns: int = PERIOD_NS
    woken: bool = False  # Something is due now, not only at the next tick.
    _accounts: dict[int, _Account] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """How riskcore sees the accounts at the moment: stream, polling or snapshots."""
        if self.streaming:
            return STREAM
        slow = any(account.failures >= FAILURES_TO_SLOW for account in self._accounts.values())
        return SNAPSHOTS if slow else POLLING

    def follow(self, accounts: list[int]) -> None:
        if list(self._accounts) != accounts:
            self.woken = True
            self._accounts = {name: self._accounts.get(name) or _Account() for name in accounts}

    def now(self, account: int) -> None:
        """The next look is due at once: connected anew, or drift."""
        if account in self._accounts:
            self._look_anew(self._accounts[account])

    def hasten(self, account: int) -> None:
        """Something may be missing: the next look is due at once, but failures keep their pace."""
        known = self._accounts.get(account)
        if known is not None and not known.asking and not known.failures:
            known.due = 0

    def stand_in(self, account: int, now: int) -> bool:
        """A message about an account cannot be read: look now, and poll for a while; whether that is new."""
        known = self._accounts.get(account)
        if known is None:
            return False
        began, known.stands_in_until = now >= known.stands_in_until, now + STAND_IN_NS
        known.unread_since, known.unread_at = known.unread_since or now, now
        self.hasten(account)
        known.again, self.woken = known.asking, True
        return began

    def stream(self, alive: bool) -> None:
        """The user hub is connected, or not any more."""
        if alive != self.streaming:
            self.streaming = alive
            for account in self._accounts.values():
                self._look_anew(account)

    def _look_anew(self, account: _Account) -> None:
        """One in hand, which the quota may hold back for long, is not awaited: by now the next may be urgent."""
        account.due, account.asking, account.again = 0, False, True
        self.woken = True

    def due(self, now: int) -> list[int]:
        """The accounts to be asked about now; each is noted as being asked about."""
        self.woken = False
        found = [name for name, one in self._accounts.items() if not one.asking and one.due <= now]
        for name in found:
            self._accounts[name].asking, self._accounts[name].again = True, False
        return found

    def answered(self, account: int, asked_at: int, since: int, complete: bool) -> None:
        """A snapshot with fills since `since` came, in full or not."""
        known = self._accounts.get(account)
        if known is None:
            return
        known.asking = False
        if complete:
            known.failures, known.succeeded_at = 0, max(asked_at, known.succeeded_at)
            known.reached = min(since, asked_at if known.reached is None else known.reached)
            if known.unread_since:  # A look that was overtaken by a later one brings nothing back.
                known.unread_since = 0 if asked_at >= known.unread_at else max(asked_at, known.unread_since)
            self.woken = self.woken or known.again
            quiet = self.streaming and asked_at >= known.stands_in_until
            known.due = 0 if known.again else asked_at + (self.period_ns if quiet else POLL_NS)
        else:
            known.failures += 1
            known.due = asked_at + BACK_OFF.wait_ns(known.failures)

    def is_unseen(self, account: int, now: int) -> bool:
        """Whether a message about an account could not be read, and no list has come in its place for too long."""
        known = self._accounts.get(account)
        return known is not None and 0 < known.unread_since <= now - POLLED_NS

    def succeeded_at(self, account: int) -> int:
        """When the account was last seen in full; 0 for never."""
        known = self._accounts.get(account)
        return known.succeeded_at if known is not None else 0

    def fills_since(self, account: int, needed_at: int, opens_at: int, seeded_at: int) -> int:
        """Since when the look that begins now is to list fills. `needed_at`: as far back as rules look.

        The last complete look, if looks have listed all that rules need. At first the whole day, and what an engine
        missed that did not look before the reset: it may have died, or the broker did not answer, or the clock here
        is ahead and the reset came too early.
        """
        known = self._accounts.get(account, _Account())
        since = min(needed_at, opens_at)
        if known.reached is not None:
            since = known.succeeded_at - OVERLAP_NS if known.reached <= since else since
        elif opens_at - seeded_at < LONGEST_GAP_NS:
            since = min(since, seeded_at - OVERLAP_NS)
        return since


def period_of(rulebook: Rulebook, accounts: Sequence[Account]) -> int:
    """How often accounts are looked at while the stream works: a rule may want the broker's word more often."""
    wanted = (
        instance.rule.confirms_every(instance.params)
        for account in accounts
        for instance in rulebook.instances(account)
        if instance.rule.confirms_every is not None
    )
    return min([PERIOD_NS, *(period_ns for period_ns in wanted if period_ns is not None)])


def misses_fills(account: Account, looked_at: int, now: int) -> bool:
    """Whether an order has filled since the last look, and a moment later its fills are still not told."""
    return any(
        lacks_fills(account, order)
        for order in account.orders.values()
        if order.filled_at is not None and looked_at < order.filled_at <= now - FILLS_AWAITED_NS
    )


def is_missing_something(account: Account, looked_at: int, now: int, command_timeout_ns: int) -> bool:
    """Whether an order has filled and its fills do not come, or only a look can tell the outcome of a close."""
    dues = (look_due(account, contract, command_timeout_ns) for contract in account.positions)
    return misses_fills(account, looked_at, now) or any(due is not None and now >= due for due in dues)


def unquoted(book: Book, accounts: Sequence[Account], now: int) -> list[str]:
    """Held contracts whose quotes do not come: the market hub is gone, or it reports only others."""
    gone = book.connections.get(MARKET_HUB, CONNECTED) != CONNECTED
    held = (position for account in accounts for position in account.held())
    return list(dict.fromkeys(one.contract for one in held if gone or now >= stale_at(book, one)))


def calls_for_a_look(book: Book, body: DriftDetected | RequestUnresolved) -> bool:
    """Whether the account is to be looked at now: drift, or a trader's request whose outcome is unknown.

    For riskcore's own requests the planner asks for a snapshot itself.
    """
    if isinstance(body, DriftDetected):
        return True
    request = book.accounts[body.account].requests.get(body.request)
    return request is not None and not request.obligation
