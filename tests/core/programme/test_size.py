"""PROG-SIZE and PROG-SCALING: the firm's caps on contracts (PROGRAMME.md 3.2, 3.3 and 5)."""

from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.programme.scaling import lots_by, product_caps
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import FRACTION_SCALE
from tests.core.ledger import ACCOUNT, Ledger, usd
from tests.core.programme.terms import combine, under, xfa

CAPS_50K = {"GC": 3, "CL": 3, "MGC": 30, "MCL": 30, "SIL": 2, "MHG": 2, "SI": 0, "HG": 0, "PL": 0}
SHARES = {"GC": 625_000, "CL": 625_000, "MGC": 6_250_000, "MCL": 6_250_000, "SIL": 500_000, "MHG": 500_000}
SCALING_50K = ((None, 2), (usd("1500"), 3), (usd("2000"), 5))
SCALING_150K = ((None, 3), (usd("1500"), 4), (usd("2000"), 5), (usd("3000"), 10), (usd("4500"), 15))
CAPS_150K = {"GC": 9, "MGC": 90, "SIL": 6}


def day_of_combine(**changed: Any) -> Ledger:
    terms = combine(size_cap_units=50, product_caps=tuple(CAPS_50K.items()), **changed)
    return under(terms).account(balance="50000")


def day_of_xfa(balance: str, **changed: Any) -> Ledger:
    terms = xfa(
        scaling=SCALING_50K,
        product_caps=tuple(CAPS_50K.items()),
        product_shares=tuple(SHARES.items()),
        first_payout_taken=True,
        **changed,
    )
    return under(terms).account(balance=balance)


def held(day: Ledger, root: str, size: int) -> Ledger:
    return day.take(e.PositionObserved(ACCOUNT, day.contract(root), size), "position")


def cuts(day: Ledger) -> list[tuple[str, str, int | None, int | None]]:
    return [
        (one.command.kind, str(one.command.contract).split(".")[3], one.command.to, one.command.size)
        for one in day.commands
        if one.command.kind in ("ReducePosition", "ClosePosition")
    ]


def test_programme_size_example_four_gold_are_one_too_many() -> None:
    assert cuts(held(day_of_combine(), "GC", 3)) == []
    day = held(day_of_combine(), "GC", 4)
    assert cuts(day) == [("ReducePosition", "GCE", 3, 1)]
    assert day.breaches[0].figures == {"count": "4", "limit": "3", "cap": "restricted"}


def test_programme_size_example_three_micro_silver_are_one_too_many() -> None:
    assert cuts(held(day_of_combine(), "SIL", 2)) == []
    assert cuts(held(day_of_combine(), "SIL", 3)) == [("ReducePosition", "SIL", 2, 1)]


def test_programme_size_example_a_micro_bitcoin_counts_as_a_mini() -> None:
    assert cuts(held(day_of_combine(), "MBT", 5)) == []
    day = held(day_of_combine(), "MBT", 6)
    assert cuts(day) == [("ReducePosition", "MBT", 5, 1)]
    assert day.breaches[0].figures == {"count": "60", "limit": "50", "cap": "total"}


def test_programme_size_example_silver_is_not_allowed_at_all() -> None:
    assert cuts(held(day_of_combine(), "SI", 1)) == [("ClosePosition", "SIE", None, None)]


def test_programme_size_example_the_product_first_then_the_total_over_what_is_left() -> None:
    day = held(held(day_of_combine(), "ES", 3), "GC", 4)
    assert cuts(day) == [("ReducePosition", "GCE", 2, 2)]
    assert [(one.target, one.figures["count"]) for one in day.breaches] == [("GC", "4"), ("total", "60")]


def test_programme_size_example_an_xfa_at_700_may_hold_twelve_micro_gold() -> None:
    assert cuts(held(day_of_xfa("700"), "MGC", 12)) == []
    assert cuts(held(day_of_xfa("700"), "MGC", 13)) == [("ReducePosition", "MGC", 12, 1)]


def test_one_breach_until_within_the_cap_again() -> None:
    day = held(held(held(held(day_of_combine(), "ES", 6), "ES", 7), "ES", 5), "ES", 6)
    assert [one.target for one in day.breaches] == ["total", "total"]


def test_two_expiries_of_a_root_count_together() -> None:
    day = day_of_combine()
    for contract, size in (("CON.F.US.GCE.Z26", 2), ("CON.F.US.GCE.G27", 2)):
        day.take(e.PositionObserved(ACCOUNT, contract, size), "position")
    assert cuts(day) == [("ReducePosition", "GCE", 1, 1)]


@pytest.mark.parametrize(
    ("balance", "lots"), [("1499.99", 2), ("1500", 3), ("1999.99", 3), ("2000", 5), ("100000", 5), ("-500", 2)]
)
def test_programme_scaling_example_the_steps(balance: str, lots: int) -> None:
    day = day_of_xfa(balance)
    assert cuts(held(day, "ES", lots)) == []
    held(day, "ES", lots + 1)
    assert cuts(day) == [("ReducePosition", "EP", lots, 1)]
    assert day.breaches[0].figures["cap"] == "scaling"


def test_the_other_reading_takes_the_lower_tier_at_a_step() -> None:
    terms = Terms("test", scaling=SCALING_50K, readings={"scaling_boundary": "lower"})
    assert [lots_by(terms, usd(amount)) for amount in ("1500", "1500.01", "2000", "2000.01")] == [2, 3, 3, 5]


def test_programme_scaling_example_the_cap_does_not_rise_within_a_session() -> None:
    day = day_of_xfa("1480").at("10:00:00").closed("600", contract="MNQ").account(balance="2080")
    held(day, "ES", 3)
    assert cuts(day) == [("ReducePosition", "EP", 2, 1)]
    held(day, "ES", 0)
    day.at("2026-11-23 09:00").tick()
    assert cuts(held(day, "ES", 5)) == [("ReducePosition", "EP", 2, 1)]


def test_programme_scaling_example_a_payout_lowers_the_cap_at_once() -> None:
    day = held(day_of_xfa("2100"), "ES", 4)
    assert cuts(day) == []
    day.take(e.PayoutRecorded(ACCOUNT, usd("700")), "payout", "operator")
    assert cuts(day) == [("ReducePosition", "EP", 2, 2)]


def test_the_share_of_the_lots_counts_up_to_the_ceiling() -> None:
    terms = Terms("test", product_caps=tuple(CAPS_150K.items()), product_shares=tuple(SHARES.items()))
    table = {
        lots: tuple(product_caps(terms, lots)[root] for root in ("GC", "MGC", "SIL")) for lots in (3, 4, 5, 10, 15)
    }
    assert table == {3: (1, 18, 1), 4: (2, 25, 2), 5: (3, 31, 2), 10: (6, 62, 5), 15: (9, 90, 6)}


def test_a_fixed_number_of_lots_scales_products_where_the_account_does_not() -> None:
    terms = Terms("test", product_lots=2, product_shares=(("GC", FRACTION_SCALE * 5 // 8),), product_caps=(("GC", 1),))
    assert product_caps(terms, None) == {"GC": 1}


def test_an_unknown_balance_caps_nothing_that_depends_on_it() -> None:
    terms = xfa(scaling=SCALING_50K, product_caps=tuple(CAPS_50K.items()))
    day = held(under(terms), "ES", 20)
    assert cuts(day) == []
    assert cuts(held(day, "SI", 1)) == [("ClosePosition", "SIE", None, None)]


def test_in_shadow_it_records_and_cuts_nothing() -> None:
    day = held(day_of_combine(enforce=()), "ES", 6)
    assert [one.shadow for one in day.breaches] == [True]
    assert day.kinds == []
