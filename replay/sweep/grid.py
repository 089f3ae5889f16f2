"""Grids: `--grid KEY=200:1000:50`, `--grid KEY=off,200,400`. Each key is any setting that `--set` takes."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod

from riskcore.errors import ConfigError
from riskcore.settings.assignments import split_assignment

# More settings than this are never run at once.
MOST_SETTINGS = 1_000_000
_EXAMPLE = "write it like --grid rules.daily_realized_loss.loss_limit=200:1000:50 or --grid KEY=off,200,400"
_RANGE = re.compile(r"(-?\d{1,18}(?:\.\d{1,18})?):(-?\d{1,18}(?:\.\d{1,18})?):(\d{1,18}(?:\.\d{1,18})?)", re.ASCII)
# Two plain numbers; 09:30 is a time.
_WITHOUT_STEP = re.compile(r"(?!\d\d:\d\d$)-?\d{1,18}(?:\.\d{1,18})?:-?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_OPENING, _CLOSING = "[{", "]}"
# Numbers that fit a column of exact decimals.
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?", re.ASCII)
Values = tuple[tuple[str, str], ...]  # Grid key and the text of its value, in the order of the options.


@dataclass(frozen=True, slots=True)
class Axis:
    """One grid key with its values as texts, each once."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Every combination of the values of some keys; the last key changes fastest."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return prod(len(axis.values) for axis in self.axes)

    def __iter__(self) -> Iterator[Values]:
        keys = [axis.key for axis in self.axes]
        for values in product(*(axis.values for axis in self.axes)):
            yield tuple(zip(keys, values, strict=True))


def grid_of(texts: Sequence[str], sets: Sequence[str] = ()) -> Grid:
    """The grid of some `--grid` options beside these `--set` ones. Raises ConfigError."""
    if not texts:
        raise ConfigError(f"--grid: a sweep needs one key at least; {_EXAMPLE}")
    taken = {tuple(split_assignment(assignment)[0]): "--set" for assignment in sets}
    axes = []
    for text in texts:
        axis = _axis(text)
        names = tuple(split_assignment(f"{axis.key}=0")[0])
        if names in taken:
            raise ConfigError(f"--grid {axis.key}: {taken[names]} gives this key too; give it once")
        taken[names] = "another --grid"
        axes.append(axis)
        _refuse_too_many(prod(len(one.values) for one in axes))
    return Grid(tuple(axes))


def number_of(value: str) -> Decimal | None:
    """The number that a value of a grid is; None for words, and for numbers too long for a column of the table."""
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def _axis(text: str) -> Axis:
    key, equals, listed = (part.strip() for part in text.partition("="))
    try:
        split_assignment(f"{key}=0")
    except ConfigError:
        raise ConfigError(f"--grid {text[:200]!r}: not a setting's name; {_EXAMPLE}") from None
    items = _items(listed)
    if not equals or "" in items:
        raise ConfigError(f"--grid {key}: a value is missing; {_EXAMPLE}")
    values: list[str] = []
    for item in items:
        values += _values(key, item)
        _refuse_too_many(len(values))
    return Axis(key, tuple(dict.fromkeys(values)))


def _items(text: str) -> list[str]:
    """The parts between commas, where a comma inside quotes, brackets or braces separates nothing."""
    items, depth, quote, start = [], 0, "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENING or character in _CLOSING:
            depth += 1 if character in _OPENING else -1
        elif character == "," and not depth:
            items.append(text[start:index].strip())
            start = index + 1
    return [*items, text[start:].strip()]


def _values(key: str, item: str) -> list[str]:
    """The values of one part: those of a range, or the part itself."""
    found = _RANGE.fullmatch(item)
    if found is None and _WITHOUT_STEP.fullmatch(item):
        raise ConfigError(f"--grid {key}={item}: a range is FIRST:LAST:STEP, and the step is missing; {_EXAMPLE}")
    if found is None:
        return [item]
    first, last, step = (Decimal(part) for part in found.groups())
    if not step or last < first:
        raise ConfigError(
            f"--grid {key}={item}: a range is FIRST:LAST:STEP, the last not below the first, the step above 0"
        )
    count = int((last - first) // step) + 1
    _refuse_too_many(count)
    return [f"{(first + step * index).normalize():f}" for index in range(count)]


def _refuse_too_many(count: int) -> None:
    if count > MOST_SETTINGS:
        raise ConfigError(f"--grid: more than {MOST_SETTINGS:,} settings; give fewer values, or run parts of the grid")
