"""The TopstepX broker as the engine's Gateway: what it asks, and how what it wants is carried out.

Every exchange becomes a line before a call returns, and no call but `open` raises: what went wrong is an outcome.
Source: DESIGN.md "Requests to the broker" and "Connection and truth", topstepx/API.md 2.
"""

from collections.abc import Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

from adapters.topstepx.breaker import Breaker
from adapters.topstepx.client import Client
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.exchange import Caller, Exchange
from adapters.topstepx.joined_looks import JoinedLooks
from adapters.topstepx.placement import ENFORCEMENT, PLACEMENTS, body_of, settled
from adapters.topstepx.quota import Quota, Spent
from adapters.topstepx.session import Session
from adapters.topstepx.transport import Transport
from adapters.topstepx.wire import (
    SECONDS_UNIT,
    AccountSearch,
    ContractAvailable,
    ContractSearch,
    ContractSearchById,
    RetrieveBars,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Request
from riskcore.engine.ports import Clock, Outcome, Sink
from riskcore.engine.stage_times import StageTimes
from riskcore.errors import BrokerUnreachable, LoginRefused

OPEN_TRIES = 4
MARK_SECONDS = 60
_FORBIDDEN = (401, 403)


@dataclass(frozen=True, slots=True)
class Condition:
    """How the way to the broker is doing now; None where nothing was measured yet, or where there is no login."""

    failures: int  # In a row.
    answer_ns: int | None  # The median of the latest answers.
    breaker: str  # closed, open or half-open.
    quotas: tuple[Spent, ...]
    token_age_ns: int | None
    token_left_ns: int | None
    answers: StageTimes  # All of them.


class TopstepGateway:
    """One login at the broker, for all its accounts; `session` has the tokens for the hubs."""

    def __init__(
        self, transport: Transport, credentials: Credentials, clock: Clock, random: Random, *, live: bool = False
    ) -> None:
        """`live` picks the broker's live data; simulated accounts have none of it (API.md 2.1)."""
        quota, breaker = Quota(), Breaker()
        caller = Caller(transport, quota, breaker, clock)
        self._quota, self._breaker, self._caller = quota, breaker, caller
        self._transport = transport
        self._clock = clock
        self._live = live
        self._sink: Sink | None = None
        self.session = Session(caller, credentials, clock, random, self._record)
        self._client = Client(caller, self.session, quota, breaker, clock, random, self._record)
        self._looks = JoinedLooks(self._client, quota, clock)

    def __repr__(self) -> str:
        return f"TopstepGateway({self._transport!r})"

    def _record(self, exchange: Exchange) -> None:
        if self._sink is not None:
            self._sink.line(exchange.line(), exchange.text())

    def condition(self) -> Condition:
        """How the way to the broker is doing."""
        now, times, life = self._clock.now(), self._caller.times, self.session.life_ns()
        age, left = life or (None, None)
        breaker, quotas = self._breaker.state(now), self._quota.spent(now)
        return Condition(times.failures, times.median_ns, breaker, quotas, age, left, times.all)

    async def open(self, sink: Sink) -> None:
        """Log in and list the accounts. Raises LoginRefused, BrokerUnreachable."""
        self._sink = sink
        await self.session.open()
        exchange = await self._client.call(AccountSearch(only_active_accounts=True), tries=OPEN_TRIES)
        if exchange.rows("accounts") is not None:
            return
        reason = exchange.outcome().reason or "the answer has no list of accounts"
        if exchange.status in _FORBIDDEN:
            raise LoginRefused(f"the broker does not show the accounts of this login: {reason}")
        raise BrokerUnreachable(f"the broker does not list the accounts: {reason}")

    def carry_out(self, account: int, request: Request) -> Coroutine[Any, Any, Outcome]:
        """One attempt; a placement whose answer was lost is looked up, never sent again.

        What keeps an account safe is sent here and now if it can be; the coroutine waits for what comes of it.
        """
        try:
            body = body_of(account, request)
        except ValueError as error:
            return _not_sent(f"riskcore cannot send this: {' '.join(str(error).split())}")
        # What an obligation asks for is enforcement whatever its kind, a leg cut to what is open too.
        enforcement = request.kind in ENFORCEMENT or bool(request.obligation)
        return self._carried_out(account, request, enforcement, self._client.call(body, enforcement=enforcement))

    async def _carried_out(
        self, account: int, request: Request, enforcement: bool, sent: Coroutine[Any, Any, Exchange]
    ) -> Outcome:
        exchange = await sent
        if request.kind in PLACEMENTS:
            return await settled(self._client, account, request.tag, exchange, enforcement)
        return exchange.outcome()

    async def snapshot(self, account: int, since: int, urgent: bool = False) -> bool:
        """Everything about an account, with fills since `since`; whether all of it came.

        Several at a time are one look, which begins after the last of them was wanted.
        """
        return await self._looks.look(account, since, urgent)

    async def describe(self, contract: str) -> None:
        """The contract's own record."""
        await self._client.call(ContractSearchById(contract_id=contract))

    async def refresh_mark(self, contract: str) -> None:
        """The last minute of a contract as one-second bars."""
        now = self._clock.now()
        body = RetrieveBars(
            contract_id=contract,
            live=self._live,
            start_time=now - MARK_SECONDS * SECOND_NS,
            end_time=now,
            unit=SECONDS_UNIT,
            unit_number=1,
            limit=MARK_SECONDS,
            include_partial_bar=False,
        )
        await self._client.call(body, tries=1)

    async def contracts(self) -> list[Any] | None:
        """The rows of all contracts on offer, None when the broker does not tell."""
        exchange = await self._client.call(ContractAvailable(live=self._live))
        return exchange.rows("contracts")

    async def search_contracts(self, text: str) -> list[Any] | None:
        """The rows of the contracts whose name is like `text`; the search is fuzzy (API.md 2.1)."""
        exchange = await self._client.call(ContractSearch(live=self._live, search_text=text))
        return exchange.rows("contracts")

    async def ping(self) -> bool:
        """Whether the broker's REST host answers."""
        return await self._client.ping()

    async def close(self) -> None:
        """Log out if that is quickly done, and let all connections go."""
        try:
            await self.session.close()
        finally:
            await self._transport.close()


async def _not_sent(reason: str) -> Outcome:
    return Outcome("refused", reason)
