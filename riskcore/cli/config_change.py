"""`riskcore config try` and `config set`: a change of settings, tried on the journal before it is written."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeVar

import click

from riskcore.cli.options import (
    account_option,
    config_file_option,
    output_options,
    print_json,
    say_on_stderr,
    store_option,
    warn,
)
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress
from riskcore.cli.whatif_text import signed
from riskcore.errors import CannotWrite, ConfigError
from riskcore.settings.config import FILE_NAME, LARGEST_FILE, find_file, read_settings

Command = TypeVar("Command", bound=Callable[..., Any])
EXAMPLE = "rules.daily_realized_loss.loss_limit=400"


def _options(command: Command) -> Command:
    command = output_options(command)
    command = click.option("--quick", is_flag=True, help="No range: one course only, and faster.")(command)
    command = click.option(
        "--days",
        type=click.IntRange(1, 1000),
        default=60,
        show_default=True,
        help="How many of the journal's last trading days.",
    )(command)
    command = click.option("--profile", metavar="NAME", help="Profile to read; needed if the journal holds several.")(
        command
    )
    command = account_option(store_option(config_file_option("Settings file")(command)))
    return click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE...")(command)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of both commands ask for."""

    assignments: tuple[str, ...]
    config_path: Path | None
    store: str | None
    accounts: tuple[str, ...]
    profile: str | None
    days: int
    quick: bool

    def can_be_tried(self) -> bool:
        """Whether there is a journal, or one was named: then what is wrong with it is said."""
        from riskcore.store.location import FILE_NAME as STORE_NAME
        from riskcore.store.location import user_data_folder

        return self.store is not None or (user_data_folder() / STORE_NAME).is_file()

    def tried(self, *, quiet: bool) -> dict[str, Any]:
        """The change on the journal's own days. Raises ConfigError, InputError, StoreError, CannotWrite."""
        from replay.whatif.trial import Journal, trial

        with Progress(quiet=quiet) as progress:
            return trial(
                Journal(self.store, self.profile, self.config_path),
                self.assignments,
                days=self.days,
                accounts=self.accounts,
                quick=self.quick,
                warn=lambda text: warn(text, quiet=quiet),
                progress=progress.session,
                step=progress.show,
            )


@click.command("try", epilog=f"Example: riskcore config try {EXAMPLE}")
@_options
def try_command(as_json: bool, quiet: bool, verbose: bool, assignments: tuple[str, ...], **options: Any) -> None:
    """Show what a change of settings would have made of the journal's last days. Nothing is written.

    Each day is judged by the settings it was recorded under, and by those with KEY=VALUE in their place.
    """
    wanted = Wanted(assignments, **options)
    _check(wanted)
    found = wanted.tried(quiet=quiet)
    if as_json:
        print_json({"schema": "riskcore.config-try/1", **found})
    else:
        print_text(trial_text(found, assignments))


@click.command("set", epilog=f"Example: riskcore config set {EXAMPLE}")
@click.option("--yes", is_flag=True, help="Write without asking, as scripts need.")
@click.option("--untried", is_flag=True, help="Do not try the change on the journal first.")
@_options
def set_command(
    yes: bool,
    untried: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    assignments: tuple[str, ...],
    **options: Any,
) -> None:
    """Change settings in riskcore.toml; comments stay. First shows the change on the journal's last days.

    A running engine sees the change within seconds: what tightens counts at once, what loosens as loosen_policy says.
    """
    wanted = Wanted(assignments, **options)
    path = wanted.config_path or find_file()
    if path is None:
        raise ConfigError(f"no {FILE_NAME} found; write one with: riskcore config init")
    text = _text_of(path)
    changed = _changed(text, wanted, str(path))
    if changed == text:
        _report(as_json, quiet, path, None, None, f"{path}: has these settings already; nothing was written")
        return
    if not yes and not sys.stdin.isatty():
        raise ConfigError("nobody can be asked here; --yes writes without asking")
    if not untried and not wanted.can_be_tried():
        warn("there is no journal yet, so the change is not tried on anything first", quiet=quiet)
        untried = True
    found = None if untried else wanted.tried(quiet=quiet)
    if found is not None and not as_json:
        print_text(trial_text(found, assignments))
    if not yes and not click.confirm(f"Write this to {path}?", err=True):
        _report(as_json, quiet, path, found, None, "nothing was written")
        return
    _write(path, text, changed)
    _report(as_json, quiet, path, found, path, f"wrote {path}")


def _report(
    as_json: bool, quiet: bool, path: Path, found: dict[str, Any] | None, written: Path | None, text: str
) -> None:
    if as_json:
        row = {"file": str(path), "written": written is not None, "tried": found}
        print_json({"schema": "riskcore.config-set/1", **row})
    elif not quiet:
        say_on_stderr(text)


def _check(wanted: Wanted) -> None:
    """Whether the change would load over the settings file in force. Raises ConfigError."""
    path = wanted.config_path or find_file()
    text = "" if path is None else _text_of(path)
    _changed(text, wanted, str(path or FILE_NAME))


def _changed(text: str, wanted: Wanted, source: str) -> str:
    """The text of the file with the change. Raises ConfigError; the change is no `--set` here."""
    from riskcore.settings.edit import edited

    read_settings(text, (), source)
    try:
        return edited(text, wanted.assignments, source)
    except ConfigError as error:
        raise ConfigError(str(error).replace("--set ", "")) from None


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > LARGEST_FILE:
            raise ConfigError(f"{path}: is larger than {LARGEST_FILE} bytes, so it is no settings file")
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from None


def _write(path: Path, before: str, text: str) -> None:
    """Put the new file in the place of the old one at once. Raises ConfigError, CannotWrite."""
    if _text_of(path) != before:
        raise ConfigError(f"{path}: was changed meanwhile; nothing was written, try again")
    # Where the file is a link, what it points to is written.
    place = path.resolve()
    unfinished: str | None = None
    try:
        with NamedTemporaryFile("wb", dir=place.parent, prefix=".riskcore", delete=False) as file:
            unfinished = file.name
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(unfinished, place.stat().st_mode & 0o7777)
        os.replace(unfinished, place)  # Windows replaces nothing by a file that is open.
        unfinished = None
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        if unfinished is not None:
            with suppress(OSError):
                os.unlink(unfinished)


def trial_text(found: dict[str, Any], assignments: tuple[str, ...]) -> str:
    """A trial as a person reads it: the change, the verdict with its range, and each day that it changes."""
    days, effect = found["days"], found["effect"]
    span = days["first"] if days["first"] == days["last"] else f"{days['first']} to {days['last']}"
    lines = [f"Tried on {days['count']} {'day' if days['count'] == 1 else 'days'} of the journal, {span}:"]
    lines += _changes(found["changes"], assignments)
    lines += ["", found["verdict"]]
    lines.append(f"Exact, given the policy: {signed(effect['exact'])}. Simulated: {signed(effect['simulated'])}.")
    if effect["open_pnl"]["baseline"] != effect["open_pnl"]["counterfactual"]:
        now, then = (signed(effect["open_pnl"][name]) for name in ("baseline", "counterfactual"))
        lines.append(f"Still open at the end: {now} as recorded, {then} with the change.")
    changed = [row for row in found["by_day"] if row["net_pnl"] != "0"]
    if changed:
        lines.append("")
    for row in changed:
        notes = "; ".join(row["flags"])
        recorded, then = signed(row["baseline"]), signed(row["counterfactual"])
        cells = f"  {row['trade_date']}  {row['account']}  {recorded:>11} -> {then:>11}  {signed(row['net_pnl']):>11}"
        lines.append(f"{cells}  {notes}".rstrip())
    return "\n".join(lines)


def _changes(changes: list[dict[str, Any]], assignments: tuple[str, ...]) -> list[str]:
    """Each setting that changes; of a rule that is switched on only what was asked for, the rest are its defaults."""
    if not changes:
        return ["  these days were judged by these settings already"]
    asked = {one.partition("=")[0].strip() for one in assignments}
    lines, rest = [], 0
    for row in changes:
        if row["baseline"] is None and row["key"] not in asked:
            rest += 1
        else:
            lines.append(f"  {row['key']}: {_value(row['baseline'])} -> {_value(row['counterfactual'])}")
    return [*lines, f"  and {rest} defaults of what is new"] if rest else lines


def _value(value: Any) -> str:
    return "off" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
