"""One run of `riskcore fetch`: the login, the broker's archive and the download put together."""

import os
from collections.abc import Callable, Mapping
from random import Random
from typing import Any
from urllib.parse import urlsplit

from adapters.topstepx.archive import Archive
from adapters.topstepx.credentials import find_credentials
from adapters.topstepx.http import HttpTransport
from replay.fetching.fetch import Fetch, Progress, Wanted
from replay.fetching.plan import trading_days
from riskcore.cli.live_options import ask_person
from riskcore.engine.clock import SystemClock
from riskcore.engine.ports import Clock
from riskcore.errors import GatewayError
from riskcore.live.run import interactive


async def run_fetch(
    wanted: Wanted,
    settings: Mapping[str, Any],
    api_url: str,
    *,
    warn: Callable[[str], None],
    say: Callable[[str], None],
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Log in, download, log out. Raises RiskcoreError; what had come by then is kept."""
    trading_days(settings, wanted.first, wanted.last)  # Wrong dates are said before anybody logs in.
    credentials = find_credentials(os.environ, ask_person if interactive() else None)
    transport = HttpTransport(api_url)
    used = clock or SystemClock()
    archive = Archive(transport, credentials, used, Random(), say)
    try:
        await archive.open()
        host = urlsplit(transport.base).hostname or ""
        progress = Progress(say, used.now, archive.seconds_for)
        try:
            return await Fetch(archive, settings, wanted, host, used.now, warn, progress).run()
        except GatewayError as error:
            raise type(error)(f"{error}. What was downloaded is kept; the same command goes on from there") from None
    finally:
        await archive.close()
