"""`riskcore status`: the state of a running or stopped engine, from its journal alone."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import account_option, output_options, print_json, profile_file_option, store_option
from riskcore.cli.print_text import in_zone, print_line, print_text, zone_line
from riskcore.errors import ConfigError, RiskcoreError

if TYPE_CHECKING:
    from riskcore.audit.following import Follower
    from riskcore.cli.screen.source import Place
    from riskcore.store.lease import ServerLease

Row = dict[str, Any]
REFRESH_SECONDS = 1.0
HEALTH_SECONDS = 2.0


@click.command(epilog="Example: riskcore status --watch")
@profile_file_option
@store_option
@click.option("--profile", metavar="NAME", help="Profile to show; needed if the journal holds several.")
@account_option
@click.option(
    "--watch",
    is_flag=True,
    help="Show a screen, with keys for its views, until q or Ctrl-C; text where there is no terminal.",
)
@click.option("--follow", is_flag=True, help="Print what happens until Ctrl-C; with --json one message per line.")
@click.option("--after", metavar="CURSOR", help="With --follow: begin behind this cursor, or at the start.")
@click.option(
    "--stop-ticks",
    type=click.IntRange(min=1),
    metavar="N",
    help="Distance of your stop, for the number of contracts that can safely be opened.",
)
@output_options
def command(
    config_path: Path | None,
    store: str | None,
    profile: str | None,
    accounts: tuple[str, ...],
    watch: bool,
    follow: bool,
    after: str | None,
    stop_ticks: int | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Show whether an engine is running, and its accounts, limits, positions, lockouts and unmet commands.

    Values are those of the last event stored; countdowns run to now. This does not disturb the engine.
    """
    from riskcore.audit.following import Follower, chosen_accounts, open_journal, status_of
    from riskcore.store.location import existing_store
    from riskcore.store.recorder import writer_lock

    if after is not None and not follow:
        raise ConfigError("--after goes with --follow")
    if follow and watch:
        raise ConfigError("--watch draws a screen and --follow prints a stream; give one of them")
    if watch and as_json:
        raise ConfigError("--watch draws a screen and --json prints once; give one of them")
    with open_journal(store, profile, config_path) as (journal, _):
        follower = Follower(journal)
        follower.catch_up()
        chosen_accounts(follower, accounts)
        location = existing_store(store)
        lock = writer_lock(location, journal.profile)
        if follow:
            day = follower.book.day
            zone = None if as_json else "" if day is None else day.timezone
            _follow(location, journal.profile, after, accounts, zone, config_path)
        elif watch:
            from riskcore.cli.screen.source import Place

            place = Place(location, journal.profile, accounts=accounts, stop_ticks=stop_ticks)
            _watch(follower, place, lock, config_path)
        elif as_json:
            status = status_of(follower, accounts, lock, time.time_ns(), stop_ticks)
            print_json(status | _health(location, journal.profile))
        else:
            from riskcore.cli.status_text import status_text

            status = status_of(follower, accounts, lock, time.time_ns(), stop_ticks)
            print_text(status_text(status | _health(location, journal.profile)), status["timezone"])
    return 0


def _follow(
    store: str, profile: str, after: str | None, accounts: Sequence[str], zone: str | None, config_path: Path | None
) -> None:
    """Print the stream: in a zone for people, as it is (None) for programs."""
    from riskcore.audit.stream import read_cursor
    from riskcore.cli.desk_options import alert_channels
    from riskcore.cli.follow_stream import stream_lines, text_of
    from riskcore.live.stop_signals import heeding_signals

    channels = alert_channels(config_path)
    if after is not None:
        read_cursor(after)  # Before a line is printed.
    if zone:
        click.echo(zone_line(zone))
    with suppress(KeyboardInterrupt), heeding_signals():
        for line in stream_lines(store, profile, after, accounts, channels):
            shown = line if zone is None else text_of(line)
            if shown is not None:
                print_line(shown if zone is None else in_zone(shown, zone))


def _health(store: str, profile: str) -> Row:
    """What the running engine reports about itself; None if none runs or it does not answer at once."""
    from riskcore.engine.control_client import ask

    try:
        answer = ask(store, profile, {"ask": "health"}, HEALTH_SECONDS)
    except RiskcoreError:
        return {"health": None}
    return {"health": {"score": answer["score"], "parts": answer["parts"]}}


# ---- watching ----------------------------------------------------------------------------------------


def _watch(follower: "Follower", place: "Place", lock: "Path | ServerLease", config_path: Path | None) -> None:
    """Show the state again and again until Ctrl-C: a screen on a terminal, else text whenever something changed."""
    from riskcore.cli.live_text import screen_possible
    from riskcore.live.stop_signals import heeding_signals

    with suppress(KeyboardInterrupt), heeding_signals():
        if screen_possible():
            _watch_screen(place, config_path)
        else:
            _watch_text(follower, place, lock)


def _watch_screen(place: "Place", config_path: Path | None) -> None:
    from riskcore.cli.screen.asking import asking
    from riskcore.cli.screen.screen import LiveScreen
    from riskcore.cli.screen.source import JournalSource

    ask = asking(place.store, place.profile, config_path, place.accounts)
    with LiveScreen(JournalSource(place), ask=ask, quits=True, accounts=tuple(place.accounts)) as screen:
        while not screen.ended.wait(REFRESH_SECONDS):
            pass


def _watch_text(follower: "Follower", place: "Place", lock: "Path | ServerLease") -> None:
    from riskcore.audit.following import status_of
    from riskcore.cli.status_text import status_text

    changed = True
    while True:
        if changed:
            status = status_of(follower, place.accounts, lock, time.time_ns(), place.stop_ticks)
            print_text(status_text(status), status["timezone"])
            click.echo()
        time.sleep(REFRESH_SECONDS)
        changed = follower.catch_up()
