"""No look-ahead: cutting a recording anywhere changes nothing before the cut (WHATIF.md 1, issue "Correctness")."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest

from replay.whatif.broker import Assumptions
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options
from riskcore.core.events import BarObserved, Event, TradeRecorded
from riskcore.core.quotes import Quotes
from tests.replay.whatif.course_pairs import NOTHING, days, recorded, settings

POLICIES = ("follow", "freeze", "stop")
Items = list[Quotes | Event]
# 2,000 cuts in all. Only days on which the counterfactual's broker does something are cut: what it does
# is looked up in the day as a whole, so that is where knowledge of the future would come from.
GROUPS, CUTS_OF_A_GROUP, CUTS_OF_A_DAY = 10, 200, 20
SEEDS_OF_A_GROUP = 1_000


def one_by_one(items: Items) -> Items:
    """Every quote an item of its own, so that a cut may fall between any two; no bars."""
    found: Items = []
    for item in items:
        if isinstance(item, Quotes):
            found += [item.part(row, row + 1) for row in range(len(item.ats))]
        elif not isinstance(item.body, BarObserved):
            # A close inside a bar is executed at a price of the whole bar: that is what a range is for.
            found.append(item)
    return found


def joined(items: Items) -> Items:
    """Quotes that follow one another as columns, as a reader delivers them."""
    found: Items = []
    for item in items:
        last = found[-1] if found else None
        if isinstance(item, Quotes) and isinstance(last, Quotes):
            found[-1] = Quotes(*(before + after for before, after in zip(last, item, strict=True)))
        else:
            found.append(item)
    return found


def run(items: Items, seed: int, changed: dict[str, Any]) -> tuple[list[Event], bool]:
    """Everything that the counterfactual was told and decided, and whether its broker was asked for anything."""
    kept: list[Event] = []
    base = {**changed, **NOTHING}
    options = Options(policy=POLICIES[seed % 3], assumptions=Assumptions(latency_ns=(0, 250_000_000)[seed % 2]))
    counterfactual = Course(changed, listeners=(kept.extend,))
    courses = Courses(Course(base), counterfactual, options, lambda _: changed)
    courses.run(days(joined(items), base))
    return kept, courses.asked


def days_to_cut(first: int) -> Iterator[tuple[int, dict[str, Any], Items, list[Event]]]:
    """Small days on which the broker is asked for something: seed, settings, facts, what came of them."""
    for seed in range(first, first + SEEDS_OF_A_GROUP):
        items, changed = one_by_one(recorded(seed, 12 + seed % 24)), settings(seed + 1000)
        whole, asked = run(items, seed, changed)
        if asked:
            yield seed, changed, items, whole


def fills_of(events: Sequence[Event], until: int) -> dict[tuple[int, str], list[tuple[int, int, int]]]:
    """What the counterfactual's broker executed before an instant, by account and contract: time, size, price."""
    found: dict[tuple[int, str], list[tuple[int, int, int]]] = {}
    for event in events:
        body = event.body
        if event.key.startswith("whatif:fill") and event.at < until and isinstance(body, TradeRecorded):
            found.setdefault((body.account, body.contract), []).append((event.at, body.size, body.price))
    return found


def known_until(items: Items, part: Sequence[Event], whole: Sequence[Event]) -> int:
    """Up to when a cut may change nothing: its own time, or that of a close which only the rest would have priced.

    The cut prices such a close at the last mark, so that there is one fill more before it than in the whole recording.
    """
    last = items[-1]
    until = ends = last.at if isinstance(last, Event) else last.ats[-1]
    executed = fills_of(whole, ends)
    for name, fills in fills_of(part, ends).items():
        known = executed.get(name, [])
        if len(fills) > len(known):
            until = min(until, next(fill[0] for fill in fills if fill not in known))
    return until


@pytest.mark.parametrize("group", range(GROUPS))
def test_a_cut_changes_nothing_before_it(group: int) -> None:
    random, cuts, compared = Random(group), 0, 0
    for seed, changed, items, whole in days_to_cut(group * SEEDS_OF_A_GROUP):
        places = random.sample(range(1, len(items)), min(CUTS_OF_A_DAY, len(items) - 1, CUTS_OF_A_GROUP - cuts))
        for place in places:
            part, _ = run(items[:place], seed, changed)
            until = known_until(items[:place], part, whole)
            before = [event for event in part if event.at < until]
            assert before == [event for event in whole if event.at < until], f"seed {seed}, cut at {place}"
            compared += len(before)
        cuts += len(places)
        if cuts == CUTS_OF_A_GROUP:
            break
    assert cuts == CUTS_OF_A_GROUP
    assert compared > 5 * cuts
