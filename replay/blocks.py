"""A session file as blocks of whole lines, hashed as they pass; memory grows neither with the file nor with a line."""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

from riskcore.errors import InputError

BLOCK_BYTES = 1 << 19
LONGEST_LINE_BYTES = 8 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class _Packed:
    """The packed bytes of a gzip file, hashed as they are read."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size) or b""
        self.sha256.update(data)
        self.bytes_read += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        raise io.UnsupportedOperation("a hashed file is read once, forwards")


class LineFile:
    """A session file, plain or gzip by its first bytes. Raises InputError when it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended_early = False  # A gzip stream that stops in its middle.
        try:
            self._file = path.open("rb", buffering=0)
            packed = self._file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            self._file.seek(0)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
        self._packed = _Packed(self._file) if packed else None
        self._content = gzip.GzipFile(fileobj=self._packed, mode="rb") if self._packed else None
        self._bytes = os.fstat(self._file.fileno()).st_size
        self._bytes_read = 0  # Of the content: what has been read of a plain file.

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def packed_sha256(self) -> str | None:
        """Of the packed bytes read so far; None for a plain file, whose content is what is stored."""
        return self._packed.sha256.hexdigest() if self._packed else None

    @property
    def share_read(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        read = self._packed.bytes_read if self._packed else self._bytes_read
        return min(1.0, read / self._bytes) if self._bytes else 1.0

    def blocks(self) -> Iterator[bytes]:
        """The content in order. A block ends with a line end, except the last of the file and the pieces of a
        line of LONGEST_LINE_BYTES or more. Raises InputError for a damaged file.
        """
        buffer = bytearray(BLOCK_BYTES)
        held = 0
        while True:
            if held == len(buffer):
                buffer.extend(bytes(len(buffer)))
            with memoryview(buffer) as view:
                count = self._fill(view[held:])
                end = buffer.rfind(b"\n", held, held + count) + 1
                held += count
                if not end and (not count or held >= LONGEST_LINE_BYTES):
                    end = held
                block = bytes(view[:end])
                view[: held - end] = view[end:held]
            held -= end
            if block:
                yield block
            if not count:
                return
            if held <= BLOCK_BYTES:
                del buffer[BLOCK_BYTES:]

    def _fill(self, view: memoryview) -> int:
        try:
            # A single read at a time: a longer one would lose what comes before a cut.
            count = (self._content.readinto1(view) if self._content else self._file.readinto(view)) or 0
        except EOFError:
            self.ended_early = True
            return 0
        except (OSError, zlib.error) as error:
            raise InputError(f"{self.path}: damaged: {error}") from error
        self._bytes_read += count
        return count


class Lines:
    """The lines of a session file with their line ends; `sha256` of the file as stored once all are read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sha256 = ""
        self.share_read = 0.0  # From 0 to 1.

    def __iter__(self) -> Iterator[bytes]:
        content = hashlib.sha256()
        pieces: list[bytes] = []
        with LineFile(self.path) as file:
            for block in file.blocks():
                content.update(block)
                self.share_read = file.share_read
                if block[-1:] != b"\n":
                    pieces.append(block)
                    continue
                lines = b"".join([*pieces, block]).split(b"\n")
                pieces.clear()
                yield from (line + b"\n" for line in lines[:-1])
            if pieces:
                yield b"".join(pieces)
            self.sha256 = file.packed_sha256 or content.hexdigest()


# Handed over in pieces of this size: small ones would cost more in waiting for a turn than they save.
PIECE_BYTES = 1 << 20


class HashAhead:
    """Like a hashlib object; `hexdigest` waits until all that was given is hashed."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._worker: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    def update(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._waiting.append(data)
        self._bytes += len(data)
        if self._bytes >= PIECE_BYTES:
            self._hand_over()

    def hexdigest(self) -> str:
        """The digest of everything so far, as hexadecimal digits."""
        self._finish()
        self._hash_pieces(self._waiting)
        self._waiting, self._bytes = [], 0
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None
        return self._hash.hexdigest()

    def _hand_over(self) -> None:
        self._finish()
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="sha256")
        self._running = self._worker.submit(self._hash_pieces, self._waiting)
        self._waiting, self._bytes = [], 0

    def _finish(self) -> None:
        if self._running is not None:
            self._running.result()
            self._running = None

    def _hash_pieces(self, pieces: list[bytes]) -> None:
        self._hash.update(b"".join(pieces))
