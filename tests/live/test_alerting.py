"""Where it is remembered what was sent: one memory a profile, also for a journal on a server."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

import pytest

from adapters.topstepx.credentials import Credentials
from riskcore.engine.clock import SystemClock
from riskcore.errors import ProfileBusy
from riskcore.live.alerting import alerting
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests.cli.live_run import Listener


async def remembered(store: str, profile: str) -> None:
    settings = read_settings(f'[profile]\nname = "{profile}"\n[alerts]\nchannels = ["desktop"]\n')
    async with alerting(Listener(), settings, store, SystemClock(), enforces=True) as announcer:
        announcer.say("ready", accounts=[], enforces=True)


def test_two_profiles_of_one_store_have_a_memory_each(tmp_path: Path) -> None:
    for profile in ("mine", "yours"):
        asyncio.run(remembered(str(tmp_path / "journal.db"), profile))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["journal.db.mine.alerts", "journal.db.yours.alerts"]


def test_an_engine_that_finds_the_profile_busy_touches_no_memory_of_the_other(tmp_path: Path) -> None:
    """What is there is what the first one is sending: a second one would send it again."""
    store = str(tmp_path / "journal.db")
    settings = read_settings('[profile]\nname = "mine"\n[alerts]\nchannels = ["desktop"]\n')
    broker = Broker("http://127.0.0.1:1", "http://127.0.0.1:1", Credentials("me", "key"))
    run = Run(settings, store, broker, enforces=True, announcer=Listener(), warn=lambda _: None)
    with Journal.open(store, "mine", write=True), pytest.raises(ProfileBusy):
        asyncio.run(run_live(run))
    assert not (tmp_path / "journal.db.mine.alerts").exists()


@pytest.mark.skipif(find_spec("psycopg") is None, reason="needs the extra postgres")
def test_the_memory_of_a_store_on_a_server_is_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskcore.store.recorder.user_folder", lambda _: tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    asyncio.run(remembered("postgresql://desk@127.0.0.1:1/riskcore", "mine"))
    assert [path.suffixes[-2:] for path in (tmp_path / "data").iterdir()] == [[".mine", ".alerts"]]


def test_without_channels_nothing_is_remembered(tmp_path: Path) -> None:
    listener, settings = Listener(), read_settings("[alerts]\nchannels = []\n")

    async def enter() -> None:
        async with alerting(
            listener, settings, str(tmp_path / "journal.db"), SystemClock(), enforces=True
        ) as announcer:
            assert announcer is listener

    asyncio.run(enter())
    assert list(tmp_path.iterdir()) == []
