"""One run of `riskcore live`: settings, journal, ports and engine put together, until it is stopped."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from adapters.topstepx.credentials import Credentials
from adapters.topstepx.feed import TopstepFeed
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.http import hub_url
from adapters.topstepx.hub import accounts_named
from adapters.topstepx.kept_connections import KeptTransport
from adapters.topstepx.normalise import normalise
from adapters.topstepx.signalr.socket import WebSockets
from riskcore.core.state import Account
from riskcore.engine.arming import check_accounts
from riskcore.engine.clock import SystemClock
from riskcore.engine.engine import Engine
from riskcore.engine.heartbeat_file import heartbeat_path
from riskcore.engine.options import Options, Ports
from riskcore.engine.ports import Announcer, Clock
from riskcore.engine.recovery import Failures
from riskcore.engine.rehearsal import rehearse
from riskcore.engine.resume import resume
from riskcore.engine.wire import Recording
from riskcore.errors import ConfigError, InvariantBroken
from riskcore.live.alerting import alerting
from riskcore.live.clock_watch import watch_clock
from riskcore.live.heartbeat import Heartbeat
from riskcore.live.local_api import LocalApi
from riskcore.live.market import LiveMarket
from riskcore.live.remote_host import host_facts, refuse_without_orders, remote_host_signs
from riskcore.live.stop_signals import stopped_by_signals
from riskcore.settings import user_rules
from riskcore.settings.account_names import unmatched_of_login
from riskcore.settings.calendar import calendar_known, calendar_warnings
from riskcore.settings.config import Settings, load_settings
from riskcore.settings.programme import start_warnings as programme_warnings
from riskcore.store.journal import Journal
from riskcore.store.lease import AccountLocks, this_process
from riskcore.version import VERSION

CONFIG_SECONDS = 2  # Between two looks at the settings file.
AGAIN = "limits do not act until ready is said again"
FOR_GOOD = "LIMITS DO NOT ACT ANY MORE: riskcore ends; start it again, and report what went wrong"
# How long a thread that is busy keeps one that has something to do from it. Storing an event gives way many times.
SWITCH_SECONDS = 0.0001


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is and who logs in."""

    api_url: str
    rtc_url: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class Run:
    """What one run is to do. `enforces`: whether anything may be sent. `config_path` is watched for edits, if given.

    `alerts`: whether the channels of the settings are told. `takes_signals`: Ctrl-C and a termination stop it; a
    program with other things to do keeps them for itself.
    """

    settings: Settings
    store: str
    broker: Broker
    enforces: bool
    announcer: Announcer
    warn: Callable[[str], None]
    config_path: Path | None = None
    sets: tuple[str, ...] = ()
    adjust: Callable[[dict[str, Any]], dict[str, Any]] = dict
    clock: Clock | None = None
    recording: Recording | None = None
    alerts: bool = True
    takes_signals: bool = True


def check_calendar() -> None:
    """Without a holiday table for the year, early closes are unknown. Raises ConfigError."""
    year = datetime.now(UTC).year
    if not calendar_known(year):
        raise ConfigError(
            f"the shipped holiday table does not cover {year}: install a newer riskcore before you trade on it"
        )


def start_texts(settings: Settings, enforces: bool) -> list[str]:
    """What is said before a start on a real broker: doubtful settings, the calendar, a remote host.

    Raises ConfigError where this installation must not send orders.
    """
    if enforces:
        refuse_without_orders(os.environ)
    today = datetime.now(UTC).date()
    signs = remote_host_signs(host_facts(os.environ)) if enforces else ()
    remote = (
        f"this looks like a remote host ({'; '.join(signs)}): the firm demands that every order action comes from"
        " the trader's own computer (RULES.md 6.8)"
    )
    texts = [*_doubts(settings), *calendar_warnings(today)]
    return [*texts, remote] if signs else texts


def _doubts(settings: Settings, visible: Sequence[Account] = ()) -> list[str]:
    """What is doubtful in settings themselves, and, once the accounts are known, which names in them none has."""
    names = unmatched_of_login(settings.plain, visible) if visible else ()
    return [*settings.warnings, *programme_warnings(settings.plain, datetime.now(UTC).date()), *names]


async def run_live(run: Run, until: Callable[[Engine], Any] | None = None) -> None:
    """Run until stopped by a signal, or until `until(engine)`, a coroutine function, returns. Raises RiskcoreError."""
    profile = run.settings.plain["profile"]["name"]
    clock = run.clock or SystemClock()
    holder = f"{this_process()}, profile {profile}, store {run.store}"
    own_accounts = AccountLocks(run.broker.api_url, holder)
    with Journal.open(run.store, profile, write=True, reserve=True) as journal, own_accounts:
        beats = heartbeat_path(run.store, profile)
        async with (
            Heartbeat(beats, profile, clock) as heartbeat,
            _alerted(run, clock) as announcer,
            LocalApi(run.settings, run.store, clock, announcer, run.warn) as api,
        ):
            await _run_again(run, journal, clock, own_accounts, api, heartbeat, until)


def _alerted(run: Run, clock: Clock) -> AbstractAsyncContextManager[Announcer]:
    if not run.alerts:
        return nullcontext(run.announcer)
    return alerting(run.announcer, run.settings, run.store, clock, run.enforces)


async def _run_again(
    run: Run,
    journal: Journal,
    clock: Clock,
    own_accounts: AccountLocks,
    api: LocalApi,
    heartbeat: Heartbeat,
    until: Callable[[Engine], Any] | None,
) -> None:
    """One engine after another, as long as the one that failed may be followed by one that goes on."""
    failures = Failures()
    while True:
        try:
            await _run_once(run, journal, clock, own_accounts, api, heartbeat, until)
            return
        except InvariantBroken as error:
            goes_on = failures.note(clock.now()) and error.starts_again
            figures = {"left_out": list(error.left_out)} if error.left_out else {}
            text = AGAIN if goes_on else FOR_GOOD
            api.say("halt", text=text, reason=str(error), over=False, limits_act=False, **figures)
            if not goes_on:
                raise


async def _run_once(
    run: Run,
    journal: Journal,
    clock: Clock,
    own_accounts: AccountLocks,
    api: LocalApi,
    heartbeat: Heartbeat,
    until: Callable[[Engine], Any] | None,
) -> None:
    settings = run.adjust(run.settings.plain)
    resumed = resume(journal)
    if isinstance(clock, SystemClock):
        clock.go_on_from(resumed.last_at)
    async with AsyncExitStack() as stack:
        chance = Random()
        transport = KeptTransport(run.broker.api_url, clock, chance)
        gateway = TopstepGateway(transport, run.broker.credentials, clock, chance)
        engine: Engine
        feed = TopstepFeed(
            hub_url(run.broker.rtc_url),
            WebSockets(clock),
            gateway.session,
            clock,
            chance,
            lambda: engine.market_expected(),
            api.quoted,
        )
        engine = Engine(
            Options(
                settings=settings,
                version=VERSION,
                enforces=run.enforces,
                keep_payloads=run.settings.keep_payloads,
                arm=lambda judged, visible, enforces: _arm(run, own_accounts, judged, visible, enforces),
            ),
            Ports(journal, clock, gateway, feed, api, normalise, accounts_named, run.recording),
            resumed,
            lambda: resume(journal),
        )
        heartbeat.attach(engine)
        if run.takes_signals:
            stack.enter_context(stopped_by_signals(engine.stop))
        api.attach(engine, LiveMarket(engine, gateway, feed, api.channels))
        stack.callback(api.detach)
        rehearse()
        stack.enter_context(unhindered())
        tasks = [asyncio.create_task(_watch_settings(run, engine, clock))]
        if isinstance(clock, SystemClock):
            tasks.append(asyncio.create_task(watch_clock(clock, api)))
        if until is not None:
            tasks.append(asyncio.create_task(_stop_after(until, engine)))
        try:
            await engine.run()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _arm(
    run: Run, own_accounts: AccountLocks, judged: Sequence[Account], visible: Sequence[Account], enforces: bool
) -> None:
    check_accounts(judged, visible, enforces)
    for account in visible:
        if account.simulated is False and account not in judged:
            run.warn(f"account {account.name or ''} ({account.id}) is live funded: it is neither judged nor touched")
    for text in unmatched_of_login(run.settings.plain, visible):
        run.warn(text)
    for account in judged if enforces else ():
        own_accounts.take(account.id)


async def _stop_after(until: Callable[[Engine], Any], engine: Engine) -> None:
    await until(engine)
    engine.stop()


async def _watch_settings(run: Run, engine: Engine, clock: Clock) -> None:
    """Tell the engine when the settings file was edited; an unreadable edit changes nothing."""
    path, before = run.config_path, run.settings
    known: list[
        int | None
    ] = []  # It may have been edited since it was read, also before an engine that is built again.
    while path is not None:
        await clock.sleep(CONFIG_SECONDS)
        # A rule of the user's own is a setting as well.
        changed_at = [_changed_at(one) for one in (path, *user_rules.files())]
        if changed_at == known or changed_at[0] is None:
            continue
        known = changed_at
        try:
            edited = load_settings(path, run.sets)
            engine.change_settings(run.adjust(edited.plain))
            engine.wire.policy = edited.keep_payloads
            told, new = (_doubts(one, engine.sight.visible()) for one in (before, edited))
            for text in new:
                if text not in told:
                    run.warn(text)
            before = edited
        except ConfigError as error:
            run.warn(f"{error}; the settings in force stay as they are")


def _changed_at(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return None


@contextmanager
def unhindered() -> Iterator[None]:
    """No command waits long for a drawing thread, or for a garbage collection through all present memory."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(interval)


def interactive() -> bool:
    """Whether a person is at the keyboard, who can be asked for the key."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
