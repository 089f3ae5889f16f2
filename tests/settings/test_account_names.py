"""A name in the settings that no account has is said: a mistyped one would lose a limit without a word."""

from pathlib import Path

import pytest

from replay.replay_run import run_replay
from riskcore.core.state import Account
from riskcore.settings.account_names import unmatched_of_login
from riskcore.settings.config import read_settings
from tests.recordings import ACCOUNT, Recording

NAME = "50KTC-V2-99000001"
TABLE = '[accounts."{}".programme]\nfloor_override = "49000"\n[accounts."{}".rules.max_contracts]\nlimit = 1\n'
GROUP = '[group]\naccounts = ["{}"]\nloss_limit = 500\n'


def said_by_replay(tmp_path: Path, text: str, *, names: bool = True) -> list[str]:
    day = Recording().account() if names else Recording()
    path = day.at("09:00:00").fill(1, 20000).at("09:01:00").fill(-1, 20001, 2).write(tmp_path / "day.jsonl")
    settings, texts = tmp_path / "riskcore.toml", list[str]()
    settings.write_text(f'[profile]\nname = "p"\n{text}')
    run_replay([path], config_path=settings, config_given=True, warn=texts.append)
    return [one for one in texts if "names no account" in one]


@pytest.mark.parametrize("name", [NAME, str(ACCOUNT)])
def test_a_name_or_an_id_of_the_recording_is_known(tmp_path: Path, name: str) -> None:
    assert said_by_replay(tmp_path, TABLE.format(name, name) + GROUP.format(name)) == []


def test_a_name_that_the_recording_does_not_have_is_said(tmp_path: Path) -> None:
    assert said_by_replay(tmp_path, TABLE.format("NOPE", "NOPE") + GROUP.format("9")) == [
        f'[accounts."NOPE"] names no account of the recording, so it counts for none; there is {NAME}',
        f"group 'group': accounts (9) names no account of the recording; there is {NAME}",
    ]


def test_an_account_that_the_profile_lists_may_be_in_another_recording(tmp_path: Path) -> None:
    text = f'accounts = ["{NAME}", "SECOND"]\n' + TABLE.format("SECOND", "SECOND") + GROUP.format("SECOND")
    assert said_by_replay(tmp_path, text) == []


def test_without_account_names_a_table_by_name_counts_for_nobody_and_a_group_for_all(tmp_path: Path) -> None:
    """The profile's names count for every account of such a recording, overrides by id alone (INTERFACE.md 4)."""
    text = f'accounts = ["{NAME}"]\n' + TABLE.format(NAME, NAME) + GROUP.format(NAME)
    assert said_by_replay(tmp_path, text, names=False) == [
        f'[accounts."{NAME}"] names no account of the recording, so it counts for none; there is {ACCOUNT}'
    ]
    text = TABLE.format(ACCOUNT, ACCOUNT) + GROUP.format(NAME)
    assert said_by_replay(tmp_path, text, names=False) == []


def test_a_login_has_every_account_that_the_settings_name() -> None:
    plain = read_settings('[profile]\nname = "p"\naccounts = ["A", "B"]\n' + TABLE.format("B", "A")).plain
    texts = unmatched_of_login(plain, [Account(7, name="A")])
    assert texts == [
        "profile.accounts (B) names no account of this login; there is A",
        '[accounts."B"] names no account of this login, so it counts for none; there is A',
    ]
    assert unmatched_of_login(plain, [Account(7, name="A"), Account(8, name="B")]) == []
