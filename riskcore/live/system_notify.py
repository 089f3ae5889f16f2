"""The few words that systemd wants to hear of a service (sd_notify): ready, alive, stopping. Silent anywhere else."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress


class SystemNotify:
    """Speaks to the socket that systemd names in the environment; without one it says nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environment.get("WATCHDOG_USEC", "")
        # Half of the time after which systemd ends a service that is silent; None: it does not watch.
        self.watchdog_seconds = int(usec) / 2_000_000 if for_us and usec.isdigit() and int(usec) else None

    def ready(self) -> None:
        """The rules are armed."""
        self._say("READY=1")

    def alive(self, status: str) -> None:
        """The loop turns; `status` is what systemctl status shows."""
        self._say(f"WATCHDOG=1\nSTATUS={status}" if self.watchdog_seconds is not None else f"STATUS={status}")

    def stopping(self) -> None:
        """It takes on nothing new."""
        self._say("STOPPING=1")

    def _say(self, text: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        name = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaking:
            speaking.setblocking(False)
            speaking.sendto(text.encode(), name)
