"""Versions of one row out of several files, made one: field by field, whatever the order of the files.

A present value beats an absent one (RULES.md 1.5). Files do not say which of them is newer, so where two of them
say different things about one id the outcome is the same in any order and the difference is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from adapters.topstepx.fields import Object, encode

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Version(Generic[Row]):
    """One row that a file has for an id.

    `what` says which event the row is about: rows of one id that differ in it are two events. `figures` are what is
    told about it, None for what is not told. Both are by the names that the file uses.
    """

    where: str
    at: int
    what: Mapping[str, Any]
    figures: Mapping[str, Any]
    row: Row

    @property
    def in_order(self) -> tuple[Any, ...]:
        """By time, then by content, so that the order of files decides nothing."""
        return self.at, [(name, str(value)) for name, value in self.what.items()], str(self.row), self.where


def agreeing(name: str, versions: Sequence[Version[Row]]) -> tuple[list[Version[Row]], str | None]:
    """The versions that count, in an order of their own, and what to say when not all say the same."""
    ordered = sorted(versions, key=lambda version: version.in_order)
    last = ordered[-1]
    counting = [version for version in ordered if version.what == last.what]
    fields = [key for key in last.what if any(version.what[key] != last.what[key] for version in ordered)]
    if fields:
        others = ", ".join(sorted({version.where for version in ordered} - {version.where for version in counting}))
        return counting, (
            f"{name}: two different rows have this id ({', '.join(fields)} differ). An id counts once: {last.where} "
            f"counts, {others or 'the other'} does not; correct the id of one, or take one out"
        )
    fields = [
        key
        for key in last.figures
        if len({str(one.figures[key]) for one in ordered if one.figures[key] is not None}) > 1
    ]
    if fields:
        places = ", ".join(sorted({version.where for version in ordered}))
        return counting, (
            f"{name}: {', '.join(fields)} differ in {places}, and nothing says which is newer; "
            "give only the file that is right"
        )
    return counting, None


def merged_row(rows: Sequence[Object]) -> Object:
    """Rows of the broker field by field; of two present values always the same one."""
    found: Object = {}
    for row in sorted(rows, key=encode):
        for name, value in row.items():
            if name not in found or encode(value) > encode(found[name]):
                found[name] = value
    return found
