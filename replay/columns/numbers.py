"""Decimal numbers and instants out of the bytes of many lines at once, exactly: no price passes through a float."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.topstepx.fields import instant

Bytes = NDArray[np.uint8]
Positions = NDArray[np.int64]
Flags = NDArray[np.bool_]

_ZERO, _DOT, _MINUS, _COLON, _Z = b"0.-:Z"
LONGEST_NUMBER = 20  # Characters; what is longer is left to whoever reads line by line.
_PLACES = 9  # Of a price; digits before and after the point, so that it fits into 8 bytes.
# What a digit counts in 1e-9, by how far before the point it stands; nothing where a price has no digit.
_WEIGHTS = np.zeros(2 * LONGEST_NUMBER + 1, np.int64)
_WEIGHTS[LONGEST_NUMBER + 1 :][:_PLACES] = 10 ** np.arange(_PLACES, 2 * _PLACES)
_WEIGHTS[LONGEST_NUMBER - _PLACES : LONGEST_NUMBER] = 10 ** np.arange(_PLACES)
_MINUTE = len("2026-08-19T14:31")
_WHOLE = len("2026-08-19T14:31:32Z")
_WORD = 8
# Eight characters as one number, the first of them its lowest byte.
_ZEROS, _SIX_EACH, _HIGH_HALVES = (np.uint64(byte * 0x0101010101010101) for byte in (_ZERO, 0x06, 0xF0))
_PAIRS, _FOURS, _EIGHTS = (np.uint64(kept) for kept in (0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF))
_FIRST_BYTES = np.array([256 ** min(count, _WORD) - 1 for count in range(_PLACES + 1)], np.uint64)


class Numbers(NamedTuple):
    """values: in 1e-9, where `prices`; numbers: what JSON takes for a number; prices: and fits into eight bytes."""

    values: NDArray[np.int64]
    numbers: Flags
    prices: Flags


def changes(text: Bytes, starts: Positions, lengths: Positions, most: int) -> tuple[Positions, Positions]:
    """Which texts may differ from the one before, and for how many texts each of them stands.

    Texts longer than `most` are told apart by their first bytes and lengths only. `text` goes on for that many bytes
    and a word behind the last start.
    """
    changed = np.ones(len(starts), np.bool_)
    np.not_equal(lengths[1:], lengths[:-1], out=changed[1:])
    longest = min(int(lengths.max(initial=0)), most)
    for words in _words(text, starts, max(1, -(-longest // _WORD))).T:
        changed[1:] |= words[1:] != words[:-1]
    first = np.flatnonzero(changed)
    counts = np.empty_like(first)
    np.subtract(first[1:], first[:-1], out=counts[:-1])
    counts[-1:] = len(starts) - first[-1:]
    return first, counts


def _words(text: Bytes, starts: Positions, count: int) -> NDArray[np.uint64]:
    """So many words of eight bytes from each start on."""
    size = count * _WORD
    windows: NDArray[np.void] = np.ndarray((len(text) - size + 1,), f"V{size}", text, strides=(1,))
    return windows[starts].view("<u8").reshape(-1, count)


def read_numbers(text: Bytes, starts: Positions, lengths: Positions) -> Numbers:
    """Numbers of digits, points and minus signs; equal neighbours are read once, for most prices stay for a while.

    `text` goes on for LONGEST_NUMBER bytes and a word behind the last start.
    """
    first, counts = changes(text, starts, lengths, LONGEST_NUMBER)
    values, numbers, prices = _read_numbers(text, starts[first], lengths[first])
    return Numbers(values.repeat(counts), numbers.repeat(counts), prices.repeat(counts))


def _read_numbers(text: Bytes, starts: Positions, lengths: Positions) -> Numbers:
    """Column by column of the characters: a row of an array holds the same one of every number."""
    widths = np.minimum(lengths, LONGEST_NUMBER)
    columns = np.arange(max(1, int(widths.max(initial=0))))[:, None]
    characters = text[starts + columns]
    inside = columns < widths
    digits = characters - np.uint8(_ZERO)
    are_digits = (digits < 10) & inside
    are_points = (characters == _DOT) & inside
    pointed: Flags = are_points.any(axis=0)
    points = np.where(pointed, are_points.argmax(axis=0), widths)
    minus: Flags = characters[0] == _MINUS
    whole, decimals = points - minus, widths - points - pointed
    zero_first: Flags = text[starts + minus] == _ZERO
    # All else are digits; the widths differ from the lengths of what is too long.
    numbers: Flags = are_digits.sum(axis=0, dtype=np.uint8) + minus + pointed == lengths
    numbers &= (whole > 0) & (~pointed | (decimals > 0)) & (~zero_first | (whole == 1))
    prices = numbers & (whole <= _PLACES) & (decimals <= _PLACES)
    values = (np.where(are_digits, digits, 0) * _WEIGHTS[points - columns + LONGEST_NUMBER]).sum(axis=0)
    return Numbers(np.where(minus, -values, values), numbers, prices)


def read_instants(text: Bytes, starts: Positions, lengths: Positions) -> tuple[NDArray[np.int64], Flags]:
    """Nanoseconds of texts like 2026-08-19T14:31:32.123456Z, and which of them are such.

    In each, T, two colons and Z come once and in this order; all else are digits, points and minus signs.
    """
    decimals = np.maximum(lengths - _WHOLE - 1, 0)
    valid: Flags = (lengths == _WHOLE) | ((decimals > 0) & (decimals <= _PLACES))
    valid &= text[starts + _WHOLE - 1] == np.where(decimals, _DOT, _Z)
    bases, known = _minutes(text, starts)
    colons, tens, ones = (text[starts + place] for place in range(_MINUTE, _MINUTE + 3))
    tens, ones = tens - np.uint8(_ZERO), ones - np.uint8(_ZERO)
    valid &= known & (colons == _COLON) & (tens < 6) & (ones < 10)
    fractions, are_digits = _fractions(text, starts + _WHOLE, np.minimum(decimals, _PLACES))
    return bases + (tens * np.uint8(10) + ones) * np.int64(10**9) + fractions, valid & are_digits


def _fractions(text: Bytes, starts: Positions, lengths: Positions) -> tuple[NDArray[np.int64], Flags]:
    """Up to nine digits behind a point, in 1e-9, and which of them are digits. Eight of them are one word."""
    # What is behind the last digit counts as zeros.
    digits = (_words(text, starts, 1)[:, 0] ^ _ZEROS) & _FIRST_BYTES[lengths]
    are_digits: Flags = (((digits + _SIX_EACH) | digits) & _HIGH_HALVES) == 0
    # Neighbours become one number: of two digits, of four, of eight.
    for base, bits, kept in ((10, 8, _PAIRS), (100, 16, _FOURS), (10_000, 32, _EIGHTS)):
        digits = (digits * base + (digits >> bits)) & kept
    values = digits.astype(np.int64) * 10
    if int(lengths.max(initial=0)) == _PLACES:
        ninth = np.where(lengths == _PLACES, text[starts + _WORD] - np.uint8(_ZERO), 0)
        return values + ninth, are_digits & (ninth < 10)
    return values, are_digits


def _minutes(text: Bytes, starts: Positions) -> tuple[NDArray[np.int64], Flags]:
    """The instants of the minutes that texts begin with, and which of them are such; equal neighbours are read once."""
    first, counts = changes(text, starts, np.full(len(starts), _MINUTE), _MINUTE)
    found = [_minute(text[start : start + _MINUTE].tobytes()) for start in starts[first].tolist()]
    bases = np.array([0 if one is None else one for one in found], np.int64)
    return bases.repeat(counts), np.array([one is not None for one in found], np.bool_).repeat(counts)


def _minute(text: bytes) -> int | None:
    try:
        return instant(text.decode("latin-1") + ":00Z")
    except ValueError:
        return None
