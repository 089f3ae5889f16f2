"""Bars beside an account's history: History/retrieveBars answers from files, as lines known at each bar's end."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from adapters.topstepx import fields, rows
from adapters.topstepx.fields import Object, Rejected, encode
from replay.imports.json_files import read_rows
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.errors import InputError
from riskcore.schema.instants import utc_text

_CONTRACT = re.compile(r"CON\.F\.[A-Z]+\.[A-Z0-9]+\.[FGHJKMNQUVXZ][0-9]{2}", re.ASCII)
_UNIT_SECOND, _UNIT_MINUTE = 1, 2
WHICH_CONTRACT = "which contract is it? Put its id, such as CON.F.US.MNQ.U26, into the file or folder name"
Known = tuple[int, Object]  # When something became known, and its line.


def contract_in(path: Path) -> str | None:
    """The contract id in the name of a file or, failing that, of the nearest folder above it."""
    absolute = path.absolute()
    for part in (absolute.name, *(parent.name for parent in absolute.parents)):
        match = _CONTRACT.search(part)
        if match is not None:
            return match[0]
    return None


class BarSource(Protocol):
    """Where bars come from: files, or a download."""

    paths: Sequence[Path]

    def lines(self, contract: str, start: int, end: int) -> Iterator[Known]:
        """The bars that become known in [start, end), oldest first, each as a line of its own."""


def known_lines(contract: str, by_unit: Mapping[int, Mapping[int, Object]], start: int, end: int) -> Iterator[Known]:
    """The bars that become known in [start, end), given by length and opening instant.

    Of several bar lengths the shortest with a bar in that time counts.
    """
    for unit_ns in sorted(by_unit):
        opened = sorted(at for at in by_unit[unit_ns] if start <= at + unit_ns < end)
        if opened:
            for at in opened:
                yield at + unit_ns, _line(contract, unit_ns, at, by_unit[unit_ns][at])
            return


@dataclass(slots=True)
class Bars:
    """The files of bars, each read when its contract is first asked for.

    `only` is the contract of files that name none: the one contract that was traded, if it was only one.
    """

    paths: Sequence[Path]
    only: str | None = None
    _files: dict[str, list[Path]] = field(default_factory=dict)
    _read: dict[str, dict[int, dict[int, Object]]] = field(default_factory=dict)  # contract: unit: opens at: row

    def __post_init__(self) -> None:
        for path in sorted(self.paths):
            for file in _files_of(path):
                contract = contract_in(file) or self.only
                if contract is None:
                    raise InputError(f"{file}: {WHICH_CONTRACT}")
                self._files.setdefault(contract, []).append(file)

    def lines(self, contract: str, start: int, end: int) -> Iterator[Known]:
        """As BarSource. Raises InputError."""
        return known_lines(contract, self._of(contract), start, end)

    def _of(self, contract: str) -> dict[int, dict[int, Object]]:
        if contract not in self._read:
            found: dict[int, dict[int, Object]] = {}
            for file in self._files.get(contract, ()):
                bars = _bars_of(file, contract)
                if bars:
                    of_unit = found.setdefault(_unit_of(bars), {})
                    for opened, row in bars.items():
                        of_unit[opened] = max((row, of_unit.get(opened, row)), key=_completeness)
            self._read[contract] = found
        return self._read[contract]


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for pattern in ("*.json", "*.json.gz") for file in path.rglob(pattern))
        if not found:
            raise InputError(f"{path}: no .json or .json.gz files in this folder")
        return found
    return [path]


def _bars_of(file: Path, contract: str) -> dict[int, Object]:
    """The bars of one file by their opening instants."""
    found: dict[int, Object] = {}
    for number, row in enumerate(read_rows(file, "bars"), start=1):
        try:
            opened = rows.bar(contract, SECOND_NS, rows.row_of(row)).opens_at
            found[opened] = max((row, found.get(opened, row)), key=_completeness)
        except Rejected as error:
            raise InputError(f"{file}, bars row {number}: {error}") from None
    return found


def _completeness(row: Object) -> tuple[int, str]:
    """Of two bars of one time the one with more volume is the later answer; so the order of files decides nothing."""
    return fields.magnitude(row, "v") or 0, encode(row)


def _unit_of(bars: dict[int, Object]) -> int:
    """How long the bars are: the smallest gap between two; a lone bar is taken for a minute."""
    opened = sorted(bars)
    unit_ns = min((later - earlier for earlier, later in pairwise(opened)), default=MINUTE_NS)
    return max(unit_ns // SECOND_NS, 1) * SECOND_NS


def _line(contract: str, unit_ns: int, at: int, row: Object) -> Object:
    minutes, rest = divmod(unit_ns, MINUTE_NS)
    return {
        "rest": "/api/History/retrieveBars",
        "request": {
            "contractId": contract,
            "live": False,
            "startTime": utc_text(at),
            "endTime": utc_text(at + unit_ns),
            "unit": _UNIT_SECOND if rest else _UNIT_MINUTE,
            "unitNumber": unit_ns // SECOND_NS if rest else minutes,
            "limit": 1,
            "includePartialBar": False,
        },
        "status": 200,
        "response": {"bars": [row], "success": True, "errorCode": 0, "errorMessage": None},
    }
