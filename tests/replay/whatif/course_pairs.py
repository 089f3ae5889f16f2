"""Pairs of courses over random days, without files: what the property tests of what-if run."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options
from replay.whatif.days import days_of
from replay.whatif.market import DayFacts
from riskcore.core import events as e
from riskcore.core.quotes import Quotes
from tests.replay.random_days import RandomDay, settings_of

Plain = dict[str, Any]
NOTHING = {"rules": {}, "accounts": {}}


def recorded(seed: int, count: int = 120) -> list[Quotes | e.Event]:
    return RandomDay(seed, count).items


def days(items: Sequence[Quotes | e.Event], settings: Plain) -> Iterator[DayFacts]:
    return days_of(iter([list(items)]), settings)


def courses(
    items: Sequence[Quotes | e.Event], baseline: Plain, changed: Plain, options: Options | None = None
) -> Courses:
    pair = Courses(Course(baseline), Course(changed), options or Options(), lambda _: changed)
    pair.run(days(items, baseline))
    return pair


def settings(seed: int) -> Plain:
    """Random rules for a random day."""
    return settings_of(Random(seed))
