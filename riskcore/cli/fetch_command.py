"""`riskcore fetch`: session files out of the broker's own history (INTERFACE.md 6)."""

import asyncio
from pathlib import Path

import click

from riskcore.cli.options import account_option, config_options, output_options, print_json, rest_option, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress


@click.command(epilog="Example: riskcore fetch --from 2026-11-02 --to 2026-11-27 --out days/")
@click.option("--from", "first", required=True, metavar="YYYY-MM-DD", help="First trading day.")
@click.option("--to", "last", required=True, metavar="YYYY-MM-DD", help="Last trading day.")
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    metavar="ID-or-NAME",
    help="Bars of this contract, traded or not, and of no other. Repeatable. Default: those that were traded.",
)
@click.option(
    "--unit",
    type=click.Choice(("second", "minute", "hour", "day")),
    default="minute",
    show_default=True,
    help="How long a bar is.",
)
@click.option(
    "--unit-number", type=click.IntRange(1, 999), default=1, show_default=True, help="So many units make one bar."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where the recordings go.")
@click.option("--again", is_flag=True, help="Ask for everything again, also for what DIR already has.")
@rest_option
@config_options
@account_option
@output_options
def command(
    first: str,
    last: str,
    contracts: tuple[str, ...],
    unit: str,
    unit_number: int,
    out: Path,
    again: bool,
    api_url: str,
    config_path: Path | None,
    sets: tuple[str, ...],
    accounts: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Download fills, orders, contracts and bars, and write one recording per trading day.

    Days are trading days, named by the date on which they end. Without --account the accounts of the profile are
    taken, else all that the platform shows. Ctrl-C and a lost connection lose nothing: the same command goes on where
    it was. What the broker no longer has is said, one line each. Nothing is sent but questions. Exit code 1 when a P&L
    recomputed from prices differs from the broker's own, 5 when the broker cannot be reached.
    """
    from replay.fetching.fetch import Wanted
    from replay.fetching.plan import BarUnit
    from riskcore.cli.fetch_run import run_fetch
    from riskcore.cli.fetch_text import result_text
    from riskcore.cli.import_command import differs
    from riskcore.live.stop_signals import heeding_signals
    from riskcore.settings.config import load_settings

    settings = load_settings(config_path, sets)
    wanted = Wanted(first, last, out, accounts, contracts, BarUnit(unit, unit_number), again)
    try:
        with heeding_signals(), Progress(quiet=quiet) as progress:
            result = asyncio.run(
                run_fetch(
                    wanted,
                    settings.plain,
                    api_url,
                    warn=lambda text: warn(text, quiet=quiet),
                    say=progress.show,
                )
            )
    except KeyboardInterrupt:
        warn(f"what was downloaded is kept in {out}; the same command goes on from there", quiet=quiet)
        raise
    if as_json:
        print_json(result)
    else:
        print_text(result_text(result))
    return 1 if differs(result) else 0
