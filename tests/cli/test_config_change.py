"""riskcore config try | set: a change is shown on the journal's own days before anything is written."""

import json
import stat
from pathlib import Path

import click
import pytest

from riskcore.cli import config_change
from riskcore.cli.main import run
from riskcore.settings.config import load_settings
from tests.cli.sources import Sources

LIMIT = "rules.max_contracts.limit=1"


@pytest.fixture
def journal(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> Sources:
    monkeypatch.setenv("RISKCORE_STORE", str(sources.store))
    return sources


def test_try_shows_days_dollars_and_range_and_writes_nothing(
    journal: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    before = Path("riskcore.toml").read_bytes()
    assert run(["config", "try", LIMIT]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "Tried on 2 days of the journal, 2026-11-20 to 2026-11-23:"
    assert lines[1] == "  rules.max_contracts.limit: off -> 1"
    assert "2 better +600, 0 worse 0; net +600, range " in "\n".join(lines)
    assert [line.split()[0] for line in lines[-2:]] == ["2026-11-20", "2026-11-23"]
    assert Path("riskcore.toml").read_bytes() == before


def test_try_takes_the_last_days_only(journal: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "try", LIMIT, "--days", "1", "--quick", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["schema"], found["range"]) == ("riskcore.config-try/1", None)
    assert (found["days"]["first"], found["days"]["count"], found["days"]["helped"]) == ("2026-11-23", 1, 1)
    assert found["effect"]["net_pnl"] == "300.00"


@pytest.mark.parametrize("assignment", ["rules.nothing.x=1", "foo", "rules.max_contracts.limit=-3", "=1", "a.b"])
@pytest.mark.parametrize("command", ["try", "set"])
def test_what_would_not_load_is_refused(
    journal: Sources, capfd: pytest.CaptureFixture[str], command: str, assignment: str
) -> None:
    before = Path("riskcore.toml").read_bytes()
    assert run(["config", command, assignment, *(["--yes"] if command == "set" else [])]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "--set" not in captured.err
    assert Path("riskcore.toml").read_bytes() == before


def test_set_tries_then_writes_and_keeps_comments_and_rights(
    journal: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    path = Path("riskcore.toml")
    path.write_text(f"# mine\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    path.chmod(0o640)
    assert run(["config", "set", LIMIT, "--yes"]) == 0
    captured = capfd.readouterr()
    assert "net +600" in captured.out
    assert captured.err.endswith("wrote riskcore.toml\n")
    assert path.read_text(encoding="utf-8").startswith("# mine\n")
    assert load_settings().plain["rules"]["max_contracts"][0]["limit"] == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert not list(Path().glob(".riskcore*"))
    assert run(["config", "set", LIMIT, "--yes"]) == 0
    assert "already" in capfd.readouterr().err


def test_set_asks_on_a_terminal_and_needs_yes_without_one(
    journal: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path("riskcore.toml").read_bytes()
    monkeypatch.setattr(config_change.sys.stdin, "isatty", lambda: False, raising=False)
    assert run(["config", "set", LIMIT]) == 2
    assert "--yes" in capfd.readouterr().err
    monkeypatch.setattr(config_change.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    assert run(["config", "set", LIMIT]) == 0
    captured = capfd.readouterr()
    assert "net +600" in captured.out
    assert "nothing was written" in captured.err
    assert Path("riskcore.toml").read_bytes() == before


def test_set_untried_needs_no_journal(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "set", LIMIT, "--yes", "--store", "nothing.db"]) == 2
    assert run(["config", "set", LIMIT, "--yes", "--untried", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {
        "schema": "riskcore.config-set/1",
        "file": "riskcore.toml",
        "written": True,
        "tried": None,
    }


def test_before_the_first_run_a_change_is_written_and_said_to_be_untried(
    sources: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RISKCORE_STORE", raising=False)
    monkeypatch.setattr("riskcore.store.location.user_folder", lambda _: tmp_path / "nothing yet")
    assert run(["config", "try", LIMIT]) == 2
    assert "there is no journal here" in capfd.readouterr().err
    assert run(["config", "set", LIMIT, "--yes"]) == 0
    assert "warning: there is no journal yet, so the change is not tried" in capfd.readouterr().err
    assert load_settings().plain["rules"]["max_contracts"][0]["limit"] == 1


def test_set_refuses_a_file_that_does_not_load_or_is_not_there(
    journal: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("riskcore.toml").write_text("[rules.max_contract]\n", encoding="utf-8")
    assert run(["config", "set", LIMIT, "--yes"]) == 2
    assert Path("riskcore.toml").read_text(encoding="utf-8") == "[rules.max_contract]\n"
    Path("riskcore.toml").unlink()
    assert run(["config", "set", LIMIT, "--yes", "--config", "gone.toml"]) == 2
    assert "gone.toml" in capfd.readouterr().err


def test_a_file_that_was_changed_meanwhile_is_kept(
    journal: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def edits(*_: object, **__: object) -> bool:
        Path("riskcore.toml").write_text("# somebody else's\n", encoding="utf-8")
        return True

    monkeypatch.setattr(config_change.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(click, "confirm", edits)
    assert run(["config", "set", LIMIT, "--quick"]) == 2
    assert "was changed meanwhile" in capfd.readouterr().err
    assert Path("riskcore.toml").read_text(encoding="utf-8") == "# somebody else's\n"


def test_a_folder_that_cannot_be_written_is_exit_6(
    journal: Sources, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = Path("riskcore.toml").read_bytes()
    monkeypatch.setattr(config_change.os, "replace", full)
    assert run(["config", "set", LIMIT, "--yes", "--untried"]) == 6
    assert "No space left" in capfd.readouterr().err
    assert Path("riskcore.toml").read_bytes() == before
    assert not list(Path().glob(".riskcore*"))
