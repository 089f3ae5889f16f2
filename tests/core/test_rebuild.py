"""Refold = live state (invariant I4): stored events give the same book again, however their quotes were stored."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import events as e
from riskcore.core.quantities import money, price, price_text
from riskcore.core.rebuild import fold, rebuild
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.rules import daily_unrealized_loss
from riskcore.core.state import Book
from riskcore.schema.codec import state_hash
from riskcore.settings.config import read_settings
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"
RULES: dict[str, Any] = {
    "daily_realized_loss": {"loss_limit": money("700"), "basis": "trailing_unrealized"},
    "daily_unrealized_loss": {"loss_limit": money("300"), "confirm_ms": 900},
    "trade_management": {"trailing_stop": {"activation_ticks": 8, "trail_distance_ticks": 4}},
    "cooldown_after_loss": {},
}
OTHER = 99000002


def in_batches(events: list[e.Event]) -> Iterator[e.Event]:
    """The same events with every run of quotes as one event."""
    run: list[tuple[int, str, int | None, int | None, int | None]] = []
    for event in events:
        if isinstance(event.body, e.QuoteObserved):
            run.append((event.at, event.body.contract, event.body.last, event.body.bid, event.body.ask))
            continue
        if run:
            yield e.Event(run[-1][0], "market", "quotes", e.QuotesObserved(tuple(run)))
            run = []
        yield event
    if run:
        yield e.Event(run[-1][0], "market", "quotes", e.QuotesObserved(tuple(run)))


def folded(rulebook: Rulebook, events: list[e.Event]) -> Book:
    book = Book()
    for event in events:
        fold(book, rulebook, event)
    return book


def rebuilt(rulebook: Rulebook, events: list[e.Event]) -> Book:
    book = Book()
    rebuild(book, rulebook, events)
    return book


def assert_refolds(day: Ledger) -> None:
    live, batches = state_hash(day.book), list(in_batches(day.events))
    for events in (day.events, batches):
        assert state_hash(folded(day.rulebook, events)) == live
        assert state_hash(rebuilt(day.rulebook, events)) == live


def test_a_day_of_fills_quotes_bars_and_breaches() -> None:
    day = Ledger(**RULES).at("10:00:00").fill("MNQ", 1, "21000").fill("ES", -1, "6000", account=OTHER)
    for second, last in enumerate(("21001", "21004", "21003", "20990"), 1):
        day.at(f"10:00:0{second}").mark("MNQ", last).quote("ES", bid="5999.75")
    day.at("10:00:06").mark("MNQ", "20840").at("10:00:08").mark("MNQ", "20830").mark("ES", "5998")
    day.fill("MNQ", -1, "20830", profit="-340").bar("ES", "10:01:00", ("5998", "6003", "5990", "6001"))
    day.at("2026-11-23 09:00:00").mark("MNQ", "21000").fill("MNQ", 1, "21000")
    assert {breach.rule for breach in day.breaches} == {"RULE-004", "RULE-007"}
    assert_refolds(day)


def test_what_later_versions_voids_and_the_end_of_the_hours_leave_in_memory() -> None:
    day = Ledger(cooldown_after_loss={}, session_block_outside={"close_at_end": False, "lockout": "none"})
    day.at("10:00:00").fill("MNQ", 1, "21000").fill("MNQ", -1, "20990", trade=70).fill("ES", 3, "6000")
    day.at("10:00:01").fill("MNQ", -1, "20990", profit="-250", trade=70).mark("MNQ", "20990")
    day.at("10:00:02").fill("ES", -1, "5998", profit="-350", trade=71).void(71).mark("ES", "5999")
    day.tick("15:05:00").mark("ES", "5998").fill("ES", -1, "5998", profit="-99").fill("ES", 2, "5998")
    memory = {name: value for name, value in day.account_state.memory.items() if ".tier." in name}
    assert memory == {"cooldown_after_loss.0.tier.70": money("200"), "cooldown_after_loss.0.tier.71": money("300")}
    assert day.account_state.positions[ES].memory == {"session_block_outside.0.allowed": 2}
    assert_refolds(day)
    assert_refolds(day.at("2026-11-23 09:00:00").fill("ES", 1, "5998"))
    assert day.account_state.positions[ES].memory == {}


def test_quiet_quotes_reach_the_book_by_their_last_mark_before_anything_else_and_at_the_end() -> None:
    day = Ledger(**RULES).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21000")
    day.at("10:00:01").quote("MNQ", last="21000.25", ask="21000.50").at("10:00:02").quote("MNQ", bid="20999.75")
    before_push = rebuilt(day.rulebook, day.events)
    mark = before_push.marks[MNQ]
    assert (mark.last, mark.bid, mark.ask) == (price("21000.25"), price("20999.75"), price("21000.50"))
    assert mark.at == before_push.now == nanoseconds(day.now)
    assert_refolds(day.at("10:00:03").push("MNQ", 1, "21000"))


def test_a_batch_with_quotes_that_rules_remember_is_folded_quote_by_quote() -> None:
    day = Ledger(daily_realized_loss=RULES["daily_realized_loss"]).at("10:00:00").fill("MNQ", 1, "21000")
    for second, last in enumerate(("21010", "21030", "21020"), 1):
        day.at(f"10:00:0{second}").mark("MNQ", last)
    batches = list(in_batches(day.events))
    assert [len(event.body.quotes) for event in batches if isinstance(event.body, e.QuotesObserved)] == [3]
    assert rebuilt(day.rulebook, batches).accounts[ACCOUNT].memory == {"daily_realized_loss.0.day.peak": money("60")}
    assert_refolds(day)


def test_an_account_that_nobody_judges_remembers_nothing() -> None:
    day = (
        Ledger(**RULES, profile={"accounts": [str(OTHER)]}).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21010")
    )
    assert rebuilt(day.rulebook, day.events).accounts[ACCOUNT].memory == {}
    assert_refolds(day)


def test_a_rule_without_its_inputs_remembers_nothing() -> None:
    day = Ledger(**RULES, lacks=("quotes",)).at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21010").push("MNQ", 1)
    assert_refolds(day)


def test_a_rule_whose_memory_raises_is_left_as_half_done_as_it_was() -> None:
    def broken(params: Any, view: Any) -> None:
        view.keep_account("half", 1)
        raise KeyError("lost")

    day = Ledger(daily_unrealized_loss={}, daily_realized_loss=RULES["daily_realized_loss"])
    rules = day.rulebook.instances(day.fill("ES", 1, "6000").account_state)
    day.replace_rules(
        *(
            replace(one, rule=replace(one.rule, remember=broken)) if one.rule is daily_unrealized_loss.RULE else one
            for one in rules
        )
    )
    day.mark("ES", "6002").closed("-10")
    assert len(day.bodies(e.RuleFaulted)) == 1
    again = rebuilt(day.rulebook, day.events)
    assert again.accounts[ACCOUNT].memory["daily_unrealized_loss.0.half"] == 1
    assert state_hash(again) == state_hash(day.book)


def test_a_bar_whose_first_extreme_is_a_breach() -> None:
    day = Ledger(**RULES).at("10:00:00").fill("ES", -1, "5986")
    day.bar("ES", "10:01:00", ("5986", "6000", "5980", "5986"))
    assert day.breach_times == ["10:02:00"]
    assert_refolds(day)


# ---- properties --------------------------------------------------------------------------------------

DEED = st.tuples(
    st.sampled_from(("quote", "quote", "quote", "bid", "fill", "push", "bar", "tick", "order")),
    st.sampled_from(("ES", "MNQ")),
    st.integers(-60, 60),
    st.sampled_from((50, 700, 4000, 12_000)),
)
START = {"ES": price("6000"), "MNQ": price("21000")}


def do(day: Ledger, sizes: dict[str, int], deed: tuple[str, str, int, int]) -> None:
    kind, root, ticks, milliseconds = deed
    day.now += timedelta(milliseconds=milliseconds)
    value = price_text(START[root] + ticks * price("0.25"))
    if kind == "quote":
        day.mark(root, value)
    elif kind == "bid":
        day.quote(root, bid=value)
    elif kind == "fill":
        side = 1 if ticks > 0 else -1
        day.fill(root, side, value, profit=str(ticks) if sizes[root] * side < 0 else None, fees="1.20")
        sizes[root] += side
    elif kind == "push":
        day.push(root, sizes[root], value)
    elif kind == "bar":
        day.now += timedelta(minutes=1)
        opens = (day.now + timedelta(minutes=1)).replace(second=0, microsecond=0)
        reach = milliseconds // 50 % 100 * price("0.25")  # 1, 14, 80 or 40 ticks: beyond a limit, or nowhere near.
        high, low = (price_text(price(value) + sign * reach) for sign in (1, -1))
        day.bar(root, opens.strftime("%H:%M:%S"), (value, high, low, value))
    elif kind == "order":
        day.order(7, root, -1 if ticks > 0 else 1, type=4, stop=value, status=1 if ticks % 3 else 3)
    else:
        day.tick()


@pytest.mark.parametrize("mode", ["last", "conservative"])
@given(st.lists(DEED, min_size=1, max_size=16))
@settings(max_examples=40, deadline=None)
def test_any_day_is_rebuilt_to_the_last_byte(mode: str, deeds: list[tuple[str, str, int, int]]) -> None:
    day, sizes = Ledger(**RULES, profile={"mark": mode}).at("09:00:00"), {"ES": 0, "MNQ": 0}
    for deed in deeds:
        do(day, sizes, deed)
    assert_refolds(day)


def test_new_settings_are_remembered_by_from_their_own_event_on() -> None:
    table = '[rules.daily_realized_loss]\nloss_limit = 700\nbasis = "trailing_unrealized"\n'
    old, new = (read_settings(f"[profile]\n[rules.daily_unrealized_loss]\n{more}").plain for more in ("", table))
    day, began = Ledger(settings=old), rulebook_of(old)
    day.at("10:00:00").fill("MNQ", 1, "21000").mark("MNQ", "21030")
    day.at("10:00:01").take(e.ConfigChanged(new), "config:1", "operator")
    day.at("10:00:02").mark("MNQ", "21020")
    assert day.account_state.memory == {"daily_realized_loss.0.day.peak": money("60")}
    assert state_hash(rebuilt(began, day.events)) == state_hash(day.book)
