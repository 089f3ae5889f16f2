"""RULE-012, tightening: the longer a position is held, the closer its stop (RULES.md 5)."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core.loosening import in_force_now
from riskcore.core.quantities import price_text
from riskcore.core.rules import by_name
from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from tests.core.ledger import Ledger
from tests.core.rules.test_trade_management import STOP, TRAILING, held, managing, moved, prints, sizes
from tests.core.test_rebuild import assert_refolds

HALF_HOUR = [{"minutes": 30, "distance_ticks": 6}]


def tightening(levels: list[dict[str, int]] = HALF_HOUR, **blocks: Any) -> Ledger:
    return managing(tighten_after=levels, **blocks)


def test_rule_012_example_3_held_for_thirty_minutes() -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4990"), "ES", "5001", "5000.25")
    assert moved(day.tick("10:29:59.999")) == []
    assert moved(day.tick("10:30:00")) == ["4999.5"]


def test_a_short_mirrors() -> None:
    day = prints(held(tightening(), "ES", -2, "5000", "5010"), "ES", "4999", "5000")
    assert moved(day.tick("10:30:00")) == ["5000.5"]


def test_the_stop_goes_on_following_the_best_mark() -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4990"), "ES", "5001").tick("10:30:00")
    prints(day, "ES", "5000.50", "5001.25", "5001", "5003")
    assert moved(day) == ["4999.5", "4999.75", "5001.5"]


def test_each_level_is_closer_than_the_one_before() -> None:
    levels = [{"minutes": 10, "distance_ticks": 20}, {"minutes": 20, "distance_ticks": 8}]
    day = prints(held(tightening(levels), "ES", 1, "5000", "4980"), "ES", "5001")
    day.at("10:09:50").mark("ES", "5000.75").tick("10:10:00").at("10:19:50").mark("ES", "5000.75").tick("10:20:00")
    assert moved(day) == ["4996", "4999"]


def test_it_needs_no_profit() -> None:
    day = prints(held(tightening([{"minutes": 1, "distance_ticks": 20}]), "ES", 1, "5000", "4980"), "ES", "4999")
    assert moved(day.tick("10:01:00")) == ["4995"], "the entry was the best price so far"


def test_a_stop_that_is_closer_already_is_left_alone() -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4999.75"), "ES", "5001").tick("10:30:00")
    assert moved(day) == []


@pytest.mark.parametrize(("mark", "sent"), [("4999.75", True), ("4999.5", False), ("4999.25", False)])
def test_at_or_through_the_market_the_old_stop_stays(mark: str, sent: bool) -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4990"), "ES", "5001")
    day.at("10:29:58").mark("ES", mark).tick("10:30:00")
    assert moved(day) == (["4999.5"] if sent else [])
    assert len([text for text in day.alerts if "through the market" in text]) == (0 if sent else 1)
    prints(day, "ES", "5000")
    assert moved(day) == ["4999.5"], "sent once the market allows it"


def test_the_tighter_of_trail_and_time_wins() -> None:
    day = prints(held(tightening(**TRAILING), "ES", 1, "5000", "4990"), "ES", "5005").tick("10:30:00")
    assert moved(day) == ["5002.5", "5003.5"]
    levels = [{"minutes": 30, "distance_ticks": 15}]
    day = prints(held(tightening(levels, **TRAILING), "ES", 1, "5000", "4990"), "ES", "5005").tick("10:30:00")
    assert moved(day) == ["5002.5"]


@pytest.mark.parametrize(("what", "expected"), [("create", ["4999.5"]), ("skip", [])])
def test_a_position_without_stop(what: str, expected: list[str]) -> None:
    day = prints(tightening(manage_without_stop=what).fill("ES", 1, "5000"), "ES", "5001").tick("10:30:00")
    assert moved(day) == expected


def test_the_size_follows_after_a_partial_exit() -> None:
    day = prints(held(tightening(), "ES", 3, "5000", "4990"), "ES", "5001").tick("10:30:00")
    day.order(7, "ES", -3, type=STOP, stop="4999.5").fill("ES", -2, "5001", profit="100")
    prints(day, "ES", "5002")
    assert sizes(day)[-2:] == [1, 1]
    assert moved(day)[-1] == "5000.5"


def test_adding_keeps_the_clock_and_a_new_position_starts_it_again() -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4990"), "ES", "5001")
    day.at("10:20:00").fill("ES", 1, "5000.50").mark("ES", "5000.75").tick("10:30:00")
    assert moved(day) == [None, "4999.5"], "first the size, then the price"
    day.fill("ES", -2, "5000.75", profit="50").order(7, "ES", -1, type=STOP, status=3)
    day.fill("ES", 1, "5100").order(8, "ES", -1, type=STOP, stop="5090").mark("ES", "5100")
    assert moved(day.tick("10:59:59")) == [None, "4999.5"]
    assert moved(day.tick("11:00:00")) == [None, "4999.5", "5098.5"]


def test_what_is_stored_folds_to_the_same_state() -> None:
    day = prints(held(tightening(), "ES", 1, "5000", "4990"), "ES", "5001", "5000.25").tick("10:30:00")
    assert_refolds(prints(day, "ES", "5002", "5001", "5003"))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([1, -1]),
    st.lists(st.tuples(st.integers(1, 60), st.integers(-40, 60)), min_size=1, max_size=25),
    st.lists(st.integers(1, 30), min_size=1, max_size=3, unique=True),
)
def test_a_stop_never_goes_back_and_is_always_on_the_grid(
    side: int, steps: list[tuple[int, int]], distances: list[int]
) -> None:
    levels = [{"minutes": 2 * n, "distance_ticks": one} for n, one in enumerate(sorted(distances, reverse=True), 1)]
    day = held(tightening(levels), "ES", side, "5000", str(5000 - 20 * side))
    for seconds, ticks in steps:
        day.now = day.now.fromtimestamp(day.now.timestamp() + seconds, day.now.tzinfo)
        day.mark("ES", price_text((20_000 + side * ticks) * 250_000_000))
    prices = [one.command.price or 0 for one in day.commands if one.command.kind == "ModifyStop"]
    assert all(one % 250_000_000 == 0 for one in prices)
    assert [side * one for one in prices] == sorted(side * one for one in prices)


# ---- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ("[{ minutes = 30, distance_ticks = 6 }, { minutes = 30, distance_ticks = 5 }]", "minutes must rise"),
        ("[{ minutes = 30, distance_ticks = 6 }, { minutes = 60, distance_ticks = 6 }]", "distance_ticks must fall"),
        ("[{ minutes = 0, distance_ticks = 6 }]", "minutes = 0: must be a whole number of at least 1 (min)"),
        ("[{ minutes = 30, distance_ticks = 0 }]", "distance_ticks = 0: must be a whole number of at least 1 (ticks)"),
        ("[{ minutes = 30 }]", "distance_ticks"),
    ],
)
def test_levels_that_make_no_sense_are_refused(levels: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(").replace(")", r"\)")):
        read_settings(f"[rules.trade_management]\nenabled = true\ntighten_after = {levels}\n")


LEVEL = "{{ minutes = {0}, distance_ticks = {1} }}"


@pytest.mark.parametrize(
    ("old", "new", "loosens"),
    [
        ([(30, 6)], [(30, 6), (60, 4)], False),
        ([(30, 6)], [(20, 6)], False),
        ([(30, 6)], [(30, 5)], False),
        ([], [(30, 6)], False),
        ([(30, 6)], [(30, 7)], True),
        ([(30, 6)], [(31, 6)], True),
        ([(30, 6)], [(31, 1)], True),
        ([(30, 6), (60, 4)], [(30, 6)], True),
        ([(30, 6)], [], True),
    ],
)
def test_a_stop_that_may_be_further_away_is_looser(
    old: list[tuple[int, int]], new: list[tuple[int, int]], loosens: bool
) -> None:
    def plain(levels: list[tuple[int, int]]) -> dict[str, Any]:
        text = ", ".join(LEVEL.format(*level) for level in levels)
        return read_settings(f"[rules.trade_management]\nenabled = true\ntighten_after = [{text}]\n").plain

    now = in_force_now(plain(old), plain(new))["rules"]["trade_management"][0]["tighten_after"]
    assert now == plain(old if loosens else new)["rules"]["trade_management"][0]["tighten_after"]


def test_tightening_needs_quotes_and_orders() -> None:
    rule = by_name("trade_management")
    assert rule.needs(rule.params(tighten_after=HALF_HOUR)) == ("positions", "orders", "quotes")
