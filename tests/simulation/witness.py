"""Nothing is lost between the socket and the disk (I2), and the disk tells the state again (I4)."""

from collections.abc import Sequence

from riskcore.core.events import BarObserved, Event, QuotesObserved, TradingDayOpened
from riskcore.core.quotes import Quotes
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.state import Book
from riskcore.engine.engine import Engine
from riskcore.engine.inbox import Normalise
from riskcore.engine.ports import Line, Texts
from riskcore.schema.codec import book_from_bytes, state_bytes
from tests.simulation.invariants import Judge
from tests.simulation.network import Process

# In every so manieth seed the state is folded again behind each commit; it costs as much as the engine itself.
FOLDS_EVERY_SEEDS = 10


class Witness:
    """Counts what one process hears and stores, and folds what is stored."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._heard = self._told = self._stored = 0
        self._shadow: Book | None = None
        self._rulebook: Rulebook | None = None

    # ---- what is heard ---------------------------------------------------------------------------------

    def normalise(self, real: Normalise, process: Process) -> Normalise:
        """The real one, counted while the process lives: hub messages heard, and facts that have to be stored."""

        def counted(line: Line, at: int) -> list[Event]:
            events = real(line, at)
            if process.alive:
                self._heard += "hub" in line
                self._told += sum(not isinstance(event.body, BarObserved) for event in events)
            return events

        return counted

    def watch(self, engine: Engine, process: Process, seed: int) -> None:
        """A new process begins."""
        self._heard = self._told = self._stored = 0
        quotes = engine.inbox.quotes

        def counted(found: Quotes, texts: Texts | None = None) -> None:
            if process.alive:
                self._heard += len(found.ats)
                self._told += len(found.ats)
            quotes(found, texts)

        engine.inbox.quotes = counted  # type: ignore[method-assign]
        if seed % FOLDS_EVERY_SEEDS == 0:
            # Another book with the same content: the engine goes on in its own.
            self._shadow = book_from_bytes(state_bytes(engine.book))
            self._rulebook = rulebook_of(self._shadow.settings)

    def appended(self, events: Sequence[Event]) -> None:
        """Events that are durable now."""
        for event in events:
            if isinstance(event.body, QuotesObserved):
                self._stored += len(event.body.quotes)
            elif event.source in ("broker", "market") and not isinstance(event.body, BarObserved):
                self._stored += 1

    def missed(self, facts: int) -> None:
        """The engine says that so many facts were heard while the disk was broken, and are not stored."""
        self._told -= facts

    def ended(self, process: Process) -> None:
        """A process has stopped in good order: everything it heard must be stored."""
        # Only hub events have a target.
        records = sum(b"".join(link.taken).count(b'"target":') for link in process.links)
        if records != self._heard:
            self._judge.find("I2", f"{records} hub messages were read and {self._heard} were handed on")
        if self._told != self._stored:
            self._judge.find("I2", f"{self._told} facts were heard and {self._stored} are stored")

    # ---- what is stored --------------------------------------------------------------------------------

    def resumed(self, book: Book, last_belief: bytes | None) -> None:
        """What a new process starts from; `last_belief` is what the dead one believed behind its last commit."""
        if last_belief is not None and state_bytes(book) != last_belief:
            self._judge.find("I4", "the journal does not tell the state that the dead process had")

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """Fold what was stored into the shadow and compare."""
        if self._shadow is None or self._rulebook is None:
            return
        rest: list[Event] = []
        for event in events:
            if not isinstance(event.body, TradingDayOpened):
                rest.append(event)
                continue
            rebuild(self._shadow, self._rulebook, rest)
            rest = []
            self._rulebook = rulebook_of(event.body.settings)
            fold(self._shadow, self._rulebook, event)
        rebuild(self._shadow, self._rulebook, rest)
        self._rulebook = rulebook_of(self._shadow.settings)
        if self._shadow != book:
            self._judge.find("I4", f"folded again the state differs behind {events[-1].key}")
            self._shadow = None
