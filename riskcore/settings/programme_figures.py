"""The figures of the Topstep programme, read from the shipped table (programme/topstep.toml; PROGRAMME.md 1 and 3).

A figure is asked for by its key; every row that was asked for can be shown with its article and the date of its page.
"""

import csv
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from riskcore.core.programme.terms import READINGS
from riskcore.core.quantities import fraction, money

OLDEST_DAYS = 90  # An older table warns.
_CHOICE = "our choice"
DEFAULT_READINGS = {name: choices[0] for name, choices in READINGS.items()}


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `since` and `until` are the first and the last trade date it counts for, None where none is known.

    `reading` is "table.reading" where it counts only under that reading; `article` is None for a choice of ours.
    """

    key: str
    value: str
    unit: str
    article: int | None
    page: str | None
    since: str | None = None
    until: str | None = None
    reading: str | None = None
    note: str | None = None

    def counts(self, on: str | None) -> bool:
        """Whether it counts on a date; None: in the newest version."""
        if on is None:
            return self.until is None
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)

    def row(self) -> dict[str, Any]:
        """The row as the table writes it."""
        names = {"since": "from"}
        plain = {names.get(name, name): getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in plain.items() if value is not None}

    @property
    def source(self) -> str:
        """Article and page date: [8284204, 2026-09-18]."""
        told = [str(one) for one in (self.article, self.page) if one is not None]
        return f"[{', '.join(told)}]" if told else _CHOICE


@dataclass(frozen=True, slots=True)
class Table:
    """The shipped table."""

    version: str
    rows: tuple[Figure, ...]


@dataclass(slots=True)
class Figures:
    """The table under chosen readings. It keeps the rows it was asked for, so that they can be shown."""

    readings: Mapping[str, str]
    asked: dict[Figure, None] = field(default_factory=dict)

    def find(self, key: str, on: str | None = None) -> Figure | None:
        """The row of a key that counts, None where the firm gives no such figure."""
        for row in by_key().get(key, ()):
            if row.counts(on) and self._chosen(row):
                self.asked[row] = None
                return row
        return None

    def text(self, key: str, on: str | None = None) -> str:
        """A value as it is written. Raises KeyError for an unknown key."""
        row = self.find(key, on)
        if row is None:
            raise KeyError(f"the shipped table has no figure {key}")
        return row.value

    def number(self, key: str) -> int:
        return int(self.text(key))

    def usd(self, key: str) -> int:
        return money(self.text(key))

    def share(self, key: str, on: str | None = None) -> int:
        return fraction(self.text(key, on))

    def seconds(self, key: str) -> int:
        """A time of day in seconds after midnight."""
        return clock_seconds(self.text(key))

    def words(self, key: str) -> tuple[str, ...]:
        return tuple(self.text(key).split())

    def under(self, prefix: str) -> dict[str, str]:
        """The values of every key under a prefix by the rest of the key, in the order of the table."""
        found = {}
        for key in by_key():
            if key.startswith(f"{prefix}."):
                row = self.find(key)
                if row is not None:
                    found[key.removeprefix(f"{prefix}.")] = row.value
        return found

    def _chosen(self, row: Figure) -> bool:
        if row.reading is None:
            return True
        name, _, reading = row.reading.partition(".")
        return self.readings[name] == reading


def clock_seconds(text: str) -> int:
    """Seconds after midnight of HH:MM."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 3600 + int(minutes) * 60


@lru_cache(maxsize=1)
def shipped() -> Table:
    """The shipped table."""
    plain = tomllib.loads(files("riskcore").joinpath("programme", "topstep.toml").read_text(encoding="utf-8"))
    return Table(plain["version"], tuple(_row(row) for row in plain["rows"]))


def _row(plain: Mapping[str, Any]) -> Figure:
    names = {"from": "since"}
    given = {names.get(name, name): value for name, value in plain.items()}
    return Figure(**{"article": None, "page": None, **given})


def age_days(today: date) -> int:
    """How old the shipped table is."""
    return (today - date.fromisoformat(shipped().version)).days


def age_warning(today: date) -> str | None:
    """What to say of a table that has not been checked against the firm's pages for long."""
    age = age_days(today)
    if age <= OLDEST_DAYS:
        return None
    return (
        f"the programme's figures are of {shipped().version}, {age} days old: the firm may have changed them since; "
        "install a newer riskcore, and compare with riskcore programme show"
    )


@lru_cache(maxsize=1)
def by_key() -> Mapping[str, tuple[Figure, ...]]:
    """The rows of every key, in the order of the table."""
    found: dict[str, tuple[Figure, ...]] = {}
    for row in shipped().rows:
        found[row.key] = (*found.get(row.key, ()), row)
    return found


@lru_cache(maxsize=1)
def cpi_releases() -> tuple[str, ...]:
    """The days on which the consumer price index is released, of every year the shipped table covers."""
    text = files("riskcore").joinpath("programme", "cpi_releases.csv").read_text(encoding="utf-8")
    return tuple(row["date"] for row in csv.DictReader(text.splitlines()))
