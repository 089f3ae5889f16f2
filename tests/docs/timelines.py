"""The worked timelines of docs/reference/rules: read from the pages and run through the core.

A timeline is the table headed `| time | what happens | figures | riskcore does |` under a ```toml block with its
settings. `figures` are those of the breaches of that row; in a row without one, figures of the account.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from riskcore.core import events as e
from riskcore.core.marks import valuation
from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Order
from riskcore.settings.config import read_settings
from tests.core.ledger import ACCOUNT, CHICAGO, SECOND_NS, Ledger, clock, nanoseconds

HEADER = "| time | what happens | figures | riskcore does |"
_FENCE = re.compile(r"^```toml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TYPES = {"limit": 1, "market": 2, "stop": 4, "trailing": 5}
_STATUSES = {"works": 1, "filled": 2, "cancelled": 3, "rejected": 5, "suspended": 8}
_NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline, its cells as written."""

    line: int
    time: str
    happens: str
    figures: str
    decision: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A table and the settings above it."""

    page: Path
    settings: str
    rows: list[Row]

    def run(self) -> list[Row]:
        """The rows as the core makes them: figures and decisions filled in."""
        plain = read_settings(self.settings).plain
        first = self.rows[0].time
        start = first if "-" in first else f"2026-11-20 {first}"
        day = Ledger(profile=plain["profile"], start=start, **plain["rules"])
        return [_play(day, row) for row in self.rows]


def timelines(page: Path) -> list[Timeline]:
    """Every timeline of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    position = text.find(HEADER)
    while position >= 0:
        settings = [match.group(1) for match in _FENCE.finditer(text[:position])]
        assert settings, f"{page}: a timeline needs a toml block with its settings above it"
        first = text[:position].count("\n") + 3
        rows = []
        for number, line in enumerate(text[position:].splitlines()[2:], start=first):
            if not line.startswith("|"):
                break
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            assert len(cells) == 4, f"{page}:{number}: {len(cells)} cells"
            rows.append(Row(number, *cells))
        assert rows, f"{page}:{first}: an empty timeline"
        found.append(Timeline(page, settings[-1], rows))
        position = text.find(HEADER, position + 1)
    return found


def _play(day: Ledger, row: Row) -> Row:
    """Let the fact of one row happen and say what came of it."""
    known = len(day.events)
    day.at(row.time)
    for phrase, act in _PHRASES:
        match = re.fullmatch(phrase, row.happens)
        if match:
            act(day, **match.groupdict())
            break
    else:
        raise AssertionError(f"line {row.line}: nobody knows how to play {row.happens!r}")
    new = day.events[known:]
    now = nanoseconds(day.now)
    decided = [event for event in new if _words(event) is not None]
    early = [event for event in decided if event.at != now]
    assert not early, f"line {row.line}: {_words(early[0])} came at {clock(early[0].at)}: give it a row of its own"
    breaches = [event.body for event in new if isinstance(event.body, e.RuleBreached)]
    figures = "; ".join(", ".join(f"{name} {value}" for name, value in one.figures.items()) for one in breaches)
    if not breaches:
        figures = ", ".join(_figure(day, name) for name in re.findall(r"[a-z_]+(?= )", row.figures))
    return Row(row.line, row.time, row.happens, figures, "; ".join(filter(None, map(_words, decided))) or _NOTHING)


# ---- what happens ------------------------------------------------------------------------------------


def _fill(day: Ledger, verb: str, size: str, root: str, price: str, rest: str) -> None:
    options: dict[str, Any] = {}
    for option in filter(None, rest.split(", ")):
        name, value = option.split(" ")
        options[{"booking": "profit", "fees": "fees", "order": "order"}[name]] = (
            int(value) if name == "order" else value
        )
    day.fill(root, int(size) if verb == "buys" else -int(size), price, **options)


def _order(day: Ledger, number: str, side: str, size: str, root: str, type: str, price: str, status: str) -> None:
    value = price.strip() or None
    day.order(
        int(number),
        root,
        int(size) if side == "buy" else -int(size),
        type=_TYPES[type],
        status=_STATUSES[status],
        stop=value if type == "stop" else None,
        limit=value if type == "limit" else None,
    )


def _order_again(day: Ledger, number: str, status: str) -> None:
    known: Order = day.book.accounts[ACCOUNT].orders[int(number)]
    body = e.OrderObserved(ACCOUNT, known.id, known.contract, _STATUSES[status], updated_at=nanoseconds(day.now))
    day.take(body, "order")


def _can_trade(day: Ledger, value: str) -> None:
    day.account(can_trade={"true": True, "false": False, "missing": None}[value])


_CONTRACT = r"(?P<root>[A-Z0-9]+|CON\.[A-Z0-9.]+)"
_PHRASES: tuple[tuple[str, Callable[..., Any]], ...] = (
    (rf"(?P<verb>buys|sells) (?P<size>\d+) {_CONTRACT} at (?P<price>[\d.]+)(?P<rest>(?:, [a-z]+ [-\d.]+)*)", _fill),
    (r"a round trip books (?P<profit>[-\d.]+)", lambda day, profit: day.closed(profit)),
    (rf"{_CONTRACT} trades at (?P<value>[\d.]+)", lambda day, root, value: day.mark(root, value)),
    (
        rf"order (?P<number>\d+): (?P<side>buy|sell) (?P<size>\d+) {_CONTRACT} (?P<type>[a-z]+)"
        r"(?P<price> [\d.]+)? (?P<status>[a-z]+)",
        lambda day, price, **rest: _order(day, price=price or "", **rest),
    ),
    (r"order (?P<number>\d+) (?P<status>cancelled|filled|works)", _order_again),
    (r"canTrade (?P<value>true|false|missing)", _can_trade),
    (r"time passes", lambda day: day.tick()),
)


# ---- what came of it ---------------------------------------------------------------------------------


def _figure(day: Ledger, name: str) -> str:
    account = day.book.accounts[ACCOUNT]
    if name == "day_pnl":
        figures = account.days.get(day.book.trade_date)
        return f"day_pnl {money_text(figures.realised_usd('net') if figures else 0)}"
    assert name == "unrealized", f"no figure is called {name}"
    values = [valuation(day.book, position, "last", day.book.now).value for position in account.held()]
    return f"unrealized {money_text(sum(value for value in values if value is not None))}"


def _words(event: e.Event) -> str | None:
    """A derived event in words; None for what the table leaves out."""
    body = event.body
    if isinstance(body, e.RuleBreached):
        return f"**{body.rule}**"
    if isinstance(body, e.LockoutEnded):
        return f"{body.lockout.split('/')[1]}'s lockout ends ({body.ended_by})"
    if isinstance(body, e.CommandIssued):
        return _command_words(body.command, event.at)
    return None


def _command_words(command: e.Command, at: int) -> str:
    parts = [command.kind]
    if command.kind == "Alert":
        return f"Alert: {command.text}"
    if command.contract is not None:
        parts.append(command.contract.removeprefix("CON.F.US."))
    if command.kind in ("SetLockout", "ClearLockout", "CancelOrders") and command.scope is not None:
        parts.append(command.scope)
    if command.to is not None:
        parts.append(f"to {command.to}")
    if command.order_id is not None:
        parts.append(f"order {command.order_id}")
    if command.kind in ("PlaceStop", "ModifyStop") and command.size is not None:
        parts.append(f"size {command.size}")
    if command.price is not None:
        parts.append(f"at {price_text(command.price)}")
    if command.kind == "SetLockout":
        parts.append("until released" if command.expires_at is None else f"until {_until(command.expires_at, at)}")
    return " ".join(parts)


def _until(expires_at: int, at: int) -> str:
    ends = datetime.fromtimestamp(expires_at // SECOND_NS, CHICAGO)
    same_day = ends.date() == datetime.fromtimestamp(at // SECOND_NS, CHICAGO).date()
    return clock(expires_at) if same_day else f"{ends.date()} {clock(expires_at)}"
