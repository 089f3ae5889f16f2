"""Session files of either form as trading days of facts, one after another, in little memory."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from replay.left_out import warn_of_left_out
from replay.recording import detect_form, open_lines, read_wire
from replay.sessions import (
    EVENTS_BETWEEN_REPORTS,
    Progress,
    Reading,
    Warn,
    check_follows,
    check_order,
    ignore,
    session_name,
)
from replay.thinning import SLOT_NS
from replay.whatif.market import DayFacts
from riskcore.core.events import DayRolled, Event, TradingDayOpened
from riskcore.core.quotes import Quotes
from riskcore.errors import ConfigError
from riskcore.schema.export import read_export
from riskcore.schema.instants import utc_text
from riskcore.settings.calendar import day_for


@dataclass(slots=True)
class Sessions:
    """The recorded days of some session files. `settings` decide where a day of a wire recording begins."""

    paths: Sequence[Path]
    settings: Mapping[str, Any]
    skip_bad_lines: bool = False
    strict: bool = False
    warn: Warn = ignore
    progress: Progress = ignore
    rows: list[dict[str, Any]] = field(default_factory=list)
    _lacks: tuple[str, ...] = ()

    def _name(self, path: Path) -> str:
        return session_name(path, self.paths)

    def form(self) -> str:
        """wire or journal. Raises ConfigError for files of both forms, InputError for what is neither."""
        forms = sorted({detect_form(path, skip_bad_lines=self.skip_bad_lines) for path in self.paths})
        if len(forms) != 1:
            raise ConfigError("give wire recordings or journal exports, not both at once")
        return forms[0]

    def days(self) -> Iterator[DayFacts]:
        """The days in order. Raises InputError, Corrupt."""
        self.rows = []
        reader = self._wire() if self.form() == "wire" else self._journal()
        yield from reader

    # ---- wire recordings -----------------------------------------------------------------------------

    def _wire(self) -> Iterator[DayFacts]:
        yield from days_of(self._items(), self.settings, lambda: self._lacks)

    def _items(self) -> Iterator[list[Quotes | Event]]:
        ended: int | None = None
        reading = Reading(self.paths, self.progress)
        for path in self.paths:
            reader = read_wire(
                path, skip_bad_lines=self.skip_bad_lines, strict=self.strict, warn=self.warn, from_cache=True
            )
            self._lacks = reader.lacks
            for items in reader:
                check_order(ended, reader.first_at, self._name(path))
                # What an engine knew at its start is not what either course begins with.
                yield [
                    item for item in items if isinstance(item, Quotes) or not isinstance(item.body, TradingDayOpened)
                ]
                reading.report(path, reader.events, reader.share_read)
            ended = reader.last_at if reader.last_at is not None else ended
            self._row(path, "wire", reader.sha256, reader.events, reader.first_at, reader.last_at)

    # ---- journal exports -----------------------------------------------------------------------------

    def _journal(self) -> Iterator[DayFacts]:
        day: DayFacts | None = None
        ended: int | None = None
        note = warn_of_left_out(self.warn)
        reading = Reading(self.paths, self.progress)
        for path in self.paths:
            lines = open_lines(path)
            first_at: int | None = None
            last_at = count = 0
            thinned = partial(self._say_thinned, path)
            for _, event, _ in read_export(lines, self._name(path), self.warn, self.strict, thinned):
                if first_at is None:
                    first_at = event.at
                    check_order(ended, first_at, self._name(path))
                last_at, count = event.at, count + (not event.derived)
                note((event,))
                if not event.derived and not count % EVENTS_BETWEEN_REPORTS:
                    reading.report(path, count, lines.share_read)
                body = event.body
                if isinstance(body, TradingDayOpened):
                    if day is not None:
                        check_follows(day.day, event, body.day, self._name(path))
                        yield day
                    day = DayFacts(body.day, body.lacks, opened=event, marks=body.marks)
                elif isinstance(body, DayRolled) and day is not None:
                    day.rolled_to = body.next_date
                elif not event.derived:
                    assert day is not None, "an export begins with the opening of a day"
                    day.add_event(event)
            reading.report(path, count, lines.share_read)
            ended = last_at if first_at is not None else ended
            self._row(path, "journal", lines.sha256, count, first_at, last_at)
        if day is not None:
            yield day

    def _say_thinned(self, path: Path, left_out: int) -> None:
        if left_out:
            self.warn(
                f"{self._name(path)}: {left_out:,} quotes were left out when it was archived; under other settings a"
                f" limit may be found crossed up to {SLOT_NS // 10**9} s late, and simulated"
                " fills see only the quotes that stayed"
            )

    def _row(self, path: Path, form: str, sha256: str, count: int, first_at: int | None, last_at: int | None) -> None:
        self.rows.append(
            {
                "path": self._name(path),
                "form": form,
                "sha256": sha256,
                "events": count,
                "first_at": None if first_at is None else utc_text(first_at),
                "last_at": None if last_at is None else utc_text(last_at),
            }
        )


def days_of(
    batches: Iterable[list[Quotes | Event]], settings: Mapping[str, Any], lacks: Callable[[], tuple[str, ...]] = tuple
) -> Iterator[DayFacts]:
    """Facts in order as the trading days they belong to; `lacks` says what the source of the next ones cannot see."""
    day: DayFacts | None = None
    for items in batches:
        for item in items:
            start, count = 0, len(item.ats) if isinstance(item, Quotes) else 1
            while start < count:
                at = item.ats[start] if isinstance(item, Quotes) else item.at
                if day is None or at >= day.day.closes_at:
                    if day is not None:
                        yield day
                    day = DayFacts(day_for(settings, at), lacks())
                if isinstance(item, Quotes):
                    end = bisect_left(item.ats, day.day.closes_at, start)
                    day.add_quotes(item.part(start, end) if end - start < count else item)
                    start = end
                else:
                    day.add_event(item)
                    start += 1
    if day is not None:
        yield day
