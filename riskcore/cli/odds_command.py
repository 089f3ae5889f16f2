"""`riskcore odds`: the chance to pass, from the account's own days (INTERFACE.md 6)."""

import shlex
import sys
from pathlib import Path

import click

from riskcore.cli.options import (
    account_option,
    config_given,
    config_options,
    output_options,
    print_json,
    reading_options,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.written_file import WRITTEN, keep_apart
from riskcore.errors import ConfigError
from riskcore.store.server_url import words_without_passwords


@click.command(epilog="Example: riskcore odds days/*.jsonl --set programme.size=50K --report odds.html")
@click.argument("sessions", nargs=-1, required=True, type=SESSION, metavar="SESSION...")
@config_options
@account_option
@click.option("--paths", type=int, default=10_000, show_default=True, help="How many journeys are drawn.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same journeys.")
@click.option(
    "--block",
    default="day",
    show_default=True,
    metavar="day|week",
    help="What is drawn whole. Weeks keep what hangs together from day to day, as a check.",
)
@click.option("--combine-fee", default="0", metavar="AMOUNT", help="What the Combine costs you a month.")
@click.option("--activation-fee", default="0", metavar="AMOUNT", help="What you pay once when you have passed.")
@click.option("--report", type=WRITTEN, metavar="FILE.html", help="Also write one page.")
@reading_options
@output_options
def command(
    sessions: tuple[Path, ...],
    config_path: Path | None,
    sets: tuple[str, ...],
    accounts: tuple[str, ...],
    paths: int,
    seed: int,
    block: str,
    combine_fee: str,
    activation_fee: str,
    report: Path | None,
    skip_bad_lines: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Say how likely these days are to pass the Combine or to lose it, and how little they say.

    SESSION is a wire recording or a journal export, .gz too. Whole recorded days of one account are drawn again and
    again and sent through the firm's rules in [programme]: Combine, funded account, payouts. With rules in the
    settings, each day is what they would have made of it. Two intervals stand beside every figure: that of the
    drawing, and the far wider one of so few days.
    """
    from replay.odds.payouts import Costs
    from replay.odds.study import OddsStudy, odds
    from replay.whatif.settings import Asked
    from replay.whatif.study import Study
    from riskcore.cli.odds_text import odds_text

    keep_apart()
    progress = Progress(quiet=quiet)
    study = Study(
        sessions,
        Asked(config_path, sets, config_given()),
        restrict=accounts,
        skip_bad_lines=skip_bad_lines,
        strict=strict,
        command=f"riskcore {shlex.join(words_without_passwords(sys.argv[1:]))}",
        warn=lambda text: warn(text, quiet=quiet),
        progress=progress.session,
        step=progress.show,
    )
    costs = Costs(_amount("combine-fee", combine_fee), _amount("activation-fee", activation_fee))
    with progress:
        result = odds(OddsStudy(study, paths, seed, block, costs))
    if report is not None:
        from replay.odds.report import odds_html
        from riskcore.store.export_file import write_file

        write_file(report, odds_html(result).encode())
    if as_json:
        print_json(result)
    else:
        print_text(odds_text(result))


def _amount(option: str, text: str) -> int:
    from riskcore.core.quantities import money

    try:
        return money(text)
    except ValueError:
        raise ConfigError(f"--{option} {text}: not an amount of dollars") from None
