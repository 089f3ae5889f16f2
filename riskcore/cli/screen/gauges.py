"""Gauges as bars: a few words each on the overview, every one with its sentence on the view of the limits."""

from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from riskcore.cli.screen.binding import STATE_STYLES
from riskcore.cli.screen.picture import Picture
from riskcore.cli.screen.words import duration, limit_dollars, percent, root_of_contract
from riskcore.core.rules.base import LOSS, OK, PROFIT, SECONDS

Row = dict[str, Any]
BAR_WIDTH = 12
WIDE = 84  # Columns from which a view shows more beside one another.


def limits_view(picture: Picture, width: int) -> list[RenderableType]:
    """Every limit of every account in the order they bind, then the safe sizes."""
    parts: list[RenderableType] = []
    for account in picture.accounts:
        if len(picture.accounts) > 1:
            parts.append(Text(f"{account['name'] or account['id']}", "bold"))
        parts += [_long_bar(gauge, picture, width) for gauge in account["limits"]]
        parts += [] if account["limits"] else [Text("no rule is on", "dim")]
        parts += _sizes(account, picture, width)
    return parts


def _long_bar(gauge: Row, picture: Picture, width: int) -> RenderableType:
    """State, rule, bar and share; the sentence beside it, or below it where there is no room."""
    style = _style(gauge)
    head = Text(no_wrap=True)
    head.append(f"{gauge['state']:<8} ", style)
    head.append(f"{gauge['rule']:<17} ")
    if gauge["used"] is None:
        head.append(" " * (BAR_WIDTH + 6))
    else:
        append_bar(head, gauge["used"], style)
        head.append(f" {percent(gauge['used']):>5}")
    root = root_of_contract(gauge["contract"])
    told = picture.local(gauge["text"])
    sentence = Text(f"{root} {told}" if root and root not in told else told, style if style != "green" else "")
    if width < WIDE:
        grid = Table.grid(expand=True)
        grid.add_row(head)
        grid.add_row(Padding(sentence, (0, 0, 0, 2)))
        return grid
    grid = Table.grid(expand=True, padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(head, sentence)
    return grid


def _sizes(account: Row, picture: Picture, width: int) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for row in account.get("safe_size", ()):
        line = Text("safe size ", "dim")
        line.append(f"{root_of_contract(row['contract'])} ", "bold")
        line.append(picture.local(row["text"]), "red" if row["size"] == 0 else "")
        lines.append(line)
    return lines


def _style(gauge: Row) -> str:
    weak = gauge["state"] not in STATE_STYLES
    return "green" if gauge["kind"] == PROFIT and not weak else ("dim" if weak else STATE_STYLES[gauge["state"]])


def append_bar(text: Text, used: str, style: str) -> None:
    """The share as a bar, a piece of it as soon as anything is used."""
    filled = min(BAR_WIDTH, int(Decimal(used) * BAR_WIDTH + Decimal("0.9999")))
    text.append("█" * filled, style)
    text.append("░" * (BAR_WIDTH - filled), "dim")


def gauge_bars(limits: list[Row], columns: int, most: int) -> list[RenderableType]:
    """The gauges in the order they bind, as bars where there is a share to draw."""
    grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
    limits = [gauge for gauge in limits if gauge["state"] != "off"]
    columns = min(columns, len(limits), most)
    for _ in range(columns):
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    cells = [_short_bar(gauge) for gauge in limits[:most]]
    for start in range(0, len(cells), max(columns, 1)):
        grid.add_row(*cells[start : start + columns])
    return [grid] if cells else []


def _short_bar(gauge: Row) -> Text:
    state, weak, colour = gauge["state"], gauge["state"] not in STATE_STYLES, _style(gauge)
    root = root_of_contract(gauge["contract"])
    name = gauge["name"].partition(",")[0]
    text = Text(f"{name if not root or root in name else f'{root} {name}':<13} ", "dim")
    if gauge["used"] is None:
        text.append(_figures(gauge) or "no measure", colour if state != OK else "")
    else:
        append_bar(text, gauge["used"], colour)
        text.append(f" {_figures(gauge)}", "" if weak or state == OK else colour)
    text.append(f" {gauge['rule'].removeprefix('RULE-')}{f' {state}' if state != OK else ''}", "dim")
    return text


def _figures(gauge: Row) -> str:
    """What is measured, and the limit where there is one: 354.90 / 500, 3 / 5, 1:02:05, true."""
    now, limit = gauge["now"], gauge["limit"]
    if now is None:
        return ""
    if gauge["kind"] == SECONDS:
        shown = [duration(int(Decimal(one))) for one in (now, limit) if one is not None]
    elif gauge["unit"] == "$":
        amount = -Decimal(now) if gauge["kind"] == LOSS and limit is not None else Decimal(now)
        shown = [limit_dollars(str(max(amount, Decimal(0)) if limit is not None else amount))]
        shown += [limit_dollars(limit)] if limit is not None else []
    else:
        shown = [one for one in (now, limit) if one is not None]
    return " / ".join(shown)
