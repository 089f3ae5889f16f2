"""The heartbeat of a run, in a file and to systemd: it stops when the loop of the engine or its turns do."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

from riskcore.audit.blindness import blind_rows
from riskcore.audit.status import view_of
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.engine import Engine
from riskcore.engine.heartbeat_file import BEAT_SECONDS, LONGEST_REASON, STOPPED, Beat, write_beat
from riskcore.engine.ports import Clock
from riskcore.live.system_notify import SystemNotify
from riskcore.schema.instants import utc_text

LOOK_SECONDS = 1
# Ticks make an engine turn once a second: without a turn for so long, it hangs although its loop goes on.
LONGEST_TURN_NS = 15 * SECOND_NS


class Heartbeat:
    """Use it with `async with` around all engines of a run; `attach` each of them."""

    def __init__(self, path: Path, profile: str, clock: Clock, notify: SystemNotify | None = None) -> None:
        self._path = path
        self._profile = profile
        self._clock = clock
        self._notify = notify or SystemNotify()
        self._engine: Engine | None = None
        self._number = 0
        self._written: tuple[str, int, str] | None = None
        self._written_at = 0
        self._unguarded_since: int | None = None
        self._said_ready = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Heartbeat":
        self._task = asyncio.create_task(self._beat_on())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        self._notify.stopping()
        await asyncio.gather(self._task, return_exceptions=True)
        state = STOPPED if kind is None or issubclass(kind, asyncio.CancelledError) else "failed"
        await self._write(self._beat(state))

    def attach(self, engine: Engine) -> None:
        """An engine begins."""
        self._engine = engine

    async def _beat_on(self) -> None:
        while True:
            await self._look()
            await self._clock.sleep(min(LOOK_SECONDS, self._notify.watchdog_seconds or LOOK_SECONDS))

    async def _look(self) -> None:
        engine, now = self._engine, self._clock.now()
        if engine is not None and engine.turned_at and now - engine.turned_at > LONGEST_TURN_NS:
            return
        if engine is not None and engine.ready and not self._said_ready:
            self._said_ready = True
            self._notify.ready()
        beat = self._beat(state_of(engine))
        if beat.state == "stopping":
            self._notify.stopping()
        self._notify.alive(f"{beat.state}, {beat.open_positions} open")
        changed = (beat.state, beat.open_positions, beat.unguarded_because) != self._written
        if changed or now - self._written_at >= BEAT_SECONDS * SECOND_NS:
            self._written_at = now
            await self._write(beat)

    def _beat(self, state: str) -> Beat:
        engine, now = self._engine, self._clock.now()
        held, reason = _condition(engine)
        if not reason:
            self._unguarded_since = None
        elif self._unguarded_since is None:
            self._unguarded_since = now
        since = self._unguarded_since
        self._number += 1
        seconds = 0 if since is None else (now - since) // SECOND_NS
        return Beat(
            self._profile,
            os.getpid(),
            self._number,
            utc_text(time.time_ns()),
            state,
            held,
            seconds,
            "" if since is None else utc_text(since),
            reason[:LONGEST_REASON],
        )

    async def _write(self, beat: Beat) -> None:
        self._written = (beat.state, beat.open_positions, beat.unguarded_because)
        with suppress(OSError):
            await asyncio.to_thread(write_beat, self._path, beat)


def state_of(engine: Engine | None) -> str:
    """What the engine does at the moment, in the words of `daemon_status` (INTERFACE.md 9)."""
    if engine is None:
        return "starting"
    if engine.stopping:
        return "stopping"
    if engine.writer.broken is not None:
        return "halted"
    if not engine.ready:
        return "starting"
    return "armed" if engine.options.enforces else "dry_run"


def _condition(engine: Engine | None) -> tuple[int, str]:
    """How many positions are open, and why limits cannot judge them; empty while they can."""
    if engine is None:
        return 0, ""
    held = _open_positions(engine)
    try:
        return held, _unguarded(engine) if held else ""
    except Exception as error:  # Whatever it is, the engine turns: it must not look as if it hung.
        return held, f"riskcore cannot say what it sees ({type(error).__name__})"


def _open_positions(engine: Engine) -> int:
    """Of every account that is judged, also as an earlier run left it: until it is seen again, it counts as open."""
    accounts = engine.book.accounts.values()
    return sum(len(account.held()) for account in accounts if engine.rulebook.judges(account))


def _unguarded(engine: Engine) -> str:
    """Why limits cannot judge what is open; empty while they can."""
    if engine.writer.broken is not None:
        return "nothing can be stored"
    if not engine.ready:
        return "it has not seen the account in full since it started"
    book, rulebook = engine.book, engine.rulebook
    held = (account for account in engine.judged() if account.held())
    rows = [row for account in held for row in blind_rows(book, rulebook, account, view_of(book, rulebook, account))]
    return ", ".join(dict.fromkeys(str(row["reason"]) for row in rows))
