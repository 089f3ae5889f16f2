"""What the commands to a running engine share: their options, finding the engine, and asking it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from riskcore.cli.options import output_options, print_json, profile_file_option, store_option
from riskcore.cli.print_text import print_text

Command = TypeVar("Command", bound=Callable[..., Any])
Row = dict[str, Any]
REFUSED, UNREACHABLE = 1, 5


def desk_options(command: Command) -> Command:
    """--config, --store, --profile, --account and the output options."""
    command = output_options(command)
    for name, metavar, text in (
        ("--account", "NAME-or-ID", "Only this account. An order needs it if the profile has several."),
        ("--profile", "NAME", "Profile of the engine; needed if the journal holds several."),
    ):
        command = click.option(name, metavar=metavar, help=text)(command)
    return profile_file_option(store_option(command))


def engine_of(options: dict[str, Any]) -> tuple[str, str]:
    """The store and the profile meant. Raises ConfigError when there is no journal, or no saying which profile."""
    from riskcore.settings.config import find_file, load_settings
    from riskcore.store.location import choose_profile, existing_store

    store = existing_store(options["store"])
    path = options["config_path"] or find_file()
    configured = load_settings(path).plain["profile"]["name"] if path is not None else None
    return store, choose_profile(store, options["profile"], configured)


def alert_channels(config_path: Path | None) -> Callable[[str, int], list[str]]:
    """Who hears of alerts, by the settings that an engine would find. Raises ConfigError."""
    from riskcore.settings.config import find_file, load_settings, read_settings

    path = config_path or find_file()
    return (read_settings("") if path is None else load_settings(path)).alert_channels


def ask_engine(options: dict[str, Any], request: Row) -> Row:
    """The running engine's answer. Raises NoEngine and every RiskcoreError the engine answers with."""
    from riskcore.engine.control_client import ask

    store, profile = engine_of(options)
    told = {name: value for name, value in request.items() if value is not None}
    return ask(store, profile, told if options["account"] is None else {**told, "account": options["account"]})


def show(options: dict[str, Any], answer: Row, text: Callable[[Row], str]) -> None:
    """The answer as JSON, or as lines a trader reads."""
    if options["as_json"]:
        print_json(answer)
    else:
        print_text(text(answer), answer.get("timezone"))
