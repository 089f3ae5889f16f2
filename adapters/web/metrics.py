"""What Prometheus reads, as plain text: the figures that INTERFACE.md 9 promises, and with the extra many more."""

from collections.abc import Iterator

from adapters.web.metric_family import COUNTER, GAUGE, HISTOGRAM, Family
from adapters.web.readers import Readers
from adapters.web.reading import Reading
from riskcore.engine.stage_times import BOUNDS_NS
from riskcore.schema.rows import Row

_MISSING = '# There are more metrics with the extra: pip install "riskcore[metrics]", then start riskcore again.\n'


async def metrics_text(reading: Reading, readers: Readers, state: str) -> bytes:
    """Everything known at this moment."""
    promised = await _promised(reading, readers, state)
    try:
        from adapters.web.prometheus import exposition
    except ModuleNotFoundError:
        return (_MISSING + "".join(_plain(promised))).encode()
    health = await reading.healthy()
    more = _health(health) if health is not None else ()
    return exposition([*promised, *_accounts(await reading.account_figures()), *more])


async def _promised(reading: Reading, readers: Readers, state: str) -> list[Family]:
    """The figures of INTERFACE.md 9. Breaches are those of the open day, counted by rule."""
    figures = await reading.figures()
    moment = f"{figures.last_event_ns // 10**9}.{figures.last_event_ns % 10**9:09d}"
    breaches = Family("breaches_total", COUNTER, "Breaches in the open day.")
    for rule, count in sorted(figures.breaches.items()):
        breaches.add(count, rule=rule)
    return [
        Family("up", GAUGE, "1 while an engine runs on this journal.").add(int(figures.running)),
        Family("armed", GAUGE, "1 while limits act.").add(int(state == "armed")),
        Family("events_stored_total", COUNTER, "Events stored in the open day.").add(figures.events),
        Family("last_event_timestamp_seconds", GAUGE, "When the newest event was received.").add(moment),
        breaches,
        Family("unmet_obligations", GAUGE, "Commands in force that are not met.").add(figures.unmet),
        Family("stream_readers", GAUGE, "Readers of the stream.").add(len(readers)),
    ]


def _plain(families: list[Family]) -> Iterator[str]:
    for one in families:
        yield f"# HELP riskcore_{one.name} {one.meaning}\n# TYPE riskcore_{one.name} {one.kind}\n"
        for labels, value in one.samples:
            shown = ",".join(f'{name}="{label}"' for name, label in labels)
            yield f"riskcore_{one.name}{shown and f'{{{shown}}}'} {value}\n"


def _accounts(accounts: list[Row]) -> Iterator[Family]:
    """What each account may still do."""
    lockouts = Family("lockouts", GAUGE, "Lockouts in force.")
    left = Family("limit_left", GAUGE, "What is left of a limit, in its unit ($, s, trades ...).")
    used = Family("limit_used_ratio", GAUGE, "How much of a limit is used: 1 is reached.")
    for account in accounts:
        about = {"account": account["account"], "account_name": account["account_name"]}
        lockouts.add(account["lockouts"], **about)
        for row in account["limits"]:
            of = {**about, "rule": row["rule"], "limit": row["name"], "contract": row["contract"] or ""}
            left.add(row["left"], **of, unit=row["unit"])
            used.add(row["used"], **of)
    return iter((lockouts, left, used))


def _health(health: Row) -> Iterator[Family]:
    """The engine's own condition (riskcore health --json)."""
    yield Family("health_score", GAUGE, "Points of riskcore health: 100 is well, 0 is nothing guarded.").add(
        health["score"]
    )
    measured = health.get("measured")
    if measured is None:
        return
    yield _stages(measured["stages"])
    waiting = Family("waiting_messages", GAUGE, "Messages received and not handled yet.")
    for queue, count in measured["waiting"].items():
        waiting.add(count, queue=queue)
    yield waiting
    yield from _broker(measured)
    alerts = [Family(f"alerts_{name}", kind, meaning) for name, kind, meaning in _ALERTS]
    for row in measured["alerts"]:
        for family, figure in zip(alerts, ("dead", "waiting", "sent", "lost"), strict=True):
            family.add(int(row[figure]), channel=row["channel"])
    yield from alerts
    for name, figure, meaning in _FIGURES:
        value = measured[figure]
        yield Family(name, GAUGE, meaning).add(len(value) if isinstance(value, list) else value)
    for name in ("halted", "on_reserve"):
        yield Family(f"store_{name}", GAUGE, _STORE[name]).add(int(measured[name] is not None))


_ALERTS = (
    ("channel_dead", GAUGE, "1 while a channel of alerts does not get through."),
    ("waiting", GAUGE, "Alerts that wait for a channel."),
    ("sent_total", COUNTER, "Alerts that a channel sent since the start."),
    ("lost_total", COUNTER, "Alerts that a channel gave up since the start."),
)
_FIGURES = (
    ("snapshot_age_seconds", "snapshot_age_seconds", "Since an account was last seen in full: the oldest of them."),
    ("unresolved_requests", "unresolved_requests", "Requests whose outcome is unknown."),
    ("drifts_last_hour", "drifts_last_hour", "How often fills and the broker's positions disagreed."),
    ("blind_rules", "blind_rules", "Rules that judge nothing because their inputs are missing."),
    ("unseeded_rules", "unseeded_rules", "Rules that wait for the fills of the day."),
)
_STORE = {
    "halted": "1 while nothing can be stored, so that limits do not act.",
    "on_reserve": "1 while limits act only as long as the reserve of a full disk lasts.",
}


def _broker(measured: Row) -> Iterator[Family]:
    """The way to the broker: calls, quotas, hubs, login."""
    calls = measured["calls"]
    yield Family("calls_failed_in_a_row", GAUGE, "Calls to the broker that failed, the latest ones.").add(
        calls["failures_in_a_row"]
    )
    yield Family("breaker_open", GAUGE, "1 while everything but enforcement waits for a broker that fails.").add(
        int(calls["breaker"] != "closed")
    )
    yield Family("token_expires_seconds", GAUGE, "Until the login expires.").add(
        measured["token"]["expires_in_seconds"]
    )
    used = Family("quota_used", GAUGE, "Calls in the broker's window.")
    limit = Family("quota_limit", GAUGE, "Calls that the broker allows in its window.")
    paused = Family("quota_paused_seconds", GAUGE, "How long the broker wants no call.")
    for row in measured["quotas"]:
        for family, figure in ((used, "used"), (limit, "limit"), (paused, "paused_seconds")):
            family.add(row[figure], quota=row["name"])
    connected = Family("hub_connected", GAUGE, "1 while a hub is connected and not stale.")
    reconnects = Family("hub_reconnects_total", COUNTER, "How often a hub was connected again since the start.")
    for row in measured["hubs"]:
        connected.add(int(row["state"] == "connected"), hub=row["hub"])
        reconnects.add(row["reconnects"], hub=row["hub"])
    yield from (used, limit, paused, connected, reconnects)


def _stages(rows: list[Row]) -> Family:
    bounds = [f"{bound / 10**9:g}" for bound in BOUNDS_NS] + ["+Inf"]
    family = Family("stage_seconds", HISTOGRAM, "How long a stage takes: receive (to stored), decide, store, answer.")
    for row in rows:
        counted = list(zip(bounds, row["buckets"], strict=True))
        family.add((counted, row["sum_ns"] / 10**9), stage=row["stage"])
    return family
