"""Wire recordings, read as a stream of facts. Source: INTERFACE.md 4, RULES.md 1.1 and 1.5.

A line that cannot be read stops the reader with file and line, or becomes WireRejected when bad lines are
skipped. A line that can be read but not understood (a key given twice, nested too deeply, longer than
LONGEST_LINE_BYTES, a payload that makes no sense) is always WireRejected and never stops anything.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.topstepx.fields import TooDeep, decode
from adapters.topstepx.normalise import KINDS, OWN_KINDS, normalise, rejected
from replay.blocks import LONGEST_LINE_BYTES, HashAhead, LineFile, Lines
from replay.columns import cache
from replay.columns.columns import ColumnQuotes, Columns
from replay.line_heads import BYTE_ORDER_MARK, WIRE_FORM, Unreadable, at_of, header_fields, header_of, instant_at
from replay.quote_lines import QuoteLines
from riskcore.core.bar_schedule import BarSchedule
from riskcore.core.events import Event, QuoteObserved, WireRejected
from riskcore.core.quotes import Quotes
from riskcore.core.raw_text import holds_secret
from riskcore.errors import InputError
from riskcore.schema.payloads import Keep, of_user

__all__ = ["WIRE_FORM", "WRITER", "Item", "Quotes", "WireReader", "detect_form", "open_lines", "read_wire"]

Form = Literal["wire", "journal"]
Item = Quotes | Event
Warn = Callable[[str], None]
_DATABASE = b"SQLite format 3\0"
WRITER = "riskcore"  # In the header of our own recordings: their end line must be there.
_REFUSED_BYTES = 1 << 15  # More than the characters that are kept of a rejected line.


def warn_on_stderr(text: str) -> None:
    """One line for the person at the terminal."""
    print(text, file=sys.stderr)


def detect_form(path: Path, *, skip_bad_lines: bool = False) -> Form:
    """Which of the two forms a session file has, by its first line.

    Raises InputError for an empty file and for a first line that is no header; with `skip_bad_lines` a file
    without a header is read as a wire recording.
    """
    with LineFile(path) as file:
        block = next(file.blocks(), b"")
    form = header_of(block.partition(b"\n")[0]).get("riskcore")
    if isinstance(form, str) and form.startswith("journal/"):
        return "journal"
    if (isinstance(form, str) and form.startswith("wire/")) or (skip_bad_lines and block):
        return "wire"
    if not block:
        raise InputError(
            f"{path}: the file is empty or cut off in its header; a session file starts with a header line"
        )
    if block.startswith(_DATABASE):
        raise InputError(
            f"{path}: a database and no session file; riskcore export --store {path} writes a day of a journal as one"
        )
    raise InputError(f'{path}, line 1: the header is missing; a recording starts with {{"riskcore":"{WIRE_FORM}"}}')


def read_wire(
    path: Path,
    *,
    skip_bad_lines: bool = False,
    strict: bool = False,
    warn: Warn = warn_on_stderr,
    from_cache: bool = False,
) -> "WireReader":
    """A reader of one wire recording, its header already read. Raises InputError as `detect_form` does.

    from_cache: its quotes may come out of what is kept beside it (replay.columns.cache), and are kept there.
    """
    if detect_form(path, skip_bad_lines=skip_bad_lines) != "wire":
        raise InputError(f"{path}: a journal export, not a wire recording")
    with LineFile(path) as file:
        header = header_of(next(file.blocks(), b"").partition(b"\n")[0])
    return WireReader(path, header, skip_bad_lines, strict, warn, from_cache)


def open_lines(path: Path) -> Lines:
    """The lines of a session file of either form as they are, for a reader of journal exports."""
    return Lines(path)


class WireReader:
    """Iterates over lists of items in order of receipt; the figures are complete when it is exhausted."""

    def __init__(
        self, path: Path, header: dict[str, Any], skip_bad_lines: bool, strict: bool, warn: Warn, from_cache: bool
    ) -> None:
        self.path = path
        self.header = header
        self.lines = 0  # Header and end line included.
        self.events = 0  # Facts delivered, each quote counted.
        self.rejected = 0
        self.cut = False
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.share_read = 0.0  # Of the file, from 0 to 1.
        self.sha256 = ""  # Of the file as it is stored.
        self.profile, self.note, self.lacks = header_fields(path, header)
        self._skip, self._strict, self._warn = skip_bad_lines, strict, warn
        self._quote_lines = QuoteLines()
        self._bars = BarSchedule()
        self._items: list[Item] = []
        self._early: list[tuple[str, str]] = []  # Bad lines before the first instant: reason and text.
        if not header:
            self._early.append(("the header is missing", ""))
        self._in_long_line = False
        # A file may hold several recordings one after another, each with its own header and end line.
        self._open = True
        self._section_lines = 0
        self._content_hash = HashAhead()
        self._section_hash = self._content_hash  # Another object from the second header on.
        # Told of the messages as they are delivered, in whole lines; of the market only if that is wanted, too.
        self.keep: Keep | None = None
        self.keep_market = False
        self._from_cache = from_cache
        self._keeper: cache.Keeper | None = None
        self._kept = False  # The lines come out of what was kept when their end line had matched.

    @property
    def ended(self) -> bool:
        """Whether the last thing read was an end line, and it matched."""
        return not self._open

    def __iter__(self) -> Iterator[list[Item]]:
        if self._from_cache and not (self.keep is not None and self.keep_market) and cache.wanted(self.path):
            kept = cache.find(self.path)
            if kept is not None:
                yield from self._out_of(kept)
                return
            self._keeper = cache.Keeper(self.path)
        with LineFile(self.path) as file:
            for block in file.blocks():
                self._block(block)
                self.share_read = file.share_read
                yield self._take()
            self.sha256 = file.packed_sha256 or self._content_hash.hexdigest()
            if file.ended_early:
                self._cut_off("the compressed file ends in the middle")
        self._finish()
        yield self._take()
        if self._keeper is not None and not self.cut:
            self._keeper.write(self.sha256)

    def _out_of(self, kept: cache.Kept) -> Iterator[list[Item]]:
        """The same out of columns. A recording that was cut off is never kept."""
        self._kept, self.sha256 = True, kept.sha256
        place = start = 0
        for count, line_bytes in kept.steps:
            if count:
                self._deliver_quotes(kept.columns, place, place + count)
                place += count
                yield self._take()
            if line_bytes:
                self._line(kept.others[start : start + line_bytes])
                start += line_bytes
        self._finish()
        yield self._take()

    def _take(self) -> list[Item]:
        items, self._items = self._items, []
        for item in items:
            if isinstance(item, Quotes):
                self.events += len(item)
            else:
                self.events += 1
                self.rejected += isinstance(item.body, WireRejected)
        return items

    def _finish(self) -> None:
        if self.lines == 0:
            raise InputError(f"{self.path}: the file is empty; a session file starts with a header line")
        if self._open and self.header.get("writer") == WRITER:
            self._cut_off("the end line is missing")
        self.rejected += len(self._early)

    def _cut_off(self, what: str) -> None:
        text = f"{self.path}, line {self.lines}: {what}; read up to there"
        if self._strict:
            raise InputError(text)
        if not self.cut:
            self._warn(text)
        self.cut = True

    # ---- blocks -----------------------------------------------------------------------------------------

    def _block(self, block: bytes) -> None:
        if self._in_long_line:
            rest, end, block = block.partition(b"\n")
            self._passed(rest + end, 0)
            self._in_long_line = not end
            if not block:
                return
        if block[-1:] != b"\n":
            self._unended(block)
            return
        found = self._quote_lines.read(block)
        line = start = taken = 0
        turns = np.flatnonzero(np.diff(found.plain, append=~found.plain[-1:])) + 1
        for next_line in turns.tolist():  # Where plain quotes begin or end.
            end_of_run = int(found.ends[next_line - 1]) + 1
            run = block[start:end_of_run]
            if not found.plain[line]:
                self._lines(run)
            else:
                count = next_line - line
                if not self._quotes(found.columns, taken, taken + count, run):
                    self._lines(run)
                taken += count
            line, start = next_line, end_of_run

    def _lines(self, lines: bytes) -> None:
        for line in lines[:-1].split(b"\n"):
            self._line(line + b"\n")

    def _unended(self, line: bytes) -> None:
        """A line without its end: longer than any may be, or the last of the file."""
        if len(line) >= LONGEST_LINE_BYTES:
            self._in_long_line = True
            self._keeper = None  # It comes in pieces.
            self._line(line)
            return
        try:
            decode(line)
        except ValueError:
            self._passed(line, 0)
            self.lines += 1
            self._cut_off("cut off inside its last line")
            return
        self._line(line)
        if self.header.get("writer") == WRITER:
            self._cut_off("the line end is missing")

    def _passed(self, data: bytes, lines: int) -> None:
        """Count and hash what has been dealt with."""
        self._section_lines += lines
        if self._kept:
            return
        self._content_hash.update(data)
        if self._section_hash is not self._content_hash:
            self._section_hash.update(data)

    def _quotes(self, columns: Columns, first: int, end: int, lines: bytes) -> bool:
        """Deliver a run of plain quotes, unless one of them needs a closer look."""
        ats = columns.ats[first:end]
        if not self._open or (self.last_at is not None and ats[0] < self.last_at) or (ats[1:] < ats[:-1]).any():
            return False
        if self.keep is not None and self.keep_market:
            for at, line in zip(ats.tolist(), lines[:-1].split(b"\n"), strict=True):
                self.keep(at, line + b"\n")
        self._deliver_quotes(columns, first, end)
        self._passed(lines, end - first)
        if self._keeper is not None:
            self._keeper.quotes(columns, first, end)
        return True

    def _deliver_quotes(self, columns: Columns, first: int, end: int) -> None:
        self._reach(int(columns.ats[first]))
        quotes: Quotes = ColumnQuotes(columns, first, end)
        last_at = int(columns.ats[end - 1])
        while (due := self._bars.next_at()) is not None and due <= last_at:
            place = quotes.first_at(due)
            self._items.append(quotes.part(0, place))
            quotes = quotes.part(place, len(quotes))
            self._items += self._bars.release(due)
        self._items.append(quotes)
        self.last_at = last_at
        self.lines += end - first

    # ---- single lines -----------------------------------------------------------------------------------

    def _line(self, line: bytes) -> None:
        self.lines += 1
        if self._keeper is not None:
            self._keeper.line(line)
        try:
            self._understand(line.removeprefix(BYTE_ORDER_MARK) if self.lines == 1 else line)
        except Unreadable as error:
            if not self._skip:
                raise InputError(f"{self.path}, line {self.lines}: {error}") from None
            self._refuse(str(error), line, None)
        self._passed(line, 1)

    def _understand(self, line: bytes) -> None:
        """Deliver the facts of one line. Raises Unreadable."""
        if len(line) >= LONGEST_LINE_BYTES:
            self._refuse(f"longer than {LONGEST_LINE_BYTES} bytes", line, at_of(line))
            return
        if not line.strip():
            return
        try:
            decoded = decode(line)
        except TooDeep as error:
            self._refuse(str(error), line, at_of(line))
            return
        except ValueError as error:
            raise Unreadable(str(error)) from None
        value = decoded.value
        if not isinstance(value, dict):
            raise Unreadable("not an object")
        if "riskcore" in value:
            self._begin(value)
        elif not self._open:
            raise Unreadable("comes after the end line")
        elif "end" in value:
            self._end(value["end"])
        elif not any(kind in value for kind in KINDS):
            raise Unreadable("no known kind of line: none of " + ", ".join(KINDS))
        elif decoded.repeated is not None:
            self._refuse(f"the key {decoded.repeated[:40]!r} comes twice", line, instant_at(value.get("at")))
        else:
            at = instant_at(value.get("at"))
            self._reach(at)
            if self.keep is not None and self._is_kept(value, line):
                self.keep(at, line if line.endswith(b"\n") else line + b"\n")
            for event in normalise(value, at):
                self._deliver(event, at)

    def _is_kept(self, value: dict[str, Any], line: bytes) -> bool:
        wanted = not OWN_KINDS.intersection(value) and (self.keep_market or of_user(value))
        return wanted and not holds_secret(line)

    def _begin(self, header: dict[str, Any]) -> None:
        """The header, or that of a further recording in the same file, which must be of the same kind."""
        if self.lines == 1:
            return
        if header.get("riskcore") != WIRE_FORM or header_fields(self.path, header)[::2] != (self.profile, self.lacks):
            raise InputError(f"{self.path}, line {self.lines}: a header that differs from the first; split the file")
        if self._open and self.header.get("writer") == WRITER:
            self._cut_off("the end line is missing before a further header")
        self._open = True
        self._section_lines = 0
        self._section_hash = HashAhead()

    def _end(self, said: Any) -> None:
        figures = {"lines": self._section_lines, "sha256": self._section_hash.hexdigest()}
        if said != figures and not self._kept:
            raise InputError(
                f"{self.path}, line {self.lines}: the end line does not match the {self._section_lines} lines before "
                "it: the file was edited or damaged"
            )
        self._open = False

    def _reach(self, at: int) -> None:
        """Time passes to `at`: what was waiting for it comes first. Raises Unreadable when it is over already."""
        if self.last_at is None:
            self.first_at = at
            self._items += [rejected(reason, text, at) for reason, text in self._early]
            self._early.clear()
        elif at < self.last_at:
            raise Unreadable("`at` is earlier than in the line before")
        self.last_at = at
        self._items += self._bars.release(at)

    def _deliver(self, event: Event, at: int) -> None:
        body = event.body
        if isinstance(body, QuoteObserved):
            self._items.append(Quotes([at], [body.contract], [body.last], [body.bid], [body.ask]))
        elif event.at > at:
            self._bars.add(event)
        else:
            self._items.append(event)

    def _refuse(self, reason: str, line: bytes, at: int | None) -> None:
        """Record a line that changes nothing; without a time of its own it has the last one."""
        if at is not None:
            self._reach(at)
        text = line[:_REFUSED_BYTES].decode("utf-8", "replace")
        if self.last_at is None:
            self._early.append((reason, text))
        else:
            self._items.append(rejected(reason, text, self.last_at))
