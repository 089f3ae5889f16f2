"""`riskcore login`: the user name and the API key into the system's keyring, tried before they are kept."""

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import click

from riskcore.cli.options import broker_options, output_options, print_json, say_on_stderr
from riskcore.cli.print_text import print_text

if TYPE_CHECKING:
    from adapters.topstepx.credentials import Credentials
    from adapters.topstepx.login_trial import Step

SCHEMA = "riskcore.login/1"
REFUSED = 5
_TICKS = {"ok": "✓", "warn": "!", "fail": "✗"}
_WIDTH = 10


@click.command(epilog="Example: riskcore login")
@click.option("--forget", is_flag=True, help="Take the login out of the keyring.")
@click.option("--keep", is_flag=True, help="Keep the login even if a step fails.")
@broker_options
@output_options
def command(forget: bool, keep: bool, api_url: str, rtc_url: str, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Ask for the user name and the API key, try them at once, and keep them in the system's keyring.

    The key is not shown while you type it. Without a terminal, the first line of the standard input is the user name
    and the second one the key. Nothing is kept if a step fails. Exit code 5 if one does.
    """
    from adapters.topstepx import credentials as kept

    if forget:
        found = kept.forget()
        if as_json:
            print_json({"schema": SCHEMA, "kept": False, "steps": []})
        elif not quiet:
            click.echo("the login is forgotten" if found else "no login was kept")
        return 0
    kept.usable_keyring()  # Said before anybody types a key.
    typed = asked()
    steps = asyncio.run(_tried(typed, api_url, rtc_url, shown=not as_json and not quiet))
    passed = all(step.state != "fail" for step in steps)
    if passed or keep:
        kept.store(typed)
    if as_json:
        rows = [{"name": step.name, "state": step.state, "text": step.text} for step in steps]
        print_json({"schema": SCHEMA, "kept": passed or keep, "steps": rows})
    else:
        _conclude(steps, passed, keep, quiet)
    return 0 if passed else REFUSED


def asked() -> "Credentials":
    """The login as it is typed or piped in. Raises LoginRefused when a half of it is missing."""
    from adapters.topstepx.credentials import API_KEY, USER_NAME, Credentials
    from riskcore.errors import LoginRefused
    from riskcore.live.run import interactive

    if interactive():
        given = os.environ.get(USER_NAME, "").strip() or None
        name = str(click.prompt("TopstepX user name", default=given, err=True)).strip()
        key = str(click.prompt("TopstepX API key (not shown)", hide_input=True, err=True)).strip()
    else:
        lines = iter(() if sys.stdin is None else sys.stdin)
        name = next(lines, "").strip() or os.environ.get(USER_NAME, "").strip()
        key = next(lines, "").strip() or os.environ.get(API_KEY, "").strip()
    if not name or not key:
        missing = "user name" if not name else "API key"
        raise LoginRefused(
            f"no {missing}: give the user name and the key on two lines of the standard input, or use a terminal"
        )
    return Credentials(name, key)


def line_of(step: "Step") -> str:
    """A step with its tick, and below it what to do."""
    tick = _TICKS[step.state] if _can_show(_TICKS[step.state]) else step.state
    advice = f"\n{'':{_WIDTH + 4}}-> {step.advice}" if step.advice else ""
    return f"{tick} {step.name:<{_WIDTH}}  {step.text}{advice}"


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


async def _tried(typed: "Credentials", api_url: str, rtc_url: str, *, shown: bool) -> "list[Step]":
    from adapters.topstepx.login_trial import tried
    from riskcore.engine.clock import SystemClock

    steps = []
    async for step in tried(typed, api_url, rtc_url, SystemClock()):
        steps.append(step)
        if shown:
            print_text(line_of(step))
    return steps


def _conclude(steps: "list[Step]", passed: bool, keep: bool, quiet: bool) -> None:
    failed = [step for step in steps if step.state == "fail"]
    if quiet:
        for step in failed:
            say_on_stderr(f"error: {step.name}: {step.text}")
    elif passed:
        print_text("kept in the system's keyring; riskcore login --forget takes it out again")
    elif keep:
        click.echo("kept in the system's keyring although a step failed")
    else:
        click.echo("nothing is kept; --keep keeps it all the same")
