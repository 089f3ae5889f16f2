"""Instants of stored events as text: UTC RFC 3339 with exactly nine digits, 2026-08-19T14:31:32.123456789Z.

One exact form, so that the text of an instant is canonical and loses no nanosecond.
"""

from datetime import UTC, datetime, timedelta

from riskcore.core.quantities import SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_NS = -62_135_596_800 * SECOND_NS  # 0001-01-01, the first instant that has a text.
LAST_NS = 253_402_300_800 * SECOND_NS - 1  # The end of 9999.
_LENGTH = 30
# Events crowd into few seconds, so the calendar arithmetic is done once a second, not once an event. Older seconds
# hardly occur again: remembering more of them only lets a live engine grow for a day.
_CACHED_SECONDS = 256
_text_of_second: dict[int, str] = {}
_second_of_text: dict[str, int] = {}


def instant_text(at: int) -> str:
    """Nanoseconds since 1970 as text. Raises OverflowError outside FIRST_NS to LAST_NS."""
    second, rest = divmod(at, SECOND_NS)
    text = _text_of_second.get(second)
    if text is None:
        text = (_EPOCH + timedelta(seconds=second)).replace(tzinfo=None).isoformat()
        if len(_text_of_second) >= _CACHED_SECONDS:
            _text_of_second.clear()
        _text_of_second[second] = text
    return f"{text}.{rest:09d}Z"


def utc_text(at: int) -> str:
    """Nanoseconds since 1970 as people and JSON readers write them: no fraction when there is none, six digits
    when they are enough, nine otherwise. Raises OverflowError outside FIRST_NS to LAST_NS.
    """
    text = instant_text(at)
    if at % SECOND_NS == 0:
        return text[:19] + "Z"
    return text[:26] + "Z" if at % 1000 == 0 else text


def instant_ns(text: str) -> int:
    """The text of an instant as nanoseconds since 1970. Raises ValueError for every other form."""
    digits = text[20:29]
    if len(text) != _LENGTH or text[19] != "." or text[29] != "Z" or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not an instant with nine digits and Z: {text[:40]!r}")
    second = _second_of_text.get(text[:19])
    if second is None:
        second = _second(text[:19])
        if len(_second_of_text) >= _CACHED_SECONDS:
            _second_of_text.clear()
        _second_of_text[text[:19]] = second
    return second * SECOND_NS + int(digits)


def _second(text: str) -> int:
    parsed = datetime.fromisoformat(text)
    if parsed.isoformat() != text:
        raise ValueError(f"not an instant: {text!r}")
    return (parsed.replace(tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
