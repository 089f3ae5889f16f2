"""A broker of bare sockets for bench_live.py: as little work as possible between its clock and the wire.

python -m tests.benchmarks.raw_broker latency COUNT DIR ACCOUNTS | burst COUNT PER_FRAME
        | quotes COUNT PER_SECOND CONTRACTS    prints its two ports, then figures

latency: pushes a position in a blocked contract, waits for the bytes of closeContract, tells of both orders' fills and
    of flat, again. Frames are ready-made: sent is stamped right before the system call, arrived by the kernel. Between
    two of them it writes and syncs a little file in DIR: what the disk takes at that pace, in that very run. The login
    has ACCOUNTS accounts: one after the other has a position that is closed, the first of them for the first ten.
    It waits for a line on stdin when WAIT is set in the environment, and GAP there sets its pause.
quotes: once a line comes on stdin, COUNT quotes at that pace, in turns of so many contracts, the first one held;
    each quote of the first has a price of its own, and these prices with when each was sent are printed at the end.
burst: once quotes are subscribed to, sends COUNT quotes in ready-made frames as fast as the socket takes them.
"""

import asyncio
import json
import os
import socket
import struct
import sys
import tempfile
import time
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

ACCOUNT, CONTRACT = 99_000_001, "CON.F.US.MNQ.Z26"
ROW = {"id": ACCOUNT, "name": "PRAC", "balance": 50000, "canTrade": True, "isVisible": True, "simulated": True}
RECORD = {
    "id": CONTRACT,
    "name": "MNQZ6",
    "description": "",
    "tickSize": 0.25,
    "tickValue": 0.5,
    "activeContract": True,
    "symbolId": "F.US.MNQ",
}
ANSWERS: dict[bytes, dict[str, Any]] = {
    b"Auth/loginKey": {"token": "raw"},
    b"Account/search": {"accounts": [ROW]},
    b"Position/searchOpen": {"positions": []},
    b"Order/v2/query": {"orders": [], "totalCount": 0},
    b"Order/search": {"orders": []},
    b"Trade/search": {"trades": []},
    b"Contract/searchById": {"contract": RECORD},
}
GAP_SECONDS = float(
    os.environ.get("GAP", "0.04")
)  # Before and after the sync of the little file: by then the engine has stored what it was told.
SO_TIMESTAMPNS = 35  # Of Linux; the socket module has no name for it.


class Rest:
    """HTTP with one answer a request; `closed` gets the instant at which the bytes of a close arrived.

    Where the kernel stamps what arrives (Linux), its stamp counts: this process may wake a little later.
    """

    def __init__(self) -> None:
        self.closed: asyncio.Queue[int] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._listener.setblocking(False)
        self._loop.add_reader(self._listener, self._accept)
        self.port = self._listener.getsockname()[1]

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._loop.add_reader(connection, self._read, connection, bytearray())

    def _read(self, connection: socket.socket, held: bytearray) -> None:
        try:
            data, ancillary, _, _ = connection.recvmsg(65_536, 64)
        except ConnectionError:
            data, ancillary = b"", []
        now = stamp_of(ancillary) or time.time_ns()
        if not data:
            self._loop.remove_reader(connection)
            connection.close()
            return
        held += data
        head, separator, body = bytes(held).partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        if not separator or len(body) < length:
            return
        held.clear()
        path = head.split(b" ", 2)[1]
        if path.endswith(b"closeContract"):
            self.closed.put_nowait(now)
        answer = next((value for name, value in ANSWERS.items() if path.endswith(name)), {})
        text = json.dumps({"success": True, "errorCode": 0, "errorMessage": None, **answer}).encode()
        header = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(text)
        connection.sendall(header + text)


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The kernel's instant of arrival (struct timespec), 0 when it gave none."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("ll", data[:16])
            return int(seconds * 1_000_000_000 + nanoseconds)
    return 0


def record(target: str, *arguments: Any) -> str:
    return json.dumps({"type": 1, "target": target, "arguments": arguments}, separators=(",", ":")) + "\x1e"


def position(size: int, account: int = ACCOUNT) -> str:
    row = {
        "id": 5,
        "accountId": account,
        "contractId": CONTRACT,
        "creationTimestamp": "2026-11-20T15:00:00.1234567+00:00",
        "type": 1 if size else 0,
        "size": size,
        "averagePrice": 21000.25,
    }
    return record("GatewayUserPosition", {"action": 1 if size else 2, "data": row})


def closed(number: int, account: int) -> bytes:
    """What a broker tells behind a close: the fill of the entry, the exit order, its fill, and flat."""
    both = {"accountId": account, "contractId": CONTRACT, "creationTimestamp": instant(), "size": 1}
    fill = {**both, "price": 21000.25, "fees": 0.37, "commissions": 0.25, "voided": False}
    entry = {**fill, "id": 2 * number + 1, "side": 0, "profitAndLoss": None, "orderId": 2 * number + 1}
    order = {**both, "id": 2 * number + 2, "updateTimestamp": instant(), "status": 2, "type": 2, "side": 1}
    leaving = {**fill, "id": 2 * number + 2, "side": 1, "profitAndLoss": 0.0, "orderId": 2 * number + 2}
    said = (
        record("GatewayUserTrade", {"action": 0, "data": entry}),
        record("GatewayUserOrder", {"action": 1, "data": {**order, "fillVolume": 1, "filledPrice": 21000.25}}),
        record("GatewayUserTrade", {"action": 0, "data": leaving}),
        position(0, account),
    )
    return b"".join(frame(one.encode()) for one in said)


def instant() -> str:
    return datetime.now(UTC).isoformat()


def quote(number: int) -> bytes:
    """A quote with the fields and the length of those that the peer's bench sends."""
    price = 25_000 + (number & 63) * 0.25
    row = {
        "symbol": "F.US.MNQ",
        "symbolName": "/MNQ",
        "lastPrice": price,
        "bestBid": price,
        "bestAsk": price + 0.25,
        "change": 25.5,
        "changePercent": 0.14,
        "open": 24990.0,
        "high": 25100.0,
        "low": 24900.0,
        "volume": 12_000 + number,
        "lastUpdated": "2026-11-20T15:00:00.123456+00:00",
        "timestamp": "2026-11-20T15:00:00.123456+00:00",
        "ns": 0,
    }
    return record("GatewayQuote", CONTRACT, row).encode()


def frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    return (b"\x81\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x81\x7f" + size.to_bytes(8, "big")) + payload


class Hubs:
    """Both hubs: answers handshakes and subscriptions, remembers the user's connection, starts the burst."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self.user: ServerConnection | None = None
        self.market: ServerConnection | None = None
        self.subscribed = asyncio.Event()

    async def serve(self, connection: ServerConnection) -> None:
        user = "/hubs/user" in (connection.request.path if connection.request else "")
        async for text in connection:
            records = text.split("\x1e")[:-1] if isinstance(text, str) else []
            for said in (json.loads(one) for one in records):
                if "protocol" in said:
                    await connection.send("{}\x1e")
                elif said["type"] == 1:
                    await connection.send(json.dumps({"type": 3, "invocationId": said["invocationId"]}) + "\x1e")
                    if user:
                        self.user = connection
                        self.subscribed.set()
                    else:
                        self.market = connection
                    if not user and said["target"] == "SubscribeContractQuotes" and self._blob:
                        blob, self._blob = self._blob, b""
                        print(json.dumps({"began": time.time_ns()}), flush=True)
                        connection.transport.write(blob)


def sync_ns(descriptor: int) -> int:
    """How long a small write and its fdatasync take."""
    start = time.perf_counter_ns()
    os.write(descriptor, b"x" * 512)
    getattr(os, "fdatasync", os.fsync)(descriptor)
    return time.perf_counter_ns() - start


async def latency(hubs: Hubs, rest: Rest, count: int, folder: str, accounts: int) -> None:
    await hubs.subscribed.wait()
    await asyncio.sleep(2)
    if os.environ.get("WAIT"):
        await asyncio.to_thread(sys.stdin.readline)
    assert hubs.user is not None
    samples, syncs = [], []
    with tempfile.TemporaryFile(dir=folder) as file:
        for number in range(count):
            account = ACCOUNT + number % accounts
            held = frame(position(1, account).encode())
            sent = time.time_ns()
            hubs.user.transport.write(held)
            samples.append((sent, await rest.closed.get()))
            hubs.user.transport.write(closed(number, account))
            await asyncio.sleep(GAP_SECONDS)
            syncs.append(sync_ns(file.fileno()))
            await asyncio.sleep(GAP_SECONDS)
    print(json.dumps({"sent_and_arrived_ns": samples, "syncs_ns": syncs}), flush=True)


async def quotes(hubs: Hubs, count: int, per_second: float, contracts: int) -> None:
    await asyncio.to_thread(sys.stdin.readline)
    assert hubs.market is not None
    began, sent = time.monotonic(), []
    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        turn, place = divmod(number, contracts)
        price = 25_000 + (turn % 4_000) * 0.25
        row = {"lastPrice": price, "bestBid": price, "bestAsk": price + 0.25, "timestamp": instant()}
        name = CONTRACT if place == 0 else CONTRACT.replace("MNQ", f"X{place:02}")
        if place == 0:
            sent.append((f"{price:.2f}".rstrip("0").rstrip("."), time.time_ns()))
        hubs.market.transport.write(frame(record("GatewayQuote", name, row).encode()))
    print(json.dumps({"sent": sent}), flush=True)


async def main() -> None:
    kind, count = sys.argv[1], int(sys.argv[2])
    per_frame = int(sys.argv[3]) if kind == "burst" else 1
    burst = [quote(number) for number in range(count)] if kind == "burst" else []
    blob = b"".join(frame(b"".join(burst[i : i + per_frame])) for i in range(0, len(burst), per_frame))
    if kind == "latency":
        rows = [{**ROW, "id": ACCOUNT + number, "name": f"PRAC-{number}"} for number in range(int(sys.argv[4]))]
        ANSWERS[b"Account/search"] = {"accounts": rows}
    hubs = Hubs(blob)
    rest = Rest()
    async with serve(hubs.serve, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        ports = [rest.port, next(iter(server.sockets)).getsockname()[1]]
        print(json.dumps({"api": ports[0], "rtc": ports[1]}), flush=True)
        if kind == "latency":
            await latency(hubs, rest, count, sys.argv[3], int(sys.argv[4]))
        else:
            ANSWERS[b"Position/searchOpen"] = {"positions": [json.loads(position(1)[:-1])["arguments"][0]["data"]]}
        if kind == "quotes":
            await quotes(hubs, count, float(sys.argv[3]), int(sys.argv[4]))
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main())
