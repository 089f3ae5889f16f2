"""What this computer knows of a lease on a server: how long it surely holds, and the tokens that prove a dead holder.

The lease itself is a row of the store (postgres.py). Source: DESIGN.md "Two engines, one profile".
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from riskcore.store.private import open_private

LEASE_SECONDS = 15  # Without a renewal, by the server's clock; then anybody may take it.
RENEWED_EVERY_SECONDS = 5
# A holder stops this much earlier, by its own clock: the two may run apart, and what it sends travels.
MARGIN_SECONDS = 3


def awake_or_asleep_seconds() -> float:
    """A clock that nobody sets and that goes on while the computer sleeps, where the system has one."""
    kind = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
    return time.monotonic() if kind is None else time.clock_gettime(kind)


class LeaseClock:
    """When the lease was renewed last, as its holder may count on it: from before the server was asked."""

    def __init__(self) -> None:
        self._renewed_at: float | None = None

    def renewed(self, asked_at: float) -> None:
        """A renewal that was asked for then has come about."""
        self._renewed_at = asked_at

    @property
    def is_due(self) -> bool:
        """Whether it is time to renew."""
        return self._age() >= RENEWED_EVERY_SECONDS

    @property
    def holds(self) -> bool:
        """Whether nobody else can have it yet."""
        return self._age() < LEASE_SECONDS - MARGIN_SECONDS

    def _age(self) -> float:
        return LEASE_SECONDS if self._renewed_at is None else awake_or_asleep_seconds() - self._renewed_at


class LeaseTokens:
    """The file of the tokens of the last leases that this computer took: the one that holds, and one that may have.

    Used by whoever has the lock of the profile on this computer, so a lease with one of them belongs to a dead process.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def known(self) -> list[str]:
        """Newest last; none when there is no such file."""
        try:
            return self._path.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return []

    def note(self, token: str) -> None:
        """Keep a token and the one before it, before the server learns of it."""
        # Without the file a restart after a kill has to wait for the lease to end; nothing else is lost.
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_name(f"{self._path.name}.new")
            handle = open_private(draft, os.O_WRONLY | os.O_TRUNC)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write("\n".join([*self.known()[-1:], token]))
            draft.replace(self._path)
