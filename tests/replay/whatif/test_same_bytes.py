"""The same question gives the same bytes: under any hash seed, and after a run that was interrupted."""

import json
import os
import sys
from pathlib import Path

import pytest

from riskcore.cli.main import run
from tests import processes

ROOT = Path(__file__).parents[3]
DAYS = [ROOT / "fixtures" / "days" / name / "session.jsonl" for name in ("two-accounts", "daily-loss")]
SETTINGS = """
[profile]
name = "same-bytes"
[rules.max_contracts]
limit = 2
[rules.daily_realized_loss]
loss_limit = "200"
basis = "combined"
[rules.cooldown_after_loss]
"""


def words(folder: Path) -> list[str]:
    (folder / "riskcore.toml").write_text(SETTINGS, encoding="utf-8", newline="\n")
    # Paths of the command are part of the stamp, so every run has the same.
    return [sys.executable, "-m", "riskcore", "whatif", *map(str, DAYS), "--report", "report.html", "--json"]


def environment(seed: str = "0") -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}


def whatif(folder: Path, seed: str = "0") -> tuple[bytes, bytes]:
    """What `whatif --json` prints, and its report."""
    done = processes.run(words(folder), cwd=folder, env=environment(seed))
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout, (folder / "report.html").read_bytes()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    return whatif(tmp_path_factory.mktemp("once"))


def test_the_same_bytes_under_another_hash_seed(once: tuple[bytes, bytes], tmp_path: Path) -> None:
    assert whatif(tmp_path, "1") == once
    result = json.loads(once[0])
    assert result["divergence"]
    assert len(result["effect"]["by_rule"]) == 3
    assert result["range"]["kindest"] != result["range"]["cruellest"]


@pytest.mark.parametrize("where", ["replay.whatif.study.effects_of", "replay.whatif.study.spread"])
def test_the_same_bytes_after_a_run_that_was_interrupted(
    where: str,
    once: tuple[bytes, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C behind the first run, and amid the further ones, leaves nothing that the next run would trip over."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    asked = words(tmp_path)[3:]
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(where, interrupted)
        assert run(asked) == 130
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["riskcore.toml"]
    assert whatif(tmp_path) == once
