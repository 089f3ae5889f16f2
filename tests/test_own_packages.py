"""Packages of the user's that are called like ours, and files that are called like libraries."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from fixtures.make_days import FOLDER
from riskcore import own_packages
from tests import processes

ROOT = Path(own_packages.ROOT)
LIBRARIES = [
    "click",
    "rich",
    "websockets",
    "secrets",
    "httpx",
    "msgspec",
    "polars",
    "h11",
    "tomlkit",
    "pydantic",
    "numpy",
    "aiohttp",
    "brotli",
    "keyring",
    "eventsourcing",
    "socket",
    "ssl",
    "asyncio",
    "json",
    "logging",
    "sqlite3",
    "decimal",
    "dataclasses",
    "shutil",
    "tempfile",
    "uuid",
    "random",
    "string",
    "zlib",
]
pytest_plugins = ["pytester"]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    for name in ("adapters", "replay", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise SystemExit('{name} of the user')")
    for name in LIBRARIES:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('{name} of the user')")
    shutil.copytree(FOLDER / "voided-trade", tmp_path / "days" / "voided-trade")
    shutil.copytree(FOLDER / "quiet-day", tmp_path / "days" / "quiet-day")
    return tmp_path


SCRIPT = "import sys; sys.argv[0] = 'riskcore'; from riskcore.__main__ import main; main()"


@pytest.mark.parametrize("start", [["-m", "riskcore"], ["-P", "-c", SCRIPT]], ids=["module", "script"])
@pytest.mark.parametrize("python_path", [[], ["."]], ids=["plain", "PYTHONPATH"])
def test_the_command_runs_its_own_packages(hostile: Path, start: list[str], python_path: list[str]) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*python_path, str(ROOT)])}
    words = ["regress", "days", "--workers", "2"]
    result = processes.run([sys.executable, *start, *words], cwd=hostile, env=environment, text=True)
    assert "of the user" not in result.stdout + result.stderr
    assert result.returncode == 0, result.stderr


def test_a_folder_of_pythonpath_still_gives_what_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    standard = os.path.dirname(os.__file__)
    found = own_packages._repaired([str(tmp_path), "", str(elsewhere), standard, "/site-packages"])
    assert found == [standard, "/site-packages", str(elsewhere)]


def test_a_users_own_packages_stay_theirs_beside_recorded_days(pytester: pytest.Pytester) -> None:
    """The test loads its own `replay` before, between and after days that the plugin replays with ours."""
    for day in ("quiet-day", "voided-trade"):
        shutil.copytree(FOLDER / day, pytester.path / "days" / day)
    for name in ("adapters", "replay"):
        (pytester.path / name).mkdir()
        (pytester.path / name / "__init__.py").write_text("MINE = True\n")
        (pytester.path / name / "sessions.py").write_text("MINE = True\n")
    own = "def test_own():\n    import adapters, replay.sessions\n    assert adapters.MINE and replay.sessions.MINE\n"
    pytester.makepyfile(test_early=f"import replay.sessions\n{own}", test_late=own)
    pytester.makeini("[pytest]\nriskcore_days = days\n")
    words = ["-p", "no:cacheprovider", "-v", "test_early.py", "days", "test_late.py", "--riskcore-days", "days"]
    result = pytester.runpytest_subprocess(*words)
    result.assert_outcomes(passed=4)
    assert "error" not in str(result.errlines)


def test_packages_that_are_ours_already_are_used_as_they_are() -> None:
    import adapters
    import replay.sessions

    before = replay.sessions
    with own_packages.own_packages():
        assert sys.modules["replay.sessions"] is before
        assert sys.modules["adapters"] is adapters
    assert sys.modules["replay.sessions"] is before


def test_a_program_with_a_package_replay_of_its_own_uses_the_library(tmp_path: Path) -> None:
    for name in ("adapters", "replay"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n", encoding="utf-8")
    program = tmp_path / "bot.py"
    program.write_text(
        "import adapters, replay, riskcore, sys\n"
        "day, store = sys.argv[1:]\n"
        "assert riskcore.replay(day, store=store).accounts\n"
        "assert riskcore.whatif(day, sets=['rules.max_contracts.limit=1'], quick=True).effect\n"
        "grid = {'rules.max_contracts.limit': [1, 2]}\n"
        "assert len(riskcore.sweep(day, grid=grid).settings) == 2\n"
        "try:\n"
        "    riskcore.sweep(day, grid=grid, workers=2)\n"
        "except riskcore.errors.ConfigError as error:\n"
        "    assert 'of its own' in str(error)\n"
        "else:\n"
        "    raise AssertionError('its processes would load the wrong package')\n"
        "with riskcore.open_journal(store) as journal:\n"
        "    assert journal.decisions()\n"
        "assert riskcore.guard and riskcore.Recorder and riskcore.odds\n"
        "import replay as again\n"
        "assert again is replay and replay.MINE and adapters.MINE\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    day = FOLDER / "voided-trade" / "session.jsonl"
    words = [sys.executable, str(program), str(day), str(tmp_path / "journal.db")]
    result = processes.run(words, cwd=tmp_path, env=environment, text=True)
    assert result.returncode == 0, result.stderr


def test_a_program_sweeps_with_processes_and_keeps_its_own(tmp_path: Path) -> None:
    program = tmp_path / "bot.py"
    program.write_text(
        "import multiprocessing, riskcore, sys, time\n"
        "if __name__ == '__main__':\n"
        "    own = multiprocessing.get_context('spawn').Process(target=time.sleep, args=(60,), daemon=True)\n"
        "    own.start()\n"
        "    swept = riskcore.sweep(sys.argv[1], grid={'rules.max_contracts.limit': [1, 2]}, workers=2)\n"
        "    assert len(swept.settings) == 2\n"
        "    assert multiprocessing.active_children() == [own]\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = [sys.executable, str(program), str(FOLDER / "voided-trade" / "session.jsonl")]
    result = processes.run(words, cwd=tmp_path, env=environment, text=True)
    assert result.returncode == 0, result.stderr
