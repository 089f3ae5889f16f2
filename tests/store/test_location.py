"""Where the journal is looked for, and which profile of it is meant."""

import sys
from pathlib import Path

import pytest

from riskcore.errors import ConfigError
from riskcore.store import location
from riskcore.store.journal import Journal
from tests.core.ledger import Ledger, usd


def journal_of(path: Path, *profiles: str) -> str:
    from dataclasses import replace

    from riskcore.core.events import TradingDayOpened

    for profile in profiles:
        day = Ledger(daily_realized_loss={"loss_limit": usd("500")})
        first = day.events[0]
        assert isinstance(first.body, TradingDayOpened)
        with Journal.open(path, profile, write=True) as journal:
            journal.append([replace(first, body=replace(first.body, profile=profile)), *day.events[1:]])
    return str(path)


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "data"}, Path("data/riskcore")),
        ("linux", {}, Path("home/.local/share/riskcore")),
        ("darwin", {}, Path("home/Library/Application Support/riskcore")),
        ("win32", {"LOCALAPPDATA": "local"}, Path("local/riskcore")),
        ("win32", {}, Path("home/AppData/Local/riskcore")),
    ],
)
def test_the_data_folder_of_each_system(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], folder: Path
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert location.user_data_folder() == folder


def test_the_default_store_is_in_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(location, "user_data_folder", lambda: tmp_path)
    with pytest.raises(ConfigError, match="the default"):
        location.existing_store(None)
    (tmp_path / "journal.db").touch()
    assert location.existing_store(None) == str(tmp_path / "journal.db")


def test_a_url_is_left_to_the_back_end() -> None:
    assert location.existing_store("postgresql://server/riskcore") == "postgresql://server/riskcore"


def test_the_only_profile_is_meant_whatever_the_settings_say(tmp_path: Path) -> None:
    where = journal_of(tmp_path / "one.db", "one")
    assert location.choose_profile(where, None, "other") == "one"
    with pytest.raises(ConfigError, match="no profile other here; it holds one"):
        location.choose_profile(where, "other", None)


def test_of_several_profiles_one_must_be_named(tmp_path: Path) -> None:
    where = journal_of(tmp_path / "two.db", "one", "two")
    assert location.choose_profile(where, "two", "one") == "two"
    assert location.choose_profile(where, None, "one") == "one"
    for configured in (None, "three"):
        with pytest.raises(ConfigError, match="--profile: one, two"):
            location.choose_profile(where, None, configured)


def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    Journal.open(tmp_path / "empty.db", "one", write=True).close()
    with pytest.raises(ConfigError, match="empty"):
        location.choose_profile(str(tmp_path / "empty.db"), None, None)


def test_days_are_chosen_in_order_and_missing_ones_named() -> None:
    stored = ["2026-11-19", "2026-11-20", "2026-11-23"]
    assert location.choose_days(stored, (), "profile one") == stored
    assert location.choose_days(stored, ("2026-11-23", "2026-11-19"), "profile one") == ["2026-11-19", "2026-11-23"]
    with pytest.raises(ConfigError, match=r"no day 2026-11-21; it holds 2026-11-19, 2026-11-20, 2026-11-23"):
        location.choose_days(stored, ("2026-11-20", "2026-11-21"), "profile one")


def test_of_many_days_the_last_are_named() -> None:
    assert location.shortened([str(number) for number in range(300)]).startswith("300 in all, the last: 288, ")


def test_a_file_that_is_not_there_is_a_mistake_however_it_is_named(tmp_path: Path) -> None:
    journal = journal_of(tmp_path / "journal.db", "combine")
    assert location.existing_store(f"sqlite://{journal}") == f"sqlite://{journal}"
    for name in (str(tmp_path / "none.db"), f"sqlite://{tmp_path / 'none.db'}", str(tmp_path)):
        with pytest.raises(ConfigError, match="there is no journal here"):
            location.existing_store(name)
