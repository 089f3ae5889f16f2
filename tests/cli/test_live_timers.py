"""A live engine that waits for an instant: what is due is not kept waiting for the next second (RULES.md 1.1)."""

from pathlib import Path

from adapters.simulator.scenarios import SCENARIOS
from riskcore.core.events import ClockTicked, LockoutEnded, LockRequested
from riskcore.core.quantities import SECOND_NS
from tests.cli.live_run import Live, play


def test_a_timer_wakes_the_engine_at_its_instant(tmp_path: Path) -> None:
    async def plot(live: Live) -> None:
        # Half a second after a tick, so that the next one would come half a second late.
        ticked_at = max(one.at for one in live.listener.events if isinstance(one.body, ClockTicked))
        live.engine.submit(LockRequested(99_000_001, ticked_at + 7 * SECOND_NS // 2, "a test", False))
        await live.until(lambda: any(isinstance(one.body, LockoutEnded) for one in live.listener.events), "the end")

    events = play(tmp_path, SCENARIOS["quiet"], plot, scale=1).listener.events
    ended = next(number for number, one in enumerate(events) if isinstance(one.body, LockoutEnded))
    woken = next(one for one in events[ended:] if isinstance(one.body, ClockTicked))
    assert woken.at - events[ended].at < SECOND_NS // 4
