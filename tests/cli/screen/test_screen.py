"""The live screen as text: what a trader sees of an account that is open, closing and locked, at any size."""

import io
import re
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from riskcore.audit.following import safe_sizes
from riskcore.audit.happenings import happenings
from riskcore.audit.status import book_row
from riskcore.cli.screen.controls import Controls
from riskcore.cli.screen.dashboard import Dashboard, style_of
from riskcore.cli.screen.picture import LIMITS, Picture
from riskcore.cli.screen.screen import LiveScreen
from riskcore.cli.screen.words import exchange_clock
from riskcore.core import events as e
from riskcore.core.quantities import money
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


def picture_of(desk: Desk, **options: Any) -> Picture:
    now = nanoseconds(desk.now)
    accounts = sorted(desk.book.accounts.values(), key=lambda one: one.id)
    status = book_row(desk.book, desk.rulebook, accounts, now)
    for account, row in zip(accounts, status["accounts"], strict=True):
        row["safe_size"] = safe_sizes(desk.book, desk.rulebook, account)
    fields: dict[str, Any] = {"happenings": happenings(desk.events, desk.book), **options}
    return Picture(desk.book.profile, now=now, clock=exchange_clock(desk.book), status=status, **fields)


def shown(picture: Picture, width: int = 100, height: int = 30, controls: Controls | None = None) -> str:
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(Dashboard(picture, controls))
    return console.export_text()


def drawn(desk: Desk, width: int = 100, height: int = 30, **options: Any) -> str:
    return shown(picture_of(desk, **options), width, height)


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
    line = line_with(drawn(open_desk(), width=80, height=50), f"│ {name}")
    assert figures in line
    used, limit = (int(part.split()[0]) for part in figures.split(" / "))
    assert line.count("█") == -(-used * 12 // limit)
    assert line.count("█") + line.count("░") == 12


@pytest.mark.parametrize("width", [60, 84, 120])
@pytest.mark.parametrize("long", ["a name of a limit that is longer than any column", "day loss"])
def test_all_bars_begin_in_one_column_whatever_their_names(width: int, long: str) -> None:
    picture = picture_of(open_desk())
    for account in picture.accounts:
        account["limits"][-1]["name"] = long
        account["limits"][-1]["rule"] = "A-RULE-OF-MY-OWN-WITH-A-LONG-ID"
    for controls in (Controls(), Controls(view=LIMITS)):
        lines = [line for line in shown(picture, width, 60, controls).splitlines() if "█" in line or "░" in line]
        begins = [[found.start() for found in re.finditer("[█░]+", line)] for line in lines]
        assert len(lines) > 4
        assert {places[0] for places in begins} == {begins[0][0]}
        assert len({places[1] for places in begins if len(places) > 1}) <= 1
        assert {len(bar) for line in lines for bar in re.findall("[█░]+", line)} == {12}


def test_a_breach_shows_as_closing_with_what_is_enforced_and_in_flight() -> None:
    text = drawn(closing_desk())
    assert "CLOSING" in line_with(text, f"─ {NAME}")
    assert "CloseAllPositions by RULE-003" in text
    assert "closeContract MNQZ6 attempted" in text
    assert "by RULE-003 until 17:00:00, 7:00:00 left" in text
    assert "breach" in text


def test_once_flat_the_account_is_locked() -> None:
    desk = closing_desk().push("MNQ", 0)
    desk.order(7, "MNQ", -3, type=4, status=3).order(9, "MNQ", -3, status=3)
    text = drawn(desk)
    assert "LOCKED" in line_with(text, f"─ {NAME}")
    assert "LOCKED" not in line_with(text, f"─ {OTHER}")
    assert "flat" in text


@pytest.mark.parametrize(("width", "height"), [(100, 30), (80, 24), (60, 20), (200, 50)])
def test_it_fits_the_terminal_whatever_its_size(width: int, height: int) -> None:
    lines = drawn(closing_desk(), width, height).splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("CloseAllPositions" in line for line in lines)


def test_happenings_fill_what_is_left_and_the_newest_is_last() -> None:
    rows = [{"at": "2026-11-20T16:00:00Z", "type": "drift", "text": f"number {n}"} for n in range(60)]
    lines = drawn(open_desk(), 100, 40, happenings=rows).splitlines()
    assert len(lines) in (39, 40)
    assert "number 59" in lines[-1]
    assert "10:00:00" in lines[-1]


def test_connections_show_as_recorded() -> None:
    desk = open_desk().take(e.ConnectionChanged("user", "lost"), "connection.user", "gateway")
    text = drawn(desk)
    assert "user hub lost" in text
    assert "market hub" in text
    assert "market hub lost" not in text


def test_blind_rules_and_stale_marks_are_said() -> None:
    text = drawn(open_desk().later(30))
    assert "20985.25 stale" in text
    assert "RULE-004: no fresh mark of MNQZ6" in text


def test_before_anything_was_recorded_there_is_a_screen_too() -> None:
    assert "nothing was recorded yet" in shown(Picture("mine"))


def test_colours_tell_kinds_apart_and_none_is_used_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = closing_desk()
    outputs = {}
    for name, environment, options in (
        ("coloured", {}, {"force_terminal": True, "color_system": "standard"}),
        ("unwanted", {"NO_COLOR": "1"}, {"force_terminal": True}),
        ("piped", {}, {}),
    ):
        file = io.StringIO()
        console = Console(width=100, height=30, file=file, _environ=environment, **options)
        console.print(Dashboard(picture_of(desk)))
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


class Given:
    """A source of pictures that a test gives."""

    def __init__(self, picture: Picture) -> None:
        self.woken = lambda: None
        self.given = picture
        self.asked: list[str] = []

    def changed(self) -> bool:
        return False

    def picture(self, view: str) -> Picture:
        self.asked.append(view)
        return self.given

    def close(self) -> None:
        self.asked.append("close")


def test_the_screen_draws_and_leaves_the_last_picture() -> None:
    file = io.StringIO()
    console = Console(width=100, height=30, file=file, force_terminal=True)
    source = Given(picture_of(closing_desk()))
    with LiveScreen(source, ask=lambda request: "", console=console):
        pass
    last_picture = file.getvalue().rpartition("\x1b[?1049l")[2]
    assert NAME in last_picture
    assert "CLOSING" in last_picture
    assert source.asked[-1] == "close"


def test_what_is_only_said_is_among_the_happenings_and_a_halt_stands_above_all() -> None:
    file = io.StringIO()
    console = Console(width=100, height=30, file=file, force_terminal=True)
    with LiveScreen(Given(picture_of(open_desk())), ask=lambda request: "", console=console) as screen:
        screen.say({"type": "halt", "at": "2026-11-20T16:00:01Z", "text": "LIMITS DO NOT ACT", "reason": "disk full"})
    last_picture = file.getvalue().rpartition("\x1b[?1049l")[2].splitlines()
    assert "LIMITS DO NOT ACT" in last_picture[0]
    assert "disk full" in last_picture[-1]


def test_nothing_of_a_day_that_cannot_be_drawn_looks_up_to_date() -> None:
    file = io.StringIO()
    console = Console(width=100, height=30, file=file, force_terminal=True)
    broken = replace(picture_of(open_desk()), status={"accounts": 7})
    with suppress(TypeError, KeyError), LiveScreen(Given(broken), ask=lambda request: "", console=console):
        end = time.monotonic() + 10
        while "cannot be drawn" not in file.getvalue():
            assert time.monotonic() < end
            time.sleep(0.02)
