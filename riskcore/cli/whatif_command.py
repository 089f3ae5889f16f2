"""`riskcore whatif`: recorded days under other settings (INTERFACE.md 6, WHATIF.md)."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import (
    account_option,
    bars_option,
    baseline_option,
    config_given,
    config_options,
    course_options,
    output_options,
    print_json,
    reading_options,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.stored_sessions import sessions_or_stored, stored_sessions_options
from riskcore.cli.written_file import WRITTEN, keep_apart
from riskcore.errors import ConfigError
from riskcore.store.server_url import words_without_passwords


@click.command(
    epilog="Example: riskcore whatif monday.jsonl tuesday.jsonl --set rules.daily_realized_loss.loss_limit=400"
)
@click.argument("sessions", nargs=-1, type=SESSION, metavar="[SESSION]...")
@config_options
@baseline_option
@stored_sessions_options
@click.option(
    "--compare",
    "compared",
    type=click.Path(path_type=Path, dir_okay=False),
    nargs=2,
    metavar="A.toml B.toml",
    help="Two settings against one baseline, and the second's effect less the first's.",
)
@account_option
@course_options
@click.option("--independent-days", is_flag=True, help="Start each day from what was recorded.")
@bars_option
@click.option(
    "--export",
    type=WRITTEN,
    metavar="FILE.jsonl",
    help="Also write the days under these rules as a journal export.",
)
@click.option("--report", type=WRITTEN, metavar="FILE.html", help="Also write one page.")
@click.option("--card", type=WRITTEN, metavar="FILE.png", help="Also draw one picture.")
@click.option("--share", "shared", is_flag=True, help="Replace names and ids; amounts as a share of the loss limit.")
@click.option("--quick", is_flag=True, help="No range and no shares by rule.")
@reading_options
@output_options
def command(
    sessions: tuple[Path, ...],
    config_path: Path | None,
    sets: tuple[str, ...],
    baseline: Path | None,
    store: str | None,
    profile: str | None,
    days: tuple[str, ...],
    compared: tuple[Path, Path] | None,
    accounts: tuple[str, ...],
    policy: str,
    latency_ms: int,
    slippage_ticks: int,
    independent_days: bool,
    bars: tuple[Path, ...],
    export: Path | None,
    report: Path | None,
    card: Path | None,
    shared: bool,
    quick: bool,
    skip_bad_lines: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Say what the same days would have come to under other rules, and how sure that is.

    SESSION is a wire recording or a journal export, .gz too; several are run in the order given. Without one
    the days of the journal in --store are meant. Up to the first different action everything is what was
    recorded; after it the broker is simulated, and what hangs on a simulated price is named as such.
    """
    from replay.whatif.settings import Asked
    from replay.whatif.study import Study, compare, whatif

    keep_apart()
    progress = Progress(quiet=quiet)
    asked = Asked(config_path, sets, config_given(), baseline)
    study = Study(
        sessions_or_stored(sessions, store=store, profile=profile, days=days),
        asked,
        policy,
        latency_ms,
        slippage_ticks,
        independent_days,
        quick,
        bars,
        export,
        accounts,
        skip_bad_lines,
        strict,
        f"riskcore {shlex.join(words_without_passwords(sys.argv[1:]))}",
        warn=lambda text: warn(text, quiet=quiet),
        progress=progress.session,
        step=progress.show,
    )
    if compared is not None:
        if report is not None or card is not None or shared:
            raise ConfigError("--compare has two results; ask for a report, card or share of each alone")
        with progress:
            result = compare(study, compared)
    else:
        with progress:
            result = whatif(study)
        if shared:
            from replay.whatif.share import share

            result = share(result)
        _write(result, report, card)
    if as_json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from riskcore.cli.whatif_text import compared_text, whatif_text

    if "compare" in result:
        print_text(compared_text(result), result["compare"][0]["stamp"]["timezone"])
    else:
        print_text(whatif_text(result), result["stamp"]["timezone"])


def _write(result: dict[str, Any], report: Path | None, card: Path | None) -> None:
    """The page and the picture of a result. Raises CannotWrite."""
    from riskcore.store.export_file import write_file

    if report is not None:
        from replay.whatif.report import report_html

        write_file(report, report_html(result).encode())
    if card is not None:
        from replay.whatif.card import card_png

        write_file(card, card_png(result))
