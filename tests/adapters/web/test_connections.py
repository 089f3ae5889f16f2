"""So many connections, and ten seconds for a request: whoever says nothing makes room."""

import socket
import time

from adapters.web.connections import MOST_CONNECTIONS
from tests.adapters.web.conftest import Asked
from tests.adapters.web.serving import request, say

ROOM = 20  # More than there is room for.


def test_silent_connections_make_room_and_none_stays_long(service: Asked) -> None:
    silent = [socket.create_connection(("127.0.0.1", service.port), 5) for _ in range(MOST_CONNECTIONS + ROOM)]
    for one in silent:
        one.sendall(b"GET /api/status HTTP/1.1\r\nHost: ")
    try:
        assert say(service.port, request(service.control, "GET", "/api/status")).status == 200
        silent[0].settimeout(5)
        assert _is_closed(silent[0]), "the oldest one made room"
        began_at = time.monotonic()
        silent[-1].settimeout(15)
        assert _is_closed(silent[-1])
        assert time.monotonic() - began_at > 5, "the newest one had its time"
    finally:
        for one in silent:
            one.close()


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except ConnectionError:
        return True
