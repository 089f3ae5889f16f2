"""The end of the journal in memory: the state behind the last stored event, and the newest messages of the stream.

A thread follows the journal; all else happens on the loop of the service. The journal is the only way in, so what is
served is stored, and the engine is asked nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from riskcore.audit.following import Follower
from riskcore.audit.stream import BEFORE_ALL, LAST_PART, Place, Telling
from riskcore.audit.stream_messages import Channels, Message, no_channels
from riskcore.core.marks import default_age
from riskcore.core.project import moved_mark
from riskcore.core.quotes import Row
from riskcore.core.state import Book, Mark
from riskcore.store.journal import Journal

Answer = TypeVar("Answer")
MOST_KEPT = 2_000  # Messages; an older cursor is read from the journal again.
GAP_SECONDS = 0.01  # Between two looks, however often something is stored.


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look at the journal brought."""

    messages: list[Message]
    marks: dict[str, Mark]
    head: str | None
    begins_behind: tuple[str, int] | None


class Tail:
    """Follows until cancelled (`run`). `changed` is called on the loop after each look, with the marks that moved.

    `marks` may be newer than the journal: a quote that changes nothing is stored within a second, and shown at once.
    """

    def __init__(self, journal: Callable[[], Journal], every_seconds: float, channels: Channels = no_channels) -> None:
        self.head: str | None = None
        self.first = 0  # Number of the oldest message that is kept.
        self.failure: str | None = None
        self.looked = asyncio.Event()  # Set for good after the first look that went well.
        self.kept: deque[Message] = deque()
        self.start: Place = BEFORE_ALL  # Behind it every message is kept.
        self.marks: dict[str, Mark] = {}
        self.changed: Callable[[Mapping[str, Mark]], None] = lambda _: None
        self._open = journal
        self._every_seconds = every_seconds
        self._woken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "riskcore-web-follow")
        self._journal: Journal | None = None
        self._new: list[Message] = []
        self._telling = Telling(self._new.append, channels=channels)
        self.follower: Follower | None = None

    @property
    def end(self) -> int:
        """The number that the next message will have."""
        return self.first + len(self.kept)

    def wake(self) -> None:
        """Something was stored."""
        self._woken.set()

    async def run(self) -> None:
        """Look again and again. A fault of the journal is kept in `failure`, and it is tried again."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._publish(await loop.run_in_executor(self._thread, self._look))
                self.failure = None
            except Exception as error:
                self.failure = str(error)
            await asyncio.sleep(GAP_SECONDS if self.failure is None else self._every_seconds)
            try:
                async with asyncio.timeout(self._every_seconds):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    def _look(self) -> Seen:
        follower = self._followed()
        follower.catch_up()
        if not follower.trade_date:
            # Nothing is stored yet: all that will be is to be told, also what a remembered state would spare.
            self.follower = Follower(self._journal_opened(), self._telling, "")
        new, self._new[:] = list(self._new), []
        marks = {name: follower.book.marks[name] for name in self._telling.quoted if name in follower.book.marks}
        self._telling.quoted.clear()
        return Seen(new, marks, self._telling.head, follower.begins_behind)

    def _followed(self) -> Follower:
        if self.follower is None:
            self.follower = Follower(self._journal_opened(), self._telling)
        return self.follower

    def _journal_opened(self) -> Journal:
        if self._journal is None:
            self._journal = self._open()
        return self._journal

    def _publish(self, seen: Seen) -> None:
        if self.start == BEFORE_ALL and seen.begins_behind is not None:
            self.start = (*seen.begins_behind, LAST_PART)
        self.kept.extend(seen.messages)
        while len(self.kept) > MOST_KEPT:
            self.start = self.kept.popleft().place
            self.first += 1
        if self.head is None and seen.begins_behind is not None and seen.begins_behind[1]:
            day, seq = seen.begins_behind
            self.head = f"{day}:{seq}"
        self.head = seen.head or self.head
        self.looked.set()
        self._moved({name: mark for name, mark in seen.marks.items() if self._is_news(name, mark)})

    def _is_news(self, contract: str, mark: Mark) -> bool:
        known = self.marks.get(contract)
        return known is None or (mark.at >= known.at and mark != known)

    def _moved(self, marks: Mapping[str, Mark]) -> None:
        self.marks.update(marks)
        self.changed(marks)

    def quoted(self, rows: Sequence[Row]) -> None:
        """Quotes were received; they are stored later, or are already."""
        if self.follower is None or not self.follower.trade_date:
            return
        book = self.follower.book
        moved: dict[str, Mark] = {}
        for at, contract, last, bid, ask in rows:
            known = moved.get(contract) or self.marks.get(contract) or book.marks.get(contract)
            if known is None or at >= known.at:
                moved[contract] = moved_mark(known, at, last, bid, ask, default_age(book))
        self._moved(moved)

    @contextmanager
    def at_market(self, book: Book) -> Iterator[None]:
        """The book with the newest marks for as long as somebody looks at it; it is folded on without them."""
        stored = book.marks
        known = ((name, mark, stored.get(name)) for name, mark in dict(self.marks).items())
        newer = {name: mark for name, mark, old in known if old is None or mark.at > old.at}
        book.marks = {**stored, **newer}
        try:
            yield
        finally:
            book.marks = stored

    def number_behind(self, place: Place) -> int:
        """The number of the first message behind a place that is not in front of `start`."""
        low, high = 0, len(self.kept)
        while low < high:
            middle = (low + high) // 2
            if self.kept[middle].place <= place:
                low = middle + 1
            else:
                high = middle
        return self.first + low

    def messages(self, number: int, limit: int) -> list[Message]:
        """Messages from a number on, at most so many; none when it is not kept any more."""
        begin = number - self.first
        if begin < 0:
            return []
        if begin > len(self.kept) // 2:  # A deque is walked from its nearer end.
            back = min(len(self.kept) - begin, len(self.kept))
            return list(islice(reversed(self.kept), back))[::-1][:limit]
        return list(islice(self.kept, begin, begin + limit))

    async def asked(self, look: Callable[[Follower], Answer]) -> Answer:
        """What `look` makes of the state behind the last stored event, caught up just before. Raises RiskcoreError."""

        def looked() -> tuple[Seen, Answer]:
            seen = self._look()
            assert self.follower is not None, "looked at just now"
            return seen, look(self.follower)

        seen, answer = await asyncio.get_running_loop().run_in_executor(self._thread, looked)
        self._publish(seen)
        return answer

    def close(self) -> None:
        """Nobody asks any more."""

        def closed() -> None:
            if self._journal is not None:
                self._journal.close()

        self._thread.submit(closed)
        self._thread.shutdown(wait=False)


def cursor_of(follower: Follower) -> str | None:
    """Where a follower stands, as `as_of`."""
    return f"{follower.trade_date}:{follower.seq}" if follower.trade_date else None
