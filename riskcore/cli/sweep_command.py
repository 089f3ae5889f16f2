"""`riskcore sweep`: a grid of settings over recorded days (INTERFACE.md 6, WHATIF.md 7)."""

import os
import shlex
import sys
from collections.abc import Callable
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
    say_on_stderr,
    store_option,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SESSION
from riskcore.cli.written_file import WRITTEN, WrittenFile, keep_apart
from riskcore.errors import CannotWrite, ConfigError
from riskcore.folders import user_folder
from riskcore.store.server_url import words_without_passwords

_OF_THE_STUDY = ("policy", "latency_ms", "slippage_ticks", "skip_bad_lines", "strict")


@click.command(
    epilog="Example: riskcore sweep month/*.jsonl --grid rules.daily_realized_loss.loss_limit=200:1000:50 "
    "--out results.parquet"
)
@click.argument("sessions", nargs=-1, required=True, type=SESSION, metavar="SESSION...")
@click.option(
    "--grid",
    multiple=True,
    metavar="KEY=VALUES",
    help="Values of one setting: 200:1000:50 (first, last, step), or off,200,400. Repeatable; all are combined.",
)
@config_options
@baseline_option
@account_option
@course_options
@bars_option
@click.option(
    "--independent-days", is_flag=True, help="Always so in a sweep; accepted so that options of whatif can be reused."
)
@click.option("--quick", is_flag=True, help="Always so in a sweep: no range and no shares by rule.")
@click.option(
    "--out", type=WrittenFile(dir_okay=True), metavar="FILE.parquet", help="Write a row per setting, account and day."
)
@click.option("--report", type=WRITTEN, metavar="FILE.html", help="Also write one page.")
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Processes on this machine. Default: its cores."
)
@click.option("--cluster", metavar="ADDRESS", help="Work on a dask cluster instead, e.g. tcp://10.0.0.5:8786.")
@click.option("--every-setting", is_flag=True, help="Run the days once for each setting; slower, with the same result.")
@click.option(
    "--odds", is_flag=True, help="Also say how likely each setting is to pass [programme]; see riskcore odds."
)
@click.option("--paths", type=int, default=10_000, show_default=True, help="How many journeys --odds draws a setting.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same journeys.")
@click.option(
    "--decide", is_flag=True, help="Keep the recommended setting in the journal, so that later days can judge it."
)
@store_option
@click.option("--profile", metavar="NAME", help="Profile of the journal; needed if it holds several.")
@click.option("--yes", is_flag=True, help="Run a large grid without asking.")
@reading_options
@output_options
def command(
    sessions: tuple[Path, ...],
    grid: tuple[str, ...],
    config_path: Path | None,
    sets: tuple[str, ...],
    baseline: Path | None,
    accounts: tuple[str, ...],
    bars: tuple[Path, ...],
    out: Path | None,
    report: Path | None,
    workers: int | None,
    cluster: str | None,
    every_setting: bool,
    decide: bool,
    yes: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Say what each setting of a grid would have made of recorded days.

    SESSION is a wire recording or a journal export, .gz too; several are run in the order given. Each day starts
    from the record, so every figure is that of whatif --independent-days --quick. What is finished is kept: a
    sweep that was interrupted goes on where it was. With --store, decisions of earlier sweeps are judged on the
    days behind them.
    """
    from replay.sweep.summary import remarks_on, swept
    from replay.sweep.sweep import Sweep
    from replay.sweep.table_file import check_place, write_table
    from replay.whatif.settings import Asked
    from replay.whatif.study import Study
    from riskcore.cli.sweep_text import sweep_text
    from riskcore.store.location import existing_store

    keep_apart()
    if workers is not None and cluster is not None:
        raise ConfigError("--workers counts processes on this machine; leave it out with --cluster")
    if out is not None:
        check_place(out)
    if decide or options["store"] is not None:
        existing_store(options["store"])
    progress = Progress(quiet=quiet)
    study = Study(
        sessions,
        Asked(config_path, sets, config_given(), baseline),
        bars=bars,
        restrict=accounts,
        **{name: options[name] for name in _OF_THE_STUDY},
        command=f"riskcore {shlex.join(words_without_passwords(sys.argv[1:]))}",
        warn=lambda text: warn(text, quiet=quiet),
        step=progress.show,
    )
    folder, agree = user_folder("cache") / "sweep", _agreeing(yes=yes, quiet=quiet)
    with progress:
        table, result = swept(
            Sweep(study, grid, folder, workers or os.cpu_count() or 1, cluster, agree, every_setting),
            (options["paths"], options["seed"]) if options["odds"] else None,
        )
    for text in remarks_on(table):
        warn(text, quiet=quiet)
    if out is not None:
        write_table(table, out)
    if decide or options["store"] is not None:
        from riskcore.cli.sweep_decision import decisions

        journal = {**options, "config_path": config_path, "account": next(iter(accounts), None)}
        result |= decisions(table, journal, decide=decide)
    if report is not None:
        _write_page(result, report)
    if as_json:
        print_json(result)
    else:
        print_text(sweep_text(result))
    return 1 if decide and result["decided"] is None else 0


def _write_page(result: dict[str, Any], report: Path) -> None:
    """Raises CannotWrite."""
    from replay.sweep.report import sweep_html

    try:
        report.write_bytes(sweep_html(result).encode())
    except OSError as error:
        raise CannotWrite(f"{report}: cannot be written: {error.strerror or error}") from None


def _agreeing(*, yes: bool, quiet: bool) -> Callable[[str], None]:
    """What hears the cost of a large grid, and goes on only when somebody wants it. Raises ConfigError."""

    def agree(cost: str) -> None:
        if yes:
            if not quiet:
                say_on_stderr(cost)
        elif not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise ConfigError(f"--grid: {cost}; add --yes to run it, or give fewer values")
        elif not click.confirm(f"{cost}. Run it?", err=True):
            raise click.Abort

    return agree
