"""A CSV file as a table: its delimiter and header found, every row with its line. Source: INTERFACE.md 8.

The header may come behind a title, a `sep=` line or blank lines; columns may come in any order and case, with
blanks or underscores in their names. A spreadsheet may have saved it with `,`, `;`, a tab or `|`, in UTF-8 or UTF-16.
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
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
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

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are no column."""
        return [name for name in names if plain_name(name) not in self.columns]

    def rows(self, names: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
        """(line, texts by name) of every row that says anything; what is missing is empty. Raises InputError."""
        places = {name: self.columns.index(plain_name(name)) for name in names if not self.missing([name])}
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.delimiter)
        number = 0
        try:
            for number, texts in _numbered(reader):
                line = self.line + number
                if tuple(map(plain_name, texts)) == self.columns or not any(text.strip() for text in texts):
                    continue
                if len(texts) > len(self.columns):
                    raise InputError(
                        f"{self.path}, line {line}: more fields than the header has columns; "
                        "is a number with a comma not in quotes?"
                    )
                found = {name: texts[place].strip() for name, place in places.items() if place < len(texts)}
                yield line, {name: found.get(name, "") for name in names}
        except csv.Error as error:
            raise InputError(f"{self.path}, line {self.line + number + 1}: {error}") from None


def _numbered(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line on which each ends: a quoted text may go over several."""
    for texts in reader:
        yield reader.line_num, texts  # type: ignore[attr-defined]


def read_text(path: Path, data: bytes) -> str:
    """The text of a file that is no JSON. Raises InputError."""
    if data.startswith(_WORKBOOKS):
        raise InputError(f"{path}: a workbook or an archive, not CSV; save the sheet as CSV")
    try:
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: neither JSON nor text in UTF-8: byte {error.start}; save it as UTF-8") from None
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    return text


def find_table(path: Path, text: str, known: Sequence[str]) -> Table | None:
    """The table of a text whose header has some of the `known` names; None when no line looks like one.

    Raises InputError for a column that comes twice.
    """
    names = {plain_name(name) for name in known}
    lines = text.splitlines(keepends=True)
    best: Table | None = None
    most = _FEWEST_KNOWN - 1
    for number, line in enumerate(lines[:_HEADER_WITHIN_LINES], start=1):
        for delimiter in _DELIMITERS:
            columns = tuple(plain_name(name) for name in _fields(line, delimiter))
            count = len(names.intersection(columns))
            if count > most:
                most = count
                best = Table(path, columns, number, delimiter, "".join(lines[number:]))
    if best is None:
        return None
    twice = [name for name in known if best.columns.count(plain_name(name)) > 1]
    if twice:
        raise InputError(f"{path}, line {best.line}: the column {twice[0]} comes twice")
    return best


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def first_line(text: str) -> str:
    """The first line that says anything, short enough to be shown."""
    shown = next(line.strip() for line in text.splitlines() if line.strip())
    return shown if len(shown) <= 60 else shown[:57] + "..."
