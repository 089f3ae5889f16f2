"""`riskcore programme payout | reset | note`, through a running engine and into the store without one."""

import json
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from riskcore.core import events as e
from riskcore.core.programme.terms import plain_terms
from tests.cli.sources import Sources
from tests.cli.test_order_commands import at, bodies, running, told
from tests.core.ledger import ACCOUNT, usd
from tests.core.programme.terms import xfa
from tests.engine.answering_desk import AnsweringDesk

NAME = "50KTC-V2-99000001"


@pytest.fixture
def stored(sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sources:
    """A store whose next day is judged as an XFA."""
    config = sources.folder / "riskcore.toml"
    text = '\n[programme]\nname = "topstep"\nstage = "xfa"\nsize = "50K"\n'
    config.write_text(config.read_text(encoding="utf-8") + text, encoding="utf-8")
    store = Sources(sources.folder, sources.wire, sources.export, sources.folder / "programme.db")
    assert run(["replay", str(sources.wire), "--store", str(store.store), "--quiet"]) == 0
    capfd.readouterr()
    at(monkeypatch, "2026-11-24T15:30:00")
    return store


def of(store: Path, kind: type[Any]) -> list[Any]:
    return [body for body in bodies(store) if isinstance(body, kind)]


def test_a_payout_without_an_engine_stands_in_the_journal(stored: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = told(stored, capfd, "programme", "payout", NAME, "700.00", "--on", "2026-11-23")
    assert code == 0, text
    assert "payout of 700.00 entered, requested on 2026-11-23" in text
    assert "floor 0" in text
    assert of(stored.store, e.PayoutRecorded) == [e.PayoutRecorded(ACCOUNT, usd("700"), "2026-11-23")]
    assert run(["verify", "--store", str(stored.store), "--quiet"]) == 0


def test_a_payout_above_what_the_firm_pays_warns_and_counts(stored: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = told(stored, capfd, "programme", "payout", NAME, "2000.01", "--json")
    assert code == 0
    assert "2000.01 is more than the 2000.00 that the firm pays at most" in text
    assert len(of(stored.store, e.PayoutRecorded)) == 1
    code, text = told(stored, capfd, "programme", "payout", NAME, "2000.00", "--json")
    assert "more than" not in text
    assert json.loads(text)["above_max"] is False


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("payout", NAME, "0"), "above zero"),
        (("payout", NAME, "-5"), "above zero"),
        (("payout", NAME, "much"), "amount"),
        (("payout", NAME, "100.005"), "part of a cent"),
        (("payout", NAME, "1", "--on", "2026-11-22"), "is no trade date; a request of a weekend belongs to the Monday"),
        (("payout", NAME, "1", "--on", "2026-11-19"), "before 2026-11-20, when the records of 50KTC-V2-99000001 begin"),
        (("payout", NAME, "1", "--on", "2026-11-25"), "has not come yet"),
        (("payout", NAME, "1", "--on", "today"), "is no date"),
        (("payout", "OTHER", "1"), "not one of this profile's accounts"),
        (("reset", NAME, "--reason", " "), "needs a reason"),
        (("reset", NAME), "--reason"),
        (("reset", NAME, "--reason", "x", "--balance", "0.001"), "balance: 0.001 has a part of a cent"),
        (("reset", NAME, "--reason", "x", "--floor", "0"), "floor of 0 must be below the balance of 0"),
        (("reset", NAME, "--reason", "x", "--balance", "-2000"), "floor of -2000.00 must be below the balance"),
        (("note", NAME, " "), "needs a text"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stores_nothing(
    stored: Sources, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    code, text = told(stored, capfd, "programme", *words)
    assert code == 2
    assert reason in text
    assert not of(stored.store, e.PayoutRecorded | e.ProgrammeReset | e.NoteRecorded)


def test_a_payout_entered_twice_counts_once(stored: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    """Another amount, or another day, is another payout."""
    for words, code in (("700.00", 0), ("700", 2), ("700.01", 0), ("700.01 --on 2026-11-24", 2)):
        found, text = told(stored, capfd, "programme", "payout", NAME, *words.split())
        assert (found, "is entered already" in text) == (code, code == 2), text
    assert told(stored, capfd, "programme", "payout", NAME, "700.01", "--on", "2026-11-23")[0] == 0
    assert len(of(stored.store, e.PayoutRecorded)) == 3


def test_a_combine_pays_nothing_out(stored: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    config = stored.folder / "riskcore.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('"xfa"', '"combine"'), encoding="utf-8")
    code, text = told(stored, capfd, "programme", "payout", NAME, "700.00")
    assert (code, "is a Combine" in text) == (2, True), text
    assert not of(stored.store, e.PayoutRecorded)


def test_a_payout_needs_a_programme(
    sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, "2026-11-24T15:30:00")
    code, text = told(sources, capfd, "programme", "payout", NAME, "1")
    assert (code, "is in no programme" in text) == (2, True)


def test_a_note_stands_in_the_audit(stored: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    code, _ = told(stored, capfd, "programme", "note", NAME, "support confirmed the floor")
    assert code == 0
    code, text = told(stored, capfd, "audit", "--json")
    assert code == 0
    assert [row["text"] for row in json.loads(text)["notes"]] == ["support confirmed the floor"]


def test_a_reset_without_an_engine_ends_the_terminal_lockout(
    stored: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    code, text = told(stored, capfd, "programme", "reset", NAME, "--reason", "bought", "--balance", "10", "--json")
    answer = json.loads(text)
    assert (code, answer["balance"], answer["floor"], answer["ended"]) == (0, "10.00", "-2000.00", [])
    assert of(stored.store, e.ProgrammeReset) == [e.ProgrammeReset(ACCOUNT, "bought", usd("10"))]


def test_through_a_running_engine(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    terms = xfa(floor_override_usd=0)
    desk = AnsweringDesk(programme={"name": "topstep", "terms": plain_terms(terms)})
    desk.account(balance="150").at("09:00:00").fill("MNQ", 1, "21000").fill("MNQ", -1, "21000", profit="-50150")
    assert any(lockout.kind == "terminal" for lockout in desk.account_state.lockouts.values())
    with running(sources, desk):
        code, text = told(sources, capfd, "programme", "note", "PRAC-1", "x")
        assert code == 0
        code, text = told(sources, capfd, "programme", "reset", "PRAC-1", "--reason", "bought")
    assert code == 0
    assert "account/PROGRAMME-MLL/floor ended" in text
    assert [one.text for one in desk.bodies(e.NoteRecorded)] == ["x"]
    assert not any(lockout.kind == "terminal" for lockout in desk.account_state.lockouts.values())
