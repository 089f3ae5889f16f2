"""Columns of prices hold exactly what they were given, in either width."""

from replay.whatif.prices import UNSAID, Prices


def test_prices_come_back_as_they_were() -> None:
    column, given = Prices(), [21_000_250_000_000, None, -37_630_000_000, 0]
    column.extend(given)
    assert column.part(0, 4) == given
    assert [column[place] for place in range(4)] == [21_000_250_000_000, UNSAID, -37_630_000_000, 0]


def test_a_finer_price_widens_the_column_and_changes_nothing() -> None:
    column = Prices()
    column.extend([21_000_250_000_000, None])
    column.extend([110_015_625_000, None])
    assert column.part(0, 4) == [21_000_250_000_000, None, 110_015_625_000, None]
    assert (column[1], column[2]) == (UNSAID, 110_015_625_000)


def test_a_price_beyond_four_bytes_widens_the_column() -> None:
    for last in ((2**31 - 1) * 10**6, -(2**31) * 10**6):
        column = Prices()
        column.extend([5, last])
        assert column.part(0, 2) == [5, last]


def test_extremes_are_the_first_of_their_price() -> None:
    for finer in (0, 1):
        column = Prices()
        column.extend([5_000_000, 3_000_000 + finer, None, 3_000_000 + finer, 9_000_000, 9_000_000, 4_000_000])
        assert column.extremes(0, 7) == [(1, 3_000_000 + finer), (4, 9_000_000)]
        assert column.extremes(2, 3) == []
        assert column.extremes(6, 7) == [(6, 4_000_000)]
