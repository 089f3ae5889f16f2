"""The P&L of a day as a chart of text: a step curve, and the values at which a limit or the floor is reached."""

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from riskcore.cli.screen.words import Clock, limit_dollars

LABEL_WIDTH = 10
Point = tuple[int, Decimal]  # An instant, and the P&L from it on.
Line = tuple[Decimal, str]  # The P&L at which something is reached, and what.


def chart(points: Sequence[Point], lines: Sequence[Line], width: int, height: int, clock: Clock) -> Text:
    """`points` in the order of time, at least one. Between two of them the P&L stays as it was."""
    columns = max(width - LABEL_WIDTH - 1, 8)
    values = [Decimal(0), *(value for _, value in points), *(value for value, _ in lines)]
    low, high = min(values), max(values)
    span = high - low or Decimal(1)

    def row_of(value: Decimal) -> int:
        return int((high - value) / span * (height - 1) + Decimal("0.5"))

    cells = [[(" ", "")] * columns for _ in range(height)]
    labels = [""] * height
    for value, name, style in [*((value, name, "yellow") for value, name in lines), (Decimal(0), "", "dim")]:
        row = row_of(value)
        labels[row] = limit_dollars(str(value))
        cells[row] = [("┄", style)] * columns
        for at, letter in enumerate(f" {name} "[:columns] if name else ""):
            cells[row][columns - min(len(name) + 2, columns) + at] = (letter, style)
    _draw(cells, [row_of(value) for value in _stepped(points, columns)])
    text = Text(no_wrap=True)
    for label, letters in zip(labels, cells, strict=True):
        text.append(f"{label:>{LABEL_WIDTH}} ", "dim")
        for letter, style in letters:
            text.append(letter, style)
        text.append("\n")
    first, last = clock.time(points[0][0]), clock.time(points[-1][0])
    text.append(" " * (LABEL_WIDTH + 1) + f"{first}{last:>{max(columns - len(first), 0)}}", "dim")
    return text


def _stepped(points: Sequence[Point], columns: int) -> list[Decimal]:
    """The P&L at the end of each column's share of the time."""
    begin, end = points[0][0], points[-1][0]
    found, index = [], 0
    for column in range(columns):
        until = begin + (end - begin) * (column + 1) // columns
        while index + 1 < len(points) and points[index + 1][0] <= until:
            index += 1
        found.append(points[index][1])
    return found


def _draw(cells: list[list[tuple[str, str]]], rows: list[int]) -> None:
    before = rows[0]
    for column, row in enumerate(rows):
        for between in range(min(before, row), max(before, row) + 1):
            cells[between][column] = ("│", "bold cyan")
        cells[row][column] = ("●" if column == len(rows) - 1 else "─" if row == before else "┼", "bold cyan")
        before = row
