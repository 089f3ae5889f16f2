"""Exact quantities: text to integer and back, nothing lost, nothing rounded before the last digit (RULES.md 1.2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core import quantities as q

AMOUNTS = st.integers(-(10**20) + 1, 10**20 - 1)
ES = (250_000_000, 12_500_000)


@given(AMOUNTS)
@settings(deadline=None)
def test_text_of_an_amount_reads_back_as_the_amount(value: int) -> None:
    assert q.price(q.price_text(value)) == value
    assert q.money(q.money_text(value)) == value
    assert q.money(q.limit_text(value)) == value
    assert q.fraction(q.fraction_text(value)) == value


@given(AMOUNTS, st.integers(0, 9))
@settings(deadline=None)
def test_a_shifted_number_is_the_same_number(value: int, places: int) -> None:
    text = q.decimal_text(value, 6)
    assert q.money(f"{text}e{places}") == value * 10**places if abs(value) < 10**10 else True
    assert q.money(f"+{text}" if value >= 0 else text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("21000.25", 21_000_250_000_000),
        ("5.", 5_000_000_000),
        ("1e-9", 1),
        ("2.5E2", 250_000_000_000),
        ("0.0000000005", 0),  # Half to even: down to 0,
        ("0.0000000015", 2),  # up to 2,
        ("0.00000000149", 1),
        ("0.00000000151", 2),
        ("0.0000000025", 2),  # and down to 2 again.
        ("-0.0000000015", -2),
        ("999999999999999", 999_999_999_999_999 * 10**9),
        ("999999999999999.999999999", 10**24 - 1),
    ],
)
def test_prices_from_text(text: str, value: int) -> None:
    assert q.price(text) == value


@pytest.mark.parametrize("text", ["", "nan", "Infinity", "1,5", "0x10", " 1", "1 ", "--1", ".5", "1e", "１", "1e1000"])
def test_what_is_no_finite_decimal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        q.exact(text, 6)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1000000000000000", "too large"),
        ("1e15", "too large"),
        ("999999999999999.9999999999", "too large"),
        ("1" + "0" * 60, "too long"),
        ("0." + "0" * 60, "too long"),
        ("0e55", "too long"),
    ],
)
def test_what_never_comes_from_a_futures_account_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        q.price(text)


def test_the_longest_numbers_that_are_read() -> None:
    assert q.price("0." + "0" * 59) == 0
    assert q.money("0e54") == 0
    assert q.money("9e14") == 9 * 10**20


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-501_660_000, "-501.66"), (-4_500_000, "-4.50"), (5_000_000, "5.00"), (-1, "-0.000001")],
)
def test_money_is_shown_as_a_statement_shows_it(value: int, text: str) -> None:
    assert q.money_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(500_000_000, "500"), (500_500_000, "500.5"), (0, "0")])
def test_limits_are_shown_as_a_trader_writes_them(value: int, text: str) -> None:
    assert q.limit_text(value) == text


@pytest.mark.parametrize(
    ("points", "value"),
    [
        (250_000_000, 12_500_000),
        (-250_000_000, -12_500_000),
        (8_000_000_000 * -1, -400_000_000),  # "ES down 8 points = -$200" is a trap: it is -$400.
        (0, 0),
    ],
)
def test_value_of_a_move(points: int, value: int) -> None:
    assert q.move_value(points, *ES) == value


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9), st.integers(1, 10**9))
@settings(deadline=None)
def test_the_value_of_a_move_is_symmetric_and_cut_towards_zero(points: int, tick_size: int, tick_value: int) -> None:
    value = q.move_value(points, tick_size, tick_value)
    assert q.move_value(-points, tick_size, tick_value) == -value
    assert abs(value) * tick_size <= abs(points) * tick_value < (abs(value) + 1) * tick_size
