"""`riskcore status --follow`: the stream in a pipe, from the running engine if there is one, else from the store."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from riskcore.errors import ConfigError, RiskcoreError

Row = dict[str, Any]
Channels = Callable[[str, int], list[str]]
LOOK_SECONDS = 0.25
STATUS_SECONDS = 5.0
LONGEST_SILENCE_SECONDS = 15.0
BEYOND = 4409
# What the broker's own messages are called in a line for people.
_BROKER_KINDS = {
    "GatewayUserTrade": "fill",
    "GatewayUserPosition": "position",
    "GatewayUserOrder": "order",
    "GatewayUserAccount": "account",
}
_BEYOND_TEXT = "this journal has no such cursor: it has been replaced, or the cursor is another one's"


def stream_lines(
    store: str, profile: str, after: str | None, accounts: Sequence[str], channels: Channels | None = None
) -> Iterator[str]:
    """An endless stream of JSON lines. What an engine that has ended can no longer send is read from the store.

    Raises ConfigError for a cursor that the journal does not have, RiskcoreError.
    """
    from riskcore.audit.stream import read_cursor
    from riskcore.engine.control_client import NoEngine

    if after is not None:
        read_cursor(after)
    cursor = after
    with suppress(NoEngine):
        for line in _from_engine(store, profile, after, accounts):
            cursor = _newer(line, cursor)
            yield line
    yield from _from_store(store, profile, cursor, accounts, channels)


def _newer(line: str, cursor: str | None) -> str | None:
    """The cursor to go on from behind a line: the state names a place where no message was."""
    row = json.loads(line)
    if row["type"] == "daemon_status":
        return cursor or row["data"]["head"]
    return row["cursor"] or cursor


def _from_engine(store: str, profile: str, after: str | None, accounts: Sequence[str]) -> Iterator[str]:
    """What the running engine sends, until it ends. Raises NoEngine."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
    from websockets.sync.client import connect

    from riskcore.engine.control_client import running_engine

    control = running_engine(store, profile)
    query = urlencode([*([("after", after)] if after is not None else []), *(("account", one) for one in accounts)])
    url = f"{control.url.replace('http://', 'ws://')}/api/stream{f'?{query}' if query else ''}"
    try:
        socket = connect(url, additional_headers={"Authorization": f"Bearer {control.token}"}, proxy=None)
    except InvalidStatus as refused:
        raise _refused(refused.response.body) from None
    except (OSError, InvalidHandshake, TimeoutError):
        return
    with socket:
        try:
            while True:
                yield str(socket.recv(LONGEST_SILENCE_SECONDS))
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == BEYOND:
                raise ConfigError(f"--after {after}: {_BEYOND_TEXT}") from None
        except TimeoutError:
            return


def _refused(body: bytes | bytearray | None) -> RiskcoreError:
    try:
        return ConfigError(str(json.loads(body or b"")["error"]))
    except (ValueError, KeyError, TypeError):
        return RiskcoreError("the engine refused the stream")


def _from_store(
    store: str, profile: str, after: str | None, accounts: Sequence[str], channels: Channels | None
) -> Iterator[str]:
    from riskcore.audit.following import Follower, chosen_accounts
    from riskcore.audit.stream import BEFORE_ALL, BeyondJournal, Telling, check_cursor, place_behind, read_cursor
    from riskcore.audit.stream_messages import Message, no_channels, quote_bytes
    from riskcore.store.journal import Journal

    waiting: list[Message] = []
    with Journal.open(store, profile) as journal:
        cursor = None if after is None else read_cursor(after)
        if cursor is not None:
            try:
                check_cursor(journal, cursor)
            except BeyondJournal as error:
                raise ConfigError(f"--after {after}: {error}") from None
        behind = BEFORE_ALL if cursor is None else place_behind(cursor)
        telling = Telling(waiting.append, behind, channels or no_channels)
        follower = Follower(journal, telling, None if cursor is None else cursor.day)
        follower.catch_up()
        if cursor is None:
            waiting.clear()
        telling.quoted.clear()
        ids = [one.id for one in chosen_accounts(follower, accounts)] if accounts else None
        said_at = 0.0
        while True:
            if time.monotonic() - said_at >= STATUS_SECONDS:
                said_at = time.monotonic()
                head = telling.head or (f"{follower.trade_date}:{follower.seq}" if follower.trade_date else None)
                yield _state_line(profile, head)
            for message in waiting:
                if ids is None or message.account is None or message.account in ids:
                    yield message.body.decode()
            waiting.clear()
            for name in telling.quoted:
                yield quote_bytes(name, follower.book.marks[name]).decode()
            telling.quoted.clear()
            time.sleep(LOOK_SECONDS)
            follower.catch_up()


def _state_line(profile: str, head: str | None) -> str:
    from riskcore.audit.stream_messages import STATUS, message_bytes
    from riskcore.version import VERSION

    state = {"state": "read_only", "profile": profile, "version": VERSION, "head": head}
    return message_bytes(None, time.time_ns(), STATUS, None, state).decode()


def text_of(line: str) -> str | None:
    """A line as a person reads it; None for what only programs want: quotes, and that nothing is wrong."""
    from riskcore.audit.happening_words import is_worth_a_line, line_of

    row = json.loads(line)
    kind, data = row["type"], row["data"]
    if kind in ("MarketQuote", "daemon_status") or data is None:
        return None
    kind = _BROKER_KINDS.get(kind, kind)
    if kind == "enforcement_action":
        kind = data["action"]
    elif kind in ("lockout_set", "lockout_cleared"):
        kind, data = "lockout", {**data, "change": "set" if kind == "lockout_set" else "ended"}
    told = {**data, "at": row["at"], "type": kind}
    return line_of(told) if is_worth_a_line(told) else None
