"""Looks at an account, joined into one: whoever wants one while another is under way shares the next (RULES.md 1.6).

A look answers only what was wanted before it began, so nobody joins one that is under way. Where the quota is half
used up, looks of all accounts begin some seconds apart and leave the rest to closes.
"""

import asyncio
from dataclasses import dataclass, field

from adapters.topstepx.client import Client
from adapters.topstepx.quota import Quota
from adapters.topstepx.snapshot import take_snapshot
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.ports import Clock

APART_NS = 3 * SECOND_NS  # Between the beginnings of two looks, five calls each, while the quota is crowded.


@dataclass(slots=True)
class _Look:
    """One that has not begun."""

    since: int
    complete: asyncio.Future[bool]


@dataclass(slots=True)
class _Lane:
    """The looks at one account. An urgent one does not wait for one that is not, which a quota may hold for long."""

    under_way: asyncio.Lock = field(default_factory=asyncio.Lock)
    next: _Look | None = None


class JoinedLooks:
    """Looks for one gateway."""

    def __init__(self, client: Client, quota: Quota, clock: Clock) -> None:
        self._client = client
        self._quota = quota
        self._clock = clock
        self._lanes: dict[tuple[int, bool], _Lane] = {}
        self._begun_at = 0
        self._turns = asyncio.Lock()

    async def look(self, account: int, since: int, urgent: bool) -> bool:
        """Everything about an account, asked for from now on, with fills since `since`; whether all of it came."""
        for known in (True, False) if not urgent else (True,):
            waiting = self._lane(account, known).next
            if waiting is not None:
                waiting.since = min(waiting.since, since)
                return await asyncio.shield(waiting.complete)
        lane = self._lane(account, urgent)
        lane.next = mine = _Look(since, asyncio.get_running_loop().create_future())
        complete = False
        try:
            async with lane.under_way:
                await self._turn()
                lane.next = None
                complete = await take_snapshot(self._client, account, mine.since, enforcement=urgent)
        finally:
            if lane.next is mine:
                lane.next = None
            mine.complete.set_result(complete)
        return complete

    async def _turn(self) -> None:
        """Wait while looks have to be few; in the order of asking, or a busy account would starve the others."""
        async with self._turns:
            while self._quota.crowded(self._clock.now()):
                wait_ns = self._begun_at + APART_NS - self._clock.now()
                if wait_ns <= 0:
                    break
                await self._clock.sleep(wait_ns / SECOND_NS)
            self._begun_at = self._clock.now()

    def _lane(self, account: int, urgent: bool) -> _Lane:
        return self._lanes.setdefault((account, urgent), _Lane())
