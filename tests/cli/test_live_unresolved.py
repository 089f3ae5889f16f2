"""An order of the trader's whose answer is lost is looked up at once, not at the next periodic look."""

from pathlib import Path

import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.scenarios import SCENARIOS
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.snapshot_schedule import PERIOD_NS
from tests.cli.live_run import Live, Row, play

SOON_NS = 10 * SECOND_NS
assert 3 * SOON_NS < PERIOD_NS


@pytest.mark.parametrize("fault", ["answer_lost", "dropped"])
def test_a_cancellation_whose_answer_is_lost(tmp_path: Path, fault: str) -> None:
    answers: list[Row] = []

    async def plot(live: Live) -> None:
        placed = await live.asked(
            ask="order", action="place", contract="MNQ", side="buy", size=1, type="limit", limit_price="1000"
        )
        assert placed["outcome"] == "accepted", placed
        account = live.engine.judged()[0]
        await live.until(lambda: placed["order"] in account.orders, "the order")
        # Behind the look that every start takes, so that the next periodic one is far away.
        await live.clock.sleep(5)
        looked_at = live.engine.sight.snapshots.succeeded_at(account.id)
        live.gateway.inject(Fault(fault, "rest", only="/api/Order/cancel", times=1))
        answers.append(await live.asked(ask="order", action="cancel", order=placed["order"]))
        began_at = live.clock.now()
        if fault == "dropped":  # Else the hub may tell of the effect before the answer is given up.
            await live.until(lambda: live.engine.sight.snapshots.succeeded_at(account.id) > looked_at, "a look", 30)
        await live.until(lambda: not account.requests, "an end to not knowing", 30)
        assert live.clock.now() - began_at < SOON_NS

    play(tmp_path, SCENARIOS["quiet"], plot, scale=5)
    assert answers[0]["outcome"] == "unresolved"
