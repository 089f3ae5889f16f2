"""`riskcore import`: session files out of the broker's trade history (INTERFACE.md 8)."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import account_option, config_options, output_options, print_json, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.errors import ConfigError

_PATH = click.Path(path_type=Path)


@click.command(
    name="import",
    epilog="Example: riskcore import trade_search.json order_search.json --bars bars/ --out days/",
)
@click.argument("files", nargs=-1, required=True, type=_PATH, metavar="FILE...")
@click.option(
    "--bars", multiple=True, type=_PATH, metavar="FILE-or-DIR", help="Bars of History/retrieveBars. Repeatable."
)
@click.option("--quotes", multiple=True, type=_PATH, metavar="FILE.parquet", help="Best bid and offer. Repeatable.")
@click.option("--contracts", multiple=True, type=_PATH, metavar="FILE", help="Contract/search answer. Repeatable.")
@click.option(
    "--out",
    type=_PATH,
    default=Path(),
    metavar="DIR",
    help="Folder for the recordings. Default: the working directory.",
)
@click.option(
    "--dates",
    type=click.Choice(("month-first", "day-first")),
    help="Order of dates with slashes in a CSV export. Default: as the file shows, else month-first, which is said.",
)
@config_options
@account_option
@output_options
def command(
    files: tuple[Path, ...],
    bars: tuple[Path, ...],
    quotes: tuple[Path, ...],
    contracts: tuple[Path, ...],
    out: Path,
    dates: str | None,
    config_path: Path | None,
    sets: tuple[str, ...],
    accounts: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Write one wire recording per trading day, and check every P&L against the prices.

    FILE is a Trade/search or Order/search response or the platform's CSV trade export, told apart by what is
    in it; several may overlap, in any order. The export may be separated by commas, semicolons or tabs, and names no
    account: --account says whose it is. Bars and quotes name their contract in the file or folder name
    (CON.F.US.MNQ.U26). Exit code 1 when a P&L recomputed from prices differs from the broker's own, when two rows of
    one id differ, and when no closing fill could be checked.
    """
    from replay.imports.importer import run_import
    from riskcore.cli.import_text import result_text
    from riskcore.settings.config import load_settings

    settings = load_settings(config_path, sets)
    with Progress(quiet=quiet) as progress:
        result = run_import(
            files,
            settings.plain,
            bars=bars,
            quotes=quotes,
            contracts=contracts,
            out=out,
            accounts=_ids(accounts),
            dates=dates,
            warn=lambda text: warn(text, quiet=quiet),
            progress=progress.show,
        )
    if as_json:
        print_json(result)
    else:
        print_text(result_text(result))
    return exit_code(result)


def _ids(accounts: tuple[str, ...]) -> tuple[int, ...]:
    """The broker's files name accounts by id only. Raises ConfigError."""
    wrong = [text for text in accounts if not text.isascii() or not text.isdigit() or int(text) == 0]
    if wrong:
        raise ConfigError(f"--account {wrong[0][:40]!r}: a history knows accounts by their id, a number above zero")
    return tuple(int(text) for text in accounts)


def exit_code(result: dict[str, Any]) -> int:
    """1 when P&L or rows differ, and when no closing fill could be checked."""
    unchecked = result["closing_fills"] > 0 and result["checked"] == 0
    return 1 if unchecked or differs(result) else 0


def differs(result: dict[str, Any]) -> bool:
    """Whether P&L or rows contradict one another."""
    contradictions = any(account["contradictions"] for day in result["days"] for account in day["accounts"])
    return bool(result["differences"] or result["conflicts"] or contradictions)
