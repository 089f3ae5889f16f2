"""A login tried at once: logged in, accounts, both hubs, what may be traded, logged out. It sends no order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from adapters.topstepx.credentials import Credentials
from adapters.topstepx.error_codes import TOO_MANY
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.http import HttpTransport, hub_url
from adapters.topstepx.normalise import normalise
from adapters.topstepx.signalr.socket import WebSockets
from adapters.topstepx.wire import LoginKey, Logout
from riskcore.core.events import AccountObserved
from riskcore.core.kinds import CONNECTED, HUBS, LOST, Hub
from riskcore.core.quotes import Quotes
from riskcore.engine.ports import Clock, Line, Texts
from riskcore.errors import BrokerUnreachable, GatewayError, LoginRefused

HUBS_SECONDS = 15.0
# For login and accounts together. An engine is more patient; here a person waits.
OPEN_SECONDS = 20.0
LOGIN, ACCOUNTS, RIGHTS, LOGOUT = "login", "accounts", "rights", "logout"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the trial and how it went."""

    name: str
    state: Literal["ok", "warn", "fail"]
    text: str
    advice: str = ""


class _Listener:
    """Keeps what the broker said of its accounts, its hubs and the logout; everything else is passed over."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.accounts: dict[int, AccountObserved] = {}
        self.hubs: dict[Hub, str] = {}
        self.logged_in = self.logged_out = False
        self.status = 0  # Of the last call; 0 when it was not answered.
        self.changed = asyncio.Event()

    def line(self, line: Line, text: bytes = b"") -> None:
        self.status = line.get("status", self.status)
        response = line.get("response")
        done = isinstance(response, dict) and bool(response.get("success"))
        if line.get("rest") == LoginKey.PATH:
            self.logged_in = done
        elif line.get("rest") == Logout.PATH:
            self.logged_out = done
        if "connection" in line:
            self.hubs[line["connection"]] = line["state"]
        for event in normalise(line, self._clock.now()):
            if isinstance(event.body, AccountObserved):
                self.accounts[event.body.account] = event.body
        self.changed.set()

    def market(self, line: Line, text: bytes = b"") -> None:
        """Nothing is subscribed to."""

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        """Nothing is subscribed to."""

    async def until_hubs_answer(self) -> None:
        while any(hub not in self.hubs for hub in HUBS):
            self.changed.clear()
            await self.changed.wait()


async def tried(
    credentials: Credentials, api_url: str, rtc_url: str, clock: Clock, wanted: Sequence[str] = ()
) -> AsyncIterator[Step]:
    """The steps as they are done; the first that the others need and that fails ends them. Raises ConfigError.

    `wanted`: the accounts that the profile names, by name or id; empty for all.
    """
    heard, hubs_at = _Listener(clock), hub_url(rtc_url)
    gateway = TopstepGateway(HttpTransport(api_url), credentials, clock, Random())
    try:
        failure: GatewayError | None = None
        try:
            async with clock.timeout(OPEN_SECONDS):
                await gateway.open(heard)
        except GatewayError as error:
            failure = error
        except TimeoutError:
            failure = BrokerUnreachable(_too_slow(heard.status))
        if heard.logged_in:
            yield Step(LOGIN, "ok", "the broker takes the login")
        if failure is not None:
            yield _refused(ACCOUNTS if heard.logged_in else LOGIN, failure)
            return
        yield _accounts(list(heard.accounts.values()), wanted)
        for step in await _hubs(gateway, heard, hubs_at, clock):
            yield step
        yield _rights(list(heard.accounts.values()))
    finally:
        await gateway.close()
    yield _logout(heard.logged_out)


async def listed_accounts(credentials: Credentials, api_url: str, clock: Clock) -> list[AccountObserved]:
    """The accounts of a login as the broker lists them. Raises LoginRefused, BrokerUnreachable."""
    heard = _Listener(clock)
    gateway = TopstepGateway(HttpTransport(api_url), credentials, clock, Random())
    try:
        await gateway.open(heard)
    finally:
        await gateway.close()
    return list(heard.accounts.values())


def name_of(account: AccountObserved) -> str:
    """An account as its trader knows it."""
    return account.name or str(account.account)


def _too_slow(status: int) -> str:
    if status == TOO_MANY:
        why = (
            "it accepts no further calls at the moment (HTTP 429): wait a minute; every program with this login counts"
        )
        return f"not within {OPEN_SECONDS:g} s: {why}"
    why = f"its last answer was HTTP {status}" if status else "it does not answer"
    where = "at --api-url (RISKCORE_API_URL) and at the broker's status page"
    return f"not within {OPEN_SECONDS:g} s: {why}; look at your network, {where}"


def _refused(name: str, error: GatewayError) -> Step:
    advice = "try again with riskcore login" if isinstance(error, LoginRefused) else ""
    return Step(name, "fail", str(error), advice)


def _accounts(accounts: Sequence[AccountObserved], wanted: Sequence[str]) -> Step:
    if not accounts:
        return Step(ACCOUNTS, "fail", "the broker lists no active account", "look at your accounts on the platform")
    there = ", ".join(map(name_of, accounts))
    missing = [one for one in wanted if not any(one in (str(known.account), known.name) for known in accounts)]
    if missing:
        # Without any of its accounts an engine does not start; without some it guards less than its trader thinks.
        text = f"profile.accounts ({', '.join(missing)}) names no account of this login; there is {there}"
        return Step(ACCOUNTS, "fail" if len(missing) == len(wanted) else "warn", text, "correct accounts of [profile]")
    return Step(ACCOUNTS, "ok", there)


async def _hubs(gateway: TopstepGateway, heard: _Listener, rtc_url: str, clock: Clock) -> list[Step]:
    feed = TopstepFeed(rtc_url, WebSockets(clock), gateway.session, clock, Random(), lambda: False)
    feed.follow(list(heard.accounts), ())
    running = asyncio.create_task(feed.run(heard))
    try:
        async with clock.timeout(HUBS_SECONDS):
            await heard.until_hubs_answer()
    except TimeoutError:
        pass
    health = {one.hub: one for one in feed.health()}
    steps = []
    for hub in HUBS:
        name, state = f"{hub} hub", heard.hubs.get(hub)
        if state == CONNECTED:
            steps.append(Step(name, "ok", "connected and subscribed"))
        else:
            why = health[hub].reason if state == LOST else f"no connection within {HUBS_SECONDS:g} s"
            advice = "look at your network, at --rtc-url (RISKCORE_RTC_URL) and at the broker's status page"
            steps.append(Step(name, "fail", f"not connected: {why}", advice))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return steps


def _rights(accounts: Sequence[AccountObserved]) -> Step:
    """Which accounts may trade; of a live funded one it says that nothing will ever be done there."""
    live = [name_of(one) for one in accounts if one.simulated is False]
    barred = [name_of(one) for one in accounts if one.simulated is not False and one.can_trade is False]
    good = [name_of(one) for one in accounts if name_of(one) not in (*live, *barred)]
    parts = [f"may trade: {', '.join(good)}"] if good else []
    parts += [f"may not trade at the moment: {', '.join(barred)}"] if barred else []
    parts += [f"live funded, which is never judged or touched: {', '.join(live)}"] if live else []
    advice = "" if good else "the platform says why an account may not trade"
    return Step(RIGHTS, "ok" if good else "warn", "; ".join(parts) or "no account", advice)


def _logout(done: bool) -> Step:
    if done:
        return Step(LOGOUT, "ok", "logged out")
    return Step(LOGOUT, "warn", "the broker did not confirm the logout; the token ends by itself within a day")
