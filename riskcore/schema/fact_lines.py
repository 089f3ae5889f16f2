"""Facts that no broker sent, as lines of a wire recording: {"at":..., "fact":"EngineStarted", "v":1, ...}.

An operator's word, the outcome of a request, or what a day opened with. With them a recording says all that the engine
was told, so that replaying it gives the decisions of the journal. Source: INTERFACE.md 4 (extra lines are welcome).
"""

from typing import Any

import msgspec

from riskcore.core.events import Derived, Event
from riskcore.core.kinds import SOURCES
from riskcore.errors import Corrupt
from riskcore.schema.codec import Envelope, decode_event, encode_event

KIND = "fact"
_CLOCK = b'{"clock":true}'
_NOT_FACTS = tuple(body.__name__ for body in Derived.__args__)


class _Line(msgspec.Struct, gc=False):
    fact: str
    v: int
    source: str
    key: str
    data: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Envelope[msgspec.Raw]).decode


def fact_text(event: Event) -> bytes:
    """The text of a fact's line, without its `at`. Raises InvariantBroken for what cannot be stored."""
    if event.source == "clock" and type(event.body).__name__ == "ClockTicked":
        return _CLOCK
    said = _decode(encode_event(0, event)[1])
    return _encode(_Line(said.type, said.v, said.source, said.key, said.data))


def read_fact(line: dict[str, Any], data: bytes, at: int) -> Event:
    """The fact of a line received at `at`; `data` is the JSON of its data. Raises ValueError."""
    name, version, source, key = line.get(KIND), line.get("v"), line.get("source"), line.get("key")
    if not isinstance(name, str) or type(version) is not int or not isinstance(key, str):
        raise ValueError("a fact has a name, a version, a source and a key")
    if source not in SOURCES or source == "core" or name in _NOT_FACTS:
        raise ValueError("decisions are computed, never read from a recording")
    try:
        canonical = _encode([0, name, version, at, source, key, "", msgspec.Raw(data)])
        return decode_event(f"{name}.{version}", canonical)[1]
    except Corrupt as error:
        raise ValueError(str(error)) from None
