"""While the journal cannot be written the engine decides nothing, says so, and finishes what was stored before.

It goes on in memory without rules: facts still show where an account stands, so that obligations which were stored are
carried out by closing and cancelling. Nothing of it is stored later, as if it had been known when it was sent. When
the disk takes events again, the engine begins again from its journal, as a restart does, and the broker's own lists
tell what it missed. Source: DESIGN.md "One event, end to end".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from riskcore.audit.happenings import happenings
from riskcore.core.events import BarObserved, Event, QuotesObserved
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book
from riskcore.engine.ports import Announcer
from riskcore.engine.writer import Writer

# How long the outcome of what left unstored is waited for: begun again, nothing would be known of it.
ANSWERS_NS = 30 * SECOND_NS
WELL, PINCHED, HALTED = "well", "pinched", "halted"
WORDS = {
    WELL: "over: there is room again; limits have acted all the time",
    PINCHED: "THE DISK IS FULL: limits act only as long as a small reserve lasts; free some space now",
    HALTED: "NOTHING CAN BE STORED: LIMITS DO NOT ACT ANY MORE, only what was decided before is closed and cancelled",
}
AGAIN = "over: everything is stored again; limits act when ready is said"


@dataclass(slots=True)
class Halt:
    """How the journal is, what has been said of it, and what happened that it does not have."""

    writer: Writer
    announcer: Announcer
    missed: int = 0  # Facts that were heard and are not stored.
    sent_at: int = 0  # When a request last left unstored.
    _said: str = WELL

    def say(self) -> None:
        """Announce a change, once."""
        writer = self.writer
        now = HALTED if writer.broken is not None else PINCHED if writer.pinched is not None else WELL
        if now == self._said:
            return
        begun_again, self._said = self._said == HALTED, now
        figures: dict[str, object] = {"limits_act": now != HALTED and not begun_again}
        if begun_again:
            figures["not_stored"], self.missed = self.missed, 0
        text = AGAIN if begun_again else WORDS[now]
        self.announcer.say("halt", text=text, over=now == WELL, reason=writer.broken or writer.pinched, **figures)

    def note(self, unstored: Sequence[Event], book: Book) -> None:
        """Tell what is done for stored obligations although it cannot be stored, and count the facts missed."""
        for row in happenings(unstored, book):
            if row["type"] in ("request", "outcome") and self.writer.has_stored(row.get("command", "")):
                figures = {name: value for name, value in row.items() if name not in ("at", "type")}
                self.announcer.say(row["type"], **figures, stored=False)
        for event in unstored:
            if isinstance(event.body, QuotesObserved):
                self.missed += len(event.body.quotes)
            elif event.source in ("broker", "market") and not isinstance(event.body, BarObserved):
                self.missed += 1

    def is_over(self, accounts: Iterable[Account], now: int) -> bool:
        """Whether the engine may begin again. Raises OutOfSequence."""
        waits = self.sent_at and now - self.sent_at < ANSWERS_NS and any(_asked(account) for account in accounts)
        return not waits and self.writer.is_well()


def _asked(account: Account) -> bool:
    return any(request.state != "planned" and request.obligation for request in account.requests.values())
