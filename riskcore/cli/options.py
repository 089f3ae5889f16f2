"""Options that mean the same in every command (INTERFACE.md 1), and the few ways commands print."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from riskcore.cli.progress import shown_progress
from riskcore.store.server_url import without_password

Command = TypeVar("Command", bound=Callable[..., Any])
_WHOLE = 1_000  # More letters than a first sentence has.
API_URL, RTC_URL = "https://api.topstepx.com", "https://rtc.topstepx.com"  # The broker's, INTERFACE.md 2.


class Family(click.Group):
    """Commands under one name; their list shows the first sentence of each whole."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        told = [(name, self.commands[name].get_short_help_str(_WHOLE)) for name in self.list_commands(context)]
        with formatter.section("Commands"):
            formatter.write_dl(told)


def config_file_option(text: str) -> Callable[[Command], Command]:
    """--config FILE, passed as config_path; `text` says what the file is for."""
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="RISKCORE_CONFIG",
        help=f"{text}. Default: riskcore.toml here, then in the user's config folder.",
    )


# Of the commands that only need to know whose journal is meant.
profile_file_option = config_file_option("Settings file that names the profile")


def config_options(command: Command) -> Command:
    """--config FILE and --set KEY=VALUE, passed as config_path and sets."""
    command = click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change one setting, e.g. rules.daily_realized_loss.loss_limit=400. Repeatable.",
    )(command)
    return config_file_option("Settings file")(command)


def config_given() -> bool:
    """Whether --config was typed; RISKCORE_CONFIG alone does not touch a journal export."""
    source = click.get_current_context().get_parameter_source("config_path")
    return source is click.core.ParameterSource.COMMANDLINE


class Store(click.ParamType[str]):
    """A path or a URL. A password in a URL goes no further than here: no message, log or file can show it."""

    name = "PATH-or-URL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return without_password(str(value))


def store_option(command: Command) -> Command:
    """--store PATH-or-URL, passed as store; None means the default store."""
    return click.option(
        "--store",
        type=Store(),
        envvar="RISKCORE_STORE",
        metavar="PATH-or-URL",
        help="Journal to use: a file, or postgresql://… on a server. Default: a file in the user's data folder.",
    )(command)


def rest_option(command: Command) -> Command:
    """--api-url alone, passed as api_url, of commands that need no hub."""
    return click.option("--api-url", envvar="RISKCORE_API_URL", default=API_URL, help="Base URL of the REST API.")(
        command
    )


def broker_options(command: Command) -> Command:
    """--api-url and --rtc-url, passed as api_url and rtc_url (INTERFACE.md 2)."""
    return rest_option(
        click.option("--rtc-url", envvar="RISKCORE_RTC_URL", default=RTC_URL, help="Base URL of the hubs.")(command)
    )


def address_words(api_url: str, rtc_url: str) -> tuple[str, ...]:
    """The addresses as words of a command line; the broker's own need none."""
    given = (("--api-url", api_url, API_URL), ("--rtc-url", rtc_url, RTC_URL))
    return tuple(word for name, url, usual in given if url != usual for word in (name, url))


def account_option(command: Command) -> Command:
    """--account NAME-or-ID, repeatable, passed as the tuple accounts; empty means all."""
    return click.option(
        "--account", "accounts", multiple=True, metavar="NAME-or-ID", help="Only this account. Repeatable."
    )(command)


def reading_options(command: Command) -> Command:
    """--skip-bad-lines and --strict, of the commands that read session files."""
    for name, text in (
        ("--strict", "A file that was cut off is an error (exit 3)."),
        ("--skip-bad-lines", "Record unreadable lines as rejected input and go on."),
    ):
        command = click.option(name, is_flag=True, help=text)(command)
    return command


def course_options(command: Command) -> Command:
    """--policy, --latency-ms and --slippage-ticks: how a counterfactual is worked out (WHATIF.md 2 and 4)."""
    command = click.option(
        "--slippage-ticks", type=int, default=2, show_default=True, help="How much worse than quoted a close fills."
    )(command)
    command = click.option(
        "--latency-ms", type=int, default=250, show_default=True, help="From a decision to the broker's answer."
    )(command)
    return click.option(
        "--policy",
        default="follow",
        show_default=True,
        metavar="follow|freeze|stop",
        help="What the trader does after an action.",
    )(command)


baseline_option = click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The settings that acted while a wire recording was made. Without it nothing did.",
)
bars_option = click.option(
    "--bars",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE-or-DIR",
    help="History bars that mark and price what the recording has no quotes for. Repeatable.",
)


def output_options(command: Command) -> Command:
    """--json, --quiet and --verbose, passed as as_json, quiet and verbose."""
    return output_options_saying("Print the result as JSON.", "Print only the result and errors.")(command)


def output_options_saying(as_json: str, quiet: str) -> Callable[[Command], Command]:
    """The same of a command that prints lines as things happen; the texts say what the first two do there."""

    def add(command: Command) -> Command:
        for name, parameter, text in (
            ("--verbose", "verbose", "Print the traceback of an internal error."),
            ("--quiet", "quiet", quiet),
            ("--json", "as_json", as_json),
        ):
            command = click.option(name, parameter, is_flag=True, help=text)(command)
        return command

    return add


def print_json(value: Any) -> None:
    """One JSON document on stdout, the same bytes on every machine."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def warn(text: str, *, quiet: bool = False) -> None:
    """A warning on stderr."""
    if not quiet:
        say_on_stderr(f"warning: {text}")


def say_on_stderr(text: str) -> None:
    """Text on stderr; control characters inside values cannot break the lines of a message."""
    line = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    progress = shown_progress()
    if progress is None:
        click.echo(line, err=True)
    else:
        progress.print_above(line)
