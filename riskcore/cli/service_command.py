"""`riskcore service`: start the engine and its watchdog with the system, see how they are, and take them out again."""

import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from riskcore.cli.options import (
    Family,
    address_words,
    broker_options,
    config_file_option,
    output_options,
    print_json,
    say_on_stderr,
    store_option,
    warn,
)
from riskcore.cli.print_text import print_line
from riskcore.errors import CannotWrite, ConfigError, RiskcoreError

if TYPE_CHECKING:
    from riskcore.cli.service_files import File, System

Command = TypeVar("Command", bound=Callable[..., Any])
SCHEMA = "riskcore.service/1"
PLATFORMS = ("linux", "windows", "macos")
MANAGERS = {"linux": "systemctl", "windows": "schtasks", "macos": "launchctl"}
CALL_SECONDS = 60


def host() -> "System":
    """The system this is, by the names of --platform."""
    return "windows" if sys.platform == "win32" else "macos" if sys.platform == "darwin" else "linux"


def _options(command: Command) -> Command:
    command = output_options(command)
    command = click.option(
        "--platform",
        type=click.Choice(PLATFORMS),
        default=host,
        help="The system whose files are meant. Default: the one this is; of another one nothing is started.",
    )(command)
    return config_file_option("Settings file of the profile")(store_option(command))


@click.group(cls=Family, epilog="Example: riskcore service install --dry-run")
def command() -> None:
    """Start the engine when you log in, keep it running, and have a watchdog beside it."""


@command.command(epilog="Example: riskcore service install --dry-run")
@click.option("--dry-run", is_flag=True, help="Print the files and the commands; write and start nothing.")
@click.option("--no-watchdog", is_flag=True, help="Without the second process that alerts when the engine is dead.")
@click.option("--no-start", is_flag=True, help="Write the files; start nothing now.")
@broker_options
@_options
def install(
    dry_run: bool,
    no_watchdog: bool,
    no_start: bool,
    api_url: str,
    rtc_url: str,
    config_path: Path | None,
    store: str | None,
    platform: "System",
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Write the files that start the engine at your login (systemd, Windows tasks or launchd), and start it now.

    The files are printed before they are written. They hold no secret: the login comes from the keyring (riskcore
    login). A second install replaces the first one. riskcore service uninstall takes everything out again.
    """
    place = _Place(config_path, store)
    files = place.files(platform, address_words(api_url, rtc_url), watchdog=not no_watchdog)
    if not as_json and not quiet:
        _print_files(files, platform)
    if dry_run:
        _report(as_json, "install", platform, files, False, "a dry run: nothing was written")
        return 0
    for file in files:
        _write(file)
    _warn_of_login(quiet)
    _warn_of_password(place.store, quiet)
    reason = "you asked for that" if no_start else _unreachable(platform)
    if reason is None:
        for file in files:
            for words in file.stop if platform == "macos" else ():
                _call(words, may_fail=True)
            for words in file.start:
                _call(words)
    if not quiet or as_json:
        _report(as_json, "install", platform, files, reason is None, reason)
    return 0


@command.command(epilog="Example: riskcore service uninstall")
@click.option("--dry-run", is_flag=True, help="Print what would be done; do nothing.")
@_options
def uninstall(
    dry_run: bool,
    config_path: Path | None,
    store: str | None,
    platform: "System",
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Stop what install has started, and take its files away. Journal, settings and login stay."""
    files = [one for one in _Place(config_path, store).files(platform, (), watchdog=True) if one.path.exists()]
    reason = "a dry run: nothing was done" if dry_run else _unreachable(platform)
    if reason is None:
        for file in files:
            for words in file.stop:
                _call(words, may_fail=True)
    for file in files if not dry_run else ():
        try:
            file.path.unlink(missing_ok=True)
        except OSError as error:
            raise CannotWrite(f"{file.path}: cannot be taken away: {error.strerror or error}") from None
    if reason is None and platform == "linux":
        _call(("systemctl", "--user", "daemon-reload"), may_fail=True)
    if as_json:
        _report(True, "uninstall", platform, files, False, reason)
    elif not quiet:
        for file in files:
            print_line(f"{'would be removed' if dry_run else 'removed'}: {file.path}")
        if not files:
            print_line("nothing is installed for this profile")
        elif reason is not None and not dry_run:
            print_line(f"nothing was stopped: {reason}")
    return 0


@command.command(epilog="Example: riskcore service status --json")
@_options
def status(
    config_path: Path | None,
    store: str | None,
    platform: "System",
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Show what is installed, what the system says of it, and whether the engine gives signs of life."""
    from adapters.alerts.watchdog import Watched

    place = _Place(config_path, store)
    files = place.files(platform, (), watchdog=True)
    installed = [file for file in files if file.path.exists()]
    reason = _unreachable(platform)
    watched = Watched(place.store, place.profile, 5, 30)
    verdict = watched.look(watched.watch())
    engine = verdict.text
    if verdict.state == "well" and not watched.is_fresh(verdict.beat):
        engine = "an engine holds the journal, and its last sign of life is old; riskcore watchdog --once judges it"
    said = {file.path.stem: _state(platform, file) for file in installed} if reason is None else {}
    if as_json:
        row = {"schema": SCHEMA, "platform": platform, "installed": [str(file.path) for file in installed]}
        print_json({**row, "system": said, "not_asked_because": reason, "engine": engine})
        return
    for file in installed:
        print_line(f"{file.path.stem}: {said.get(file.path.stem, 'installed')}  {file.path}")
    if not installed:
        print_line("not installed; riskcore service install does it")
    elif reason is not None:
        print_line(f"the system was not asked: {reason}")
    print_line(engine)


@command.command(epilog="Example: riskcore service logs --lines 100")
@click.option(
    "--lines", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many, the last ones."
)
@_options
def logs(
    lines: int,
    config_path: Path | None,
    store: str | None,
    platform: "System",
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Print the end of the log that the engine keeps when the system has started it."""
    path = _Place(config_path, store).log
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            last = [line.rstrip("\n") for line in deque(file, lines)]
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no log; the engine was never started as a service") from None
    if as_json:
        print_json({"schema": SCHEMA, "log": str(path), "lines": last})
    else:
        for line in last:
            click.echo(line)


class _Place:
    """What a service is about: settings, store, profile, log; all by absolute paths. Raises ConfigError."""

    def __init__(self, config_path: Path | None, store: str | None) -> None:
        from riskcore.settings.config import find_file, load_settings
        from riskcore.store.location import FILE_NAME, user_data_folder
        from riskcore.store.server_url import came_with_password

        found = config_path or find_file()
        if found is None:
            raise ConfigError("no settings file: riskcore setup makes one, or riskcore config init; or name one")
        self.config = found.resolve()
        self.profile = str(load_settings(self.config).plain["profile"]["name"])
        self.store = store or str(user_data_folder() / FILE_NAME)
        if "://" not in self.store:
            self.store = str(Path(self.store).resolve())
        elif came_with_password(self.store):
            raise ConfigError(
                "the URL of the store holds a password, and a service file must not: give the store without it"
                " (PostgreSQL reads ~/.pgpass by itself)"
            )
        self.name = f"riskcore-{self.profile}"
        self.log = user_data_folder() / "logs" / f"{self.name}.log"

    def files(self, system: "System", addresses: tuple[str, ...], *, watchdog: bool) -> "list[File]":
        from riskcore.cli.service_files import Job, file_of

        place = ("--config", str(self.config), "--store", self.store)
        live = (*_python(), "live", *place, "--no-screen", "--log", str(self.log), *addresses)
        jobs = [Job(self.name, f"riskcore: limits of profile {self.profile}", live, self.config.parent, notifies=True)]
        if watchdog:
            watch = (*_python(), "watchdog", "--quiet", *place)
            about = f"riskcore: watchdog of profile {self.profile}"
            jobs.append(Job(f"{self.name}-watchdog", about, watch, self.config.parent))
        home = _home(system)
        return [file_of(system, job, home) for job in jobs]


def _python() -> tuple[str, ...]:
    """How this very installation is started; on Windows without a window."""
    program = Path(sys.executable)
    unseen = program.with_name("pythonw.exe")
    return (str(unseen if program.name.lower() == "python.exe" and unseen.exists() else program), "-m", "riskcore")


def _home(system: "System") -> "Any":
    from getpass import getuser

    from riskcore.cli.service_files import Home
    from riskcore.store.location import user_data_folder

    if system == "windows":
        domain, user = os.environ.get("USERDOMAIN", ""), os.environ.get("USERNAME") or getuser()
        return Home(user_data_folder() / "service", f"{domain}\\{user}" if domain else user)
    if system == "macos":
        return Home(Path.home() / "Library" / "LaunchAgents", getuser(), os.getuid() if hasattr(os, "getuid") else 0)
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    return Home(folder, getuser())


def _write(file: "File") -> None:
    try:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        draft = file.path.with_name(f"{file.path.name}.new")
        draft.write_bytes(file.content)
        draft.replace(file.path)
    except OSError as error:
        raise CannotWrite(f"{file.path}: cannot be written: {error.strerror or error}") from None


def _print_files(files: "Sequence[File]", system: "System") -> None:
    from riskcore.cli.service_files import shown, shown_words

    for file in files:
        click.echo(shown(file, system))
    click.echo("# and then")
    for file in files:
        for words in file.start:
            click.echo(shown_words(words, system))
    click.echo("")


def _report(
    as_json: bool, what: str, system: "System", files: "Sequence[File]", started: bool, reason: str | None
) -> None:
    from riskcore.cli.service_files import shown_words

    if as_json:
        rows = [
            {
                "path": str(file.path),
                "content": file.content.decode("utf-16" if system == "windows" else "utf-8"),
                "start": [list(words) for words in file.start],
                "stop": [list(words) for words in file.stop],
            }
            for file in files
        ]
        row = {"schema": SCHEMA, "did": what, "platform": system, "files": rows, "started": started}
        print_json({**row, "not_started_because": None if started else reason})
    elif started:
        print_line("started, and again at each login; riskcore service status shows how it is")
    else:
        print_line(f"not started: {reason}")
        if reason is not None and not reason.startswith("a dry run"):
            print_line("start it yourself with:")
            for file in files:
                for words in file.start:
                    click.echo(f"  {shown_words(words, system)}")


def _warn_of_password(store: str, quiet: bool) -> None:
    from riskcore.store.server_url import is_only_in_environment, is_server

    if is_server(store) and is_only_in_environment(store):
        warn(
            "the service does not see PGPASSWORD: put the password of the store into ~/.pgpass, or into the keyring"
            f' with keyring set riskcore "{store}"',
            quiet=quiet,
        )


def _warn_of_login(quiet: bool) -> None:
    """A service has nobody to ask, and not the environment of this terminal."""
    from adapters.topstepx.credentials import find_credentials
    from riskcore.errors import LoginRefused

    try:
        find_credentials({}, None)
    except LoginRefused:
        warn("the keyring holds no login, and a service cannot ask for one: riskcore login keeps it", quiet=quiet)


def _unreachable(system: "System") -> str | None:
    """Why the system's manager cannot be asked; None when it can."""
    manager = MANAGERS[system]
    if system != host():
        return f"this is not {system}"
    if shutil.which(manager) is None:
        return f"{manager} is not there"
    if system == "linux":
        answer = _answer(("systemctl", "--user", "show-environment"))
        if answer.returncode:
            return f"systemctl is there, but systemd does not run for this user ({_first_line(answer.stderr)})"
    return None


def _state(system: "System", file: "File") -> str:
    name = file.path.stem
    if system == "linux":
        return _answer(("systemctl", "--user", "is-active", file.path.name)).stdout.strip() or "unknown"
    if system == "windows":
        answer = _answer(("schtasks", "/Query", "/TN", f"riskcore\\{name}", "/FO", "CSV", "/NH"))
        return answer.stdout.strip().rpartition(",")[2].strip('"') or "unknown"
    return "loaded" if not _answer(("launchctl", "print", file.stop[0][-1])).returncode else "not loaded"


def _call(words: tuple[str, ...], *, may_fail: bool = False) -> None:
    answer = _answer(words)
    if answer.returncode and not may_fail:
        raise RiskcoreError(f"{' '.join(words)} failed: {_first_line(answer.stderr) or 'it does not say why'}")
    if answer.returncode == 0 and answer.stderr.strip():
        say_on_stderr(_first_line(answer.stderr))


def _answer(words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=CALL_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return subprocess.CompletedProcess(words, 1, "", str(error))


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
