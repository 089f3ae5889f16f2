"""Instants as text, RFC 3339: read from any offset, written in UTC. No nanosecond is lost either way.

Stored events have one exact form, 2026-08-19T14:31:32.123456789Z, so that the text of an instant is canonical.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from riskcore.core.quantities import SECOND_NS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_NS = -62_135_596_800 * SECOND_NS  # 0001-01-01, the first instant that has a text.
LAST_NS = 253_402_300_800 * SECOND_NS - 1  # The end of 9999.
_LENGTH = 30
# Events crowd into few seconds, so the calendar arithmetic is done once a second, not once an event. Older seconds
# hardly occur again: remembering more of them only lets a live engine grow for a day.
_CACHED_SECONDS = 256
_text_of_second: dict[int, str] = {}
_WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,20}))?([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


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


def read_instant(text: str) -> int:
    """RFC 3339 text with any offset and number of fraction digits as nanoseconds since 1970, cut below them.

    Raises ValueError for other text, for an instant without an offset, and outside FIRST_NS to LAST_NS.
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time with an offset: {text[:40]!r}")
    moment, fraction, zone = match.groups()
    return _second_ns(moment, zone) + (int(fraction[:9].ljust(9, "0")) if fraction else 0)


def instant_ns(text: str) -> int:
    """The text of a stored instant as nanoseconds since 1970. Raises ValueError for every other form."""
    digits = text[20:29]
    form = text[10:11] + text[19:20] + text[29:]
    if len(text) != _LENGTH or form != "T.Z" or not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not an instant with nine digits and Z: {text[:40]!r}")
    return _second_ns(text[:19], "Z") + int(digits)


@lru_cache(maxsize=_CACHED_SECONDS)
def _second_ns(moment: str, zone: str) -> int:
    """A whole second at an offset. Raises ValueError."""
    plain = f"{moment[:10]}T{moment[11:]}"
    try:
        found = datetime.fromisoformat(plain + zone.upper())
    except ValueError:
        raise ValueError(f"no such time: {moment}{zone}") from None
    at = (found - _EPOCH) // timedelta(seconds=1) * SECOND_NS
    # The standard library reads other forms too, a week and its day for one.
    if found.replace(tzinfo=None).isoformat() != plain or not FIRST_NS <= at <= LAST_NS:
        raise ValueError(f"no such time: {moment}{zone}")
    return at
