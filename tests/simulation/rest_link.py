"""HTTP between a simulated process and the simulated broker: adapters.topstepx.transport.Transport, with faults."""

import asyncio
from collections.abc import Mapping
from typing import Any

from adapters.simulator.faults import Fault, names_at
from adapters.topstepx.fields import decode, encode
from adapters.topstepx.transport import Answer, NotSent, Unanswered
from tests.simulation.network import Network, Process

HTML = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
_REST = names_at("rest")
_NEVER_ANSWERED = ("timeout_before", "timeout_after", "silent", "half_open")
_NEVER_ARRIVED = ("refused", "dropped", "timeout_before", "silent", "half_open")
_UNAUTHORISED = 401
_CODES = ("error_code", "success_with_error_code")


class RestLink:
    """The transport of one process. A call whose process dies, or whose caller gives up, still arrives."""

    def __init__(self, network: Network, process: Process) -> None:
        self._network = network
        self._process = process
        self._loop = network.loop

    async def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if not self._process.alive:
            raise NotSent("the process is gone")
        network = self._network
        network.script.requested(path)
        fault = network.board.strike("rest", _REST, path)
        network.note(f"{method} {path} {body.decode()[:200]}{f' meets {fault.name}' if fault else ''}")
        if fault is not None and fault.name == "refused":
            await asyncio.sleep(network.latency())
            raise NotSent("no connection: refused")
        self._process.sending(path, body)
        answered: asyncio.Future[Answer] = self._loop.create_future()
        way = network.latency()
        if fault is not None and fault.name == "dropped":
            self._loop.call_later(way, _fail, answered, "the connection was reset")
        elif fault is None or fault.name not in _NEVER_ARRIVED:
            # A delayed request may itself be late, or its answer.
            late = fault.seconds if fault is not None and fault.name in ("delayed", "slow") else 0.0
            outward = late if late and network.chance.random() < 0.5 else 0.0
            token = headers.get("authorization", "").removeprefix("Bearer ") or None
            self._loop.call_later(way + outward, self._arrive, path, body, token, fault, answered, way + late - outward)
        return await answered

    def _arrive(
        self,
        path: str,
        body: bytes,
        token: str | None,
        fault: Fault | None,
        answered: asyncio.Future[Answer],
        back: float,
    ) -> None:
        network = self._network
        status, answer = 200, None
        if fault is None or _carried_out(fault):
            asked = decode(body).value if body else {}
            status, answer = network.broker.rest(path, asked, token, network.wall.true_time())
            network.pump()
        if fault is not None and fault.name in _NEVER_ANSWERED:
            return
        if fault is not None and fault.name == "answer_lost":
            self._loop.call_later(back, _fail, answered, "the connection was reset")
            return
        self._loop.call_later(back, self._answer, answered, path, body, _answer_of(fault, status, answer))

    def _answer(self, answered: asyncio.Future[Answer], path: str, body: bytes, answer: Answer) -> None:
        if not answered.done():
            if answer.status == _UNAUTHORISED:
                self._process.unauthorised(path, body)
            answered.set_result(answer)
            self._process.answered()

    async def close(self) -> None:
        pass


def _fail(answered: asyncio.Future[Answer], why: str) -> None:
    if not answered.done():
        answered.set_exception(Unanswered(why))


def _carried_out(fault: Fault) -> bool:
    """Whether the broker does what it was asked for in spite of the fault (adapters.simulator.rest_server)."""
    if fault.status is not None or fault.name in ("html_with_200", *_CODES):
        return fault.processed or fault.name == "success_with_error_code"
    return fault.name in ("timeout_after", "answer_lost", "slow", "split", "delayed")


def _answer_of(fault: Fault | None, status: int, answer: Any) -> Answer:
    if fault is not None and fault.status is not None:
        after = fault.retry_after_seconds
        return Answer(fault.status, {} if after is None else {"retry-after": str(after)}, b"")
    if fault is not None and fault.name == "html_with_200":
        return Answer(200, {}, HTML)
    if fault is not None and fault.name in _CODES:
        envelope = answer if isinstance(answer, dict) else {"errorMessage": None}
        code = {"success": fault.name == "success_with_error_code", "errorCode": fault.error_code}
        return Answer(200, {}, encode({**envelope, **code}).encode())
    return Answer(status, {}, b"" if answer is None else encode(answer).encode())
