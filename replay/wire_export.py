"""A day of the journal as a wire recording: the messages that were kept, word for word, in the order of handling.

Replayed under the same settings it gives the decisions of the journal. What no broker sent is written as fact lines
(schema/fact_lines.py). Market data that was not kept word for word is rebuilt from its events, which says the same
prices at the same times; the header says so. Source: INTERFACE.md 4.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from adapters.topstepx.fields import decode, encode
from adapters.topstepx.normalise import normalise
from replay.recording import WIRE_FORM, WRITER
from replay.source import Source
from riskcore.audit.following import open_journal
from riskcore.core import events as e
from riskcore.core.quantities import price_text
from riskcore.core.quarantine import QUARANTINE
from riskcore.core.quotes import quote_key
from riskcore.errors import ConfigError
from riskcore.schema.ending import Ending
from riskcore.schema.fact_lines import fact_text
from riskcore.schema.instants import read_instant
from riskcore.schema.payloads import message_line
from riskcore.store.journal import Journal
from riskcore.store.location import choose_days

# What changes no state is written as it was understood when its message was not kept (a call, a line without sense).
_HARMLESS = (e.CallObserved, e.WireRejected)
_REBUILT = "market data is rebuilt from the events, not word for word"


class WireExport:
    """Writes one recording through `write`: the header with the first day, then lines."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._ending = Ending()
        self.begun = False

    def begin(self, opened: e.TradingDayOpened, rebuilt: bool) -> None:
        """Write the header, once."""
        if self.begun:
            return
        self.begun = True
        header: dict[str, object] = {"riskcore": WIRE_FORM, "writer": WRITER, "profile": opened.profile}
        if opened.lacks:
            header["lacks"] = list(opened.lacks)
        if rebuilt:
            header["note"] = _REBUILT
        self.put(encode(header).encode() + b"\n")

    def put(self, line: bytes) -> None:
        """Write a whole line."""
        self._ending.add(line)
        self._write(line)

    def close(self) -> None:
        """Write the end line."""
        self._write(self._ending.line())


def export_wire(source: Source, writer: WireExport, *, all_days: bool = False) -> list[str]:
    """Write days of a journal, all but the end line, and return them; the last day unless others are asked for.

    Raises ConfigError for session files, for days that are not there, and for days whose messages were not kept.
    """
    if source.sessions:
        raise ConfigError("--wire reads the journal: session files hold no messages beside their events")
    with open_journal(source.store, source.profile, source.config_path) as (journal, stored):
        asked = source.days if source.days or all_days else stored[-1:]
        days = choose_days(stored, asked, f"profile {journal.profile}", journal.archived())
        for day in days:
            write_day(journal, day, writer)
        return days


def write_day(journal: Journal, day: str, writer: WireExport) -> None:
    """Write one day. Raises ConfigError when the messages of the account were not kept, Corrupt."""
    opened = journal.opening(day)
    messages = [_Message.read(line + b"\n") for _, block in journal.messages(day) for line in block[:-1].split(b"\n")]
    lines = _DayLines(messages)
    for _ in lines.of(event for _, event, _ in journal.read(day)):
        pass  # First whether all is there, so that nothing is begun that cannot be finished.
    if lines.missing:
        raise ConfigError(
            f"day {day} of {journal.profile}: {lines.missing} messages about the account were not kept (keep_payloads"
            " was off, or the day was recorded by an older riskcore), so the wire recording cannot be written;"
            " riskcore export without --wire writes what was understood of them"
        )
    first = not writer.begun
    writer.begin(opened, lines.rebuilt)
    if first and opened.accounts:
        event = next(event for _, event, _ in journal.read(day))
        writer.put(message_line(event.at, fact_text(event)))
    for line in _DayLines(messages).of(event for _, event, _ in journal.read(day)):
        writer.put(line)


@dataclass(frozen=True, slots=True)
class _Message:
    at: int
    line: bytes
    keys: tuple[str, ...]  # Of the facts it becomes.

    @classmethod
    def read(cls, line: bytes) -> "_Message":
        value = decode(line).value
        at = read_instant(value["at"])
        return cls(at, line, tuple(event.key for event in normalise(value, at)))


@dataclass(slots=True)
class _DayLines:
    """Merges what was kept with the facts of a day, in the order in which they were handled."""

    messages: list[_Message]
    missing: int = 0
    rebuilt: bool = False
    _next: int = 0
    _told: Counter[str] = field(default_factory=Counter)  # Facts of lines that are written already.

    def of(self, events: Iterable[e.Event]) -> Iterator[bytes]:
        """The lines of the day."""
        for event in events:
            body = event.body
            if event.derived or isinstance(body, e.TradingDayOpened):
                continue
            if isinstance(body, e.QuotesObserved):
                for at, contract, last, bid, ask in body.quotes:
                    quote = e.Event(at, "market", quote_key(contract, at), e.QuoteObserved(contract, last, bid, ask))
                    yield from self._fact(quote)
            else:
                yield from self._fact(event)
        yield from (message.line for message in self.messages[self._next :])

    def _fact(self, event: e.Event) -> Iterator[bytes]:
        if event.source not in ("broker", "market"):
            yield from self._until(event.at - 1, None)
            yield message_line(event.at, fact_text(event))
            return
        if isinstance(event.body, e.FactQuarantined):
            # Its message would be judged again: what is written instead is that it was left out.
            key = event.key.removeprefix(QUARANTINE)
            yield from (line for line in self._until(event.at, key) if line is not self._last)
            self._told.pop(key, None)
            yield message_line(event.at, fact_text(event))
            return
        if not self._told[event.key]:
            yield from self._until(event.at, event.key)
        if self._told[event.key]:
            self._told[event.key] -= 1
        else:
            yield self._rebuild(event)

    @property
    def _last(self) -> bytes:
        return self.messages[self._next - 1].line if self._next else b""

    def _until(self, at: int, key: str | None) -> Iterator[bytes]:
        """The messages up to an instant, or to the one that becomes the fact of this key."""
        while self._next < len(self.messages) and self.messages[self._next].at <= at:
            message = self.messages[self._next]
            self._next += 1
            self._told.update(message.keys)
            yield message.line
            if key is not None and self._told[key]:
                return

    def _rebuild(self, event: e.Event) -> bytes:
        """A fact whose message was not kept."""
        body = event.body
        if isinstance(body, e.QuoteObserved):
            self.rebuilt = True
            return message_line(event.at, quote_text(body))
        if event.source == "market":
            self.rebuilt = True
        elif not isinstance(body, _HARMLESS):
            self.missing += 1
        return message_line(event.at, fact_text(event))


def quote_text(body: e.QuoteObserved) -> bytes:
    prices = (("lastPrice", body.last), ("bestBid", body.bid), ("bestAsk", body.ask))
    said = ",".join(f'"{name}":{price_text(value)}' for name, value in prices if value is not None)
    contract = encode(body.contract)
    return f'{{"hub":"market","target":"GatewayQuote","arguments":[{contract},{{{said}}}]}}'.encode()
