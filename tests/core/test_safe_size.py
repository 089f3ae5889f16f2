"""The safe size against the core itself: opening it and stopping out breaches nothing, one more breaches `rule`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.audit.following import safe_sizes
from riskcore.core.events import ConnectionChanged
from riskcore.core.quantities import money
from tests.core.ledger import ACCOUNT, Ledger

MNQ = "CON.F.US.MNQ.Z26"
AT = 21000 * 4  # The mark in ticks.
TICK_CENTS = 50  # One tick of one MNQ.
FEE_CENTS = 37
NEVER_COUNT = ("RULE-005", "RULE-012", "RULE-013", "GUARD")


def ticks(count: int) -> str:
    return f"{count // 4}.{count % 4 * 25:02d}"


def dollars(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def row_of(day: Ledger, stop_ticks: int | None = None, contract: str = MNQ) -> dict[str, Any]:
    [row] = [
        one for one in safe_sizes(day.book, day.rulebook, day.account_state, stop_ticks) if one["contract"] == contract
    ]
    return row


def size_and_rule(day: Ledger, stop_ticks: int | None = None) -> tuple[int | None, str | None]:
    row = row_of(day, stop_ticks)
    return row["size"], row["rule"]


def quoted(held: int = 0, realised_cents: int = 0, **rules: Any) -> Ledger:
    """MNQ at 21000 with a known rate of 0.37 a side, a closed result before, and maybe a position from there."""
    day = Ledger(**rules).at("09:00:00").fill("MNQ", 1, ticks(AT), fees=dollars(FEE_CENTS)).push("MNQ", 1)
    gross = dollars(realised_cents + 2 * FEE_CENTS)
    day.fill("MNQ", -1, ticks(AT), profit=gross, fees=dollars(FEE_CENTS)).push("MNQ", 0).at("11:00:00")
    if held:
        day.fill("MNQ", held, ticks(AT), fees=dollars(FEE_CENTS * abs(held))).push("MNQ", held)
    return day.at("12:30:00").mark("MNQ", ticks(AT))


def broken_by(day: Ledger, size: int, stop_ticks: int, side: int) -> list[str]:
    """The rules that breach when so many are opened at the mark, and all that is held is closed at the stop."""
    before, held = len(day.breaches), day.account_state.positions[MNQ].size
    whole, stop = held + side * size, AT - side * stop_ticks
    if size:
        day.fill("MNQ", side * size, ticks(AT), fees=dollars(FEE_CENTS * size)).push("MNQ", whole)
    day.mark("MNQ", ticks(stop))
    profit = dollars((stop - AT) * whole * TICK_CENTS)
    if whole:
        day.fill("MNQ", -whole, ticks(stop), profit=profit, fees=dollars(FEE_CENTS * abs(whole))).push("MNQ", 0)
    return [one.rule for one in day.breaches[before:] if one.rule not in NEVER_COUNT]


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_contracts": st.builds(
            lambda limit, weighting: {"limit": limit, "weighting": weighting},
            st.integers(1, 40),
            st.sampled_from(["contracts", "mini_equivalent"]),
        ),
        "max_contracts_per_instrument": st.builds(lambda limit: {"limits": {"MNQ": limit}}, st.integers(0, 30)),
        "daily_realized_loss": st.builds(
            lambda limit, basis: {"loss_limit": money(str(limit)), "basis": basis},
            st.integers(50, 2000),
            st.sampled_from(["realized", "combined", "trailing_realized", "trailing_unrealized"]),
        ),
        "daily_unrealized_loss": st.builds(
            lambda limit, scope: {"loss_limit": money(str(limit)), "scope": scope},
            st.integers(20, 900),
            st.sampled_from(["per_position", "total"]),
        ),
        "cooldown_after_loss": st.builds(
            lambda amount: {"loss_thresholds": [{"loss_amount": money(str(amount)), "cooldown_seconds": 60}]},
            st.integers(50, 900),
        ),
        "trade_frequency_limit": st.builds(lambda limit: {"per_session": limit, "per_hour": None}, st.integers(4, 8)),
        "max_unrealized_profit": st.just({"profit_target": money("100")}),
        "daily_realized_profit": st.just({"profit_target": money("100")}),
    },
)


@settings(max_examples=150, deadline=None)
@given(LIMITS, st.integers(-4, 4), st.integers(-300_00, 90_00), st.integers(1, 200))
def test_the_size_breaches_nothing_and_one_more_breaches_its_rule(
    rules: dict[str, Any], held: int, realised_cents: int, stop_ticks: int
) -> None:
    def day() -> Ledger:
        return quoted(held, realised_cents, **rules)

    first = day()
    if first.account_state.lockouts or first.breaches:
        return  # Sizes under a lockout and after a breach have tests of their own.
    size, rule = size_and_rule(first, stop_ticks)
    sides = [1, -1] if not held else [1 if held > 0 else -1]
    if size is None:
        assert all(broken_by(day(), 10_000, stop_ticks, side) == [] for side in sides)
        return
    if size:
        assert all(broken_by(day(), size, stop_ticks, side) == [] for side in sides)
    assert rule in [one for side in sides for one in broken_by(day(), size + 1, stop_ticks, side)]


# ---- by hand -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ticks_away", "size"), [(49, 12), (50, 11), (51, 11), (599, 1), (600, 0)])
def test_an_open_loss_at_the_stop_stays_above_the_limit(ticks_away: int, size: int) -> None:
    """RULE-004 at 300: n contracts lose n × ticks × 0.50, and 300.00 itself is a breach (12 × 50 ticks)."""
    day = quoted(daily_unrealized_loss={"loss_limit": money("300")})
    assert size_and_rule(day, ticks_away) == (size, "RULE-004")


def test_fees_of_both_sides_are_paid() -> None:
    """RULE-003 at 100: a contract with a stop of 40 ticks costs 20.00 and 0.74 of fees, so four fit and not five."""
    day = quoted(daily_realized_loss={"loss_limit": money("100")})
    assert size_and_rule(day, 40) == (4, "RULE-003")
    day = quoted(daily_realized_loss={"loss_limit": money("103.70")})
    assert size_and_rule(day, 40) == (4, "RULE-003")
    day = quoted(daily_realized_loss={"loss_limit": money("103.71")})
    assert size_and_rule(day, 40) == (5, "RULE-003")


def test_what_is_held_leaves_with_what_is_added() -> None:
    rules = {"daily_realized_loss": {"loss_limit": money("100"), "basis": "combined"}}
    assert size_and_rule(quoted(held=2, **rules), 40) == (2, "RULE-003")
    assert size_and_rule(quoted(held=-2, **rules), 40) == (2, "RULE-003")


@pytest.mark.parametrize(("held", "size"), [(4, 1), (5, 0), (0, 5)])
def test_a_count_alone_needs_no_stop(held: int, size: int) -> None:
    day = quoted(held=held, max_contracts={"limit": 5})
    assert size_and_rule(day) == (size, "RULE-001")
    assert row_of(day)["stop_ticks"] is None


def test_without_a_stop_a_loss_limit_has_no_answer() -> None:
    row = row_of(quoted(max_contracts={"limit": 5}, daily_unrealized_loss={}))
    assert (row["size"], row["rule"]) == (None, None)
    assert "--stop-ticks" in row["text"]


def test_the_working_stop_is_the_distance_then_that_of_the_rule_that_places_one() -> None:
    rules: dict[str, Any] = {"daily_unrealized_loss": {"loss_limit": money("300")}}
    day = quoted(held=1, **rules).order(7, "MNQ", -1, type=4, stop=ticks(AT - 100))
    assert row_of(day)["stop_ticks"] == 100
    assert size_and_rule(day) == (4, "RULE-004")  # 5 more would be 6 × 50.00.
    day = quoted(**rules, no_stop_loss_grace={"place_stop_ticks": 120})
    assert row_of(day)["stop_ticks"] == 120
    assert size_and_rule(day) == (4, "RULE-004")
    assert row_of(day, 20)["stop_ticks"] == 20


@pytest.mark.parametrize(("stop", "size"), [(None, 4), ("5990.00", 2)])
def test_other_positions_count_at_their_working_stop_else_at_the_mark(stop: str | None, size: int) -> None:
    """ES long 1 loses 12.50 a tick: with its stop 10 points away 500.00 of the 1000 are gone."""
    day = quoted(daily_unrealized_loss={"loss_limit": money("1000"), "scope": "total"})
    day.fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000")
    if stop is not None:
        day.order(8, "ES", -1, type=4, stop=stop)
    assert size_and_rule(day, 400) == (size, "RULE-004")


def test_a_loss_of_another_position_alone_is_not_held_against_the_size() -> None:
    day = quoted(daily_unrealized_loss={"loss_limit": money("300")}, max_contracts={"limit": 5})
    day.fill("ES", 1, "6000").push("ES", 1).mark("ES", "6000").order(8, "ES", -1, type=4, stop="5990")
    assert size_and_rule(day, 40) == (4, "RULE-001")


@pytest.mark.parametrize(
    "rules",
    [
        {"max_unrealized_profit": {"profit_target": money("1")}},
        {"daily_realized_profit": {"profit_target": money("1")}},
        {"max_contracts": {"limit": 1, "shadow": True}},
        {"max_contracts": {"limit": 1, "enabled": False}},
    ],
)
def test_profit_rules_and_shadow_rules_do_not_count(rules: dict[str, Any]) -> None:
    assert size_and_rule(quoted(max_contracts_per_instrument={"limits": {"MNQ": 3}}, **rules), 40) == (3, "RULE-002")


def test_nothing_is_safe_while_locked_blind_or_breached() -> None:
    locked = quoted(realised_cents=-500_00, daily_realized_loss={"loss_limit": money("500")})
    assert size_and_rule(locked, 40) == (0, "RULE-003")
    told = quoted(realised_cents=-500_00, daily_realized_loss={"loss_limit": money("500"), "action": "alert"})
    assert size_and_rule(told, 40) == (0, "RULE-003")
    blind = quoted(daily_realized_loss={}, max_contracts={"limit": 5})
    blind.take(ConnectionChanged("user", "lost"), "connection.user", "gateway")
    row = row_of(blind, 40)
    assert (row["size"], "blind" in row["text"]) == (0, True)


def test_no_contract_fits_where_one_is_not_allowed() -> None:
    assert size_and_rule(quoted(max_contracts_per_instrument={"limits": {"MNQ": 0}}), 40) == (0, "RULE-002")
    outside = quoted(session_block_outside={}).at("15:00:00").mark("MNQ", ticks(AT))
    assert size_and_rule(outside, 40) == (0, "RULE-009")
    assert size_and_rule(quoted(symbol_blocks={"blocked_symbols": ["MNQ"]}), 40) == (0, "RULE-011")


def test_when_flat_the_side_that_allows_less_counts() -> None:
    """Net, long 3 ES leaves room for 2 more long and 8 short."""
    day = quoted(max_contracts={"limit": 5, "count_type": "net"}).fill("ES", 3, "6000").push("ES", 3)
    assert size_and_rule(day, 40) == (2, "RULE-001")


def test_what_no_rule_bounds_has_no_number() -> None:
    day = quoted(trade_frequency_limit={})
    assert size_and_rule(day, 40) == (None, None)
    assert "no rule bounds" in row_of(day, 40)["text"]


def test_it_tries_on_a_copy() -> None:
    day = quoted(held=2, daily_realized_loss={"loss_limit": money("100"), "basis": "trailing_unrealized"})
    before, count = repr(day.book), len(day.events)
    size_and_rule(day, 40)
    assert (repr(day.book), len(day.events)) == (before, count)


def test_unknown_fees_are_said() -> None:
    day = Ledger(max_contracts={"limit": 5}).at("10:00:00").fill("ES", 1, "6000").mark("MNQ", "21000")
    assert "fees unknown" in row_of(day)["text"]


@pytest.mark.parametrize("start", [0, 1, 3, 4, 5, 6, 40])
def test_the_answer_does_not_depend_on_where_the_search_begins(start: int) -> None:
    day = quoted(max_contracts={"limit": 4})
    found = {(ACCOUNT, MNQ, side): start for side in (1, -1)}
    [row] = safe_sizes(day.book, day.rulebook, day.account_state, 40, found)
    assert (row["size"], row["rule"], set(found.values())) == (4, "RULE-001", {4})
