"""Where a report reads its events from: session files of either form, or days of a journal.

One stream of stored events, facts and derived, is pushed to listeners, whatever the source. A wire recording is run
through the core for it under the settings; recorded decisions are taken as they stand.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from replay.recording import detect_form, open_lines
from replay.replay_run import run_replay
from replay.sessions import Progress, Reading, Warn, ignore, session_name
from riskcore.audit.following import open_journal
from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.runner import Listener
from riskcore.errors import ConfigError, InputError
from riskcore.schema.export import Stored, read_export
from riskcore.store.archived import archive_sentence
from riskcore.store.location import choose_days

# Events handed on together: few, because one may hold hundreds of quotes and memory must not grow.
BATCH = 20


@dataclass(frozen=True, slots=True)
class Source:
    """What a command line asked for. Without sessions the journal in `store` (None: the default one) is meant."""

    sessions: tuple[Path, ...] = ()
    store: str | None = None
    profile: str | None = None
    days: tuple[str, ...] = ()
    config_path: Path | None = None
    sets: tuple[str, ...] = ()
    config_given: bool = False
    skip_bad_lines: bool = False
    strict: bool = False

    def kind(self) -> str:
        """wire, journal (both files) or store. Raises ConfigError for files of both forms, InputError."""
        forms = {detect_form(path, skip_bad_lines=self.skip_bad_lines) for path in self.sessions}
        if len(forms) > 1:
            raise ConfigError("give wire recordings or journal exports, not both at once")
        return forms.pop() if forms else "store"

    def form(self) -> str:
        """As `kind`. Raises ConfigError for settings that recorded decisions cannot be judged by, InputError."""
        form = self.kind()
        if form != "wire" and self.sets:
            raise ConfigError("recorded days carry the settings they were judged by; leave out --set")
        return form


@dataclass(slots=True)
class OnlyDays:
    """Hands on the events of some trading days."""

    listener: Listener
    days: tuple[str, ...]
    seen: list[str] = field(default_factory=list)
    _wanted: bool = False

    def listen(self, events: Sequence[Event]) -> None:
        kept = []
        for event in events:
            if isinstance(event.body, TradingDayOpened):
                trade_date = event.body.day.trade_date
                self.seen.append(trade_date)
                self._wanted = not self.days or trade_date in self.days
            if self._wanted:
                kept.append(event)
        if kept:
            self.listener(kept)


def feed(
    source: Source, listener: Listener, *, keep_quotes: bool, warn: Warn = ignore, progress: Progress = ignore
) -> None:
    """Push every stored event of the source to the listener. Raises ConfigError, InputError, StoreError."""
    form = source.form()
    if form == "store":
        _feed_store(source, listener, warn, progress)
        return
    chosen = OnlyDays(listener, source.days)
    if form == "journal":
        reading = Reading(source.sessions, progress)
        for path in source.sessions:
            _feed_export(source, path, chosen, warn, reading)
    else:
        run_replay(
            source.sessions,
            config_path=source.config_path,
            sets=source.sets,
            config_given=source.config_given,
            skip_bad_lines=source.skip_bad_lines,
            strict=source.strict,
            keep_quotes=keep_quotes,
            listeners=(chosen.listen,),
            warn=warn,
            progress=progress,
        )
    choose_days(chosen.seen, source.days, "the sessions")


def _feed_export(source: Source, path: Path, chosen: OnlyDays, warn: Warn, reading: Reading) -> None:
    name = session_name(path, source.sessions)
    known = chosen.seen[-1] if chosen.seen else ""
    count = 0
    lines = open_lines(path)
    for events in batches(read_export(lines, name, warn, source.strict)):
        opened = events[0].body
        if isinstance(opened, TradingDayOpened) and opened.day.trade_date <= known:
            day = opened.day.trade_date
            raise InputError(f"{name}: day {day} was given after {known}; give each day once, oldest first")
        chosen.listen(events)
        count += len(events)
        reading.report(path, count, lines.share_read)


def _feed_store(source: Source, listener: Listener, warn: Warn, progress: Progress) -> None:
    with open_journal(source.store, source.profile, source.config_path) as (journal, days):
        archived = journal.archived()
        chosen = choose_days(days, source.days, f"profile {journal.profile}", archived)
        if archived and not source.days:
            warn(f"{archive_sentence(archived)}; give its session files as SESSION to read them")
        for place, day in enumerate(chosen):
            progress(f"{journal.profile} {day}", journal.last_seq(day), place / len(chosen))
            for events in batches(journal.read(day)):
                listener(events)


def batches(stored: Iterable[Stored]) -> Iterator[list[Event]]:
    """The events of a stored stream, many at a time; an opening event always begins a batch."""
    events: list[Event] = []
    for _, event, _ in stored:
        if events and (len(events) >= BATCH or isinstance(event.body, TradingDayOpened)):
            yield events
            events = []
        events.append(event)
    if events:
        yield events
