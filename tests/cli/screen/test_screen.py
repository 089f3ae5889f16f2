"""The live screen as text: what a trader sees of an account that is open, closing and locked, at any size."""

import io
from typing import Any

import pytest
from rich.console import Console

from riskcore.audit.happenings import happenings
from riskcore.cli.screen.screen import LiveScreen, render, style_of
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.state import Book
from tests.core.broker import Desk
from tests.core.ledger import nanoseconds

NAME, OTHER = "50KTC-V2-99000001", "50KTC-V2-99000002"
RULES: dict[str, Any] = {
    "daily_realized_loss": {"loss_limit": money("500")},
    "daily_unrealized_loss": {"loss_limit": money("300")},
    "max_contracts": {"limit": 5},
    "trade_frequency_limit": {},
    "daily_realized_profit": {"profit_target": money("1000")},
}


def open_desk() -> Desk:
    """Two accounts, one long 3 MNQ with stop and target, one long 1 ES."""
    desk = Desk(**RULES).at("09:59:00").account(name=NAME, balance="50000")
    desk.account(99000002, name=OTHER, balance="49800.5")
    for hub in ("user", "market"):
        desk.take(e.ConnectionChanged(hub, "connected"), f"connection.{hub}", "gateway")
    desk.tick("09:59:05").snapshot().fill("MNQ", 3, "21000.25").push("MNQ", 3, "21000.25")
    desk.order(7, "MNQ", -3, type=4, stop="20950").order(9, "MNQ", -3, type=1, limit="21100").mark("MNQ", "20985.25")
    return desk.fill("ES", 1, "6000.25", account=99000002).mark("ES", "6002")


def closing_desk() -> Desk:
    desk = open_desk().at("10:00:00").mark("ES", "6002")
    return desk.fill("MNQ", -1, "20700.25", profit="-560", fees="1.48").attempt("close")


def drawn(desk: Desk, width: int = 100, height: int = 30, **options: Any) -> str:
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    told = happenings(desk.events, desk.book)
    console.print(render(desk.book, desk.rulebook, told, {}, nanoseconds(desk.now), **options))
    return console.export_text()


def line_with(text: str, word: str) -> str:
    return next(line for line in text.splitlines() if word in line)


def test_an_open_account_shows_money_bars_positions_and_orders() -> None:
    text = drawn(open_desk(), mode="simulated")
    assert "simulated" in text
    assert "reset in 7:00:55" in text
    assert "Chicago" in text
    assert "balance 50,000.00" in text
    assert "open -90.00" in text
    assert "long       3 MNQZ6 at 21000.25" in text
    assert "mark 20985.25" in text
    assert "sell 3 MNQZ6 stop at 20950" in text
    assert "1 ESZ6 at 6000.25" in text


@pytest.mark.parametrize(
    ("name", "figures"), [("MNQ open loss", "90 / 300 004"), ("contracts", "3 / 5 001"), ("trades today", "1 / 50 006")]
)
def test_bars_grow_with_what_is_used(name: str, figures: str) -> None:
    line = line_with(drawn(open_desk(), width=80, height=50), name)
    assert figures in line
    used, limit = (int(part.split()[0]) for part in figures.split(" / "))
    assert line.count("█") == -(-used * 12 // limit)
    assert line.count("█") + line.count("░") == 12


def test_a_breach_shows_as_closing_with_what_is_enforced_and_in_flight() -> None:
    text = drawn(closing_desk())
    assert "CLOSING" in line_with(text, NAME)
    assert "CloseAllPositions by RULE-003" in text
    assert "closeContract MNQZ6 attempted" in text
    assert "until 17:00:00, 7:00:00 left  RULE-003" in text
    assert "breach" in text


def test_once_flat_the_account_is_locked() -> None:
    desk = closing_desk().push("MNQ", 0)
    desk.order(7, "MNQ", -3, type=4, status=3).order(9, "MNQ", -3, status=3)
    text = drawn(desk)
    assert "LOCKED" in line_with(text, NAME)
    assert "LOCKED" not in line_with(text, OTHER)
    assert "flat" in text


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (60, 20), (200, 50)])
def test_it_fits_the_terminal_whatever_its_size(width: int, height: int) -> None:
    lines = drawn(closing_desk(), width, height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("CloseAllPositions" in line for line in lines)


def test_happenings_fill_what_is_left_and_the_newest_is_last() -> None:
    desk = open_desk()
    rows = [{"at": "2026-11-20T16:00:00Z", "type": "drift", "text": f"number {n}"} for n in range(60)]
    console = Console(width=100, height=40, record=True, file=io.StringIO())
    console.print(render(desk.book, desk.rulebook, rows, {}, nanoseconds(desk.now)))
    lines = console.export_text().splitlines()
    assert len(lines) in (39, 40)
    assert "number 59" in lines[-1]
    assert "10:00:00" in lines[-1]


def test_connections_show_as_given_else_as_recorded() -> None:
    desk = open_desk().take(e.ConnectionChanged("user", "lost"), "connection.user", "gateway")
    assert "user hub lost" in drawn(desk)
    console = Console(width=100, height=30, record=True, file=io.StringIO())
    console.print(render(desk.book, desk.rulebook, [], {"user": "connected", "market": "stale"}, desk.book.now))
    text = console.export_text()
    assert "user hub lost" not in text
    assert "market hub stale" in text


def test_blind_rules_and_stale_marks_are_said() -> None:
    text = drawn(open_desk().later(30))
    assert "20985.25 stale" in text
    assert "RULE-004: no fresh mark of MNQZ6" in text


def test_before_anything_was_recorded_there_is_a_screen_too() -> None:
    console = Console(width=100, height=30, record=True, file=io.StringIO())
    desk = open_desk()
    console.print(render(Book(), desk.rulebook, [], {}, 0))
    assert "nothing was recorded yet" in console.export_text()


def test_colours_tell_kinds_apart_and_none_is_used_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = closing_desk()
    told = happenings(desk.events, desk.book)
    outputs = {}
    for name, environment, options in (
        ("coloured", {}, {"force_terminal": True, "color_system": "standard"}),
        ("unwanted", {"NO_COLOR": "1"}, {"force_terminal": True}),
        ("piped", {}, {}),
    ):
        file = io.StringIO()
        console = Console(width=100, height=30, file=file, _environ=environment, **options)
        console.print(render(desk.book, desk.rulebook, told, {}, nanoseconds(desk.now)))
        outputs[name] = file.getvalue()
    assert "\x1b[1;31m" in outputs["coloured"]
    assert "\x1b[1;31m" not in outputs["unwanted"]
    assert "\x1b[" not in outputs["piped"]


def test_what_went_wrong_is_red() -> None:
    assert style_of({"type": "outcome", "outcome": "refused"}) == "red"
    assert style_of({"type": "outcome", "outcome": "accepted"}) == "green"
    assert style_of({"type": "connection", "state": "lost"}) == "red"
    assert style_of({"type": "connection", "state": "connected"}) == "blue"
    assert style_of({"type": "command", "kind": "Alert", "level": "critical"}) == "red"
    assert style_of({"type": "command", "kind": "Alert", "level": "warning"}) == "yellow"
    assert style_of({"type": "something new"}) == ""


def test_the_screen_draws_states_and_leaves_the_last_picture() -> None:
    desk = closing_desk()
    file = io.StringIO()
    console = Console(width=100, height=30, file=file, force_terminal=True)
    with LiveScreen(mode="simulated", console=console) as screen:
        screen.tell(happenings(desk.events, desk.book))
        screen.refresh_soon(Book(), 1)
        screen.refresh_soon(desk.book, nanoseconds(desk.now))
    last_picture = file.getvalue().rpartition("\x1b[?1049l")[2]
    assert NAME in last_picture
    assert "CLOSING" in last_picture


def test_many_states_a_second_are_drawn_few_times() -> None:
    desk = open_desk()
    now = nanoseconds(desk.now)
    screen = LiveScreen(console=Console(file=io.StringIO()))
    screen.refresh_soon(desk.book, now)
    first = screen._picture
    screen.refresh_soon(desk.book, now + SECOND_NS // 10)
    assert screen._picture is first
    screen.refresh_soon(desk.book, now + SECOND_NS // 2)
    assert screen._picture is first  # Nothing happened, and no price moved.
    screen.refresh_soon(desk.book, now + SECOND_NS)
    second = screen._picture
    assert second is not first
    screen.refresh_soon(desk.mark("MNQ", "20900").book, now + SECOND_NS * 5 // 4)
    third = screen._picture
    assert third is not second
    screen.tell([{"type": "drift", "at": "2026-11-20T16:00:00Z", "text": "news"}])
    screen.refresh_soon(desk.book, now + SECOND_NS * 3 // 2)
    assert screen._picture is not third
