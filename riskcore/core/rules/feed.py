"""FEED: says when marks that open-loss rules rest on are stale or missing; closes nothing (RULES.md 1.5, 8.4).

Not configured: it watches wherever a rule that reads quotes is on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskcore.core.marks import default_age, stale_at
from riskcore.core.rules import wording
from riskcore.core.rules.base import Action, Finding, Quiet, Rearm, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.state import Position
from riskcore.core.view import View


@dataclass(frozen=True, slots=True)
class Params:
    pass


def _watched(view: View) -> list[Position]:
    """Open positions whose value rests on a mark; one that fills already closed rests on none."""
    if "quotes" in view.book.lacks:
        return []
    return [position for position in view.held() if not view.value(position).closed]


def _missing_at(view: View, position: Position) -> int:
    return position.opened_at + default_age(view.book) + 1


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for position in _watched(view):
        target = f"{position.contract}.stale"
        one = view.value(position)
        bad = one.stale if one.value is not None else view.now >= _missing_at(view, position)
        if bad and not view.episode_open(target):
            text = "the mark is stale" if one.value is not None else "the open position has no mark"
            found.append(Action(target, (alert(f"{position.contract}: {text}", contract=position.contract),)))
        elif not bad and one.value is not None and view.episode_open(target):
            found.append(Rearm(target))
    return found


def deadline(params: Params, view: View) -> int | None:
    due = []
    for position in _watched(view):
        if not view.episode_open(f"{position.contract}.stale"):
            known = view.value(position).value is not None
            due.append(stale_at(view.book, position) if known else _missing_at(view, position))
    return min(due, default=None)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    for position in _watched(view):
        mark = view.book.marks.get(position.contract)
        unseen = mark is None or position.awaits_mark or view.value(position).value is None
        if mark is None or unseen or view.episode_open(f"{position.contract}.stale"):
            bounds.never = True
        else:
            bounds.gaps[position.contract] = mark.valid_ns


def stands(profile: Any, needs: tuple[str, ...]) -> Params | None:
    return Params() if "quotes" in needs else None


FEED = Rule(
    "FEED",
    "feed",
    "Stale and missing marks",
    5,
    Params,
    evaluate,
    deadline=deadline,
    quiet=quiet,
    stands=stands,
    advice=wording.MARKS,
)
