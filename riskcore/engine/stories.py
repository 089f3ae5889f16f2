"""What follows from one word of the operator: the events it caused, and what became of its requests."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from riskcore.core.events import (
    Event,
    RequestAccepted,
    RequestPlanned,
    RequestRefused,
    RequestSuperseded,
    RequestUnresolved,
)
from riskcore.engine.ports import Clock

_ANSWERS = (RequestAccepted, RequestRefused, RequestUnresolved, RequestSuperseded)


@dataclass(slots=True)
class _Story:
    events: list[Event] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    stored: bool = False
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Stories:
    """Collects stored events by the fact that caused them, for as long as somebody waits."""

    def __init__(self) -> None:
        self._stories: dict[str, _Story] = {}

    def follow(self, key: str) -> None:
        """Somebody wants to know what the fact of this natural key leads to."""
        self._stories[key] = _Story()

    def note(self, events: Sequence[Event]) -> None:
        """Events that have just been stored, in order."""
        if not self._stories:
            return
        for event in events:
            for key, story in self._stories.items():
                self._add(key, story, event)
        for story in self._stories.values():
            if story.stored and not story.pending:
                story.told.set()

    def _add(self, key: str, story: _Story, event: Event) -> None:
        body = event.body
        if event.key == key and not event.derived:
            story.stored = True
        elif event.cause == key:
            story.events.append(event)
            if isinstance(body, RequestPlanned):
                story.pending.add(body.request)
                story.requests.add(body.request)
        elif isinstance(body, _ANSWERS) and body.request in story.requests:
            story.events.append(event)
            story.pending.discard(body.request)

    async def settled(self, key: str, clock: Clock, timeout_seconds: float) -> list[Event]:
        """What followed from the fact, once each of its requests has an answer or the time is over."""
        story = self._stories[key]
        try:
            async with clock.timeout(timeout_seconds):
                await story.told.wait()
        except TimeoutError:
            pass
        finally:
            del self._stories[key]
        return story.events
