"""The live screen: accounts, limits, what is in force and what happened last, drawn with rich.

`render` is pure and draws from the book alone, so `riskcore live` and `riskcore status --watch` look alike, and a
test can look at the same text a trader sees.
"""

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from riskcore.audit.happening_words import account_words, is_worth_a_line, words_of
from riskcore.audit.status import book_row
from riskcore.cli.screen.account_panel import MOST_GAUGES, AccountPanel
from riskcore.cli.screen.words import CLOSE_SECONDS, Clock, duration, exchange_clock, short_contracts
from riskcore.core.kinds import Hub
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Book

MOST_HAPPENINGS = 200
REFRESH_NS = SECOND_NS // 4
QUIET_REFRESH_NS = SECOND_NS
LEAST_HAPPENINGS = 9  # Lines kept for them; panels show fewer gauges and become compact before they get fewer.
# Whether panels are compact, and how many gauges each has: the first that leaves enough room.
DETAIL = ((False, MOST_GAUGES), (False, 6), (False, 2), (True, 2), (True, 1), (True, 0))
STYLES = {
    "breach": "bold red",
    "command": "yellow",
    "request": "cyan",
    "outcome": "green",
    "lockout": "magenta",
    "connection": "blue",
    "drift": "yellow",
    "settings": "yellow",
    "ready": "bold green",
    "halt": "bold white on red",
}
_BAD_OUTCOMES = ("refused", "unresolved", "declined")
_STATES = {"connected": "green", "stale": "yellow"}


def render(
    book: Book,
    rulebook: Rulebook,
    happenings: Sequence[Mapping[str, Any]],
    connections: Mapping[Hub, str],
    now: int,
    *,
    mode: str = "",
    alarm: str = "",
    safe_sizes: Mapping[int, list[dict[str, Any]]] | None = None,
) -> RenderableType:
    """Everything a trader watches, as of `now`. `mode` is said in the header: simulated, dry run, stopped ...

    `alarm` is said above everything: why the limits do not act. `safe_sizes` are shown where somebody worked them out.
    """
    judged = [account for account in book.accounts.values() if rulebook.judges(account)]
    status = book_row(book, rulebook, sorted(judged, key=lambda one: one.id), now) if book.day is not None else None
    for row in status["accounts"] if status is not None else ():
        row["safe_size"] = (safe_sizes or {}).get(row["id"], [])
    seen: dict[Hub, str] = {**(connections or book.connections)}
    return Dashboard(book.profile, exchange_clock(book), status, list(happenings), seen, now, mode, alarm)


@dataclass(slots=True)
class Dashboard:
    """Fits the text into the height there is: accounts first, happenings in what is left."""

    profile: str
    clock: Clock
    status: dict[str, Any] | None
    happenings: list[Mapping[str, Any]]
    connections: dict[Hub, str]
    now: int
    mode: str
    alarm: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or options.max_height
        for compact, gauges in DETAIL:
            lines = self._lines(console, options, compact, gauges)
            if len(lines) + LEAST_HAPPENINGS <= height:
                break
        room = max(height - len(lines) - 2, 1)
        told = happening_list(self.happenings, self.clock, room)
        lines = lines + console.render_lines(told, options.update(height=None), pad=False)
        for number, line in enumerate(lines[:height]):
            if number:
                yield Segment.line()
            yield from line

    def _lines(self, console: Console, options: ConsoleOptions, compact: bool, gauges: int) -> list[list[Segment]]:
        free = options.update(height=None)
        parts: list[RenderableType] = [Text(f" {self.alarm} ", STYLES["halt"])] if self.alarm else []
        parts.append(self._header())
        if self.status is None:
            parts.append(Text(" nothing was recorded yet", "dim"))
        else:
            parts += [AccountPanel(row, self.clock, compact, gauges) for row in self.status["accounts"]]
        return [line for part in parts for line in console.render_lines(part, free, pad=False)]

    def _header(self) -> RenderableType:
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1, no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        left = Text(" riskcore ", "bold reverse")
        left.append(f"  {self.profile or 'no profile'}", "bold")
        if self.mode:
            left.append(f"  {self.mode}", "cyan")
        grid.add_row(left, self._connections())
        day = self.status["trade_date"] if self.status is not None else ""
        reset = duration(self.status["seconds_to_reset"]) if self.status is not None else ""
        grid.add_row(
            Text(f" {self.clock.date(self.now)} {self.clock.time(self.now)} {self.clock.place}", "dim"),
            Text(f"trading day {day}, reset in {reset}" if day else "", "dim"),
        )
        return grid

    def _connections(self) -> Text:
        text = Text()
        for hub, state in sorted(self.connections.items()):
            colour = _STATES.get(state, "red")
            text.append("  ● ", colour)
            text.append(*((f"{hub} hub", "") if state == "connected" else (f"{hub} hub {state}", colour)))
        return text


def happening_list(happenings: Sequence[Mapping[str, Any]], clock: Clock, room: int) -> RenderableType:
    """The last happenings that fit, the newest at the bottom."""
    shown = [row for row in happenings if is_worth_a_line(row)][-room:]
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    several = len({account_words(row) for row in shown if "account" in row}) > 1
    for row in shown:
        style = style_of(row)
        who = f"{account_words(row)}  " if several and "account" in row else ""
        table.add_row(
            f" {clock.time_of(row['at'])}", Text(row["type"], style), Text(who + short_contracts(words_of(row)), style)
        )
    if not shown:
        table.add_row("", "", Text("nothing happened yet", "dim"))
    return Padding(table, (1, 0, 0, 0))


def style_of(row: Mapping[str, Any]) -> str:
    """The colour of a happening by its kind; what went wrong is red."""
    bad_outcome = row["type"] == "outcome" and row.get("outcome") in _BAD_OUTCOMES
    lost = row["type"] == "connection" and row.get("state", "connected") != "connected"
    critical = row["type"] == "command" and row.get("level") == "critical"
    return "red" if bad_outcome or lost or critical else STYLES.get(row["type"], "")


class LiveScreen:
    """A screen redrawn by a thread of its own, so that a slow terminal holds up nothing.

    A context manager. Happenings are told, states refreshed; the last picture stays when it is closed.
    """

    def __init__(self, *, mode: str = "", console: Console | None = None) -> None:
        self.mode = mode
        self.told: deque[Mapping[str, Any]] = deque(maxlen=MOST_HAPPENINGS)
        # Trying them out takes longer than an engine may lose: only who watches from outside does.
        self.safe_sizes: dict[int, list[dict[str, Any]]] = {}
        self._console = console or Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        self._picture: RenderableType | None = None
        self._wanted = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._draw, name="screen", daemon=True)
        self._drawn_at = 0
        self._news = False  # Something was added since.
        self._alarm = ""
        self._shown: tuple[Book, int] | None = None
        self._prices: Mapping[str, tuple[int | None, ...]] = {}

    def tell(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """What happened, the newest last. During a halt nothing is stored, so that only this draws the screen again."""
        for row in rows:
            self.told.append(row)
            if row["type"] == "halt":
                self._alarm = "" if row.get("over") else str(row.get("text", ""))
        self._news = True
        if self._alarm:
            self._redraw()

    def _redraw(self) -> None:
        if self._shown is not None:
            book, now = self._shown
            self.refresh(book, rulebook_of(book.settings), {}, now)

    def refresh(self, book: Book, rulebook: Rulebook, connections: Mapping[Hub, str], now: int) -> None:
        """Show the state as it is now; what is shown is a copy."""
        self._picture = render(
            book,
            rulebook,
            list(self.told),
            connections,
            now,
            mode=self.mode,
            alarm=self._alarm,
            safe_sizes=self.safe_sizes,
        )
        self._shown = (book, now)
        self._drawn_at, self._news = now, False
        self._wanted.set()

    def refresh_soon(self, book: Book, now: int) -> None:
        """Show a state that changes often, a few times a second, and once a second while only time passes.

        Nothing to show before a day is open. Drawing is what a quiet engine spends most of its time on.
        """
        if book.day is None or now - self._drawn_at < REFRESH_NS:
            return
        prices = {contract: (mark.last, mark.bid, mark.ask) for contract, mark in book.marks.items()}
        if self._news or prices != self._prices or now - self._drawn_at >= QUIET_REFRESH_NS:
            self._prices = prices
            self.refresh(book, rulebook_of(book.settings), {}, now)

    def _draw(self) -> None:
        while not self._closing:
            self._wanted.wait()
            self._wanted.clear()
            if self._picture is not None and not self._closing:
                self._live.update(self._picture, refresh=True)

    def __enter__(self) -> "LiveScreen":
        self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._wanted.set()
        self._thread.join(CLOSE_SECONDS)
        self._live.stop()
        if self._picture is not None:
            self._console.print(self._picture)
