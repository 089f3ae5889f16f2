"""What the head of a line of a wire recording says: a header with its fields, or when the line was received."""

import re
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import decode, instant
from riskcore.errors import InputError

WIRE_FORM = "wire/1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FIRST_AT = re.compile(rb'\s*\{\s*"at"\s*:\s*"([^"\\]{1,40})"')


class Unreadable(ValueError):
    """A line that is no line of a recording; the text is the reason."""


def header_of(line: bytes) -> dict[str, Any]:
    """The header a line is, empty when it is none."""
    try:
        value = decode(line.removeprefix(BYTE_ORDER_MARK)).value
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "riskcore" in value else {}


def header_fields(path: Path, header: dict[str, Any]) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Profile, note and lacks. Raises InputError."""
    if header and header.get("riskcore") != WIRE_FORM:
        raise InputError(f"{path}, line 1: form {header['riskcore']!r:.40} is not {WIRE_FORM}")
    profile, note, lacks = header.get("profile"), header.get("note"), header.get("lacks", [])
    if not isinstance(profile, str | None) or not isinstance(note, str | None):
        raise InputError(f"{path}, line 1: profile and note must be texts")
    if not isinstance(lacks, list) or not all(isinstance(item, str) for item in lacks):
        raise InputError(f"{path}, line 1: lacks must be a list of texts")
    return profile, note, tuple(lacks)


def instant_at(at: Any) -> int:
    """The value of `at`. Raises Unreadable."""
    if not isinstance(at, str):
        raise Unreadable("`at` is missing or no text")
    try:
        return instant(at)
    except ValueError as error:
        raise Unreadable(f"`at`: {error}") from None


def at_of(line: bytes) -> int:
    """The time of a line that is not decoded, which must come first in it."""
    match = _FIRST_AT.match(line)
    return instant_at(match and match[1].decode("utf-8", "replace"))
