"""Limits in several levels, and when the money limits of the programme are judged (PROGRAMME.md 5).

One mark gives one breach, at the deepest level that it reaches; the milder ones count as reached with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from riskcore.core.events import MARKING, Command
from riskcore.core.marks import CONSERVATIVE, TotalValuation
from riskcore.core.restart import POSITIONS, TRADES, awaited
from riskcore.core.rules.base import Action, Breach, Finding, Quiet
from riskcore.core.rules.commands import alert
from riskcore.core.rules.day_total import narrow_by_total, open_positions
from riskcore.core.view import View

_JUDGED_START = "judged_start"


@dataclass(frozen=True, slots=True)
class Level:
    """Reached when a total is at `threshold_usd` or below. `target` names its episode."""

    name: str
    target: str
    threshold_usd: int


# What is done at a level, given whether a milder or the same one has been reached today.
Consequence = Callable[[Level, bool], tuple[Command, ...]]


def remember_start(view: View) -> None:
    """After a start the state is judged once, when the broker has listed it; a mark may be long in coming."""
    started_at = view.book.started_at
    if not started_at or view.recall_account(_JUDGED_START) == started_at:
        return
    unseen = awaited(view.book, view.account)
    if POSITIONS not in unseen and TRADES not in unseen:
        view.keep_account(_JUDGED_START, started_at)
        view.notes[view.rule_key] = True


def is_judged(view: View) -> bool:
    """Whether this event is one to judge: a mark while something is open, a fill, or the first sight after a start.

    A correction is judged only where it is of an earlier day, whose limits it may have changed (RULES.md 1.1).
    """
    effect = view.effect
    if effect.late:
        return True
    if effect.trade is not None:
        return not effect.history
    if isinstance(view.event.body, MARKING) or view.rule_key in view.notes:
        return bool(open_positions(view))
    return False


def conservative_total(view: View, realised_usd: int) -> TotalValuation:
    """A realised amount with open results beside it, at the prices at which they could be closed."""
    total = view.total(CONSERVATIVE)
    return TotalValuation(
        realised_usd + total.value, realised_usd + total.fresh, total.stale, total.incomplete, total.from_bars
    )


def deepest(levels: Sequence[Level], value_usd: int) -> int:
    """The index of the deepest level that a value reaches, -1 for none. Levels come mildest first."""
    return max((index for index, level in enumerate(levels) if value_usd <= level.threshold_usd), default=-1)


def is_reached(view: View, levels: Sequence[Level], index: int) -> bool:
    """Whether a level counts as reached: it was, or today a deeper one was."""
    assert view.book.day is not None, "levels are judged on an open day"
    if view.episode_open(levels[index].target):
        return True
    since = (view.episode_since(level.target) for level in levels[index + 1 :])
    return any(at is not None and at >= view.book.day.opens_at for at in since)


def level_findings(
    view: View,
    levels: Sequence[Level],
    total: TotalValuation,
    figures: Callable[[Level], dict[str, str]],
    commands: Consequence,
    flags: tuple[str, ...] = (),
) -> Sequence[Finding]:
    """What a total means. What rests on a stale mark is recorded and alerts; it acts once the fresh part is there."""
    flags = (*total.flags, *flags)
    index = deepest(levels, total.value)
    if index < 0:
        return ()
    if view.effect.late:
        level = levels[index]
        return () if is_reached(view, levels, index) else (Breach(level.target, figures(level), flags=flags),)
    acting = min(index, deepest(levels, total.fresh))
    if acting >= 0 and not is_reached(view, levels, acting):
        level = levels[acting]
        issued = commands(level, any(is_reached(view, levels, milder) for milder in range(acting)))
        if view.episode_open(_stale_target(level)):
            return (Action(level.target, issued),)
        return (Breach(level.target, figures(level), issued, flags=flags),)
    level = levels[index]
    if acting == index or is_reached(view, levels, index) or view.episode_open(_stale_target(level)):
        return ()
    return (
        Breach(
            _stale_target(level), figures(level), (alert("a loss at the limit rests on a stale mark"),), flags=flags
        ),
    )


def _stale_target(level: Level) -> str:
    return f"day.stale.{level.name}"


def narrow_by_levels(view: View, bounds: Quiet, levels: Sequence[Level], value_usd: int) -> None:
    """Quiet until the next level that has not been reached."""
    open_levels = [one.threshold_usd for index, one in enumerate(levels) if not is_reached(view, levels, index)]
    if open_levels:
        narrow_by_total(view, bounds, value_usd - max(open_levels), None, CONSERVATIVE)


def next_objection(view: View, levels: Sequence[Level], value_usd: int) -> Level | None:
    """The level that would be breached at the next fill, since nothing is judged while the account is flat."""
    index = deepest(levels, value_usd)
    return None if index < 0 or is_reached(view, levels, index) else levels[index]
