"""The last line our writers give a session file: {"end":{"lines":n,"sha256":"..."}}.

`lines` counts all lines before it, the header included; `sha256` is over their bytes, line ends included.
A file without it was cut off. Source: INTERFACE.md 4.
"""

from hashlib import sha256


class Ending:
    """Counts and hashes the lines of one file as they pass."""

    def __init__(self) -> None:
        self.lines = 0
        self._hash = sha256()

    def add(self, line: bytes) -> None:
        self.lines += 1
        self._hash.update(line)

    def line(self) -> bytes:
        """The end line that belongs to the lines so far."""
        return b'{"end":{"lines":%d,"sha256":"%b"}}\n' % (self.lines, self._hash.hexdigest().encode())
