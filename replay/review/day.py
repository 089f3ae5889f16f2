"""One day of the sessions that are read, with everything a review tells of it. The last one unless a day is named."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from replay.export import export
from replay.recording import open_lines
from replay.replay_run import run_replay
from replay.sessions import Progress, Warn, ignore, session_name
from replay.source import Source
from riskcore.audit.following import open_journal
from riskcore.audit.log import AuditLog
from riskcore.audit.round_trips import RoundTrips
from riskcore.core import events as e
from riskcore.errors import InputError
from riskcore.schema.export import read_export
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row
from riskcore.store.export_file import write_export
from riskcore.store.location import choose_days


@dataclass(slots=True)
class Reviewed:
    """One trading day, folded. `digest` is the hash of its last event; empty where the source is a recording."""

    opened: e.TradingDayOpened
    log: AuditLog
    trips: RoundTrips
    traded: bool = False
    closed: bool = False  # The reset that ends the day was seen.
    digest: str = ""

    @property
    def trade_date(self) -> str:
        return self.opened.day.trade_date


@dataclass(slots=True)
class Days:
    """Listens to stored events and keeps the day that is asked for, else the last one.

    A day that has only just begun, without a fill, is no day to look back on: the one before it is kept.
    """

    wanted: str | None
    seen: list[str] = field(default_factory=list)
    kept: Reviewed | None = None
    _current: Reviewed | None = None

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.TradingDayOpened):
                self.finish()
                self.seen.append(body.day.trade_date)
                if self.wanted in (None, body.day.trade_date):
                    log = AuditLog()
                    self._current = Reviewed(body, log, RoundTrips(log))
            current = self._current
            if current is None:
                continue
            current.log.listen((event,))
            current.trips.listen(event)
            current.traded = current.traded or isinstance(body, e.TradeRecorded)
            current.closed = isinstance(body, e.DayRolled)

    def hashed(self, digest: bytes) -> None:
        """The hash of the event that was heard last."""
        if self._current is not None:
            self._current.digest = digest.hex()

    def finish(self) -> None:
        """The day that is read is over, or the source is."""
        current, self._current = self._current, None
        if current is not None and (self.kept is None or current.traded or current.closed):
            self.kept = current


def read_day(
    source: Source, folder: Path, *, warn: Warn = ignore, progress: Progress = ignore
) -> tuple[Reviewed, Row, Source]:
    """The day, the hash that closes it, and the source as session files: a journal is copied into the folder.

    Raises ConfigError for a day that is not there, Corrupt for a broken chain, InputError.
    """
    form = source.form()
    days = Days(source.days[0] if source.days else None)
    if form == "store":
        source, form = _copied(source, folder, progress), "journal"
    files: list[Row] = []
    if form == "journal":
        for path in source.sessions:
            _read_export(source, path, days, warn)
    else:
        result = run_replay(
            source.sessions,
            config_path=source.config_path,
            sets=source.sets,
            config_given=source.config_given,
            skip_bad_lines=source.skip_bad_lines,
            strict=source.strict,
            keep_quotes=True,
            listeners=(days.listen,),
            warn=warn,
            progress=progress,
        )
        files = result["sessions"]
    days.finish()
    choose_days(days.seen, source.days, "the sessions")
    if days.kept is None:
        raise InputError(f"{source.sessions[0].name}: nothing was recorded, so there is no day to review")
    reviewed = days.kept
    reviewed.log.finish()
    if form == "journal":
        return reviewed, {"of": "journal", "sha256": reviewed.digest}, source
    held = [row for row in files if row["first_at"] and row["first_at"] < utc_text(reviewed.opened.day.closes_at)]
    return reviewed, {"of": "recording", "sha256": held[-1]["sha256"]}, source


def _read_export(source: Source, path: Path, days: Days, warn: Warn) -> None:
    name = session_name(path, source.sessions)
    known = days.seen[-1] if days.seen else ""
    for _, event, digest in read_export(open_lines(path), name, warn, source.strict):
        body = event.body
        if isinstance(body, e.TradingDayOpened) and body.day.trade_date <= known:
            raise InputError(
                f"{name}: day {body.day.trade_date} was given after {known}; give each day once, oldest first"
            )
        days.listen((event,))
        days.hashed(digest)


def _copied(source: Source, folder: Path, progress: Progress) -> Source:
    """The day asked for, else the last two, out of the journal into a session file: what-if runs read files."""
    with open_journal(source.store, source.profile, source.config_path) as (journal, stored):
        chosen = tuple(choose_days(stored, source.days, f"profile {journal.profile}", journal.archived())[-2:])
        profile = journal.profile
    path = folder / f"{profile}-{chosen[-1]}.jsonl".replace("/", "_")
    with write_export(path) as writer:
        export(replace(source, days=chosen, profile=profile), writer, progress=progress)
    return replace(source, sessions=(path,), store=None, profile=None)
