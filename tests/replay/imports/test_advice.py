"""An import without prices says how to go on, and what it says works."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from replay.imports.advice import next_steps
from riskcore.cli.main import run
from riskcore.settings.config import read_settings
from tests.replay.imports.inputs import answer, fill

BLIND: dict[str, Any] = {"lacks": ["orders", "quotes"], "accounts": [{"id": 500}]}
PRICED: dict[str, Any] = {"lacks": ["orders"], "accounts": [{"id": 500}]}
COMBINED = '[rules.daily_realized_loss]\nbasis = "combined"\n'


def steps(settings: str, *days: dict[str, Any]) -> list[str]:
    return next_steps(days, read_settings(settings).plain)


@pytest.mark.parametrize(
    ("settings", "blind", "basis"),
    [
        (COMBINED, ": daily_realized_loss", "daily_realized_loss"),
        ("[rules.daily_unrealized_loss]\n", ": daily_unrealized_loss", None),
        (
            f"{COMBINED}[rules.daily_unrealized_loss]\n",
            ": daily_realized_loss, daily_unrealized_loss",
            "daily_realized_loss",
        ),
        (
            '[[rules.daily_realized_loss]]\n[[rules.daily_realized_loss]]\nbasis = "combined"\n',
            ": daily_realized_loss.1",
            "daily_realized_loss.1",
        ),
        ('[group]\nloss_limit = "500"\n', ": GROUP-LOSS", None),
    ],
)
def test_the_rules_that_are_blind_are_named_and_those_that_need_no_prices_are_offered(
    settings: str, blind: str, basis: str | None
) -> None:
    found = steps(settings, BLIND)
    assert f"the day has no quotes and no bars, so rules that look at open P&L are blind{blind}. " in found[0]
    assert "--bars" in found[0]
    assert [step.partition("replay with ")[2] for step in found[1:]] == (
        [] if basis is None else [f"--set rules.{basis}.basis=realized"]
    )


def test_without_any_rule_both_ways_are_named() -> None:
    priced, closed = steps("", BLIND)
    assert "rules that look at open P&L are blind. Import again with --bars" in priced
    assert closed == 'or judge closed trades only, with rules whose settings say basis = "realized"'


def test_where_nothing_is_blind_there_is_nothing_to_say() -> None:
    assert steps(COMBINED, PRICED) == steps("[rules.max_contracts]\n", BLIND) == steps("") == []
    assert steps("", {**BLIND, "accounts": []}) == []  # Orders alone: nothing was held.


def test_days_are_counted() -> None:
    assert [steps("", *days)[0].partition(" no quotes")[0] for days in ((BLIND, BLIND), (BLIND, PRICED))] == [
        "these days have",
        "1 of 2 days has",
    ]


def test_what_the_import_says_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From an import without bars over `config init` to a limit that acts, by the words on the screen alone."""
    monkeypatch.chdir(tmp_path)
    bought, sold = fill(1, "07-21T14:00:00", 0, 2, 21_000), fill(2, "07-21T14:01:00", 1, 2, 20_850, -600.0)
    answer(tmp_path / "trades.json", trades=[bought, sold])
    assert run(["config", "init"]) == 0
    assert 'basis = "realized"' in (tmp_path / "riskcore.toml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert run(["import", "trades.json", "--out", "days"]) == 0
    said = capsys.readouterr().out
    assert "Next: the day has no quotes and no bars" in said
    options = shlex.split(
        next(line for line in said.splitlines() if "replay with" in line).partition("replay with ")[2]
    )
    assert run(["replay", "days/2025-07-21.jsonl"]) == 0
    assert "RULE-003: the recording lacks quotes" in capsys.readouterr().out
    assert run(["replay", "days/2025-07-21.jsonl", *options]) == 0
    assert "RULE-003  breached  day_pnl -601.48" in capsys.readouterr().out
