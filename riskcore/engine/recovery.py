"""After the core has failed on one account's fact or deadline, the engine goes on from its journal where it stands.

What failed is set aside in the journal, and all else of the turn is decided and stored, so nothing was missed: hubs,
inbox and calls stay as they are, and only the account concerned is looked at again. Anything else that goes wrong
ends the engine, and the next one sees everything anew (riskcore/live/run.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from riskcore.core.events import Event, FactQuarantined, RequestAttempted, RequestUnresolved, TimerQuarantined
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.inbox import Inbox

MOST_FAILURES = 3  # In a row, each within FAILURE_WINDOW_NS of the last: what fails more often ends riskcore.
FAILURE_WINDOW_NS = 600 * SECOND_NS
GOES_ON = "riskcore went wrong, has left out what it failed on, and goes on from its journal"
NOT_SENT = "riskcore went wrong before it was sent"


@dataclass(slots=True)
class Failures:
    """How often something has failed of late."""

    _at: list[int] = field(default_factory=list)

    def note(self, now: int) -> bool:
        """Note a failure; whether there were few enough to go on."""
        self._at = [at for at in self._at if now - at < FAILURE_WINDOW_NS] + [now]
        return len(self._at) <= MOST_FAILURES


def concerns_accounts_alone(left_out: Sequence[Event]) -> bool:
    """Whether something was left out, and no hub, setting or market data is among it."""
    return bool(left_out) and all(_account(event) is not None for event in left_out)


def accounts_to_look_at(left_out: Sequence[Event]) -> list[int]:
    """The accounts of which something is unknown now."""
    return [event.body.account or 0 for event in left_out if isinstance(event.body, FactQuarantined)]


def note_unsent(stored: Sequence[Event], inbox: Inbox) -> None:
    """What the failed turn noted as attempted has not left; the broker's lists will say so as well."""
    for event in stored:
        if isinstance(event.body, RequestAttempted):
            body = RequestUnresolved(event.body.account, event.body.request, NOT_SENT)
            inbox.fact(body, "gateway", f"unresolved:{body.request}")


def _account(event: Event) -> int | None:
    return event.body.account if isinstance(event.body, FactQuarantined | TimerQuarantined) else None
