"""The live engine: what comes in is decided, stored, and only then carried out (DESIGN.md "One event, end to end").

One task turns: it takes what waits in the inbox, runs it through the core, stores facts and decisions in one
transaction, and sends the requests that are due. Everything else (hubs, calls, clock) only fills the inbox.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from riskcore.audit.health import Vitals
from riskcore.core.events import (
    ClockTicked,
    ConfigChanged,
    EngineStarted,
    Event,
    Fact,
    RequestAttempted,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.core.restart import absence
from riskcore.core.rulebook import Rulebook
from riskcore.core.runner import Runner
from riskcore.core.state import Account, Book, Request
from riskcore.engine.arming import check_contracts, tell_edits, tell_left_out, tell_ready
from riskcore.engine.desk import Replies
from riskcore.engine.halt import Halt
from riskcore.engine.inbox import Inbox
from riskcore.engine.intake import Intake
from riskcore.engine.operator_words import about
from riskcore.engine.options import Options, Ports
from riskcore.engine.outbox import Outbox
from riskcore.engine.quarantine import Quarantine, broken
from riskcore.engine.recovery import GOES_ON, Failures, accounts_to_look_at, concerns_accounts_alone, note_unsent
from riskcore.engine.resume import Resumed
from riskcore.engine.sight import Sight
from riskcore.engine.stage_times import TurnTimes
from riskcore.engine.tasks import Tasks, unless_stopped
from riskcore.engine.wire import WireLog, connection_text
from riskcore.engine.writer import Writer
from riskcore.errors import DiskFull, InvariantBroken, OutOfSequence, RiskcoreError
from riskcore.settings.calendar import day_for

REMEMBERED_EVERY = 20_000  # Events between two copies of the book that speed up a start.
TICK_SECONDS = 1
LONGEST_PAUSE_NS = 30 * SECOND_NS  # Between two turns, of which there is one a second: more is a sleep or a jump.
AFTER_A_PAUSE = (
    "riskcore did not run for a while: the computer slept, or its clock was set. Limits act again when ready is said,"
    " after a look at the broker"
)
WIND_UP_SECONDS = 5  # How long the engine waits for answers to requests in flight when it stops.


class Engine:
    """Runs until `stop`. Build it with a resumed book and real or simulated ports."""

    def __init__(self, options: Options, ports: Ports, resumed: Resumed, reload: Callable[[], Resumed]) -> None:
        self.options = options
        self.clock = ports.clock
        self.gateway = ports.gateway
        self.feed = ports.feed
        self.announcer = ports.announcer
        self._reload = reload
        self._settings = dict(options.settings)
        self.writer = Writer(ports.journal)
        self.wire = WireLog(self.writer.keep_message, options.keep_payloads, ports.recording)
        self.inbox = Inbox(ports.clock, ports.normalise, self.wire, lambda line: self.sight.unreadable(line))
        self.inbox.resume_at(resumed.last_at)
        self.writer.remember(resumed.book)
        self.halt = Halt(self.writer, ports.announcer)
        self._runner = self._going_on(resumed)
        self._quarantine = Quarantine(resumed.left_out, options.version)
        self._failures = Failures()
        self._tasks = Tasks(self._failed)
        self.sight = Sight(ports, self.inbox, self._tasks, lambda: self._runner)
        self._intake = Intake(self.inbox, self._quarantine, self.sight, ports.announcer)
        self._outbox = Outbox(ports.gateway, self.inbox, self.writer, self.halt, self.sight, self._tasks)
        self.replies = Replies()
        self.vitals = Vitals()
        self.times = TurnTimes()
        self.ready = False
        self.turned_at = 0  # The last turn, by the clock; 0 before the first.
        self._left_out = resumed.left_out  # Not reported yet.
        self._begun = False  # The first turn is over: the accounts are known.
        self._stopping = asyncio.Event()
        self._asked_to_stop = False
        self._failure: BaseException | None = None
        self._next_due: int | None = None  # When time alone must act next.
        self._untold: list[Event] = []  # Stored, and not reported yet.
        self._decide_ns = self._commit_ns = self._stored_at = 0
        self._remember_at = REMEMBERED_EVERY

    @property
    def book(self) -> Book:
        """The book as it is now. While the journal cannot be written it has facts that are not stored, no decisions."""
        return self._runner.book

    @property
    def rulebook(self) -> Rulebook:
        return self._runner.turn.rulebook

    @property
    def stopping(self) -> bool:
        """Whether it takes on nothing new."""
        return self._stopping.is_set()

    def judged(self) -> list[Account]:
        """The accounts the rules judge, without those of older days that the broker does not have any more."""
        return self.sight.judged()

    # ---- life ----------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Log in, connect, and go on until stopped.

        Raises LoginRefused, BrokerUnreachable, ConfigError (an account that must not be armed), ProfileBusy,
        StoreError, InvariantBroken (start again: the journal holds what is true).
        """
        try:
            self._take_over()
            if not await unless_stopped(self._stopping, self.gateway.open(self.inbox)):
                return
            tell_left_out(self.announcer, self._left_out)
            self._compare_settings()
            self.turn()
            self._afterwards()
            self.options.arm(self.judged(), self.sight.visible(), self.options.enforces)
            check_contracts(self.book.contracts.values())
            self._begun = True
            self._tasks.lasting(self.feed.run(self.inbox))
            self._tasks.lasting(self._tick())
            await self._turn_until_stopped()
        except (InvariantBroken, OutOfSequence) as error:
            self._failure = error  # Nothing more may be stored on what is in memory.
        except RiskcoreError:
            raise
        except Exception as error:
            self._failed(error)
        finally:
            await self._wind_up()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop in good order: take on nothing new, store what is in hand."""
        self._asked_to_stop = True
        self._end()

    def _end(self) -> None:
        self._stopping.set()
        self.inbox.filled.set()

    def _going_on(self, resumed: Resumed) -> Runner:
        book, ended, keep = resumed.book, resumed.day_ended, (self.writer.keep,)
        version = self.options.version
        return Runner(self._settings, keep, day_for, version=version, keep_quotes=True, book=book, day_ended=ended)

    def _take_over(self) -> None:
        """A start: what the journal says was true when it was written last, and the rest is to be seen."""
        self.wire.begin(self.book)
        for event in absence(self.book):
            self.wire.fact(event)
            self._runner.event(event)
        self.sight.take_over(self.inbox.stamp())
        self.inbox.fact(EngineStarted(self.options.version, self.options.enforces), "operator", "engine", first=True)

    def _begin_again(self) -> None:
        """The journal can be written again: go on from what it says, as a restart does, with the hubs as they are."""
        self._runner.finish()
        self.halt.note(self.writer.discard(), self.book)
        connections = self.book.connections
        self._runner = self._going_on(self._from_journal())
        self.ready = False
        self._take_over()
        self._compare_settings()
        for hub, state in connections.items():
            self.inbox.line({"connection": hub, "state": state}, connection_text(hub, state))

    def _from_journal(self) -> Resumed:
        resumed = self._reload()
        self.writer.begin_again(resumed.book)
        for event in resumed.left_out:
            self._quarantine.note(event)
        return resumed

    def _wake_up(self, paused_ns: int) -> None:
        """Nothing was seen for a while (the computer slept): judge nothing by it, connect and look anew, as a start."""
        self.announcer.say("pause", seconds=paused_ns // SECOND_NS, text=AFTER_A_PAUSE)
        self.ready = False
        self._take_over()
        self.feed.reconnect("riskcore did not run for a while")

    def submit(self, body: Fact) -> str:
        """The operator's word as a fact; its natural key, the cause of what follows. Raises DiskFull during a halt."""
        if self.writer.broken is not None:
            raise DiskFull(f"nothing can be stored, so nothing was done: {self.writer.broken}")
        key = self.inbox.fact(body, "operator", about(body))
        self.replies.follow(key)
        return key

    async def settled(self, key: str, timeout_seconds: float) -> list[Event]:
        """What followed from a submitted fact: derived events, and the answers to the requests it led to."""
        return await self.replies.settled(key, self.clock, timeout_seconds)

    async def stored(self, key: str, timeout_seconds: float) -> list[Event] | None:
        """What was decided on a submitted fact, as soon as that is stored; None when it is not in time."""
        return await self.replies.stored(key, self.clock, timeout_seconds)

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Settings were edited: what tightens counts at once, what loosens at the next reset (RULES.md 1.6)."""
        self._settings = dict(settings)
        self._compare_settings()

    def _compare_settings(self) -> None:
        self._runner.change_settings(self._settings)
        change = ConfigChanged(self._settings)
        if self.book.day is not None and self.book.settings != self._settings and not self._quarantine.has(change):
            self.inbox.fact(change, "operator", "config")
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
                try:
                    self.store_in_hand()
                except InvariantBroken as error:
                    self._failure = error
            if leave is not None:
                await leave()

    def store_in_hand(self) -> None:
        """Handle and store what has come in, and send nothing any more. Raises StoreError, InvariantBroken."""
        while not self._intake.empty:
            with self._going_back():
                self._intake.take(self._runner, True)
        self._runner.finish()
        self._store([])
        self._remember()
        self._tell()

    def _failed(self, error: BaseException) -> None:
        """A task has failed, or what an engine does beside its turns. Its own mistakes are answered by a new start."""
        if self._failure is None:
            if isinstance(error, Exception) and not isinstance(error, RiskcoreError):
                self._failure = broken(error, starts_again=not self._asked_to_stop)
                self._failure.__cause__ = error
            else:
                self._failure = error
            self._end()

    # ---- going back ----------------------------------------------------------------------------------

    @contextmanager
    def _going_back(self) -> Iterator[None]:
        """Facts are taken on a copy of the book, which is dropped when the core fails. Raises InvariantBroken.

        Then the facts that came before are decided and stored, what the core failed on is stored without being
        judged, and nothing is sent. Where that concerns single accounts alone, the engine goes on from its journal
        (recovery.py); else it ends, and the next one does.
        """
        self._runner.begin()
        try:
            yield
        except RiskcoreError:
            self._runner.end()  # The core is not at fault: what it decided stands.
            raise
        except Exception as error:
            self._give_up(error)
        else:
            self._runner.end()

    def _give_up(self, error: Exception) -> None:
        left_out: list[Event] = []
        with suppress(Exception):  # It fails without the fact as well: nothing of the turn is stored.
            left_out = self._runner.leave_out(error)
        in_place = concerns_accounts_alone(left_out) and self._begun and not self.stopping
        too_often = in_place and not self._failures.note(self.clock.now())
        failure = broken(error, left_out, starts_again=not self._asked_to_stop and not too_often)
        if in_place:
            self._runner.finish()
        self._store([])
        if in_place and not too_often and self.writer.broken is None:
            self._go_on_without(left_out, failure)
            return
        self._tell()
        raise failure from error

    def _go_on_without(self, left_out: Sequence[Event], failure: InvariantBroken) -> None:
        """The journal has all that came so far. Nobody is asked again but what was left out concerns."""
        note_unsent(self._untold, self.inbox)
        self._runner = self._going_on(self._from_journal())
        self._tell()
        tell_left_out(self.announcer, left_out)
        figures = {"over": self.ready, "limits_act": self.ready, "left_out": list(failure.left_out)}
        self.announcer.say("halt", text=GOES_ON, reason=str(failure), **figures)
        for account in accounts_to_look_at(left_out):
            self.sight.snapshots.now(account)
        self.inbox.filled.set()  # What the turn did not come to is done in the next one.

    # ---- one turn ------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Handle what waits, store it, send what it leads to. Raises InvariantBroken, OutOfSequence, StoreError."""
        began_at = self.clock.now()
        if self.turned_at and began_at - self.turned_at >= LONGEST_PAUSE_NS and self.writer.broken is None:
            self._wake_up(began_at - self.turned_at)
        self.turned_at = began_at
        to_send: list[tuple[int, Request]] = []
        with self._going_back():
            self._intake.take(self._runner, self.ready or self.stopping)
            to_send = self._attempt()
            if not to_send:
                # What cannot be worked out is found before it is stored; a command does not wait for that.
                self._next_due = self._runner.look_ahead()
        self._decide_ns = self.clock.now() - began_at
        self._store(to_send)
        self._outbox.send(to_send)

    def _afterwards(self) -> None:
        """What a command need not wait for: reports of what is stored, subscriptions, the deadlines to come, a copy."""
        self._tell()
        self.sight.follow_accounts()
        if self.sight.snapshots.woken:
            self.sight.look_at_due(self.inbox.stamp())
        try:
            self._next_due = self._runner.look_ahead()
        except Exception as error:
            self._runner.begin()
            self._give_up(error)
        self._runner.prepare()

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
            event = Event(self.inbox.stamp_after(), "gateway", f"attempt:{request.id}", body)
            self.wire.fact(event)
            self._runner.event(event)
        return due

    def _store(self, due: Sequence[tuple[int, Request]]) -> None:
        began_at = self.clock.now()
        try:
            self._untold += self.writer.commit(self.book)
        except InvariantBroken as error:
            # It was received or decided, and no journal can hold it.
            left_out = self.writer.leave_out_unfit(str(error), self.options.version)
            self._store([])
            self._tell()
            raise broken(error, left_out, starts_again=not self._asked_to_stop) from error
        self._stored_at = self.clock.now()
        self._commit_ns = self._stored_at - began_at
        if self.writer.broken is not None:
            self._runner.decide_nothing()
            self.writer.keep_to_stored(self.book, due)
            self.halt.note(self.writer.discard(), self.book)

    def _tell(self) -> None:
        if self.writer.stored >= self._remember_at:
            self._remember()
        self.wire.flush()
        self.halt.say()
        stored, self._untold = self._untold, []
        if not stored:
            return
        self.vitals.stored(stored, self._commit_ns)
        self.times.stored(stored, self._decide_ns, self._commit_ns, self._stored_at)
        self.sight.note_stored(stored)
        self.announcer.stored(stored, self.book)
        self.replies.note(stored)
        self._announce_readiness()

    def _remember(self) -> None:
        """Keep the book beside the journal, so that the next start folds only what comes behind it."""
        self._runner.finish()
        self._store([])
        if not self._quarantine:  # A later start is to find what is left out, behind the last copy.
            self.writer.cache(self.book)
        self._remember_at = self.writer.stored + REMEMBERED_EVERY

    # ---- time ----------------------------------------------------------------------------------------

    async def _tick(self) -> None:
        """Once a second, and when a timer is due: time passes, and what is to be looked at is looked at."""
        while True:
            if self.writer.broken is not None:
                if self.inbox.empty and self.halt.is_over(self.judged(), self.inbox.stamp()):
                    self._begin_again()
            elif self.inbox.empty:
                self.writer.tidy()
            self.inbox.fact(ClockTicked(), "clock", "clock")
            self.sight.tick()
            await self.clock.sleep(self._until_next_tick())

    def _until_next_tick(self) -> float:
        """Seconds. What is due before a tick would come, like the end of the hours, is not kept waiting."""
        until_due = (self._next_due or 0) - self.inbox.stamp()
        return until_due / SECOND_NS if 0 < until_due < TICK_SECONDS * SECOND_NS else TICK_SECONDS

    def market_expected(self) -> bool:
        """Whether quotes should be coming: something is held."""
        return bool(self.sight.held_contracts())

    def follow(self, contract: str) -> None:
        """Subscribe to a contract that somebody asks about."""
        self.sight.follow(contract)

    def _announce_readiness(self) -> None:
        if not self.ready and not self._stopping.is_set() and self.sight.armed():
            self.ready = True
            tell_ready(self.announcer, self.judged(), self.options.enforces, self.book.settings)
