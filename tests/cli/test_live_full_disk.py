"""A disk that fills up under a running engine: a file system of its own, full to the last block, and a real process."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from adapters.simulator.scenario import PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import RequestAttempted, RuleBreached
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of
from riskcore.store.journal import Journal
from riskcore.store.recorder import reserve_path
from tests.cli.live_process import PATIENCE_SECONDS, Process, started
from tests.store.full_disks import fill, small_disk

PROFILE = "full"
SETTINGS = f'[profile]\nname = "{PROFILE}"\n\n[rules.daily_unrealized_loss]\nloss_limit = "150"\n'
MARKET = Scenario("full-disk", "A long position loses its limit", SETTINGS, (PricePath("MNQ", "21000", noise_ticks=1),))
SIZE = 4


def buy(gateway: SimulatedGateway) -> None:
    """An order at market, as the platform places it."""
    login = {"userName": gateway.user_name, "apiKey": gateway.api_key}
    token = gateway.broker.rest("/api/Auth/loginKey", login, None, gateway.now())[1]["token"]
    account, contract = gateway.broker.accounts[0].id, gateway.broker.active_contract("MNQ")
    order = {"accountId": account, "contractId": contract, "type": 2, "side": 0, "size": SIZE}
    assert gateway.act("/api/Order/place", order, token)["success"]
    gateway.broker.received.pop()


class Stage:
    """A gateway, an engine, and the disk it stores on."""

    def __init__(self, gateway: SimulatedGateway, live: Process, disk: Path) -> None:
        self.gateway, self.live, self.disk = gateway, live, disk
        self.store = disk / "journal.db"
        self.reserve = reserve_path(str(self.store), PROFILE)

    def _calls(self) -> list[str]:
        return [call.path for call in self.gateway.broker.received]

    @property
    def closes(self) -> int:
        return self._calls().count("Position/closeContract")

    async def buy(self) -> None:
        """The trader buys in the platform."""
        buy(self.gateway)
        await asyncio.sleep(2)

    def fall(self) -> None:
        contract = self.gateway.broker.active_contract("MNQ")
        self.gateway.steer(contract, price_of("20960"), 2 * SECOND_NS)

    def halts(self) -> list[tuple[bool, bool]]:
        return [(row["over"], row["limits_act"]) for row in self.live.of("halt")]

    def use_up_the_reserve(self) -> None:
        os.truncate(self.reserve, 0)
        fill(self.disk)

    async def halted(self) -> None:
        """Whoever filled the disk takes whatever a checkpoint gives back, too."""
        for _ in range(PATIENCE_SECONDS * 5):
            if (False, False) in self.halts():
                return
            self.use_up_the_reserve()
            await asyncio.sleep(0.2)
        raise AssertionError("it never halts")


def play(tmp_path: Path, plot: Callable[[Stage], Awaitable[None]]) -> None:
    async def run() -> None:
        with small_disk(tmp_path / "disk") as disk:
            async with (
                SimulatedGateway(MARKET, seed=1) as gateway,
                started(gateway, tmp_path, disk / "journal.db", SETTINGS) as live,
            ):
                stage = Stage(gateway, live, disk)
                await live.until(lambda: live.of("ready"), "ready")
                await plot(stage)
                assert await live.stop() == 0
            with Journal.open(stage.store, PROFILE) as journal:
                journal.verify_storage()
                events = [event for day in journal.streams() for _, event, _ in journal.read(day)]
            attempts = [event.body for event in events if isinstance(event.body, RequestAttempted)]
            assert sum("/closeContract/" in body.request for body in attempts) == stage.closes
            breaches = [event for event in events if isinstance(event.body, RuleBreached)]
            assert len(breaches) == len(live.of("breach")) == 1

    asyncio.run(run())


def test_limits_go_on_acting_from_the_reserve(tmp_path: Path) -> None:
    async def plot(stage: Stage) -> None:
        await stage.buy()
        filler = fill(stage.disk)
        await stage.live.until(lambda: stage.halts() == [(False, True)], "the full disk is told")
        assert "DISK IS FULL" in stage.live.of("halt")[0]["text"]
        stage.fall()
        await stage.live.until(stage.gateway.broker.flat, "flat although the disk is full")
        assert stage.closes == 1
        filler.unlink()
        await stage.live.until(lambda: stage.halts()[1:] == [(True, True)], "over")
        assert stage.closes == 1

    play(tmp_path, plot)


def test_without_room_nothing_is_decided_and_nothing_is_sent_later_as_if_it_had_been(tmp_path: Path) -> None:
    async def plot(stage: Stage) -> None:
        await stage.buy()
        filler = fill(stage.disk)
        await stage.halted()
        told = stage.live.of("halt")[-1]
        assert "LIMITS DO NOT ACT ANY MORE" in told["text"]
        assert "full" in told["reason"]
        stage.fall()
        await asyncio.sleep(5)
        assert stage.closes == 0
        assert stage.live.of("breach") == []
        filler.unlink()
        # Begun again from the journal, the loss is judged anew: decided, stored, and only then sent.
        await stage.live.until(stage.gateway.broker.flat, "flat when limits act again")
        await stage.live.until(lambda: stage.live.of("outcome"), "it is told")
        kinds = [row["type"] for row in stage.live.said if row["type"] in ("halt", "breach", "request")]
        assert kinds.index("breach") > len(stage.halts()) - 1 < kinds.index("request"), kinds
        assert kinds.index("breach") < kinds.index("request")
        assert stage.halts()[-1] == (True, False)
        await stage.live.until(lambda: len(stage.live.of("ready")) == 2, "ready again")

    play(tmp_path, plot)
