"""The lid of a laptop, and a clock that is set: what an engine says, and what it judges, and by which picture."""

import asyncio
import time
from pathlib import Path

import pytest

from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import Credentials
from riskcore.core.events import ClockTicked, EngineStarted, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.clock import SystemClock
from riskcore.engine.engine import Engine
from riskcore.live.run import Broker, Run, run_live
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests.cli.live_run import Listener
from tests.cli.test_live_full_disk import MARKET, buy

PROFILE = "lid"
SETTINGS = f'[profile]\nname = "{PROFILE}"\n\n[rules.no_stop_loss_grace]\ngrace_period_seconds = 600\n'
SLEPT_SECONDS = 7200


class SettableClock(SystemClock):
    """The machine's clocks; the wall clock can be set, which is also what a sleep looks like afterwards."""

    def __init__(self) -> None:
        self.offset_ns = 0
        super().__init__(lambda: time.time_ns() + self.offset_ns)

    def set_ahead(self, seconds: float) -> None:
        self.offset_ns += round(seconds * SECOND_NS)


class Laptop:
    """An engine with a position open, beside its gateway."""

    def __init__(self, gateway: SimulatedGateway, engine: Engine, clock: SettableClock, listener: Listener) -> None:
        self.gateway, self.engine, self.clock, self.listener = gateway, engine, clock, listener

    def said(self, kind: str) -> list[dict[str, object]]:
        return [figures for name, figures in self.listener.said if name == kind]

    def stored(self, kind: type) -> list[object]:
        return [event.body for event in self.listener.events if isinstance(event.body, kind)]

    def held(self) -> bool:
        return any(account.held() for account in self.engine.book.accounts.values())

    async def until(self, holds: object, what: str, seconds: float = 60) -> None:
        assert callable(holds)
        for _ in range(int(seconds * 20)):
            if holds():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}")

    def close_by_hand(self) -> None:
        """The trader closes on the phone."""
        login = {"userName": self.gateway.user_name, "apiKey": self.gateway.api_key}
        broker = self.gateway.broker
        token = broker.rest("/api/Auth/loginKey", login, None, self.gateway.now())[1]["token"]
        asked = {"accountId": broker.accounts[0].id, "contractId": broker.active_contract("MNQ")}
        assert self.gateway.act("/api/Position/closeContract", asked, token)["success"]

    def sleep_and_wake(self) -> None:
        """Nothing runs for two hours; the first that runs afterwards is a tick, before anything was heard."""
        self.clock.set_ahead(SLEPT_SECONDS)
        self.engine.inbox.fact(ClockTicked(), "clock", "clock")


def play(folder: Path, plot: object) -> Laptop:
    assert callable(plot)
    seen: list[Laptop] = []
    failures: list[BaseException] = []

    async def run() -> None:
        clock, listener, store = SettableClock(), Listener(), str(folder / "journal.db")
        async with SimulatedGateway(MARKET, seed=1) as gateway:

            async def until(engine: Engine) -> None:
                laptop = Laptop(gateway, engine, clock, listener)
                seen.append(laptop)
                try:
                    await laptop.until(lambda: engine.ready, "ready")
                    buy(gateway)
                    await laptop.until(laptop.held, "held")
                    await plot(laptop)
                except BaseException as error:
                    failures.append(error)

            login = Credentials(gateway.user_name, gateway.api_key)
            await run_live(
                Run(
                    settings=read_settings(SETTINGS),
                    store=store,
                    broker=Broker(gateway.api_url, gateway.rtc_url, login),
                    enforces=True,
                    announcer=listener,
                    warn=lambda text: None,
                    clock=clock,
                ),
                until,
            )
            with Journal.open(store, PROFILE) as journal:
                journal.verify_storage()

    asyncio.run(run())
    for failure in failures:
        raise failure
    return seen[0]


def test_what_was_closed_while_the_computer_slept_breaches_nothing(tmp_path: Path) -> None:
    async def plot(laptop: Laptop) -> None:
        laptop.close_by_hand()
        laptop.sleep_and_wake()
        await laptop.until(lambda: len(laptop.said("ready")) == 2, "ready once more")
        await laptop.until(lambda: not laptop.held(), "flat")

    laptop = play(tmp_path, plot)
    assert [one["seconds"] for one in laptop.said("pause")] == [SLEPT_SECONDS]
    assert len(laptop.stored(EngineStarted)) == 2
    assert laptop.stored(RuleBreached) == []


def test_what_is_still_open_without_a_stop_is_closed_once_it_was_seen(tmp_path: Path) -> None:
    async def plot(laptop: Laptop) -> None:
        laptop.sleep_and_wake()
        await laptop.until(lambda: laptop.stored(RuleBreached), "breached")
        await laptop.until(laptop.gateway.broker.flat, "flat")

    laptop = play(tmp_path, plot)
    [breach] = laptop.stored(RuleBreached)
    assert isinstance(breach, RuleBreached)
    assert breach.rule == "RULE-008"
    assert breach.id.startswith("orders:"), "the broker's own list led to it, not the time that passed"
    closes = [call for call in laptop.gateway.broker.received if "close" in call.path.lower()]
    assert len(closes) == 1, "no second close for the same position"


def test_a_clock_that_is_set_back_is_told_and_disturbs_nothing(tmp_path: Path) -> None:
    async def plot(laptop: Laptop) -> None:
        at = laptop.engine.book.now
        laptop.clock.set_ahead(-3600)
        await laptop.until(lambda: laptop.said("clock"), "told")
        await laptop.until(lambda: laptop.engine.book.now > at + 3 * SECOND_NS, "time goes on")

    laptop = play(tmp_path, plot)
    [told] = laptop.said("clock")
    assert told["seconds"] in (-3600, -3599)
    assert laptop.said("pause") == []
    ats = [event.at for event in laptop.listener.events]
    assert ats == sorted(ats)
    assert len(laptop.said("ready")) == 1


@pytest.mark.parametrize(("seconds", "told"), [(1.5, []), (20.0, [20])])
def test_a_small_step_ahead_needs_no_new_look(tmp_path: Path, seconds: float, told: list[int]) -> None:
    async def plot(laptop: Laptop) -> None:
        laptop.clock.set_ahead(seconds)
        await asyncio.sleep(2.5)

    laptop = play(tmp_path, plot)
    assert [one["seconds"] for one in laptop.said("clock")] in (told, [one - 1 for one in told])
    assert laptop.said("pause") == []
