"""A session file as a redacted copy: read twice, decided twice, and left behind only if both decide the same.

The original and the copy go through the core side by side, fact by fact. What the core decides on the copy is what the
copy says was decided, and each decision must be the one on the original with stand-ins. The file that is written is
replayed at last.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from adapters.topstepx.fields import encode
from replay.recording import WIRE_FORM, WRITER, detect_form, open_lines, read_wire
from replay.redact.events import Redaction
from replay.redact.messages import line_of
from replay.redact.stand_ins import PROFILE, StandIns, first_left
from replay.replay_run import run_replay
from replay.sessions import Warn, ignore
from replay.wire_export import WireExport
from riskcore.core import events as e
from riskcore.core.quotes import Quotes
from riskcore.core.runner import Runner
from riskcore.errors import CannotWrite, ConfigError, RiskcoreError
from riskcore.schema.codec import encode_event
from riskcore.schema.export import ExportWriter, read_export
from riskcore.settings.calendar import day_for
from riskcore.settings.config import Given, Settings, read_settings, settings_of
from riskcore.store.export_file import written_whole
from riskcore.version import VERSION

NOTE = "redacted copy of a session with SHA-256 {}"
Item = Quotes | e.Event
Row = dict[str, Any]


class Differs(RiskcoreError):
    """The copy would not decide as the original does; nothing was written."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be redacted, and under which settings a wire recording is judged."""

    session: Path
    config: Given = None
    sets: tuple[str, ...] = ()
    config_given: bool = False
    skip_bad_lines: bool = False
    strict: bool = False
    warn: Warn = ignore


@dataclass(slots=True)
class Read:
    """One pass over the original."""

    form: str
    lacks: tuple[str, ...] = ()
    sha256: str = ""
    events: int = 0
    read: Callable[[], Iterator[Item]] = field(default=lambda: iter(()))


class Sink(Protocol):
    """Takes the copy as it is made: facts of the copy, and the decisions of the copy behind them."""

    def fact(self, item: Item) -> None: ...
    def decided(self, events: Sequence[e.Event]) -> None: ...
    def close(self) -> None: ...


def redact(asked: Asked, out: Path) -> tuple[Row, StandIns]:
    """Write the copy; returns what was done, and the map.

    Raises Differs, ConfigError, InputError, Corrupt, CannotWrite.
    """
    settings = _settings(asked)
    first, stand_ins = _reading(asked, asked.warn), StandIns()
    redaction = Redaction(stand_ins)
    redaction.collecting = True
    redaction.settings(settings.plain)
    for item in first.read():
        if isinstance(item, e.Event):
            redaction.event(item)
    redaction.collecting = False
    stand_ins.settle()
    changed = redaction.settings(settings.plain)
    note = NOTE.format(first.sha256)
    again = _reading(asked, ignore)
    # Under another name until it has proven itself: a file that is there already stays as it was.
    trial = out.with_name(f".redact-{os.getpid()}-{out.name}")
    if not out.parent.is_dir():
        raise CannotWrite(f"{out}: cannot be written (there is no folder {out.parent})")
    with written_whole(trial) as write, _sink(again, note, write) as sink:
        course = SideBySide(redaction, settings.plain, changed, again.lacks, sink, again.form == "journal")
        for item in again.read():
            course.take(item)
        course.finish()
    try:
        _replayed(trial, changed, course)
        left = first_left(stand_ins, open_lines(trial))
        if left is not None:
            raise Differs(f"the copy still holds {left} of the original, so none was written; please report it")
        trial.replace(out.resolve())
    except OSError as error:
        raise CannotWrite(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        trial.unlink(missing_ok=True)
    result = {
        "schema": "riskcore.redact/1",
        "written": str(out),
        "form": first.form,
        "original_sha256": first.sha256,
        "facts": course.facts,
        "decisions": course.decisions,
        "ids": len(stand_ins.ids),
        "accounts": len(stand_ins.accounts),
    }
    return result, stand_ins


def _settings(asked: Asked) -> Settings:
    """What a wire recording is judged by; a journal export brings its own. Raises ConfigError."""
    if detect_form(asked.session, skip_bad_lines=asked.skip_bad_lines) == "wire":
        settings = settings_of(asked.config, asked.sets)
        for text in settings.warnings:
            asked.warn(text)
        return settings
    if asked.sets or asked.config_given:
        raise ConfigError("a journal export is judged by the settings it carries; leave out --set and --config")
    return read_settings("", ())


# ---- reading -----------------------------------------------------------------------------------------


def _reading(asked: Asked, warn: Warn) -> Read:
    form = detect_form(asked.session, skip_bad_lines=asked.skip_bad_lines)
    reading = Read(form)
    if form == "journal":
        reading.read = lambda: _of_export(asked, warn, reading)
        return reading
    reader = read_wire(asked.session, skip_bad_lines=asked.skip_bad_lines, strict=asked.strict, warn=warn)
    reading.lacks = reader.lacks

    def items() -> Iterator[Item]:
        for batch in reader:
            yield from batch
        reading.sha256 = reader.sha256

    reading.read = items
    return reading


def _of_export(asked: Asked, warn: Warn, reading: Read) -> Iterator[Item]:
    lines = open_lines(asked.session)
    for _, event, _ in read_export(lines, asked.session.name, warn, asked.strict):
        yield event
    reading.sha256 = lines.sha256


# ---- both courses ------------------------------------------------------------------------------------


class SideBySide:
    """The original and the copy, judged fact by fact."""

    def __init__(
        self,
        redaction: Redaction,
        settings: Mapping[str, Any],
        changed: Mapping[str, Any],
        lacks: tuple[str, ...],
        sink: Sink,
        recorded: bool,
    ) -> None:
        self.redaction, self.sink, self.recorded = redaction, sink, recorded
        self.facts = self.decisions = 0
        self.digest = sha256()  # Of what was decided on the copy.
        self._settings, self._changed = dict(settings), dict(changed)
        self._original: list[e.Event] = []
        self._copy: list[e.Event] = []
        self._waiting: list[e.Event] = []  # Recorded decisions whose counterparts are still to come.
        self._made: dict[bytes, deque[e.Event]] = {}  # By what was decided on the original, what was on the copy.
        self._rolled: e.DayRolled | None = None
        self._runners = [
            Runner(plain, (self._keeper(kept),), day_for, version=VERSION, lacks=lacks)
            for plain, kept in ((settings, self._original), (changed, self._copy))
        ]

    @staticmethod
    def _keeper(kept: list[e.Event]) -> Callable[[Sequence[e.Event]], None]:
        return lambda events: kept.extend(event for event in events if event.derived)

    def take(self, item: Item) -> None:
        """The next of the original. Raises Differs."""
        original, copy = self._runners
        if isinstance(item, Quotes):
            original.quotes(item)
            copy.quotes(item)
            self.facts += len(item.ats)
            self._compare()
            self.sink.fact(item)
            return
        self._rolled = item.body if isinstance(item.body, e.DayRolled) else None
        if item.derived:
            self._waiting.append(item)
            return
        changed = self.redaction.event(item)
        if not self.recorded and isinstance(item.body, e.TradingDayOpened):
            item, changed = _under(item, self._settings), _under(changed, self._changed)
        original.event(item)
        copy.event(changed)
        self.facts += 1
        self._compare()
        self._hand_on()
        self.sink.fact(changed)

    def finish(self) -> None:
        """The original is over. Raises Differs."""
        for runner in self._runners:
            runner.finish()
            if self.recorded and self._rolled is not None:
                runner.end_day(self._rolled.next_date)
        self._compare()
        self._hand_on()
        self.sink.close()

    def _compare(self) -> None:
        """What was decided on both since the last look."""
        if len(self._original) != len(self._copy):
            raise Differs(self._text(self._original or self._copy))
        for before, after in zip(self._original, self._copy, strict=True):
            tag, made = (one.body.tag if isinstance(one.body, e.RequestPlanned) else None for one in (before, after))
            if tag is not None and made is not None:
                self.redaction.stand_ins.learn_tag(tag, made)
            if self.redaction.event(before) != after:
                raise Differs(self._text([before]))
            self.decisions += 1
            self.digest.update(encode_event(0, after)[1])
            if self.recorded:
                self._made.setdefault(encode_event(0, before)[1], deque()).append(after)
        self._original.clear()
        self._copy.clear()

    @staticmethod
    def _text(events: Sequence[e.Event]) -> str:
        about = f"{type(events[0].body).__name__} {events[0].key}"
        return f"the copy would not decide the same ({about}), so none was written; please report it"

    def _hand_on(self) -> None:
        """Recorded decisions in their own order, as they are on the copy."""
        made = []
        for event in self._waiting:
            found = self._made.get(encode_event(0, event)[1])
            if not found:
                raise Differs(
                    f"{type(event.body).__name__} {event.key}: this riskcore does not decide what was recorded, so no"
                    " copy was written; riskcore verify names the version that did"
                )
            made.append(found.popleft())
        self._waiting.clear()
        if made:
            self.sink.decided(made)


def _under(event: e.Event, settings: dict[str, Any]) -> e.Event:
    """What a recording begins with, judged by the settings of this run."""
    assert isinstance(event.body, e.TradingDayOpened), "a recording begins with what an engine knew"
    return replace(event, body=replace(event.body, settings=settings))


def _replayed(path: Path, changed: Mapping[str, Any], course: SideBySide) -> None:
    """Whether the file that was written decides what the copy did. Raises Differs."""
    digest = sha256()

    def note(events: Sequence[e.Event]) -> None:
        for event in events:
            if event.derived:
                digest.update(encode_event(0, event)[1])

    wire = detect_form(path) == "wire"
    result = run_replay((path,), config_path=Settings(dict(changed)) if wire else None, listeners=(note,))
    comparison = result["comparison"]
    if digest.digest() != course.digest.digest() or (comparison is not None and comparison["differences"]):
        raise Differs("the copy does not replay to the same decisions, so none was written; please report it")


# ---- writing -----------------------------------------------------------------------------------------


@contextmanager
def _sink(reading: Read, note: str, write: Callable[[bytes], object]) -> Iterator[Sink]:
    yield _Export(ExportWriter(write, note)) if reading.form == "journal" else _Wire(WireExport(write), note, reading)


@dataclass(slots=True)
class _Export:
    writer: ExportWriter

    def fact(self, item: Item) -> None:
        assert isinstance(item, e.Event), "a journal keeps quotes in events"
        self.writer.add_events([item])

    def decided(self, events: Sequence[e.Event]) -> None:
        self.writer.add_events(events)

    def close(self) -> None:
        self.writer.close()


class _Wire:
    def __init__(self, writer: WireExport, note: str, reading: Read) -> None:
        self.writer = writer
        lacks = {"lacks": list(reading.lacks)} if reading.lacks else {}
        header = {"riskcore": WIRE_FORM, "writer": WRITER, "profile": PROFILE, "note": note, **lacks}
        writer.put(encode(header).encode() + b"\n")

    def fact(self, item: Item) -> None:
        if isinstance(item, Quotes):
            for place in range(len(item.ats)):
                at, contract, last, bid, ask = item.row(place)
                self.writer.put(line_of(e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask))))
        else:
            self.writer.put(line_of(item))

    def decided(self, events: Sequence[e.Event]) -> None:
        """A recording holds no decisions."""

    def close(self) -> None:
        self.writer.close()
