"""`riskcore config`: check the settings, show those in force, change them, or write a first file."""

from pathlib import Path
from typing import Any

import click

from riskcore.cli.config_change import set_command, try_command
from riskcore.cli.options import Family, config_options, output_options, print_json, say_on_stderr, warn
from riskcore.cli.print_text import print_text
from riskcore.errors import CannotWrite, ConfigError
from riskcore.settings.config import FILE_NAME, Settings, load_settings
from riskcore.settings.presets import PRESETS, preset_text
from riskcore.settings.programme import programmes_of
from riskcore.settings.programme_lint import programme_notes
from riskcore.settings.toml_text import settings_toml


@click.group(cls=Family, epilog="Example: riskcore config check")
def command() -> None:
    """Check the settings, show those in force, change them, or write a first file."""


command.add_command(try_command)
command.add_command(set_command)


@command.command(epilog="Example: riskcore config check riskcore.toml")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@config_options
@output_options
def check(
    file: Path | None, config_path: Path | None, sets: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool
) -> None:
    """Read the settings and report what is wrong or unusual. Exit code 2 if they cannot be used."""
    if file is not None and config_path is not None:
        raise ConfigError("give the file as FILE or with --config, not both")
    settings = load_settings(file or config_path, sets)
    notes = programme_notes(settings.plain)
    if as_json:
        row = {"schema": "riskcore.config-check/1", "source": settings.source, "warnings": settings.warnings}
        print_json(row | {"notes": notes})
        return
    for text in settings.warnings:
        warn(text, quiet=quiet)
    if not quiet:
        for text in notes:
            say_on_stderr(f"note: {text}")
        print_text(f"{settings.source}: {_summary(settings)}")


def _summary(settings: Settings) -> str:
    tables = [plain for instances in settings.plain["rules"].values() for plain in instances]
    active = sum(plain["enabled"] for plain in tables)
    programmes, groups = len(programmes_of(settings.plain)), len(settings.plain.get("groups", ()))
    further = [_counted(programmes, "programme")] if programmes else []
    further += [_counted(groups, "group")] if groups else []
    switched_on = ", ".join([_counted(active, "rule"), *further])
    return f"valid; {switched_on} switched on, {_counted(len(settings.warnings), 'warning')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@command.command(epilog="Example: riskcore config show --set rules.max_contracts.limit=2")
@config_options
@output_options
def show(config_path: Path | None, sets: tuple[str, ...], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Print the settings in force, every default written out, as TOML (or --json: amounts as strings)."""
    settings = load_settings(config_path, sets)
    for text in settings.warnings:
        warn(text, quiet=quiet)
    text = settings_toml(settings.plain, settings.keep_payloads, settings.api)
    if as_json:
        print_json({"schema": "riskcore.config/1", "source": settings.source, "settings": _as_written(text)})
    else:
        click.echo(text, nl=False)


def _as_written(text: str) -> dict[str, Any]:
    """The same settings as JSON: a whole number stays a number, an amount is text."""
    import tomllib

    return tomllib.loads(text)


@command.command(epilog="Example: riskcore config init --preset combine-50k")
@click.option(
    "--preset",
    type=click.Choice(PRESETS),
    metavar="NAME",
    help=f"Values for this account or this way to trade: {', '.join(PRESETS)}.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write this file. Default: riskcore.toml here.",
)
@output_options
def init(preset: str | None, force: bool, out: Path | None, as_json: bool, quiet: bool, verbose: bool) -> None:
    """Write a commented riskcore.toml with usual values, or those of a preset, to the working directory."""
    from importlib.resources import files

    path = out or Path(FILE_NAME)
    starter = files("riskcore").joinpath("starter.toml")
    text = starter.read_text(encoding="utf-8") if preset is None else preset_text(preset)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} already exists; --force overwrites it") from None
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from None
    if as_json:
        print_json({"schema": "riskcore.config-init/1", "written": str(path)})
    elif not quiet:
        click.echo(f"wrote {path}")
        say_on_stderr("next: edit it, then riskcore config check")
