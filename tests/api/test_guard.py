"""`riskcore.guard`: the live engine inside a program, against the simulated gateway over real sockets."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import riskcore
from adapters.simulator.scenario import Action
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.api.guard import Told, guarding
from riskcore.cli.main import run
from riskcore.engine.control_client import NoEngine
from riskcore.errors import ConfigError, LoginRefused, StoreError
from riskcore.live.run import Broker, Run
from riskcore.settings.config import read_settings
from riskcore.store.lease import is_held
from riskcore.store.recorder import lock_path
from tests.adapters.clocks import ScaledClock
from tests.cli.test_watchdog_command import phone

SETTINGS = """
[profile]
name = "bot"
[rules.max_contracts]
limit = 5
[rules.daily_realized_loss]
loss_limit = "500"
"""
# One contract is quoted, and the trader buys two of it.
SCENARIO = replace(SCENARIOS["quiet"], settings=SETTINGS, actions=(Action(1, "market", size=2),))
ACCOUNT = SCENARIO.accounts[0]
ORDER = riskcore.Order("MNQ", "buy", 1, stop_loss_ticks=40)
TOO_MUCH = riskcore.Order("MNQ", "buy", 4)
FINE = riskcore.Verdict(True, None, "")


@asynccontextmanager
async def guarded(folder: Path, enforces: bool = True) -> AsyncIterator[tuple[riskcore.Guard, SimulatedGateway]]:
    """A guard and its gateway, on a clock that runs fast."""
    clock = ScaledClock(5)
    async with SimulatedGateway(SCENARIO, seed=1, clock=clock) as gateway:
        told = Told(clock)
        wanted = Run(
            settings=read_settings(SETTINGS),
            store=str(folder / "journal.db"),
            broker=Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key)),
            enforces=enforces,
            announcer=told,
            warn=print,
            clock=clock,
            takes_signals=False,
        )
        async with guarding(wanted, told) as guard:
            yield guard, gateway


def play(folder: Path, plot: Callable[[riskcore.Guard, SimulatedGateway], Awaitable[None]], **options: Any) -> None:
    """Run a plot inside a guard. Raises what the plot or the engine raises."""

    async def all_of_it() -> None:
        async with guarded(folder, **options) as (guard, gateway):
            await plot(guard, gateway)

    asyncio.run(all_of_it())


def assert_in_order(folder: Path) -> list[riskcore.StoredEvent]:
    """The journal is whole, its last call is the logout, and nobody holds it; the events of its last day."""
    store = str(folder / "journal.db")
    assert not is_held(lock_path(store, "bot"))
    assert run(["verify", "--store", store, "--quiet"]) == 0
    with riskcore.open_journal(store) as journal:
        events = list(journal.events(journal.days[-1]))
    assert [event.data["path"] for event in events if event.type == "CallObserved"][-1] == "/api/Auth/logout"
    return events


async def until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came true: {what}")


def test_a_bot_checks_an_order_is_flattened_and_locked(tmp_path: Path) -> None:
    kinds: list[str] = []

    async def plot(guard: riskcore.Guard, gateway: SimulatedGateway) -> None:
        contract = gateway.broker.active_contract("MNQ")
        before = signal.getsignal(signal.SIGINT)
        assert guard.armed
        await until(lambda: gateway.broker.position(ACCOUNT.id, contract) == 2, "the trader has bought")
        await until(lambda: len(guard._running().book.accounts[ACCOUNT.id].held()) == 1, "the engine has seen it")
        assert await guard.check(ORDER) == FINE
        assert (await guard.check(TOO_MUCH)).rule == "RULE-001"
        assert (await guard.check(replace(ORDER, size=3, stop_loss_ticks=250))).rule == "RULE-003"
        with pytest.raises(ConfigError, match="no contract"):
            await guard.check(replace(ORDER, contract="NOPE"))
        assert (await guard.flatten(ACCOUNT.id))["carried_out"]
        await until(lambda: gateway.broker.position(ACCOUNT.id, contract) == 0, "flat at the broker")
        await until(lambda: not guard._running().book.accounts[ACCOUNT.id].obligations, "the engine has seen it")
        assert await guard.check(ORDER) == FINE, "without a lockout"
        assert len((await guard.cancel_all())["commands"]) == 1
        locked = await guard.lock("day", "enough", account=ACCOUNT.name)
        assert locked["accounts"][0]["locked"]
        assert (await guard.check(ORDER)).rule == "OPERATOR"
        async for happening in guard:
            kinds.append(happening["type"])
            if happening["type"] == "lockout":
                break
        assert signal.getsignal(signal.SIGINT) is before, "Ctrl-C is the program's own"

    play(tmp_path, plot)
    assert (kinds.count("ready"), kinds[-1]) == (1, "lockout")
    assert {"request", "outcome", "command"} <= {*kinds}
    assert [event.type for event in assert_in_order(tmp_path)].count("FlattenRequested") == 2


def test_a_dry_run_checks_alike_and_sends_nothing(tmp_path: Path) -> None:
    async def plot(guard: riskcore.Guard, gateway: SimulatedGateway) -> None:
        contract = gateway.broker.active_contract("MNQ")
        await until(lambda: gateway.broker.position(ACCOUNT.id, contract) == 2, "the trader has bought")
        assert await guard.check(ORDER) == FINE
        assert not (await guard.flatten())["carried_out"]
        await asyncio.sleep(0.5)
        assert gateway.broker.position(ACCOUNT.id, contract) == 2

    play(tmp_path, plot, enforces=False)
    assert "RequestAttempted" not in {event.type for event in assert_in_order(tmp_path)}


def test_an_error_of_the_bot_stops_the_engine_in_good_order(tmp_path: Path) -> None:
    guards: list[riskcore.Guard] = []
    cause = LookupError("why")

    async def plot(guard: riskcore.Guard, gateway: SimulatedGateway) -> None:
        guards.append(guard)
        raise ZeroDivisionError("of the bot") from cause

    with pytest.raises(ZeroDivisionError, match="of the bot") as raised:
        play(tmp_path, plot)
    assert raised.value.__cause__ is cause
    assert_in_order(tmp_path)
    assert not guards[0].armed
    with pytest.raises(NoEngine):
        asyncio.run(guards[0].check(ORDER))


def test_a_bot_that_is_cancelled_stops_the_engine_in_good_order(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        entered = asyncio.Event()

        async def bot() -> None:
            async with guarded(tmp_path) as (guard, _):
                entered.set()
                async for _ in guard:
                    pass

        task = asyncio.create_task(bot())
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(all_of_it())
    assert_in_order(tmp_path)


def test_an_engine_that_fails_for_good_ends_the_block_with_its_error(tmp_path: Path) -> None:
    ended: list[str] = []

    async def plot(guard: riskcore.Guard, gateway: SimulatedGateway) -> None:
        guard._running()._failed(StoreError("the disk is gone"))
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    with pytest.raises(StoreError, match="the disk is gone"):
        play(tmp_path, plot)
    assert ended == ["cancelled"]


def test_happenings_end_with_the_guard(tmp_path: Path) -> None:
    async def all_of_it() -> list[str]:
        async def read(guard: riskcore.Guard) -> list[str]:
            return [happening["type"] async for happening in guard]

        async with guarded(tmp_path) as (guard, _):
            reader = asyncio.create_task(read(guard))
            await asyncio.sleep(0.1)
        return await asyncio.wait_for(reader, 5)

    assert "ready" in asyncio.run(all_of_it())


def test_a_guard_as_a_program_starts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rules = tmp_path / "riskcore.toml"
    warnings: list[str] = []

    async def program(**options: Any) -> riskcore.Verdict:
        async with riskcore.guard(rules, dry_run=True, **options) as guard:
            return await guard.check(TOO_MUCH)

    async def all_of_it() -> None:
        async with SimulatedGateway(SCENARIOS["quiet"]) as gateway:
            monkeypatch.setenv("RISKCORE_API_URL", gateway.api_url)
            monkeypatch.setenv("RISKCORE_RTC_URL", gateway.rtc_url)
            monkeypatch.setenv("RISKCORE_STORE", str(tmp_path / "journal.db"))
            login = {"user_name": gateway.user_name, "api_key": gateway.api_key}
            verdict = await program(**login, warn=warnings.append)
            assert verdict == replace(FINE, text="not tried against the loss limits: give the distance of the stop")
            assert_in_order(tmp_path)
            with pytest.raises(LoginRefused):
                await program(user_name=gateway.user_name, api_key="wrong")

    rules.write_text(f"{SETTINGS}[rules.symbol_blocks]\nshadow = true\n", encoding="utf-8")
    asyncio.run(all_of_it())
    assert any("only records" in text for text in warnings)
    assert warnings == [record.message for record in caplog.records if record.name == "riskcore"]


def test_the_channels_of_the_settings_are_told(tmp_path: Path) -> None:
    rules, scenario = tmp_path / "riskcore.toml", replace(SCENARIO, actions=(Action(1, "market", size=6),))

    async def program(url: str, heard: list[Any]) -> None:
        rules.write_text(f'{SETTINGS}[alerts]\nchannels = ["{url}"]\n', encoding="utf-8")
        async with SimulatedGateway(scenario, seed=1) as gateway:
            login = {"user_name": gateway.user_name, "api_key": gateway.api_key}
            urls = {"api_url": gateway.api_url, "rtc_url": gateway.rtc_url}
            async with riskcore.guard(rules, store=tmp_path / "journal.db", **login, **urls):
                await until(lambda: any("RULE-001" in row["title"] for row in heard), "the alert has arrived")

    with phone() as (url, heard):
        asyncio.run(program(url, heard))
    assert (tmp_path / "journal.db.bot.alerts").is_file(), "what was sent is remembered per profile"
    assert not [one for one in threading.enumerate() if "alerts" in one.name]
