"""A recorded losing day and the next one, as recording, export and store, for the tests of commands."""

from dataclasses import dataclass
from pathlib import Path

from riskcore.cli.main import run
from tests.recordings import RULES, Recording, losing_day


@dataclass(frozen=True)
class Sources:
    folder: Path
    wire: Path
    export: Path
    store: Path


def two_days() -> Recording:
    days, second = losing_day(), losing_day("2026-11-23 08:00:00")
    days.lines += second.lines
    return days


def make_sources(folder: Path, rules: str = RULES) -> Sources:
    (folder / "riskcore.toml").write_text(rules, encoding="utf-8", newline="\n")
    sources = Sources(folder, folder / "two.jsonl", folder / "two-export.jsonl", folder / "journal.db")
    two_days().write(sources.wire)
    assert run(["export", str(sources.wire), "--out", str(sources.export), "--quiet"]) == 0
    assert run(["replay", str(sources.wire), "--store", str(sources.store), "--quiet"]) == 0
    return sources
