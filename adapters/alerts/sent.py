"""Which alerts were sent, in a small file beside the journal: one alert per obligation and level, over restarts too."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from adapters.alerts.message import Alert

MOST_REMEMBERED = 5_000


class Sent:
    """What was to be sent to whom, and whether it was. Lines are appended; used by one thread.

    A file that cannot be written stops no alert: it costs the memory over a restart only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: dict[str, tuple[Alert, set[str]]] = {}
        self._known: dict[str, None] = {}
        # When an earlier run wrote last, in nanoseconds; None where there was none.
        self.written_at = path.stat().st_mtime_ns if path.exists() else None
        self._read()
        with suppress(OSError):  # From here on a crash owes what was stored and not noted.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))

    def is_new(self, alert: Alert) -> bool:
        return alert.id not in self._known

    def in_doubt(self) -> list[tuple[Alert, set[str]]]:
        """Alerts whose outcome the last run did not note, with the channels concerned."""
        return [(alert, set(names)) for alert, names in self._waiting.values()]

    def note_waiting(self, alert: Alert, channels: Iterable[str]) -> None:
        """Before anything leaves: the alert is to go to these channels."""
        self._keep({"waiting": alert.row(), "channels": sorted(channels)})

    def note_done(self, alert_id: str, channel: str) -> None:
        """It was sent there, or was given up there and the other channels were told."""
        if alert_id in self._waiting:
            self._keep({"done": alert_id, "channel": channel})

    def _keep(self, line: dict[str, Any]) -> None:
        self._take(line)
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.write(f"\n{json.dumps(line)}")  # First the end of the line before: a crash may have cut it short.

    def _take(self, line: dict[str, Any]) -> None:
        if "waiting" in line:
            alert = Alert(**line["waiting"])
            self._known[alert.id] = None
            self._waiting[alert.id] = (alert, set(line["channels"]))
            if not line["channels"]:
                del self._waiting[alert.id]
        elif line.get("done") in self._waiting:
            _, names = self._waiting[line["done"]]
            names.discard(line["channel"])
            if not names:
                del self._waiting[line["done"]]

    def _read(self) -> None:
        """A line that a crash cut short is left out; what was before it counts."""
        with suppress(OSError):
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
            for text in lines[-MOST_REMEMBERED:]:
                with suppress(ValueError, TypeError, KeyError):
                    self._take(json.loads(text))
            if lines and len(lines) > MOST_REMEMBERED:
                self._write_again(lines[-MOST_REMEMBERED:])

    def _write_again(self, lines: list[str]) -> None:
        beside = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        os.replace(beside, self._path)
