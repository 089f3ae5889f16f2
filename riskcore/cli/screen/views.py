"""The views behind the number keys, but for the overview and the limits: each a list of what is drawn below another."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from riskcore.audit.happening_words import command_words, words_of
from riskcore.cli.calendar_command import calendar_text
from riskcore.cli.desk_text import health_text
from riskcore.cli.screen import picture as names
from riskcore.cli.screen.binding import allowed_here, lock_words, seconds_to
from riskcore.cli.screen.chart import Line, Point, chart
from riskcore.cli.screen.gauges import WIDE, limits_view
from riskcore.cli.screen.picture import Picture
from riskcore.cli.screen.words import counted, dollars, duration, short_contracts
from riskcore.cli.sent_text import after_words, request_lines
from riskcore.core.rules.base import PROFIT
from riskcore.schema.instants import read_instant

Row = dict[str, Any]
View = Callable[[Picture, int], list[RenderableType]]
CHART_HEIGHT = 10
MOST_FILLS = 50  # And commands, that are listed: the newest.
_STATES = {"connected": "green", "stale": "yellow"}
_READING = Text("reading the events of the day ...", "dim")


def pnl_view(picture: Picture, width: int) -> list[RenderableType]:
    """The curve of each account with its limits, then its figures and fills."""
    parts: list[RenderableType] = []
    fills = picture.recorded.get(names.PNL)
    for account in picture.accounts:
        parts.append(_heading(_name(account)))
        if fills is None:
            parts.append(_READING)
            continue
        own = [one for one in fills if one["account"] == account["id"]]
        points = _curve(account, own, picture)
        parts.append(chart(points, _chart_lines(account), width, CHART_HEIGHT, picture.clock))
        day = account["day"]
        text = Text(
            f"now {dollars(account['day_pnl'])} ({account['pnl_basis']}): realised {dollars(account['realized'])}"
        )
        text.append(f", open {dollars(account['unrealized'])}; closed trades alone at worst ")
        text.append(f"{dollars(day['worst_running_net'])}, at best {dollars(day['best_running_net'])}")
        parts += [text, _fills(own, picture, width)]
    return parts


def _curve(account: Row, fills: Sequence[Row], picture: Picture) -> list[Point]:
    """What the fills make, net of fees or not as the limits count it, and at last what the account stands at."""
    total, points = Decimal(0), []
    costs = ("fees", "commissions") if account["pnl_basis"] == "net" else ()
    for one in fills:
        if not one["voided"]:
            total += Decimal(one["pnl"] or 0) - sum((Decimal(one[cost] or 0) for cost in costs), Decimal(0))
            points.append((read_instant(one["at"]), total))
    return [*points, (picture.now, Decimal(account["day_pnl"]))]


def _chart_lines(account: Row) -> list[Line]:
    """Where the day's P&L reaches what moves with it: limits of the day's result, and floors of the equity."""
    results = {Decimal(account[name]) for name in ("realized", "day_pnl")}
    equities: set[Decimal] = set()
    if account["balance"] is not None:
        equities = {Decimal(account["balance"]), Decimal(account["balance"]) + Decimal(account["unrealized"])}
    lines: dict[Decimal, str] = {}
    for gauge in account["limits"]:
        if gauge["unit"] != "$" or gauge["limit"] is None or gauge["now"] is None or gauge["contract"]:
            continue
        now, limit = Decimal(gauge["now"]), Decimal(gauge["limit"])
        if now in results:
            limit = limit if gauge["kind"] == PROFIT else -limit
        elif now not in equities:
            continue
        lines.setdefault(Decimal(account["day_pnl"]) + limit - now, f"{gauge['rule']} {gauge['name']}")
    return list(lines.items())


def _fills(rows: Sequence[Row], picture: Picture, width: int) -> RenderableType:
    heads = ("time", "side", "size", "contract", "price", "P&L", "fees", "by")
    found = []
    for one in reversed(rows[-MOST_FILLS:]):
        pnl = "opens" if one["pnl"] is None else dollars(one["pnl"])
        costs = str(sum((Decimal(one[name] or 0) for name in ("fees", "commissions")), Decimal(0)))
        side = f"{one['side']}, voided" if one["voided"] else one["side"]
        contract = short_contracts(one["contract"])
        cells = (picture.local(one["at"]), side, one["size"], contract, one["price"], pnl, dollars(costs), one["by"])
        found.append(cells)
    return _table(heads, found, "no fill today", () if width >= WIDE else ("fees", "by"))


def positions_view(picture: Picture, width: int) -> list[RenderableType]:
    """What is held, then what works."""
    narrow = () if width >= WIDE else ("opened", "by", "id")
    parts: list[RenderableType] = []
    for account in picture.accounts:
        parts.append(_heading(_name(account)))
        heads = ("side", "size", "contract", "average", "mark", "open P&L", "opened")
        rows = [
            (
                *(one[name] for name in ("side", "size")),
                short_contracts(one["contract"]),
                one["average_price"] or "unknown",
                f"{one['mark'] or 'unknown'}{' stale' if one['stale'] else ''}",
                dollars(one["unrealized"]),
                picture.local(one["opened_at"] or ""),
            )
            for one in account["positions"]
        ]
        parts.append(_table(heads, rows, "flat", narrow))
        columns = ("order", "size", "contract", "type", "price", "status", "by", "id")
        orders = [
            (
                *(one[name] or "unknown" for name in ("side", "size")),
                short_contracts(one["contract"] or "unknown"),
                one["type"],
                " ".join(one[name] for name in ("stop_price", "limit_price") if one[name] is not None),
                f"{one['status']}{', ' + str(one['filled']) + ' filled' if one['filled'] else ''}",
                *(one[name] for name in ("by", "id")),
            )
            for one in account["orders"]
        ]
        parts.append(_table(columns, orders, "no working order", narrow))
    return parts


def connections_view(picture: Picture, width: int) -> list[RenderableType]:
    """The hubs, when each account was last seen in full, and the engine's own health."""
    assert picture.status is not None
    rows = [
        (one["hub"], _coloured(one["state"]), picture.local(one["since"] or ""), duration(one["seconds"]))
        for one in picture.status["connections"]
    ]
    parts: list[RenderableType] = [_table(("hub", "state", "since", "for"), rows, "no connection was recorded yet")]
    for account in picture.accounts:
        seen = account["reconciled_at"]
        told = f"seen in full at {picture.local(seen)}" if seen else "not seen in full yet"
        parts.append(Text(f"{_name(account)}: {told}"))
    health = picture.recorded.get(names.CONNECTIONS)
    parts += [Text(), Text(picture.local(health_text(health)) if health else "health: no engine answers")]
    return parts


def _coloured(state: str) -> Text:
    return Text(state, _STATES.get(state, "red"))


def calendar_view(picture: Picture, width: int) -> list[RenderableType]:
    """What comes next, counted down, then the days."""
    result = picture.recorded.get(names.CALENDAR)
    if result is None:
        return [_READING]
    parts: list[RenderableType] = []
    day = next((one for one in result["days"] if one["deadlines"]), None)
    coming: list[tuple[str, str]] = []
    if day is not None:
        names_of = {"last_entry": "last entry", "flatten": "flatten", "flat_by": "flat by"}
        coming = [(what, day["deadlines"][0][name]["utc"]) for name, what in names_of.items()]
        coming.append(("reset", day["reset"]["utc"]))
    told = [f"{what} in {duration(seconds_to(at, picture.now))}" for what, at in coming if seconds_to(at, picture.now)]
    if told:
        parts += [Text(", ".join(told), "bold"), Text()]
    return parts + _hanging(calendar_text(result).splitlines())


def lockouts_view(picture: Picture, width: int) -> list[RenderableType]:
    """What is in force, with its end and reason, then those of the day."""
    parts: list[RenderableType] = []
    for account in picture.accounts:
        parts.append(_heading(_name(account)))
        for one in account["lockouts"]:
            parts.append(Text(f"locked {lock_words(one, picture)}", "bold red"))
            parts.append(Padding(Text(picture.local(one["reason"])), (0, 0, 0, 2)))
        if not account["lockouts"]:
            parts.append(Text("not locked", "green"))
        parts.append(Padding(Text(allowed_here([account])), (0, 0, 0, 2)))
    history = picture.recorded.get(names.LOCKOUTS)
    parts.append(_heading("this trading day"))
    if history is None:
        return [*parts, _READING]
    rows = [
        (
            picture.local(one["set_at"]),
            picture.local(one["ended_at"]) if one["ended_at"] else "in force",
            one["rule"],
            one["scope"],
            (one["kind"] or "").replace("_", " "),
            one["ended_by"] or "",
            one["account_name"] or one["account"],
        )
        for one in reversed(history)
    ]
    heads = ("set", "ended", "rule", "scope", "kind", "ended by", "account")
    narrow = () if width >= WIDE else ("kind", "account")
    return [*parts, _table(heads, rows, "no lockout", narrow)]


def enforcement_view(picture: Picture, width: int) -> list[RenderableType]:
    """Every breach and what was done about it, the newest first: what, why, how fast."""
    found = picture.recorded.get(names.ENFORCEMENT)
    if found is None:
        return [_READING]
    several = len(picture.accounts) > 1
    parts: list[RenderableType] = []
    commands = [one for one in found["commands"] if one["kind"] != "Alert"]
    told = [(one["at"], "breach", one) for one in found["breaches"]] + [(one["at"], "command", one) for one in commands]
    # The breach of an instant stands above the commands it caused.
    for at, kind, row in sorted(told, key=lambda one: (one[0], one[1] == "breach"), reverse=True)[:MOST_FILLS]:
        who = f"{row['account_name'] or row['account']}  " if several else ""
        if kind == "breach":
            words = words_of({"type": "breach", **row})
            parts += _hanging([picture.local(f"{at}  {who}{short_contracts(words)}")], "bold red")
            continue
        after = f" after {after_words(row['met_after_seconds'])}" if row.get("met_after_seconds") else ""
        outcome = f": {row['outcome'].replace('_', ' ')}{after}" if "outcome" in row else ""
        lines = [f"  {at}  {who}{command_words(row)}{outcome}"]
        lines += [f"    {line}" for line in request_lines(row)]
        style = "yellow" if row.get("outcome") == "not_met" else ""
        parts += _hanging([picture.local(short_contracts(line)) for line in lines], style)
    count = Text(f"{counted(len(found['breaches']), 'breach')}, {counted(len(commands), 'command')} today", "dim")
    return [count, *parts]


def _heading(text: str) -> Text:
    return Text(text, "bold")


def _name(account: Mapping[str, Any]) -> str:
    return str(account["name"] or account["id"])


def _hanging(lines: Sequence[str], style: str = "") -> list[RenderableType]:
    """Lines that keep their indentation where they are wrapped."""
    parts: list[RenderableType] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        parts.append(Padding(Text(line.lstrip(), style), (0, 0, 0, indent)))
    return parts


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], none: str, hidden: Sequence[str] = ()
) -> RenderableType:
    if not rows:
        return Text(none, "dim")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    shown = [at for at, head in enumerate(heads) if head not in hidden]
    for at in shown:
        numbers = heads[at] in ("size", "average", "mark", "open P&L", "price", "P&L", "fees")
        table.add_column(heads[at], justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(row[at] if isinstance(row[at], Text) else str(row[at]) for at in shown))
    return table


# The overview is drawn by the dashboard, which fits it into the height there is.
VIEWS: dict[str, View] = {
    names.PNL: pnl_view,
    names.POSITIONS: positions_view,
    names.LIMITS: limits_view,
    names.CONNECTIONS: connections_view,
    names.CALENDAR: calendar_view,
    names.LOCKOUTS: lockouts_view,
    names.ENFORCEMENT: enforcement_view,
}
