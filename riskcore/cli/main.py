"""The `riskcore` command: a table of subcommands that are imported only when they run."""

import errno
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from glob import glob
from importlib import import_module
from typing import Any

import click

from riskcore.errors import RiskcoreError
from riskcore.version import VERSION

# Name of the command: its line in `riskcore --help`.
COMMANDS = {
    "setup": "Go from nothing to a dry run, step by step.",
    "live": "Connect, record, decide and enforce.",
    "simulate": "Run only the simulated gateway, for any client of the API.",
    "replay": "Run recorded days through the rules.",
    "fetch": "Download days from the broker as session files.",
    "whatif": "Try other rules on recorded days.",
    "odds": "Say how likely your days are to pass, and how sure that is.",
    "sweep": "Try a grid of settings on recorded days.",
    "import": "Build session files from the broker's trade history.",
    "export": "Write one day of the journal as a session file.",
    "redact": "Copy a session file without names and ids, to share it.",
    "copy": "Copy a store into another one, checked on both sides.",
    "archive": "Move closed days of the journal into verified files.",
    "verify": "Check the sequence, hash chain and decisions of a day.",
    "audit": "List breaches, commands, lockouts and settings in force.",
    "review": "Look back on a day: trades, close calls, what the rules did.",
    "why": "Explain one decision to its last number.",
    "regress": "Compare recorded days with their expected results.",
    "status": "Show a running or stopped engine, from its journal.",
    "web": "Open the page in the browser, live or read-only.",
    "portfolio": "Show what every account holds, earns and is limited to.",
    "price": "Show the market in one contract.",
    "health": "Show how well the engine sees and acts, with reasons.",
    "order": "Place, close, cancel or change orders, if the rules allow it.",
    "close": "Close a position, wholly or in part.",
    "cancel": "Cancel a working order, or all of them.",
    "flatten": "Close every position and cancel entries, without a lockout.",
    "modify-stop": "Move the stop of a position.",
    "modify-target": "Move the target of a position.",
    "lock": "Lock yourself out until a time; you cannot undo it.",
    "unlock": "End a lockout early, if the settings allow it.",
    "programme": "Show the firm's figures and where you stand; enter payouts.",
    "calendar": "Show the hours of the next days, early closes and deadlines.",
    "config": "Check, show or write the settings.",
    "login": "Keep your login in the system's keyring, tried at once.",
    "accounts": "List the accounts of your login.",
    "doctor": "Check that you are ready to go live, and what to do if not.",
    "service": "Start the engine with the system, and keep it running.",
    "watchdog": "Alert when the engine is dead, hung or blind.",
    "alerts": "Send a test alert to your channels.",
    "rules": "Explain the rules and their fields.",
    "version": "Show the version, its data and formats, and the extras.",
    "completion": "Print the shell's completion of commands and options.",
}
# Commands that share a file. Every other one is `command` in riskcore/cli/<name>_command.py.
FAMILIES = {
    **dict.fromkeys(("lock", "unlock", "flatten", "price", "health", "portfolio"), "desk_commands"),
    **dict.fromkeys(("order", "close", "cancel", "modify-stop", "modify-target"), "order_commands"),
}
# Started by the system in the background, Windows gives them no output at all: what they say is in a log or an alert.
RUNS_UNSEEN = ("live", "watchdog")
INTERRUPTED = 130
CANNOT_WRITE = 6
INTERNAL_ERROR = 1
USAGE = 2
COMPLETION_VARIABLE = "_RISKCORE_COMPLETE"  # Set by the scripts of `riskcore completion`.
# No space, quota used up, file too large: said of whatever was being written.
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


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

    def resolve_command(
        self, context: click.Context, words: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(context, words)
        except click.UsageError as error:
            meant = get_close_matches(words[0], COMMANDS, 1)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            raise click.UsageError(f"{error.message.rstrip('.')}{hint}", context) from None

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
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def group() -> None:
    """Watch futures accounts, keep every broker event, decide by rules."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of INTERFACE.md 1."""
    words = _with_files(sys.argv[1:], sys.platform) if arguments is None else list(arguments)
    if sys.stdout is None and words[:1] and words[0] in RUNS_UNSEEN:
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process.
    if sys.stdout is None:
        _say("error: the output is closed; nothing can be written")
        sys.exit(CANNOT_WRITE)
    for stream in (sys.stdout, sys.stderr):
        # The same bytes on every system: UTF-8 and \n, whatever the console's code page is.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    sys.exit(run(words))


def _with_files(words: Sequence[str], platform: str) -> list[str]:
    """The words with the files that patterns name; the shells of Windows leave `*.jsonl` to the program."""
    if platform != "win32":
        return list(words)
    found = [(word, sorted(glob(word)) if "*" in word and not word.startswith("-") else []) for word in words]
    return [name for word, names in found for name in names or [word]]


def run(words: list[str]) -> int:
    """The exit code of one command line. No exception and no traceback leaves this function."""
    try:
        asked = os.environ.get(COMPLETION_VARIABLE)
        if asked:
            from click.shell_completion import shell_complete

            return shell_complete(group, {}, "riskcore", COMPLETION_VARIABLE, asked)
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
        return _usage_error(error, words)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    except RiskcoreError as error:
        _say(f"error: {error}")
        return error.exit_code
    except BrokenPipeError:
        # The reader of the output has gone, as in `| head -1`, and knows it.
        _give_up_output()
        return CANNOT_WRITE
    except OSError as error:
        if error.errno not in _NO_ROOM and _output_works():
            return _internal_error(error, "--verbose" in words)
        _give_up_output()
        _say(f"error: cannot write: {error.strerror or error}")
        return CANNOT_WRITE
    except Exception as error:
        return _internal_error(error, "--verbose" in words)
    return result if isinstance(result, int) else 0


def _usage_error(error: click.ClickException, words: list[str]) -> int:
    context = getattr(error, "ctx", None)
    if isinstance(error, click.MissingParameter) and context is not None and words == context.command_path.split()[1:]:
        _say(f"{context.get_help()}\n")  # A command alone: the first look at it.
    hint = f" (see {context.command_path} --help)" if context is not None else ""
    message = " ".join(error.format_message().rstrip(".").replace("\t", "").split("\n"))
    _say(f"error: {message}{hint}")
    return USAGE


def _output_works() -> bool:
    """Whether what was printed can be written: what could not be is still waiting, and is tried again."""
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _give_up_output() -> None:
    """Nothing more can be written; Python must not complain about it at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    os.close(null)


def _internal_error(error: Exception, verbose: bool) -> int:
    if verbose:
        import traceback

        _say(traceback.format_exc())
    summary = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    _say(f"internal error: {summary}; run with --verbose for the details and report it")
    return INTERNAL_ERROR


def _say(text: Any) -> None:
    try:
        click.echo(text, err=True)
    except OSError:  # Nobody can be told; the exit code says it.
        _give_up_output()
