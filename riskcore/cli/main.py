"""The `riskcore` command: a table of subcommands that are imported only when they run."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from riskcore.errors import RiskcoreError
from riskcore.version import VERSION

# Name of the command: its line in `riskcore --help`.
COMMANDS = {
    "live": "Connect, record, decide and enforce.",
    "simulate": "Run only the simulated gateway, for any client of the API.",
    "replay": "Run recorded days through the rules.",
    "fetch": "Download days from the broker as session files.",
    "whatif": "Try other rules on recorded days.",
    "odds": "Say how likely your days are to pass, and how sure that is.",
    "import": "Build session files from the broker's trade history.",
    "export": "Write one day of the journal as a session file.",
    "verify": "Check the sequence, hash chain and decisions of a day.",
    "audit": "List breaches, commands, lockouts and settings in force.",
    "why": "Explain one decision to its last number.",
    "regress": "Compare recorded days with their expected results.",
    "status": "Show a running or stopped engine, from its journal.",
    "portfolio": "Show what every account holds, earns and is limited to.",
    "price": "Show the market in one contract.",
    "health": "Show how well the engine sees and acts, with reasons.",
    "order": "Place, close, cancel or change orders, if the rules allow it.",
    "close": "Close a position, wholly or in part.",
    "cancel": "Cancel a working order.",
    "modify-stop": "Move the stop of a position.",
    "modify-target": "Move the target of a position.",
    "lock": "Lock yourself out until a time; you cannot undo it.",
    "unlock": "End a lockout early, if the settings allow it.",
    "programme": "Show the firm's figures and where you stand; enter payouts.",
    "calendar": "Show the hours of the next days, early closes and deadlines.",
    "config": "Check, show or write the settings.",
    "doctor": "Check that you are ready to go live, and what to do if not.",
    "alerts": "Send a test alert to your channels.",
    "rules": "Explain the rules and their fields.",
}
# Commands that share a file. Every other one is `command` in riskcore/cli/<name>_command.py.
FAMILIES = {
    **dict.fromkeys(("lock", "unlock", "price", "health", "portfolio"), "desk_commands"),
    **dict.fromkeys(("order", "close", "cancel", "modify-stop", "modify-target"), "order_commands"),
}
INTERRUPTED = 130
INTERNAL_ERROR = 1
USAGE = 2


class LazyGroup(click.Group):
    """Imports a subcommand when it is asked for, so that --help and every command start fast."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        word = name.replace("-", "_")
        module_name = f"riskcore.cli.{FAMILIES.get(name, f'{word}_command')}"
        try:
            module = import_module(module_name)
        except ModuleNotFoundError as error:
            if error.name != module_name:
                raise
            raise RiskcoreError(f"{name}: this command is not part of this installation") from None
        command: click.Command = getattr(module, word if name in FAMILIES else "command")
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        click.echo(f"riskcore {VERSION}")
        context.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: riskcore replay day.jsonl --set rules.daily_realized_loss.loss_limit=400",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def group() -> None:
    """Watch futures accounts, keep every broker event, decide by rules."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of INTERFACE.md 1."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # The same bytes on every system: UTF-8 and \n, whatever the console's code page is.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    sys.exit(run(words))


def run(words: list[str]) -> int:
    """The exit code of one command line. No exception and no traceback leaves this function."""
    try:
        # Not group.main: it answers a closed pipe with exit code 1, which means a difference here.
        with group.make_context("riskcore", words) as context:
            result = group.invoke(context)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message())
        return USAGE
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        return _usage_error(error)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    except RiskcoreError as error:
        _say(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        return _closed_pipe()
    except Exception as error:
        return _internal_error(error, "--verbose" in words)
    return result if isinstance(result, int) else 0


def _usage_error(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    _say(f"error: {error.format_message().rstrip('.')}{hint}")
    return USAGE


def _closed_pipe() -> int:
    """The reader of the output has gone; Python must not complain about it at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    return 0


def _internal_error(error: Exception, verbose: bool) -> int:
    if verbose:
        import traceback

        _say(traceback.format_exc())
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    _say(f"internal error: {summary}; run with --verbose for the details and report it")
    return INTERNAL_ERROR


def _say(text: Any) -> None:
    click.echo(text, err=True)
