"""Looks wanted at the same time are one, and begin after the last of them was wanted (RULES.md 1.6 "Pace")."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from adapters.topstepx import joined_looks
from adapters.topstepx.client import Client
from adapters.topstepx.joined_looks import APART_NS, JoinedLooks
from adapters.topstepx.quota import Quota
from riskcore.core.quantities import SECOND_NS
from tests.simulation.virtual_time import SimulatedClock, Wall, run_simulated

ACCOUNT, OTHER = 7, 8
START = 1_795_262_400 * SECOND_NS
LASTS_SECONDS = 0.5


class Desk:
    """Looks of half a second each; `begun` notes account, second, since and urgency."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun: list[tuple[int, float, int, bool]] = []
        self.complete = True
        self.quota = Quota()
        patch.setattr(joined_looks, "take_snapshot", self._take)

    def run(self, use: Callable[["Desk"], Awaitable[None]]) -> None:
        async def whole() -> None:
            self.loop = asyncio.get_running_loop()
            self.clock = SimulatedClock(Wall(self.loop, START))
            client: Client = None  # type: ignore[assignment]
            self.looks = JoinedLooks(client, self.quota, self.clock)
            await use(self)

        run_simulated(whole())

    async def _take(self, client: Client, account: int, since: int, enforcement: bool) -> bool:
        self.begun.append((account, self.loop.time(), since, enforcement))
        for _ in range(5):
            self.quota.spend(self.clock.now(), "/api/Position/searchOpen")
        await asyncio.sleep(LASTS_SECONDS)
        return self.complete

    def want(self, since: int = 5, account: int = ACCOUNT, *, urgent: bool = True) -> "asyncio.Task[bool]":
        return asyncio.create_task(self.looks.look(account, since, urgent))


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(monkeypatch)


def test_looks_wanted_while_one_is_under_way_are_one_that_begins_behind_it(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        first = desk.want()
        await asyncio.sleep(0.1)
        later = [desk.want(since) for since in (9, 3, 6)]
        assert await asyncio.gather(first, *later) == [True] * 4
        assert desk.begun == [(ACCOUNT, 0, 5, True), (ACCOUNT, LASTS_SECONDS, 3, True)]

    desk.run(use)


def test_a_look_wanted_when_the_next_has_begun_waits_for_one_more(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        wanted = []
        for _ in range(20):
            wanted.append(desk.want())
            await asyncio.sleep(0.1)
        await asyncio.gather(*wanted)
        assert [at for _, at, _, _ in desk.begun] == pytest.approx([0, 0.5, 1.0, 1.5, 2.0])

    desk.run(use)


def test_what_is_not_complete_is_so_for_everybody(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        desk.complete = False
        first = desk.want()
        await asyncio.sleep(0.1)
        assert await asyncio.gather(first, desk.want(), desk.want()) == [False] * 3

    desk.run(use)


def test_accounts_do_not_wait_for_each_other(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        await asyncio.gather(desk.want(), desk.want(account=OTHER))
        assert [(account, at) for account, at, _, _ in desk.begun] == [(ACCOUNT, 0), (OTHER, 0)]

    desk.run(use)


def test_an_urgent_look_does_not_wait_for_one_that_is_not_and_serves_both(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        calm = desk.want(urgent=False)
        await asyncio.sleep(0.1)
        urgent = desk.want()
        await asyncio.sleep(0.1)
        both = [desk.want(), desk.want(2, urgent=False)]
        await asyncio.gather(calm, urgent, *both)
        assert desk.begun == [
            (ACCOUNT, 0, 5, False),
            (ACCOUNT, pytest.approx(0.1), 5, True),
            (ACCOUNT, pytest.approx(0.6), 2, True),
        ]

    desk.run(use)


def test_whoever_waits_is_not_left_behind_when_the_one_who_asks_is_cancelled(desk: Desk) -> None:
    async def use(desk: Desk) -> None:
        first = desk.want()
        await asyncio.sleep(0.1)
        leader, follower = desk.want(), desk.want()
        await asyncio.sleep(0.1)
        leader.cancel()
        assert await follower is False
        assert await first is True
        assert await desk.want() is True

    desk.run(use)


@pytest.mark.parametrize(("used", "apart"), [(75, LASTS_SECONDS), (76, APART_NS / SECOND_NS)])
def test_looks_begin_some_seconds_apart_while_the_quota_is_crowded(desk: Desk, used: int, apart: float) -> None:
    async def use(desk: Desk) -> None:
        for _ in range(used):
            desk.quota.spend(START, "/api/Position/searchOpen")
        first = desk.want()
        await asyncio.sleep(0.1)
        await asyncio.gather(first, desk.want())
        assert [at for _, at, _, _ in desk.begun] == pytest.approx([0, apart])

    desk.run(use)


@pytest.mark.parametrize("asks_every_seconds", [0.07, 0.1, 0.13, 0.3])
def test_an_account_that_asks_again_and_again_does_not_keep_another_one_waiting(
    desk: Desk, asks_every_seconds: float
) -> None:
    async def use(desk: Desk) -> None:
        wanted = []
        for _ in range(100):
            desk.quota.spend(START, "/api/Position/searchOpen")
        while desk.loop.time() < 10:
            wanted.append(desk.want())
            await asyncio.sleep(asks_every_seconds)
            if 0.6 < desk.loop.time() < 9:
                wanted.append(desk.want(account=OTHER))
        begun = [account for account, *_ in desk.begun]
        assert begun == [ACCOUNT, ACCOUNT, OTHER, ACCOUNT]
        await asyncio.gather(*wanted)

    desk.run(use)
