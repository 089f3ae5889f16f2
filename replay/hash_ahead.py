"""SHA-256 of a stream, worked out beside the reading of it: hashlib lets another processor do it meanwhile."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor

# Handed over in pieces of this size: small ones would cost more in waiting for a turn than they save.
PIECE_BYTES = 4 << 20


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
