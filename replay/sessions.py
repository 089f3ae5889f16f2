"""Session files of either form through the core, in one run. Source: INTERFACE.md 4 and 5."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from replay.comparison import Comparison
from replay.left_out import cannot_be_judged
from replay.recording import detect_form, open_lines, read_wire
from replay.result import Collector, remarks, result_of
from riskcore.core.events import DayRolled, Event, TradingDayOpened
from riskcore.core.quotes import Item, Quotes, quote_at
from riskcore.core.runner import Listener, Runner
from riskcore.core.state import Day
from riskcore.errors import InputError, RiskcoreError
from riskcore.schema.export import read_export
from riskcore.schema.instants import utc_text
from riskcore.schema.payloads import Keep
from riskcore.settings.calendar import day_for

EVENTS_BETWEEN_REPORTS = 1000  # Of progress through a journal export, which has no blocks.
Warn = Callable[[str], None]
# What is read, its events so far, and the share of everything that is to be read, from 0 to 1.
Progress = Callable[[str, int, float], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How sessions are read and judged. `settings` is None when a journal export brings its own."""

    settings: Mapping[str, Any]
    version: str
    restrict: tuple[str, ...] = ()
    skip_bad_lines: bool = False
    strict: bool = False
    every_event: bool = False
    keep_quotes: bool = False
    from_cache: bool = False  # Quotes of a wire recording may come out of what is kept beside it.
    listeners: tuple[Listener, ...] = ()
    keep_messages: Keep | None = None  # Told of the lines of wire recordings that are to be kept.
    keep_market: bool = False


def ignore(*_: object) -> None:
    """Takes a warning or progress and says nothing."""


@dataclass(slots=True)
class Replay:
    """One run over one or more sessions."""

    options: Options
    warn: Warn = ignore
    progress: Progress = ignore
    collector: Collector = field(default_factory=Collector)
    comparison: Comparison = field(default_factory=Comparison)
    rows: list[dict[str, Any]] = field(default_factory=list)
    _runner: Runner | None = None
    _last_at: int | None = None
    _in_hand: Item | None = None  # What is being judged.
    _name: str = ""  # Of the session that is read.
    _reading: "Reading" = field(default_factory=lambda: Reading((), ignore))
    _rolled: DayRolled | None = None  # The last event of a journal export, when its last day is over.

    @property
    def runner(self) -> Runner:
        assert self._runner is not None, "a run has at least one session"
        return self._runner

    def run(self, paths: Sequence[Path]) -> dict[str, Any]:
        """Run all sessions and return the result. Raises InputError, Corrupt, ConfigError."""
        self._reading = Reading(paths, self.progress)
        for path in paths:
            self._name = session_name(path, paths)
            form = detect_form(path, skip_bad_lines=self.options.skip_bad_lines)
            self.comparison.begin(form == "journal")
            try:
                self._wire(path) if form == "wire" else self._journal(path)
            except (RiskcoreError, OSError):
                raise  # What cannot be written, by a listener, is no fault of the session.
            except Exception as error:
                raise InputError(f"{self._name}: {cannot_be_judged(self._fact_in_hand(), error)}") from error
        book = self.runner.finish()
        if book.day is not None:
            self.collector.note_days(book, self.runner.turn.rulebook, book.trade_date)
        rulebook = self.runner.turn.rulebook
        for text in remarks(book, rulebook):
            self.warn(text)
        comparison = self.comparison.outcome(lambda account: rulebook.judges(book.accounts[account]))
        return result_of(book, rulebook, self.collector, self.rows, comparison)

    def _fact_in_hand(self) -> Event:
        item = self._in_hand
        assert item is not None, "it failed before anything was judged"
        return quote_at(item, self.runner.index or 0) if isinstance(item, Quotes) else item

    def _start(self, lacks: tuple[str, ...]) -> Runner:
        options = self.options
        if self._runner is None:
            self._runner = Runner(
                options.settings,
                (self.comparison.recompute, self.collector.listen, self._note_reset, *options.listeners),
                day_for,
                version=options.version,
                restrict=options.restrict,
                every_event=options.every_event,
                keep_quotes=options.keep_quotes,
            )
        self._runner.lacks = lacks
        return self._runner

    def _note_reset(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event.body, DayRolled):
                self.collector.note_days(self.runner.book, self.runner.turn.rulebook, event.body.trade_date)

    def _wire(self, path: Path) -> None:
        options = self.options
        reader = read_wire(
            path,
            skip_bad_lines=options.skip_bad_lines,
            strict=options.strict,
            warn=self.warn,
            from_cache=options.from_cache and not options.every_event,
        )
        reader.keep, reader.keep_market = self.options.keep_messages, self.options.keep_market
        runner = self._start(reader.lacks)
        for items in reader:
            check_order(self._last_at, reader.first_at, self._name)
            for item in items:
                self._in_hand = item
                if isinstance(item, Quotes):
                    runner.quotes(item)
                else:
                    runner.event(self._under_our_settings(item))
            self._reading.report(path, reader.events, reader.share_read)
        self._close(path, "wire", reader.sha256, reader.events, reader.first_at, reader.last_at)

    def _under_our_settings(self, event: Event) -> Event:
        """A recording that begins with what an engine knew is judged by the settings of this run, as any other is."""
        if not isinstance(event.body, TradingDayOpened):
            return event
        return replace(event, body=replace(event.body, settings=dict(self.options.settings)))

    def _journal(self, path: Path) -> None:
        lines = open_lines(path)
        runner = self._start(())
        first_at: int | None = None
        last_at = count = 0
        cut: list[str] = []
        for event in self._facts(path, lines, cut):
            if first_at is None:
                first_at = event.at
                check_order(self._last_at, first_at, self._name)
            last_at, count = event.at, count + 1
            if isinstance(event.body, TradingDayOpened):
                check_follows(runner.book.day, event, event.body.day, self._name)
            self.comparison.next_fact()
            self._in_hand = event
            runner.event(event)
            if not count % EVENTS_BETWEEN_REPORTS:
                self._reading.report(path, count, lines.share_read)
        if cut:
            self.comparison.forgive_tail()
            self.warn(cut[0])
        self._reading.report(path, count, lines.share_read)
        if self._rolled is not None:
            runner.end_day(self._rolled.next_date)
        self._close(path, "journal", lines.sha256, count, first_at, last_at)

    def _facts(self, path: Path, lines: Any, cut: list[str]) -> Iterator[Event]:
        for _, event, _ in read_export(lines, self._name, cut.append, self.options.strict):
            self._rolled = event.body if isinstance(event.body, DayRolled) else None
            if event.derived:
                self.comparison.record(event)
            else:
                yield event

    def _close(self, path: Path, form: str, sha256: str, count: int, first_at: int | None, last_at: int | None) -> None:
        self._last_at = last_at if last_at is not None else self._last_at
        self.rows.append(
            {
                "path": self._name,
                "form": form,
                "sha256": sha256,
                "events": count,
                "first_at": None if first_at is None else utc_text(first_at),
                "last_at": None if last_at is None else utc_text(last_at),
            }
        )


class Reading:
    """Reports the progress of one run through session files, one file after another, by their bytes."""

    def __init__(self, paths: Sequence[Path], progress: Progress) -> None:
        self._paths = paths
        self._progress = progress
        self._sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]

    def report(self, path: Path, events: int, share_of_file: float) -> None:
        """Of a file, `events` are delivered and this share is read; the files before it are read whole."""
        place = self._paths.index(path)
        read = sum(self._sizes[:place]) + share_of_file * self._sizes[place]
        self._progress(session_name(path, self._paths), events, read / max(1, sum(self._sizes)))


def session_name(path: Path, paths: Sequence[Path]) -> str:
    """How a session is named: by its file, or by its path where another of the sessions has the same file name."""
    return str(path) if sum(other.name == path.name for other in paths) > 1 else path.name


def check_order(before: int | None, first_at: int | None, name: str) -> None:
    """Sessions run one after another. Raises InputError when one begins before the one before it ends."""
    if before is not None and first_at is not None and first_at < before:
        raise InputError(f"{name}: begins before the session given ahead of it ends; give each day once, oldest first")


def check_follows(before: Day | None, opening: Event, day: Day, name: str) -> None:
    """A recorded day opens when the one before it ends. Raises InputError for a day behind a gap."""
    if before is not None and opening.at != before.closes_at:
        raise InputError(
            f"{name}: day {day.trade_date} does not follow day {before.trade_date}, the one before it here:"
            " days between them are missing; give them too, or give each day alone"
        )
