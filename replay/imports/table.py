"""A CSV file as a table: its delimiter and header found, every row with its line. Source: INTERFACE.md 8.

The header may come behind a title, a `sep=` line or blank lines, and once more, with other columns, where files were
put one behind the other. Columns may come in any order and case, with blanks or underscores in their names. A
spreadsheet may have saved it with `,`, `;`, a tab or `|`, in UTF-8 or UTF-16.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from riskcore.errors import InputError

_DELIMITERS = ",;\t|"
_HEADER_WITHIN_LINES = 50
_NO_LETTERS = re.compile(r"[^a-z0-9]+")
_FEWEST_KNOWN = 4  # A line with so many known names is a header, though other columns are missing.
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def plain_name(name: str) -> str:
    """A column's name without case, blanks and marks: "Entry Price" and entry_price are EntryPrice, P&L is PnL."""
    return _NO_LETTERS.sub("", name.lower().replace("&", "n"))


@dataclass(frozen=True, slots=True)
class Table:
    """A file's columns by plain name, and where its rows begin. `line` is the header's, the first one being 1."""

    path: Path
    columns: tuple[str, ...]
    line: int
    delimiter: str
    text: str
    known: frozenset[str]

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are no column."""
        return [name for name in names if plain_name(name) not in self.columns]

    def rows(self, needed: Sequence[str], others: Sequence[str] = ()) -> Iterator[tuple[int, Mapping[str, str]]]:
        """(line, texts by name) of every row that says anything; what is missing is empty.

        Raises InputError, also for a further header without all `needed` columns.
        """
        columns, names = self.columns, (*needed, *others)
        places = _places(columns, names)
        # Strict, because a quote that is never closed would take all rows behind it for one text.
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter, strict=True)
        number = 0
        try:
            for number, texts in _numbered(reader):
                line = self.line + number
                plain = tuple(map(plain_name, texts))
                if len(self.known.intersection(plain)) >= _FEWEST_KNOWN:
                    columns, places = plain, _places(plain, names)
                    missing = [name for name in needed if name not in places]
                    if missing:
                        lacking = ", ".join(missing)
                        raise InputError(f"{self.path}, line {line}: this header lacks the columns {lacking}")
                    continue
                if not any(plain):
                    continue
                if len(texts) > len(columns):
                    raise InputError(
                        f"{self.path}, line {line}: more fields than the header has columns; "
                        "is a number with a comma not in quotes?"
                    )
                found = {name: texts[place].strip() for name, place in places.items() if place < len(texts)}
                yield line, {name: found.get(name, "") for name in names}
        except csv.Error as error:
            raise InputError(
                f'{self.path}, line {self.line + number + 1}: {error}; is a quote (") missing or too many?'
            ) from None


def _places(columns: Sequence[str], names: Sequence[str]) -> dict[str, int]:
    """Where the columns of these names are, as far as there are any."""
    return {name: columns.index(plain_name(name)) for name in names if plain_name(name) in columns}


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each ends: a quoted text may go over several."""
    for texts in reader:
        yield reader.line_num, texts  # type: ignore[attr-defined]


def read_text(path: Path, data: bytes) -> str:
    """The text of a file that is no JSON. Raises InputError."""
    if data.startswith(_WORKBOOKS):
        raise InputError(f"{path}: a workbook or an archive, not CSV; save the sheet as CSV")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: neither JSON nor text in UTF-8: byte {error.start}; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    return text


def find_table(path: Path, text: str, known: Sequence[str]) -> Table | None:
    """The table of a text whose header has some of the `known` names; None when no line looks like one.

    Raises InputError for a column that comes twice.
    """
    names = frozenset(map(plain_name, known))
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines[:_HEADER_WITHIN_LINES], start=1):
        found = [(tuple(map(plain_name, _fields(line, delimiter))), delimiter) for delimiter in _DELIMITERS]
        columns, delimiter = max(found, key=lambda one: len(names.intersection(one[0])))
        if len(names.intersection(columns)) < _FEWEST_KNOWN:
            continue
        twice = [name for name in known if columns.count(plain_name(name)) > 1]
        if twice:
            raise InputError(f"{path}, line {number}: the column {twice[0]} comes twice")
        return Table(path, columns, number, delimiter, "".join(lines[number:]), names)
    return None


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def first_line(text: str) -> str:
    """The first line that says anything, short enough to be shown."""
    shown = next(line.strip() for line in text.splitlines() if line.strip())
    return shown if len(shown) <= 60 else shown[:57] + "..."
