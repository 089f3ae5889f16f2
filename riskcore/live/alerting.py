"""The channels of `[alerts]` in front of whatever else hears of an engine (INTERFACE.md 10)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from riskcore.engine.control_file import beside_store
from riskcore.engine.ports import Announcer, Clock
from riskcore.settings.config import Settings
from riskcore.store.journal import Journal


@asynccontextmanager
async def alerting(
    announcer: Announcer, settings: Settings, store: str, clock: Clock, enforces: bool
) -> AsyncIterator[Announcer]:
    """The announcer, and behind it the channels if there are any. Leaving waits a little for what is on its way.

    What was sent is remembered beside the store of the profile. One engine at a time may do that, and what an earlier
    run left open is sent again at once: enter it with the journal open for writing. Raises StoreError where it has no
    place.
    """
    if not settings.alerts.channels:
        yield announcer
        return
    # Imported here: an engine that starts again must not wait for what it does not use.
    from adapters.alerts.alerts import Alerts

    profile, zone = str(settings.plain["profile"]["name"]), str(settings.plain["profile"]["timezone"])
    alerts = Alerts(
        announcer,
        settings.alerts,
        zone,
        beside_store(store, profile, "alerts"),
        enforces=enforces,
        now=clock.now,
        journal=lambda: Journal.open(store, profile),
    )
    try:
        yield alerts
    finally:
        await asyncio.to_thread(alerts.close)  # The loop may be that of a program with other things to do.
