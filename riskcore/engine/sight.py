"""What a live engine sees of the broker: which accounts are there, when they are looked at, what is subscribed to."""

from collections.abc import Callable, Sequence
from contextlib import suppress

from riskcore.core.events import DriftDetected, Event, RequestUnresolved, SightChanged
from riskcore.core.freshness import reconciled, unseen_since
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from riskcore.core.runner import Runner
from riskcore.core.state import Account, Book
from riskcore.engine.inbox import Inbox
from riskcore.engine.options import Ports
from riskcore.engine.ports import Line, Outcome
from riskcore.engine.snapshot_schedule import (
    MARKS_NS,
    SnapshotSchedule,
    calls_for_a_look,
    is_missing_something,
    period_of,
    unquoted,
)
from riskcore.engine.subscriptions import Descriptions, Subscriptions
from riskcore.engine.tasks import Tasks

UNREADABLE = "what the user hub reports of this account cannot be read: the broker's lists stand in for it"
FIRST_CONNECTION_NS = 10 * SECOND_NS  # How long the hubs may take to connect before they count as lost.


class Sight:
    """Looks at the accounts of the broker and follows what they hold. `runner` is the one of the moment."""

    def __init__(self, ports: Ports, inbox: Inbox, tasks: Tasks, runner: Callable[[], Runner]) -> None:
        self._announcer = ports.announcer
        self._gateway = ports.gateway
        self._accounts_named = ports.accounts_named
        self._inbox = inbox
        self._tasks = tasks
        self._runner = runner
        self._subscriptions = Subscriptions(ports.feed.follow)
        self._descriptions = Descriptions()
        self._asked_about: dict[str, int] = {}
        self._visible: set[int] = set()  # The accounts that the broker has reported since the start.
        self._started_at = self._hubs_due_at = 0
        self.snapshots = SnapshotSchedule()

    @property
    def _book(self) -> Book:
        return self._runner().book

    def take_over(self, at: int) -> None:
        """The engine takes over: all accounts are to be looked at anew. At first the hubs have a while to connect."""
        self._started_at = at
        self._hubs_due_at = self._hubs_due_at or at + FIRST_CONNECTION_NS
        self.snapshots = SnapshotSchedule()

    # ---- accounts ------------------------------------------------------------------------------------

    def reported(self, account: int) -> None:
        """The broker has reported an account."""
        self._visible.add(account)

    def visible(self) -> list[Account]:
        """The accounts that the broker has, as the book knows them."""
        return [account for account in self._book.accounts.values() if account.id in self._visible]

    def judged(self) -> list[Account]:
        """Those of them that the rules judge."""
        rulebook = self._runner().turn.rulebook
        return [account for account in self.visible() if rulebook.judges(account)]

    def held_contracts(self) -> list[str]:
        """What is held on accounts that are judged."""
        held = {position.contract: None for account in self.judged() for position in account.held()}
        return list(held)

    def armed(self) -> bool:
        """Whether everything that rules need has been seen."""
        if self._descriptions.awaited(self._book, self.held_contracts(), self._inbox.stamp()):
            return False
        judged = self.judged()
        return bool(judged) and all(reconciled(self._book, account) for account in judged)

    # ---- looks ---------------------------------------------------------------------------------------

    def note_stream(self, alive: bool) -> None:
        """The user hub has connected, or is lost."""
        mode = self.snapshots.mode
        self.snapshots.stream(alive)
        self._tell_mode(mode)

    def _tell_mode(self, before: str) -> None:
        if self.snapshots.mode != before:
            self._announcer.say("connection", hub="user", mode=self.snapshots.mode)

    def unreadable(self, line: Line) -> None:
        """A message of a hub cannot be read: the lists stand in for it, for as long as such messages come."""
        with suppress(Exception):  # It may be anything.
            for account in self._accounts_named(line):
                if self.snapshots.stand_in(account, self._inbox.stamp()):
                    self._announcer.say("drift", account=account, text=UNREADABLE)

    def note_stored(self, stored: Sequence[Event]) -> None:
        """What is stored now may call for a look at once."""
        for event in stored:
            body = event.body
            if isinstance(body, DriftDetected | RequestUnresolved) and calls_for_a_look(self._book, body):
                self.snapshots.now(body.account)

    def tick(self) -> None:
        """A second has passed: look at what is due."""
        now, rulebook, judged = self._inbox.stamp(), self._runner().turn.rulebook, self.judged()
        for hub in HUBS if now >= self._hubs_due_at else ():
            if hub not in self._book.connections:
                self._inbox.line({"connection": hub, "state": "lost"})
        self.snapshots.period_ns = period_of(rulebook, judged)
        for account in judged:
            looked_at, timeout_ns = self.snapshots.succeeded_at(account.id), rulebook.profile.command_timeout_ns
            if is_missing_something(account, looked_at, now, timeout_ns):
                self.snapshots.hasten(account.id)
            unseen = self.snapshots.is_unseen(account.id, now)
            if unseen != (unseen_since(account) is not None):
                self._inbox.fact(SightChanged(account.id, unseen), "gateway", f"sight:{account.id}")
        self.look_at_due(now)
        for contract in unquoted(self._book, judged, now):
            if now - self._asked_about.get(contract, 0) >= MARKS_NS:
                self._asked_about[contract] = now
                self._tasks.call(self._gateway.refresh_mark(contract))

    def look_at_due(self, now: int) -> None:
        """Begin the looks whose time has come."""
        if self.snapshots.streaming or now >= self._hubs_due_at:
            for account in self.snapshots.due(now):
                self._tasks.call(self._look_at(account))

    async def _look_at(self, account: int) -> None:
        """A look on schedule; while enforcement hangs on it, no quota and no breaker may hold it back."""
        known = self._book.accounts.get(account)
        in_sight = known is not None and self.snapshots.streaming and reconciled(self._book, known)
        await self._snapshot(account, urgent=not in_sight)

    async def seen(self, account: int) -> Outcome:
        """A look that was decided on, as the outcome of the request for it."""
        complete = await self._snapshot(account, urgent=True)
        return Outcome("accepted") if complete else Outcome("unresolved", "the broker's lists did not come")

    async def _snapshot(self, account: int, *, urgent: bool) -> bool:
        """The broker's own lists, of fills those that may be missing."""
        day = self._book.day
        assert day is not None, "a look before the trading day was opened"
        known = self._book.accounts.get(account)
        seeded_at = (known.seeded_at if known is not None else 0) or self._started_at
        snapshots = self.snapshots  # Another one by the time of the answer, if the engine has begun again.
        rulebook = self._runner().turn.rulebook
        needed_at = day.opens_at if known is None else rulebook.fills_since(known, day)
        since = snapshots.fills_since(account, needed_at, day.opens_at, seeded_at)
        asked_at = self._inbox.stamp()
        complete = await self._gateway.snapshot(account, since, urgent)
        mode = self.snapshots.mode
        snapshots.answered(account, asked_at, since, complete)
        self._tell_mode(mode)
        return complete

    # ---- subscriptions -------------------------------------------------------------------------------

    def follow_accounts(self) -> None:
        """Subscribe to what is judged, look at it from now on, and ask what its contracts are."""
        judged = self.judged()
        self._subscriptions.update(judged)
        untold = [account for account in self._visible if account not in self._book.accounts]
        self.snapshots.follow([*(account.id for account in judged), *sorted(untold)])
        self._describe(self._subscriptions.contracts)

    def follow(self, contract: str) -> None:
        """Subscribe to a contract that somebody asks about."""
        self._subscriptions.also(contract)
        self._describe([contract])

    def _describe(self, contracts: Sequence[str]) -> None:
        for contract in self._descriptions.due(self._book, contracts, self._inbox.stamp()):
            self._tasks.call(self._gateway.describe(contract))
