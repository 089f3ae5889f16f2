"""BLIND: a lost or stale connection alerts, and flattens only where the trader asked for it (RULES.md 8.4).

The same for a single account whose messages cannot be read and whose lists do not come, while others are in sight.

Not configured as a rule: `on_blind` and `blind_limit_seconds` of [profile] are its settings. That an engine has no
connection yet when it starts is no news: the alert waits until a hub is reported lost, or does not come for too long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskcore.core.freshness import unseen_since
from riskcore.core.kinds import CONNECTED, Hub
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import wording
from riskcore.core.rules.base import Action, Breach, Finding, Rearm, Rule, spec
from riskcore.core.rules.commands import FLATTEN, alert
from riskcore.core.view import View

UNSEEN = "unseen"  # The episode of an account that is out of sight by itself.
# How long after a start the first connection of a hub may take; the engine counts hubs as lost after as long.
FIRST_CONNECTION_NS = 10 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Params:
    on_blind: str = spec("alert", "choice", choices=("alert", "flatten"), doc="what a long loss of sight leads to")
    limit_ns: int = spec(60 * SECOND_NS, "int", unit="ns", low=0, doc="how long sight may be lost")


def _lost_since(view: View) -> int | None:
    """Since when the first of the lost hubs, or the account itself, has been out of sight, while riskcore ran."""
    book, unseen = view.book, unseen_since(view.account)
    since = [book.connection_since[hub] for hub, state in book.connections.items() if state != CONNECTED]
    if unseen is not None:
        since.append(unseen)
    return max(min(since), book.started_at) if since else None


def _first_due(view: View, hub: Hub) -> int | None:
    """Until when the first connection of a hub may still come: nothing was reported of it since the engine started."""
    book = view.book
    reported = not book.started_at or book.connection_since[hub] > book.started_at
    return None if reported else book.started_at + FIRST_CONNECTION_NS


def _is_lost(view: View, hub: Hub, state: str) -> bool:
    first_due = _first_due(view, hub)
    return state != CONNECTED and (first_due is None or view.now >= first_due)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for hub, state in sorted(view.book.connections.items()):
        target = f"hub.{hub}"
        if _is_lost(view, hub, state) and not view.episode_open(target):
            found.append(Action(target, (alert(f"the {hub} hub is {state}: riskcore sees nothing of it"),)))
        elif state == CONNECTED and view.episode_open(target):
            found.append(Rearm(target))
    found.extend(_account_alone(view))
    since = _lost_since(view)
    if since is None:
        if view.episode_open("blind"):
            found.append(Rearm("blind"))
    elif _too_long(params, view, since):
        figures = {"blind_seconds": str((view.now - since) // SECOND_NS), "limit": str(params.limit_ns // SECOND_NS)}
        found.append(Breach("blind", figures, FLATTEN))
    return found


def _account_alone(view: View) -> Sequence[Finding]:
    """What the trader is told when the account gets out of sight by itself, once until it is back."""
    lost, told = unseen_since(view.account) is not None, view.episode_open(UNSEEN)
    if lost and not told:
        name = view.account.name or view.account.id
        text = f"riskcore sees nothing of account {name}: its messages cannot be read, and its lists do not come"
        return (Action(UNSEEN, (alert(text, "critical"),)),)
    return (Rearm(UNSEEN),) if told and not lost else ()


def _too_long(params: Params, view: View, since: int) -> bool:
    may_act = params.on_blind == "flatten" and bool(view.held()) and not view.episode_open("blind")
    return may_act and view.now - since >= params.limit_ns


def deadline(params: Params, view: View) -> int | None:
    """The end of the time without sight that is allowed, and of the time a first connection may take."""
    since = _lost_since(view)
    waits = params.on_blind == "flatten" and bool(view.held()) and not view.episode_open("blind")
    due = [since + params.limit_ns] if since is not None and waits else []
    for hub, state in view.book.connections.items():
        first_due = _first_due(view, hub)
        if state != CONNECTED and first_due is not None and not view.episode_open(f"hub.{hub}"):
            due.append(first_due)
    return min(due, default=None)


def stands(profile: Any, needs: tuple[str, ...]) -> Params:
    return Params(profile.on_blind, profile.blind_limit_ns)


BLIND = Rule(
    "BLIND",
    "blind",
    "Lost sight of the broker",
    50,
    Params,
    evaluate,
    deadline=deadline,
    waits_for=("engine",),
    stands=stands,
    advice=wording.SIGHT,
)
