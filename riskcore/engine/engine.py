"""The live engine: what comes in is decided, stored, and only then carried out (DESIGN.md "One event, end to end").

One task turns: it takes what waits in the inbox, runs it through the core, stores facts and decisions in one
transaction, and sends the requests that are due. Everything else (hubs, calls, clock) only fills the inbox.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from riskcore.audit.health import Vitals
from riskcore.core.events import (
    AccountObserved,
    ClockTicked,
    ConfigChanged,
    ConnectionChanged,
    ContractDescribed,
    DriftDetected,
    EngineStarted,
    Event,
    Fact,
    LockRequested,
    OperatorOverride,
    OrderRequested,
    RequestAttempted,
    RequestUnresolved,
)
from riskcore.core.freshness import reconciled
from riskcore.core.kinds import HUBS
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quotes import Quotes
from riskcore.core.restart import absence
from riskcore.core.rulebook import Rulebook
from riskcore.core.runner import Runner
from riskcore.core.state import Account, Book, Request
from riskcore.engine.arming import Arm, check_accounts, check_contracts, note_contract, tell_edits, tell_ready
from riskcore.engine.desk import Replies
from riskcore.engine.halt import Halt
from riskcore.engine.inbox import Inbox, Normalise
from riskcore.engine.ports import Announcer, Clock, Feed, Gateway, Outcome
from riskcore.engine.resume import Resumed
from riskcore.engine.snapshot_schedule import (
    MARKS_NS,
    SnapshotSchedule,
    calls_for_a_look,
    is_missing_something,
    period_of,
    unquoted,
)
from riskcore.engine.subscriptions import Descriptions, Subscriptions
from riskcore.engine.tasks import Tasks, unless_stopped
from riskcore.engine.writer import Appender, Writer
from riskcore.errors import DiskFull, InvariantBroken, OutOfSequence
from riskcore.settings.calendar import day_for

# Taken in one turn at most: a longer transaction would let a command wait behind its quotes.
MOST_A_TURN = 500
REMEMBERED_EVERY = 20_000  # Events between two copies of the book that speed up a start.
TICK_SECONDS = 1
FIRST_CONNECTION_NS = 10 * SECOND_NS  # How long the hubs may take to connect before they count as lost.
WIND_UP_SECONDS = 5  # How long answers to requests in flight are waited for when the engine stops.
# How the natural keys of the operator's words begin.
_ABOUT = {OrderRequested: "order", LockRequested: "lock", OperatorOverride: "override"}


class Engine:
    """Runs until `stop`. Build it with a resumed book and real or simulated ports."""

    def __init__(
        self,
        *,
        settings: Mapping[str, Any],
        version: str,
        enforces: bool,
        journal: Appender,
        resumed: Resumed,
        clock: Clock,
        gateway: Gateway,
        feed: Feed,
        announcer: Announcer,
        normalise: Normalise,
        reload: Callable[[], Resumed],
        arm: Arm = check_accounts,
    ) -> None:
        self._arm = arm
        self._reload = reload
        self.version = version
        self.enforces = enforces
        self.clock = clock
        self.gateway = gateway
        self.feed = feed
        self.announcer = announcer
        self.inbox = Inbox(clock, normalise)
        self.inbox.resume_at(resumed.last_at)
        self.writer = Writer(journal)
        self.writer.remember(resumed.book)
        self.snapshots = SnapshotSchedule()
        self.replies = Replies()
        self.vitals = Vitals()
        self.ready = False
        self._settings = dict(settings)
        self.halt = Halt(self.writer, announcer)
        self._runner = self._going_on(resumed)
        self._tasks = Tasks(self._failed)
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._started_at = self._hubs_due_at = 0
        self._subscriptions = Subscriptions(feed.follow)
        self._asked_about: dict[str, int] = {}
        self._descriptions = Descriptions()
        self._next_due: int | None = None  # When time alone must act next.
        self._visible: set[int] = set()  # The accounts that the broker has told of since the start.
        self._untold: list[Event] = []  # Stored, and nobody has been told yet.
        self._commit_ns = 0
        self._remember_at = REMEMBERED_EVERY

    @property
    def book(self) -> Book:
        """The book as it is now. While the journal cannot be written it has facts that are not stored, no decisions."""
        return self._runner.book

    @property
    def rulebook(self) -> Rulebook:
        return self._runner.turn.rulebook

    def judged(self) -> list[Account]:
        """The accounts the rules judge, without those of older days that the broker does not have any more."""
        known = self.book.accounts.values()
        return [account for account in known if account.id in self._visible and self.rulebook.judges(account)]

    # ---- life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Log in, connect, and go on until stopped.

        Raises LoginRefused, BrokerUnreachable, ConfigError (an account that must not be armed), ProfileBusy,
        StoreError, InvariantBroken (start again: the journal holds what is true).
        """
        self._take_over()
        self._hubs_due_at = self._started_at + FIRST_CONNECTION_NS
        try:
            if not await unless_stopped(self._stopping, self.gateway.open(self.inbox)):
                return
            self._compare_settings()
            self.turn()
            self._afterwards()
            visible = [account for account in self.book.accounts.values() if account.id in self._visible]
            self._arm(self.judged(), visible, self.enforces)
            check_contracts(self.book.contracts.values())
            self._tasks.lasting(self.feed.run(self.inbox))
            self._tasks.lasting(self._tick())
            await self._turn_until_stopped()
        except (InvariantBroken, OutOfSequence) as error:
            self._failure = error  # Nothing more may be stored on what is in memory.
        finally:
            await self._wind_up()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop in good order: take on nothing new, store what is in hand."""
        self._stopping.set()
        self.inbox.filled.set()

    def _going_on(self, resumed: Resumed) -> Runner:
        book, ended, keep = resumed.book, resumed.day_ended, (self.writer.keep,)
        return Runner(self._settings, keep, day_for, version=self.version, keep_quotes=True, book=book, day_ended=ended)

    def _take_over(self) -> None:
        """A start: what the journal says was true when it was written last, and the rest is to be seen."""
        for event in absence(self.book):
            self._runner.event(event)
        self._started_at = self.inbox.stamp()
        self.inbox.fact(EngineStarted(self.version, self.enforces), "operator", "engine")

    def _begin_again(self) -> None:
        """The journal can be written again: go on from what it says, as a restart does, with the hubs as they are."""
        self._runner.finish()
        self.halt.note(self.writer.discard(), self.book)
        connections = self.book.connections
        resumed = self._reload()
        self.writer.begin_again(resumed.book)
        self._runner = self._going_on(resumed)
        self.snapshots, self.ready = SnapshotSchedule(), False
        self._take_over()
        self._compare_settings()
        for hub, state in connections.items():
            self.inbox.line({"connection": hub, "state": state})

    def submit(self, body: Fact) -> str:
        """The operator's word as a fact; its natural key, the cause of what follows. Raises DiskFull during a halt."""
        if self.writer.broken is not None:
            raise DiskFull(f"nothing can be stored, so nothing was done: {self.writer.broken}")
        key = self.inbox.fact(body, "operator", _ABOUT[type(body)])
        self.replies.follow(key)
        return key

    async def settled(self, key: str, timeout_seconds: float) -> list[Event]:
        """What followed from a submitted fact: derived events, and the answers to the requests it led to."""
        return await self.replies.settled(key, self.clock, timeout_seconds)

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Settings were edited: what tightens counts at once, what loosens at the next reset (RULES.md 1.6)."""
        self._settings = dict(settings)
        self._compare_settings()

    def _compare_settings(self) -> None:
        self._runner.change_settings(self._settings)
        if self.book.day is not None and self.book.settings != self._settings:
            self.inbox.fact(ConfigChanged(self._settings), "operator", "config")
            tell_edits(self.announcer, self.book.settings, self._settings)

    async def _turn_until_stopped(self) -> None:
        while not self._stopping.is_set():
            await self.inbox.filled.wait()
            self.turn()
            # What was decided leaves before anything else is done, and hubs get their turn, however much waits.
            await asyncio.sleep(0)
            self._afterwards()

    async def _wind_up(self) -> None:
        self._stopping.set()
        await self._tasks.end(self.clock, WIND_UP_SECONDS)
        for leave in (self.gateway.close, None):  # The logout is stored, too; what is in hand does not wait for it.
            if self.writer.broken is None and not isinstance(self._failure, InvariantBroken | OutOfSequence):
                self.store_in_hand()
            if leave is not None:
                await leave()

    def store_in_hand(self) -> None:
        """Handle and store what has come in, and send nothing any more. Raises StoreError."""
        while not self.inbox.empty:
            self._take()
        self._runner.finish()
        self._store([])
        self._remember()
        self._tell()

    def _failed(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            self.stop()

    # ---- one turn ------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Handle what waits, store it, send what it leads to. Raises InvariantBroken, OutOfSequence, StoreError."""
        try:
            self._take()
            to_send = self._attempt()
        except AssertionError as error:
            raise InvariantBroken(
                f"riskcore itself went wrong ({error or 'an assertion failed'}); nothing was sent on it, and the state"
                " is built again from the journal"
            ) from error
        self._store(to_send)
        self._send(to_send)

    def _afterwards(self) -> None:
        """What a command need not wait for: telling of what is stored, subscriptions, the deadlines to come."""
        self._tell()
        self._follow()
        if self.snapshots.woken:
            self._look_at_accounts(self.inbox.stamp())
        self._next_due = self._runner.look_ahead()

    def _take(self) -> None:
        for _ in range(MOST_A_TURN):
            item = self.inbox.take()
            if item is None:
                return
            if isinstance(item, Quotes):
                self._runner.quotes(item)
                continue
            for event in item:
                self._runner.event(event)
                if isinstance(event.body, AccountObserved):
                    self._visible.add(event.body.account)
                elif isinstance(event.body, ContractDescribed):
                    note_contract(event.body.contract, self.announcer, self.ready or self._stopping.is_set())
                elif isinstance(event.body, ConnectionChanged) and event.body.hub == "user":
                    self._note_stream(event.body.state == "connected")

    def _note_stream(self, alive: bool) -> None:
        mode = self.snapshots.mode
        self.snapshots.stream(alive)
        self._tell_mode(mode)

    def _tell_mode(self, before: str) -> None:
        if self.snapshots.mode != before:
            self.announcer.say("connection", hub="user", mode=self.snapshots.mode)

    def _attempt(self) -> list[tuple[int, Request]]:
        """The requests to be sent behind the next commit: each is noted as attempted in that very transaction."""
        due = [
            (account.id, request)
            for account in self.book.accounts.values()
            for request in account.requests.values()
            if request.state == "planned" and (self.writer.broken is None or self.writer.may_leave(account.id, request))
        ]
        for account_id, request in due:
            body = RequestAttempted(account_id, request.id)
            self._runner.event(Event(self.inbox.stamp(), "gateway", f"attempt:{request.id}", body))
        return due

    def _store(self, due: Sequence[tuple[int, Request]]) -> None:
        began_at = self.clock.now()
        self._untold += self.writer.commit(self.book)
        self._commit_ns = self.clock.now() - began_at
        if self.writer.broken is not None:
            self._runner.decide_nothing()
            self.writer.keep_to_stored(self.book, due)
            self.halt.note(self.writer.discard(), self.book)

    def _tell(self) -> None:
        if self.writer.stored >= self._remember_at:
            self._remember()
        self.halt.say()
        stored, self._untold = self._untold, []
        if not stored:
            return
        self.vitals.stored(stored, self._commit_ns)
        for event in stored:
            body = event.body
            if isinstance(body, DriftDetected | RequestUnresolved) and calls_for_a_look(self.book, body):
                self.snapshots.now(body.account)
        self.announcer.stored(stored, self.book)
        self.replies.note(stored)
        self._announce_readiness()

    def _remember(self) -> None:
        """Keep the book beside the journal, so that the next start folds only what comes behind it."""
        self._runner.finish()
        self._store([])
        self.writer.cache(self.book)
        self._remember_at = self.writer.stored + REMEMBERED_EVERY

    def _send(self, due: Sequence[tuple[int, Request]]) -> None:
        """Send what is stored; with a broken disk only what may leave without."""
        if self.writer.broken is not None:
            due = [one for one in due if self.writer.may_leave(*one)]
            self.halt.sent_at = self.inbox.stamp() if due else self.halt.sent_at
        stored = self.writer.broken is None
        for account, request in due:
            seeing = request.kind == "takeSnapshot"
            outcome = self._seen(account) if seeing else self.gateway.carry_out(account, request)
            self._tasks.call(self._note_outcome(account, request, outcome, stored=stored))

    async def _seen(self, account: int) -> Outcome:
        complete = await self._snapshot(account, urgent=True)
        return Outcome("accepted") if complete else Outcome("unresolved", "the broker's lists did not come")

    async def _note_outcome(
        self, account: int, request: Request, coming: Coroutine[Any, Any, Outcome], *, stored: bool
    ) -> None:
        outcome = await coming
        # Sent unstored, and begun again meanwhile: the journal knows of no such request; the lists show its effect.
        if stored or self.writer.broken is not None:
            body = outcome.fact(account, request.id)
            self.inbox.fact(body, "gateway", f"{outcome.kind}:{request.id}")

    # ---- seeing --------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Once a second, and when a timer is due: time passes, and what is to be looked at is looked at."""
        while True:
            if self.writer.broken is not None:
                if self.inbox.empty and self.halt.is_over(self.judged(), self.inbox.stamp()):
                    self._begin_again()
            elif self.inbox.empty:
                self.writer.tidy()
            self.inbox.fact(ClockTicked(), "clock", "clock")
            self._look()
            await self.clock.sleep(self._until_next_tick())

    def _until_next_tick(self) -> float:
        """Seconds. What is due before a tick would come, like the end of the hours, is not kept waiting."""
        until_due = (self._next_due or 0) - self.inbox.stamp()
        return until_due / SECOND_NS if 0 < until_due < TICK_SECONDS * SECOND_NS else TICK_SECONDS

    def _look(self) -> None:
        now = self.inbox.stamp()
        for hub in HUBS if now >= self._hubs_due_at else ():
            if hub not in self.book.connections:
                self.inbox.line({"connection": hub, "state": "lost"})
        self.snapshots.period_ns = period_of(self.rulebook, self.judged())
        for judged in self.judged():
            looked_at, timeout_ns = self.snapshots.succeeded_at(judged.id), self.rulebook.profile.command_timeout_ns
            if is_missing_something(judged, looked_at, now, timeout_ns):
                self.snapshots.hasten(judged.id)
        self._look_at_accounts(now)
        for contract in unquoted(self.book, self.judged(), now):
            if now - self._asked_about.get(f"marks {contract}", 0) >= MARKS_NS:
                self._asked_about[f"marks {contract}"] = now
                self._tasks.call(self.gateway.refresh_mark(contract))

    def _look_at_accounts(self, now: int) -> None:
        if self.snapshots.streaming or now >= self._hubs_due_at:
            for account in self.snapshots.due(now):
                self._tasks.call(self._look_at(account))

    async def _look_at(self, account: int) -> None:
        """A look on schedule; while enforcement hangs on it, no quota and no breaker may hold it back."""
        known = self.book.accounts.get(account)
        in_sight = known is not None and self.snapshots.streaming and reconciled(self.book, known)
        await self._snapshot(account, urgent=not in_sight)

    async def _snapshot(self, account: int, *, urgent: bool) -> bool:
        """The broker's own lists, of fills those that may be missing."""
        assert self.book.day is not None
        known = self.book.accounts.get(account)
        seeded_at = (known.seeded_at if known is not None else 0) or self._started_at
        snapshots = self.snapshots  # Another one by the time of the answer, if the engine has begun again.
        since = snapshots.fills_since(account, self.book.day.opens_at, seeded_at)
        asked_at = self.inbox.stamp()
        complete = await self.gateway.snapshot(account, since, urgent)
        mode = self.snapshots.mode
        snapshots.answered(account, asked_at, complete)
        self._tell_mode(mode)
        return complete

    def market_expected(self) -> bool:
        """Whether quotes should be coming: something is held."""
        return bool(self._held_contracts())

    def _held_contracts(self) -> list[str]:
        held = {position.contract: None for account in self.judged() for position in account.held()}
        return list(held)

    def _follow(self) -> None:
        judged = self.judged()
        self._subscriptions.update(judged)
        untold = [account for account in self._visible if account not in self.book.accounts]
        self.snapshots.follow([*(account.id for account in judged), *sorted(untold)])
        self._describe(self._subscriptions.contracts)

    def follow(self, contract: str) -> None:
        """Subscribe to a contract that somebody asks about."""
        self._subscriptions.also(contract)
        self._describe([contract])

    def _describe(self, contracts: Sequence[str]) -> None:
        for contract in self._descriptions.due(self.book, contracts, self.inbox.stamp()):
            self._tasks.call(self.gateway.describe(contract))

    def _announce_readiness(self) -> None:
        if self.ready or self._stopping.is_set():
            return
        judged = self.judged()
        if self._descriptions.awaited(self.book, self._held_contracts(), self.inbox.stamp()):
            return
        if judged and all(reconciled(self.book, account) for account in judged):
            self.ready = True
            tell_ready(self.announcer, judged, self.enforces, self.book.settings)
