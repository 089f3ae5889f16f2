"""No command writes over what it reads, nor two outputs into one file."""

import os
from pathlib import Path

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources

GRID = ("--grid", "rules.daily_realized_loss.loss_limit=400,500")
OUTPUTS = (
    ("review", "--html"),
    ("review", "--csv"),
    ("whatif", "--report"),
    ("whatif", "--card"),
    ("whatif", "--export"),
    ("sweep", "--out", *GRID),
    ("sweep", "--report", *GRID),
    ("odds", "--report"),
    ("audit", "--database"),
)


@pytest.mark.parametrize(("command", "option", "others"), [(one[0], one[1], one[2:]) for one in OUTPUTS])
def test_no_command_writes_over_what_it_reads(
    command: str, option: str, others: tuple[str, ...], sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    day = sources.wire.read_bytes()
    os.link(sources.wire, "link.html")
    Path("riskcore.toml").write_text("", encoding="utf-8")
    Path("own.toml").write_text("", encoding="utf-8")
    for named in (str(sources.wire), "link.html", "riskcore.toml", "own.toml"):
        assert run([command, str(sources.wire), "--config", "own.toml", *others, option, named]) == 2, named
        assert f"{option} would overwrite {Path(named).name}" in capfd.readouterr().err
    assert sources.wire.read_bytes() == day
    assert Path("riskcore.toml").read_bytes() == Path("own.toml").read_bytes() == b""


def test_two_outputs_are_two_files(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["review", str(sources.wire), "--quick", "--html", "both", "--csv", "./both"]
    assert run(words) == 2
    assert "--html and --csv name the same file" in capfd.readouterr().err
    assert not Path("both").exists()
    assert run(["review", str(sources.wire), "--quick", "--html", os.devnull, "--csv", os.devnull]) == 0
