"""The trader's order commands: the same code as `riskcore order close` and as `riskcore close`."""

from typing import Any

import click

from riskcore.cli.desk_options import REFUSED, UNREACHABLE, ask_engine, desk_options, show
from riskcore.cli.desk_text import cancel_text, order_text
from riskcore.cli.options import Family
from riskcore.errors import ConfigError

SIDES = ("buy", "sell")
# Written out: the engine's own table would have to be imported for every --help.
TYPES = ("market", "limit", "stop", "trailing-stop", "join-bid", "join-ask")


def _carry_out(options: dict[str, Any], **request: Any) -> int:
    answer = ask_engine(options, {"ask": "order", **request})
    show(options, answer, order_text)
    if answer["outcome"] == "accepted":
        return 0
    return REFUSED if answer.get("broker_reachable", True) else UNREACHABLE


@click.command("place", epilog="Example: riskcore order place MNQ buy 1 --stop-loss 40 --take-profit 80")
@click.argument("contract")
@click.argument("side", type=click.Choice(SIDES))
@click.argument("size", type=click.IntRange(min=1))
@click.option(
    "--type", "order_type", type=click.Choice(TYPES), help="Default: what the given price implies, otherwise market."
)
@click.option("--limit-price", metavar="PRICE", help="Price of a limit order.")
@click.option("--stop-price", metavar="PRICE", help="Price of a stop order.")
@click.option("--trail-price", metavar="PRICE", help="Price at which a trailing stop begins.")
@click.option(
    "--stop-loss", type=click.IntRange(min=1), metavar="TICKS", help="Bracket: distance of the stop from the entry."
)
@click.option(
    "--take-profit", type=click.IntRange(min=1), metavar="TICKS", help="Bracket: distance of the target from the entry."
)
@desk_options
def place(
    contract: str,
    side: str,
    size: int,
    order_type: str | None,
    stop_loss: int | None,
    take_profit: int | None,
    **options: Any,
) -> int:
    """Place an order if every rule and lockout allows it; with --stop-loss and --take-profit as a bracket.

    CONTRACT is a root such as MNQ or the broker's contract id. Prices are put on the tick grid, away from the market.
    Exit code 1 if a rule declines it, the broker refuses it, or its outcome is unknown.
    """
    prices = {name: options.pop(name) for name in ("limit_price", "stop_price", "trail_price")}
    return _carry_out(
        options,
        action="place",
        contract=contract,
        side=side,
        size=size,
        type=order_type,
        stop_loss_ticks=stop_loss,
        take_profit_ticks=take_profit,
        **prices,
    )


@click.command("close", epilog="Example: riskcore close MNQ --size 1")
@click.argument("contract")
@click.option(
    "--size", type=click.IntRange(min=1), metavar="CONTRACTS", help="Close this many; default: the whole position."
)
@desk_options
def close(contract: str, size: int | None, **options: Any) -> int:
    """Close a position at the market, wholly or in part. Closing is allowed during every lockout.

    A whole close also cancels, once flat, the orders still working in that contract: the broker leaves bracket legs
    behind, and one that is forgotten opens a new position.
    """
    return _carry_out(options, action="close", contract=contract, size=size)


@click.command("cancel", epilog="Example: riskcore cancel 3420190021")
@click.argument("order", type=int, required=False)
@click.option("--all", "every", is_flag=True, help="Every working order of every account, or of --account.")
@desk_options
def cancel(order: int | None, every: bool, **options: Any) -> int:
    """Cancel a working order, or with --all every one; riskcore portfolio shows the order numbers."""
    if (order is None) != every:
        raise ConfigError("give the number of an order, or --all")
    if every:
        show(options, ask_engine(options, {"ask": "cancel-all"}), cancel_text)
        return 0
    return _carry_out(options, action="cancel", order=order)


def _moved(action: str, contract: str, price: str, order: int | None, size: int | None, options: dict[str, Any]) -> int:
    return _carry_out(options, action=action, contract=contract, price=price, order=order, size=size)


@click.command("modify-stop", epilog="Example: riskcore modify-stop MNQ 20990.25")
@click.argument("contract")
@click.argument("price")
@click.option("--order", type=int, metavar="ID", help="Move this order; default: the only stop of the position.")
@click.option("--size", type=click.IntRange(min=1), metavar="CONTRACTS", help="Change the size as well.")
@desk_options
def modify_stop(contract: str, price: str, order: int | None, size: int | None, **options: Any) -> int:
    """Move the stop of a position: its bracket leg, else its only stop. Sell stops are rounded down, buy stops up.

    If there are several, nothing is moved and they are listed.
    """
    return _moved("modify-stop", contract, price, order, size, options)


@click.command("modify-target", epilog="Example: riskcore modify-target MNQ 21050")
@click.argument("contract")
@click.argument("price")
@click.option("--order", type=int, metavar="ID", help="Move this order; default: the only target of the position.")
@click.option("--size", type=click.IntRange(min=1), metavar="CONTRACTS", help="Change the size as well.")
@desk_options
def modify_target(contract: str, price: str, order: int | None, size: int | None, **options: Any) -> int:
    """Move the target of a position: its bracket leg, else its only limit order on the other side.

    If there are several, nothing is moved and they are listed.
    """
    return _moved("modify-target", contract, price, order, size, options)


@click.group("order", cls=Family, epilog="Example: riskcore order place MNQ buy 1 --stop-loss 40 --take-profit 80")
def order() -> None:
    """Place, close, cancel or change orders through the running engine (riskcore live).

    Only orders sent through riskcore can be declined beforehand; what is placed in the platform's own screen is seen
    after it was accepted, and answered then.
    """


for one in (place, close, cancel, modify_stop, modify_target):
    order.add_command(one)
