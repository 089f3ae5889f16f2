"""Which accounts a live engine takes into its care: none that another engine closes and cuts already."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.simulator.scenario import AccountPlan
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.errors import ProfileBusy
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from riskcore.store.lease import AccountLocks, account_lock_path, is_held
from tests.cli.live_process import started
from tests.cli.live_run import Listener, Live, play

ACCOUNT = AccountPlan().id
QUIET = SCENARIOS["quiet"]


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


async def newcomer(live: Live, store: Path, *, enforces: bool = True) -> None:
    """Another engine on the same broker, with a journal of its own."""
    gateway = live.gateway
    run = Run(
        settings=read_settings(QUIET.settings),
        store=str(store),
        broker=Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key)),
        enforces=enforces,
        announcer=Listener(),
        warn=print,
        clock=live.clock,
    )

    async def ready(engine: object) -> None:
        await live.clock.sleep(5)

    await run_live(run, ready)


def test_an_account_that_another_engine_enforces_on_is_refused_whatever_its_store(tmp_path: Path) -> None:
    """Two engines would cut a position twice, and place two stops for one (RULES.md 8.7)."""

    async def second(live: Live) -> None:
        lock = account_lock_path(live.gateway.api_url, ACCOUNT)
        assert is_held(lock)
        with pytest.raises(ProfileBusy, match=f"another engine enforces on account {ACCOUNT}") as refused:
            await newcomer(live, tmp_path / "other" / "journal.db")
        assert refused.value.exit_code == 4
        assert is_held(lock)

    live = play(tmp_path, QUIET, second)
    lock = account_lock_path(live.gateway.api_url, ACCOUNT)
    assert not is_held(lock)
    assert not lock.exists(), "it goes with its engine"


def test_a_second_process_with_a_store_of_its_own_sends_nothing_and_names_the_first(tmp_path: Path) -> None:
    async def run() -> None:
        async with SimulatedGateway(QUIET) as gateway:
            stores = [tmp_path / name / "journal.db" for name in ("one", "two")]
            async with started(gateway, tmp_path, stores[0], QUIET.settings) as first:
                await first.until(lambda: first.of("ready"), "ready")
                async with started(gateway, tmp_path, stores[1], QUIET.settings) as second:
                    assert await second.engine.wait() == 4
                    while not second.complaint.endswith("\n"):
                        await asyncio.sleep(0.01)
                    for word in (f"account {ACCOUNT}", f"process {first.engine.pid}", str(stores[0]), "stop it first"):
                        assert word in second.complaint
                    assert second.of("request") == []
                async with started(gateway, tmp_path, stores[1], QUIET.settings, "--dry-run") as deciding:
                    await deciding.until(lambda: deciding.of("ready"), "what only decides is in nobody's way")
                first.engine.kill()
                await first.engine.wait()
                async with started(gateway, tmp_path, stores[1], QUIET.settings) as heir:
                    await heir.until(lambda: heir.of("ready"), "a lock dies with its process")
            assert gateway.broker.received == []

    asyncio.run(run())


def test_one_account_of_one_broker_has_one_lock_however_its_url_is_written() -> None:
    lock = account_lock_path("https://api.topstepx.com", 7)
    assert account_lock_path("https://API.topstepx.com:443/", 7) == lock
    assert account_lock_path("https://api.topstepx.com/api", 7) == lock
    assert account_lock_path("https://api.other.com", 7) != lock
    assert account_lock_path("http://127.0.0.1:4000", 7) != account_lock_path("http://127.0.0.1:4001", 7)
    assert account_lock_path("https://api.topstepx.com", 8) != lock


def test_a_home_that_cannot_be_written_to_does_not_stand_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").write_text("no folder")
    monkeypatch.setattr("riskcore.store.lease.gettempdir", lambda: str(tmp_path))
    lock = account_lock_path("https://api.topstepx.com", 7)
    assert lock.parent.is_dir()
    with AccountLocks("https://api.topstepx.com", "one") as one, AccountLocks("https://api.topstepx.com", "two") as two:
        one.take(7)
        one.take(7)
        with pytest.raises(ProfileBusy):
            two.take(7)


def test_a_funded_account_beside_is_left_alone_and_named(tmp_path: Path) -> None:
    accounts = (AccountPlan(), AccountPlan(id=ACCOUNT + 1, name="LFA-1", simulated=False))
    live = play(tmp_path, replace(QUIET, accounts=accounts), nothing, scale=5)
    [warning] = [figures["text"] for kind, figures in live.listener.said if kind == "warning"]
    assert warning == f"account LFA-1 ({ACCOUNT + 1}) is live funded: it is neither judged nor touched"


def test_a_table_for_an_account_that_the_login_does_not_have_is_named(tmp_path: Path) -> None:
    settings = f'{QUIET.settings}\n[accounts."NOPE".rules.max_contracts]\nlimit = 1\n'
    live = play(tmp_path, replace(QUIET, settings=settings), nothing, scale=5)
    [warning] = [figures["text"] for kind, figures in live.listener.said if kind == "warning"]
    assert warning.startswith('[accounts."NOPE"] names no account of this login, so it counts for none; there is ')


async def nothing(live: Live) -> None:
    pass


def test_an_engine_that_only_decides_is_in_nobodys_way(tmp_path: Path) -> None:
    async def second(live: Live) -> None:
        await newcomer(live, tmp_path / "other" / "journal.db", enforces=False)

    play(tmp_path, QUIET, second, scale=5)
