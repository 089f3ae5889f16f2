"""A live engine at a broker that closes hubs whose token has ended: none lives as long as its token."""

from dataclasses import replace
from pathlib import Path

from adapters.simulator.scenarios import SCENARIOS
from tests.cli.live_run import Live, play

LIFE_SECONDS = 120


def test_hubs_are_opened_anew_before_their_token_ends(tmp_path: Path) -> None:
    scenario = replace(SCENARIOS["quiet"], token_life_seconds=LIFE_SECONDS, sockets_end_with_tokens=True)
    reasons: list[str] = []

    async def plot(live: Live) -> None:
        await live.until(
            lambda: all(len(hub.attempts) >= 4 for hub in live.gateway.hubs.values()),
            "three renewals",
            5 * LIFE_SECONDS,
        )
        await live.until(lambda: set(live.engine.book.connections.values()) == {"connected"}, "both hubs")
        answer = await live.asked(ask="health")
        reasons.extend(hub["last_reason"] for hub in answer["measured"]["hubs"])
        reasons.append(answer["measured"]["seen_by"])

    live = play(tmp_path, scenario, plot, scale=20)
    assert [hub.outlived for hub in live.gateway.hubs.values()] == [0, 0]
    renewed = "the login was renewed, so the hub is reopened with the fresh token"
    assert reasons == [renewed, renewed, "stream"]
