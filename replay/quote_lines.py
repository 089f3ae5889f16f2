"""Quote lines of a wire recording, read a block at a time: four out of five lines of a day are quotes.

Which lines are plain quotes is told by their shape (adapters.topstepx.plain_quotes). Lines of one shape have their
fields between the same quotation marks, so all of them are read at once out of the bytes. Whatever is unusual is left
out, and the caller reads those lines one by one with the normaliser: both ways give the same (a property test).
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adapters.topstepx.plain_quotes import QuoteShapes
from replay.columns.columns import Columns
from replay.columns.extremes import UNSAID
from replay.columns.numbers import LONGEST_NUMBER, Bytes, Flags, Positions, changes, read_instants, read_numbers

_HEAD = rb'\{"at": ?"T::Z", ?"hub": ?"market", ?'
_NUMBER = re.compile(rb"(: ?)(, ?|\}\]\}\r?)")
_AT, _CONTRACT, _FIRST_KEY = 3, 15, 17  # Which text between two quotation marks it is, counted with those outside.
_LONGEST_CONTRACT = 64
_MOST_NAMES = 1000  # In one file.
_PADDING = bytes(LONGEST_NUMBER + 64)
_PRICES = (b"lastPrice", b"bestBid", b"bestAsk")


class _Field(NamedTuple):
    """What stands from the mark number `after` to the next, without `prefix` bytes at first and `suffix` at last."""

    key: bytes  # Of a number; empty for a text.
    after: int
    prefix: int = 1
    suffix: int = 0


@dataclass(frozen=True, slots=True)
class _Form:
    """Where lines of one shape have what may hold digits, points and minus signs; nothing else in them does."""

    marks: int  # Quotation marks in a line, and its end.
    length: int  # Of a line without what is in its fields.
    texts: int  # So many fields are texts: when it was received, its contract, others. Numbers come behind them.
    keys: tuple[bytes, ...]  # Of the numbers.
    after: Positions
    prefixes: Positions
    suffixes: Positions

    @classmethod
    def of(cls, shape: bytes) -> "_Form":
        pieces = shape.split(b'"')
        texts, numbers = [_Field(b"", _AT - 1), _Field(b"", _CONTRACT - 1)], []
        place = _FIRST_KEY
        while place < len(pieces):
            between = pieces[place + 1]
            if between.strip() == b":":
                texts.append(_Field(b"", place + 1))
                place += 4
                continue
            number = _NUMBER.fullmatch(between)
            if number is not None:
                numbers.append(_Field(pieces[place], place, 1 + len(number[1]), len(number[2])))
            place += 2
        length = len(shape) - sum(len(pieces[text.after + 1]) for text in texts)
        keys, *figures = zip(*texts, *numbers, strict=True)
        after, prefixes, suffixes = map(np.array, figures)
        return cls(len(pieces), length, len(texts), keys[len(texts) :], after, prefixes[:, None], suffixes[:, None])


class Block(NamedTuple):
    """The lines of a block: where each ends, which are plain quotes, and the quotes of those."""

    ends: Positions
    plain: Flags
    columns: Columns


Lines = Positions | slice  # Which lines of a block; a slice where all of them are alike.
_Group = tuple[_Form, Lines, Positions]  # With the places of the marks of each line.


class _Rows(NamedTuple):
    """The quotes of some lines, and which of the lines are plain after all."""

    lines: Lines
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
        self._codes: dict[bytes, int] = {}

    def read(self, block: bytes) -> Block:
        """The plain quotes among whole lines."""
        text = np.frombuffer(block + _PADDING, np.uint8)
        marks = np.flatnonzero((text == ord('"')) | (text == ord("\n")))
        ends, groups = self._groups(block, text, marks)
        lengths = ends.copy()
        lengths[1:] -= ends[:-1] + 1
        found = [self._rows(text, form, lines, lengths[lines], places) for form, lines, places in groups]
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

    def _groups(self, block: bytes, text: Bytes, marks: Positions) -> tuple[Positions, list[_Group]]:
        """Where the lines end; and those of one shape, shape by shape, where that is one of plain quotes."""
        shapes = self._shapes.of(block)
        if isinstance(shapes, bytes):
            places = marks.reshape(-1, shapes.count(b'"') + 1)
            good = self._shapes.is_quote(shapes)
            return places[:, -1].copy(), [(self._form(shapes), slice(None), places)] if good else []
        known = {shape: number for number, shape in enumerate(dict.fromkeys(shapes))}
        numbers = np.array([known[shape] for shape in shapes])
        last = np.flatnonzero(text[marks] == ord("\n"))
        groups: list[_Group] = []
        for shape, number in known.items():
            if self._shapes.is_quote(shape):
                form, lines = self._form(shape), np.flatnonzero(numbers == number)
                groups.append((form, lines, marks[last[lines, None] + np.arange(1 - form.marks, 1)]))
        return marks[last], groups

    def _form(self, shape: bytes) -> _Form:
        form = self._forms.get(shape)
        if form is None:
            form = self._forms[shape] = _Form.of(shape)
        return form

    def _rows(self, text: Bytes, form: _Form, lines: Lines, lengths: Positions, marks: Positions) -> _Rows:
        places = marks.T
        starts = places[form.after] + form.prefixes
        widths = places[form.after + 1] - form.suffixes - starts
        # Every byte that the shape leaves out is where it may be.
        plain: Flags = widths.sum(axis=0) == lengths - form.length
        prices: list[Positions | None] = [None] * len(_PRICES)
        if form.keys:
            read = read_numbers(text, starts[form.texts :].ravel(), widths[form.texts :].ravel())
            by_field = (column.reshape(len(form.keys), -1) for column in read)
            for key, values, are_numbers, are_prices in zip(form.keys, *by_field, strict=True):
                if key in _PRICES:
                    plain &= are_prices
                    prices[_PRICES.index(key)] = values
                else:
                    plain &= are_numbers
        ats, valid = read_instants(text, starts[0], widths[0])
        codes = self._contracts(text, starts[1], widths[1])
        said = [np.full(len(lengths), UNSAID) if one is None else one for one in prices]
        return _Rows(lines, plain & valid & (codes >= 0), ats, codes, said)

    def _contracts(self, text: Bytes, starts: Positions, lengths: Positions) -> Positions:
        """The places of contracts in `_names`; below 0 where there are too many of them, or too long ones."""
        first, counts = changes(text, starts, lengths, _LONGEST_CONTRACT)
        places = zip(starts[first].tolist(), lengths[first].tolist(), strict=True)
        codes = [self._code(text[start : start + length].tobytes()) for start, length in places]
        return np.array(codes, np.int64).repeat(counts)

    def _code(self, name: bytes) -> int:
        code = self._codes.get(name)
        if code is None:
            if len(name) > _LONGEST_CONTRACT or len(self._names) == _MOST_NAMES:
                return -1
            code = self._codes[name] = len(self._names)
            self._names.append(name.decode("ascii"))
        return code
