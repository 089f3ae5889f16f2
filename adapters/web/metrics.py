"""What Prometheus reads, as plain text."""

from adapters.web.readers import Readers
from adapters.web.reading import Reading


async def metrics_text(reading: Reading, readers: Readers, state: str) -> bytes:
    """The figures of INTERFACE.md 9. Breaches are those of the open day, counted by rule."""
    figures = await reading.figures()
    lines: list[str] = []

    def add(name: str, kind: str, meaning: str, *values: tuple[str, object]) -> None:
        lines.append(f"# HELP riskcore_{name} {meaning}")
        lines.append(f"# TYPE riskcore_{name} {kind}")
        lines.extend(f"riskcore_{name}{labels} {value}" for labels, value in values)

    add("up", "gauge", "1 while an engine runs on this journal.", ("", int(figures.running)))
    add("armed", "gauge", "1 while limits act.", ("", int(state == "armed")))
    add("events_stored_total", "counter", "Events stored in the open day.", ("", figures.events))
    moment = f"{figures.last_event_ns // 10**9}.{figures.last_event_ns % 10**9:09d}"
    add("last_event_timestamp_seconds", "gauge", "When the newest event was received.", ("", moment))
    add(
        "breaches_total",
        "counter",
        "Breaches in the open day.",
        *((f'{{rule="{rule}"}}', count) for rule, count in sorted(figures.breaches.items())),
    )
    add("unmet_obligations", "gauge", "Commands in force that are not met.", ("", figures.unmet))
    add("stream_readers", "gauge", "Readers of the stream.", ("", len(readers)))
    return "\n".join([*lines, ""]).encode()
