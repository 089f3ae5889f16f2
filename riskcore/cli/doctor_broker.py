"""What `riskcore doctor` checks about the connection to the broker: prints no secret, sends nothing but a ping.

With --login it also tries the login, as `riskcore login` does.
"""

import asyncio
from collections.abc import Mapping, Sequence

from adapters.topstepx.credentials import API_KEY, USER_NAME, find_credentials
from adapters.topstepx.error_codes import TOO_MANY
from adapters.topstepx.http import HttpTransport, base_url, hub_url
from adapters.topstepx.login_trial import LOGIN, tried
from adapters.topstepx.transport import Answer, NotSent, Unanswered
from adapters.topstepx.wire import PING
from riskcore.cli.doctor_checks import FAIL, OK, WARN, Check, told_as
from riskcore.engine.clock import SystemClock
from riskcore.errors import ConfigError, LoginRefused

PING_SECONDS = 4.0
_SERVER_ERRORS = 500
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


def credentials_check(environment: Mapping[str, str]) -> Check:
    """Whether there is a login; names its source, never the login itself."""
    try:
        find_credentials(environment, None)
    except LoginRefused:
        set_up = f"riskcore login keeps it in the keyring, or set {USER_NAME} and {API_KEY}"
        advice = f"{set_up}; riskcore live --simulated works without"
        return Check("login", FAIL, "no complete login was found", advice)
    given = all(environment.get(name, "").strip() for name in (USER_NAME, API_KEY))
    return Check("login", OK, f"a login was found in the {'environment' if given else 'keyring'}")


def login_checks(
    environment: Mapping[str, str], api_url: str, rtc_url: str, accounts: Sequence[str] = ()
) -> list[Check]:
    """The login tried: the accounts, among them those that the profile names, hubs, rights, logout; a check each."""
    found: list[Check] = []

    async def try_out() -> None:
        credentials = find_credentials(environment, None)
        async for step in tried(credentials, api_url, rtc_url, SystemClock(), accounts):
            found.append(Check("logged in" if step.name == LOGIN else step.name, step.state, step.text, step.advice))

    with told_as("logged in", found):
        asyncio.run(try_out())
    return found


def address_check(api_url: str, rtc_url: str, environment: Mapping[str, str]) -> Check:
    """Whether both addresses may be used, and how certificates are checked."""
    try:
        addresses = (base_url(api_url), hub_url(rtc_url))
    except ConfigError as error:
        return Check("encryption", FAIL, str(error), "correct the address")
    own = [name for name in _CERTIFICATES if environment.get(name)]
    if own:
        advice = "unset it unless you know why it is set: it decides whom riskcore trusts"
        return Check("encryption", WARN, f"certificates are checked against {' and '.join(own)}", advice)
    proxies = [name for name in _PROXIES if environment.get(name)]
    if proxies:
        advice = "unset it if the broker is to be called directly"
        return Check("encryption", WARN, f"calls go through a proxy ({proxies[0]}); certificates are checked", advice)
    if all(address.startswith(("http://", "ws://")) for address in addresses):
        return Check("encryption", OK, "plain addresses of this machine only")
    return Check("encryption", OK, "certificates are always checked")


def reachable_check(api_url: str) -> Check:
    """Whether the REST host answers its ping within a few seconds."""
    try:
        answer = asyncio.run(_ping(api_url))
    except (NotSent, Unanswered, TimeoutError) as error:
        why = str(error) or f"no answer within {PING_SECONDS:.0f} s"
        advice = "check your network and the broker's status page; riskcore live --simulated needs neither"
        return Check("broker", WARN, f"not reachable: {why}", advice)
    except ConfigError as error:
        return Check("broker", FAIL, str(error), "correct the address")
    if answer.status == 200 and b"pong" in answer.body:
        return Check("broker", OK, f"{base_url(api_url)} answers")
    if answer.status == TOO_MANY:
        text = f"{base_url(api_url)} accepts no further calls at the moment (HTTP 429)"
        return Check("broker", WARN, text, "wait a minute and try again; every program with this login counts")
    if answer.status >= _SERVER_ERRORS:
        text = f"{base_url(api_url)} does not work at the moment (HTTP {answer.status})"
        return Check("broker", WARN, text, "look at the broker's status page")
    return Check("broker", WARN, f"{base_url(api_url)} answers, but not as the broker does", "is the address right?")


async def _ping(api_url: str) -> Answer:
    transport = HttpTransport(api_url)
    try:
        async with asyncio.timeout(PING_SECONDS):
            return await transport.call("GET", PING, b"", {"accept": "application/json"})
    finally:
        await transport.close()
