"""What the POST routes do: the operator's word, handed to the engine on its own loop.

The page may do three things: flatten, cancel every order, lock. All else is for the commands, which bring the token.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from adapters.web import parameters
from adapters.web.access import Refusal
from adapters.web.owner import Owner
from riskcore.core.quantities import price_text
from riskcore.engine.desk import Asked, Desk, Market, UnknownAccount, contract_named, fresh_mark, text_of
from riskcore.engine.desk_flat import cancel_all, flatten
from riskcore.engine.desk_locks import lock, unlock
from riskcore.engine.desk_orders import order
from riskcore.engine.desk_programme import note, payout, reset
from riskcore.errors import ConfigError, DiskFull, RiskcoreError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

PRICE_SCHEMA = "riskcore.price/1"
Fields = Mapping[str, type | tuple[type, ...]]
_NAME = (str, int)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its fields, and what the engine does. `reads`: it stores nothing, so a full disk does not matter."""

    run: Callable[[Desk, Market, Asked], Awaitable[Row]]
    fields: Fields
    needed: tuple[str, ...] = ()
    bearer_only: bool = True
    reads: bool = False


async def _price(desk: Desk, market: Market, asked: Asked) -> Row:
    contract = await contract_named(desk, market, text_of(asked, "contract"))
    mark, now = await fresh_mark(desk, contract), desk.clock.now()
    if mark is None:
        raise ConfigError(f"no price of {contract} was received; is the market open?")
    known = desk.book.contracts[contract]
    prices = {name: getattr(mark, name) for name in ("last", "bid", "ask")}
    return {
        "schema": PRICE_SCHEMA,
        "contract": contract,
        "root": known.root,
        **{name: None if value is None else price_text(value) for name, value in prices.items()},
        "at": utc_text(mark.at),
        "age_ms": max(now - mark.at, 0) // 1_000_000,
        "stale": now - mark.at > mark.valid_ns,
        "tick_size": price_text(known.tick_size),
    }


async def _portfolio(desk: Desk, market: Market, asked: Asked) -> Row:
    return market.picture()


_ORDER: Fields = {
    **dict.fromkeys(("action", "contract", "side", "type", "limit_price", "stop_price", "trail_price", "price"), str),
    **dict.fromkeys(("size", "stop_loss_ticks", "take_profit_ticks", "order"), int),
    "account": _NAME,
}
COMMANDS: dict[str, Command] = {
    "flatten": Command(lambda desk, _, asked: flatten(desk, asked), {"account": _NAME}, bearer_only=False),
    "cancel-all": Command(lambda desk, _, asked: cancel_all(desk, asked), {"account": _NAME}, bearer_only=False),
    "lock": Command(
        lambda desk, _, asked: lock(desk, asked),
        {"until": str, "reason": str, "flatten": bool, "account": _NAME},
        ("until",),
        bearer_only=False,
    ),
    "unlock": Command(
        lambda desk, _, asked: unlock(desk, asked), {"reason": str, "lockout": str, "account": _NAME}, ("reason",)
    ),
    "order": Command(order, _ORDER, ("action",)),
    "payout": Command(lambda desk, _, asked: payout(desk, asked), {"amount": str, "on": str, "account": _NAME}),
    "reset": Command(
        lambda desk, _, asked: reset(desk, asked),
        dict.fromkeys(("reason", "balance", "floor"), str) | {"account": _NAME},
    ),
    "note": Command(lambda desk, _, asked: note(desk, asked), {"text": str, "account": _NAME}, ("text",)),
    "price": Command(_price, {"contract": str, "account": _NAME}, ("contract",), reads=True),
    "portfolio": Command(_portfolio, {"account": _NAME}, reads=True),
}


async def carry_out(name: str, content: bytes, owner: Owner | None) -> Row:
    """Check the body, then ask the engine. Raises Refusal."""
    command = COMMANDS[name]
    asked = parameters.body(content, command.fields, command.needed)
    if owner is None:
        raise Refusal("read_only", "no engine runs here: this service only shows what is stored")
    halted = owner.halted()
    if halted is not None and not command.reads:
        raise Refusal("halted", f"nothing can be stored, so nothing was done: {halted}")

    async def question(desk: Desk, market: Market) -> Row:
        return await command.run(desk, market, asked)

    try:
        answer = await owner.ask(question)
    except UnknownAccount as error:
        raise Refusal("unknown", str(error)) from None
    except DiskFull as error:
        raise Refusal("halted", str(error)) from None
    except RiskcoreError as error:
        raise Refusal("value", str(error), error.exit_code) from None
    if answer is None:
        raise Refusal("halted", "the engine is just starting or stopping; nothing was done", 1)
    return answer
