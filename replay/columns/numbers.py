"""Decimal numbers and instants out of the bytes of many lines at once, exactly: no price passes through a float."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.topstepx.fields import instant

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ZERO, _DOT, _MINUS, _Z = b"0.-Z"
LONGEST_NUMBER = 20  # Characters; what is longer is left to whoever reads line by line.
_PLACES = 9  # Of a price; digits before and after the point, so that it fits into 8 bytes.
_POWERS = 10 ** np.arange(_PLACES + 1, dtype=np.int64)
_MINUTE = len("2026-08-19T14:31:")
_WHOLE = len("2026-08-19T14:31:32Z")


class Numbers(NamedTuple):
    """values: in 1e-9, where `prices`; numbers: what JSON takes for a number; prices: and fits into eight bytes."""

    values: NDArray[np.int64]
    numbers: Flags
    prices: Flags


def read_numbers(text: Bytes, starts: Positions, lengths: Positions) -> Numbers:
    """Numbers of digits, points and minus signs. `text` goes on for LONGEST_NUMBER bytes behind the last start."""
    count = len(starts)
    values: NDArray[np.int64] = np.zeros(count, np.int64)
    digits: NDArray[np.int8] = np.zeros(count, np.int8)
    before_point: NDArray[np.int8] = np.full(count, -1, np.int8)  # Digits before the point, once it has come.
    valid: Flags = lengths <= LONGEST_NUMBER
    minus: Flags = text[starts] == _MINUS
    zero_first: Flags = text[starts + minus] == _ZERO
    widths = np.minimum(lengths, LONGEST_NUMBER).astype(np.int8)
    for column in range(int(widths.max(initial=0))):
        byte = text[starts + column]
        inside = widths > column
        digit = byte - np.uint8(_ZERO)
        is_digit = (digit < 10) & inside
        values = np.where(is_digit, values * 10 + digit, values)
        digits += is_digit
        other = inside & ~is_digit
        if not other.any():
            continue
        points = other & (byte == _DOT)
        valid &= ~(points & (before_point >= 0))
        before_point = np.where(points, digits, before_point)
        valid &= points | ~other | ((byte == _MINUS) & (column == 0))
    whole = np.where(before_point < 0, digits, before_point)
    decimals = digits - whole
    valid &= (whole > 0) & ((before_point < 0) | (decimals > 0)) & (~zero_first | (whole == 1))
    prices = valid & (whole <= _PLACES) & (decimals <= _PLACES)
    values = values * _POWERS[np.where(prices, _PLACES - decimals, 0)]
    return Numbers(np.where(minus, -values, values), valid, prices)


def read_instants(text: Bytes, starts: Positions, lengths: Positions) -> tuple[NDArray[np.int64], Flags]:
    """Nanoseconds of texts like 2026-08-19T14:31:32.123456Z, and which of them are such.

    In each, T, two colons and Z come once and in this order; all else are digits, points and minus signs.
    """
    decimals = np.maximum(lengths - _WHOLE - 1, 0)
    valid: Flags = (lengths == _WHOLE) | ((decimals > 0) & (decimals <= _PLACES))
    bases, known = _minutes(text, starts)
    valid &= known
    tens, ones = text[starts + _MINUTE] - np.uint8(_ZERO), text[starts + _MINUTE + 1] - np.uint8(_ZERO)
    valid &= (tens < 6) & (ones < 10) & (text[starts + _WHOLE - 1] == np.where(lengths == _WHOLE, _Z, _DOT))
    fraction: NDArray[np.int64] = np.zeros(len(starts), np.int64)
    most = min(int(decimals.max(initial=0)), _PLACES)
    uneven = int(decimals.min(initial=most)) != most
    for column in range(most):
        digit = text[starts + _WHOLE + column] - np.uint8(_ZERO)
        if uneven:
            digit[decimals <= column] = 0
        valid &= digit < 10
        fraction = fraction * 10 + digit
    seconds = tens.astype(np.int64) * 10 + ones
    return bases + seconds * 10**9 + fraction * 10 ** (_PLACES - most), valid


def _minutes(text: Bytes, starts: Positions) -> tuple[NDArray[np.int64], Flags]:
    """The instants of the minutes that texts begin with, and which of them are such; equal neighbours are read once."""
    words: Any = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    changed = np.ones(len(starts), np.bool_)
    changed[1:] = False
    for offset in (0, 8, _MINUTE - 8):
        word = words[starts + offset]
        changed[1:] |= word[1:] != word[:-1]
    first = np.flatnonzero(changed)
    found = [_minute(text[start : start + _MINUTE].tobytes()) for start in starts[first].tolist()]
    each = np.cumsum(changed) - 1
    bases = np.array([0 if one is None else one for one in found], np.int64)[each]
    return bases, np.array([one is not None for one in found], np.bool_)[each]


def _minute(text: bytes) -> int | None:
    try:
        return instant(text.decode("latin-1") + "00Z")
    except ValueError:
        return None
