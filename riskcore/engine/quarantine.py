"""Facts the core has failed on before: reported again, they are set aside without another try.

The broker's lists repeat a fill at every look, in slightly other words than the hub. Trying it each time would end
the engine each time: a restart now and then is survived, one at every look is not.
"""

from collections.abc import Iterable, Sequence

from riskcore.core.events import ConfigChanged, Event, FactQuarantined
from riskcore.core.quarantine import QUARANTINE, error_text, left_out_text, plain, quarantined_fact
from riskcore.errors import InvariantBroken


class Quarantine:
    """What `left_out` says of this version of riskcore; another version may manage, so it tries again."""

    def __init__(self, left_out: Iterable[Event], version: str) -> None:
        self._version = version
        self._known: dict[str, FactQuarantined] = {}
        self._settings: list[object] = []
        for event in left_out:
            self.note(event)

    def note(self, event: Event) -> None:
        """Remember what has been left out."""
        body = event.body
        if not isinstance(body, FactQuarantined) or body.version != self._version:
            return
        self._known[event.key.removeprefix(QUARANTINE)] = body
        if body.fact == ConfigChanged.__name__:
            self._settings.append(body.data)

    def instead(self, fact: Event) -> Event:
        """What to take: the fact, or the event that sets it aside because it was left out before."""
        known = self._known.get(plain(fact.key))
        if known is None or known.fact != type(fact.body).__name__:
            return fact
        return quarantined_fact(fact, known.error, self._version, again=True)

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self._known)

    def has(self, change: ConfigChanged) -> bool:
        """Whether the core has failed on these settings."""
        return plain(change) in self._settings


def broken(error: Exception, left_out: Sequence[Event] = (), *, starts_again: bool) -> InvariantBroken:
    """The error with which an engine ends after riskcore itself went wrong."""
    kept = f"; left out, and kept in the journal: {', '.join(map(left_out_text, left_out))}" if left_out else ""
    text = f"riskcore itself went wrong ({error_text(error)}); nothing was sent on it{kept}"
    text += "; the state is built again from the journal"
    keys = tuple(event.key.removeprefix(QUARANTINE) for event in left_out)
    return InvariantBroken(text, left_out=keys, starts_again=starts_again)
