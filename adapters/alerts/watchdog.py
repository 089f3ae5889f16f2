"""A second process that watches an engine by its heartbeat and alerts by the same channels (INTERFACE.md 1 and 10)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapters.alerts.alerts import CLOSE_SECONDS, Alerts
from adapters.alerts.watch import Verdict, Watch
from riskcore.core.events import Event
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Book
from riskcore.engine.control_file import beside_store
from riskcore.engine.heartbeat_file import Beat, heartbeat_path, read_beat
from riskcore.errors import ProfileBusy
from riskcore.schema.instants import read_instant
from riskcore.settings.config import Settings
from riskcore.store.lease import HeldLock, is_held, this_process
from riskcore.store.recorder import lock_path, refuse_no_journal

# Told again while something is open and nothing guards it.
AGAIN_SECONDS = 300
ONE_TRY_SECONDS = 25.0  # Of an alert that leaves while somebody waits for the exit code.


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose heartbeat is watched, how often, and after how many seconds of silence or blindness it is an alarm."""

    store: str
    profile: str
    every_seconds: float
    after_seconds: float

    def watch(self) -> Watch:
        return Watch(self.profile, max(1, round(self.after_seconds / self.every_seconds)), self.after_seconds)

    def look(self, watch: Watch) -> Verdict:
        """One look. Raises StoreError."""
        running = is_held(lock_path(self.store, self.profile))
        return watch.look(read_beat(heartbeat_path(self.store, self.profile)), running)

    def is_fresh(self, beat: Beat | None) -> bool:
        """Whether the clock of the machine shows at once that the engine is alive; what it does not show is unknown."""
        return beat is not None and 0 <= time.time_ns() - read_instant(beat.at) < self.after_seconds * SECOND_NS

    def alone(self) -> HeldLock:
        """One watchdog a profile. Raises ProfileBusy."""
        path = beside_store(self.store, self.profile, "watchdog.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        busy = f"another watchdog watches profile {self.profile}"
        return HeldLock(path, busy, this_process(), passing=True)


def refuse_other_file(watched: Watched) -> None:
    """Refuse a store that no engine can have written and none can begin: somebody named another file.

    Where an engine has been, its heartbeat says more than a file that may have been damaged since. Raises ConfigError,
    StoreError.
    """
    if read_beat(heartbeat_path(watched.store, watched.profile)) is None:
        refuse_no_journal(watched.store)


class Telling:
    """Alerts of verdicts: each occasion once, again every five minutes while something is open, and when it is over."""

    def __init__(self, watched: Watched, settings: Settings, wall: Callable[[], int] = time.time_ns) -> None:
        zone = settings.plain["profile"]["timezone"]
        memory = beside_store(watched.store, watched.profile, "watchdog.alerts")
        # The heartbeat of [alerts] says that the engine runs; a watchdog must not say that.
        own = replace(settings.alerts, heartbeat_minutes=None)
        self._alerts = Alerts(_Nobody(), own, zone, memory, enforces=False)
        self._wall = wall
        self._alarm: Verdict | None = None

    def hear(self, verdict: Verdict) -> None:
        """Alert of a verdict if it is an alarm, or the end of one."""
        if not verdict.fine:
            self._alarm = verdict
            what = f"riskcore: the engine is {_WORDS[verdict.state]}"
            self._say(f"{verdict.id}{self._again(verdict)}", verdict.level, what, verdict.text, verdict.plain)
        elif self._alarm is not None and verdict.state == "well":
            text = f"{verdict.text} again; riskcore status shows what it does"
            self._say(f"over {self._alarm.id}", "warning", "riskcore: the engine is back", text, text)
            self._alarm = None

    def close(self, seconds: float) -> None:
        """Try what waits once more, for at most so long."""
        self._alerts.close(seconds)

    def _again(self, verdict: Verdict) -> str:
        """What tells a repetition from the first time; of nothing open, and of an orderly stop, there is none."""
        beat = verdict.beat
        if beat is None or not beat.open_positions or verdict.state == "open":
            return ""
        lasted_ns = self._wall() - read_instant(beat.at) + beat.unguarded_seconds * SECOND_NS
        times = lasted_ns // (AGAIN_SECONDS * SECOND_NS)
        return f" {times}" if times > 0 else ""

    def _say(self, name: str, level: str, title: str, text: str, plain: str) -> None:
        self._alerts.say("watchdog", id=name, level=level, title=title, text=text, plain=plain)


_WORDS = {"dead": "dead", "hung": "hung", "blind": "blind", "open": "stopped with a position open"}


class _Nobody:
    """Behind the alerts there is no engine's printer."""

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """Nothing is stored."""

    def say(self, kind: str, /, **figures: Any) -> None:
        """What is said is printed by the command."""


def watch_on(
    watched: Watched, settings: Settings, tell: Callable[[Verdict], None], pause: Callable[[float], bool]
) -> None:
    """Look until `pause`, which waits so many seconds, says that it is over. Raises ProfileBusy, StoreError."""
    lock, watch, known = watched.alone(), watched.watch(), ""
    telling = Telling(watched, settings)
    try:
        while True:
            verdict = watched.look(watch)
            telling.hear(verdict)
            if verdict.id != known:
                known = verdict.id
                tell(verdict)
            if pause(watched.every_seconds):
                return
    finally:
        telling.close(CLOSE_SECONDS)
        lock.release()


def look_once(watched: Watched, settings: Settings, pause: Callable[[float], object]) -> Verdict:
    """The verdict, looked for until further looks cannot change it; its alert has been tried when this returns.

    A watchdog that runs beside it alerts by itself, so nothing is sent twice. Raises StoreError.
    """
    watch = watched.watch()
    verdict = watched.look(watch)
    if verdict.state == "well" and watched.is_fresh(verdict.beat):
        return verdict
    while verdict.fine and watch.undecided:
        pause(watched.every_seconds)
        verdict = watched.look(watch)
    if not verdict.fine:
        try:
            lock = watched.alone()
        except ProfileBusy:
            return verdict
        telling = Telling(watched, settings)
        telling.hear(verdict)
        telling.close(ONE_TRY_SECONDS)
        lock.release()
    return verdict
