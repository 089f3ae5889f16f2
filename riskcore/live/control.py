"""The control channel: the trader's commands to the engine that runs, one JSON line each way over loopback TCP.

A request is {"secret": ..., "ask": one of the words in Control, ...}. The answer is an object with the result, or
{"error": sentence, "exit": code}. Loopback works alike on every system; the secret in the control file keeps other
users of the machine out.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from riskcore.core.quantities import price_text
from riskcore.engine.control_client import LONGEST_LINE, LOOPBACK, Listening, remove_control, write_control
from riskcore.engine.desk import Asked, Desk, Market, contract_named, fresh_mark, judged_accounts, text_of
from riskcore.engine.desk_locks import lock, unlock
from riskcore.engine.desk_orders import order
from riskcore.engine.desk_programme import note, payout, reset
from riskcore.errors import ConfigError, RiskcoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

PRICE_SCHEMA, STATUS_SCHEMA = "riskcore.price/1", "riskcore.engine/1"
REQUEST_SECONDS = 10  # How long a connection may take to say what it wants.
USAGE, INTERNAL = 2, 1


class Control:
    """Listens while entered (`async with`). `path` is the control file, removed when it ends."""

    def __init__(self, desk: Desk, market: Market, path: Path) -> None:
        self._desk = desk
        self._market = market
        self._path = path
        self._listening = Listening(0, "")
        self._server: asyncio.Server | None = None
        self._answering: set[asyncio.Task[Any]] = set()
        self._asks: dict[str, Callable[[Asked], Awaitable[Row]]] = {
            "order": lambda asked: order(desk, market, asked),
            "lock": lambda asked: lock(desk, asked),
            "unlock": lambda asked: unlock(desk, asked),
            "payout": lambda asked: payout(desk, asked),
            "reset": lambda asked: reset(desk, asked),
            "note": lambda asked: note(desk, asked),
            "price": self._price,
            "health": self._health,
            "portfolio": self._portfolio,
            "status": self._status,
        }

    async def __aenter__(self) -> "Control":
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0, limit=LONGEST_LINE)
        port = self._server.sockets[0].getsockname()[1]
        self._listening = Listening(port, secrets.token_hex(32))
        write_control(self._path, self._listening)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None, "entered before"
        remove_control(self._path, self._listening)
        self._server.close()
        for task in tuple(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    # ---- one connection ------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._answering.add(task)
        try:
            answer = await self._answer(await self._request(reader))
            writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.CancelledError):
            # The client has gone, is slow, or sent nothing that can be answered; or the engine is stopping.
            pass
        finally:
            self._answering.discard(task)
            with suppress(OSError):
                writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        async with self._desk.clock.timeout(REQUEST_SECONDS):
            return await reader.readline()

    async def _answer(self, line: bytes) -> Row:
        try:
            asked = json.loads(line)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            return _error("not a request: one JSON object on one line", USAGE)
        if not hmac.compare_digest(str(asked.get("secret", "")).encode(), self._listening.secret.encode()):
            return _error("wrong secret: only the user who started the engine may ask it", USAGE)
        handle = self._asks.get(str(asked.get("ask")))
        if handle is None:
            return _error(f"there is no answer to {str(asked.get('ask'))[:40]!r}", USAGE)
        try:
            return await handle(asked)
        except RiskcoreError as error:
            return _error(str(error), error.exit_code)
        except Exception as error:
            # A mistake in an answer must not take down the engine that guards the account.
            return _error(f"riskcore has an internal fault: {type(error).__name__}: {str(error)[:200]}", INTERNAL)

    # ---- what is only looked at ----------------------------------------------------------------------

    async def _price(self, asked: Asked) -> Row:
        contract = await contract_named(self._desk, self._market, text_of(asked, "contract"))
        mark, now = await fresh_mark(self._desk, contract), self._desk.clock.now()
        if mark is None:
            raise ConfigError(f"no price of {contract} was received; is the market open?")
        known = self._desk.book.contracts[contract]
        prices = {name: getattr(mark, name) for name in ("last", "bid", "ask")}
        return {
            "schema": PRICE_SCHEMA,
            "contract": contract,
            "root": known.root,
            **{name: None if value is None else price_text(value) for name, value in prices.items()},
            "at": utc_text(mark.at),
            "age_ms": max(now - mark.at, 0) // 1_000_000,
            "stale": now - mark.at > mark.valid_ns,
            "tick_size": price_text(known.tick_size),
        }

    async def _health(self, asked: Asked) -> Row:
        return self._market.health()

    async def _portfolio(self, asked: Asked) -> Row:
        return self._market.picture()

    async def _status(self, asked: Asked) -> Row:
        book = self._desk.book
        return {
            "schema": STATUS_SCHEMA,
            "profile": book.profile,
            "now": utc_text(self._desk.clock.now()),
            "carries_out": book.enforces,
            "accounts": [{"id": account.id, "name": account.name} for account in judged_accounts(self._desk)],
        }


def _error(text: str, exit_code: int) -> Row:
    return {"error": text, "exit": exit_code}
