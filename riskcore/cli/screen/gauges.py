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
GAP = 2  # Between two columns of bars.
LEAST_NAME = 13
LONGEST_RULE = 24  # A rule of the user's own may be named at any length.
WIDE = 84  # Columns from which a view shows more beside one another.


def limits_view(picture: Picture, width: int) -> list[RenderableType]:
    """Every limit of every account in the order they bind, then the safe sizes."""
    parts: list[RenderableType] = []
    longest = max((len(gauge["rule"]) for account in picture.accounts for gauge in account["limits"]), default=0)
    column = min(longest, LONGEST_RULE)
    for account in picture.accounts:
        if len(picture.accounts) > 1:
            parts.append(Text(f"{account['name'] or account['id']}", "bold"))
        parts += [_long_bar(gauge, picture, width, column) for gauge in account["limits"]]
        parts += [] if account["limits"] else [Text("no rule is on", "dim")]
        parts += _sizes(account, picture, width)
    return parts


def _long_bar(gauge: Row, picture: Picture, width: int, column: int) -> RenderableType:
    """State, rule (so wide a column), bar and share; the sentence beside it, or below it where there is no room."""
    style = _style(gauge)
    head = Text(no_wrap=True)
    head.append(f"{gauge['state']:<8} ", style)
    head.append(f"{_cut(gauge['rule'], column):<{column}} ")
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


def gauge_bars(limits: list[Row], columns: int, most: int, width: int) -> list[RenderableType]:
    """The gauges in the order they bind, as bars where there is a share to draw, in so many columns of a width."""
    grid = Table.grid(expand=True, padding=(0, GAP, 0, 0))
    limits = [gauge for gauge in limits if gauge["state"] != "off"][:most]
    columns = min(columns, len(limits))
    for _ in range(columns):
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    room = width // max(columns, 1) - (GAP if columns > 1 else 0)
    rows = [(gauge, _short_name(gauge), _figures(gauge), _rule_and_state(gauge)) for gauge in limits]
    # All bars begin in one column; a name gives way before a figure does.
    behind = max((len(figures) + len(rule) for _, _, figures, rule in rows), default=0)
    longest = max((len(name) for _, name, _, _ in rows), default=0)
    column = max(min(longest, room - BAR_WIDTH - 2 - behind), LEAST_NAME)
    cells = [_short_bar(gauge, f"{_cut(name, column):<{column}} ", *behind_it) for gauge, name, *behind_it in rows]
    for start in range(0, len(cells), max(columns, 1)):
        grid.add_row(*cells[start : start + columns])
    return [grid] if cells else []


def _short_name(gauge: Row) -> str:
    root, name = root_of_contract(gauge["contract"]), str(gauge["name"]).partition(",")[0]
    return name if not root or root in name else f"{root} {name}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _rule_and_state(gauge: Row) -> str:
    """What stands behind the figures: the rule, and its state unless all is well."""
    state = f" {gauge['state']}" if gauge["state"] != OK else ""
    return f" {gauge['rule'].removeprefix('RULE-')}{state}"


def _short_bar(gauge: Row, name: str, figures: str, rule: str) -> Text:
    state, weak, colour = gauge["state"], gauge["state"] not in STATE_STYLES, _style(gauge)
    text = Text(name, "dim")
    if gauge["used"] is None:
        text.append(figures or "no measure", colour if state != OK else "")
    else:
        append_bar(text, gauge["used"], colour)
        text.append(f" {figures}", "" if weak or state == OK else colour)
    return text.append(rule, "dim")


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
