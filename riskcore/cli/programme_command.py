"""`riskcore programme`: the firm's figures with their sources, where each account stands, and what only you know."""

import time
from datetime import date
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import (
    Family,
    account_option,
    config_options,
    output_options,
    print_json,
    profile_file_option,
    store_option,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.programme_operator import add_to
from riskcore.errors import ConfigError

Row = dict[str, Any]


@click.group(cls=Family, epilog="Example: riskcore programme show")
def command() -> None:
    """The firm's programme: its figures and their sources, where each account stands, and what only you know."""


add_to(command)


@command.command(epilog="Example: riskcore programme show --json")
@config_options
@output_options
def show(config_path: Path | None, sets: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Print every figure in force for the accounts of the profile, with article, page date and the readings chosen."""
    from riskcore.cli.programme_text import show_text
    from riskcore.settings.config import load_settings
    from riskcore.settings.programme_figures import age_warning

    settings = load_settings(config_path, sets)
    for text in [*settings.warnings, *filter(None, [age_warning(date.today())])]:
        warn(text, quiet=quiet)
    result = _in_force(settings.plain)
    if as_json:
        print_json(result)
    else:
        print_text(show_text(result))


def _in_force(plain: Row) -> Row:
    from riskcore.settings.programme import programmes_of
    from riskcore.settings.programme_figures import age_days, cpi_releases, shipped

    return {
        "schema": "riskcore.programme/1",
        "version": shipped().version,
        "age_days": age_days(date.today()),
        "cpi_releases": list(cpi_releases()),
        "programmes": [_programme(account, programme) for account, programme in programmes_of(plain)],
    }


def _programme(account: str | None, programme: Row) -> Row:
    from riskcore.settings.programme_terms import figures_of

    terms = programme["terms"]
    return {
        "account": account,  # None: every account that has no programme of its own.
        **{name: terms[name] for name in ("stage", "product", "size")},
        "enforce": list(programme["enforce"]),
        "readings": terms["readings"],
        "figures": [row.row() for row in figures_of(programme)],
    }


@command.command(epilog="Example: riskcore programme status --account 50KTC-V2-99000001")
@profile_file_option
@store_option
@click.option("--profile", metavar="NAME", help="Profile to show; needed if the journal holds several.")
@account_option
@output_options
def status(
    config_path: Path | None,
    store: str | None,
    profile: str | None,
    accounts: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Show where each account stands: floor, room, target, best day, size caps, payout and the time left today.

    Values are those of the last event stored; countdowns run to now. This does not disturb the engine.
    """
    from riskcore.audit.following import Follower, chosen_accounts, open_journal
    from riskcore.audit.programme_status import programme_status
    from riskcore.cli.programme_text import status_text

    with open_journal(store, profile, config_path) as (journal, _):
        follower = Follower(journal)
        follower.catch_up()
        chosen = chosen_accounts(follower, accounts)
        result = programme_status(follower.book, follower.rulebook, chosen, time.time_ns())
    if as_json:
        print_json(result)
    else:
        print_text(status_text(result), result["timezone"])


@command.command(epilog="Example: riskcore programme diff 2026-09-01 2026-10-10")
@click.argument("first", metavar="DATE")
@click.argument("second", metavar="DATE")
@config_options
@output_options
def diff(
    first: str,
    second: str,
    config_path: Path | None,
    sets: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Print the figures that changed between two dates or versions, as far as the day of a change is known."""
    from riskcore.cli.programme_text import diff_text
    from riskcore.settings.config import load_settings

    before, after = sorted((_date(first), _date(second)))
    programme = load_settings(config_path, sets).plain["programme"]
    result = _changes(before, after, programme["readings"] if programme is not None else {})
    if as_json:
        print_json(result)
    else:
        print_text(diff_text(result))


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ConfigError(f"{text[:40]!r} is not a date; write it like 2026-10-10") from None


def _changes(before: str, after: str, readings: Row) -> Row:
    from riskcore.settings.programme_figures import DEFAULT_READINGS, Figures, by_key, shipped

    figures = Figures({**DEFAULT_READINGS, **readings})
    changes = []
    for key in by_key():
        old, new = figures.find(key, before), figures.find(key, after)
        if old != new:
            changes.append(
                {"key": key, "old": None if old is None else old.row(), "new": None if new is None else new.row()}
            )
    pages = {(row.article, row.page) for row in shipped().rows if row.page is not None and before < row.page <= after}
    return {
        "schema": "riskcore.programme-diff/1",
        "version": shipped().version,
        "from": before,
        "to": after,
        "changes": changes,
        # Pages that changed in between; whether a figure on them did is not known.
        "pages": [{"article": article, "page": page} for article, page in sorted(pages, key=lambda one: str(one[1]))],
    }
