"""An order asked about before it is placed: what riskcore would refuse, and what its entry or its stop would break."""

import asyncio
from typing import Any

import pytest

from riskcore.engine.desk_check import Verdict, check
from riskcore.errors import ConfigError
from tests.core.ledger import usd
from tests.engine.answering_desk import AnsweringDesk, SmallMarket

FINE = Verdict(True, None, "")


def asked(desk: AnsweringDesk, size: int = 1, side: str = "buy", **others: Any) -> Verdict:
    before = (len(desk.events), len(desk.planned))
    verdict = asyncio.run(check(desk, SmallMarket(), {"contract": "MNQ", "side": side, "size": size, **others}))
    assert (len(desk.events), len(desk.planned)) == before, "nothing is stored and nothing sent"
    return verdict


def with_fees(**rules: Any) -> AnsweringDesk:
    """0.50 a side are known, and 1.00 of a loss limit is used."""
    desk = AnsweringDesk(**rules)
    desk.fill("MNQ", 1, "21000", fees="0.50").push("MNQ", 1)
    desk.fill("MNQ", -1, "21000", profit="0", fees="0.50").push("MNQ", 0).mark("MNQ", "21000")
    return desk


def test_without_rules_any_order_is_fine() -> None:
    assert asked(AnsweringDesk()) == FINE


@pytest.mark.parametrize(("size", "rule"), [(1, None), (2, None), (3, "RULE-001")])
def test_a_size_at_the_limit_is_fine_and_one_more_is_not(size: int, rule: str | None) -> None:
    assert asked(AnsweringDesk(max_contracts={"limit": 2}), size).rule == rule


# 2 contracts, 40 ticks of 0.50 away: 40 of loss and 2 of fees, beside the 1 that was paid before.
@pytest.mark.parametrize(("limit", "rule"), [("43.01", None), ("43", "RULE-003"), ("42.99", "RULE-003")])
def test_a_stop_at_the_daily_loss_limit_is_one_too_far(limit: str, rule: str | None) -> None:
    desk = with_fees(daily_realized_loss={"loss_limit": usd(limit)})
    verdict = asked(desk, 2, stop_loss_ticks=40)
    assert (verdict.allowed, verdict.rule) == (rule is None, rule)
    if rule is not None:
        assert verdict.text == "2 more with the stop 40 ticks away would break RULE-003"
    assert asked(desk, 1, stop_loss_ticks=40) == FINE
    assert asked(desk, 2, "sell", stop_loss_ticks=40).rule == rule


def test_a_loss_limit_cannot_be_tried_without_a_stop() -> None:
    verdict = asked(with_fees(daily_realized_loss={"loss_limit": usd("43")}), 2)
    assert verdict == Verdict(True, None, "not tried against the loss limits: give the distance of the stop")


def test_a_lockout_names_its_rule_and_what_reduces_is_allowed() -> None:
    desk = AnsweringDesk(daily_realized_loss={"loss_limit": usd("100")})
    desk.fill("MNQ", 2, "21000").push("MNQ", 2).fill("MNQ", -1, "20900", profit="-200").push("MNQ", 1)
    locked = asked(desk)
    assert (locked.allowed, locked.rule) == (False, "RULE-003")
    assert not asked(desk, 2, "sell").allowed, "a flip opens"


@pytest.mark.parametrize("enforces", [True, False])
def test_a_dry_run_answers_alike(enforces: bool) -> None:
    desk = AnsweringDesk(max_contracts={"limit": 2})
    desk.book.enforces = enforces
    assert asked(desk, 2) == FINE
    assert asked(desk, 3).rule == "RULE-001"
    assert desk.book.enforces is enforces


def test_what_reduces_is_fine_and_a_flip_is_not_tried() -> None:
    desk = with_fees(daily_realized_loss={"loss_limit": usd("43")})
    desk.fill("MNQ", 2, "21000", fees="1").push("MNQ", 2).mark("MNQ", "21000")
    assert asked(desk, 2, "sell") == FINE
    flip = asked(desk, 3, "sell", stop_loss_ticks=4)
    assert flip == Verdict(True, None, "not tried against the loss limits: it reverses the position")


def test_a_breached_limit_leaves_no_room() -> None:
    desk = with_fees(daily_realized_loss={"loss_limit": usd("1"), "action": "alert"})
    assert asked(desk, stop_loss_ticks=4).rule == "RULE-003"


def test_words_that_make_no_order_are_refused() -> None:
    with pytest.raises(ConfigError, match="side is buy or sell"):
        asked(AnsweringDesk(), side="long")
    with pytest.raises(ConfigError, match="limit price"):
        asked(AnsweringDesk(), limit_price="much")
