"""A core that fails on a fill, in a real process: it is left out, and the limits act without that fill."""

import asyncio
from pathlib import Path

import pytest

from adapters.simulator.server import SimulatedGateway
from replay.source import Source
from replay.verify import verify
from riskcore.core.events import FactQuarantined, RuleFaulted
from riskcore.engine.recovery import GOES_ON, MOST_FAILURES
from riskcore.engine.resume import resume
from riskcore.live.run import FOR_GOOD
from riskcore.store.journal import Journal
from tests.cli.live_process import PATIENCE_SECONDS, Process, Row, started
from tests.cli.poisoned import PLACES
from tests.cli.test_live_full_disk import MARKET, PROFILE, SETTINGS, Stage, buy


@pytest.mark.parametrize("place", PLACES)
def test_the_engine_goes_on_without_the_fill_and_closes_the_loss(place: str, tmp_path: Path) -> None:
    store = tmp_path / "journal.db"

    async def run() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            module = ("tests.cli.poisoned", place)
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as live:
                await live.until(lambda: live.of("ready"), "ready")
                stage = Stage(gateway, live, tmp_path)
                await stage.buy()
                await live.until(lambda: live.of("halt"), "the halt")
                [halt] = live.of("halt")
                assert (halt["text"], halt["limits_act"], halt["over"]) == (GOES_ON, True, True)
                assert [key.partition(":")[0] for key in halt["left_out"]] == ["trade"]
                told = [row["text"] for row in live.of("drift") if "TradeRecorded" in row.get("text", "")]
                assert told, "it says what it goes on without"
                stage.fall()
                await live.until(gateway.broker.flat, "flat")
                assert (len(live.of("halt")), len(live.of("ready"))) == (1, 1)
                assert await live.stop() == 0
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as later:
                await later.until(lambda: later.of("ready"), "ready in a later process")
                assert later.of("halt") == []
                assert await later.stop() == 0

    asyncio.run(run())
    for path in tmp_path.glob("*state*"):
        path.unlink()
    with Journal.open(str(store), PROFILE) as journal:
        assert any(isinstance(event.body, FactQuarantined) for event in resume(journal).left_out)
    check = verify(Source(store=str(store), profile=PROFILE))
    assert check.exit_code() == 0, check.result()


def closed(live: Process) -> list[Row]:
    """The broker's yes to closing a part of the position."""
    kinds = [row for row in live.of("outcome") if row["kind"] == "partialCloseContract"]
    return [row for row in kinds if row["outcome"] == "accepted"]


@pytest.mark.parametrize("place", ["evaluate", "remember"])
def test_a_rule_that_raises_lets_nothing_be_opened_and_ends_no_engine(place: str, tmp_path: Path) -> None:
    store = tmp_path / "journal.db"

    async def run() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            module = ("tests.cli.poisoned", place)
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as live:
                await live.until(lambda: live.of("ready"), "ready")
                stage = Stage(gateway, live, tmp_path)
                await stage.buy()
                await live.until(lambda: "RULE-004 failed" in str(live.said), "it says that the rule failed")
                await stage.buy()
                await live.until(lambda: closed(live), "what was opened since is closed again")
                assert not gateway.broker.flat(), "what was held before stays"
                assert live.of("halt") == []
                assert await live.stop() == 0
                assert "Traceback" not in live.complaint

    asyncio.run(run())
    with Journal.open(str(store), PROFILE) as journal:
        stored = [event.body for day in journal.streams() for _, event, _ in journal.read(day)]
    [fault] = [body for body in stored if isinstance(body, RuleFaulted)]
    assert (fault.rule, fault.text) == ("RULE-004", "AssertionError: made to break")


def test_a_list_of_positions_that_always_fails_ends_it_after_the_allowed_failures(tmp_path: Path) -> None:
    store = tmp_path / "journal.db"

    async def run() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            buy(gateway)
            await asyncio.sleep(2)
            module = ("tests.cli.poisoned", "positions")
            async with started(gateway, tmp_path, store, SETTINGS, module=module) as live:
                assert await asyncio.wait_for(live.engine.wait(), PATIENCE_SECONDS) == 1
            halts = live.of("halt")
            assert [halt["text"] for halt in halts] == [GOES_ON] * MOST_FAILURES + [FOR_GOOD]
            contract = gateway.broker.active_contract("MNQ")
            assert all(f"at fault: row 1 of 1, {contract}" in halt["reason"] for halt in halts)
            assert f"at fault: row 1 of 1, {contract}" in live.complaint
            assert "Traceback" not in live.complaint

    asyncio.run(run())
    with Journal.open(str(store), PROFILE) as journal:
        stored = [event.body for day in journal.streams() for _, event, _ in journal.read(day)]
    assert sum(isinstance(body, FactQuarantined) for body in stored) == MOST_FAILURES + 1
