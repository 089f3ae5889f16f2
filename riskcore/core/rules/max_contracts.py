"""RULE-001 MaxContracts: cap total contracts on the account (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.products import MICRO_UNITS_OF_A_MINI, micro_units
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, warn_at_spec
from riskcore.core.rules.base import (
    CONTRACTS,
    COUNT,
    UNITS,
    Action,
    Breach,
    Cap,
    Finding,
    Proposal,
    Reading,
    Rearm,
    Rule,
    spec,
)
from riskcore.core.rules.commands import FLATTEN, alert, optional_lockout
from riskcore.core.rules.exposure import Exposure, count_with, counted_orders, still_to_cut
from riskcore.core.view import View


@dataclass(frozen=True, slots=True)
class Params:
    limit: int = spec(
        5, "int", unit="contracts", low=1, high=10_000, stricter="lower", doc="most that may be open; minis if weighted"
    )
    count_type: str = spec("gross", "choice", choices=("gross", "net"), doc="sum of sizes, or longs against shorts")
    weighting: str = spec(
        "contracts",
        "choice",
        choices=("contracts", "mini_equivalent"),
        doc="each contract counts one, or ten micros count as a mini",
    )
    action: str = spec(
        "reduce_to_limit", "choice", choices=("reduce_to_limit", "close_all"), doc="cut the newest excess, or flatten"
    )
    include_working_orders: bool = spec(False, "bool", stricter="true", doc="count working orders per side as well")
    lockout: str = spec("none", "choice", choices=("none", "cooldown", "until_reset"), doc="lock after the cut")
    cooldown_seconds: int = spec(60, "int", unit="s", low=1, high=86_400, stricter="higher", doc="for cooldown")
    warn_at: WarnAt = warn_at_spec()


def _limit(params: Params) -> int:
    """The limit in the units that are counted: minis are read as ten micro-units each."""
    return params.limit * MICRO_UNITS_OF_A_MINI if params.weighting == "mini_equivalent" else params.limit


def _exposure(params: Params, view: View) -> Exposure:
    def weight(contract: str) -> int:
        return micro_units(view.root(contract)) if params.weighting == "mini_equivalent" else 1

    orders = counted_orders(view) if params.include_working_orders else []
    return Exposure(view.held(), orders, weight, params.count_type == "net")


def _cuts(params: Params, view: View, exposure: Exposure) -> tuple[Command, ...]:
    limit = _limit(params)
    if params.action == "close_all" and exposure.held() > limit:
        return FLATTEN
    return exposure.cancels(view, limit) + exposure.cuts(limit)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    exposure, limit = _exposure(params, view), _limit(params)
    count = exposure.count()
    going_on = view.episode_open(COUNT)
    if count <= limit:
        ended = (Rearm(COUNT),) if going_on else ()
        return (*ended, *approaching(params.warn_at, view, gauges(params, view)))
    commands = _cuts(params, view, exposure)
    if going_on:
        commands = still_to_cut(view, exposure, commands)
        return (Action("", commands),) if commands else ()
    reason = f"{count} contracts are more than the limit of {limit}"
    lock = optional_lockout(params.lockout, params.cooldown_seconds, view.now, reason)
    return (Breach(COUNT, {"count": str(count), "limit": str(limit)}, lock + (commands or (alert(reason),))),)


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    count = count_with(_exposure(params, view), proposal, view, all_orders=params.include_working_orders)
    limit, unit = _limit(params), "micro-units" if params.weighting == "mini_equivalent" else "contracts"
    return None if count <= limit else f"it would make {count} {unit}, the limit is {limit}"


def needs(params: Params) -> tuple[str, ...]:
    return ("positions", "orders") if params.include_working_orders else ("positions",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    name = "micro units" if params.weighting == "mini_equivalent" else "contracts"
    count, limit = _exposure(params, view).count(), _limit(params)
    yield Reading(name, COUNT, count, limit, unit=name, target=COUNT, rearms=True, allows_equal=True)


def caps(params: Params) -> tuple[Cap, ...]:
    return (Cap("limit", UNITS if params.weighting == "mini_equivalent" else CONTRACTS, _limit(params)),)


RULE = Rule(
    "RULE-001",
    "max_contracts",
    "Cap total contracts on the account",
    40,
    Params,
    evaluate,
    needs=needs,
    admit=admit,
    cuts=True,
    gauges=gauges,
    caps=caps,
    advice=wording.SIZE,
)
