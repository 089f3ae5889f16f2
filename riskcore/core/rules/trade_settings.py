"""The settings of RULE-012 TradeManagement (RULES.md 5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from riskcore.core.quantities import FRACTION_SCALE, MINUTE_NS
from riskcore.core.rules.base import UNBOUNDED, spec

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class AutoStopLoss:
    ticks: int | None = spec(
        None, "int", unit="ticks", low=1, optional=True, stricter="lower", doc="distance of a stop placed at the entry"
    )


@dataclass(frozen=True, slots=True)
class AutoBreakeven:
    profit_trigger_ticks: int = spec(10, "int", unit="ticks", low=1, stricter="lower", doc="profit that moves the stop")
    offset_ticks: int = spec(0, "int", unit="ticks", stricter="higher", doc="how far beyond the entry it goes")


@dataclass(frozen=True, slots=True)
class TrailingStop:
    activation_ticks: int = spec(20, "int", unit="ticks", low=1, stricter="lower", doc="profit from which it trails")
    trail_distance_ticks: int = spec(10, "int", unit="ticks", low=1, stricter="lower", doc="distance to the best mark")


@dataclass(frozen=True, slots=True)
class PartialExit:
    at_r: int = spec(FRACTION_SCALE, "fraction", unit="R", low=1, required=True, doc="profit in multiples of R")
    fraction: int = spec(
        FRACTION_SCALE, "fraction", low=1, high=FRACTION_SCALE, required=True, doc="share of the original size"
    )


@dataclass(frozen=True, slots=True)
class Tightening:
    minutes: int = spec(1, "int", unit="min", low=1, required=True, stricter="lower", doc="how long it is held by then")
    distance_ticks: int = spec(
        1, "int", unit="ticks", low=1, required=True, stricter="lower", doc="distance to the best mark from then on"
    )


@dataclass(frozen=True, slots=True)
class TargetMove:
    at_r: int = spec(FRACTION_SCALE, "fraction", unit="R", low=1, required=True, doc="profit in multiples of R")
    target_r: int = spec(
        2 * FRACTION_SCALE, "fraction", unit="R", low=1, required=True, doc="where the target goes, in multiples of R"
    )


@dataclass(frozen=True, slots=True)
class Params:
    auto_stop_loss: AutoStopLoss | None = spec(
        None, "table", optional=True, table=AutoStopLoss, doc="a stop for every position"
    )
    auto_breakeven: AutoBreakeven | None = spec(
        None, "table", optional=True, table=AutoBreakeven, doc="move the stop to the entry"
    )
    trailing_stop: TrailingStop | None = spec(
        None, "table", optional=True, table=TrailingStop, doc="let the stop follow the market"
    )
    min_step_ticks: int = spec(1, "int", unit="ticks", low=1, doc="smallest move of a stop")
    min_interval_ms: int = spec(1_000, "int", unit="ms", low=0, high=60_000, doc="shortest time between two moves")
    partial_exits: tuple[PartialExit, ...] = spec((), "tables", table=PartialExit, doc="exits at multiples of R")
    max_hold_minutes: int | None = spec(
        None, "int", unit="min", low=1, optional=True, stricter="lower", doc="close a position held this long"
    )
    tighten_after: tuple[Tightening, ...] = spec(
        (), "tables", table=Tightening, doc="a closer stop the longer it is held"
    )
    move_target: tuple[TargetMove, ...] = spec((), "tables", table=TargetMove, doc="a further target at multiples of R")
    manage_without_stop: str = spec(
        "create", "choice", choices=("create", "skip"), doc="what to do for a position that has no stop"
    )

    def __post_init__(self) -> None:
        for name, table in (
            ("auto_stop_loss", AutoStopLoss),
            ("auto_breakeven", AutoBreakeven),
            ("trailing_stop", TrailingStop),
        ):
            object.__setattr__(self, name, _nested(table, getattr(self, name)))
        exits: tuple[PartialExit, ...] = tuple(_nested(PartialExit, item) for item in self.partial_exits)
        if any(later.at_r <= earlier.at_r for earlier, later in pairwise(exits)):
            raise ValueError("partial_exits: at_r must rise from one level to the next")
        if sum(level.fraction for level in exits) > FRACTION_SCALE:
            raise ValueError("partial_exits: the fractions together must not be more than 1")
        object.__setattr__(self, "partial_exits", exits)
        object.__setattr__(self, "tighten_after", _tightenings(self.tighten_after))
        object.__setattr__(self, "move_target", _target_moves(self.move_target))

    @property
    def min_interval_ns(self) -> int:
        return self.min_interval_ms * MILLISECOND_NS

    @property
    def max_hold_ns(self) -> int | None:
        return None if self.max_hold_minutes is None else self.max_hold_minutes * MINUTE_NS

    @property
    def auto_stop_ticks(self) -> int | None:
        return None if self.auto_stop_loss is None else self.auto_stop_loss.ticks

    @property
    def manages_stops(self) -> bool:
        """Whether any block is on that has to do with the stop."""
        blocks = (self.auto_stop_ticks, self.auto_breakeven, self.trailing_stop)
        return any(block is not None for block in blocks) or bool(self.tighten_after) or self.measures_risk

    @property
    def measures_risk(self) -> bool:
        """Whether any block is on that works at multiples of R."""
        return bool(self.partial_exits or self.move_target)


def _tightenings(given: Sequence[Any]) -> tuple[Tightening, ...]:
    found: tuple[Tightening, ...] = tuple(_nested(Tightening, item) for item in given)
    if any(later.minutes <= earlier.minutes for earlier, later in pairwise(found)):
        raise ValueError("tighten_after: minutes must rise from one level to the next")
    if any(later.distance_ticks >= earlier.distance_ticks for earlier, later in pairwise(found)):
        raise ValueError("tighten_after: distance_ticks must fall from one level to the next")
    return found


def tightening_loosens(old: Params, new: Params) -> bool:
    """Whether at some holding time a stop may be further away than before."""
    minutes = [level.minutes for level in (*old.tighten_after, *new.tighten_after)]
    return any(_distance_at(new, held) > _distance_at(old, held) for held in minutes)


def _distance_at(params: Params, minutes: int) -> int:
    """How far the stop may be behind the best mark after holding so long."""
    reached = [level.distance_ticks for level in params.tighten_after if level.minutes <= minutes]
    return reached[-1] if reached else UNBOUNDED


def _target_moves(given: Sequence[Any]) -> tuple[TargetMove, ...]:
    found: tuple[TargetMove, ...] = tuple(_nested(TargetMove, item) for item in given)
    if any(later.at_r <= earlier.at_r for earlier, later in pairwise(found)):
        raise ValueError("move_target: at_r must rise from one level to the next")
    if any(level.target_r <= level.at_r for level in found):
        raise ValueError("move_target: target_r must be above at_r")
    return found


def _nested(table: type[Any], value: Any) -> Any:
    return value if value is None or isinstance(value, table) else table(**value)
