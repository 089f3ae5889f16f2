"""What `riskcore live` prints: lines that read well, JSON for programs, and printing that never stops the engine."""

import io
import json
from queue import Queue
from threading import Event
from typing import Any

import pytest

from riskcore.audit.happening_words import is_worth_a_line, line_of, to_milliseconds, words_of
from riskcore.audit.happenings import happenings
from riskcore.cli.live_text import MOST_WAITING, Printer, screen_possible
from riskcore.core.quantities import SECOND_NS
from tests.audit.test_happenings import losing_desk

AT = "2026-11-20T16:00:00.25Z"


def row(kind: str, /, **figures: Any) -> dict[str, Any]:
    return {"at": AT, "type": kind, **figures}


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (
            row("breach", rule="RULE-003", figures={"day_pnl": "-500.10", "loss_limit": "500"}, flags=["stale_mark"]),
            "RULE-003 breached  day_pnl -500.10  loss_limit 500  [stale_mark]",
        ),
        (
            row("breach", rule="RULE-004", contract="MNQ", figures={"unrealized": "-300"}, flags=[]),
            "RULE-004 breached  MNQ  unrealized -300",
        ),
        (row("command", kind="CloseAllPositions", rule="RULE-003"), "CloseAllPositions by RULE-003"),
        (row("command", kind="Alert", level="critical", text="look here"), "Alert (critical): look here"),
        (
            row("request", id="x", kind="partialCloseContract", contract="MNQ", size=2, attempt=3),
            "partialCloseContract 2 MNQ attempt 3",
        ),
        (row("request", id="mine"), "mine"),
        (row("outcome", id="x", outcome="accepted", kind="cancelOrder", order=7), "accepted: cancelOrder order 7"),
        (
            row("outcome", id="x", outcome="refused", kind="closeContract", contract="MNQ", reason="closed"),
            "refused: closeContract MNQ: closed",
        ),
        (row("outcome", outcome="met", command="c", kind="CloseAllPositions"), "met: CloseAllPositions"),
        (row("outcome", outcome="met", command="c", kind="ConfirmFlat"), "stayed flat"),
        (row("outcome", id="o", outcome="declined", reason="locked"), "declined: locked"),
        (
            row(
                "lockout", change="set", scope="account", rule="RULE-003", expires_at="2026-11-20T23:00:00Z", text="why"
            ),
            "locked: account by RULE-003, until 2026-11-20 23:00:00Z: why",
        ),
        (row("lockout", change="set", scope="account", rule="RULE-010"), "locked: account by RULE-010, until released"),
        (row("lockout", change="ended", scope="account", rule="R", ended_by="reset"), "ended: account by R (reset)"),
        (row("connection", hub="user", state="lost"), "the user hub is lost"),
        (row("connection", hub="user", mode="polling"), "the accounts are now seen by polling"),
        (row("drift", contract="MNQ", text="fills say 1, the broker 2"), "MNQ: fills say 1, the broker 2"),
        (row("ready", accounts=[7, 8], enforces=True), "enforcing; accounts 7, 8"),
        (row("ready", accounts=[], enforces=False), "deciding only, sending nothing; accounts none"),
        (row("ready", accounts=[7], enforces=True, rules=2), "enforcing; accounts 7"),
        (row("ready", accounts=[7], enforces=False, rules=0), "recording only, no rule is switched on; accounts 7"),
        (row("settings", now=["rules.a.limit"], at_reset=[]), "edited; from now on: rules.a.limit"),
        (
            row("settings", now=[], at_reset=["a", "b"], policy="next_reset"),
            "edited; from the next reset: a, b (it loosens)",
        ),
        (
            row("settings", now=[], at_reset=["a"], policy="never"),
            "edited; never, as loosen_policy says: a (it loosens)",
        ),
        (
            row("halt", over=False, text="LIMITS DO NOT ACT", reason="disk full", limits_act=False),
            "LIMITS DO NOT ACT: disk full",
        ),
        (
            row("halt", over=True, text="over", limits_act=False, not_stored=3),
            "over: 3 messages were not stored meanwhile; the broker's lists report them again",
        ),
        (row("halt", over=True, text="over", limits_act=True, not_stored=0), "over"),
        (row("halt", text="the disk is full"), "the disk is full"),
        (row("outcome", account=1, what="odd"), "what odd"),
    ],
)
def test_words_of_each_kind(happened: dict[str, Any], words: str) -> None:
    assert words_of(happened) == words


def test_a_line_is_aligned_and_names_the_account() -> None:
    told = line_of(row("halt", account=7, account_name="first", text="stop"))
    assert told == "2026-11-20 16:00:00.250Z  halt        first  stop"
    assert line_of(row("halt", account=7, text="stop")).split()[3] == "7"


def test_times_of_lines_have_three_digits() -> None:
    for at in ("2026-11-20T16:00:00Z", "2026-11-20T16:00:00.000999Z", "2026-11-20T16:00:00.000999999Z"):
        assert to_milliseconds(at) == "2026-11-20 16:00:00.000Z"


def test_people_are_spared_what_another_line_says_better() -> None:
    spared = [
        row("command", kind="SetLockout"),
        row("command", kind="ConfirmFlat"),
        row("request", kind="takeSnapshot"),
        row("outcome", kind="takeSnapshot", outcome="confirmed"),
    ]
    told = [
        row("command", kind="CloseAllPositions"),
        row("request", kind="closeContract"),
        row("outcome", kind="takeSnapshot", outcome="refused"),
        row("outcome", outcome="declined"),
        row("ready"),
    ]
    assert not any(map(is_worth_a_line, spared))
    assert all(map(is_worth_a_line, told))


def printed(
    kind: str = "", /, *, as_json: bool = False, quiet: bool = False, zone: str = "", **figures: Any
) -> list[str]:
    """What a printer writes of an enforcement, or of one happening of the engine."""
    stream = io.StringIO()
    printer = Printer(Stopped(), as_json=as_json, quiet=quiet, stream=stream, zone=zone)
    if kind:
        printer.say(kind, **figures)
    else:
        desk = losing_desk().attempt("close").accept("close").fill("ES", -1, "6000", profit="0").push("ES", 0)
        printer.stored(desk.events, desk.book)
    printer.close()
    return stream.getvalue().splitlines()


class Stopped:
    """A clock that stands at five seconds."""

    def now(self) -> int:
        return 5 * SECOND_NS


def test_every_happening_of_an_enforcement_has_a_line() -> None:
    lines = printed()
    assert [line.split()[2] for line in lines][:3] == ["breach", "lockout", "command"]
    assert any("accepted: closeContract sell 1 CON.F.US.EP.Z26" in line for line in lines)
    assert not any("SetLockout" in line for line in lines)


def test_quiet_keeps_what_nobody_may_miss() -> None:
    assert [line.split()[2] for line in printed(quiet=True)] == ["breach", "lockout"]
    assert printed("halt", quiet=True, over=False, reason="full")
    assert not printed("connection", quiet=True, hub="user", mode="polling")


def test_json_is_one_object_a_line_and_keeps_everything() -> None:
    desk = losing_desk().attempt("close").accept("close").fill("ES", -1, "6000", profit="0").push("ES", 0)
    lines = printed(as_json=True)
    assert [json.loads(line) for line in lines] == happenings(desk.events, desk.book)
    assert any("SetLockout" in line for line in lines)


def test_what_the_engine_says_itself_happens_now() -> None:
    (line,) = printed("ready", as_json=True, accounts=[7], enforces=True)
    assert json.loads(line) == {"at": "1970-01-01T00:00:05Z", "type": "ready", "accounts": [7], "enforces": True}


class Reader(io.StringIO):
    """Reads only when it is let; may go away."""

    def __init__(self, gone: bool = False) -> None:
        super().__init__()
        self.gone = gone
        self.may_read = Event()
        self.seen: Queue[str] = Queue()

    def write(self, text: str) -> int:
        self.may_read.wait(10)
        if self.gone:
            raise BrokenPipeError
        self.seen.put(text)
        return len(text)


def test_lines_are_in_the_zone_that_the_first_one_names_and_json_is_in_utc() -> None:
    first, line = printed("ready", accounts=[], enforces=True, zone="Europe/Berlin")
    assert first == "Times are in Europe/Berlin."
    assert line.startswith("1970-01-01 01:00:05.000  ready")
    (row,) = printed("ready", accounts=[], enforces=True, zone="Europe/Berlin", as_json=True)
    assert json.loads(row)["at"] == "1970-01-01T00:00:05Z"


def test_a_line_is_written_at_once() -> None:
    reader = Reader()
    reader.may_read.set()
    printer = Printer(Stopped(), stream=reader)
    printer.say("halt", text="everything is stored again", over=True)
    assert "everything is stored again" in reader.seen.get(timeout=10)
    printer.close()


def test_a_line_fits_the_terminal_and_stays_whole_for_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert max(map(len, printed(zone="America/Chicago"))) > 60
    monkeypatch.setenv("COLUMNS", "60")
    lines = printed(zone="America/Chicago")
    assert max(map(len, lines)) <= 60
    assert all(line.startswith(("Times are", "20", "19", "  ")) for line in lines), "the rest stands below its line"
    assert max(map(len, printed(as_json=True))) > 60, "JSON is never wrapped"


def test_a_reader_that_pauses_holds_nobody_up_and_then_gets_what_waited() -> None:
    reader = Reader()
    printer = Printer(Stopped(), stream=reader)
    for number in range(MOST_WAITING + 50):
        printer.say("ready", number=number)
    reader.may_read.set()
    assert "number 0" in reader.seen.get(timeout=10)
    printer.close()
    assert MOST_WAITING - 5 <= reader.seen.qsize() + 1 <= MOST_WAITING + 1


def test_a_reader_who_has_gone_stops_the_printing_and_nothing_else() -> None:
    reader = Reader(gone=True)
    reader.may_read.set()
    printer = Printer(Stopped(), stream=reader)
    for _ in range(3):
        printer.say("ready")
    printer.close()
    assert reader.seen.empty()


@pytest.mark.parametrize(("terminal", "kind", "possible"), [(True, "xterm", 1), (True, "dumb", 0), (False, "xterm", 0)])
def test_nobody_draws_on_what_is_no_terminal(
    terminal: bool, kind: str, possible: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert screen_possible() is bool(possible)


def test_a_screen_hears_what_is_only_said_and_reads_the_rest_itself() -> None:
    screen = HeardScreen()
    printer = Printer(Stopped(), screen=screen)  # type: ignore[arg-type]
    desk = losing_desk()
    printer.stored(desk.events, desk.book)
    printer.say("halt", text="stop")
    printer.close()
    assert screen.heard == ["entered", "halt", "left"]


class HeardScreen:
    """A screen that notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __enter__(self) -> None:
        self.heard.append("entered")

    def __exit__(self, *_: object) -> None:
        self.heard.append("left")

    def say(self, row: dict[str, Any]) -> None:
        self.heard.append(row["type"])
