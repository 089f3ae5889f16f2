"""A column of whole numbers in few bytes, exactly: steps from one to the next, in the largest unit they all are of."""

from typing import Any, NamedTuple

import numpy as np

from replay.columns.extremes import UNSAID, Column

_WIDTHS = ("<i1", "<i2", "<i4")


class Form(NamedTuple):
    """How a column is packed. `width` is the type of its numbers, each a multiple of `unit`."""

    width: str
    unit: int
    steps: bool


def pack(column: Column) -> tuple[Form, bytes]:
    """A column as bytes: its first number, and the steps behind it. One that is UNSAID anywhere is kept as it is."""
    if not len(column):
        return Form("<i8", 1, steps=False), b""
    steps = bool(column.min() != UNSAID)
    numbers = np.diff(column) if steps else column
    said = numbers if steps else numbers[numbers != UNSAID]
    unit = max(int(np.gcd.reduce(said, initial=0)), 1)
    most = max(int(said.max(initial=0)), -int(said.min(initial=0))) // unit
    # The lowest number of each width stands for UNSAID.
    width = next((one for one in _WIDTHS if most <= np.iinfo(one).max), None)
    if width is None:
        return Form("<i8", 1, steps=False), column.tobytes()
    packed: Any = (numbers // unit).astype(width)
    if steps:
        return Form(width, unit, steps), int(column[0]).to_bytes(8, "little", signed=True) + packed.tobytes()
    packed[column == UNSAID] = np.iinfo(width).min
    return Form(width, unit, steps), packed.tobytes()


def unpack(form: Form, data: memoryview) -> Column:
    """The column that was packed."""
    width, unit, steps = form
    if steps:
        numbers: Column = np.empty((len(data) - 8) // np.dtype(width).itemsize + 1, np.int64)
        numbers[0] = int.from_bytes(data[:8], "little", signed=True)
        np.multiply(np.frombuffer(data[8:], width), unit, out=numbers[1:], dtype=np.int64)
        return np.cumsum(numbers, out=numbers)
    packed: Any = np.frombuffer(data, width)
    numbers = packed.astype(np.int64) * unit
    if width != "<i8":
        numbers[packed == np.iinfo(width).min] = UNSAID
    return numbers
