"""Messages kept beside the events they became: what the broker said, word for word, and when it was received.

A message is a whole line of a wire recording, `at` (ours) and line end included; the broker's own times are in it. The
messages of one transaction are kept together beside its last fact, compressed. They have a chain of their own, hung on
that of the events: link_n = SHA-256(link_n-1, hash of the event beside them, their lines). So the store shows that one
was edited or taken out, while hashes of events and decisions are the same with and without messages. The first link of
a day hangs on the last of the day before. Source: DESIGN.md "One event, end to end".

What is stored begins with the number of its form, so that another form can be added; forms are never changed. In form 1
the link follows, then raw deflate.
"""

import zlib
from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import sha256
from operator import itemgetter

from riskcore.core.events import Event, TradingDayOpened
from riskcore.errors import Corrupt
from riskcore.schema.instants import instant_text

Message = tuple[int, bytes]  # When it was received, in nanoseconds, and its line.

_FORM = b"\x01"
_HEAD = 1 + 32
NO_LINK = bytes(32)  # Before the first messages of all.
# Windows are small because messages are, and a larger one takes longer to set up than to use.
_WINDOW_BITS, _MEMORY_LEVEL = 12, 4
# What a reader accepts is more than what is written, so that a later writer may use larger windows.
_READ_WINDOW_BITS = 15
LONGEST_BYTES = 64 << 20  # Of the messages of one transaction; more is damage.
# What messages have in common, the commonest last. Frozen with form 1.
_COMMON = (
    b'"request":{"accountId":1,"startTimestamp":"2026-08-19T22:00:00Z"},"asked_at":"2026-08-19T14:31:32.123456789Z",'
    b'"status":200,"response":{"success":true,"errorCode":0,"errorMessage":null}}\n'
    b',"hub":"market","target":"GatewayTrade","arguments":["CON.F.US.MES.U26",[{"symbolId":"F.US.MES","price":1.25,'
    b'"timestamp":"2026-08-19T14:31:32.1234567+00:00","type":0,"volume":1}]]}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"market","target":"GatewayQuote","arguments":["CON.F.US.MNQ.U26",'
    b'{"symbol":"F.US.MNQ","lastPrice":1.25,"bestBid":1.25,"bestAsk":1.5,"change":-1.25,"changePercent":0.01,"open":1.25,'
    b'"high":1.25,"low":1.25,"volume":1,"lastUpdated":"2026-08-19T14:31:32.1234567+00:00",'
    b'"timestamp":"2026-08-19T14:31:32.1234567+00:00"}]}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","rest":"/api/Position/closeContract","request":{"accountId":1,'
    b'"contractId":"CON.F.US.MNQ.U26"},"asked_at":"2026-08-19T14:31:32.123456789Z","status":200,'
    b'"response":{"positions":[],"orders":[],"trades":[],"success":true,"errorCode":0,"errorMessage":null}}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"GatewayUserAccount","arguments":[{"action":1,"data":'
    b'{"id":1,"name":"50KTC-V2-1","balance":50000.0,"canTrade":true,"isVisible":true,"simulated":true}}]}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"GatewayUserPosition","arguments":[{"action":1,"data":'
    b'{"id":1,"accountId":1,"contractId":"CON.F.US.MNQ.U26","contractDisplayName":"MNQU6","creationTimestamp":'
    b'"2026-08-19T14:31:32.1234567+00:00","type":1,"size":1,"averagePrice":1.25}}]}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"GatewayUserOrder","arguments":[{"action":1,"data":'
    b'{"id":1,"accountId":1,"contractId":"CON.F.US.MNQ.U26","symbolId":"F.US.MNQ","creationTimestamp":'
    b'"2026-08-19T14:31:32.1234567+00:00","updateTimestamp":"2026-08-19T14:31:32.1234567+00:00","status":2,"type":2,'
    b'"side":1,"size":1,"limitPrice":null,"stopPrice":null,"fillVolume":1,"filledPrice":1.25,"customTag":null}}]}\n'
    b'{"at":"2026-08-19T14:31:32.123456789Z","hub":"user","target":"GatewayUserTrade","arguments":[{"action":0,"data":'
    b'{"id":1,"accountId":1,"contractId":"CON.F.US.MNQ.U26","creationTimestamp":"2026-08-19T14:31:32.1234567+00:00",'
    b'"price":1.25,"profitAndLoss":null,"fees":0.37,"side":0,"size":1,"voided":false,"orderId":1,"commissions":0.25}}]}\n'
)
# Copied for every blob: a copy takes a fraction of the time in which the dictionary is read.
_PACKER = zlib.compressobj(1, zlib.DEFLATED, -_WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, _COMMON)


def message_line(at: int, text: bytes) -> bytes:
    """The line of a recording: `text` is an object without its `at`, received at an instant in nanoseconds."""
    return b'{"at":"%b",%b\n' % (instant_text(at).encode(), text[1:])


def linked(before: bytes, event_hash: bytes, lines: bytes) -> bytes:
    """The link of messages beside an event, after the link before."""
    return sha256(before + event_hash + lines).digest()


def pack(link: bytes, lines: bytes) -> bytes:
    """Messages as they are stored."""
    packer = _PACKER.copy()
    return _FORM + link + packer.compress(lines) + packer.flush()


def link_of(blob: object) -> bytes:
    """The link of stored messages. Raises Corrupt."""
    if not isinstance(blob, bytes) or blob[:1] != _FORM or len(blob) <= _HEAD:
        raise Corrupt("its messages are kept in a form this riskcore does not know: damaged, or written by a newer one")
    return blob[1:_HEAD]


def unpack(blob: object) -> bytes:
    """The lines of `pack`. Raises Corrupt."""
    link_of(blob)
    assert isinstance(blob, bytes)
    unpacker = zlib.decompressobj(-_READ_WINDOW_BITS, _COMMON)
    try:
        lines = unpacker.decompress(blob[_HEAD:], LONGEST_BYTES)
    except zlib.error as error:
        raise Corrupt(f"its messages are damaged: {error}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise Corrupt("its messages are damaged: they do not end where they should")
    return lines


def placed(events: Sequence[Event], messages: Sequence[Message]) -> dict[int, bytes]:
    """Beside which of the events stored together which messages are kept: the last fact of their own trading day."""
    found: dict[int, bytes] = {}
    rest, start = list(messages), 0
    if events and isinstance(events[0].body, TradingDayOpened):
        rest = [message for message in rest if message[0] >= events[0].at]  # Of a day that is not wanted.
    openings = [index for index, event in enumerate(events) if index and isinstance(event.body, TradingDayOpened)]
    for end in (*openings, len(events)):
        last = end == len(events)
        ours = rest if last else [message for message in rest if message[0] < events[end].at]
        facts = [index for index in range(start, end) if not events[index].derived]
        if ours and (facts or last):
            found[facts[-1] if facts else end - 1] = b"".join(line for _, line in ours)
            rest = rest[len(ours) :]
        start = end
    return found


def of_user(line: dict[str, object]) -> bool:
    """Whether a line is about the account and not the market: quotes, prints, depth and bars are the market's."""
    path = line.get("rest")
    return line.get("hub") != "market" and not (isinstance(path, str) and "/History/" in path)


class Pending:
    """Messages that were read and wait for the events that come of them."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    def add(self, at: int, line: bytes) -> None:
        self._messages.append((at, line))

    def of(self, events: Sequence[Event]) -> list[Message]:
        """Those received by the time of events that are stored now; they wait no longer.

        A day opens at the time of its first fact: the message of that fact waits for it.
        """
        if not self._messages:
            return []
        last = events[-1]
        at = last.at - 1 if isinstance(last.body, TradingDayOpened) else last.at
        count = bisect_right(self._messages, at, key=itemgetter(0))
        found, self._messages = self._messages[:count], self._messages[count:]
        return found


Keep = Callable[[int, bytes], None]  # Told of each message: when it was received, and its line.
