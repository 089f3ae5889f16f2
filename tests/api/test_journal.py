"""`riskcore.open_journal`: what is stored, read only, as the commands show it."""

import json
from datetime import date
from pathlib import Path

import pytest

import riskcore
from riskcore.cli.main import run
from riskcore.errors import ConfigError, StoreError
from tests.docs.pages import ROOT

DAY = ROOT / "fixtures" / "days" / "daily-loss"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    riskcore.replay(DAY / "session.jsonl", DAY / "riskcore.toml", store=str(path))
    return path


def test_events_are_those_of_the_export(store: Path, tmp_path: Path) -> None:
    export = tmp_path / "day.jsonl"
    assert run(["export", "--store", str(store), "--out", str(export)]) == 0
    rows = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()[1:-1]]
    with riskcore.open_journal(store) as journal:
        assert (journal.profile, journal.days) == ("combine-50k", ["2026-11-19"])
        events = list(journal.events("2026-11-19"))
        assert [{name: getattr(event, name) for name in event.__slots__} for event in events] == [
            {"day": "2026-11-19", **row} for row in rows
        ]
        assert list(journal.events("2026-11-19", after=5)) == events[5:]
        with pytest.raises(ConfigError, match="no day 2026-11-20"):
            list(journal.events("2026-11-20"))


def test_decisions_are_those_of_the_replay_and_each_is_explained(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = riskcore.replay(DAY / "session.jsonl", DAY / "riskcore.toml")
    with riskcore.open_journal(store) as journal:
        found = journal.decisions("2026-11-19")
        assert found == journal.decisions()
        assert (found.breaches, found.commands) == (result.breaches, result.commands)
        assert found.lockout_history == result.lockout_history
        explained = journal.why(found.breaches[-1].id)
        with pytest.raises(ConfigError, match="no breach or command"):
            journal.why("nothing")
    capsys.readouterr()
    assert run(["why", found.breaches[-1].id, "--store", str(store), "--json"]) == 0
    assert explained == json.loads(capsys.readouterr().out)


def test_a_journal_is_found_as_the_commands_find_it(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKCORE_STORE", str(store))
    with riskcore.open_journal() as journal:
        assert journal.days
    with pytest.raises(ConfigError, match="no profile other"), riskcore.open_journal(profile="other"):
        pass
    with pytest.raises(ConfigError, match="there is no journal here"), riskcore.open_journal(store.parent / "none.db"):
        pass


def test_places_behind_which_there_is_nothing_and_a_block_that_has_ended(store: Path) -> None:
    with riskcore.open_journal(store) as journal:
        day = journal.days[0]
        count = len(list(journal.events(day)))
        assert list(journal.events(day, after=count)) == []
        assert len(list(journal.events(day, after=count - 1))) == 1
        for after in (-1, count + 1, 10**30, "3"):
            with pytest.raises(ConfigError, match=f"day {day} has the events 1 to {count}"):
                list(journal.events(day, after))  # type: ignore[arg-type]
        assert len(list(journal.events(date.fromisoformat(day)))) == count  # type: ignore[arg-type]
        decision = journal.decisions(day).breaches[0].id
        explained = journal.why(decision)
        for named in ({"accounts": 99000001}, {"accounts": ["99000001"]}, {"days": day}):
            assert journal.why(decision, **named) == explained  # type: ignore[arg-type]
        begun = journal.events(day)
        next(begun)
    for late in (
        lambda: journal.days,
        lambda: journal.decisions(),
        lambda: list(journal.events(day)),
        lambda: next(begun),
    ):
        with pytest.raises(StoreError, match="this journal is closed"):
            late()
