"""Warnings before a limit: one alert for each share of it that is crossed, in each episode.

A rule that has `warn_at` calls `approaching` with its own gauges. RULES.md names the field for RULE-003 and RULE-014;
for the other rules it is off unless it is written.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from riskcore.core.kinds import AlertLevel
from riskcore.core.quantities import FRACTION_SCALE, share_text
from riskcore.core.rules.base import PROFIT, Action, Finding, Reading, Rearm, spec
from riskcore.core.rules.commands import alert
from riskcore.core.view import View

WarnAt = tuple[int, ...] | None


def warn_at_spec() -> Any:
    """The field `warn_at` of a rule for which RULES.md names none."""
    return spec(
        None,
        "fractions",
        low=0,
        high=FRACTION_SCALE,
        optional=True,
        doc="shares of the limit at which to alert, such as [0.7, 0.9]",
    )


_WARN = ".warn."


def warning_target(about: str, share: int) -> str:
    """Names the episode of a warning: it ends with what the reading's target, `about`, is about."""
    return f"{about}{_WARN}{share}"


def is_warning(target: str) -> bool:
    """Whether an action's target is that of a warning before a limit."""
    return _WARN in target


def unwarned(warn_at: WarnAt, view: View, target: str) -> list[int]:
    """The shares that have not been warned of in this episode, in 1e-6 of the limit, ascending."""
    return [share for share in warn_at or () if not view.episode_open(warning_target(target, share))]


def approach_text(reading: Reading, share: int) -> str:
    """The share of a limit that is reached, with the number at it and what is left."""
    limit = "the limit" if reading.room is None else "the way to the floor"
    used = f"{share_text(share)} of {limit} of {reading.limit_text} is reached"
    about = f"{reading.contract}: " if reading.contract and reading.contract not in reading.name else ""
    return f"{about}{reading.name} {reading.text(reading.shown)}: {used}, {reading.text(reading.remaining)} left"


def approaching(
    warn_at: WarnAt,
    view: View,
    readings: Iterable[Reading],
    says: Callable[[Reading, int], str] = approach_text,
) -> Sequence[Finding]:
    """An alert for each share that is newly crossed, and the end of what may be crossed again.

    A limit that is breached needs no warning for as long as its episode goes on, whatever is recovered. A fill of an
    earlier day is about limits that are over.
    """
    if not warn_at or view.effect.late:
        return ()
    found: list[Finding] = []
    for reading in readings:
        for share in warn_at if reading.fresh else ():
            target = warning_target(reading.target, share)
            warned = view.episode_open(target)
            if not reading.reaches(share):
                found += [Rearm(target)] if warned and reading.rearms else []
            elif not (warned or reading.breaches or view.episode_open(reading.target)):
                level: AlertLevel = "info" if reading.kind == PROFIT else "warning"
                contract = reading.contract if reading.contract in view.account.positions else None
                found.append(Action(target, (alert(says(reading, share), level, contract),)))
    return found


def next_share(warn_at: WarnAt, view: View, target: str) -> int:
    """The next share at which a rule acts on what it measures: a warning, or the limit itself."""
    return min(unwarned(warn_at, view, target), default=FRACTION_SCALE)
