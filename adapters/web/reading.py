"""What the GET routes answer: rows of the state behind the last stored event, and of recorded days."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.web import parameters
from adapters.web.access import Head, Refusal
from adapters.web.owner import Owner
from adapters.web.recorded_days import RecordedDays
from adapters.web.tail import Tail, cursor_of
from riskcore.audit.calendar_rows import calendar_rows
from riskcore.audit.following import Follower, status_of
from riskcore.audit.health import HEALTH_SCHEMA
from riskcore.audit.limits import gauges
from riskcore.audit.status import view_of
from riskcore.audit.stream import BeyondJournal, read_cursor
from riskcore.audit.stream_messages import Channels, Cursor, no_channels
from riskcore.core.state import Account
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row
from riskcore.settings.config import Settings, read_settings
from riskcore.settings.toml_text import settings_toml
from riskcore.store.journal import Journal
from riskcore.store.lease import ServerLease, is_held

MOST_DAYS, MOST_EVENTS, EVENTS = 400, 1000, 100
MOST_TICKS = 1_000_000
HEALTH_SECONDS = 1.0  # Health is worked out by the engine itself, at most so often.
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: the journal, and the settings of the engine that serves it."""

    profile: str
    journal: Callable[[], Journal]
    lock: Path | ServerLease
    settings: Settings | None  # None: only what the journal has is known.
    channels: Channels = no_channels  # Of [alerts]: who hears of an alert.


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted: events and breaches by rule in the open day, commands that are not met."""

    running: bool
    events: int
    last_event_ns: int
    breaches: dict[str, int]
    unmet: int


class Reading:
    """Answers without asking the engine for more than its health."""

    def __init__(self, served: Served, tail: Tail, owner: Owner | None) -> None:
        self._served = served
        self._tail = tail
        self._owner = owner
        self._days = RecordedDays(served.journal)
        self._thread = ThreadPoolExecutor(1, "riskcore-web-days")
        self._health: Row | None = None
        self._health_at = 0.0
        self._asking: asyncio.Lock | None = None

    def close(self) -> None:
        self._thread.submit(self._days.close)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def now(self) -> int:
        return self._owner.now() if self._owner is not None else time.time_ns()

    # ---- as it is now --------------------------------------------------------------------------------

    async def status(self, head: Head) -> Row:
        allowed = {"account": parameters.text, "stop_ticks": _TICKS, "safe_size": parameters.truth}
        status = await self._status(parameters.query(head.target, allowed, ("account",)))
        status.pop("as_of")
        health = await self.healthy()
        return status | {"health": health and {"score": health["score"], "parts": health["parts"]}}

    async def _status(self, asked: parameters.Values) -> Row:
        accounts, ticks, sizes = asked["account"], asked.get("stop_ticks"), asked.get("safe_size", True)

        def look(follower: Follower) -> Row:
            _known(follower, accounts)
            with self._tail.at_market(follower.book):
                status = status_of(follower, accounts, self._served.lock, self.now(), ticks, sizes)
            return {**status, "profile": status["profile"] or self._served.profile, "as_of": cursor_of(follower)}

        return await self._tail.asked(look)

    async def _rows(self, name: str, head: Head, of: Callable[[Row], Sequence[Row]], **allowed: Any) -> Row:
        asked = parameters.query(head.target, {"account": parameters.text, **allowed}, ("account",))
        status = await self._status({**asked, "safe_size": False})
        rows = [_named(account, row) for account in status["accounts"] for row in of(account)]
        return {**self._list(name, status["as_of"], rows), "now": status["now"]}

    def _list(self, name: str, as_of: str | None, rows: Sequence[Row]) -> Row:
        return {"schema": f"riskcore.{name}/1", "profile": self._served.profile, "as_of": as_of, name: list(rows)}

    async def limits(self, head: Head) -> Row:
        asked = parameters.query(head.target, {"account": parameters.text, "stop_ticks": _TICKS}, ("account",))
        status = await self._status(asked)
        accounts = status["accounts"]
        rows = [_named(account, row) for account in accounts for row in account["limits"]]
        sizes = [_named(account, row) for account in accounts for row in account["safe_size"]]
        return {**self._list("limits", status["as_of"], rows), "safe_size": sizes}

    async def positions(self, head: Head) -> Row:
        return await self._rows("positions", head, lambda account: account["positions"])

    async def orders(self, head: Head) -> Row:
        return await self._rows("orders", head, lambda account: account["orders"])

    async def lockouts(self, head: Head) -> Row:
        asked = parameters.query(head.target, {"account": parameters.text, "day": parameters.day}, ("account",))
        if "day" in asked:
            return await self._of_day("lockouts", self._days.lockouts, asked)
        return await self._rows("lockouts", head, lambda account: account["lockouts"])

    async def connections(self, head: Head) -> Row:
        parameters.query(head.target, {})
        status = await self._status({"account": (), "safe_size": False})
        return self._list("connections", status["as_of"], status["connections"])

    async def health(self, head: Head) -> Row:
        parameters.query(head.target, {})
        nothing: Row = {"schema": HEALTH_SCHEMA, "score": None, "parts": [], "binding": [], "measured": None}
        return await self.healthy() or nothing

    async def healthy(self) -> Row | None:
        """The engine's own word, worked out once a second at most; None without an engine."""
        if self._owner is None:
            return None
        if self._asking is None:
            self._asking = asyncio.Lock()
        async with self._asking:
            if time.monotonic() - self._health_at >= HEALTH_SECONDS:
                self._health = await self._owner.ask(_health)
                self._health_at = time.monotonic()
        return self._health

    async def calendar(self, head: Head) -> Row:
        asked = parameters.query(head.target, {"days": parameters.whole(1, MOST_DAYS)})
        plain = await self._settings()
        return await self._apart(lambda: calendar_rows(plain, self.now(), asked.get("days", 5)))

    async def config(self, head: Head) -> Row:
        import tomllib

        parameters.query(head.target, {})
        known, plain = self._served.settings, await self._settings()
        text = settings_toml(plain) if known is None else settings_toml(plain, known.keep_payloads, known.api)
        source = "journal" if known is None else known.source
        return {"schema": "riskcore.config/1", "source": source, "settings": tomllib.loads(text)}

    async def _settings(self) -> dict[str, Any]:
        """The settings in force; before anything is stored, those of the file, or the defaults."""
        found = await self._tail.asked(lambda follower: follower.book.settings)
        return found or (self._served.settings or read_settings("")).plain

    async def account_ids(self, accounts: Sequence[str]) -> list[int]:
        """The ids of accounts named by id or name. Raises Refusal."""
        return await self._tail.asked(lambda follower: _known(follower, accounts)) if accounts else []

    async def figures(self) -> Figures:
        """What is counted."""

        def look(follower: Follower) -> Figures:
            unmet = sum(len(one.obligations) for one in follower.book.accounts.values())
            return Figures(is_held(self._served.lock), follower.seq, follower.last_at, breaches, unmet)

        breaches = await self._apart(self._days.breaches_by_rule)
        return await self._tail.asked(look)

    async def account_figures(self) -> list[Row]:
        """Of each account how many lockouts are in force, and its limits as in the rows of status."""

        def look(follower: Follower) -> list[Row]:
            book, rulebook, now = follower.book, follower.rulebook, self.now()
            judged = [one for one in book.accounts.values() if book.day is not None and rulebook.judges(one)]
            return [
                {
                    "account": one.id,
                    "account_name": one.name,
                    "lockouts": sum(ends is None or ends > now for ends in _ends(one)),
                    "limits": [gauge.row() for gauge in gauges(book, rulebook, one, view_of(book, rulebook, one))],
                }
                for one in judged
            ]

        return await self._tail.asked(look)

    # ---- recorded days -------------------------------------------------------------------------------

    async def _apart(self, look: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, look)
        except ConfigError as error:
            raise Refusal("unknown", str(error)) from None

    async def _of_day(self, name: str, look: Callable[[Any], tuple[list[Row], Cursor]], asked: Row) -> Row:
        rows, cursor = await self._apart(lambda: look(asked.get("day")))
        if asked["account"]:
            ids = await self._tail.asked(lambda follower: _known(follower, asked["account"]))
            rows = [_cut(row, ids) for row in rows if "accounts" in row or row["account"] in ids]
        return self._list(name, str(cursor), rows)

    async def recorded(self, name: str, head: Head) -> Row:
        """`breaches`, `enforcement`, `days` or `fills` of a day."""
        asked = parameters.query(head.target, {"account": parameters.text, "day": parameters.day}, ("account",))
        return await self._of_day(name, getattr(self._days, name), asked)

    async def why(self, head: Head) -> Row:
        parameters.query(head.target, {})
        wanted = parameters.decoded(head.path.rpartition("/")[2])
        return await self._apart(lambda: self._days.why(wanted))

    async def events(self, head: Head) -> bytes:
        allowed = {"after": parameters.text, "limit": parameters.whole(1, MOST_EVENTS)}
        asked = parameters.query(head.target, allowed)
        cursor = cursor_asked(asked.get("after", "start"))
        await self.check(cursor)
        lines, last, more = await self._apart(lambda: self._days.events(cursor, asked.get("limit", EVENTS)))
        following = f"{last}" if last.day else "start"
        end = f'],"next":"{following}","more":{"true" if more else "false"}}}'
        return b'{"schema":"riskcore.events/1","events":[' + b",".join(lines) + end.encode()

    async def check(self, cursor: Cursor) -> None:
        """Raises Refusal for a cursor of another journal."""
        if not await self.has(cursor):
            raise Refusal("cursor", f"{cursor} is not in this journal: it is another one's, or this one was replaced")

    async def has(self, cursor: Cursor) -> bool:
        """Whether this journal gave the cursor."""

        def looked() -> bool:
            try:
                self._days.check(cursor)
            except BeyondJournal:
                return False
            return True

        return await self._apart(looked)


_TICKS = parameters.whole(1, MOST_TICKS)


async def _health(_: Any, market: Any) -> Row:
    found: Row = market.health()
    return found


def cursor_asked(text: str) -> Cursor:
    """A cursor of a query. Raises Refusal."""
    try:
        return read_cursor(text)
    except ConfigError as error:
        raise Refusal("value", str(error)) from None


def _known(follower: Follower, accounts: Sequence[str]) -> list[int]:
    """The ids of the accounts asked for. Raises Refusal."""
    known = follower.book.accounts.values()
    for wanted in accounts:
        if not any(wanted in (str(one.id), one.name) for one in known):
            raise Refusal("unknown", f"account {wanted[:60]!r} is not in this profile")
    return [one.id for one in known if str(one.id) in accounts or one.name in accounts]


def _ends(account: Account) -> list[int | None]:
    return [lockout.expires_at for lockout in account.lockouts.values()]


def _cut(row: Row, ids: Sequence[int]) -> Row:
    """A row with only what is about these accounts."""
    if "accounts" not in row:
        return row
    return {**row, "accounts": [one for one in row["accounts"] if one["account"] in ids]}


def _named(account: Row, row: Row) -> Row:
    return {
        "account": account["id"],
        "account_name": account["name"],
        **{k: v for k, v in row.items() if k != "account"},
    }
