"""The journal export: the lines of a session file of form journal/1. Source: INTERFACE.md 4.

A header, one line per stored event with its hash as last field (codec.py), an end line (ending.py). Several
days stand one after another: each TradingDayOpened starts again at seq 1 and its chain hangs on the last hash
of the day before. After an end line another header may follow, so files may also be concatenated.

A header that says `thinned` gives the number of quotes that an archive left out (replay/thinning.py). There the lines
of quotes keep the hash of what they were, which cannot be worked out any more; all others are checked as ever.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

import msgspec

from riskcore.core.events import Event, FactQuarantined, TimerQuarantined, TradingDayOpened
from riskcore.errors import Corrupt, InputError, OutOfSequence
from riskcore.schema.chain import HASH_LENGTH, OPENING, QUOTES, Head, Link, digest_of, head_of, link
from riskcore.schema.codec import NOT_DECODED, decode_event, export_line, read_line
from riskcore.schema.ending import Ending

FORM = "journal/1"
_LEAVES_OUT = (FactQuarantined.__name__, TimerQuarantined.__name__)
Stored = tuple[int, Event, bytes]  # seq, event, hash


class _Header(msgspec.Struct, omit_defaults=True):
    riskcore: str
    profile: str
    previous_hash: str
    note: str = ""
    thinned: int = 0


def _header_line(profile: str, previous_hash: str, note: str = "", thinned: int = 0) -> bytes:
    return msgspec.json.encode(_Header(FORM, profile, previous_hash, note, thinned)) + b"\n"


class ExportWriter:
    """Writes one export through `write`; events come already chained (from a journal) or are chained here."""

    def __init__(self, write: Callable[[bytes], object], note: str = "") -> None:
        self._write = write
        self._note = note  # What the header says of the file as a whole.
        self._ending = Ending()
        self._profile = ""
        self._head: Head | None = None
        self._thinned = 0
        self.left_out: list[Event] = []  # Of what was written, the events that say what was left out.

    def add_events(self, events: Sequence[Event]) -> None:
        """Chain and write events that were never stored; the first of all opens a day. Raises OutOfSequence."""
        if events and self._head is None:
            opened = events[0].body
            if not isinstance(opened, TradingDayOpened):
                raise OutOfSequence(f"an export begins with {OPENING}, not with {events[0].key}")
            self.begin(opened.profile, opened.previous_hash)
        self.add_links(link(self._profile, self._head, events))

    def begin(self, profile: str, previous_hash: str, thinned: int = 0) -> None:
        """Begin a day: write a header, unless the day hangs on what was written last.

        `thinned`: how many quotes of the day are left out; such a day has a header of its own.
        """
        if self._head is not None:
            whole = not thinned and not self._thinned
            if whole and self._profile == profile and self._head.digest.hex() == previous_hash:
                return
            self.close()
            self._ending = Ending()
        self._profile, self._thinned = profile, thinned
        self._put(_header_line(profile, previous_hash, self._note, thinned))

    def add_links(self, links: Sequence[Link]) -> None:
        """Write links that follow one another, after `begin`."""
        for _, _, topic, state in links:
            if topic.startswith(_LEAVES_OUT):
                self.left_out.append(decode_event(topic, state[HASH_LENGTH:])[1])
            self._put(export_line(state[HASH_LENGTH:], state[:HASH_LENGTH]))
        if links:
            self._head = head_of(links[-1])

    def close(self) -> None:
        """Write the end line."""
        self._write(self._ending.line())

    def _put(self, line: bytes) -> None:
        self._ending.add(line)
        self._write(line)


def ignore(_: object) -> None:
    """Takes a warning or a figure and says nothing."""


def read_export(
    lines: Iterable[bytes],
    name: str,
    warn: Callable[[str], None] = ignore,
    strict: bool = False,
    note_thinned: Callable[[int], object] = ignore,
) -> Iterator[Stored]:
    """Every event of an export in order, its chain checked.

    `lines` keep their line ends; `name` is the file's name for messages. A file that was cut off is read up to
    the cut and `warn` is called; with `strict` that is an error. `note_thinned` is given with each header how many
    quotes were left out behind it. Raises InputError for what is no export or is cut off, Corrupt for an edited or
    damaged one, naming file and line.
    """
    return _Reader(name, warn, strict, note_thinned).read(lines)


class _Reader:
    def __init__(
        self, name: str, warn: Callable[[str], None], strict: bool, note_thinned: Callable[[int], object]
    ) -> None:
        self.name, self.warn, self.strict, self.note_thinned = name, warn, strict, note_thinned
        self.thinned = 0
        self.number = 0
        self.profile = ""
        self.ending: Ending | None = None  # None: a header must come next.
        self.trade_date, self.seq, self.digest = "", 0, b""

    def read(self, lines: Iterable[bytes]) -> Iterator[Stored]:
        for line in lines:
            self.number += 1
            if line[-1:] != b"\n":
                self._cut(line)
                return
            if self.ending is None:
                self._header(line)
            elif line.startswith(b'{"seq":'):
                yield self._event(line)
                self.ending.add(line)
            elif line == self.ending.line():
                self.ending = None
            else:
                raise self._corrupt("neither an event nor the end line that belongs here: damaged or edited")
        if self.number == 0:
            raise InputError(f"{self.name}: the file is empty; a session file starts with a header line")
        if self.ending is not None:
            self._cut_off("the end line is missing")

    def _corrupt(self, text: str) -> Corrupt:
        return Corrupt(f"{self.name}, line {self.number}: {text}")

    def _header(self, line: bytes) -> None:
        try:
            header = msgspec.json.decode(line, type=_Header)
        except NOT_DECODED as error:
            raise InputError(f"{self.name}, line {self.number}: not the header of a journal export") from error
        if header.riskcore != FORM:
            raise InputError(f"{self.name}, line {self.number}: form {header.riskcore[:40]!r} is not {FORM}")
        if (
            _header_line(header.profile, header.previous_hash, header.note, header.thinned) != line
            or header.thinned < 0
        ):
            raise self._corrupt("the header is damaged or edited")
        self.thinned = header.thinned
        self.note_thinned(header.thinned)
        self.ending = Ending()
        self.ending.add(line)
        self.profile = header.profile
        self.trade_date, self.seq, self.digest = "", 0, digest_of(header.previous_hash)

    def _event(self, line: bytes) -> Stored:
        try:
            topic, canonical, said = read_line(line)
            digest = sha256(self.digest + canonical).digest()
            if self.thinned and topic.startswith(QUOTES) and len(said) == HASH_LENGTH:
                digest = said
            if said != digest:
                raise Corrupt("the hash does not match: this event or one before was edited, or lines are missing")
            seq, event = decode_event(topic, canonical)
        except Corrupt as error:
            raise self._corrupt(str(error)) from error
        opening = isinstance(event.body, TradingDayOpened)
        if seq != (1 if opening else self.seq + 1) or not (opening or self.seq):
            raise self._corrupt(f"event {seq} cannot come here: lines are missing, added or moved")
        if isinstance(event.body, TradingDayOpened):
            self._opened(event.body)
        self.seq, self.digest = seq, digest
        return seq, event, digest

    def _opened(self, opened: TradingDayOpened) -> None:
        if opened.profile != self.profile or opened.previous_hash != self.digest.hex():
            raise self._corrupt("the day does not belong to the header or to the day before it")
        if opened.day.trade_date <= self.trade_date:
            raise self._corrupt(f"day {opened.day.trade_date} cannot follow {self.trade_date}")
        self.trade_date = opened.day.trade_date

    def _cut(self, line: bytes) -> None:
        """The last line has no line end: cut off if it begins as what belongs here, damaged otherwise."""
        if self.ending is None:
            if self.number == 1:
                raise InputError(f"{self.name}: cut off inside its header, or no session file")
            possible = [b'{"riskcore":"']
        else:
            possible = [b'{"seq":%d,"type":"' % (self.seq + 1), b'{"seq":1,"type":"']
            if self.ending.line().startswith(line):
                return self._cut_off("cut off inside its last line")
        if not any(line.startswith(text) or text.startswith(line) for text in possible):
            raise self._corrupt("damaged or edited")
        return self._cut_off("cut off inside its last line")

    def _cut_off(self, what: str) -> None:
        text = f"{self.name}, line {self.number}: {what}; read up to there"
        if self.strict:
            raise InputError(text)
        self.warn(text)
