"""`riskcore watchdog`: a second process that alerts when the engine is dead, hung or blind (INTERFACE.md 1)."""

import json
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import config_options, output_options_saying, print_json, store_option, warn
from riskcore.cli.print_text import in_zone, print_line, print_text, zone_line

if TYPE_CHECKING:
    from adapters.alerts.watch import Verdict

SCHEMA = "riskcore.watchdog/1"
ALARM = 1


@click.command(epilog="Example: riskcore watchdog --once")
@click.option("--once", is_flag=True, help="Look, alert if needed, and end: exit code 1 for an alarm. For cron.")
@click.option(
    "--every",
    type=click.FloatRange(0.1, 20),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Seconds between two looks.",
)
@click.option(
    "--after",
    type=click.FloatRange(1, 45),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an engine may be silent, or blind with a position open.",
)
@click.option("--profile", metavar="NAME", help="Profile to watch. Default: the one of the settings.")
@config_options
@store_option
@output_options_saying(
    "Print JSON: one object a line at each change, or with --once one object.", "Print only alarms and errors."
)
def command(
    once: bool,
    every: float,
    after: float,
    profile: str | None,
    config_path: Path | None,
    sets: tuple[str, ...],
    store: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Watch the engine of a profile and alert through the channels of [alerts] when it cannot guard you.

    An alert leaves within a minute when the engine is dead or hung, or when it cannot judge what is open. It is
    critical while a position is open. After an orderly stop with everything closed there is none.
    """
    from adapters.alerts.watchdog import Watched, look_once, refuse_other_file
    from riskcore.settings.config import load_settings
    from riskcore.store.location import FILE_NAME, user_data_folder

    settings = load_settings(config_path, sets)
    where = store or str(user_data_folder() / FILE_NAME)
    watched = Watched(where, profile or str(settings.plain["profile"]["name"]), every, after)
    refuse_other_file(watched)
    if not settings.alerts.channels:
        warn("[alerts] names no channel: nobody is alerted", quiet=quiet)
    if not once:
        _watch_on(watched, settings, as_json=as_json, quiet=quiet)
        return 0
    zone = str(settings.plain["profile"]["timezone"])
    verdict = look_once(watched, settings, time.sleep)
    if as_json:
        print_json(_row(verdict))
    elif not quiet or not verdict.fine:
        print_text(verdict.text, zone)
    return 0 if verdict.fine else ALARM


def _watch_on(watched: Any, settings: Any, *, as_json: bool, quiet: bool) -> None:
    from adapters.alerts.watchdog import watch_on
    from riskcore.live.stop_signals import heeding_signals, heeding_stop

    def tell(verdict: "Verdict") -> None:
        if as_json:
            # A line for each change: whoever reads it goes on reading.
            click.echo(json.dumps(_row(verdict), ensure_ascii=False))
        elif not quiet or not verdict.fine:
            print_line(in_zone(f"{time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime())}  {verdict.text}", zone))

    over, zone = Event(), str(settings.plain["profile"]["timezone"])
    if not as_json and not quiet:
        print_line(zone_line(zone))
    with heeding_signals(), heeding_stop(over.set):
        watch_on(watched, settings, tell, over.wait)


def _row(verdict: "Verdict") -> dict[str, Any]:
    beat = verdict.beat
    return {
        "schema": SCHEMA,
        "state": verdict.state,
        "alarm": not verdict.fine,
        "level": None if verdict.fine else verdict.level,
        "text": verdict.text,
        "last_sign_at": None if beat is None else beat.at,
        "open_positions": None if beat is None else beat.open_positions,
    }
