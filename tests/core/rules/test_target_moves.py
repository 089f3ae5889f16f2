"""RULE-012, the target: moved further away at multiples of R (RULES.md 5)."""

from typing import Any

import pytest

from riskcore.core.quantities import fraction, price_text
from riskcore.core.state import OrderTerms
from riskcore.errors import ConfigError
from riskcore.settings.config import read_settings
from tests.core.broker import Desk
from tests.core.ledger import Ledger
from tests.core.rules.test_trade_management import PRESET, STOP, managing, prints
from tests.core.test_rebuild import assert_refolds

LEVELS = [("1.5", "3"), ("2.5", "5")]


def levels(*pairs: tuple[str, str]) -> list[dict[str, int]]:
    return [{"at_r": fraction(at_r), "target_r": fraction(target_r)} for at_r, target_r in pairs]


def moving(*pairs: tuple[str, str], **blocks: Any) -> Ledger:
    return managing(move_target=levels(*(pairs or LEVELS)), **blocks)


def bracketed(day: Ledger, size: int = 1, target: str = "5004", stop: str = "4998") -> Ledger:
    """A position at 5000 with a stop, order 7, and a target, order 8: R is 8 ticks where the stop is 2 points away."""
    day.fill("ES", size, "5000").order(7, "ES", -size, type=STOP, stop=stop)
    return day.order(8, "ES", -size, limit=target)


def targets(day: Ledger) -> list[tuple[int | None, str]]:
    return [
        (issued.command.order_id, price_text(issued.command.price or 0))
        for issued in day.commands
        if issued.command.kind == "ModifyTarget"
    ]


@pytest.mark.parametrize(("mark", "expected"), [("5002.75", []), ("5003", [(8, "5006")]), ("5003.25", [(8, "5006")])])
def test_rule_012_example_3_the_target_goes_to_three_r(mark: str, expected: list[tuple[int, str]]) -> None:
    day = prints(bracketed(moving()), "ES", mark)
    assert targets(day) == expected
    assert {issued.command.side for issued in day.commands} <= {-1}


@pytest.mark.parametrize(("mark", "expected"), [("4997.25", []), ("4997", [(8, "4994")]), ("4996.75", [(8, "4994")])])
def test_a_short_mirrors(mark: str, expected: list[tuple[int, str]]) -> None:
    assert targets(prints(bracketed(moving(), -2, "4996", "5002"), "ES", mark)) == expected


def test_once_per_level() -> None:
    day = prints(bracketed(moving()), "ES", "5003", "5002", "5003")
    day.order(8, "ES", -1, limit="5006")
    assert targets(prints(day, "ES", "5004.75", "5005", "5004", "5005.50")) == [(8, "5006"), (8, "5010")]


def test_a_jump_over_several_levels_is_one_move() -> None:
    assert targets(prints(bracketed(moving(), target="5040"), "ES", "5005")) == [(8, "5010")]


def test_a_target_moved_by_hand_is_left_alone_until_the_next_level() -> None:
    day = prints(bracketed(moving()), "ES", "5003").order(8, "ES", -1, limit="5006")
    day.order(8, "ES", -1, limit="5004.50")
    assert targets(prints(day, "ES", "5003.50", "5004.25")) == [(8, "5006")]
    day.order(8, "ES", -1, limit="5020")
    assert targets(prints(day, "ES", "5005")) == [(8, "5006"), (8, "5010")]


def test_without_a_target_nothing_happens_and_the_level_is_used_up() -> None:
    day = moving().fill("ES", 1, "5000").order(7, "ES", -1, type=STOP, stop="4998")
    prints(day, "ES", "5003").order(8, "ES", -1, limit="5004")
    assert targets(prints(day, "ES", "5003.25")) == []


def test_without_a_stop_there_is_no_r_and_no_move() -> None:
    day = moving().fill("ES", 1, "5000").order(8, "ES", -1, limit="5004")
    assert targets(prints(day, "ES", "5003.75")) == []


def test_r_is_that_of_the_first_stop() -> None:
    day = bracketed(moving()).order(7, "ES", -1, type=STOP, stop="4999.75")
    assert targets(prints(day, "ES", "5001", "5002.75")) == []
    assert targets(prints(day, "ES", "5003")) == [(8, "5006")]


def test_the_bracket_leg_goes_before_a_nearer_limit_and_the_nearest_limit_before_others() -> None:
    day = bracketed(moving(), 2, "5010").order(9, "ES", -1, limit="5004")
    assert targets(prints(day, "ES", "5003")) == [(9, "5006")]
    day = bracketed(moving(), 2, "5004").order(9, "ES", -2, limit="5010", parent=3)
    assert targets(prints(day, "ES", "5003")) == [(9, "5006")]


@pytest.mark.parametrize(("size", "expected"), [(2, [(9, "5006")]), (3, [])])
def test_a_limit_that_would_open_the_other_side_is_no_target(size: int, expected: list[tuple[int, str]]) -> None:
    day = moving().fill("ES", 2, "5000").order(7, "ES", -2, type=STOP, stop="4998")
    assert targets(prints(day.order(9, "ES", -size, limit="5004"), "ES", "5003")) == expected


@pytest.mark.parametrize("status", [6, 8])
def test_a_limit_that_does_not_work_yet_is_no_target(status: int) -> None:
    day = moving().fill("ES", 1, "5000").order(7, "ES", -1, type=STOP, stop="4998")
    assert targets(prints(day.order(9, "ES", -1, limit="5004", status=status, parent=3), "ES", "5003")) == []


def test_a_target_that_is_there_already_needs_no_move() -> None:
    assert targets(prints(bracketed(moving(), target="5006"), "ES", "5003")) == []


@pytest.mark.parametrize(("mark", "expected"), [("5005.75", [(8, "5006")]), ("5006", []), ("5006.25", [])])
def test_to_a_price_the_market_is_through_there_is_no_move(mark: str, expected: list[tuple[int, str]]) -> None:
    day = prints(bracketed(moving(("1.5", "3")), target="5020"), "ES", mark)
    assert targets(day) == expected
    assert len(day.alerts) == (0 if expected else 1)


@pytest.mark.parametrize(("size", "expected"), [(1, "5006.25"), (-1, "4994.25")])
def test_the_price_is_on_the_grid_and_never_short_of_the_multiple(size: int, expected: str) -> None:
    """Entered at 5000 and a third (short) or 5000.0833: the target is rounded away from the market."""
    day = moving(("1.5", "3"))
    day.fill("ES", size, "5000").fill("ES", size, "5000").fill("ES", size, "5000.25")
    day.order(7, "ES", -3 * size, type=STOP, stop="4998" if size > 0 else "5002")
    day.order(8, "ES", -3 * size, limit="5004" if size > 0 else "4996")
    [(_, price)] = targets(prints(day, "ES", "5004" if size > 0 else "4996"))
    risk = 2 + 1 / 12 if size > 0 else 2 - 1 / 12
    assert size * float(price) >= size * (5000 + 1 / 12) + 3 * risk - 1e-9
    assert price == ("5006.5" if size > 0 else "4994.25")


def test_after_a_partial_exit_the_target_goes_on() -> None:
    day = bracketed(moving(partial_exits=PRESET), 4)
    prints(day, "ES", "5003")
    assert [issued.command.kind for issued in day.commands] == ["ReducePosition", "ModifyTarget"]
    day.fill("ES", -2, "5003", profit="300").order(7, "ES", -2, type=STOP, stop="4998").order(8, "ES", -2, limit="5006")
    prints(day, "ES", "5005")
    assert targets(day) == [(8, "5006"), (8, "5010")]


def test_a_position_that_is_being_closed_is_left_to_the_close() -> None:
    day = bracketed(
        Ledger(trade_management={"move_target": levels(*LEVELS)}, max_unrealized_profit={"profit_target": 1})
    )
    assert targets(prints(day, "ES", "5001", "5003")) == []


def test_what_is_stored_folds_to_the_same_state() -> None:
    assert_refolds(prints(bracketed(moving()), "ES", "5003", "5002", "5005", "5004"))


# ---- carried out -------------------------------------------------------------------------------------


def desk() -> Desk:
    made = Desk(trade_management={"move_target": levels(*LEVELS)}).at("10:00:00").snapshot()
    return prints(bracketed(made).push("ES", 1), "ES", "5003")  # type: ignore[arg-type,return-value]


def test_the_order_is_changed_at_the_broker() -> None:
    made = desk()
    [planned] = made.planned
    assert (planned.kind, planned.order_id, planned.terms) == ("modifyOrder", 8, OrderTerms(limit_price=5006 * 10**9))
    made.attempt().accept().order(8, "ES", -1, limit="5006")
    assert made.account_state.obligations == {}
    assert made.account_state.requests == {}


def test_a_refused_change_is_tried_again_and_you_are_alerted_at_the_third() -> None:
    made = desk()
    for _ in range(3):
        made.attempt("modify").refuse("modify").later(1).snapshot(("ES", 1))
        made.later(5).snapshot(("ES", 1))
    assert [one.kind for one in made.planned].count("modifyOrder") >= 3
    assert len([text for text in made.alerts if "modifyOrder" in text]) == 1


def test_nothing_is_left_to_change_once_the_target_has_filled() -> None:
    made = desk().attempt().order(8, "ES", -1, limit="5004", status=2, filled=1)
    made.fill("ES", -1, "5004", profit="200", order=8).push("ES", 0)
    assert made.account_state.obligations == {}


def test_a_newer_wish_takes_the_place_of_the_older_one() -> None:
    made = desk()
    prints(made, "ES", "5005")
    assert [one.price for one in made.account_state.obligations.values()] == [5010 * 10**9]


# ---- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{ at_r = 1.5, target_r = 3 }, { at_r = 1.5, target_r = 4 }]", "at_r must rise"),
        ("[{ at_r = 1.5, target_r = 1.5 }]", "target_r must be above at_r"),
        ("[{ at_r = 0, target_r = 3 }]", "at_r = 0"),
        ("[{ at_r = 1.5 }]", "target_r"),
    ],
)
def test_levels_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_settings(f"[rules.trade_management]\nenabled = true\nmove_target = {text}\n")


def test_levels_are_read_as_a_trader_writes_them() -> None:
    plain = read_settings("[rules.trade_management]\nenabled = true\nmove_target = [{ at_r = 1.5, target_r = 3 }]\n")
    assert plain.plain["rules"]["trade_management"][0]["move_target"] == levels(("1.5", "3"))
