"""How text results are printed: in the profile's zone, wrapped where there is a width, coloured on a terminal."""

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click

LEAST_WIDTH = 40
# No instant that is part of an id.
_INSTANT = re.compile(r"(?<![\w@:/.-])(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?Z")
# One or two labels with blanks behind them, as in "limit     RULE-003 ..." and "warn  settings      ...".
_LABELS = re.compile(r" *(?:\S+ {2,}){1,2}")
# What stands out of the text on a terminal; no colour says what the words do not.
_STYLES = (
    (re.compile(r"^\S.* \(\d+\)$|^Account \S.*$"), {"bold": True}),
    (re.compile(r"\bBREACHED\b|\bbreached\b|\bLOCKED\b"), {"fg": "red", "bold": True}),
    (re.compile(r"^ok(?= {2})"), {"fg": "green"}),
    (re.compile(r"^warn(?= {2})"), {"fg": "yellow"}),
    (re.compile(r"^fail(?= {2})"), {"fg": "red"}),
    (re.compile(r"\bNEAR\b|\bWARN\b"), {"fg": "yellow"}),
    (re.compile(r"^  (?:unmet|lockout) |\bnot met\b|\brefused\b|\bunresolved\b|\bMISMATCH\b"), {"fg": "red"}),
    (re.compile(r"^  (?:blind|unseeded) "), {"fg": "yellow"}),
)


def print_text(text: str, zone: str | None = None) -> None:
    """Print a result. With a zone every instant is shown in it, and the last line names the zone that they are in."""
    local = in_zone(text, zone)
    if zone and local != text:
        text = f"{local}\n\n{zone_line(zone)}"
    width = terminal_width()
    lines = [part for line in text.split("\n") for part in ([line] if width is None else wrapped(line, width))]
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    click.echo("\n".join(styled(line) if coloured else line for line in lines))


def print_line(line: str) -> None:
    """Print one line of a stream or a dialogue, in pieces where the terminal is narrower."""
    click.echo(pieces(line))


def pieces(line: str) -> str:
    """A line as the terminal takes it; whole where there is no width."""
    width = terminal_width()
    return line if width is None else "\n".join(wrapped(line, width))


def zone_line(zone: str) -> str:
    """The sentence that names the zone of a screen."""
    return f"Times are in {zone}."


def terminal_width() -> int | None:
    """The columns there are; None where nobody said: a file or another program gets every line whole."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return None
    return max(shutil.get_terminal_size().columns, LEAST_WIDTH)


def in_zone(text: str, zone: str | None) -> str:
    """A text with every instant of UTC in it as the clock of the zone shows it, with all its digits; none: in UTC."""
    if not zone:
        return text
    clock = ZoneInfo(zone)

    def shown(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC).astimezone(clock)
        return f"{at:%Y-%m-%d %H:%M:%S}{found[3] or ''}"

    return _INSTANT.sub(shown, text)


def wrapped(line: str, width: int) -> list[str]:
    """A line in pieces of a width, the further ones below the words of the first. What has no blank stays whole."""
    if len(line) <= width:
        return [line]
    labels = _LABELS.match(line)
    indent = len(line) - len(line.lstrip()) + 2
    if labels is not None and labels.end() <= width // 2:
        indent = labels.end()
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )


def styled(line: str) -> str:
    """A line with its colours."""
    for pattern, style in _STYLES:
        line = pattern.sub(lambda found, style=style: click.style(found[0], **style), line)  # type: ignore[misc]
    return line


def aligned(table: Sequence[Sequence[str]], left: Container[int] = ()) -> list[str]:
    """The lines of a table: cells below one another, to the right but for the columns that are read from the left."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in table
    ]


def fitted(table: list[str], titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of an aligned table where they fit; else each row as a sentence of its own with the titles in it."""
    width = terminal_width()
    if width is None or max(map(len, table)) <= width:
        return table
    told = []
    for row in rows:
        named = [f"{title} {cell}".strip() for title, cell in zip(titles[1:], row[1:], strict=True) if cell]
        told += wrapped(f"{row[0]}  {', '.join(named)}", width)
    return told
