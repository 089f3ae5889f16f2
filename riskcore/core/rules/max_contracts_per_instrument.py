"""RULE-002 MaxContractsPerInstrument: cap contracts per root, all expiries together (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.names import symbol_scope
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, warn_at_spec
from riskcore.core.rules.base import (
    CONTRACTS,
    COUNT,
    PRODUCTS,
    UNBOUNDED,
    Action,
    Beside,
    Breach,
    Cap,
    Finding,
    Proposal,
    Reading,
    Rearm,
    Rule,
    spec,
)
from riskcore.core.rules.commands import alert, close_position, optional_lockout
from riskcore.core.rules.exposure import Exposure, count_with, counted_orders, still_to_cut
from riskcore.core.view import View

MOST_CONTRACTS = 10_000
WITH_LIMIT = "allow_with_limit:"
_UNLISTED = ""  # No root is called so.


def _with_limit(action: str) -> int:
    """The number in allow_with_limit:N. Raises ValueError."""
    number = action.removeprefix(WITH_LIMIT)
    if not (number.isascii() and number.isdigit() and int(number) <= MOST_CONTRACTS):
        raise ValueError(f"{action!r}: allow_with_limit takes a number of contracts from 0 to {MOST_CONTRACTS}")
    return int(number)


@dataclass(frozen=True, slots=True)
class Params:
    limits: dict[str, int] = spec(
        {},
        "root_sizes",
        unit="contracts",
        low=0,
        high=MOST_CONTRACTS,
        stricter="lower",
        doc="per root; 0 = not allowed",
    )
    default_limit: int | None = spec(
        None,
        "int",
        unit="contracts",
        low=0,
        high=MOST_CONTRACTS,
        optional=True,
        stricter="lower",
        doc="for roots that are not listed",
    )
    unknown_symbol_action: str = spec(
        "allow_unlimited",
        "choice_or_number",
        choices=("block", "allow_unlimited", "allow_with_limit:N"),
        doc="for roots that are not listed when there is no default_limit",
    )
    enforcement: str = spec(
        "reduce_to_limit",
        "choice",
        choices=("reduce_to_limit", "close_all"),
        doc="cut the newest excess, or close the root",
    )
    include_working_orders: bool = spec(False, "bool", stricter="true", doc="count working orders per side as well")
    lockout: str = spec(
        "none", "choice", choices=("none", "cooldown", "until_reset"), doc="lock the root after the cut"
    )
    cooldown_seconds: int = spec(60, "int", unit="s", low=1, high=86_400, stricter="higher", doc="for cooldown")
    warn_at: WarnAt = warn_at_spec()

    def __post_init__(self) -> None:
        if self.unknown_symbol_action.startswith(WITH_LIMIT):
            _with_limit(self.unknown_symbol_action)
        elif self.unknown_symbol_action not in ("block", "allow_unlimited"):
            raise ValueError(
                f"{self.unknown_symbol_action!r}: unknown_symbol_action is block, allow_unlimited or allow_with_limit:N"
            )


def _limit(params: Params, root: str) -> int | None:
    """The limit of a root, None where it is unlimited."""
    listed = params.limits.get(root, params.default_limit)
    if listed is not None or params.unknown_symbol_action == "allow_unlimited":
        return listed
    return 0 if params.unknown_symbol_action == "block" else _with_limit(params.unknown_symbol_action)


def _exposures(params: Params, view: View) -> dict[str, Exposure]:
    """What is held and working per root, with the roots of open episodes that have nothing left."""
    orders = counted_orders(view) if params.include_working_orders else []
    held = view.held()
    roots = [view.root(position.contract) for position in held] + [view.root(order.contract) for order in orders]
    roots += [target for target in view.open_targets() if "." not in target]
    return {
        root: Exposure(
            [position for position in held if view.root(position.contract) == root],
            [order for order in orders if view.root(order.contract) == root],
            lambda contract: 1,
        )
        for root in dict.fromkeys(roots)
    }


def _cuts(params: Params, view: View, exposure: Exposure, limit: int) -> tuple[Command, ...]:
    if params.enforcement == "close_all" and exposure.held() > limit:
        return tuple(close_position(position.contract) for position in exposure.positions)
    return exposure.cancels(view, limit) + exposure.cuts(limit)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for root, exposure in _exposures(params, view).items():
        found.extend(_judge(params, view, root, exposure))
    found.extend(approaching(params.warn_at, view, gauges(params, view)))
    return found


def _judge(params: Params, view: View, root: str, exposure: Exposure) -> Sequence[Finding]:
    limit, count = _limit(params, root), exposure.count()
    going_on = view.episode_open(root)
    if limit is None or count <= limit:
        return (Rearm(root),) if going_on else ()
    commands = _cuts(params, view, exposure, limit)
    if going_on:
        commands = still_to_cut(view, exposure, commands)
        return (Action("", commands),) if commands else ()
    reason = f"{count} contracts of {root} are more than the limit of {limit}"
    lock = optional_lockout(params.lockout, params.cooldown_seconds, view.now, reason, symbol_scope(root))
    newest = max(exposure.positions, key=lambda position: position.increase_order, default=None)
    return (
        Breach(
            root,
            {"count": str(count), "limit": str(limit)},
            lock + (commands or (alert(reason),)),
            contract=newest.contract if newest else exposure.orders[-1].contract,
        ),
    )


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    root = view.root(proposal.order.contract)
    limit = _limit(params, root)
    if limit is None:
        return None
    held = [position for position in view.held() if view.root(position.contract) == root]
    beside = tuple(order for order in proposal.beside if view.root(order.contract) == root)
    exposure = Exposure(held, (), lambda contract: 1)
    count = count_with(exposure, Proposal(proposal.order, beside), view, all_orders=params.include_working_orders)
    return None if count <= limit else f"it would make {count} contracts of {root}, the limit is {limit}"


def needs(params: Params) -> tuple[str, ...]:
    return ("positions", "orders") if params.include_working_orders else ("positions",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """One for each root that is listed, held or worked in."""
    exposures = _exposures(params, view)
    for root in dict.fromkeys((*params.limits, *exposures)):
        limit, exposure = _limit(params, root), exposures.get(root)
        count = 0 if exposure is None else exposure.count()
        name = f"{root} contracts"
        if limit is None:
            yield Reading(name, COUNT, now=count, contract=root, unit="contracts", note="no limit for this product")
        else:
            yield Reading(
                name,
                COUNT,
                count,
                limit,
                contract=root,
                unit="contracts",
                target=root,
                rearms=True,
                allows_equal=True,
            )


def warnings(params: Params, where: str, beside: Beside) -> Sequence[str]:
    if PRODUCTS in beside.bounded or _limit(params, _UNLISTED) is not None:
        return ()
    listed = ", ".join(sorted(params.limits))
    return (
        f"{where}: every product "
        + (f"but {listed} " if listed else "")
        + 'is open without a limit: set default_limit, or unknown_symbol_action = "block"',
    )


def loosens(old: Params, new: Params) -> bool:
    """Three fields limit a root together: its own number, else the default, else the action."""
    return any(_most(new, root) > _most(old, root) for root in (_UNLISTED, *old.limits, *new.limits))


def _most(params: Params, root: str) -> int:
    limit = _limit(params, root)
    return UNBOUNDED if limit is None else limit


def caps(params: Params) -> tuple[Cap, ...]:
    return tuple(Cap(f"limits.{root}", CONTRACTS, limit, root) for root, limit in params.limits.items())


RULE = Rule(
    "RULE-002",
    "max_contracts_per_instrument",
    "Cap contracts per symbol",
    40,
    Params,
    evaluate,
    needs=needs,
    admit=admit,
    cuts=True,
    gauges=gauges,
    warnings=warnings,
    caps=caps,
    loosens=dict.fromkeys(("limits", "default_limit", "unknown_symbol_action"), loosens),
    advice=wording.SIZE,
)
