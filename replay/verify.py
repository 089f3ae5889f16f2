"""Are recorded decisions what the core decides? Every day alone from its own opening (DESIGN.md, "Replay").

Beside the decisions the hand-over is checked: what a day hands on to the next is what the next one opened with. And
that the end is there: a tail that was cut off is found where something still shows it, and with a hash kept elsewhere
wherever it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from string import hexdigits
from typing import Any

from replay.archive import check_archive, check_archived, is_archive, opening_of
from replay.blocks import Lines
from replay.comparison import Comparison
from replay.evidence import check_files, is_evidence
from replay.left_out import cannot_be_judged
from replay.recording import detect_form, open_lines, read_wire
from replay.sessions import EVENTS_BETWEEN_REPORTS, Progress, Reading, Warn, ignore, session_name
from replay.source import Source
from riskcore.audit.following import open_journal
from riskcore.core.events import DayRolled, Event, TradingDayOpened
from riskcore.core.handed_on import carried_over
from riskcore.core.quarantine import told_text
from riskcore.core.runner import Runner
from riskcore.errors import ConfigError, InputError, RiskcoreError, StoreError
from riskcore.schema.chain import HASH_LENGTH
from riskcore.schema.export import Stored, read_export
from riskcore.settings.calendar import day_for
from riskcore.settings.user_rules import changed_since
from riskcore.store.archived import ArchivedDay
from riskcore.store.journal import Journal
from riskcore.store.location import choose_days
from riskcore.version import VERSION

SCHEMA = "riskcore.verify/1"
Row = dict[str, Any]


@dataclass(slots=True)
class Check:
    """What was found so far; `result` is what is printed."""

    days: list[Row] = field(default_factory=list)
    recordings: list[Row] = field(default_factory=list)
    damage: list[Row] = field(default_factory=list)
    incomplete: list[Row] = field(default_factory=list)
    strict: bool = False  # What is incomplete is an error, not a warning.
    kept: "KeptHash | None" = None
    archived: list[ArchivedDay] = field(default_factory=list)  # What left the store that is checked.

    def damaged(self, source: str, text: str) -> None:
        """Note damage; what is wrong with a day and with the day behind it may be the same."""
        if (found := {"source": source, "text": text}) not in self.damage:
            self.damage.append(found)

    def lacks_its_end(self, source: str, trade_date: str | None, text: str) -> None:
        """Note that events at an end are missing; of a day once."""
        if (source, trade_date) not in [(row["source"], row["trade_date"]) for row in self.incomplete]:
            self.incomplete.append({"source": source, "trade_date": trade_date, "text": text})

    def result(self) -> Row:
        return {
            "schema": SCHEMA,
            "version": VERSION,
            "days": [{**row, "incomplete": self._is_incomplete(row)} for row in self.days],
            "recordings": [{**row, "incomplete": self._is_incomplete(row)} for row in self.recordings],
            "incomplete": self.incomplete,
            "last_hash": None if self.kept is None else self.kept.row(),
            "archived": [day.row() for day in self.archived],
            "damage": self.damage,
        }

    def _is_incomplete(self, row: Row) -> bool:
        about = (row["source"], row.get("trade_date"))
        return about in [(one["source"], one["trade_date"]) for one in self.incomplete]

    def exit_code(self) -> int:
        """3 for damage; 1 for decisions that differ, a kept hash that is not found, and with `strict` for a missing
        end; else 0 (INTERFACE.md 1).
        """
        if self.damage:
            return InputError.exit_code
        missing = (self.strict and self.incomplete) or (self.kept is not None and self.kept.found is None)
        return int(bool(missing) or any(row["differences"] for row in self.days))


@dataclass(slots=True)
class KeptHash:
    """The hash of an event, kept where nobody could edit it: everything up to that event must be what it was."""

    hash: str
    found: Row | None = None
    events_behind: int = 0

    def pass_by(self, source: str, trade_date: str, seq: int, digest: bytes) -> None:
        """Look at the hash of the next event."""
        if self.found is not None:
            self.events_behind += 1
        elif digest.hex() == self.hash:
            self.found = {"source": source, "trade_date": trade_date, "seq": seq}

    def row(self) -> Row:
        behind = None if self.found is None else self.events_behind
        return {"hash": self.hash, "found": self.found, "events_behind": behind}


class _Day:
    """One recorded day run again from its own opening."""

    def __init__(self, source: str, opening: Event, opened: TradingDayOpened, thinned: int) -> None:
        self.source = source
        self.opened = opened
        self.thinned = thinned  # Quotes that an archive left out.
        self.events = 0
        self.last_hash = ""
        self.comparison = Comparison()
        self.comparison.begin(True)
        self.left_out: list[str] = []
        self.failed: str | None = None  # What this riskcore cannot judge; from there on only the chain is checked.
        self._event = opening
        self.runner: Runner

    def follow(self, seq: int, event: Event, last_hash: str) -> None:
        """Take the next event of the day, the opening first."""
        self.events, self.last_hash, self._event = seq, last_hash, event
        if (text := told_text(event)) is not None:
            self.left_out.append(text)
        self._guarded(lambda: self._begin(event) if isinstance(event.body, TradingDayOpened) else self._take(event))

    def _guarded(self, judge: Callable[[], None]) -> None:
        """Judge, unless this riskcore has failed on an event of the day before."""
        if self.failed is None:
            try:
                judge()
            except RiskcoreError:
                raise
            except Exception as error:
                day = self.opened.day.trade_date
                self.failed = f"day {day}, event {self.events}, {cannot_be_judged(self._event, error)}"

    def _begin(self, opening: Event) -> None:
        self.runner = Runner(self.opened.settings, (self.comparison.recompute,), day_for, version=self.opened.version)
        self.runner.event(opening)

    def _take(self, event: Event) -> None:
        if not event.derived:
            self.comparison.next_fact()
            self.runner.event(event)
            return
        self.comparison.record(event)
        if isinstance(event.body, DayRolled):
            self.runner.end_day(event.body.next_date)

    def close(self, following: TradingDayOpened | None) -> Row | None:
        """The findings, with the hand-over to the opening that follows, if that hangs on this day.

        None when the day could not be judged to its end; `failed` says why.
        """
        found: list[Row] = []
        self._guarded(lambda: found.append(self._findings(following)))
        return found[0] if found else None

    def _findings(self, following: TradingDayOpened | None) -> Row:
        if following is not None and following.previous_hash != self.last_hash:
            following = None
        if following is not None:
            self.runner.end_day(following.day.trade_date)
        book = self.runner.finish()
        outcome = self.comparison.outcome()
        assert outcome is not None, "a recorded day is always compared"
        handed_on = None if following is None else carried_over(book, following) == following
        differences = list(outcome["differences"])
        if handed_on is False:
            differences.append(
                {
                    "only": "recorded",
                    "at": None,
                    "type": TradingDayOpened.__name__,
                    "key": f"day:{following.day.trade_date}" if following is not None else "",
                    "cause": "what this day hands on is not what the next one opened with",
                }
            )
        return {
            "source": self.source,
            "profile": self.opened.profile,
            "trade_date": self.opened.day.trade_date,
            "timezone": self.opened.day.timezone,
            "version": self.opened.version,
            "events": self.events,
            "closed": isinstance(self._event.body, DayRolled),
            "last_hash": self.last_hash,
            "quotes_left_out": self.thinned,
            "recorded": outcome["recorded"],
            "recomputed": outcome["recomputed"],
            "changed_rules": list(changed_since(self.opened.settings)),
            "hands_on_the_same": handed_on,
            "left_out": self.left_out,
            "differences": differences,
        }


def verify(source: Source, warn: Warn = ignore, progress: Progress = ignore, last_hash: str | None = None) -> Check:
    """Check every session file, or the journal. Damage is a finding; raises ConfigError for a wrong command line.

    `last_hash` was the hash of the last event once: it must still be there.
    """
    check = Check(strict=source.strict, kept=None if last_hash is None else KeptHash(_hash(last_hash)))
    if source.sets:
        raise ConfigError("recorded days carry the settings they were judged by; leave out --set")
    if not source.sessions:
        _verify_store(source, check, progress)
    archives = [path for path in source.sessions if is_archive(path)]
    paths = _session_files(source.sessions, check)
    reading = Reading(paths, progress)
    for path, following in zip(paths, [*paths[1:], None], strict=False):
        name = session_name(path, source.sessions)
        try:
            if detect_form(path, skip_bad_lines=source.skip_bad_lines) == "wire":
                check.recordings.append(_recording(source, path, check, warn, reading))
            else:
                cut: list[str] = []
                thinned: list[int] = []
                lines = open_lines(path)
                stored = read_export(lines, name, cut.append, note_thinned=thinned.append)
                report = partial(_report_file, reading, path, lines)
                beside = following is not None and path.parent == following.parent in archives
                opened = opening_of(following) if following is not None and beside else None
                _judge_again(check, name, stored, source.days, report, opened, cut, thinned)
        except (InputError, StoreError) as error:
            check.damaged(name, str(error))
    if check.kept is not None and not check.days and not check.damage:
        raise ConfigError("--last-hash is the hash of an event; a wire recording has none")
    _find_missing_ends(check)
    if source.days and not check.damage:
        choose_days([row["trade_date"] for row in check.days], source.days, "the sessions")
    return check


def _hash(text: str) -> str:
    if len(text) != 2 * HASH_LENGTH or not set(text.lower()) <= set(hexdigits):
        raise ConfigError(f"--last-hash {text[:80]!r}: a hash has {2 * HASH_LENGTH} digits 0-9 and a-f")
    return text.lower()


def _find_missing_ends(check: Check) -> None:
    """A day that a later day of its profile follows has ended, so its last event says so."""
    for row in check.days:
        later = [
            one for one in check.days if one["profile"] == row["profile"] and one["trade_date"] > row["trade_date"]
        ]
        if later and not row["closed"]:
            text = (
                f"{row['source']}: the end of day {row['trade_date']} is missing behind event {row['events']}, "
                f"although day {later[0]['trade_date']} follows"
            )
            check.lacks_its_end(row["source"], row["trade_date"], text)


def _session_files(paths: Sequence[Path], check: Check) -> list[Path]:
    """The files to check; of an evidence pack or an archive those in it, once all beside them is found right."""
    files: list[Path] = []
    for path in paths:
        check_all = check_files if is_evidence(path) else check_archive if is_archive(path) else None
        if check_all is None:
            files.append(path)
            continue
        try:
            files += check_all(path)
        except (StoreError, ValueError, OSError, KeyError, TypeError) as error:
            check.damaged(path.name, str(error))
    return files


def _verify_store(source: Source, check: Check, progress: Progress) -> None:
    with open_journal(source.store, source.profile, source.config_path) as (journal, stored):
        check.archived = journal.archived()
        check_archived(check.archived, check.damaged, check.lacks_its_end)
        days = choose_days(stored, source.days, f"profile {journal.profile}", check.archived)
        verify_journal(journal, days, check, progress)
        if not source.days:
            for day in [day for day in journal.remembered() if day not in stored]:
                text = f"{journal.profile}: day {day} is missing: an engine stopped in it, and none of it is stored"
                check.lacks_its_end(journal.profile, day, text)


def verify_journal(journal: Journal, days: Sequence[str], check: Check, progress: Progress = ignore) -> None:
    """Add the findings of these days of an open journal to `check`."""
    remembered = journal.remembered()  # Before the days are read: an engine may be appending to them.
    try:
        # Tables, triggers, pages and the links between all days; the chain of a day is checked as it is read.
        journal.verify_storage()
    except StoreError as error:
        check.damaged(journal.profile, str(error))
    for place, (day, following) in enumerate(zip(days, [*days[1:], None], strict=True)):
        try:
            opened = journal.opening(following) if following is not None else None
            report = partial(_report_day, progress, journal, day, place / len(days), 1 / len(days))
            _judge_again(check, journal.profile, journal.read(day), (), report, opened)
            for _ in journal.messages(day):
                pass
            _compare_with_remembered(check, journal, day, remembered.get(day, 0))
        except StoreError as error:
            check.damaged(journal.profile, str(error))


def _compare_with_remembered(check: Check, journal: Journal, day: str, remembered: int) -> None:
    """An engine that stopped left beside its events how many there were."""
    last = journal.last_seq(day)
    if remembered > last:
        text = (
            f"{journal.profile}: the end of day {day} is missing: an engine stopped behind event {remembered}, "
            f"and the last one stored is {last}"
        )
        check.lacks_its_end(journal.profile, day, text)


def _report_file(reading: Reading, path: Path, lines: Lines, events: int) -> None:
    reading.report(path, events, lines.share_read)


def _report_day(progress: Progress, journal: Journal, day: str, before: float, of_day: float, events: int) -> None:
    progress(f"{journal.profile} {day}", events, before + of_day * events / max(1, journal.last_seq(day)))


def _judge_again(
    check: Check,
    source: str,
    stored: Iterable[Stored],
    days: tuple[str, ...],
    report: Callable[[int], None],
    following: TradingDayOpened | None = None,
    cut: Sequence[str] = (),
    thinned: Sequence[int] = (),
) -> None:
    """Add the findings of every day of one stream, each run alone; `following` opened the day behind the last.

    `cut` says, once all is read, that the stream was cut off: its last fact is judged by nobody's record. The last of
    `thinned` is how many quotes the day at hand lacks. An event
    that this riskcore cannot judge is a finding of its day; the other days are judged.
    """
    rows: list[Row] = []

    def close(day: _Day, following: TradingDayOpened | None) -> None:
        row = day.close(following)
        if row is None:
            check.damaged(source, f"{source}: {day.failed}")
        else:
            rows.append(row)
        report(day.events)

    current: _Day | None = None
    for seq, event, digest in stored:
        if isinstance(event.body, TradingDayOpened):
            if current is not None:
                close(current, event.body)
            wanted = not days or event.body.day.trade_date in days
            current = _Day(source, event, event.body, thinned[-1] if thinned else 0) if wanted else None
        if current is not None:
            current.follow(seq, event, digest.hex())
            if check.kept is not None:
                check.kept.pass_by(source, current.opened.day.trade_date, seq, digest)
            if not seq % EVENTS_BETWEEN_REPORTS:
                report(seq)
    if current is not None:
        if cut:
            current.comparison.forgive_tail()
        close(current, following)
    for text in cut:
        check.lacks_its_end(source, None if current is None else current.opened.day.trade_date, text)
    check.days += rows


def _recording(source: Source, path: Path, check: Check, warn: Warn, reading: Reading) -> Row:
    """A wire recording holds no decisions: that it can be read, and that its end line fits, is all there is."""
    if source.days:
        raise ConfigError("a wire recording is verified as a whole; leave out --day")
    said: list[str] = []
    reader = read_wire(path, skip_bad_lines=source.skip_bad_lines, warn=said.append)
    for _ in reader:
        reading.report(path, reader.events, reader.share_read)
    name = session_name(path, source.sessions)
    for text in said:
        if reader.cut:
            check.lacks_its_end(name, None, text)
        else:
            warn(text)
    return {
        "source": name,
        "lines": reader.lines,
        "events": reader.events,
        "rejected": reader.rejected,
        "sha256": reader.sha256,
        "end_line": reader.ended,
        "decisions": None,
    }
