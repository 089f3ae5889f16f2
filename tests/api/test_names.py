"""`import riskcore`: fast, lazy, typed, and nothing of it hidden by a module of the same name."""

import asyncio
import inspect
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import riskcore
from tests import processes
from tests.api import typed_program
from tests.docs.pages import ROOT

DAY = ROOT / "fixtures" / "days" / "daily-loss"
LIVE = ("riskcore.live", "riskcore.engine.engine", "aiohttp", "httpx", "websockets", "asyncio")


def modules_after(*statements: str) -> list[str]:
    """The modules that a new interpreter has loaded."""
    code = "; ".join(("import sys", *statements, "print(*sys.modules)"))
    ran = processes.run([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout).split()


def test_the_import_alone_loads_nothing() -> None:
    known = modules_after("import importlib, typing")
    assert [name for name in modules_after("import riskcore") if name not in known] == ["riskcore"]


@pytest.mark.parametrize("name", ["replay", "whatif", "open_journal", "load_settings", "Recorder", "sweep", "odds"])
def test_what_is_not_live_loads_nothing_live(name: str) -> None:
    loaded = modules_after("import riskcore", f"riskcore.{name}")
    assert [one for one in loaded if one.startswith(LIVE)] == []
    assert "riskcore.errors" in loaded, "it was looked at after the import"


def test_the_command_line_starts_without_the_library() -> None:
    assert [one for one in modules_after("import riskcore.cli.main") if one.startswith("riskcore.api")] == []


def test_every_name_is_there_with_a_docstring_and_types() -> None:
    for name in riskcore.__all__:
        found = getattr(riskcore, name)
        assert inspect.getdoc(found), name
        if inspect.isfunction(found):
            assert get_type_hints(inspect.unwrap(found))["return"], name
    assert {*riskcore.__all__} <= {*dir(riskcore)}
    with pytest.raises(AttributeError, match="reply"):
        getattr(riskcore, "reply")  # noqa: B009 - the type checker knows that it is not there.


def test_no_module_hides_a_name() -> None:
    there = {path.stem for path in Path(riskcore.__file__).parent.iterdir()}
    assert there & {*riskcore.__all__} == {"errors", "testing"}, "which are modules"


def test_a_typed_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day, rules, store = DAY / "session.jsonl", DAY / "riskcore.toml", tmp_path / "journal.db"
    monkeypatch.setattr("riskcore.api.chances.user_folder", lambda _: tmp_path / "cache")
    riskcore.replay(day, rules, store=str(store))
    assert typed_program.results(day, rules) < 0
    assert typed_program.stored(store)
    assert typed_program.recorded(tmp_path / "day.jsonl").read_bytes().count(b"\n") == 3
    for name in ("PROJECT_X_USERNAME", "PROJECT_X_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("adapters.topstepx.credentials._stored", lambda: None)
    assert not asyncio.run(typed_program.guarded(rules)).allowed
