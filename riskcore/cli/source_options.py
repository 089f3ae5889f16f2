"""What export, verify, audit and why read: session files given as arguments, else the journal."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from riskcore.cli.options import config_options, store_option
from riskcore.errors import ConfigError

if TYPE_CHECKING:
    from replay.source import Source

Command = TypeVar("Command", bound=Callable[..., Any])
DATE_FORMAT = "%Y-%m-%d"


def source_options(command: Command) -> Command:
    """SESSION files and the options that choose among journals, profiles and days; pass them on to `source_of`."""
    for name, parameter, text in (
        ("--strict", "strict", "Treat a file that was cut off as an error."),
        ("--skip-bad-lines", "skip_bad_lines", "Record unreadable lines as rejected input and continue."),
    ):
        command = click.option(name, parameter, is_flag=True, help=text)(command)
    command = day_option(command)
    command = click.option("--profile", metavar="NAME", help="Profile to read; needed if the journal holds several.")(
        command
    )
    return store_option(config_options(command))


def day_option(command: Command) -> Command:
    """--day YYYY-MM-DD, repeatable, passed as days."""
    return click.option(
        "--day",
        "days",
        multiple=True,
        metavar="YYYY-MM-DD",
        callback=_dates,
        help="Only this trading day. Repeatable.",
    )(command)


def _dates(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(trade_date(value) for value in values)


def trade_date(text: str) -> str:
    """A trading day as it was typed. Raises click.BadParameter for what is no date."""
    try:
        click.DateTime([DATE_FORMAT]).convert(text, None, None)
    except click.BadParameter:
        raise click.BadParameter(f"{text!r} is not a date; write it as YYYY-MM-DD") from None
    return text


def source_of(sessions: tuple[Path, ...], options: dict[str, Any]) -> "Source":
    """What the options of `source_options` ask for. Raises ConfigError for two sources at once."""
    from replay.source import Source

    if sessions and typed("store"):
        raise ConfigError("give SESSION files or --store, not both")
    if sessions and options["profile"] is not None:
        raise ConfigError("--profile chooses a profile of the journal; leave it out with SESSION files")
    return Source(sessions, config_given=typed("config_path"), **options)


def typed(parameter: str) -> bool:
    """Whether an option stands on the command line; a variable of the environment is only a default."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is click.core.ParameterSource.COMMANDLINE
