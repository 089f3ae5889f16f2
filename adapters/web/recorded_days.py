"""What a recorded day has: breaches, commands, fills, lockouts, decisions; made from its events and kept for a while.

Runs in one thread of its own: a day of many events takes a second, and nobody else waits for it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from riskcore.audit.decisions import Decisions
from riskcore.audit.fill_rows import fill_row
from riskcore.audit.log import AuditLog
from riskcore.audit.stream import check_cursor
from riskcore.audit.stream_messages import Cursor
from riskcore.audit.why import explain
from riskcore.core.events import Event
from riskcore.errors import ConfigError
from riskcore.schema.codec import export_line
from riskcore.schema.rows import Row, day_row
from riskcore.store.archived import archive_sentence
from riskcore.store.journal import Journal

MOST_KEPT = 4
_AT_ONCE = 500


class RecordedDays:
    """Use it from one thread. Raises ConfigError for a day or an id that is not there, StoreError, Corrupt."""

    def __init__(self, journal: Callable[[], Journal]) -> None:
        self._open = journal
        self._opened: Journal | None = None
        self._logs: dict[str, tuple[AuditLog, int]] = {}
        self._days: dict[str, Row] = {}

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def streams(self) -> list[str]:
        return self._journal().streams()

    def check(self, cursor: Cursor) -> None:
        """Raises BeyondJournal."""
        check_cursor(self._journal(), cursor)

    def _journal(self) -> Journal:
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _day(self, asked: str | None) -> str:
        stored = self.streams()
        archived = self._journal().archived()
        if asked is not None and any(day.trade_date == asked for day in archived):
            raise ConfigError(f"day {asked}: {archive_sentence(archived)}")
        if not stored or (asked is not None and asked not in stored):
            raise ConfigError(f"no day {asked or 'yet'} in this journal")
        return asked or stored[-1]

    def log(self, asked: str | None) -> tuple[AuditLog, Cursor]:
        """The log of a day, the open one by default, up to its last stored event."""
        day = self._day(asked)
        log, seq = self._logs.pop(day) if day in self._logs else (AuditLog(), 0)
        # Taken back in only when all went well: a log with half of a day would be wrong for ever.
        for events in _in_parts(event for _, event, _ in self._journal().read(day, seq)):
            log.listen(events)
            seq += len(events)
        self._logs[day] = (log.finish(), seq)
        while len(self._logs) > MOST_KEPT:
            del self._logs[next(iter(self._logs))]
        return log, Cursor(day, seq)

    def breaches(self, asked: str | None) -> tuple[list[Row], Cursor]:
        log, cursor = self.log(asked)
        return _named(log, log.breaches), cursor

    def breaches_by_rule(self) -> dict[str, int]:
        """How often each rule was breached in the open day."""
        rows = self.log(None)[0].breaches if self.streams() else []
        return dict(Counter(row["rule"] for row in rows))

    def enforcement(self, asked: str | None) -> tuple[list[Row], Cursor]:
        log, cursor = self.log(asked)
        return _named(log, log.command_rows()), cursor

    def lockouts(self, asked: str) -> tuple[list[Row], Cursor]:
        log, cursor = self.log(asked)
        return _named(log, log.lockouts.rows), cursor

    def fills(self, asked: str | None) -> tuple[list[Row], Cursor]:
        log, cursor = self.log(asked)
        rows = [
            {"account": account, **fill_row(trade), **log.maker_of_fill(account, trade).row()}
            for (account, _), trade in sorted(log.fills.items(), key=lambda item: (item[1].placed_at, item[0]))
            if trade.trade_date == cursor.day
        ]
        return _named(log, rows), cursor

    def days(self, asked: str | None) -> tuple[list[Row], Cursor]:
        """One row a day, with the figures of its accounts in it; a day that is over is looked at once."""
        stored = [self._day(asked)] if asked is not None else self.streams()
        last = self._day(None)
        for day in stored:
            if day not in self._days or day == last:
                self._days[day] = self._day_row(day)
        return [self._days[day] for day in stored], Cursor(last, self._journal().last_seq(last))

    def _day_row(self, day: str) -> Row:
        log, _ = self.log(day)
        recorded = log.days[-1]
        return {
            "profile": recorded.profile,
            "trade_date": recorded.trade_date,
            "version": recorded.version,
            "events": recorded.events,
            "rejected": recorded.rejected,
            "lacks": list(recorded.lacks),
            "accounts": [
                {"account": account, "account_name": log.names.get(account), **day_row(figures)}
                for (account, date), figures in sorted(log.figures.items())
                if date == day
            ],
        }

    def why(self, wanted: str) -> Row:
        """The explanation of a decision, looked for from the newest day back."""
        missing = ConfigError(f"no breach or command {wanted[:80]!r} in this journal")
        for day in reversed(self.streams()):
            decisions = Decisions()
            for events in _in_parts(event for _, event, _ in self._journal().read(day)):
                decisions.listen(events)
            if any(name == wanted or name.startswith(wanted) or name.endswith(wanted) for name in decisions.by_id):
                return explain(decisions, wanted)
        raise missing

    def events(self, cursor: Cursor, limit: int) -> tuple[list[bytes], Cursor, bool]:
        """Stored events behind a cursor as `export` writes them, the last one's cursor, and whether there are more."""
        lines: list[bytes] = []
        last, journal = cursor, self._journal()
        for day in [one for one in self.streams() if one >= cursor.day]:
            after = cursor.seq if day == cursor.day else 0
            if after >= journal.last_seq(day):
                continue
            for seq, line in islice(_export_lines(journal, day, after), limit + 1 - len(lines)):
                if len(lines) == limit:
                    return lines, last, True
                lines.append(line)
                last = Cursor(day, seq)
        return lines, Cursor(last.day, last.seq), False


def _export_lines(journal: Journal, day: str, after: int) -> Iterator[tuple[int, bytes]]:
    for seq, canonical, digest in journal.stored_bytes(day, after):
        line = export_line(canonical, digest)
        yield seq, line.rstrip()[:-1] + f',"day":"{day}"}}'.encode()


def _in_parts(events: Iterator[Event]) -> Iterator[Sequence[Event]]:
    while part := list(islice(events, _AT_ONCE)):
        yield part


def _named(log: AuditLog, rows: Sequence[Row]) -> list[Row]:
    """The rows with the name of their account behind its id."""
    found = []
    for row in rows:
        named: dict[str, Any] = {}
        for key, value in row.items():
            named[key] = value
            if key == "account":
                named["account_name"] = log.names.get(value)
        found.append(named)
    return found
