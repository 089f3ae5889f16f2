"""One hurried time for two processes: it is put forward only while neither has anything to do.

The leader, when it is idle, asks the follower how long that would wait, and after the answer looks once more whether
anything has come. What either has sent lies in the other's socket by then, so nothing is passed over. Both clocks count
from the machine's own monotonic time, which is the same in every process, and nothing is put forward before both run.
"""

import math
import selectors
import socket
import struct
from collections.abc import Iterator

from tests.adapters.clocks import HurriedSelector

Events = list[tuple[selectors.SelectorKey, int]]
_MESSAGE = struct.Struct(">Qd")  # Number of the question; seconds: asked nothing, to wait, or put forward so far.
_LOOK_AGAIN_SECONDS = 0.01


class _Together(HurriedSelector):
    """What leader and follower share: the link lies among the sockets and is answered here."""

    def __init__(self) -> None:
        super().__init__(scale=1)
        self._link: socket.socket | None = None
        self._rest = b""

    def join(self, link: socket.socket) -> None:
        """From now on time is shared over this connection."""
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(link, selectors.EVENT_READ)
        self._link = link

    def close(self) -> None:
        self._part()
        super().close()

    def _say(self, number: int, seconds: float) -> None:
        if self._link is not None:
            try:
                self._link.sendall(_MESSAGE.pack(number, seconds))
            except OSError:
                self._part()

    def _look(self, timeout: float | None) -> tuple[Events, list[tuple[int, float]]]:
        """What is ready apart from the link, and what came over the link."""
        found = self._selector.select(timeout)
        others = [event for event in found if event[0].fileobj is not self._link]
        return others, list(self._heard()) if len(others) < len(found) else []

    def _heard(self) -> Iterator[tuple[int, float]]:
        assert self._link is not None
        try:
            read = self._link.recv(4_096)
        except OSError:
            read = b""
        if not read:
            self._part()
        self._rest += read
        while len(self._rest) >= _MESSAGE.size:
            yield _MESSAGE.unpack_from(self._rest)
            self._rest = self._rest[_MESSAGE.size :]

    def _part(self) -> None:
        """The other side has ended."""
        if self._link is not None:
            self._selector.unregister(self._link)
            self._link.close()
            self._link = None


class Leader(_Together):
    """Puts time forward. Until somebody has joined, and after it has left, waiting takes as long as it takes."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    def select(self, timeout: float | None = None) -> Events:
        others, _ = self._look(0)
        if others or (timeout is not None and timeout <= 0):
            return others
        while self._link is not None:
            self._number += 1
            self._say(self._number, 0)
            waits = None
            while waits is None and self._link is not None:
                others, heard = self._look(None)
                if others:
                    return others  # The answer, when it comes, is to a question that nobody asks any more.
                waits = next((seconds for number, seconds in heard if number == self._number), None)
            others, _ = self._look(0)
            if others:
                return others
            forward = min(math.inf if timeout is None else timeout, math.inf if waits is None else waits)
            if forward < math.inf:
                self.ahead_seconds += forward
                self._say(0, self.ahead_seconds)
                return []
            others, _ = self._look(_LOOK_AGAIN_SECONDS)  # Both wait for something that is no timer: for a thread.
            if others:
                return others
        return self._look(timeout)[0]


class Follower(_Together):
    """Waits until the leader puts time forward or something comes."""

    def __init__(self, link: socket.socket) -> None:
        super().__init__()
        self._asked = 0
        self.join(link)

    def select(self, timeout: float | None = None) -> Events:
        others, forward = self._listen(0)
        if others or forward or (timeout is not None and timeout <= 0):
            return others
        while self._link is not None:
            if self._asked:
                self._say(self._asked, math.inf if timeout is None else timeout)
                self._asked = 0
            others, forward = self._listen(None)
            if others or forward:
                return others
        return self._look(timeout)[0]

    def _listen(self, timeout: float | None) -> tuple[Events, bool]:
        """What is ready, and whether time was put forward."""
        others, heard = self._look(timeout)
        forward = False
        for number, seconds in heard:
            if number:
                self._asked = number
            else:
                self.ahead_seconds, forward = seconds, True
        return others, forward
