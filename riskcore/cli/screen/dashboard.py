"""A picture fitted into a terminal: what is always in sight at the top, one view below it, the keys at the bottom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from riskcore.audit.happening_words import account_words, is_worth_a_line, words_of
from riskcore.cli.screen.account_panel import EVERY_GAUGE, AccountPanel
from riskcore.cli.screen.binding import binding_lines
from riskcore.cli.screen.controls import FLATTEN, HELP, Controls
from riskcore.cli.screen.gauges import WIDE
from riskcore.cli.screen.picture import OVERVIEW, UNWATCHED, VIEWS, Picture, title_of
from riskcore.cli.screen.views import VIEWS as DRAWN
from riskcore.cli.screen.words import duration, short_contracts

LEAST_HAPPENINGS = 7  # Lines kept for them; panels show fewer gauges and become compact before they get fewer.
# Whether panels are compact, and how many gauges each has: the first that leaves enough room.
DETAIL = ((False, EVERY_GAUGE), (False, 6), (False, 2), (True, 6), (True, 1), (True, 0))
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
_SHORT_NAMES = {"pnl": "P&L", "positions": "positions"}
_ALL_KEYS = 118  # Columns that the keys with all their words take.


@dataclass(slots=True)
class Dashboard:
    """Draws a picture by what the keys have chosen; without `controls` the overview, and no keys are named.

    After it was drawn, `hidden` says how many lines of the view stand below the screen.
    """

    picture: Picture
    controls: Controls | None = None
    hidden: int = field(default=0, init=False)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = options.height or options.max_height
        top = _rendered(console, options, self._top(options.max_width))
        foot = _rendered(console, options, self._foot(options.max_width))
        room = max(height - len(top) - len(foot), 1)
        body = self._body(console, options, room)
        lines = [*top, *body[:room]]
        if foot:
            lines += [[Segment("")]] * max(height - len(lines) - len(foot), 0) + foot
        for number, line in enumerate(lines[:height]):
            if number:
                yield Segment.line()
            yield from line

    # ---- always in sight -----------------------------------------------------------------------------

    def _top(self, width: int) -> list[RenderableType]:
        parts: list[RenderableType] = []
        if self.picture.alarm:
            parts.append(Text(f" {self.picture.alarm} ", STYLES["halt"]))
        parts += [self._header(width), *(Padding(line, (0, 1)) for line in binding_lines(self.picture))]
        return parts

    def _header(self, width: int) -> RenderableType:
        picture, status = self.picture, self.picture.status
        grid = Table.grid(expand=True, padding=(0, 1))
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(justify="right", no_wrap=True)
        left = Text(" riskcore ", "bold reverse")
        left.append(f" {picture.profile or 'no profile'}", "bold")
        left.append(f"  {picture.mode}" if picture.mode else "", "cyan")
        grid.add_row(left, self._connections())
        reset = f"reset in {duration(status['seconds_to_reset'])}" if status is not None else ""
        day = f"trading day {status['trade_date']}, " if status is not None and width >= WIDE else ""
        clock = picture.clock
        now = f" {clock.date(picture.now)} {clock.time(picture.now)} {clock.place}"
        grid.add_row(Text(now, "dim"), Text(f"{day}{reset}", "dim"))
        return grid

    def _connections(self) -> Text:
        text = Text()
        rows = self.picture.status["connections"] if self.picture.status is not None else ()
        if rows and all(row["state"] == UNWATCHED for row in rows):
            return Text("  ● hubs unwatched", "red")
        for row in rows:
            hub, state = row["hub"], row["state"]
            colour = _STATES.get(state, "red")
            text.append("  ● ", colour)
            text.append(*((f"{hub} hub", "") if state == "connected" else (f"{hub} hub {state}", colour)))
        return text

    # ---- the view ------------------------------------------------------------------------------------

    def _body(self, console: Console, options: ConsoleOptions, room: int) -> list[list[Segment]]:
        controls, picture = self.controls, self.picture
        if controls is not None and controls.helps:
            return self._scrolled(_rendered(console, options, _help(controls.running)), room)
        if picture.status is None:
            return []
        if controls is None or controls.view == OVERVIEW:
            return self._overview(console, options, room)
        number = VIEWS.index(controls.view) + 1
        title = Text(f"── {number} {title_of(controls.view)} ".ljust(options.max_width, "─"), "bold", no_wrap=True)
        parts = [Padding(part, (0, 1)) for part in DRAWN[controls.view](picture, options.max_width - 2)]
        head = _rendered(console, options, [title])
        return head + self._scrolled(_rendered(console, options, parts), room - len(head))

    def _scrolled(self, lines: list[list[Segment]], room: int) -> list[list[Segment]]:
        """The lines from the offset on; the last line says how many are below."""
        assert self.controls is not None, "only with keys is anything scrolled"
        self.controls.offset = max(min(self.controls.offset, len(lines) - room), 0)
        lines = lines[self.controls.offset :]
        self.hidden = max(len(lines) - room, 0)
        if not self.hidden:
            return lines
        return [*lines[: room - 1], [Segment(f" … {self.hidden + 1} more lines below: arrow keys or space")]]

    def _overview(self, console: Console, options: ConsoleOptions, room: int) -> list[list[Segment]]:
        least = min(LEAST_HAPPENINGS, 1 + max(sum(map(is_worth_a_line, self.picture.happenings)), 1))
        for compact, gauges in DETAIL:
            panels = [
                AccountPanel(row, self.picture, compact, gauges) for row in self.picture.accounts
            ]  # fmt: skip
            lines = _rendered(console, options, panels)
            if len(lines) + least <= room:
                break
        told = happening_list(self.picture, max(room - len(lines) - 1, 1))
        return lines + _rendered(console, options, [told])

    # ---- the keys ------------------------------------------------------------------------------------

    def _foot(self, width: int) -> list[RenderableType]:
        controls = self.controls
        if controls is None:
            return []
        if controls.question is not None:
            answers = "   ".join(f"[{key}] {words}" for key, words in controls.question.answers)
            return [Text(f" {controls.question.text} ", "bold reverse"), Text(f" {answers}", "bold")]
        notice = [Text(f" {self.picture.local(controls.notice)} ", "reverse")] if controls.notice else []
        return [*notice, _keys(controls, width)]


def _keys(controls: Controls, width: int) -> Text:
    text = Text(" ", "dim", no_wrap=True, overflow="ellipsis")
    if width >= _ALL_KEYS:
        for number, view in enumerate(VIEWS, 1):
            style = "bold reverse" if view == controls.view else ""
            text.append(f"{number} {_SHORT_NAMES.get(view, view)}", style).append(" ")
    else:
        here = f"{VIEWS.index(controls.view) + 1} {_SHORT_NAMES.get(controls.view, controls.view)}"
        text.append(f"1-{len(VIEWS)} views: ").append(here, "bold reverse").append("  ")
    flatten, leave = "f flatten " if controls.running else "", " q quit" if controls.quits else ""
    return text.append(f"{flatten}l lock ? help{leave}")


def _help(running: bool) -> list[RenderableType]:
    grid = Table.grid(padding=(0, 2))
    for key, words in HELP:
        if running or key != FLATTEN:
            grid.add_row(Text(f" {key}", "bold"), words)
    note = "q ends riskcore status --watch; riskcore live goes on guarding until Ctrl-C"
    return [grid, Text(), Text(f" {note}", "dim")]


def happening_list(picture: Picture, room: int) -> RenderableType:
    """The last happenings that fit, the newest at the bottom."""
    shown = [row for row in picture.happenings if is_worth_a_line(row)][-room:]
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    several = len({account_words(row) for row in shown if "account" in row}) > 1
    for row in shown:
        style = style_of(row)
        who = f"{account_words(row)}  " if several and "account" in row else ""
        words = short_contracts(picture.local(words_of(row)))
        table.add_row(f" {picture.clock.time_of(row['at'])}", Text(row["type"], style), Text(who + words, style))
    if not shown:
        table.add_row("", "", Text("nothing happened yet", "dim"))
    return Padding(table, (1, 0, 0, 0))


def style_of(row: Mapping[str, Any]) -> str:
    """The colour of a happening by its kind; what went wrong is red."""
    bad_outcome = row["type"] == "outcome" and row.get("outcome") in _BAD_OUTCOMES
    lost = row["type"] == "connection" and row.get("state", "connected") != "connected"
    critical = row["type"] == "command" and row.get("level") == "critical"
    return "red" if bad_outcome or lost or critical else STYLES.get(row["type"], "")


def _rendered(
    console: Console, options: ConsoleOptions, parts: Sequence[RenderableType]
) -> list[list[Segment]]:  # fmt: skip
    free = options.update(height=None)
    return [line for part in parts for line in console.render_lines(part, free, pad=False)]
