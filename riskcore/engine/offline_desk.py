"""The operator's word without a running engine: straight into the journal, decided by the same core, carried out later.

Nothing is sent from here. That nobody carries anything out is a fact of the journal too (EngineStarted), so nothing is
planned on a picture that may be old; the next engine finds the obligations in force and meets them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from riskcore.core.events import EngineStarted, Event, Fact
from riskcore.core.kinds import Source
from riskcore.core.quarantine import error_text
from riskcore.core.rulebook import Rulebook
from riskcore.core.runner import Runner
from riskcore.core.state import Book
from riskcore.engine.ports import Clock
from riskcore.engine.resume import resume
from riskcore.errors import InvariantBroken, RiskcoreError
from riskcore.settings.calendar import day_for
from riskcore.store.journal import Journal

SOURCE: Source = "operator"


class OfflineDesk:
    """A Desk over a journal opened for writing. Raises what the journal raises."""

    def __init__(self, journal: Journal, settings: Mapping[str, Any], clock: Clock, version: str) -> None:
        self.clock = clock
        self._journal = journal
        self._stored: list[Event] = []
        self._waiting: list[Event] = []
        resumed = resume(journal)
        self._last_at = resumed.last_at
        self._runner = Runner(
            settings,
            (self._keep,),
            day_for,
            version=version,
            keep_quotes=True,
            book=resumed.book,
            day_ended=resumed.day_ended,
        )
        self._numbered = 0
        self._began = EngineStarted(version, enforces=False)

    @property
    def book(self) -> Book:
        return self._runner.book

    @property
    def rulebook(self) -> Rulebook:
        return self._runner.turn.rulebook

    def begin(self) -> None:
        """Let time pass up to now: lockouts that are over end, and a new day opens."""
        self._take(self._began, "offline")

    def submit(self, body: Fact) -> str:
        return self._take(body, type(body).__name__)

    async def settled(self, key: str, timeout_seconds: float) -> list[Event]:
        return [event for event in self._stored if event.cause == key]

    async def stored(self, key: str, timeout_seconds: float) -> list[Event] | None:
        return await self.settled(key, timeout_seconds)

    def follow(self, contract: str) -> None:
        """Nobody is connected: what is known is all there is."""

    def _take(self, body: Fact, about: str) -> str:
        at = self._last_at = max(self.clock.now(), self._last_at)
        self._numbered += 1
        key = f"{about}@{at}.{self._numbered}"
        self._runner.begin()
        try:
            self._runner.event(Event(at, SOURCE, key, body))
        except RiskcoreError:
            raise
        except Exception as error:
            raise InvariantBroken(f"riskcore itself went wrong ({error_text(error)}); nothing was stored") from error
        self._runner.end()
        self._runner.finish()
        self._journal.append(self._waiting)
        self._stored, self._waiting = [*self._stored, *self._waiting], []
        return key

    def _keep(self, events: Sequence[Event]) -> None:
        self._waiting.extend(events)
