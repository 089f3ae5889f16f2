"""The channels of `[alerts]` in front of whatever else hears of an engine (INTERFACE.md 10)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from riskcore.engine.control_file import beside_store
from riskcore.engine.ports import Announcer, Clock
from riskcore.settings.config import Settings
from riskcore.store.journal import Journal


@contextmanager
def alerting(announcer: Announcer, settings: Settings, store: str, clock: Clock, enforces: bool) -> Iterator[Announcer]:
    """The announcer, and behind it the channels if there are any. Leaving waits a little for what is on its way.

    What was sent is remembered beside the store of the profile. Raises StoreError where it has no place.
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
    with closing(alerts):
        yield alerts
