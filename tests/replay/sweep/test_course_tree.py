"""One pass for many settings gives what each of them gives by itself (WHATIF.md 7)."""

import os
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given as from_examples
from hypothesis import settings as how
from hypothesis import strategies as st

from replay.sweep.course_tree import CourseTree, in_one_pass
from replay.sweep.course_tree_rulebook import Tables
from replay.sweep.course_tree_rules import Chain, Variant, chains_of
from replay.sweep.plain_way import plainly
from replay.sweep.settings import Changed
from replay.whatif.course import Course
from replay.whatif.courses import Courses
from replay.whatif.market import DayFacts, Told
from riskcore.core.events import AccountObserved, ConfigChanged, Event, TradeRecorded
from riskcore.core.quantities import SECOND_NS, price
from riskcore.core.quotes import Quotes
from riskcore.core.rules import by_name
from riskcore.settings.config import load_settings
from tests.core.ledger import CHICAGO, nanoseconds
from tests.replay.random_days import RandomDay
from tests.replay.sweep.given_days import given, nothing_on, random_sweep

# RISKCORE_EXAMPLES makes it a long campaign of fresh days.
EXAMPLES = int(os.environ.get("RISKCORE_EXAMPLES", "3"))


def same_both_ways(seed: int, count: int) -> None:
    pieces, ways, settings = random_sweep(seed, count)
    for piece in pieces:
        assert list(in_one_pass(piece, ways, settings)) == list(plainly(piece, ways, settings))


@pytest.mark.timeout(300 + 20 * EXAMPLES)
@how(max_examples=EXAMPLES, deadline=None)
@from_examples(st.integers(0, 2**32))
def test_one_pass_gives_what_each_setting_gives_by_itself(seed: int) -> None:
    same_both_ways(seed, 25)


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(60))
def test_one_pass_gives_the_same_on_longer_days(seed: int) -> None:
    same_both_ways(seed, 150)


def under(*sets: str) -> dict[str, Any]:
    return load_settings(None, sets).plain


def tree(items: list[Any], *grid: dict[str, Any]) -> CourseTree:
    pieces, ways = given(items, nothing_on(grid[0]))
    settings = [Changed(one) for one in grid]
    found = CourseTree(pieces[0], ways, settings)
    assert found.outcomes() == list(plainly(pieces[0], ways, settings))
    return found


def test_settings_that_decide_alike_share_one_course() -> None:
    # None of these limits is reached: a day that cannot change is run once for all of them.
    limits = (40_000, 50_000, 60_000)
    grid = [under(f"rules.daily_realized_loss.loss_limit={limit}") for limit in limits]
    assert tree(RandomDay(3, 30).items, *grid).courses == 1


def test_a_course_forks_where_the_decisions_differ() -> None:
    # Twenty limits that all bite or all do not: as many courses as there are outcomes, not as there are limits.
    limits = [*range(1, 11), *range(90_000, 90_010)]
    grid = [under(f"rules.daily_realized_loss.loss_limit={limit}") for limit in limits]
    courses = tree(RandomDay(3, 40).items, *grid).courses
    assert 1 < courses <= 11


def test_settings_that_leave_along_quotes_take_no_fact_before_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mnq, opens_at = "CON.F.US.MNQ.Z26", nanoseconds(datetime(2026, 11, 20, 10, tzinfo=CHICAGO))
    bought = TradeRecorded(1, 1, mnq, price("21000"), 1, 1, opens_at, None, 0, 0, 1)
    facts: list[Any] = [Event(opens_at, "user", f"account@{n}", AccountObserved(1)) for n in range(5)]
    facts.append(Event(opens_at, "user", "trade@1", bought))
    ats = [opens_at + second * SECOND_NS for second in range(1, 11)]
    marks = [price(str(21000 - 10 * second)) for second in range(1, 11)]
    quotes = Quotes(ats, [mnq] * 10, [*marks], [*marks], [*marks])
    behind: list[Any] = [Event(ats[-1], "user", f"account@{n}", AccountObserved(1)) for n in range(5, 8)]
    grid = [under(f"rules.daily_unrealized_loss.loss_limit={limit}") for limit in (50, 100, 9_000)]
    tree([*facts, quotes, *behind], *grid)
    pieces, ways = given([*facts, quotes, *behind], nothing_on(grid[0]))
    taken: list[str] = []
    told = Courses._told

    def counted(courses: Courses, day: DayFacts, item: Told) -> None:
        taken.append(item.event.key)
        told(courses, day, item)

    monkeypatch.setattr(Courses, "_told", counted)
    found = CourseTree(pieces[0], ways, [Changed(one) for one in grid])
    found.outcomes()
    assert found.courses == 3
    assert len(taken) == len(facts) + 3 * len(behind)


@pytest.mark.parametrize(
    ("table", "field", "values"),
    [
        # Timers, what rules remember, lockouts that end by time, closes by quotes: each must part where it differs.
        ("no_stop_loss_grace", "grace_period_seconds", (1, 2, 5, 30)),
        ("trade_management", "max_hold_minutes", (1, 2, 30)),
        ("daily_unrealized_loss", "confirm_ms", (0, 300, 1_500)),
        ("session_block_outside", "flatten_before_end_seconds", (0, 600, 3_000)),
        ("cooldown_after_loss", "unit", ('"fill"', '"order"', '"round_trip"')),
        ("trade_frequency_limit", "session_lockout", ('"until_reset"', '"duration:60"', '"duration:900"')),
        ("daily_realized_profit", "profit_target", (5, 20, 60)),
        ("max_unrealized_profit", "profit_target", (5, 20, 60)),
        ("max_contracts", "limit", (1, 2, 3, 9)),
        ("period_loss", "loss_limit", (5, 40, 9_000)),
    ],
)
def test_what_a_field_can_change_is_the_same_as_by_itself(table: str, field: str, values: tuple[Any, ...]) -> None:
    always = ("rules.trade_frequency_limit.per_session=4", "rules.daily_unrealized_loss.loss_limit=30")
    on = f"rules.{table}.enabled=true"
    tree(RandomDay(11, 30).items, *[under(on, *always, f"rules.{table}.{field}={value}") for value in values])


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("daily_realized_loss.loss_limit", range(5, 305, 12)),
        ("daily_unrealized_loss.loss_limit", range(1, 126, 5)),
        ("max_unrealized_profit.profit_target", range(1, 126, 5)),
        ("daily_realized_profit.profit_target", range(5, 305, 12)),
        ("trade_frequency_limit.per_minute", range(1, 10)),
        ("trade_frequency_limit.per_hour", range(1, 20)),
        ("trade_frequency_limit.per_session", range(1, 30)),
    ],
)
def test_a_range_of_limits_is_judged_by_its_ends(field: str, values: range) -> None:
    table, name = field.split(".")
    assert name in by_name(table).monotone
    on = (f"rules.{table}.enabled=true", "rules.daily_realized_loss.basis=combined")
    for seed in (2, 13):
        tree(RandomDay(seed, 40).items, *[under(*on, f"rules.{table}.{name}={value}") for value in values])


def test_a_chain_asks_few_and_answers_all() -> None:
    asked: list[int] = []

    def answer(variant: Variant) -> bool:
        asked.append(variant.params)
        return bool(variant.params >= 700)

    chain = Chain([Variant(number, 1 << number) for number in range(1_000)])
    answers: dict[bool, int] = {True: 0, False: 0}
    for members, found in chain.answers(answer):
        answers[found] |= members
    assert answers == {False: (1 << 700) - 1, True: (1 << 1_000) - (1 << 700)}
    assert len(asked) <= 25


def test_the_baseline_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    take = Course.take

    def counted(course: Course, event: Event) -> None:
        if not course.settings["rules"]:
            taken.append(event.key)
        take(course, event)

    grid = [under(f"rules.daily_realized_loss.loss_limit={limit}") for limit in range(1, 100, 9)]
    pieces, ways = given(RandomDay(3, 40).items, nothing_on(grid[0]))
    monkeypatch.setattr(Course, "take", counted)
    found = CourseTree(pieces[0], ways, [Changed(one) for one in grid])
    found.outcomes()
    assert found.courses > 1
    assert len(taken) == sum(isinstance(item, Told) for day in pieces[0].days for item in day.items)


@pytest.mark.parametrize(
    "cells",
    [
        ("profile.mark=last", "profile.mark=conservative"),
        ("programme.size=50K", "programme.size=100K"),
        ("rules.max_contracts.enabled=true", "rules.max_contracts.enabled=false"),
        ("rules.max_contracts.shadow=true", "rules.max_contracts.shadow=false"),
    ],
)
def test_what_settings_cannot_share_makes_courses_of_their_own(cells: tuple[str, ...]) -> None:
    always = ("programme.name=topstep", "programme.stage=combine", "rules.max_contracts.limit=1")
    start = ("programme.size=50K",)
    assert tree(RandomDay(5, 30).items, *[under(*always, *start, one) for one in cells]).courses == 2


def test_one_account_s_own_table_parts_only_the_settings_that_differ_in_it() -> None:
    always = "rules.max_contracts.limit=9"
    cells = [f"accounts.99000001.rules.max_contracts.limit={limit}" for limit in (1, 2, 30, 40)]
    assert 1 < tree(RandomDay(7, 40).items, *[under(always, one) for one in cells]).courses < 4


def test_a_day_whose_settings_change_is_run_for_each_setting() -> None:
    day = RandomDay(9, 30)
    grid = [under(f"rules.daily_realized_loss.loss_limit={limit}") for limit in (10, 400)]
    changed = Event(
        day.items[-1].at if isinstance(day.items[-1], Event) else day.now, "operator", "c", ConfigChanged(grid[1])
    )
    pieces, ways = given([*day.items, changed], nothing_on(grid[0]))
    settings = [Changed(one) for one in grid]
    assert list(in_one_pass(pieces[-1], ways, settings)) == list(plainly(pieces[-1], ways, settings))


def test_warnings_are_no_part_of_what_settings_decide() -> None:
    settings = under("rules.daily_realized_loss.loss_limit=400", "rules.max_contracts.warn_at=[0.5]")
    silent = Tables().without_warnings(settings)
    assert [table["warn_at"] for tables in silent["rules"].values() for table in tables] == [(), ()]
    assert settings["rules"]["max_contracts"][0]["warn_at"] is not None


def test_a_limit_that_is_off_is_in_no_chain_with_those_that_are_on() -> None:
    rule = by_name("trade_frequency_limit")
    tables = [
        under(f"rules.trade_frequency_limit.per_minute={limit}")["rules"]["trade_frequency_limit"][0]
        for limit in ("off", 2, 10)
    ]
    variants = [Variant(rule.build(table), 1 << index) for index, table in enumerate(tables)]
    chains = chains_of(rule, variants)
    assert sorted([one.params.per_minute for one in chain] for chain in chains if len(chain) > 1) == [[2, 10]]
    assert sum(map(len, chains)) == 3
