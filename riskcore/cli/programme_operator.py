"""`riskcore programme payout | reset | note`: what only the operator knows (PROGRAMME.md 6).

Entered through the running engine, else into the store under its lease.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from riskcore.cli.ask_or_write import ask_or_write
from riskcore.cli.desk_options import Row, show
from riskcore.cli.options import output_options, profile_file_option, store_option, warn
from riskcore.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])


def _options(command: Command) -> Command:
    """--config, --store, --profile and the output options; the account is an argument."""
    text = "Profile of the engine; needed if the journal holds several."
    command = click.option("--profile", metavar="NAME", help=text)(output_options(command))
    return profile_file_option(store_option(command))


class _Payout(click.Command):
    """An amount with a minus sign is an amount, and not an option nobody knows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(re.match(r"-\.?\d", word) for word in args):
            raise ConfigError("the amount of a payout must be above zero")
        return super().parse_args(ctx, args)


@click.command(
    "payout", cls=_Payout, epilog="Example: riskcore programme payout EXPRESS-V2-99000001 700 --on 2026-11-20"
)
@click.argument("account")
@click.argument("amount")
@click.option(
    "--on", metavar="DATE", help="Trade date of the request; a request after 17:00 is of the next. Default: today."
)
@_options
def payout(account: str, amount: str, on: str | None, **options: Any) -> int:
    """Enter a payout of the firm: the opening balance falls at once, the floor of an XFA is 0 from then on."""
    answer = _entered(options, account, {"ask": "payout", "amount": amount, "on": on})
    if answer["above_max"]:
        text = f"{answer['amount']} is more than the {answer['max']} that the firm pays at most; it counts all the same"
        warn(text, quiet=options["quiet"])
    show(options, answer, payout_text)
    return 0


@click.command("reset", epilog="Example: riskcore programme reset 50KTC-V2-99000001 --reason 'bought a reset'")
@click.argument("account")
@click.option("--reason", required=True, metavar="TEXT", help="Your reason; it is kept in the journal.")
@click.option("--balance", metavar="AMOUNT", help="Balance after the reset. Default: the start balance of the account.")
@click.option("--floor", metavar="AMOUNT", help="Maximum Loss Limit after it. Default: start less maximum loss.")
@_options
def reset(account: str, reason: str, balance: str | None, floor: str | None, **options: Any) -> int:
    """Start an account over after the firm has reset it. Ends only the lockouts of the Maximum Loss Limit.

    The firm's own Reset gives a new account number: then nothing has to be entered here.
    """
    answer = _entered(options, account, {"ask": "reset", "reason": reason, "balance": balance, "floor": floor})
    show(options, answer, reset_text)
    return 0


@click.command("note", epilog="Example: riskcore programme note 50KTC-V2-99000001 'support confirmed the floor'")
@click.argument("account")
@click.argument("text")
@_options
def note(account: str, text: str, **options: Any) -> int:
    """Keep a remark about an account for the audit. It changes nothing."""
    show(options, _entered(options, account, {"ask": "note", "text": text}), note_text)
    return 0


def add_to(group: click.Group) -> None:
    """Make them subcommands of `riskcore programme`."""
    for command in (payout, reset, note):
        group.add_command(command)


def _entered(options: dict[str, Any], account: str, request: Row) -> Row:
    return ask_or_write({**options, "account": account}, request)


def payout_text(answer: Row) -> str:
    lines = [f"{_who(answer)}: payout of {answer['amount']} entered, requested on {answer['trade_date']}"]
    if answer["balance"] is not None:
        lines.append(f"  balance {answer['balance']}, floor {answer['floor'] or 'unknown'}")
    lines.append(f"  the next payout window begins on {answer['window_from']}")
    return "\n".join(lines)


def reset_text(answer: Row) -> str:
    lines = [f"{_who(answer)}: reset; balance {answer['balance']}, floor {answer['floor'] or 'unknown'}"]
    lines += [f"  {lockout} ended" for lockout in answer["ended"]]
    return "\n".join(lines)


def note_text(answer: Row) -> str:
    return f"{_who(answer)}: noted"


def _who(answer: Row) -> str:
    return str(answer["account_name"] or answer["account"])
