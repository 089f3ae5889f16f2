"""How `riskcore audit` words what was in force."""

from typing import Any

import pytest

from riskcore.audit.written import written_settings
from riskcore.cli.audit_text import _settings
from riskcore.settings.config import read_settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no rules"),
        ("[rules.max_contracts]\nlimit = 2\n", "max_contracts"),
        ("[programme]\n", "programme"),
        ("[accounts.A.programme]\n", "programme"),
        (
            '[rules.max_contracts]\nlimit = 2\n[programme]\n[group]\nname = "mine"\n',
            "max_contracts, programme, group mine",
        ),
    ],
)
def test_programmes_and_groups_are_in_force_as_rules_are(text: str, told: str) -> None:
    plain = read_settings(f'[profile]\nname = "p"\n{text}').plain
    row: dict[str, Any] = {"from": "2026-11-17", "settings": written_settings(plain), "changes": []}
    assert _settings([row]) == [f"Settings in force from 2026-11-17: {told}"]
