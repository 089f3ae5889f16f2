"""One settings file under many overrides gives what reading it anew for each of them gives."""

from itertools import product
from pathlib import Path

import pytest

from riskcore.errors import ConfigError
from riskcore.settings.assignments import parse_toml
from riskcore.settings.config import Settings, SettingsFile, find_file, load_settings, read_once

TEXT = """
[profile]
accounts = ["A", "B"]
[rules.daily_realized_loss]
loss_limit = 500.5
[rules.max_contracts]
[[rules.period_loss]]
period = "weekly"
loss_limit = "1000"
[[rules.period_loss]]
period = "monthly"
loss_limit = "2000"
[accounts.B.rules.daily_realized_loss]
loss_limit = 100
"""
SETS = (
    (),
    ("rules.daily_realized_loss.loss_limit=100.25",),
    ('rules.daily_realized_loss.loss_limit="100.25"',),
    ("rules.daily_realized_loss.enabled=true",),
    ("rules.daily_realized_loss.enabled=1",),
    ("rules.daily_realized_loss.shadow=true", "rules.max_contracts.limit=0"),
    ("rules.period_loss.1.loss_limit=off",),
    ("accounts.B.rules.daily_realized_loss.loss_limit=7", "profile.pnl_basis=gross"),
    ("rules.max_contracts.limits=3",),
    ("rules.nothing.limit=3",),
)


def told(file: SettingsFile, sets: tuple[str, ...]) -> tuple[object, ...]:
    try:
        found = file.under(sets)
    except ConfigError as error:
        return (str(error),)
    return found.plain, found.warnings, found.source, found.keep_payloads, found.api, found.alerts


@pytest.mark.parametrize("order", [1, -1])
def test_each_override_gives_what_it_gives_by_itself(tmp_path: Path, order: int) -> None:
    path = tmp_path / "riskcore.toml"
    path.write_text(TEXT, encoding="utf-8")
    once = SettingsFile.read(path)
    for sets in [*SETS, *(first + second for first, second in product(SETS[1:4], SETS[4:8]))][::order]:
        expected = told(SettingsFile.read(path), sets)
        assert told(once, sets) == expected
        assert told(once, sets) == expected, "also a second time"
    assert once.under().plain == load_settings(path).plain


def test_a_number_and_a_text_that_look_alike_are_told_apart() -> None:
    number, text = (parse_toml(f"value = {written}") for written in ("2.0", '"2.0"'))
    assert repr(number) != repr(text), "known tables are found by that"


def test_equal_tables_are_one() -> None:
    once = SettingsFile(TEXT)
    first, second = (once.under([f"rules.daily_realized_loss.loss_limit={limit}"]).plain["rules"] for limit in (1, 2))
    assert first["max_contracts"][0] is second["max_contracts"][0]
    assert first["daily_realized_loss"][0]["loss_limit"] == second["daily_realized_loss"][0]["loss_limit"] // 2


def test_without_a_file_the_defaults_are_said_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "none")
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    assert find_file() is None
    once = read_once(None)
    assert isinstance(once, SettingsFile)
    assert read_once(once) is once
    for sets in ((), ("rules.max_contracts.limit=3",)):
        assert once.under(sets) == load_settings(None, sets)
    assert "no riskcore.toml found" in once.under().warnings[0]
    given = Settings({})
    assert read_once(given) is given


def test_a_folder_that_may_not_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rules might be there: to go on with the defaults would guard nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)

    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(ConfigError, match=r"riskcore\.toml: cannot be looked for: Permission denied; name it with"):
        find_file()
