"""Quote lines of a wire recording, read a block at a time: four out of five lines of a day are quotes.

Which lines are plain quotes is told by their shape (adapters.topstepx.plain_quotes). Lines of one shape have their
fields between the same quotation marks, so all of them are read at once out of the bytes. Whatever is unusual is left
out, and the caller reads those lines one by one with the normaliser: both ways give the same (a property test).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adapters.topstepx.plain_quotes import QuoteShapes
from replay.columns.columns import Columns
from replay.columns.extremes import UNSAID
from replay.columns.numbers import LONGEST_NUMBER, Bytes, Flags, Positions, read_instants, read_numbers

_HEAD = rb'\{"at": ?"T::Z", ?"hub": ?"market", ?'
_NUMBER = re.compile(rb"(: ?)(, ?|\}\]\}\r?)")
_AT, _CONTRACT, _FIRST_KEY = 3, 15, 17  # Which text between two quotation marks it is, counted with those outside.
_LONGEST_CONTRACT = 64
_MOST_CONTRACTS = 64  # Of one shape in one block.
_MOST_NAMES = 1000  # In one file.
_PADDING = bytes(LONGEST_NUMBER + 64)
_PRICES = (b"lastPrice", b"bestBid", b"bestAsk")


class _Number(NamedTuple):
    """A number stands behind the quotation mark number `after`, with `prefix` and `suffix` other bytes round it."""

    key: bytes
    after: int
    prefix: int
    suffix: int


@dataclass(frozen=True, slots=True)
class _Form:
    """Where lines of one shape have what may hold digits, points and minus signs; nothing else in them does."""

    marks: int  # Quotation marks in a line.
    length: int  # Of a line without its digits, points and minus signs.
    texts: tuple[int, ...]
    texts_length: int
    numbers: tuple[_Number, ...]

    @classmethod
    def of(cls, shape: bytes) -> "_Form":
        pieces = shape.split(b'"')
        texts, numbers = [_AT, _CONTRACT], []
        place = _FIRST_KEY
        while place < len(pieces):
            between = pieces[place + 1]
            if between.strip() == b":":
                texts.append(place + 2)
                place += 4
                continue
            number = _NUMBER.fullmatch(between)
            if number is not None:
                numbers.append(_Number(pieces[place], place, len(number[1]), len(number[2])))
            place += 2
        length = sum(len(pieces[text]) for text in texts)
        return cls(len(pieces) - 1, len(shape), tuple(texts), length, tuple(numbers))


class Block(NamedTuple):
    """The lines of a block: where each ends, which are plain quotes, and the quotes of those."""

    ends: Positions
    plain: Flags
    columns: Columns


class _Rows(NamedTuple):
    """The quotes of some lines, and which of the lines are plain after all."""

    lines: Positions
    plain: Flags
    ats: Positions
    contracts: Positions
    prices: list[Positions]


class QuoteLines:
    """Finds the plain quotes among lines, and reads them."""

    def __init__(self) -> None:
        self._shapes = QuoteShapes(_HEAD)
        self._forms: dict[bytes, _Form] = {}
        self._names: list[str] = []

    def read(self, block: bytes) -> Block:
        """The plain quotes among whole lines."""
        text = np.frombuffer(block + _PADDING, np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        marks = np.flatnonzero(text == ord('"'))
        found = [self._rows(text, ends, *group) for group in self._groups(block, ends, marks)]
        plain = np.zeros(len(ends), np.bool_)
        for rows in found:
            plain[rows.lines] = rows.plain
        if len(found) == 1:
            rows = found[0]
            columns = [rows.ats, rows.contracts, *rows.prices]
            if not rows.plain.all():
                columns = [column[rows.plain] for column in columns]
        else:
            columns = [np.empty(len(ends), np.int64) for _ in range(5)]
            for rows in found:
                for column, values in zip(columns, [rows.ats, rows.contracts, *rows.prices], strict=True):
                    column[rows.lines] = values
            columns = [column[plain] for column in columns]
        ats, contracts, lasts, bids, asks = columns
        return Block(ends, plain, Columns(ats, contracts.astype(np.int16), self._names, lasts, bids, asks))

    def _groups(self, block: bytes, ends: Positions, marks: Positions) -> Iterator[tuple[_Form, Positions, Positions]]:
        """Lines of one shape: how they are built, which they are, and where their quotation marks are."""
        shapes = self._shapes.of(block)
        if isinstance(shapes, bytes):
            if self._shapes.is_quote(shapes):
                yield self._form(shapes), np.arange(len(ends)), marks.reshape(len(ends), -1)
            return
        known = {shape: number for number, shape in enumerate(dict.fromkeys(shapes))}
        numbers = np.array([known[shape] for shape in shapes])
        firsts = marks.searchsorted(_starts(ends))
        for shape, number in known.items():
            if self._shapes.is_quote(shape):
                form, lines = self._form(shape), np.flatnonzero(numbers == number)
                yield form, lines, marks[firsts[lines, None] + np.arange(form.marks)]

    def _form(self, shape: bytes) -> _Form:
        form = self._forms.get(shape)
        if form is None:
            form = self._forms[shape] = _Form.of(shape)
        return form

    def _rows(self, text: Bytes, ends: Positions, form: _Form, lines: Positions, marks: Positions) -> _Rows:
        ends_of_lines = ends[lines]
        spare = ends_of_lines - _starts(ends)[lines] - form.length + form.texts_length
        for place in form.texts:
            spare -= marks[:, place] - marks[:, place - 1] - 1
        starts, lengths = [], []
        for _, after, prefix, suffix in form.numbers:
            next_mark = marks[:, after + 1] if after + 1 < form.marks else ends_of_lines
            starts.append(marks[:, after] + 1 + prefix)
            lengths.append(next_mark - suffix - starts[-1])
            spare -= lengths[-1]
        # Every byte that the shape leaves out is where it may be.
        plain: Flags = spare == 0
        prices = [np.full(len(lines), UNSAID) for _ in _PRICES]
        for number, start, length in zip(form.numbers, starts, lengths, strict=True):
            found = read_numbers(text, start, length)
            if number.key in _PRICES:
                plain &= found.prices
                prices[_PRICES.index(number.key)] = found.values
            else:
                plain &= found.numbers
        ats, valid = read_instants(text, marks[:, _AT - 1] + 1, marks[:, _AT] - marks[:, _AT - 1] - 1)
        contract = marks[:, _CONTRACT - 1] + 1
        codes = self._contracts(text, contract, marks[:, _CONTRACT] - contract)
        return _Rows(lines, plain & valid & (codes >= 0), ats, codes, prices)

    def _contracts(self, text: Bytes, starts: Positions, lengths: Positions) -> Positions:
        """The places of contracts in `_names`; below 0 where there are too many of them, or too long ones."""
        codes = np.full(len(starts), -1)
        unknown = np.flatnonzero(lengths <= _LONGEST_CONTRACT)
        for _ in range(_MOST_CONTRACTS):
            if not len(unknown):
                break
            start, length = int(starts[unknown[0]]), int(lengths[unknown[0]])
            same = lengths[unknown] == length
            for column in range(length):
                same &= text[starts[unknown] + column] == text[start + column]
            codes[unknown[same]] = self._code(text[start : start + length].tobytes().decode("ascii"))
            unknown = unknown[~same]
        return codes

    def _code(self, name: str) -> int:
        if name not in self._names:
            if len(self._names) == _MOST_NAMES:
                return -1
            self._names.append(name)
        return self._names.index(name)


def _starts(ends: Positions) -> Positions:
    """Where the lines begin that end there."""
    return np.concatenate(([0], ends[:-1] + 1))
