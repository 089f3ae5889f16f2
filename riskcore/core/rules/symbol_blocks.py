"""RULE-011 SymbolBlocks: never trade these (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command, PositionsListed
from riskcore.core.names import block_key, order_target, root_of_scope, symbol_scope
from riskcore.core.products import micro_of
from riskcore.core.rules import wording
from riskcore.core.rules.attempts import ended_order_episodes, is_market_data, new_entry_orders
from riskcore.core.rules.base import (
    BREACHED,
    COUNT,
    OK,
    PRODUCTS,
    Action,
    Beside,
    Breach,
    Finding,
    Proposal,
    Reading,
    Rule,
    spec,
)
from riskcore.core.rules.commands import close_position
from riskcore.core.state import Order, Position
from riskcore.core.view import View

RULE_ID = "RULE-011"


@dataclass(frozen=True, slots=True)
class Params:
    blocked_symbols: tuple[str, ...] = spec((), "roots", stricter="higher", doc="products that may not be traded")
    allowed_symbols: tuple[str, ...] | None = spec(
        None, "roots", optional=True, stricter="lower", doc="if given, every other product is blocked"
    )
    include_micros: bool = spec(False, "bool", stricter="true", doc="a blocked product blocks its micro contract too")
    close_existing: bool = spec(True, "bool", stricter="true", doc="close positions that are open when blocked")
    cancel_orders: bool = spec(True, "bool", stricter="true", doc="cancel orders that would open a position")

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocked_symbols", tuple(root.upper() for root in self.blocked_symbols))
        if self.allowed_symbols is not None:
            object.__setattr__(self, "allowed_symbols", tuple(root.upper() for root in self.allowed_symbols))

    def blocks(self, root: str) -> bool:
        """Whole roots only: ES never means MES, unless micros are included."""
        if self.allowed_symbols is not None and root not in self.allowed_symbols:
            return True
        micros = [micro_of(blocked) for blocked in self.blocked_symbols] if self.include_micros else []
        return root in self.blocked_symbols or root in micros


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    if is_market_data(view):
        return ()
    found: list[Finding] = [*ended_order_episodes(view), *_unblocked(params, view)]
    for position in view.held():
        root = view.root(position.contract)
        if params.blocks(root) and not view.episode_open(position.contract):
            found.append(_position_breach(params, view, position, root))
    for order in new_entry_orders(view) if params.cancel_orders else ():
        root = view.root(order.contract)
        if params.blocks(root) and not view.episode_open(order_target(order.id)):
            found.append(_order_breach(view, order, root))
    return found


def _lock(view: View, root: str) -> Command:
    return Command(
        "SetLockout",
        scope=symbol_scope(root),
        lockout_key=block_key(view.rule_key),
        lockout_kind="symbol_permanent",
        text=f"{root} is blocked",
    )


def _cancel_orders(contract: str) -> Command:
    return Command("CancelOrders", scope="symbol", contract=contract)


def _position_breach(params: Params, view: View, position: Position, root: str) -> Breach:
    commands = [_lock(view, root)]
    if params.cancel_orders:
        commands.append(_cancel_orders(position.contract))
    if params.close_existing or _just_opened(view, position):
        commands.append(close_position(position.contract))
    return Breach(position.contract, {"symbol": root}, tuple(commands), contract=position.contract)


def _just_opened(view: View, position: Position) -> bool:
    """Opened under the block by this event; a position that a snapshot or new settings bring up existed before."""
    opened = position.contract in view.effect.increased and position.opened_at == view.now
    return opened and not isinstance(view.event.body, PositionsListed)


def _order_breach(view: View, order: Order, root: str) -> Breach:
    cancel = Command("CancelOrder", contract=order.contract, order_id=order.id)
    return Breach(order_target(order.id), {"symbol": root}, (_lock(view, root), cancel), contract=order.contract)


def _unblocked(params: Params, view: View) -> list[Action]:
    """Ends the lockouts of roots that have left the block list."""
    key = block_key(view.rule_key)
    return [
        Action("", (Command("ClearLockout", scope=lockout.scope, lockout_key=key),))
        for lockout in view.account.lockouts.values()
        if lockout.rule == RULE_ID and lockout.key == key and not params.blocks(root_of_scope(lockout.scope) or "")
    ]


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    root = view.root(proposal.order.contract)
    return f"{root} is blocked" if params.blocks(root) else None


def needs(params: Params) -> tuple[str, ...]:
    """Without orders the positions are still judged, and rightly; only their orders go unseen."""
    return ("positions",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """One for each product that is listed or held: a blocked one allows nothing, an allowed one anything."""
    held: dict[str, int] = {}
    for position in view.held():
        root = view.root(position.contract)
        held[root] = held.get(root, 0) + abs(position.size)
    for root in dict.fromkeys((*params.blocked_symbols, *(params.allowed_symbols or ()), *held)):
        blocked, count = params.blocks(root), held.get(root, 0)
        yield Reading(
            f"{root} contracts",
            COUNT,
            now=count,
            limit=0 if blocked else None,
            left=0 if blocked else None,
            contract=root,
            unit="contracts",
            note="blocked" if blocked else "allowed",
            state=BREACHED if blocked and count else OK,
        )


def bounds(params: Params) -> tuple[str, ...]:
    return () if params.allowed_symbols is None else (PRODUCTS,)


def warnings(params: Params, where: str, beside: Beside) -> Sequence[str]:
    if params.blocked_symbols or params.allowed_symbols is not None:
        return ()
    return (f"{where} blocks nothing: give blocked_symbols or allowed_symbols",)


RULE = Rule(
    RULE_ID,
    "symbol_blocks",
    "Never trade these",
    70,
    Params,
    evaluate,
    needs=needs,
    waits_for=("positions", "orders"),
    admit=admit,
    keeps_out=True,
    gauges=gauges,
    warnings=warnings,
    bounds=bounds,
    advice=wording.PRODUCTS,
)
