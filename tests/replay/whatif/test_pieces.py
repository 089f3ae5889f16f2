"""Quotes are taken in few pieces: a mark that is quoted again and again never comes to be stale."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from replay.whatif.course import Course
from riskcore.cli.main import group
from tests.benchmarks.bench_replay import ALL_RULES, make_day

FILLS = 4


def test_time_passes_for_facts_and_timers_not_for_marks_that_stay_fresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, config = tmp_path / "day.jsonl", tmp_path / "all.toml"
    make_day(day, 20_000, FILLS)  # A quote every four seconds; a mark is stale after ten.
    config.write_text(ALL_RULES, encoding="utf-8")
    passed: list[int] = []
    pass_time = Course.pass_time

    def noted(self: Course, at: int) -> None:
        passed.append(at)
        pass_time(self, at)

    monkeypatch.setattr(Course, "pass_time", noted)
    changed = "rules.daily_realized_loss.loss_limit=49000"
    options = ["--baseline", str(config), "--config", str(config), "--set", changed, "--quick", "--json"]
    found = CliRunner().invoke(group, ["whatif", str(day), *options])
    assert found.exit_code == 0, found.output
    assert 0 < len(passed) < 50 * FILLS
