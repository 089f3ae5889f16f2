"""Every call to the broker: with a token, within the quota, past the breaker, retried where that is harmless.

Questions are asked again with growing delay; what changes something is sent once, and once more only when the
broker itself said that the token was the reason (401). Enforcement waits for no breaker and no login that hangs, and
a close for nothing but the broker's window of calls. Source: DESIGN.md "Requests to the broker", RULES.md 1.6 "Pace".
"""

from collections.abc import Coroutine
from random import Random
from typing import Any

from adapters.topstepx.breaker import Breaker
from adapters.topstepx.exchange import Caller, Exchange
from adapters.topstepx.quota import CLOSE_PATHS, Quota
from adapters.topstepx.session import Record, Session
from adapters.topstepx.wire import PING, Body
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.back_off import BackOff
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError

ACTION_SECONDS = 3.0  # Enforcement, and everything that changes something (`command_timeout_seconds`, INTERFACE.md 3).
READ_SECONDS = 10.0
CLOSE_WAITS_SECONDS = 2.0  # A close that the window has no room for; what would take longer is refused at once.
READ_TRIES, ENFORCEMENT_TRIES = 3, 2
# Never below a second: a host that is down is asked once a second at most.
BACK_OFF = BackOff(SECOND_NS, 10 * SECOND_NS)
_UNAUTHORIZED = 401
_TOO_LATE = f"the login took longer than {ACTION_SECONDS:g} s"


class Client:
    """The calls of one login."""

    def __init__(
        self,
        caller: Caller,
        session: Session,
        quota: Quota,
        breaker: Breaker,
        clock: Clock,
        random: Random,
        record: Record,
    ) -> None:
        self._caller = caller
        self._session = session
        self._quota = quota
        self._breaker = breaker
        self._clock = clock
        self._random = random
        self._record = record

    def call(
        self, body: Body, *, enforcement: bool = False, tries: int | None = None, recorded: bool = True
    ) -> Coroutine[Any, Any, Exchange]:
        """One request and its answer, each attempt handed on as a line unless `recorded` is off.

        Never raises. `tries` (of questions only): READ_TRIES, for enforcement ENFORCEMENT_TRIES, unless given.
        What enforcement changes leaves here and now, before its answer is awaited, if there is a token.
        """
        text = body.text().encode()
        if not body.MUTATES:
            most = tries or (ENFORCEMENT_TRIES if enforcement else READ_TRIES)
            return self._asked(body, text, enforcement, most, recorded)
        began_at = self._clock.now()
        room = not self._quota.delay_ns(began_at, body.PATH, enforcement)
        token = self._session.token_at_hand() if enforcement and room else None
        if token is None:
            return self._attempt(body, text, enforcement, recorded)
        sent = self._caller.exchange(body.PATH, text, token, ACTION_SECONDS)
        return self._answered(body, text, token, sent, enforcement, recorded, began_at)

    async def _asked(self, body: Body, text: bytes, enforcement: bool, most: int, recorded: bool) -> Exchange:
        exchange = await self._attempt(body, text, enforcement, recorded)
        for failures in range(1, most):
            if not exchange.transient:
                break
            await self._clock.sleep(BACK_OFF.spread_ns(failures, self._random) / SECOND_NS)
            exchange = await self._attempt(body, text, enforcement, recorded)
        return exchange

    async def ping(self) -> bool:
        """Whether the REST host answers; needs no login."""
        exchange = await self._caller.exchange(PING, b"", None, READ_SECONDS, method="GET")
        response: object = exchange.response
        return response == "pong"

    def record(self, exchange: Exchange) -> None:
        """Hand on an exchange that `call` was told not to."""
        self._record(exchange)

    async def _attempt(self, body: Body, text: bytes, enforcement: bool, recorded: bool) -> Exchange:
        began_at = self._clock.now()
        refusal = await self._held_back(body, enforcement, began_at)
        if refusal is not None:
            return self._unsent(body, refusal)
        try:
            token = await (self._session.token_now() if enforcement else self._session.token())
        except GatewayError as error:
            return self._unsent(body, str(error))
        if self._too_late(body, began_at):
            return self._unsent(body, _TOO_LATE)
        sent = self._caller.exchange(body.PATH, text, token, _seconds(body, enforcement))
        return await self._answered(body, text, token, sent, enforcement, recorded, began_at)

    async def _answered(
        self,
        body: Body,
        text: bytes,
        token: str,
        sent: Coroutine[Any, Any, Exchange],
        enforcement: bool,
        recorded: bool,
        began_at: int,
    ) -> Exchange:
        """The answer; the token is replaced, and the call made once more, when the broker says that it is at fault."""
        exchange = await sent
        if recorded:
            self.record(exchange)
        if exchange.status != _UNAUTHORIZED:
            return exchange
        fresh = await self._session.replaced(token, enforcement)
        if fresh == token or self._too_late(body, began_at):
            return exchange
        exchange = await self._caller.exchange(body.PATH, text, fresh, _seconds(body, enforcement))
        if recorded:
            self.record(exchange)
        return exchange

    def _too_late(self, body: Body, began_at: int) -> bool:
        """Whether a login took so long that the order is no longer expected: the market has moved on."""
        return body.MUTATES and self._clock.now() - began_at > ACTION_SECONDS * SECOND_NS

    async def _held_back(self, body: Body, enforcement: bool, began_at: int) -> str | None:
        """Why the call is not made at all. A question waits for the quota, a close for a moment; an order never."""
        waits = CLOSE_WAITS_SECONDS if enforcement and body.PATH in CLOSE_PATHS else 0.0
        longest_at = began_at + int(waits * SECOND_NS)
        while delay := self._quota.delay_ns(self._clock.now(), body.PATH, enforcement):
            if body.MUTATES and self._clock.now() + delay > longest_at:
                return f"the broker's quota of calls is used up; try again in {-(-delay // SECOND_NS)} s"
            await self._clock.sleep(delay / SECOND_NS)
        if enforcement or self._breaker.allows(self._clock.now()):
            return None
        return "the broker's server has failed several times in a row; riskcore waits a little before it asks again"

    def _unsent(self, body: Body, reason: str) -> Exchange:
        return Exchange(body.PATH, self._clock.now(), body.written(), failure="not sent", reason=reason)


def _seconds(body: Body, enforcement: bool) -> float:
    return ACTION_SECONDS if enforcement or body.MUTATES else READ_SECONDS
