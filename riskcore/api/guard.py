"""The live engine inside a program of your own: it guards the account while the program trades.

Source: INTERFACE.md 7 and 11, docs/guides/python.md.
"""

import asyncio
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, cast

from adapters.topstepx.credentials import API_KEY, USER_NAME, find_credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from riskcore.audit.happenings import happening, happenings
from riskcore.core.events import Event
from riskcore.core.state import Book
from riskcore.engine import desk_check, desk_flat, desk_locks
from riskcore.engine.clock import SystemClock
from riskcore.engine.control_client import NoEngine
from riskcore.engine.desk_check import Verdict
from riskcore.engine.engine import Engine
from riskcore.engine.ports import Clock
from riskcore.live.market import LiveMarket
from riskcore.live.run import Broker, Run, check_calendar, run_live, start_texts
from riskcore.settings.config import Given, Settings, find_file, settings_of
from riskcore.store.location import FILE_NAME, user_data_folder
from riskcore.store.server_url import without_password

Happening = dict[str, Any]
API_URL, RTC_URL = "https://api.topstepx.com", "https://rtc.topstepx.com"
MOST_WAITING = 10_000  # Happenings that wait for a slow reader; older ones are dropped, and the journal has them all.


@dataclass(frozen=True, slots=True)
class Order:
    """An order that you think of placing, as `riskcore order place` takes it.

    `contract` is a root such as MNQ or the broker's contract id. `type` follows from the price that is given, else it
    is a market order. Prices are exact: decimals or their text. `stop_loss_ticks` and `take_profit_ticks` are distances
    from the entry. `account`, by name or id, may be left out if the profile has only one.
    """

    contract: str
    side: Literal["buy", "sell"]
    size: int
    type: Literal["market", "limit", "stop", "trailing-stop", "join-bid", "join-ask"] | None = None
    limit_price: Decimal | str | None = None
    stop_price: Decimal | str | None = None
    trail_price: Decimal | str | None = None
    stop_loss_ticks: int | None = None
    take_profit_ticks: int | None = None
    account: str | int | None = None


class Guard:
    """A running engine; see `guard`. Methods raise NoEngine while none runs: before a restart, and after the end."""

    def __init__(self, told: "Told") -> None:
        self._told = told
        self._engine: Engine | None = None
        self._stopping = asyncio.Event()

    @property
    def armed(self) -> bool:
        """Whether the account has been seen in full and the rules act on it."""
        return self._engine is not None and self._engine.ready

    def __aiter__(self) -> AsyncIterator[Happening]:
        return self._told

    async def check(self, order: Order) -> Verdict:
        """Whether this order may be placed: by the lockouts and the rules, and by its loss at its stop.

        Nothing is stored or sent, and a dry run answers alike. Without `stop_loss_ticks` the stop that works counts, or
        the one that RULE-008 would place. Raises ConfigError for an order that makes no sense.
        """
        engine = self._running()
        if engine.writer.broken is not None:
            return Verdict(False, None, f"nothing can be stored, so no limit acts: {engine.writer.broken}")
        asked = {name: value for name, value in asdict(order).items() if value is not None}
        asked.update({name: str(asked[name]) for name in _AS_TEXT if name in asked})
        market = LiveMarket(engine, cast(TopstepGateway, engine.gateway), cast(TopstepFeed, engine.feed))
        return await desk_check.check(engine, market, asked)

    async def flatten(self, account: str | int | None = None) -> dict[str, Any]:
        """Close every position and cancel entry orders, of one account or all, without a lockout.

        Returns what `riskcore flatten --json` prints, once it is stored; the engine goes on until the account is flat.
        """
        return await desk_flat.flatten(self._running(), _about(account))

    async def cancel_all(self, account: str | int | None = None) -> dict[str, Any]:
        """Cancel every working order, of one account or all. Returns what `riskcore cancel --all --json` prints."""
        return await desk_flat.cancel_all(self._running(), _about(account))

    async def lock(
        self, until: str, reason: str = "", *, flatten: bool = True, account: str | int | None = None
    ) -> dict[str, Any]:
        """Lock one account or all until a time, as `riskcore lock` takes it: `15:30`, `1h30m`, `day`. There is no undo.

        Returns what `riskcore lock --json` prints. Raises ConfigError for a time that makes no sense.
        """
        asked = {"until": until, "reason": reason, "flatten": flatten, **_about(account)}
        return await desk_locks.lock(self._running(), asked)

    def _running(self) -> Engine:
        if self._engine is None:
            raise NoEngine("the engine of this guard does not run at the moment, so no limit acts")
        return self._engine

    async def _attend(self, engine: Engine) -> None:
        """Speak for an engine until it is to stop, or ends by itself."""
        self._engine = engine
        try:
            await self._stopping.wait()
        finally:
            self._engine = None


_AS_TEXT = ("limit_price", "stop_price", "trail_price", "account")


def _about(account: str | int | None) -> dict[str, str]:
    return {} if account is None else {"account": str(account)}


class Told:
    """The engine's Announcer: what it reports waits for one reader."""

    def __init__(self, clock: Clock) -> None:
        self.ready = asyncio.Event()
        self._clock = clock
        self._waiting: deque[Happening] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._over = False

    def stored(self, events: Sequence[Event], book: Book) -> None:
        """See riskcore.engine.ports.Announcer."""
        self._waiting.extend(happenings(events, book))
        self._news.set()

    def say(self, kind: str, /, **figures: Any) -> None:
        """See riskcore.engine.ports.Announcer."""
        self._waiting.append(happening(self._clock.now(), kind, **figures))
        self._news.set()
        if kind == "ready":
            self.ready.set()

    def end(self) -> None:
        """Nothing more comes."""
        self._over = True
        self._news.set()

    def __aiter__(self) -> "Told":
        return self

    async def __anext__(self) -> Happening:
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


@asynccontextmanager
async def guard(
    settings: Given = None,
    *,
    dry_run: bool = False,
    store: str | PathLike[str] | None = None,
    user_name: str | None = None,
    api_key: str | None = None,
    api_url: str | None = None,
    rtc_url: str | None = None,
    warn: Callable[[str], None] | None = None,
) -> AsyncIterator[Guard]:
    """Run the live engine in this event loop: `async with riskcore.guard("riskcore.toml") as guard:`.

    Enters once the account has been seen in full and the rules are armed. When the block ends, however it ends, the
    engine stops in good order. If the engine fails for good, the block is cancelled and the error is raised. Nothing
    may block the event loop for long, because the engine shares it. The channels of `[alerts]` are told as by
    `riskcore live`.

    `settings`: those of `load_settings`, or a path, which is watched for edits as `riskcore live` does; by default the
    file that the command would find. `dry_run`: decide and record, send nothing. `store`: the journal, by default
    RISKCORE_STORE, else the file in the user's data folder.
    `user_name` and `api_key`: by default those of the environment or the keyring. `api_url` and `rtc_url`: by default
    RISKCORE_API_URL and RISKCORE_RTC_URL, else the broker. `warn`: hears warnings; by default they are logged.

    Raises ConfigError, LoginRefused, BrokerUnreachable, ProfileBusy, StoreError; InvariantBroken while it runs.
    """
    check_calendar()
    loaded, say = settings_of(settings), warn or logging.getLogger("riskcore").warning
    for text in start_texts(loaded, not dry_run):
        say(text)
    given = {USER_NAME: user_name, API_KEY: api_key}
    login = {name: value for name, value in given.items() if value is not None}
    environment = {**os.environ, **login}
    clock = SystemClock()
    told = Told(clock)
    watched = None if isinstance(settings, Settings) else settings or find_file()
    run = Run(
        settings=loaded,
        store=without_password(fspath(store or environment.get("RISKCORE_STORE") or user_data_folder() / FILE_NAME)),
        broker=Broker(
            api_url or environment.get("RISKCORE_API_URL", API_URL),
            rtc_url or environment.get("RISKCORE_RTC_URL", RTC_URL),
            find_credentials(environment, None),
        ),
        enforces=not dry_run,
        announcer=told,
        warn=say,
        config_path=None if watched is None else Path(watched),
        clock=clock,
        takes_signals=False,
    )
    async with guarding(run, told) as found:
        yield found


@asynccontextmanager
async def guarding(run: Run, told: Told) -> AsyncIterator[Guard]:
    """The guard of one run, whose announcer is `told`."""
    found = Guard(told)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(run_live(run, found._attend))
            try:
                await told.ready.wait()
                yield found
            finally:
                found._stopping.set()
                await asyncio.wait((task,))
                told.end()
    except BaseExceptionGroup as errors:
        error = errors.exceptions[0]
        raise error from error.__cause__
