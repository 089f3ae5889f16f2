"""The columns of a recording kept beside it, so that its quote lines are read once.

The file `.NAME.columns` holds a digest of all that follows, a header, the lines that are no plain quotes, and the
quotes, packed column by column (packed.py). It is keyed by the digest of the recording. That digest is not worked out
again while size, inode and the times of the last change are those of the file that was read: a change of the content
changes the time of the last change of the inode, which no program can set. Otherwise the recording is hashed, and read
anew where it differs.

Whatever is wrong with a cache file, there is none; whatever keeps it from being written, nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from replay.columns.columns import Columns
from replay.columns.packed import Form, Packed, pack
from riskcore.version import VERSION

NO_CACHE = "RISKCORE_NO_CACHE"  # Environment variable; any text but none switches the cache off.
SMALLEST_BYTES = 1 << 20  # A shorter recording is read in no time.
_FORM = 3
_SETTLED_NS = 2 * 10**9  # A file may change again within the resolution of its clock.
_DIGEST_BYTES = 64
_PIECE_BYTES = 1 << 22
_PART_NUMBERS = 1 << 16
_NAMES = ("ats", "codes", "lasts", "bids", "asks")


class _Header(msgspec.Struct):
    form: int
    version: str
    sha256: str  # Of the recording.
    signature: list[int]  # Of the recording when it was read; empty while it might have changed unnoticed.
    names: list[str]
    steps: list[tuple[int, int]]  # So many plain quotes, then a line of so many bytes that is none; 0: no such line.
    forms: list[Form]  # Of each column.
    parts: list[int]  # Bytes of the other lines, and of each column.


@dataclass(slots=True)
class Kept:
    """A recording without its quote lines. `steps` are (quotes, bytes of the other line behind them)."""

    sha256: str
    steps: list[tuple[int, int]]
    others: bytes
    columns: Columns


def cache_path(path: Path) -> Path:
    """Where the columns of a recording are kept."""
    return path.with_name(f".{path.name}.columns")


def wanted(path: Path) -> bool:
    """Whether columns of a recording are worth keeping, and nobody said that they should not be."""
    try:
        return not os.environ.get(NO_CACHE) and path.stat().st_size >= SMALLEST_BYTES
    except OSError:
        return False


def find(path: Path) -> Kept | None:
    """What is kept of a recording as it is now, if anything."""
    place = cache_path(path)
    try:
        data = place.read_bytes()
        found = _decoded(data)
        if found is None:
            return None
        header, kept = found
        signature = _signature(path)
        if header.signature != signature:
            if _sha256(path) != header.sha256 or _signature(path) != signature:
                return None
            header.signature = _settled(signature)
            if header.signature:
                _write(place, _encoded(header, data[-_body_bytes(data) :]))
        return kept
    except Exception:
        # An edited, cut or foreign file may fail in any way, and is then no cache.
        return None


@dataclass(slots=True)
class Keeper:
    """Collects what is kept of a recording while it is read."""

    path: Path
    _signature: list[int] = field(default_factory=list)
    _steps: list[tuple[int, int]] = field(default_factory=list)
    _others: list[bytes] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)
    _columns: dict[str, _Growing] = field(default_factory=lambda: {name: _Growing() for name in _NAMES})
    _count: int = 0

    def __post_init__(self) -> None:
        self._signature = _signature(self.path)

    def quotes(self, columns: Columns, start: int, end: int) -> None:
        """Plain quotes that were delivered as they are."""
        self._names = columns.names
        for name, column in self._columns.items():
            column.add(getattr(columns, name)[start:end])
        self._count += end - start

    def line(self, line: bytes) -> None:
        """Any other line, or a quote that needed a closer look."""
        self._others.append(line)
        self._steps.append((self._count, len(line)))
        self._count = 0

    def write(self, sha256: str) -> None:
        """Keep the columns of a recording that was read to its end."""
        with suppress(Exception):
            if _signature(self.path) != self._signature or not self._names:
                return
            if self._count:
                self._steps.append((self._count, 0))
            packed = [self._columns.pop(name).packed() for name in _NAMES]
            forms, parts = [form for form, _ in packed], [b"".join(self._others), *(part for _, part in packed)]
            signature, sizes = _settled(self._signature), [len(part) for part in parts]
            header = _Header(_FORM, VERSION, sha256, signature, self._names, self._steps, forms, sizes)
            _write(cache_path(self.path), _encoded(header, b"".join(parts)))


class _Growing:
    """A column to be packed, most of it packed already: a day of numbers at once would take much memory."""

    def __init__(self) -> None:
        self._parts: list[tuple[Form, bytes]] = []
        self._newest: array[int] = array("q")

    def add(self, numbers: NDArray[Any]) -> None:
        self._newest.frombytes(numbers.astype(np.int64, copy=False).tobytes())
        if len(self._newest) >= _PART_NUMBERS:
            self._pack_newest()

    def packed(self) -> tuple[Form, bytes]:
        """All of it, as one."""
        self._pack_newest()
        parts = [Packed(form, memoryview(data)) for form, data in self._parts]
        whole = np.empty(sum(map(len, parts)), np.int64)
        start = 0
        for part in parts:
            whole[start : start + len(part)] = part[:]
            start += len(part)
        return pack(whole)

    def _pack_newest(self) -> None:
        self._parts.append(pack(np.frombuffer(self._newest, np.int64)))
        self._newest = array("q")


def _encoded(header: _Header, body: bytes) -> bytes:
    content = msgspec.json.encode(header) + b"\n" + body
    return hashlib.sha256(content).hexdigest().encode() + content


def _body_bytes(data: bytes) -> int:
    return len(data) - data.index(b"\n", _DIGEST_BYTES) - 1


def _decoded(data: bytes) -> tuple[_Header, Kept] | None:
    content = memoryview(data)[_DIGEST_BYTES:]
    if hashlib.sha256(content).hexdigest().encode() != data[:_DIGEST_BYTES]:
        return None
    start = len(data) - _body_bytes(data)
    header = msgspec.json.decode(data[_DIGEST_BYTES:start], type=_Header)
    if (header.form, header.version) != (_FORM, VERSION):
        return None
    parts = []
    for part_bytes in header.parts:
        parts.append(memoryview(data)[start : start + part_bytes])
        start += part_bytes
    others, *columns = parts
    ats, codes, lasts, bids, asks = map(Packed, header.forms, columns)
    # A single name has the code 0 everywhere.
    places = np.zeros(len(codes), np.int16) if len(header.names) == 1 else codes[:].astype(np.int16)
    quotes = Columns(ats, places, header.names, lasts, bids, asks)
    kept = Kept(header.sha256, header.steps, bytes(others), quotes)
    return header, kept


def _signature(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_dev]


def _settled(signature: list[int]) -> list[int]:
    _, modified, changed, *_ = signature
    return signature if time.time_ns() - max(modified, changed) > _SETTLED_NS else []


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            found.update(piece)
    return found.hexdigest()


def _write(place: Path, data: bytes) -> None:
    new = place.with_name(f"{place.name}.{os.getpid()}")
    try:
        new.write_bytes(data)
        new.replace(place)
    finally:
        new.unlink(missing_ok=True)
