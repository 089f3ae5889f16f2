"""`riskcore setup`: from nothing to `riskcore live --dry-run`, by calling the other commands one after another."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from riskcore.cli.options import RTC_URL, address_words, broker_options, config_file_option, store_option
from riskcore.cli.print_text import print_line
from riskcore.errors import ConfigError

STEPS = ("settings", "login", "accounts", "doctor", "service", "live")
SKIPPED = -1
ALL = "all"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the options say; `asks`: whether a person is there for the rest. `place` and addresses: as words."""

    path: Path
    place: tuple[str, ...]
    addresses: tuple[str, ...]
    rest_address: tuple[str, ...]
    preset: str | None
    accounts: tuple[str, ...]
    service: bool
    start: bool
    asks: bool


@click.command(epilog="Example: riskcore setup")
@click.option("--preset", metavar="NAME", help="Settings to begin with, as riskcore config init --preset takes them.")
@click.option("--account", "accounts", multiple=True, metavar="NAME-or-ID", help="Guard this account. Repeatable.")
@click.option("--service/--no-service", default=None, help="Start the engine with the system, or do not ask about it.")
@click.option("--start/--no-start", default=None, help="End with riskcore live --dry-run, or do not ask about it.")
@click.option("--skip", "skipped", multiple=True, type=click.Choice(STEPS), help="Leave a step out. Repeatable.")
@click.option("--yes", is_flag=True, help="Ask nothing: what no option says stays at its default.")
@broker_options
@config_file_option("Settings file to make or to use")
@store_option
def command(
    preset: str | None,
    accounts: tuple[str, ...],
    service: bool | None,
    start: bool | None,
    skipped: tuple[str, ...],
    yes: bool,
    api_url: str,
    rtc_url: str,
    config_path: Path | None,
    store: str | None,
) -> int:
    """Walk through a first start: settings, login, accounts, checks, service, dry run.

    Each step calls the command of that name and can be skipped. What is done stays: after Ctrl-C or an error, run it
    again. Without a terminal nothing is asked; the login then comes from the keyring, the environment or the standard
    input, and neither the service nor the dry run begins unless you say --service or --start.
    """
    from riskcore.live.run import interactive
    from riskcore.settings.config import FILE_NAME, find_file, user_config_folder

    asks = interactive() and not yes
    path = config_path or find_file() or user_config_folder() / FILE_NAME
    answers = Answers(
        path.absolute(),
        ("--store", store) if store else (),
        address_words(api_url, rtc_url),
        address_words(api_url, RTC_URL),
        preset,
        accounts,
        service if service is not None else asks,
        start if start is not None else asks,
        asks,
    )
    try:
        return _walk(answers, skipped, told_service=service is not None, told_start=start is not None)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nWhat is done stays. Run riskcore setup again to go on.", err=True)
        raise click.Abort from None


def _walk(answers: Answers, skipped: tuple[str, ...], *, told_service: bool, told_start: bool) -> int:
    steps: dict[str, tuple[str, Callable[[], int]]] = {
        "settings": ("Settings: what the limits are", lambda: _settings(answers)),
        "login": ("Login: user name and API key", lambda: _login(answers)),
        "accounts": ("Accounts: which are guarded", lambda: _accounts(answers)),
        "doctor": ("Checks: is everything ready", lambda: _doctor(answers)),
        "service": ("Service: start with the system", lambda: _service(answers, told_service)),
        "live": ("Dry run: decide and record, send nothing", lambda: _live(answers, told_start)),
    }
    for number, name in enumerate(STEPS, start=1):
        title, step = steps[name]
        print_line(f"\n{number}/{len(STEPS)}  {title}")
        code = SKIPPED if name in skipped else _with_another_try(step, answers.asks)
        if code == SKIPPED:
            print_line("skipped")
        elif code:
            print_line(f"This step failed. What is done stays: run riskcore setup again, or with --skip {name}.")
            return code
    print_line("\nDone. riskcore live --dry-run decides and sends nothing; riskcore live enforces your limits.")
    return 0


def _with_another_try(step: Callable[[], int], asks: bool) -> int:
    while True:
        code = step()
        if code <= 0 or not asks:
            return code
        wanted = click.prompt("again, skip or stop", type=click.Choice(("again", "skip", "stop")), default="again")
        if wanted != "again":
            return SKIPPED if wanted == "skip" else code


def _call(*words: str) -> int:
    """Another command, as it is typed; its exit code."""
    import shlex

    from riskcore.cli.main import INTERRUPTED, run

    click.echo(f"$ riskcore {shlex.join(words)}")
    code = run(list(words))
    if code == INTERRUPTED:
        raise click.Abort
    return code


# ---- the steps ---------------------------------------------------------------------------------------


def _settings(answers: Answers) -> int:
    from riskcore.settings.presets import PRESETS

    config = ("--config", str(answers.path))
    if answers.path.exists():
        if answers.preset is not None:
            raise ConfigError(f"{answers.path} is there already: --preset would overwrite it; leave the option out")
        print_line(f"{answers.path} is there already and stays as it is")
        return _call("config", "check", *config)
    preset = answers.preset
    if preset is None and answers.asks:
        print_line(f"Presets: {', '.join(PRESETS)}; or starter, a file with every usual rule.")
        chosen = click.prompt("preset", type=click.Choice((*PRESETS, "starter")), default="combine-50k")
        preset = None if chosen == "starter" else chosen
    words = ("--preset", preset) if preset is not None else ()
    return _call("config", "init", "--out", str(answers.path), *words) or _call("config", "check", *config)


def _has_login() -> bool:
    from adapters.topstepx.credentials import find_credentials
    from riskcore.errors import LoginRefused

    try:
        find_credentials(os.environ, None)
    except LoginRefused:
        return False
    return True


def _login(answers: Answers) -> int:
    if _has_login():
        print_line("there is a login already, in the environment or the keyring; it is tried below")
        return 0
    if answers.asks:
        print_line("You find both on the platform, under Settings, API.")
    return _call("login", *answers.addresses)


def _accounts(answers: Answers) -> int:
    import json

    code = _call("accounts", *answers.rest_address)
    if code:
        return code
    chosen = list(answers.accounts)
    if not chosen and answers.asks:
        said = click.prompt("accounts to guard, by name or id, separated by commas", default=ALL)
        chosen = [one.strip() for one in said.split(",") if one.strip()]
    if not chosen:
        print_line("the settings decide, as they are")
        return 0
    value = json.dumps(ALL if chosen == [ALL] else chosen)
    words = ("--yes", "--untried", "--config", str(answers.path))
    return _call("config", "set", f"profile.accounts={value}", *words)


def _doctor(answers: Answers) -> int:
    return _call("doctor", "--login", "--config", str(answers.path), *answers.place, *answers.addresses)


def _service(answers: Answers, told: bool) -> int:
    asked = answers.asks and not told
    if asked and not click.confirm("Start the engine whenever you log in? It enforces from then on", default=False):
        return SKIPPED
    if not answers.service:
        return SKIPPED
    return _call("service", "install", "--config", str(answers.path), *answers.place, *answers.addresses)


def _runs(answers: Answers) -> bool:
    from riskcore.settings.config import load_settings
    from riskcore.store.lease import is_held
    from riskcore.store.location import FILE_NAME, user_data_folder
    from riskcore.store.recorder import lock_path

    store = answers.place[1] if answers.place else str(user_data_folder() / FILE_NAME)
    return is_held(lock_path(store, str(load_settings(answers.path).plain["profile"]["name"])))


def _live(answers: Answers, told: bool) -> int:
    if _runs(answers):
        print_line("an engine runs already, started by the system; riskcore status shows what it does")
        return 0
    asked = answers.asks and not told
    if asked and not click.confirm("Begin a dry run now? Ctrl-C ends it", default=True):
        return SKIPPED
    if not answers.start:
        return SKIPPED
    return _call("live", "--dry-run", "--config", str(answers.path), *answers.place, *answers.addresses)
