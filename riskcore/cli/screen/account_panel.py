"""One account on the screen: money, bars towards its limits, positions, orders, and what is in force."""

from decimal import Decimal
from typing import Any

from rich.box import ROUNDED
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from riskcore.cli.screen.binding import lock_words
from riskcore.cli.screen.gauges import gauge_bars
from riskcore.cli.screen.picture import Picture
from riskcore.cli.screen.words import counted, dollars, duration, short_contracts
from riskcore.core.kinds import CLOSES
from riskcore.core.names import ACCOUNT
from riskcore.core.rules.base import PROFIT

Row = dict[str, Any]
EVERY_GAUGE = 1000
MOST_ROWS = 6  # Positions, and orders, shown one by one.
BORDER = 4  # Columns that the frame and its padding take.
TWO_COLUMNS = 84  # Width from which the bars stand side by side.
_UNSURE = {"stale_mark": "stale mark", "incomplete_marks": "a position without mark", "from_bars": "from bars"}


class AccountPanel:
    """Draws one row of `audit.status.account_row`: `gauges` of its limits, those that bind most.

    `compact` leaves out the orders.
    """

    def __init__(self, row: Row, picture: Picture, compact: bool = False, gauges: int = EVERY_GAUGE) -> None:
        self.row = row
        self.picture = picture
        self.compact = compact
        self.gauges = gauges

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        grid = Table.grid(expand=True)
        grid.add_column(ratio=1)
        for part in self._parts(options.max_width):
            grid.add_row(part)
        yield Panel(
            grid, box=ROUNDED, title=self._title(), title_align="left", border_style=self._border(), padding=(0, 1)
        )

    def _title(self) -> Text:
        row = self.row
        name = Text(f"{row['name'] or row['id']}", "bold")
        if row["name"]:
            name.append(f" {row['id']}", "dim")
        if self._state():
            name.append("  ").append(f" {self._state()} ", "bold white on red")
        if row["can_trade"] is False:
            name.append("  the broker allows no trading", "red")
        return name

    def _border(self) -> str:
        row = self.row
        if row["lockouts"] or row["obligations"]:
            return "red"
        near = any(gauge["state"] in ("breached", "near", "warn") for gauge in _warning(row["limits"]))
        return "yellow" if near or row["blind"] or row["unseeded"] else "green"

    def _state(self) -> str:
        row = self.row
        if any(one["kind"] in CLOSES for one in row["obligations"]):
            return "CLOSING"
        whole = [one for one in row["lockouts"] if one["scope"] == ACCOUNT]
        if whole:
            return "LOCKED"
        return "LOCKED IN PART" if row["lockouts"] else ""

    def _parts(self, width: int) -> list[RenderableType]:
        row = self.row
        parts: list[RenderableType] = [self._money()]
        parts += gauge_bars(row["limits"], 2 if width >= TWO_COLUMNS else 1, self.gauges, width - BORDER)
        if not self.compact:
            parts += [_room(one) for one in row.get("safe_size", ())[:MOST_ROWS]]
        parts += [_position(one) for one in row["positions"][:MOST_ROWS]]
        parts += _more(row["positions"], "positions")
        if not row["positions"] and not self.compact:
            parts.append(Text("flat", "dim"))
        if not self.compact:
            parts += [_order(one) for one in row["orders"][:MOST_ROWS]]
            parts += _more(row["orders"], "working orders")
        parts += [self._lockout(one) for one in row["lockouts"]]
        parts += [_obligation(one) for one in row["obligations"] if one["kind"] != "ConfirmFlat"]
        sent = [one for one in row["requests"] if one["kind"] != "takeSnapshot"]
        if sent:
            parts.append(_requests(sent))
        if row["blind"]:
            parts.append(_blind(row["blind"]))
        if row["unseeded"]:
            waiting = _line("unseeded", "yellow")
            waiting.append(f"{', '.join(row['unseeded'])}: the fills of the day are still to be listed")
            parts.append(waiting)
        return parts

    def _money(self) -> Text:
        row = self.row
        text = Text()
        text.append("balance ", "dim")
        text.append(dollars(row["balance"]))
        for name, field in (("realised", "realized"), ("open", "unrealized"), ("day", "day_pnl")):
            text.append(f"  {name} ", "dim")
            text.append(
                dollars(row[field]), f"bold {_colour(row[field])}" if field == "day_pnl" else _colour(row[field])
            )
        text.append(f" {row['pnl_basis']}", "dim")
        day = row["day"]
        text.append(f"  {counted(day['fills'], 'fill')}, {counted(day['round_trips'], 'round trip')}", "dim")
        for flag in row["unrealized_flags"]:
            text.append(f"  {_UNSURE.get(flag, flag)}", "yellow")
        return text

    def _lockout(self, row: Row) -> Text:
        text = _line("locked", "magenta")
        text.append(lock_words(row, self.picture), "bold magenta")
        text.append(f": {self.picture.local(row['reason'])}", "magenta")
        return text


def _warning(limits: list[Row]) -> list[Row]:
    """The limits that hurt when they are reached; a profit target does not."""
    return [gauge for gauge in limits if gauge["kind"] != PROFIT]


def _position(row: Row) -> Text:
    text = _line(row["side"], "bold")
    text.append(f"{row['size']} {short_contracts(row['contract'])} at {row['average_price']}")
    text.append(f"   mark {row['mark'] or 'unknown'}", "yellow" if row["stale"] else "dim")
    if row["stale"]:
        text.append(" stale", "yellow")
    if row["unrealized"] is not None:
        text.append("   open ", "dim")
        text.append(dollars(row["unrealized"]), _colour(row["unrealized"]))
    return text


def _room(row: Row) -> Text:
    text = _line("safe size", "dim")
    text.append(f"{short_contracts(row['contract'])}  {row['text']}", "red" if row["size"] == 0 else "")
    return text


def _order(row: Row) -> Text:
    text = _line("order", "dim")
    prices = " ".join(price for price in (row["stop_price"], row["limit_price"]) if price is not None)
    at = f" at {prices}" if prices else ""
    text.append(f"{row['side']} {row['size']} {short_contracts(row['contract'])} {row['type']}{at}")
    text.append(f"  {row['status']}" if row["status"] != "open" else "", "dim")
    return text


def _obligation(row: Row) -> Text:
    text = _line("enforcing", "red")
    about = f" {short_contracts(row['contract'])}" if row["contract"] else ""
    text.append(f"{row['kind']}{about} by {row['rule']}", "bold red")
    text.append(f"  for {duration(row['unmet_seconds'])}", "red")
    if row["failures"]:
        text.append(f"  {row['failures']} failures in a row", "bold red")
    return text


def _requests(rows: list[Row]) -> Text:
    text = _line("in flight", "cyan")
    told = []
    for row in rows:
        about = short_contracts(row["contract"]) if row["contract"] else ""
        about = about if row["order"] is None else f"order {row['order']}"
        again = f" (attempt {row['attempt']})" if row["attempt"] > 1 else ""
        told.append(f"{row['kind']} {about} {row['state']}{again}".replace("  ", " "))
    text.append(", ".join(told), "cyan")
    return text


def _blind(rows: list[Row]) -> Text:
    text = _line("blind", "yellow")
    rules = ", ".join(dict.fromkeys(row["rule"] for row in rows))
    text.append(f"{rules}: {short_contracts(rows[0]['reason'])}", "yellow")
    return text


def _line(label: str, style: str) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{label:<10} ", style)
    return text


def _more(rows: list[Row], what: str) -> list[RenderableType]:
    return [Text(f"and {len(rows) - MOST_ROWS} more {what}", "dim")] if len(rows) > MOST_ROWS else []


def _colour(text: str) -> str:
    amount = Decimal(text)
    return "red" if amount < 0 else ("green" if amount > 0 else "")
