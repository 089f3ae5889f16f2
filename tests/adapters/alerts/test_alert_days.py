"""Days with crashes at any moment: every alert that was owed is sent, and none twice unless it says `(repeated)`."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

import pytest

from adapters.alerts.alerts import Alerts
from adapters.alerts.channel import Channel
from adapters.alerts.message import REPEATED, Alert, alert_of
from riskcore.audit.following import Follower
from riskcore.audit.happenings import happenings
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.schema.chain import Link
from riskcore.settings.alerts import ChannelSettings
from riskcore.settings.config import read_settings
from tests.adapters.alerts.test_alerts import Silent
from tests.simulation.disk import Disk
from tests.simulation.plan import PROFILE
from tests.simulation.world import run_seed

SEEDS = (3, 21, 30)


@cache
def day_of(seed: int) -> tuple[tuple[Link, ...], tuple[Event, ...], Book]:
    """What an engine stored on the busiest day of a simulation, the same as events, and the book behind it."""
    disk = run_seed(seed).disk
    rows = tuple(max(disk.streams.values(), key=len))
    alone = _disk(rows)
    journal = alone.journal(PROFILE)
    events = tuple(event for _, event, _ in journal.read(journal.streams()[0], 0))
    follower = Follower(alone.journal(PROFILE))
    follower.catch_up()
    return rows, events, follower.book


def _disk(rows: tuple[Link, ...]) -> Disk:
    disk = Disk()
    disk.streams[rows[0][0]] = list(rows)
    return disk


class Run:
    """One process: alerts with a channel that hears as long as the process lives, and answers when it likes."""

    def __init__(self, memory: Path, disk: Disk, received: list[tuple[str, bool]], chance: Random) -> None:
        self.alive, self.memory, self._received = True, memory, received
        self._waiting: list[Callable[[], None]] = []
        run = self

        class Heard(Channel):
            def __init__(
                self, settings: ChannelSettings, send: object, figures: bool, done: Callable[..., None]
            ) -> None:
                self._name, self._told = settings.name, done

            def put(self, alert: Alert) -> None:
                if run.alive:
                    received.append((alert.id, alert.title.endswith(REPEATED)))
                    run._waiting.append(lambda: self._told(self._name, alert, None))
                    if chance.random() < 0.7:
                        run.answer()

            def close(self, seconds: float) -> None:
                run.answer()

        self.alerts = Alerts(
            Silent(),
            read_settings('[alerts]\nchannels = ["desktop"]\nlevels = ["info", "warning", "critical"]').alerts,
            "America/Chicago",
            memory,
            enforces=False,
            channel=Heard,
            journal=lambda: disk.journal(PROFILE),
        )

    def answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done()

    def crash(self, at: int) -> Path:
        """Nothing leaves from here on; what was on the disk at this moment is what the next process finds."""
        self.alive = False
        later = self.memory.with_name(f"{self.memory.name}+")
        shutil.copy(self.memory, later)
        # In the middle of a line; but a line that an alert left behind was whole.
        last = later.read_text(encoding="utf-8").rpartition("\n")[2]
        left = any(json.dumps(name)[1:-1] in last for name, _ in self._received)
        if last and not ("waiting" in last and left) and at % 3 == 0:
            with later.open("ab") as file:
                file.truncate(later.stat().st_size - 3)
        os.utime(later, ns=(at, at))
        self.alerts._inbox.put(None)
        return later


def live_through(folder: Path, seed: int, chance: Random) -> tuple[list[tuple[str, bool]], set[str], int]:
    """What the channel received on a day, what was owed, and how often the process crashed."""
    rows, events, book = day_of(seed)
    disk, received, crashes, stored, heard_at = Disk(), list[tuple[str, bool]](), 0, 0, events[0].at
    run = Run(folder / "alerts", disk, received, chance)
    while stored < len(rows):
        part = slice(stored, stored + chance.randrange(1, 1 + len(rows) // 4))
        disk.streams.setdefault(rows[0][0], []).extend(rows[part])
        stored = min(part.stop, len(rows))
        if chance.random() < 0.7:  # Else it crashes between storing and alerting.
            run.alerts.stored(events[part], book)
            heard_at = events[stored - 1].at
            if chance.random() < 0.6:
                continue
        run = Run(run.crash(heard_at), disk, received, chance)
        crashes += 1
    run.alerts.close()
    owed = {alert.id for row in happenings(events, book) if (alert := alert_of(row)) is not None}
    return received, owed, crashes


@pytest.mark.parametrize("days", [12, pytest.param(2000, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)])])
def test_no_alert_is_lost_and_none_comes_twice_unmarked(tmp_path: Path, days: int) -> None:
    chance = Random(days)
    lost = doubled = owed_in_all = crashes_in_all = repeated = 0
    for day in range(days):
        folder = tmp_path / str(day)
        folder.mkdir()
        received, owed, crashes = live_through(folder, chance.choice(SEEDS), chance)
        plain = Counter(name for name, again in received if not again)
        lost += len(owed - {name for name, _ in received})
        doubled += sum(times - 1 for times in plain.values())
        owed_in_all, crashes_in_all = owed_in_all + len(owed), crashes_in_all + crashes
        repeated += sum(again for _, again in received)
        shutil.rmtree(folder, ignore_errors=True)  # A process that crashed may still be about to write.
    print(f"{days} days, {crashes_in_all} crashes, {owed_in_all} alerts, {repeated} of them repeated")
    assert crashes_in_all > days
    assert owed_in_all > days
    assert (lost, doubled) == (0, 0)
