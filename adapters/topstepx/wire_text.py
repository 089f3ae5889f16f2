"""Messages word for word, as lines of a wire recording without their `at`; secrets are never in them.

What the broker sent is not parsed and written again: its own text is put into the line, so that it can be shown as
evidence. Only what would not fit into one line, or may hold a login, is written anew from what was decoded.
"""

from typing import Any

from adapters.topstepx.fields import encode
from riskcore.core.raw_text import WITHHELD, holds_secret

_INVOCATION = b'{"type":1,'
_LINE_ENDS = b"\n", b"\r"


def hub_text(hub: str, line: dict[str, Any], record: bytes) -> bytes:
    """The text of a hub's message that came as `record`."""
    if record.startswith(_INVOCATION) and record.endswith(b"}") and not _breaks(record) and not holds_secret(record):
        return b'{"hub":"%b",%b' % (hub.encode(), record[len(_INVOCATION) :])
    return line_text(line)


def quote_texts(records: bytes) -> list[bytes]:
    """The texts of plain quotes, one record a line."""
    return [b'{"hub":"market",' + record[len(_INVOCATION) :] for record in records[:-1].split(b"\n")]


def answer_text(line: dict[str, Any], answer: bytes) -> bytes:
    """The text of a REST exchange whose answer was `answer`, which is JSON; `line` is the exchange, decoded."""
    if _breaks(answer) or not answer:
        return line_text(line)
    head = encode({name: value for name, value in line.items() if name != "response"}).encode()
    text = b'%b,"response":%b}' % (head[:-1], answer.strip())
    return _withheld(line) if holds_secret(text) else text


def line_text(line: dict[str, Any]) -> bytes:
    """A decoded line written anew. What may hold a login is left out of it."""
    try:
        text = encode(line)
    except RecursionError:
        return b""
    return _withheld(line) if holds_secret(text.encode()) else text.encode()


def _withheld(line: dict[str, Any]) -> bytes:
    """Where it came from, and nothing of what it said."""
    said = {name: line[name] for name in ("hub", "target", "rest", "status") if name in line}
    return encode({**said, "withheld": WITHHELD}).encode()


def _breaks(text: bytes) -> bool:
    return any(end in text for end in _LINE_ENDS)
