"""What `riskcore live` was asked for, turned into a run: against the broker, or against the bundled gateway."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapters.topstepx.credentials import Credentials, find_credentials
from riskcore.cli.live_text import Outlet, Printer, screen_possible
from riskcore.cli.log_file import logged, noted
from riskcore.cli.options import warn
from riskcore.cli.print_text import print_line
from riskcore.engine.clock import SystemClock
from riskcore.engine.engine import Engine
from riskcore.engine.ports import Announcer, Clock
from riskcore.errors import ConfigError
from riskcore.live.log_lines import WARNING, LogLines, said_line
from riskcore.live.run import Broker, Run, check_calendar, interactive, run_live, start_texts
from riskcore.settings.config import Settings, find_file, load_settings, read_settings
from riskcore.store.location import FILE_NAME, user_data_folder

if TYPE_CHECKING:
    from adapters.simulator.scenario import Scenario
    from replay.live_recording import LiveRecording
    from riskcore.cli.screen.screen import LiveScreen

SETTLING_SECONDS = 12  # Behind the end of a scenario: the last look after flat comes ten seconds later.


@dataclass(frozen=True, slots=True)
class Options:
    """The command line of `riskcore live`."""

    dry_run: bool
    record_only: bool
    simulated: str | None
    record: Path | None
    seed: int
    stay: bool
    api_url: str
    rtc_url: str
    screen: bool | None
    config_path: Path | None
    sets: tuple[str, ...]
    store: str | None
    accounts: tuple[str, ...]
    as_json: bool
    quiet: bool
    json_log: Callable[[str], None] | None  # Where lines of JSON go (--log-json).
    log_path: Path | None = None
    log: Outlet | None = None  # The file of --log, open.

    def warn(self, text: str) -> None:
        """Say it on stderr, as a line of JSON where those were asked for, and in the file of the log."""
        if self.log is not None:
            self.log.write(noted("warning", text))
        if self.json_log is not None:
            self.json_log(said_line(WARNING, text))
        else:
            warn(text, quiet=self.quiet)

    @property
    def enforces(self) -> bool:
        return not (self.dry_run or self.record_only)

    def adjusted(self, plain: dict[str, Any]) -> dict[str, Any]:
        """The settings as this run judges by them; they go into the journal, so that a replay judges the same."""
        settings = dict(plain)
        if self.accounts:
            settings["profile"] = {**settings["profile"], "accounts": list(self.accounts)}
        if self.record_only:
            settings |= {"programme": None, "rules": {}, "accounts": {}}
            for name in ("programme_accounts", "groups"):
                settings.pop(name, None)
        return settings


async def run(options: Options) -> None:
    """Run until stopped. Raises RiskcoreError."""
    check_calendar()
    if options.dry_run and options.record_only:
        raise ConfigError("--dry-run decides without sending, --record-only does not decide either: give one of them")
    with logged(options.log_path) as log:
        options = replace(options, log=log)
        if options.simulated is not None:
            await _simulated(options, _scenario(options.simulated))
        else:
            await _against_the_broker(options)


async def _against_the_broker(options: Options) -> None:
    settings = load_settings(options.config_path, options.sets)
    for text in start_texts(settings, options.enforces):
        options.warn(text)
    from riskcore.store.recorder import refuse_no_journal

    store = options.store or str(user_data_folder() / FILE_NAME)
    refuse_no_journal(store)  # Said before anybody types a key.
    credentials = find_credentials(os.environ, ask_person if interactive() else None)
    broker = Broker(options.api_url, options.rtc_url, credentials)
    clock = SystemClock()
    with _printing(options, clock, settings, store, "enforcing", bool(options.screen)) as printer:
        watched = options.config_path or find_file()
        with _recorded(options, settings, clock) as recording:
            await run_live(_run_of(options, settings, store, broker, clock, printer, watched, recording))


@contextmanager
def _recorded(options: Options, settings: Settings, clock: Clock) -> "Iterator[LiveRecording | None]":
    """The recording that was asked for, closed with its end line. Raises CannotWrite."""
    if options.record is None:
        yield None
        return
    from replay.live_recording import LiveRecording

    def warn(text: str) -> None:
        options.warn(f"{text}; the journal goes on")

    recording = LiveRecording(options.record, {"profile": settings.plain["profile"]["name"]}, warn, clock.now)
    if recording.path != options.record:
        options.warn(f"{options.record} is there already; recording into {recording.path}")
    with closing(recording):
        yield recording


@contextmanager
def _printing(
    options: Options, clock: Clock, settings: Settings, store: str, mode: str, screen: bool
) -> Iterator[Announcer]:
    """What is printed, and the log of what happens where one was asked for."""
    with closing(_printer(options, clock, settings, store, mode, screen)) as printer:
        yield printer if options.json_log is None else LogLines(printer, options.json_log, clock.now)


def _printer(options: Options, clock: Clock, settings: Settings, store: str, mode: str, screen: bool) -> Printer:
    said = "dry run" if options.dry_run else "record only" if options.record_only else mode
    shown = _screen(options, clock, settings, store, said) if screen else None
    zone = settings.plain["profile"]["timezone"]
    return Printer(clock, as_json=options.as_json, quiet=options.quiet, screen=shown, log=options.log, zone=zone)


def _screen(options: Options, clock: Clock, settings: Settings, store: str, mode: str) -> "LiveScreen | None":
    """The screen where there is a terminal for it; it reads the journal and asks the engine like any other command."""
    if options.as_json or not screen_possible():
        return None
    from riskcore.cli.screen.asking import asking
    from riskcore.cli.screen.screen import LiveScreen
    from riskcore.cli.screen.source import JournalSource, Place

    profile = str(settings.plain["profile"]["name"])
    # The engine's clock is not asked from another thread; it may be shifted, but by as much all the time.
    shift = clock.now() - time.time_ns()
    source = JournalSource(Place(store, profile, mode, now=lambda: time.time_ns() + shift))
    return LiveScreen(source, ask=asking(store, profile, options.config_path))


def _run_of(
    options: Options,
    settings: Settings,
    store: str,
    broker: Broker,
    clock: Clock,
    announcer: Announcer,
    watched: Path | None,
    recording: "LiveRecording | None",
) -> Run:
    return Run(
        settings=settings,
        store=store,
        broker=broker,
        enforces=options.enforces,
        announcer=announcer,
        warn=options.warn,
        config_path=watched,
        sets=options.sets,
        adjust=options.adjusted,
        clock=clock,
        recording=recording,
        # A scenario that no settings were given for is a show.
        alerts=options.simulated is None or options.config_path is not None,
    )


def ask_person(question: str, hidden: bool) -> str:
    """A half of the login, typed (adapters.topstepx.credentials.Prompt)."""
    return str(click.prompt(question, hide_input=hidden, err=True))


# ---- the bundled gateway -----------------------------------------------------------------------------


def _scenario(name: str) -> "Scenario":
    # Imported here, as all of the gateway: an engine that starts again on a real account must not wait for it.
    from adapters.simulator.scenarios import scenario_of

    return scenario_of(name)


async def _simulated(options: Options, scenario: "Scenario") -> None:
    """The whole live stack against a gateway of our own on loopback, until its plot is over."""
    from adapters.simulator.scenario_clock import ShiftedClock, shift_ns
    from adapters.simulator.server import SimulatedGateway

    if options.config_path is not None:
        settings = load_settings(options.config_path, options.sets)
    else:
        settings = read_settings(scenario.settings, options.sets, f"scenario {scenario.name}")
    store = options.store or str(Path(tempfile.mkdtemp(prefix="riskcore-simulated-")) / FILE_NAME)
    clock = ShiftedClock(shift_ns(scenario))
    played = False
    async with SimulatedGateway(scenario, seed=options.seed, clock=clock) as gateway:
        broker = Broker(gateway.api_url, gateway.rtc_url, Credentials(gateway.user_name, gateway.api_key))

        async def over(engine: Engine) -> None:
            nonlocal played
            while not engine.ready:
                await clock.sleep(1)
            await clock.sleep(scenario.seconds)
            for _ in range(SETTLING_SECONDS):
                await clock.sleep(1)
            played = True

        shown = options.screen if options.screen is not None else not options.quiet
        shown_by = _printing(options, clock, settings, store, f"simulated: {scenario.name}", shown)
        with shown_by as printer, _recorded(options, settings, clock) as recording:
            # A settings file that happens to lie about is not the scenario's.
            asked = _run_of(options, settings, store, broker, clock, printer, options.config_path, recording)
            await run_live(asked, None if options.stay else over)
    if not options.quiet and not options.as_json:
        how = "The scenario is over" if played else "Stopped"
        print_line(f"\n{how}. Everything that was received and decided is in {store}")
        click.echo(f"  riskcore audit --store {store}     what happened, and why")
        click.echo(f"  riskcore verify --store {store}    that it replays to the same decisions")
