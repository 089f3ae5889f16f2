"""The Announcer that also alerts: it hears what was stored and tells each channel by a thread of its own."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

from adapters.alerts.channel import Channel
from adapters.alerts.channels import Send, sender_of
from adapters.alerts.escalation import Enforcement, Escalation, unmet
from adapters.alerts.message import Alert, alert_of, unconfirmed
from adapters.alerts.sent import Sent
from riskcore.audit.following import Follower
from riskcore.audit.happenings import happening, happenings
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Book
from riskcore.engine.ports import Announcer
from riskcore.errors import RiskcoreError
from riskcore.schema.rows import Row
from riskcore.settings.alerts import AlertSettings, ChannelSettings
from riskcore.store.journal import Journal

LOOK_SECONDS = 0.5  # Between two looks at what is not confirmed.
CLOSE_SECONDS = 3
LOOK_BACK_NS = 60 * SECOND_NS  # Before the memory was written last: what was stored then may not be in it yet.
_HEARD = (
    e.RuleBreached,
    e.CommandIssued,
    e.ConnectionChanged,
    e.DriftDetected,
    e.BalanceDrifted,
    e.TargetReached,
    e.GapRecorded,
    e.FactQuarantined,
    e.TimerQuarantined,
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    channel: str
    alert: Alert
    why: str | None


class Alerts(Announcer):
    """Hands everything on to the announcer behind it, first; then alerts. Nothing here waits for a channel or a disk.

    `journal` opens what earlier runs stored, so that one that crashed between storing and alerting loses no alert.
    `enforces`: in a dry run nothing is ever confirmed, so nothing is said of it.
    """

    def __init__(
        self,
        behind: Announcer,
        settings: AlertSettings,
        timezone: str,
        memory: Path,
        *,
        enforces: bool,
        now: Callable[[], int] = time.time_ns,
        seconds: Callable[[], float] = time.monotonic,
        sender: Callable[[ChannelSettings], Send] = sender_of,
        channel: Callable[..., Channel] = Channel,
        journal: Callable[[], Journal] | None = None,
    ) -> None:
        self._journal = journal
        self._behind = behind
        self._settings = settings
        self._zone = ZoneInfo(timezone)
        self._enforces = enforces
        self._now = now
        self._seconds = seconds
        self._sent = Sent(memory)
        self._unmet: tuple[Enforcement, ...] = ()
        self._escalation = Escalation()
        self._dead: set[str] = set()
        self._heard_at = now()
        self._beat_at = seconds()
        self._inbox: SimpleQueue[Alert | _Outcome | None] = SimpleQueue()
        self._channels = {
            one.name: channel(one, sender(one), settings.figures, self._note_outcome) for one in settings.channels
        }
        self._thread = Thread(target=self._work, name="alerts", daemon=True)
        self._thread.start()

    def stored(self, events: Sequence[e.Event], book: Book) -> None:
        """Alert of what has just been stored."""
        self._behind.stored(events, book)
        self._heard_at = self._now()
        self._unmet = unmet(book) if self._enforces else ()
        for row in happenings([event for event in events if isinstance(event.body, _HEARD)], book):
            self._hear(row)

    def say(self, kind: str, /, **figures: Any) -> None:
        """Alert of what the engine itself says: a halt alerts although nothing can be stored."""
        self._behind.say(kind, **figures)
        self._hear(happening(self._now(), kind, **figures))

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Try what waits once more, for so long; what does not leave is sent again by the next run."""
        self._inbox.put(None)
        self._thread.join(CLOSE_SECONDS)
        until = self._seconds() + seconds
        for channel in self._channels.values():
            channel.close(max(0.0, until - self._seconds()))
        self._take_waiting()

    def channels(self) -> list[Row]:
        """How each channel is doing (riskcore.engine.ports.HasChannels)."""
        return [one.row() for one in self._channels.values()]

    def _hear(self, row: dict[str, Any]) -> None:
        alert = alert_of(row)
        if alert is not None:
            self._inbox.put(alert)

    def _note_outcome(self, channel: str, alert: Alert, why: str | None) -> None:
        self._inbox.put(_Outcome(channel, alert, why))

    # ---- the thread of alerts ------------------------------------------------------------------------

    def _work(self) -> None:
        for alert, names in self._sent.in_doubt():
            self._put(alert.repeated(), names)
        for alert in self._never_noted():
            self._send(alert, self._listeners(alert))
        while True:
            try:
                heard = self._inbox.get(timeout=LOOK_SECONDS)
            except Empty:
                pass
            else:
                if heard is None:
                    return
                self._take(heard)
            self._look()

    def _never_noted(self) -> list[Alert]:
        """What an earlier run stored and ended before it could alert of it. Without an earlier run nothing is owed."""
        since = self._sent.written_at
        if self._journal is None or since is None:
            return []
        with suppress(RiskcoreError), self._journal() as journal:
            follower = Follower(journal)
            follower.catch_up()
            earliest = happening(since - LOOK_BACK_NS, "alert")["at"]
            found = [alert_of(row) for row in follower.told if row["at"] >= earliest]
            return [alert for alert in found if alert is not None and self._sent.is_new(alert)]
        return []

    def _take_waiting(self) -> None:
        while not self._inbox.empty():
            heard = self._inbox.get()
            if heard is not None:
                self._take(heard)

    def _take(self, heard: Alert | _Outcome) -> None:
        if isinstance(heard, Alert):
            self._send(heard, self._listeners(heard))
            return
        self._sent.note_done(heard.alert.id, heard.channel)
        if heard.why is None:
            self._dead.discard(heard.channel)
        elif heard.channel not in self._dead:
            self._dead.add(heard.channel)
            self._tell_others(heard.channel, heard.why)

    def _look(self) -> None:
        at = happening(self._now(), "alert")["at"]
        for one, lasted in self._escalation.due(self._unmet, self._seconds()):
            alert = unconfirmed(one.obligation, one.rule, one.account, one.kind, lasted, at)
            self._send(alert, self._listeners(alert))
        minutes = self._settings.heartbeat_minutes
        if minutes is not None and self._seconds() - self._beat_at >= minutes * 60:
            self._beat_at = self._seconds()
            heard = happening(self._heard_at, "alert")["at"]
            text = f"riskcore runs; it last stored something at {heard}"
            if not self._settings.is_quiet(self._local()):
                self._put(Alert(f"heartbeat {at}", "info", "riskcore: heartbeat", text, text), self._channels)

    def _listeners(self, alert: Alert) -> list[str]:
        return self._settings.listeners(alert.level, self._local())

    def _local(self) -> datetime:
        return datetime.fromtimestamp(self._now() / 1e9, self._zone)

    def _tell_others(self, channel: str, why: str) -> None:
        """Whatever their levels and the hour: an alert may have been lost."""
        text = f"alerts no longer get through by {channel}: {why}"
        at = happening(self._now(), "alert")["at"]
        others = [name for name in self._channels if name not in self._dead]
        self._send(Alert(f"dead {channel} {at}", "warning", f"riskcore: {channel} is dead", text, text), others)

    def _send(self, alert: Alert, names: Sequence[str]) -> None:
        """Remembered first: a crash in between makes it come twice, marked, and never not at all."""
        if self._sent.is_new(alert):
            self._sent.note_waiting(alert, names)
            self._put(alert, names)

    def _put(self, alert: Alert, names: Iterable[str]) -> None:
        for name in names:
            if name in self._channels:
                self._channels[name].put(alert)
