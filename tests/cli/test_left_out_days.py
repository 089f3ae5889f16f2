"""Every reader of recorded days says what the engine left out of them, and names what it cannot judge itself."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from riskcore.core import events as e
from riskcore.core import project
from riskcore.core.quarantine import quarantined_fact
from riskcore.core.runner import Runner
from riskcore.schema.export import ExportWriter, read_export
from riskcore.settings.calendar import day_for
from riskcore.store.journal import Journal
from tests.cli.sources import Sources
from tests.recordings import ACCOUNT

PROFILE = "combine"
MNQ = "CON.F.US.MNQ.Z26"
LOSS = "trade:72002/99000001/RULE-003/day/1"
FACT = "PositionObserved position:poison (KeyError: 'lost')"
TIMER = f"a deadline of RULE-004 for {MNQ} on account {ACCOUNT} (ZeroDivisionError: by zero)"
CLOCK = "ClockTicked clock@poison (OSError)"
CLOSING_FILL = "TradeRecorded trade:72002"


@dataclass(frozen=True)
class Days:
    """The days of `Sources`, the first with a fact and a deadline left out before the loss."""

    export: Path
    store: Path

    @property
    def stored(self) -> tuple[str, ...]:
        return ("--store", str(self.store))


def markers(at: int) -> list[e.Event]:
    poison = e.Event(at, "broker", "position:poison", e.PositionObserved(ACCOUNT, MNQ, 7, None))
    until = e.TimerQuarantined(ACCOUNT, "rule", "RULE-004", MNQ, at + 10**9, "ZeroDivisionError: by zero")
    return [
        quarantined_fact(poison, "KeyError: 'lost'", "1"),
        quarantined_fact(poison, "KeyError: 'lost'", "1", again=True),
        e.Event(at, "clock", "quarantine:rule", until),
        quarantined_fact(e.Event(at, "clock", "clock@poison", e.ClockTicked()), "OSError", "1"),
    ]


@pytest.fixture
def days(sources: Sources) -> Days:
    found = read_export(sources.export.read_bytes().splitlines(keepends=True), "export")
    facts = [event for _, event, _ in found if not event.derived]
    opened = facts[0].body
    assert isinstance(opened, e.TradingDayOpened)
    facts = [event for event in facts if not isinstance(event.body, e.TradingDayOpened)]
    loss = next(index for index, event in enumerate(facts) if event.key == "trade:72002")
    facts[loss:loss] = markers(facts[loss].at)
    stored: list[e.Event] = []
    runner = Runner(opened.settings, (stored.extend,), day_for, version=opened.version, keep_quotes=True)
    for fact in facts:
        runner.event(fact)
    runner.finish()
    made = Days(sources.folder / "left-out.jsonl", sources.folder / "left-out.db")
    with made.export.open("wb") as file:
        writer = ExportWriter(file.write)
        writer.add_events(stored)
        writer.close()
    with Journal.open(str(made.store), PROFILE, write=True) as journal:
        journal.append(stored)
    return made


def said(capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> tuple[Any, str]:
    """The JSON result and stderr."""
    assert run([*words, "--json"]) == code
    captured = capfd.readouterr()
    assert "Traceback" not in captured.err
    assert "internal error" not in captured.err
    return json.loads(captured.out) if captured.out else None, captured.err


def names_both(text: str) -> bool:
    return text.count(FACT) == 1 and text.count(TIMER) == 1 and "goes on without it" in text


def test_verify_says_it_and_finds_the_same_decisions(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    for words in ((str(days.export),), days.stored):
        result, _ = said(capfd, "verify", *words)
        first, second = result["days"]
        assert names_both("\n".join(first["left_out"]))
        assert second["left_out"] == first["differences"] == second["differences"] == []
        assert first["recorded"] > 5
        assert run(["verify", *words]) == 0
        assert names_both(capfd.readouterr().out)


def test_an_export_of_such_a_day_replays_to_the_same_decisions(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    for source in (days.stored, (str(days.export),)):
        _, warned = said(capfd, "export", *source, "--day", "2026-11-20", "--out", "one.jsonl", "--force")
        assert names_both(warned)
        result, warned = said(capfd, "replay", "one.jsonl")
        assert names_both(warned)
        assert result["comparison"]["differences"] == []
        assert result["comparison"]["recorded"] == result["comparison"]["recomputed"] > 5
    _, warned = said(capfd, "export", *days.stored, "--day", "2026-11-23", "--out", "one.jsonl", "--force")
    assert "goes on without" not in warned


def test_what_if_knows_no_more_of_such_a_day_than_the_engine_did(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    same, warned = said(capfd, "whatif", str(days.export))
    assert names_both(warned)
    assert (same["divergence"], same["effect"]["net_pnl"]) == ([], "0")
    assert same["counterfactual"] == same["baseline"]
    other, _ = said(capfd, "whatif", str(days.export), "--set", "rules.daily_realized_loss.loss_limit=900", "--quick")
    assert other["divergence"]
    assert other["baseline"] == same["baseline"]


def test_regress_says_it(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    folder = days.export.parent / "recorded" / "day"
    folder.mkdir(parents=True)
    shutil.copy(days.export, folder / "day.jsonl")
    for code, words in ((1, ()), (0, ("--accept",)), (0, ())):
        assert run(["regress", str(folder.parent), *words]) == code
        assert names_both(capfd.readouterr().err)


def test_the_audit_lists_it(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    for words in ((str(days.export),), days.stored):
        result, _ = said(capfd, "audit", *words)
        assert [note["text"] for note in result["left_out"]] == [FACT, TIMER, CLOCK]
        assert run(["audit", *words]) == 0
        text = capfd.readouterr().out
        assert FACT in text
        assert f"every account  {CLOCK}" in text
        named, _ = said(capfd, "audit", *words, "--account", str(ACCOUNT))
        assert named["left_out"] == result["left_out"]


def test_why_says_what_the_decision_was_made_without(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    for words in ((str(days.export),), days.stored):
        result, _ = said(capfd, "why", LOSS, *words)
        assert names_both("\n".join(result["left_out"]))
        assert run(["why", LOSS, *words]) == 0
        text = capfd.readouterr().out
        assert "Left out of the day until then" in text
        assert names_both(text)
        before, _ = said(capfd, "why", f"/RULE-004/{MNQ}/1", *words, "--day", "2026-11-20")
        assert before["left_out"] == []


def test_the_status_says_it_for_the_day(days: Days, capfd: pytest.CaptureFixture[str]) -> None:
    result, _ = said(capfd, "status", *days.stored)
    assert result["left_out"] == [], "it was left out of the day before"
    with Journal.open(str(days.store), PROFILE) as journal:
        first = [event for _, event, _ in journal.read("2026-11-20")]
    store = str(days.store.with_name("first.db"))
    with Journal.open(store, PROFILE, write=True) as journal:
        journal.append(first)
    result, _ = said(capfd, "status", "--store", store)
    assert names_both("\n".join(row["text"] for row in result["left_out"]))
    assert run(["status", "--store", store]) == 0
    text = capfd.readouterr().out
    assert "Left out of the day (3)" in text
    assert names_both(text)


# ---- events that this riskcore fails on itself ---------------------------------------------------------


@pytest.fixture
def fails_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """From now on the core fails on a fill."""

    def broken_on(trade: int) -> None:
        real = project._HANDLERS[e.TradeRecorded]

        def broken(book: Any, at: int, body: Any) -> Any:
            return real(book, at, {True: body}[body.trade_id != trade])

        monkeypatch.setitem(project._HANDLERS, e.TradeRecorded, broken)

    return broken_on


def test_verify_names_what_it_cannot_judge_and_judges_the_other_days(
    sources: Sources, fails_on: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    found = read_export(sources.export.read_bytes().splitlines(keepends=True), "export")
    at_fault = next(seq for seq, event, _ in found if event.key == "trade:72002")
    days = [event.body.day.trade_date for event in facts_of(sources) if isinstance(event.body, e.TradingDayOpened)]
    fails_on(72002)
    for words in ((str(sources.export),), ("--store", str(sources.store))):
        result, told = said(capfd, "verify", *words, code=3)
        assert all(row["differences"] == [] for row in result["days"])
        failed = [row["text"] for row in result["damage"]]
        assert f"day 2026-11-20, event {at_fault}, {CLOSING_FILL}" in failed[0]
        assert "KeyError: False" in failed[0]
        assert all(text in told for text in failed)
        assert len(result["days"]) + len(failed) == len(days) == 2


def facts_of(sources: Sources) -> list[e.Event]:
    found = read_export(sources.export.read_bytes().splitlines(keepends=True), "export")
    return [event for _, event, _ in found if not event.derived]


def test_verify_of_an_opening_that_cannot_be_judged(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = project._HANDLERS[e.TradingDayOpened]

    def broken(book: Any, at: int, body: Any) -> Any:
        return real(book, at, {"2026-11-23": body}[body.day.trade_date])

    monkeypatch.setitem(project._HANDLERS, e.TradingDayOpened, broken)
    result, _ = said(capfd, "verify", "--store", str(sources.store), code=3)
    assert [row["trade_date"] for row in result["days"]] == ["2026-11-23"]
    assert "day 2026-11-20, event 1, TradingDayOpened day:2026-11-20" in result["damage"][0]["text"]


def test_a_replay_and_a_regression_name_what_they_cannot_judge(
    sources: Sources, fails_on: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = sources.folder / "recorded" / "day"
    folder.mkdir(parents=True)
    shutil.copy(sources.export, folder / "day.jsonl")
    fails_on(72002)
    for path in (sources.export, sources.wire):
        _, told = said(capfd, "replay", str(path), code=3)
        assert f"{path.name}: {CLOSING_FILL} of 2026-11-20T" in told
        assert "KeyError: False" in told
    assert run(["regress", str(folder.parent)]) == 3
    captured = capfd.readouterr()
    assert CLOSING_FILL in captured.out + captured.err
    assert "internal error" not in captured.err


def test_audit_why_and_status_go_on_without_it_and_say_so(
    sources: Sources, fails_on: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    fails_on(72002)
    store = ("--store", str(sources.store))
    for words in ((str(sources.export),), store):
        audit, _ = said(capfd, "audit", *words)
        assert f"{CLOSING_FILL} (KeyError: False)" in [note["text"] for note in audit["left_out"]]
        why, _ = said(capfd, "why", LOSS, *words)
        assert CLOSING_FILL in why["left_out"][0]
    with Journal.open(str(sources.store), PROFILE) as journal:
        first = [event for _, event, _ in journal.read("2026-11-20")]
    with Journal.open("first.db", PROFILE, write=True) as journal:
        journal.append(first)
    status, _ = said(capfd, "status", "--store", "first.db")
    assert [CLOSING_FILL in row["text"] for row in status["left_out"]] == [True]
    assert status["last_event_seq"] == len(first)
