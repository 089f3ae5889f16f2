"""Quotes of the market hub, from the socket of a server in another process to a sink that only counts.

python tests/benchmarks/bench_feed.py [--quotes 200000] [--runs 5] [--together 1] [--every 0]

--together puts so many invocations into a frame; --every N sends a print after every N quotes, which breaks the
runs of quotes. With --pysignalr the client pysignalr, which has to be installed, receives the same bytes in the same
sitting, and the ratio is printed. Figures are medians of wall time from the first message to the last.
"""

import argparse
import asyncio
import base64
import hashlib
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

END = b"\x1e"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
PAUSE_SECONDS = 0.3  # So that a client has subscribed before the flood begins.
CONTRACT = "CON.F.US.MNQ.U26"


def quote(index: int) -> bytes:
    price = f"{25_000 + index % 64 // 4}.{index % 4 * 25:02d}"
    return (
        f'{{"type":1,"target":"GatewayQuote","arguments":["{CONTRACT}",{{"symbol":"F.US.MNQ","symbolName":"/MNQ",'
        f'"lastPrice":{price},"bestBid":{price},"bestAsk":{price},"change":25.5,"changePercent":0.14,"open":24990.0,'
        f'"high":25100.0,"low":24900.0,"volume":{12_000 + index},"lastUpdated":"2026-08-19T20:51:31.4347534+00:00",'
        '"timestamp":"2026-08-19T20:51:31.348+00:00"}]}'
    ).encode() + END


def trade() -> bytes:
    row = '{"symbolId":"F.US.MNQ","price":25000.25,"timestamp":"2026-08-19T20:51:30.052+00:00","type":1,"volume":1}'
    return f'{{"type":1,"target":"GatewayTrade","arguments":["{CONTRACT}",[{row}]]}}'.encode() + END


def frame(payload: bytes) -> bytes:
    if len(payload) < 126:
        return bytes([0x81, len(payload)]) + payload
    if len(payload) < 2**16:
        return b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload
    return b"\x81\x7f" + len(payload).to_bytes(8, "big") + payload


def flood(quotes: int, together: int, every: int) -> bytes:
    records: list[bytes] = []
    for index in range(quotes):
        records.append(quote(index))
        if every and index % every == every - 1:
            records.append(trade())
    return b"".join(frame(b"".join(records[at : at + together])) for at in range(0, len(records), together))


def completions(asked: bytes) -> bytes:
    """Answers to whatever invocations are in the client's masked frames."""
    answers, rest = b"", asked
    while len(rest) >= 6:
        length, start = rest[1] & 0x7F, 2
        if length == 126:
            length, start = int.from_bytes(rest[2:4], "big"), 4
        mask, masked = rest[start : start + 4], rest[start + 4 : start + 4 + length]
        text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(masked))
        if b'"invocationId":"' in text:
            name = text.partition(b'"invocationId":"')[2].partition(b'"')[0]
            answers += frame(b'{"type":3,"invocationId":"%s","result":null}' % name + END)
        rest = rest[start + 4 + length :]
    return answers


def serve(quotes: int, together: int, every: int) -> None:
    """Frames made beforehand and written straight to the socket, so that the client is what is measured."""
    whole = flood(quotes, together, every)
    listening = socket.create_server(("127.0.0.1", 0))
    print(listening.getsockname()[1], flush=True)

    def client(peer: socket.socket) -> None:
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.recv(65536)
            if head.startswith(b"POST"):  # pysignalr negotiates first.
                body = b'{"connectionId":"x","negotiateVersion":0,"availableTransports":[{"transport":"WebSockets",'
                body += b'"transferFormats":["Text","Binary"]}]}'
                headers = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                peer.sendall(headers + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                return
            lines = head.split(b"\r\n")
            key = next(line.split(b":")[1].strip() for line in lines if line.lower().startswith(b"sec-websocket-key"))
            accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
            upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            peer.sendall(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
            peer.recv(65536)
            peer.sendall(frame(b"{}" + END))
            if b"/hubs/user" in head:
                while asked := peer.recv(65536):
                    peer.sendall(completions(asked))
                return
            if b"/hubs/market" in head:
                peer.sendall(completions(peer.recv(65536)))
            time.sleep(PAUSE_SECONDS)
            peer.sendall(whole)
            while peer.recv(65536):
                pass
        except OSError:
            pass
        finally:
            peer.close()

    while True:
        threading.Thread(target=client, args=(listening.accept()[0],), daemon=True).start()


class Counter:
    """The engine's Sink; measures from the first message to the last."""

    def __init__(self, messages: int) -> None:
        self.left, self.started, self.taken = messages, 0.0, 0.0
        self.done = asyncio.Event()

    def line(self, line: Any, text: bytes = b"") -> None:
        pass

    def market(self, line: Any, text: bytes = b"") -> None:
        self.count(1)

    def quotes(self, quotes: Any, texts: Any = None) -> None:
        self.count(len(quotes.ats))

    def count(self, messages: int) -> None:
        if not self.started:
            self.started = time.perf_counter()
        self.left -= messages
        if self.left <= 0:
            self.taken = time.perf_counter() - self.started
            self.done.set()


async def through_feed(port: int, messages: int) -> float:
    from adapters.topstepx.feed import TopstepFeed
    from adapters.topstepx.signalr.socket import WebSockets
    from riskcore.engine.clock import SystemClock

    class Tokens:
        async def token(self) -> str:
            return "token"

        async def replaced(self, rejected: str, enforcement: bool) -> str:
            return "token"

        def superseded(self, text: str, busy: bool) -> bool:
            return False

    clock, counter = SystemClock(), Counter(messages)
    feed = TopstepFeed(f"http://127.0.0.1:{port}", WebSockets(clock), Tokens(), clock, random.Random(1), lambda: True)
    feed.follow([7001], [CONTRACT])
    running = asyncio.create_task(feed.run(counter))
    await counter.done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return counter.taken


async def through_pysignalr(port: int, messages: int) -> float:
    from pysignalr.client import SignalRClient  # type: ignore[import-not-found]

    counter = Counter(messages)

    async def count(arguments: Any) -> None:
        counter.count(1)

    client = SignalRClient(f"http://127.0.0.1:{port}/hub", max_size=None)
    client.on("GatewayQuote", count)
    client.on("GatewayTrade", count)
    running = asyncio.create_task(client.run())
    await counter.done.wait()
    running.cancel()
    return counter.taken


def rate(receive: Callable[[int, int], Awaitable[float]], chosen: argparse.Namespace) -> float:
    messages = chosen.quotes + (chosen.quotes // chosen.every if chosen.every else 0)
    figures = (chosen.quotes, chosen.together, chosen.every)
    server = subprocess.Popen([sys.executable, __file__, "--serve", *map(str, figures)], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())

        async def run() -> float:
            return await receive(port, messages)

        return messages / asyncio.run(run())
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quotes", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--every", type=int, default=0)
    parser.add_argument("--pysignalr", action="store_true")
    parser.add_argument("--serve", type=int, nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(*chosen.serve)
    rates: dict[str, list[float]] = {"feed": [], "pysignalr": []}
    for _ in range(chosen.runs):
        rates["feed"].append(rate(through_feed, chosen))
        if chosen.pysignalr:
            rates["pysignalr"].append(rate(through_pysignalr, chosen))
    for name, found in rates.items():
        if found:
            print(f"{name:10} {median(found):10,.0f} messages/s   ({min(found):,.0f} to {max(found):,.0f})")
    if chosen.pysignalr:
        print(f"ratio {median(rates['feed']) / median(rates['pysignalr']):.2f}")


if __name__ == "__main__":
    main()
