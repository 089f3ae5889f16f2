"""A port of the simulated gateway, which can be closed and opened again under the same number."""

import asyncio
import socket
import sys
from collections.abc import Callable

from riskcore.errors import GatewayError


class Listener:
    """`factory` makes the protocol of a new connection. Port 0 takes a free one, known as `port` from then on."""

    def __init__(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> None:
        self.port = port
        self._factory = factory
        self._host = host
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    async def open(self) -> None:
        """Raises GatewayError when the port cannot be had."""
        if self._server is not None:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform != "win32":
                # Elsewhere it would let two programs share the port; here it only ends the wait for old connections.
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self._host, self.port))
        except OSError as error:
            listening.close()
            raise GatewayError(
                f"port {self.port} of {self._host} cannot be opened: {error.strerror or error}; choose another one"
            ) from error
        self.port = listening.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(self._factory, sock=listening)

    def close(self) -> None:
        """Refuse new connections; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None
