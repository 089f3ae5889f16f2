"""What happens to a connection or a request as a whole: aborted, never answered, answered with something else.

For both hubs and REST; aiohttp's own objects are used because the simulated gateway is an aiohttp server.
"""

import asyncio
import socket
import struct
import sys

from aiohttp import web

from adapters.simulator.faults import Fault
from riskcore.engine.ports import Clock

# A half-open connection shows nothing of its other end, so it is taken away after this time.
HALF_OPEN_SECONDS = 60
HTML = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Checking your browser.</body></html>"
_PROBLEM = '{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Bad Request","status":400}'
_GATEWAY_PAGES = (502, 503, 504)
_LINGER = "hh" if sys.platform == "win32" else "ii"


def abort(transport: asyncio.BaseTransport | None) -> None:
    """End a TCP connection with a reset, whatever waits to be sent."""
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def stop_reading(transport: asyncio.BaseTransport | None) -> None:
    """Leave in the socket whatever the other end says from now on."""
    if isinstance(transport, asyncio.ReadTransport) and not transport.is_closing():
        transport.pause_reading()


async def never_answer(request: web.Request, clock: Clock, *, half_open: bool = False) -> web.StreamResponse:
    """Keep a request without an answer until its client goes away (the server cancels the handler then)."""
    if half_open:
        stop_reading(request.transport)
        await clock.sleep(HALF_OPEN_SECONDS)
    else:
        await asyncio.Event().wait()
    return hang_up(request)


def hang_up(request: web.Request) -> web.StreamResponse:
    """Abort the connection of a request instead of answering it."""
    abort(request.transport)
    return web.Response()


async def meet(request: web.Request, fault: Fault, clock: Clock) -> web.StreamResponse:
    """What a request gets to see of a fault that strikes it as a whole."""
    if fault.status is not None or fault.name == "html_with_200":
        return other_answer(fault)
    if fault.name in ("refused", "dropped", "answer_lost"):
        return hang_up(request)
    return await never_answer(request, clock, half_open=fault.name == "half_open")


def other_answer(fault: Fault) -> web.Response:
    """An HTTP answer that is not the gateway's own."""
    if fault.status is None:
        return web.Response(text=HTML, content_type="text/html")
    headers = {}
    if fault.retry_after_seconds is not None:
        headers["Retry-After"] = str(fault.retry_after_seconds)
    if fault.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if fault.status == 400:
        return web.Response(status=400, text=_PROBLEM, content_type="application/problem+json", headers=headers)
    if fault.status in _GATEWAY_PAGES:
        return web.Response(status=fault.status, text=HTML, content_type="text/html", headers=headers)
    return web.Response(status=fault.status, headers=headers)
