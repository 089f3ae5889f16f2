"""RULE-012 TradeManagement: move stops, take partials; automation, not punishment (RULES.md 5).

Each block works only when its table is given. Nothing here is a breach: it shows in commands only.
"""

from collections.abc import Sequence

from riskcore.core.events import BarObserved
from riskcore.core.in_force import covers
from riskcore.core.rules import wording
from riskcore.core.rules.base import UNBOUNDED, Action, Finding, Quiet, Rule
from riskcore.core.rules.commands import close_position
from riskcore.core.rules.partial_exits import exit_actions, exits_quiet_below, remember_exits
from riskcore.core.rules.risk import remember_risk
from riskcore.core.rules.stop_management import (
    Held,
    held_of,
    remember_stop,
    stop_actions,
    stop_deadlines,
    stop_quiet_below,
)
from riskcore.core.rules.target_moves import remember_target, target_actions, target_quiet_below
from riskcore.core.rules.trade_settings import Params, tightening_loosens
from riskcore.core.state import Position
from riskcore.core.view import View


def _manageable(params: Params, view: View) -> list[Held]:
    """Positions whose entry and tick economics are known."""
    noted: list[Held] | None = view.notes.get(view.rule_key)
    if noted is None:
        seen = [held_of(view, position) for position in view.held()] if params.manages_stops else []
        noted = view.notes[view.rule_key] = [held for held in seen if held is not None]
    return noted


def _managed(params: Params, view: View) -> list[Held]:
    """Positions to manage; one that is being closed is left to the close, for a stop placed now could outlive it."""
    return [held for held in _manageable(params, view) if not _being_closed(view, held)]


def _being_closed(view: View, held: Held, before: int | None = None) -> bool:
    account = view.account
    return bool(account.obligations) and covers(account, close_position(held.position.contract), before)


def remember(params: Params, view: View) -> None:
    # What a bar's first extreme put in force is stored behind the bar: its other prices are remembered regardless,
    # live as in a rebuild.
    before = view.now if isinstance(view.event.body, BarObserved) else None
    for held in _manageable(params, view):
        if not _being_closed(view, held, before):
            remember_stop(params, view, held)
            remember_risk(params, view, held)
            remember_exits(params, view, held)
            remember_target(params, view, held)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for held in _managed(params, view):
        found.extend(stop_actions(params, view, held))
        found.extend(exit_actions(view, held))
        found.extend(target_actions(view, held))
    for position in view.held():
        held_too_long_at = _held_too_long_at(params, view, position)
        if held_too_long_at is not None and view.now >= held_too_long_at:
            found.append(Action(_held_target(position), (close_position(position.contract),)))
    return found


def _held_target(position: Position) -> str:
    return f"{position.contract}.held"


def _held_too_long_at(params: Params, view: View, position: Position) -> int | None:
    if params.max_hold_ns is None or view.episode_open(_held_target(position)):
        return None
    return position.opened_at + params.max_hold_ns


def deadline(params: Params, view: View) -> int | None:
    if not view.held():
        return None
    due = [instant for held in _managed(params, view) for instant in stop_deadlines(params, view, held)]
    ends = [_held_too_long_at(params, view, position) for position in view.held()]
    due += [instant for instant in ends if instant is not None and instant > view.now]
    return min(due, default=None)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    """Only a mark that is better than any before can matter: prices up to the next level are quiet."""
    for held in _managed(params, view):
        if not held.fresh:
            bounds.never = True
            return
        limit = min(
            quiet_below(params, view, held) for quiet_below in (stop_quiet_below, exits_quiet_below, target_quiet_below)
        )
        low, high = (-UNBOUNDED, limit) if held.side > 0 else (-limit, UNBOUNDED)
        bounds.narrow(held.position.contract, low, high)


def needs(params: Params) -> tuple[str, ...]:
    stops = ("positions", "orders") if params.manages_stops else ("positions",)
    marks = params.auto_breakeven or params.trailing_stop or params.tighten_after or params.measures_risk
    return (*stops, "quotes") if marks else stops


RULE = Rule(
    "RULE-012",
    "trade_management",
    "Move stops, take partials",
    10,
    Params,
    evaluate,
    remember=remember,
    deadline=deadline,
    quiet=quiet,
    needs=needs,
    loosens={"tighten_after": tightening_loosens},
    on_by_default=False,  # Automation, not punishment: nothing happens before it is asked for (RULES.md 5).
    caps_size=False,  # It manages what is open and forbids nothing.
    waits_for=(),  # A stop is decided by remember, for that instant; the planner sends it once all was listed.
    advice=wording.MANAGEMENT,
)
