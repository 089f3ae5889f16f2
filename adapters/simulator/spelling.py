"""The same number in the broker's several spellings: 49909, 49909.0, 49909.000000000 (topstepx/API.md 0.12, 3.6)."""

from adapters.topstepx.fields import Number, Object

_DECIMAL = frozenset(
    (
        *("balance", "price", "profitAndLoss", "fees", "commissions", "averagePrice"),
        *("limitPrice", "stopPrice", "trailPrice", "filledPrice", "o", "h", "l", "c"),
    )
)


def spelled(row: Object, id: int) -> Object:
    """A REST row with its prices and amounts in one of the spellings, chosen by the row's id."""
    manner = id // 3 % 3  # Ids of the exchange go up in threes.
    return row if manner == 0 else _with_decimals(row, 1 if manner == 1 else 9)


def spelled_in_full(row: Object) -> Object:
    """A REST row with nine decimals, as bars have them."""
    return _with_decimals(row, 9)


def _with_decimals(row: Object, decimals: int) -> Object:
    return {name: _longer(value, decimals) if name in _DECIMAL else value for name, value in row.items()}


def _longer(value: int | Number | None, decimals: int) -> Number | None:
    if value is None:
        return None
    whole, _, fraction = (value.text if isinstance(value, Number) else str(value)).partition(".")
    return Number(f"{whole}.{fraction.ljust(decimals, '0')}")
