"""The trader's commands on a command line, asked of an engine in another thread or of none."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from riskcore.core import events as e
from riskcore.schema.instants import instant_ns
from riskcore.store.journal import Journal
from riskcore.store.lease import ProfileLock
from riskcore.store.recorder import lock_path
from tests.adapters.web.serving import serving
from tests.cli.sources import Sources
from tests.core.ledger import ACCOUNT as DESK_ACCOUNT
from tests.engine.answering_desk import AnsweringDesk, SmallMarket

PROFILE = "combine"
Row = dict[str, Any]


@contextmanager
def running(sources: Sources, desk: AnsweringDesk) -> Iterator[AnsweringDesk]:
    """An engine that answers for the store's profile while the block runs."""
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(desk, SmallMarket(), str(sources.store), PROFILE):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    lock = ProfileLock(lock_path(str(sources.store), PROFILE), PROFILE)
    thread.start()
    try:
        assert ready.wait(10)
        yield desk
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()
        lock.release()


def told(sources: Sources, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    code = run([*words, "--store", str(sources.store)])
    said = capfd.readouterr()
    return code, (said.out + said.err).strip()


def test_an_order_from_the_command_line(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with running(sources, AnsweringDesk()) as desk:
        code, text = told(sources, capfd, "order", "place", "MNQ", "buy", "2", "--limit-price", "20990.1")
        assert code == 0
        assert text.splitlines() == [
            "order placed: buy 2 CON.F.US.MNQ.Z26 limit at 20990 (order 77) on PRAC-1",
            "  limit price 20990.1 was rounded down to 20990: the tick is 0.25",
        ]
        code, text = told(
            sources, capfd, "order", "place", "MNQ", "sell", "1", "--stop-loss", "40", "--take-profit", "80", "--json"
        )
        assert (code, json.loads(text)["take_profit_ticks"]) == (0, -80)
        assert [one.kind for one in desk.planned] == ["placeOrder", "placeOrder"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("close", "MNQ"), "closeContract"),
        (("order", "close", "MNQ", "--size", "1"), "partialCloseContract"),
        (("cancel", "9"), "cancelOrder"),
        (("order", "cancel", "9"), "cancelOrder"),
        (("modify-stop", "MNQ", "20950.30"), "modifyOrder"),
        (("order", "modify-stop", "MNQ", "20950.30", "--order", "9"), "modifyOrder"),
        (("modify-target", "MNQ", "21100"), "modifyOrder"),
        (("order", "modify-target", "MNQ", "21100", "--size", "1"), "modifyOrder"),
    ],
)
def test_every_command_stands_alone_and_in_its_group(
    sources: Sources, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], kind: str
) -> None:
    desk = AnsweringDesk()
    desk.push("MNQ", 2, "21000").order(9, "MNQ", -2, type=4, stop="20900").order(10, "MNQ", -2, type=1, limit="21050")
    with running(sources, desk):
        code, text = told(sources, capfd, *words)
    assert code == 0, text
    assert [one.kind for one in desk.planned] == [kind]


@pytest.mark.parametrize(
    ("answer", "code", "first"),
    [
        (lambda request: e.RequestRefused(DESK_ACCOUNT, request, "no funds"), 1, "refused by the broker: buy 1"),
        (lambda request: e.RequestUnresolved(DESK_ACCOUNT, request, "timeout"), 1, "unresolved: buy 1"),
    ],
)
def test_what_did_not_work_is_exit_code_one(
    sources: Sources, capfd: pytest.CaptureFixture[str], answer: Any, code: int, first: str
) -> None:
    desk = AnsweringDesk()
    desk.answer = answer
    with running(sources, desk):
        found, text = told(sources, capfd, "order", "place", "MNQ", "buy", "1")
    assert found == code
    assert text.startswith(first)


def test_a_declined_order_names_the_rule_and_a_lost_broker_is_exit_code_five(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(sources, AnsweringDesk(max_contracts={"limit": 1})) as desk:
        code, text = told(sources, capfd, "order", "place", "MNQ", "buy", "2")
        assert (code, text) == (
            1,
            "declined, nothing was sent: RULE-001 declines it: it would make 2 contracts, the limit is 1",
        )
        desk.take(e.ConnectionChanged("user", "lost"), "c")
        code, text = told(sources, capfd, "order", "place", "MNQ", "buy", "1")
        assert code == 5


@pytest.mark.parametrize(
    "words",
    [
        ("order", "place", "MNQ", "up", "1"),
        ("order", "place", "MNQ", "buy", "0"),
        ("order", "place", "MNQ", "buy", "1", "--stop-loss", "0"),
        ("order", "place", "XYZ", "buy", "1"),
        ("cancel", "first"),
        ("unlock",),
        ("lock", "soon"),
        ("close", "MNQ", "--account", "OTHER"),
    ],
)
def test_what_makes_no_sense_is_exit_code_two(
    sources: Sources, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    with running(sources, AnsweringDesk()) as desk:
        code, text = told(sources, capfd, *words)
    assert code == 2
    assert text.startswith("error: ")
    assert desk.planned == []


def test_price_and_health(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with running(sources, AnsweringDesk()):
        assert told(sources, capfd, "price", "mnq") == (
            0,
            "MNQ (CON.F.US.MNQ.Z26): last 21000, bid 21000, ask 21000, 0.0 s old",
        )
        assert told(sources, capfd, "health") == (0, "health 93 of 100\n  nothing is wrong")


def test_a_lock_asked_of_the_engine(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with running(sources, AnsweringDesk(profile={"operator_unlock": "with_reason"})):
        code, text = told(sources, capfd, "lock", "30m", "--reason", "tired")
        assert (code, text) == (0, "PRAC-1: locked until 2026-11-20 08:30:00\n\nTimes are in America/Chicago.")
        assert "a lockout is never shortened" in told(sources, capfd, "lock", "15m")[1]
        code, text = told(sources, capfd, "unlock", "--reason", "mistyped")
        assert (code, text) == (0, "PRAC-1: account/OPERATOR/personal ended; no other lockout is in force")


# ---- without an engine -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [("order", "place", "MNQ", "buy", "1"), ("close", "MNQ"), ("price", "MNQ"), ("health",), ("cancel", "1")]
)
def test_what_needs_an_engine_names_the_command_that_starts_one(
    sources: Sources, capfd: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    code, text = told(sources, capfd, *words)
    assert code == 2
    assert len(text.splitlines()) == 1
    assert text.endswith("start one with: riskcore live")


def test_a_portfolio_of_the_journal_says_that_it_is_old(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = told(sources, capfd, "portfolio")
    assert code == 0
    assert text.startswith("no engine is running: this is what the journal knew last")
    assert "net -603.48" in text
    code, text = told(sources, capfd, "portfolio", "--json")
    assert json.loads(text)["running"] is False
    assert told(sources, capfd, "portfolio", "--account", "OTHER")[0] == 2


def at(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("riskcore.engine.clock.SystemClock.now", lambda clock: instant_ns(f"{text}.000000000Z"))


def bodies(store: Path) -> list[e.Body]:
    with Journal.open(store, PROFILE) as journal:
        return [event.body for day in journal.streams() for _, event, _ in journal.read(day)]


def test_a_lock_without_an_engine_stands_in_the_journal(
    sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2026-11-23T15:30:00")
    code, text = told(sources, capfd, "lock", "2h", "--reason", "lunch")
    assert code == 0
    assert "locked until 2026-11-23 11:30:00\n" in text
    assert "enforced as soon as riskcore live runs" in text
    found = bodies(sources.store)
    assert any(isinstance(body, e.LockRequested) and body.reason == "lunch" for body in found)
    assert not any(isinstance(body, e.RequestPlanned) for body in found), "nobody is there to carry it out"
    assert run(["verify", "--store", str(sources.store), "--quiet"]) == 0
    at(monkeypatch, "2026-11-23T15:31:00")
    code, text = told(sources, capfd, "unlock", "--reason", "mistyped", "--lockout", "OPERATOR")
    assert code == 1
    assert 'operator_unlock = "never"' in text
    assert not any(isinstance(body, e.OperatorOverride) for body in bodies(sources.store))


def test_an_unlock_without_an_engine_follows_the_settings_of_the_day(
    sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = sources.folder / "riskcore.toml"
    written = config.read_text(encoding="utf-8").replace("[profile]", '[profile]\noperator_unlock = "with_reason"', 1)
    assert "with_reason" in written
    config.write_text(written, encoding="utf-8")
    store = Sources(sources.folder, sources.wire, sources.export, sources.folder / "other.db")
    assert run(["replay", str(sources.wire), "--store", str(store.store), "--quiet"]) == 0
    capfd.readouterr()
    at(monkeypatch, "2026-11-23T15:30:00")
    code, text = told(store, capfd, "unlock", "--reason", "a data error", "--lockout", "RULE-003")
    assert code == 0, text
    assert "account/RULE-003/day ended" in text
    assert any(isinstance(body, e.OperatorOverride) for body in bodies(store.store))
    assert run(["verify", "--store", str(store.store), "--quiet"]) == 0


def test_a_lock_while_another_process_holds_the_profile_is_exit_code_four(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = ProfileLock(lock_path(str(sources.store), PROFILE), PROFILE)
    try:
        assert told(sources, capfd, "lock", "30m")[0] == 4
    finally:
        lock.release()
