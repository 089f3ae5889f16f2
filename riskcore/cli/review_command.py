"""`riskcore review`: the evening's look back on one trading day."""

import re
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import account_option, bars_option, output_options, print_json, say_on_stderr, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.session_file import SessionFile
from riskcore.cli.source_options import source_of, source_options, trade_date
from riskcore.cli.written_file import WRITTEN, keep_apart
from riskcore.errors import ConfigError
from riskcore.store.server_url import words_without_passwords

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class DayOrSession(SessionFile):
    """A trading day like 2026-11-20, else a session file."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return trade_date(value)
        return super().convert(value, parameter, context)


@click.command(epilog="Example: riskcore review 2026-11-20 --html review.html --csv trips.csv")
@click.argument("words", nargs=-1, type=DayOrSession(), metavar="[DAY] [SESSION]...")
@source_options
@account_option
@bars_option
@click.option("--quick", is_flag=True, help="No range and no shares by rule.")
@click.option("--html", "page", type=WRITTEN, metavar="FILE.html", help="Also write one page.")
@click.option("--csv", "table", type=WRITTEN, metavar="FILE.csv", help="Also write the round trips as a table.")
@output_options
def command(
    words: tuple[Any, ...],
    accounts: tuple[str, ...],
    bars: tuple[Path, ...],
    quick: bool,
    page: Path | None,
    table: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Look back on one day: round trips with MAE, MFE and R, close calls, breaches, and what the rules prevented.

    DAY is the last one unless you name it. It comes from the journal or from SESSION files. For a recorded day the
    review asks what it would have come to without rules; with --set or --config, under those settings instead.
    A wire recording is judged under the settings.
    """
    from replay.review.review import Review, review
    from riskcore.cli.review_text import review_text

    keep_apart()
    sessions = tuple(word for word in words if isinstance(word, Path))
    days = dict.fromkeys((*(word for word in words if isinstance(word, str)), *options.pop("days")))
    if len(days) > 1:
        raise ConfigError(f"a review is of one day; choose one of {', '.join(days)}")
    progress = Progress(quiet=quiet)
    with progress:
        found = review(
            Review(
                source_of(sessions, {**options, "days": tuple(days)}),
                accounts,
                quick,
                bars,
                f"riskcore {shlex.join(words_without_passwords(sys.argv[1:]))}",
                warn=lambda text: warn(text, quiet=quiet),
                progress=progress.session,
                step=progress.show,
            )
        )
    _write(found, page, table, quiet)
    if as_json:
        print_json(found)
    else:
        print_text(review_text(found), found["timezone"])


def _write(found: dict[str, Any], page: Path | None, table: Path | None, quiet: bool) -> None:
    """The files of a review. Raises CannotWrite."""
    from riskcore.store.export_file import write_file

    if page is not None:
        from replay.review.page import review_html

        write_file(page, review_html(found).encode())
    if table is not None:
        from replay.review.trips_csv import trips_csv

        write_file(table, trips_csv(found).encode())
    for path in (page, table):
        if path is not None and not quiet:
            say_on_stderr(f"wrote {path}")
