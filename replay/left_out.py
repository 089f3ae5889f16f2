"""What recorded days were judged without, for a person at the terminal, and what cannot be judged at all."""

from collections.abc import Callable, Sequence

from riskcore.core.events import Event
from riskcore.core.quarantine import error_text, told_text
from riskcore.core.runner import Listener
from riskcore.schema.instants import utc_text
from riskcore.version import VERSION


def warn_of_left_out(warn: Callable[[str], None]) -> Listener:
    """A listener that warns of each fact and deadline that the recorded engine went on without."""

    def note(events: Sequence[Event]) -> None:
        for event in events:
            text = told_text(event)
            if text is not None:
                warn(f"{utc_text(event.at)}: {text}")

    return note


def cannot_be_judged(event: Event, error: Exception) -> str:
    """That this riskcore fails on a recorded event, and which one it is."""
    return (
        f"{type(event.body).__name__} {event.key} of {utc_text(event.at)}: riskcore {VERSION} itself went wrong on it"
        f" ({error_text(error)}); the file may be whole: report it, or use the version that recorded the day"
    )
