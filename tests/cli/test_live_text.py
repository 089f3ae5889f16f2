"""What `riskcore live` prints: lines that read well, JSON for programs, and printing that never stops the engine."""

import io
import json
from typing import Any

import pytest

from riskcore.cli.live_text import LinePrinter, is_worth_a_line, line_of, words_of
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.announce import happenings
from tests.engine.test_announce import losing_desk

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
        (row("connection", text="polling instead of the stream"), "polling instead of the stream"),
        (row("drift", contract="MNQ", text="fills say 1, the broker 2"), "MNQ: fills say 1, the broker 2"),
        (row("ready", accounts=["a", "b"], rules=3), "accounts a, b  rules 3"),
        (row("halt", text="the disk is full"), "the disk is full"),
        (row("outcome", account=1, what="odd"), "what odd"),
    ],
)
def test_words_of_each_kind(happened: dict[str, Any], words: str) -> None:
    assert words_of(happened) == words


def test_a_line_is_aligned_and_names_the_account() -> None:
    told = line_of(row("halt", account=7, account_name="first", text="stop"))
    assert told == "2026-11-20 16:00:00.25Z         halt        first  stop"
    assert line_of(row("halt", account=7, text="stop")).split()[3] == "7"


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


def test_every_happening_of_an_enforcement_has_a_line() -> None:
    desk = losing_desk().attempt("close").accept("close").push("ES", 0)
    stream = io.StringIO()
    printer = LinePrinter(lambda: 0, stream=stream)
    for happened in happenings(desk.events, desk.book):
        printer.show(happened)
    lines = stream.getvalue().splitlines()
    assert [line.split()[2] for line in lines][:3] == ["breach", "lockout", "command"]
    assert any("accepted: closeContract CON.F.US.EP.Z26" in line for line in lines)
    assert not any("SetLockout" in line for line in lines)


def test_json_is_one_object_a_line_and_keeps_everything() -> None:
    desk = losing_desk()
    rows = happenings(desk.events, desk.book)
    stream = io.StringIO()
    printer = LinePrinter(lambda: 0, as_json=True, stream=stream)
    for happened in rows:
        printer.say(happened["type"], **happened)
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == rows
    assert "SetLockout" in stream.getvalue()


def test_what_the_engine_says_itself_happens_now() -> None:
    stream = io.StringIO()
    LinePrinter(lambda: 5 * SECOND_NS, as_json=True, stream=stream).say("ready", accounts=[7])
    assert json.loads(stream.getvalue()) == {"at": "1970-01-01T00:00:05Z", "type": "ready", "accounts": [7]}


def test_a_line_is_flushed_at_once() -> None:
    class Counting(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    stream = Counting()
    LinePrinter(lambda: 0, stream=stream).say("ready")
    assert stream.flushed == 1


def test_a_reader_who_has_gone_stops_the_printing_and_nothing_else() -> None:
    class Gone(io.StringIO):
        tries = 0

        def write(self, text: str) -> int:
            self.tries += 1
            raise BrokenPipeError

    stream = Gone()
    printer = LinePrinter(lambda: 0, stream=stream)
    printer.say("ready")
    printer.say("halt")
    assert stream.tries == 1
