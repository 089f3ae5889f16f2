"""Days as journal exports: out of a journal, out of other exports, or out of wire recordings run through the core."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from replay.left_out import warn_of_left_out
from replay.recording import open_lines
from replay.sessions import EVENTS_BETWEEN_REPORTS, Progress, Reading, Warn, ignore, session_name
from replay.source import Source, feed
from riskcore.audit.following import open_journal
from riskcore.core.events import Event, TradingDayOpened
from riskcore.errors import InputError
from riskcore.schema.chain import HASH_LENGTH, Link, stream_of
from riskcore.schema.codec import read_line
from riskcore.schema.export import ExportWriter, read_export
from riskcore.store.location import choose_days


def export(
    source: Source, writer: ExportWriter, *, all_days: bool = False, warn: Warn = ignore, progress: Progress = ignore
) -> list[str]:
    """Write the days of a source, all but the end line, and return them.

    A journal gives its last day unless days are named or all are wanted; session files give all they hold.
    Raises ConfigError for days that are not there, InputError, StoreError.
    """
    form = source.form()
    if form == "store":
        days = _from_store(source, writer, all_days, progress)
    else:
        days = (
            _from_exports(source, writer, warn, progress)
            if form == "journal"
            else _from_wire(source, writer, warn, progress)
        )
    warn_of_left_out(warn)(writer.left_out)
    if not days:
        raise InputError(f"{source.sessions[0].name}: nothing was recorded, so there is no day to export")
    return days


def _from_store(source: Source, writer: ExportWriter, all_days: bool, progress: Progress) -> list[str]:
    with open_journal(source.store, source.profile, source.config_path) as (journal, stored):
        asked = source.days if source.days or all_days else stored[-1:]
        days = choose_days(stored, asked, f"profile {journal.profile}", journal.archived())
        for place, day in enumerate(days):
            progress(f"{journal.profile} {day}", journal.last_seq(day), place / len(days))
            journal.export([day], writer)
        return days


def _from_wire(source: Source, writer: ExportWriter, warn: Warn, progress: Progress) -> list[str]:
    days: list[str] = []

    def write(events: Sequence[Event]) -> None:
        days.extend(event.body.day.trade_date for event in events if isinstance(event.body, TradingDayOpened))
        writer.add_events(events)

    feed(source, write, keep_quotes=True, warn=warn, progress=progress)
    return days


def _from_exports(source: Source, writer: ExportWriter, warn: Warn, progress: Progress) -> list[str]:
    """Copy days as they are: an older event keeps its version, its bytes and so its hash."""
    found: list[str] = []
    reading = Reading(source.sessions, progress)
    for path in source.sessions:
        wanted = False
        lines = open_lines(path)
        thinned = [0]
        links = exported_links(lines, session_name(path, source.sessions), warn, source.strict, thinned.append)
        for count, (opened, link) in enumerate(links):
            if not count % EVENTS_BETWEEN_REPORTS:
                reading.report(path, count, lines.share_read)
            if opened is not None:
                found.append(opened.day.trade_date)
                wanted = not source.days or opened.day.trade_date in source.days
                if wanted:
                    writer.begin(opened.profile, opened.previous_hash, thinned[-1])
            if wanted:
                writer.add_links([link])
    return choose_days(found, source.days, "the sessions")


def exported_links(
    lines: Iterable[bytes], name: str, warn: Warn, strict: bool, note_thinned: Callable[[int], object] = ignore
) -> Iterator[tuple[TradingDayOpened | None, Link]]:
    """The lines of an export as links, checked; beside the first of a day its opening."""
    last = [b""]

    def noted(lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            last[0] = line
            yield line

    stream = ""
    for seq, event, digest in read_export(noted(lines), name, warn, strict, note_thinned):
        topic, canonical, _ = read_line(last[0])
        assert len(digest) == HASH_LENGTH, "a link is a whole hash and canonical bytes"
        opened = event.body if isinstance(event.body, TradingDayOpened) else None
        if opened is not None:
            stream = stream_of(opened.profile, opened.day.trade_date)
        yield opened, (stream, seq, topic, digest + canonical)
