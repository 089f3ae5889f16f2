"""`riskcore replay`: recorded days through the rules (INTERFACE.md 5)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import (
    Store,
    account_option,
    config_given,
    config_options,
    output_options,
    print_json,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION

if TYPE_CHECKING:
    from riskcore.core.events import Event


@click.command(epilog="Example: riskcore replay monday.jsonl tuesday.jsonl.gz --config riskcore.toml --json")
@click.argument("sessions", nargs=-1, required=True, type=SESSION, metavar="SESSION...")
@config_options
@account_option
@click.option(
    "--store", type=Store(), metavar="PATH-or-URL", help="Also keep the run as a journal in this (new) store."
)
@click.option("--skip-bad-lines", is_flag=True, help="Record unreadable lines as rejected input and continue.")
@click.option("--strict", is_flag=True, help="Treat a file that was cut off as an error (exit code 3).")
@click.option("--every-event", is_flag=True, help="Evaluate every quote; slower, with the same decisions.")
@click.option(
    "--no-cache",
    is_flag=True,
    envvar="RISKCORE_NO_CACHE",
    help="Read every quote line again; RISKCORE_NO_CACHE=1 does so for whatif, too.",
)
@output_options
def command(
    sessions: tuple[Path, ...],
    config_path: Path | None,
    sets: tuple[str, ...],
    accounts: tuple[str, ...],
    store: str | None,
    skip_bad_lines: bool,
    strict: bool,
    every_event: bool,
    no_cache: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Replay recorded days and show what riskcore would have decided, and why.

    SESSION is a wire recording or a journal export, .gz too; several are run in the order given. A journal
    export is judged by the settings it carries, and its recorded decisions are compared (exit 1 on a
    difference).
    """
    from replay.replay_run import run_replay
    from riskcore.cli.replay_text import result_text
    from riskcore.core.events import TradingDayOpened
    from riskcore.settings.warnings import any_rule_on

    judged, zone = False, ""

    def note(events: "Sequence[Event]") -> None:
        # An opening holds the accounts of its day, so none is kept.
        nonlocal judged, zone
        for one in events:
            if isinstance(one.body, TradingDayOpened):
                judged, zone = judged or any_rule_on(one.body.settings), one.body.day.timezone

    with Progress(quiet=quiet) as progress:
        result = run_replay(
            sessions,
            config_path=config_path,
            sets=sets,
            config_given=config_given(),
            restrict=accounts,
            store=store,
            skip_bad_lines=skip_bad_lines,
            strict=strict,
            every_event=every_event,
            from_cache=not no_cache,
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.session,
            listeners=(note,),
        )
    if as_json:
        print_json(result)
    else:
        print_text(result_text(result, judged), zone)
    return exit_code(result)


def exit_code(result: dict[str, Any]) -> int:
    """1 when recorded and recomputed decisions differ."""
    comparison = result["comparison"]
    return 1 if comparison is not None and comparison["differences"] else 0
