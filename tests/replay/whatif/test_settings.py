"""The settings of both courses carry the programme, of the profile and of accounts (WHATIF.md 1)."""

from pathlib import Path
from typing import Any

import pytest

from replay.whatif.settings import PROFILE, Asked, difference, for_journal, for_recording, tables_between, with_rules
from riskcore.settings.config import read_settings

TEXT = "[programme]\nsize = '100K'\n[accounts.A.programme]\nfloor_override = 97500\n[rules.max_contracts]\nlimit = 2"


def recorded() -> dict[str, Any]:
    return read_settings(TEXT).plain


def test_a_recording_is_first_judged_without_a_programme(tmp_path: Path) -> None:
    file = tmp_path / "riskcore.toml"
    file.write_text(TEXT, encoding="utf-8")
    baseline, changed, _ = for_recording(Asked(config=file))
    assert (baseline["programme"], "programme_accounts" in baseline) == (None, False)
    assert changed == recorded()
    assert PROFILE in tables_between(baseline, changed)
    assert with_rules(baseline, changed, [])["programme"] is None
    assert "programme_accounts" not in with_rules(baseline, changed, [])
    whole = with_rules(baseline, changed, [PROFILE])
    assert whole["programme_accounts"] == changed["programme_accounts"]


def test_a_setting_of_one_accounts_programme_is_a_difference() -> None:
    changed = for_journal(Asked(sets=("accounts.A.programme.floor_override=98000",)))(recorded())
    assert PROFILE in tables_between(recorded(), changed)
    (row,) = difference(recorded(), changed)
    assert row == {"key": "accounts.A.programme.floor_override", "baseline": "97500", "counterfactual": "98000"}


@pytest.mark.parametrize(
    ("change", "version"), [("rules.max_contracts.limit=1", "2026-01-01"), ("programme.size=150K", "2026-10-10")]
)
def test_a_programme_that_is_not_changed_keeps_the_figures_of_its_day(change: str, version: str) -> None:
    stored = recorded()
    stored["programme"]["terms"].update(version="2026-01-01", maximum_loss_usd=1)
    changed = for_journal(Asked(sets=(change,)))(stored)
    assert changed["programme"]["terms"]["version"] == version
    assert (changed["programme"] == stored["programme"]) is (version == "2026-01-01")
