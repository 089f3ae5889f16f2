"""The life of the login: one token for all calls and hubs, always fresh, fetched once however many wait for it.

Two hours before its end a token is exchanged (Auth/validate); one that the broker refuses, or that has ended, is
replaced by a new login, which leaves older tokens alone. Source: topstepx/API.md 1.
"""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TypeGuard

from adapters.topstepx.credentials import Credentials
from adapters.topstepx.error_codes import TOO_MANY
from adapters.topstepx.exchange import Caller, Exchange
from adapters.topstepx.quota import pause_ns
from adapters.topstepx.wire import LoginKey, Logout, Validate, envelope
from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.engine.back_off import BackOff
from riskcore.engine.ports import Clock
from riskcore.errors import BrokerUnreachable, GatewayError, LoginRefused

LIFETIME_NS = 24 * 60 * MINUTE_NS  # Of a token that does not say when it ends.
REFRESH_BEFORE_NS = 120 * MINUTE_NS
# A token that lives less than a day is refreshed after the same share of its life.
_REFRESH_SHARE = 12
LOGIN_SECONDS = 10.0
LOGOUT_SECONDS = 2.0
# How long enforcement waits for a token when it has none, or none that the broker takes.
ENFORCEMENT_SECONDS = 2.0
OPEN_TRIES = 4
# Between attempts that failed: for want of an answer, and because the broker said no (which may lock the user out).
BACK_OFF, REFUSED_PAUSE_NS = BackOff(SECOND_NS, 5 * SECOND_NS), 10 * SECOND_NS
# A token refused again so soon after its replacement is not the reason: another one would not help.
REJECTION_PAUSE_NS = 5 * SECOND_NS

_UNREACHABLE_ADVICE = "Look at your network, at --api-url (RISKCORE_API_URL) and at the broker's status page"
_BUSY_ADVICE = "Wait a minute and try again; every program with this login counts"
_TOKEN = re.compile(r"[!-~]{1,16384}")
Record = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    refresh_at: int
    expires_at: int
    since: int = 0


class Session:
    """The token of one user."""

    def __init__(self, caller: Caller, credentials: Credentials, clock: Clock, random: Random, record: Record) -> None:
        self._caller = caller
        self._credentials = credentials
        self._clock = clock
        self._random = random
        self._record = record
        self._held: _Token | None = None
        self._before: _Token | None = None
        self._renewal: asyncio.Task[GatewayError | None] | None = None
        self._failure: GatewayError | None = None
        self._failures = 0
        self._advice = _UNREACHABLE_ADVICE
        self._paused_until = 0
        self._rejected_at: int | None = None

    def __repr__(self) -> str:
        return "Session(hidden)"

    def life_ns(self) -> tuple[int, int] | None:
        """How old the token is and how long it is still good, which may be less than nothing; None without one."""
        held, now = self._held, self._clock.now()
        return None if held is None else (now - held.since, held.expires_at - now)

    async def open(self) -> None:
        """Log in. Raises LoginRefused at once, BrokerUnreachable after a few tries."""
        for left in reversed(range(OPEN_TRIES)):
            failure = await self._renewed()
            if failure is None:
                return
            if isinstance(failure, LoginRefused):
                raise failure
            if not left:
                raise BrokerUnreachable(f"{str(failure).rstrip('.')}. {self._advice}")
            await self._clock.sleep(max(self._paused_until - self._clock.now(), 0) / SECOND_NS)

    async def token(self) -> str:
        """A token that is good for two hours more, for hubs and for calls that can wait.

        While no fresh one can be had, the old one until its end. Raises LoginRefused, BrokerUnreachable.
        """
        held, now = self._held, self._clock.now()
        if held is not None and now < held.refresh_at:
            return held.text
        failure = await self._renewed()
        if self._held is not None and (failure is None or self._clock.now() < self._held.expires_at):
            return self._held.text
        raise failure or BrokerUnreachable("not logged in")

    def token_at_hand(self) -> str | None:
        """The token until its end, for what waits for nothing; its renewal begins when it is due."""
        held, now = self._held, self._clock.now()
        if held is None or now >= held.expires_at:
            return None
        if now >= held.refresh_at and now >= self._paused_until:
            self._start()
        return held.text

    async def token_now(self) -> str:
        """The token for enforcement: the one at hand, else the next one if it comes within two seconds.

        Raises LoginRefused, BrokerUnreachable when there is none at all.
        """
        at_hand = self.token_at_hand()
        if at_hand is not None:
            return at_hand
        failure = await self._renewed_soon()
        if self._held is not None:
            return self._held.text  # Perhaps ended: the broker's word counts, not our clock's.
        raise failure or BrokerUnreachable(f"no login within {ENFORCEMENT_SECONDS:g} s")

    async def replaced(self, rejected: str, enforcement: bool) -> str:
        """The token after the broker refused `rejected`: a new one, or the same when none can be had now."""
        held, now = self._held, self._clock.now()
        if held is None or held.text != rejected:
            return rejected if held is None else held.text
        if not self._renewing():
            if self._rejected_at is not None and now - self._rejected_at < REJECTION_PAUSE_NS:
                return rejected
            self._rejected_at = now
            self._held = _Token(rejected, 0, 0, held.since)
        await (self._renewed_soon() if enforcement else self._renewed())
        return self._held.text if self._held is not None else rejected

    def superseded(self, text: str, busy: bool) -> bool:
        """Whether a socket that was opened with this token is to be opened anew, with another one that is there.

        What the broker does to a socket whose token ends is unknown (API.md 1), so none lives as long: it is
        opened anew once its token has been replaced, when busy only in the last half of the time that is left of it.
        The replacement is begun here, too, if it is due.
        """
        held, before, now = self._held, self._before, self._clock.now()
        if held is None:
            return False
        if held.text == text:
            if now >= held.refresh_at and now >= self._paused_until:
                self._start()
            return False
        if not busy or before is None or before.text != text:
            return True
        return now >= before.expires_at - (before.expires_at - before.refresh_at) // 2

    async def close(self) -> None:
        """Log out if that is quickly done, and forget the token."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)
        held, self._held = self._held, None
        if held is not None:
            exchange = await self._caller.exchange(Logout.PATH, b"", held.text, LOGOUT_SECONDS)
            self._record(exchange)

    # ---- one renewal at a time -------------------------------------------------------------------------

    def _renewing(self) -> bool:
        return self._renewal is not None and not self._renewal.done()

    def _start(self) -> asyncio.Task[GatewayError | None]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.get_running_loop().create_task(self._renew())
        return self._renewal

    async def _renewed(self) -> GatewayError | None:
        """Wait for the one renewal; why there is no fresh token. A waiter that gives up does not end it."""
        if not self._renewing() and self._clock.now() < self._paused_until:
            return self._failure
        return await asyncio.shield(self._start())

    async def _renewed_soon(self) -> GatewayError | None:
        try:
            async with self._clock.timeout(ENFORCEMENT_SECONDS):
                return await self._renewed()
        except TimeoutError:
            return None

    async def _renew(self) -> GatewayError | None:
        """A token that is still good is exchanged; without one, or when the broker will not, a login."""
        held = self._held
        if held is not None and self._clock.now() < held.expires_at:
            exchange = await self._asked(Validate.PATH, b"", held.text)
            if exchange.failure is not None:
                return self._failed(exchange)  # The host is out of reach: a login would be, too.
            found = envelope(exchange.response)
            if exchange.good and found is not None and _usable(found.new_token):
                self._hold(found.new_token)
                return None
        body = LoginKey(user_name=self._credentials.user_name, api_key=self._credentials.api_key)
        exchange = await self._asked(LoginKey.PATH, body.text().encode(), None)
        found = envelope(exchange.response)
        if exchange.good and found is not None and _usable(found.token):
            self._hold(found.token)
            return None
        return self._failed(exchange)

    async def _asked(self, path: str, body: bytes, token: str | None) -> Exchange:
        exchange = await self._caller.exchange(path, body, token, LOGIN_SECONDS)
        self._record(exchange)
        return exchange

    def _hold(self, text: str) -> None:
        now = self._clock.now()
        ends = expires_at(text)
        life = ends - now if ends is not None and ends > now else LIFETIME_NS
        margin = min(REFRESH_BEFORE_NS, life // _REFRESH_SHARE)
        self._before = self._held
        self._held = _Token(text, now + life - margin, now + life, now)
        self._failure, self._failures, self._paused_until = None, 0, 0

    def _failed(self, exchange: Exchange) -> GatewayError:
        outcome = exchange.outcome()
        self._failures += 1
        if outcome.kind == "refused" and exchange.failure is None:
            failure: GatewayError = LoginRefused(
                f"the broker refused the login: {outcome.reason}. "
                "Check PROJECT_X_USERNAME and PROJECT_X_API_KEY, or the login stored in the keyring"
            )
            pause = REFUSED_PAUSE_NS
        else:
            failure = BrokerUnreachable(f"no login: {exchange.reason or outcome.reason}")
            self._advice = _BUSY_ADVICE if exchange.status == TOO_MANY else _UNREACHABLE_ADVICE
            pause = BACK_OFF.spread_ns(self._failures, self._random)
            if exchange.retry_after is not None:
                pause = max(pause, min(pause_ns(exchange.retry_after, self._clock.now()), REFUSED_PAUSE_NS))
        self._failure, self._paused_until = failure, self._clock.now() + pause
        return failure


def _usable(token: str | None) -> TypeGuard[str]:
    """Whether a token can be written into a header and an address: what cannot is none."""
    return token is not None and _TOKEN.fullmatch(token) is not None


def expires_at(token: str) -> int | None:
    """When a JSON web token ends, by its own words, in nanoseconds; None when they cannot be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), parse_float=int_of)
    except (ValueError, binascii.Error, RecursionError):
        return None
    ends = claims.get("exp") if isinstance(claims, dict) else None
    return ends * SECOND_NS if type(ends) is int and 0 < ends < 2**40 else None


def int_of(text: str) -> int | None:
    """The whole seconds of a number with a point: some signers write 1790000000.0."""
    whole = text.partition(".")[0]
    return int(whole) if whole.isdigit() else None
