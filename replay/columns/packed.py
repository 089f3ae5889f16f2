"""A column of whole numbers in few bytes, exactly: steps from one to the next, in the largest unit they all are of.

Only the numbers that are asked for are worked out. What each block begins with, and its lowest and highest number,
are kept beside the steps, so that a day is searched without most of its quotes ever being numbers.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from replay.columns import extremes
from replay.columns.extremes import UNSAID, Column, Extremes

_WIDTHS = ("<i1", "<i2", "<i4", "<i8")
_HEADS = 3  # Numbers of eight bytes that are kept of each block: its first one, its lowest and its highest.


class Form(NamedTuple):
    """How a column is packed. `width` is the type of its numbers, each a multiple of `unit`."""

    width: str
    unit: int
    steps: bool


def pack(column: Column) -> tuple[Form, bytes]:
    """A column as bytes: the heads of its blocks, and the steps. One that is UNSAID anywhere is kept as it is."""
    steps = bool(column.min(initial=0) != UNSAID)
    numbers = np.diff(column, prepend=column[:1]) if steps else column
    said = numbers if steps else numbers[numbers != UNSAID]
    unit = max(int(np.gcd.reduce(said, initial=0)), 1)
    most = max(int(said.max(initial=0)), -int(said.min(initial=0))) // unit
    # The lowest number of each width stands for UNSAID.
    width = next((one for one in _WIDTHS if most <= np.iinfo(one).max), _WIDTHS[-1])
    # Steps are the only ones to hold them, so they may make room for themselves.
    packed: Any = np.floor_divide(numbers, unit, out=numbers if steps else None).astype(width)
    del numbers, said
    if not steps:
        packed[column == UNSAID] = np.iinfo(width).min
        return Form(width, unit, steps), packed.tobytes()
    blocks = -(-len(column) // extremes.FAN)
    heads = np.zeros((_HEADS, blocks), "<i8")
    heads[0] = column[:: extremes.FAN]
    if blocks:
        starts = np.arange(blocks) * extremes.FAN
        np.minimum.reduceat(column, starts, out=heads[1])
        np.maximum.reduceat(column, starts, out=heads[2])
    return Form(width, unit, steps), heads.tobytes() + packed.tobytes()


class Packed:
    """A column that was packed; places and slices of it are what they were."""

    def __init__(self, form: Form, data: memoryview) -> None:
        self._unit, self._steps = form.unit, form.steps
        width = np.dtype(form.width)
        blocks = 0
        if form.steps:
            # So many blocks are begun by as many numbers as fit behind their heads.
            whole, rest = divmod(len(data), _HEADS * 8 + extremes.FAN * width.itemsize)
            blocks = whole + (rest > 0)
        heads_bytes = _HEADS * 8 * blocks
        self._heads: Column = np.frombuffer(data[:heads_bytes], "<i8").reshape(_HEADS, blocks)
        self._numbers: NDArray[Any] = np.frombuffer(data[heads_bytes:], width)
        self._block, self._of_block = -1, self._heads[0, :0]

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, asked: int) -> int: ...
    @overload
    def __getitem__(self, asked: slice | NDArray[np.int64]) -> Column: ...
    def __getitem__(self, asked: int | slice | NDArray[np.int64]) -> int | Column:
        if isinstance(asked, slice):
            start, end, _ = asked.indices(len(self))
            return self._between(start, end)
        if isinstance(asked, np.ndarray):
            found: Column = self._between(0, len(self))[asked]
            return found
        block, place = divmod(asked % len(self), extremes.FAN)
        if block != self._block:
            # Whoever asks for a place soon asks for one beside it.
            self._block, self._of_block = block, self._whole_block(block)
        return int(self._of_block[place])

    def _whole_block(self, block: int) -> Column:
        return self._between(block * extremes.FAN, min((block + 1) * extremes.FAN, len(self)))

    def _between(self, start: int, end: int) -> Column:
        if not self._steps:
            return self._unpacked(start, end)
        block = start // extremes.FAN
        first = block * extremes.FAN
        numbers = self._unpacked(first, end)
        if not len(numbers):
            return numbers
        numbers[0] = self._heads[0, block]
        return np.cumsum(numbers, out=numbers)[start - first :]

    def _unpacked(self, start: int, end: int) -> Column:
        packed = self._numbers[start:end]
        numbers: Column = np.multiply(packed, self._unit, dtype=np.int64)
        if not self._steps:
            numbers[packed == np.iinfo(packed.dtype).min] = UNSAID
        return numbers

    def searchsorted(self, at: int, side: Literal["left", "right"] = "left") -> int:
        """Where a number belongs in a column that never falls."""
        block = max(int(self._heads[0].searchsorted(at, side=side)) - 1, 0)
        return block * extremes.FAN + int(self._whole_block(block).searchsorted(at, side=side))

    @cached_property
    def extremes(self) -> Extremes:
        """The lowest and highest of the column by blocks."""
        if not self._steps:
            return Extremes(self[:])
        whole = len(self) // extremes.FAN
        return Extremes(self, (self._heads[1, :whole], self._heads[2, :whole]))

    @cached_property
    def gaps(self) -> Extremes:
        """The steps from each number to the next of a column that never falls, by blocks."""
        steps = Packed(Form(self._numbers.dtype.str, self._unit, steps=False), self._numbers.data)
        whole = len(self) // extremes.FAN
        blocks = self._numbers[: whole * extremes.FAN].reshape(-1, extremes.FAN)
        lows, highs = (np.multiply(one, self._unit, dtype=np.int64) for one in (blocks.min(1), blocks.max(1)))
        return Extremes(steps, (lows, highs))
