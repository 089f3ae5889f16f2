"""Where the time goes between a push and the command it leads to: marks at the seams, taken in the bench's process."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from adapters.topstepx.http_connection import HttpConnection
from adapters.topstepx.signalr.socket import WebSocket
from riskcore.engine.engine import Engine
from riskcore.engine.inbox import Inbox
from riskcore.engine.intake import Intake
from riskcore.store.sqlite import SQLiteJournalRecorder

# Each stage ends at its mark, and the next one begins there. All clocks are the machine's own one.
STAGES = (
    ("socket", "the push is in the engine's hands (system call, wake-up of the process)"),
    ("parsed", "frame cut, record decoded, line in the inbox"),
    ("turn", "the event loop begins the turn"),
    ("decided", "normalised, folded, judged, planned"),
    ("noted", "requests noted as attempted"),
    ("linked", "events encoded and chained"),
    ("inserted", "rows inserted, lease checked"),
    ("stored", "COMMIT, with its sync"),
    ("sending", "what is stored is remembered, the request is made"),
    ("written", "the bytes are given to the socket"),
    ("arrived", "the kernel has them at the broker's end"),
)
# The seams: what begins with a mark, and what ends with one.
BEGINNINGS: tuple[tuple[type, str, str], ...] = (
    (WebSocket, "data_received", "socket"),
    (Inbox, "_add", "parsed"),
    (Engine, "turn", "turn"),
    (SQLiteJournalRecorder, "append", "linked"),
    (HttpConnection, "send", "sending"),
)
ENDS: tuple[tuple[type, str, str], ...] = (
    (Intake, "take", "decided"),
    (Engine, "_attempt", "noted"),
    (SQLiteJournalRecorder, "_must_hold", "inserted"),
    (SQLiteJournalRecorder, "append", "stored"),
    (HttpConnection, "send", "written"),
)


class Stages:
    """Patches the seams for as long as the process lives."""

    def __init__(self) -> None:
        self._now: dict[str, int] = {}
        self._closes: list[dict[str, int]] = []
        self._taken: dict[str, list[float]] = {name: [] for name, _ in STAGES}
        for owner, method, name in BEGINNINGS:
            self._before(owner, method, name)
        for owner, method, name in ENDS:
            self._after(owner, method, name, self._sent if name == "written" else None)

    def note(self, sent_and_arrived: Sequence[tuple[int, int]]) -> None:
        """Split the samples of one engine by the marks that were set meanwhile."""
        for sent, arrived in sent_and_arrived:
            # Only a close whose push was the last one before it is split: another one waited behind a turn.
            own = [one for one in self._closes if sent <= one["socket"] and one["sending"] < arrived]
            marks = own[0] if own else None
            self._closes = [one for one in self._closes if one["socket"] > arrived]
            if marks is None:
                continue
            at = sent
            for name, _ in STAGES:
                mark = arrived if name == "arrived" else marks[name]
                self._taken[name].append((mark - at) / 1000)
                at = mark
        self._closes.clear()

    def table(self) -> str:
        """Median and 99th percentile of each stage, in microseconds."""
        lines = [f"{'p50':>7} {'p99':>7}  of {len(self._taken['socket'])}"]
        for name, about in STAGES:
            taken = sorted(self._taken[name])
            lines.append(f"{taken[len(taken) // 2]:7.0f} {taken[int(0.99 * len(taken))]:7.0f}  {about}")
        return "\n".join(lines)

    def _sent(self, arguments: Sequence[Any]) -> None:
        if arguments[1].endswith("closeContract"):
            self._closes.append(dict(self._now))

    def _before(self, owner: type, method: str, name: str) -> None:
        plain, now = getattr(owner, method), self._now

        @functools.wraps(plain)
        def marked(*arguments: Any, **options: Any) -> Any:
            now[name] = time.time_ns()
            return plain(*arguments, **options)

        setattr(owner, method, marked)

    def _after(self, owner: type, method: str, name: str, then: Callable[[Sequence[Any]], None] | None = None) -> None:
        plain, now = getattr(owner, method), self._now
        static = isinstance(owner.__dict__[method], staticmethod)

        @functools.wraps(plain)
        def marked(*arguments: Any, **options: Any) -> Any:
            result = plain(*arguments, **options)
            now[name] = time.time_ns()
            if then is not None:
                then(arguments)
            return result

        setattr(owner, method, staticmethod(marked) if static else marked)
