"""Tables of the report: captioned, with headings for screen readers, and folded into cards on a phone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from replay.whatif.report_words import Amounts

# A table of more columns than this folds into cards on a phone.
_NARROW = 3
_RULE_ID = re.compile(r"[^A-Za-z]*[A-Z]{3,}(-[A-Z0-9]+)+\W*")
# A word that is longer may break anywhere, or a phone would have to scroll sideways.
_LONGEST_WORD = 20


def prose(text: str) -> str:
    """Text as HTML; the id of a rule is not broken at its hyphen, and a very long word may be."""
    return "".join(_word(word) for word in re.split(r"(\s+)", text))


def _word(word: str) -> str:
    if len(word) > _LONGEST_WORD:
        return f'<span class="long">{escape(word)}</span>'
    return f'<span class="id">{escape(word)}</span>' if _RULE_ID.fullmatch(word) else escape(word)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows, as HTML. `kind` is a class of the style sheet: n for numbers, wide for a whole line."""

    html: str
    kind: str = ""


def words(text: str, note: str = "") -> Cell:
    """Text as it is, with a smaller remark below it."""
    return Cell(prose(text) + (f'<span class="note">{prose(note)}</span>' if note else ""))


def number(text: str) -> Cell:
    return Cell(escape(text), "n")


def toned(amounts: Amounts, value: int) -> str:
    """A signed amount, green or red; the sign says the same without colour."""
    tone = "good" if value > 0 else "bad" if value < 0 else ""
    text = amounts.signed(value)
    return f'<span class="{tone}">{text}</span>' if tone else text


def amount(amounts: Amounts, value: int | None, missing: str = "–") -> Cell:
    """An amount with its tone, or why there is none."""
    return number(missing) if value is None else Cell(toned(amounts, value), "n")


def plain(amounts: Amounts, value: int | None) -> Cell:
    """A signed amount that is no effect, so neither green nor red."""
    return number("–" if value is None else amounts.signed(value))


def table(caption: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The first cell of a row names it. Roles are spelled out because a folded table loses its own."""
    titles = "".join(
        f'<th scope="col" role="columnheader"{_class(rows[0][index].kind if rows else "")}>{escape(title)}</th>'
        for index, title in enumerate(headings)
    )
    body = "".join(_row(headings, row) for row in rows)
    head = f'<thead role="rowgroup"><tr role="row">{titles}</tr></thead>'
    return (
        f'<div{_class("stack" if len(headings) > _NARROW else "")}><table role="table">'
        f'<caption>{prose(caption)}</caption>{head}<tbody role="rowgroup">{body}</tbody></table></div>'
    )


def _row(headings: Sequence[str], row: Sequence[Cell]) -> str:
    first, *rest = row
    cells = "".join(_cell(title, cell) for title, cell in zip(headings[1:], rest, strict=True))
    return f'<tr role="row"><th scope="row" role="rowheader"{_class(first.kind)}>{first.html}</th>{cells}</tr>'


def _cell(title: str, cell: Cell) -> str:
    label = f' data-l="{escape(title)}"' if cell.html else ""
    return f'<td role="cell"{label}{_class(cell.kind)}>{cell.html}</td>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
