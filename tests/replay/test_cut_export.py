"""A journal export cut off anywhere is read up to the cut: a warning, no false difference (INTERFACE.md 4)."""

from pathlib import Path

import pytest

from riskcore.cli.main import run

DAY = Path(__file__).parents[2] / "fixtures" / "days" / "daily-loss"


def test_wherever_the_lines_end_nothing_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    session, settings = str(DAY / "session.jsonl"), str(DAY / "riskcore.toml")
    assert run(["export", session, "--config", settings, "--out", str(whole)]) == 0
    lines = whole.read_bytes().splitlines(keepends=True)
    derived = [number for number, line in enumerate(lines) if b'"source":"core"' in line]
    for number in derived[::4]:
        for part in (b"".join(lines[:number]), b"".join(lines[:number]) + lines[number][:40]):
            cut.write_bytes(part)
            assert run(["replay", str(cut), "--json"]) == 0
            assert run(["verify", str(cut)]) == 0
            assert "read up to there" in capsys.readouterr().err
            assert run(["replay", str(cut), "--strict"]) == 3


def test_a_difference_before_the_last_fact_of_a_cut_export_is_still_found(tmp_path: Path) -> None:
    from replay.comparison import Comparison
    from riskcore.core.events import Event, ObligationMet

    comparison = Comparison()
    comparison.begin(True)
    comparison.record(Event(1, "core", "a", ObligationMet(1, "x")))
    comparison.next_fact()
    comparison.record(Event(2, "core", "b", ObligationMet(1, "y")))
    comparison.forgive_tail()
    outcome = comparison.outcome()
    assert outcome is not None
    assert [row["key"] for row in outcome["differences"]] == ["a"]
    assert outcome["recorded"] == 1
