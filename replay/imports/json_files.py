"""JSON files of the broker's answers, read with exact numbers. Source: INTERFACE.md 8, topstepx/API.md 1 and 2."""

import gzip
import zlib
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import Object, decode, field
from riskcore.errors import InputError

_PACKED = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_bytes(path: Path) -> bytes:
    """A file's content in UTF-8 without byte order mark, unpacked when it is packed by gzip. Raises InputError.

    Shells and spreadsheets of Windows write UTF-16.
    """
    try:
        data = path.read_bytes()
        plain = gzip.decompress(data) if data.startswith(_PACKED) else data
        if plain.startswith(_UTF_16):
            plain = plain.decode("utf-16").encode()
        return plain.removeprefix(_BYTE_ORDER_MARK)
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read: {reason}") from None


def read_answer(path: Path, data: bytes) -> Object:
    """The answer a JSON file holds. Raises InputError for no JSON, no object and an answer that failed."""
    try:
        decoded = decode(data)
    except ValueError as error:
        if data.lstrip().startswith(b'{"riskcore"'):
            raise InputError(f"{path}: a session file, not a history; give it to riskcore replay") from None
        raise InputError(f"{path}: {error}") from None
    value = decoded.value
    if not isinstance(value, dict):
        raise InputError(f"{path}: not an answer of the broker: no object with a list of rows")
    if decoded.repeated is not None:
        raise InputError(f"{path}: the key {decoded.repeated[:40]!r} comes twice")
    if value.get("success") is False:
        raise InputError(f"{path}: the answer says that the call failed (errorCode {value.get('errorCode')})")
    return value


def rows_of(path: Path, answer: Object, key: str) -> list[Any]:
    """The list of an answer. Raises InputError."""
    listed = field(answer, key)
    if listed is None:
        raise InputError(f"{path}: {key} is null, so the broker listed nothing; ask again")
    if not isinstance(listed, list):
        raise InputError(f"{path}: {key} is not a list")
    return listed


def read_rows(path: Path, key: str) -> list[Any]:
    """The rows of a file that must be an answer with this list. Raises InputError."""
    return rows_of(path, read_answer(path, read_bytes(path)), key)
