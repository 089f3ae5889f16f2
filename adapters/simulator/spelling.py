"""The same number in the broker's several spellings: 49909, 49909.0, 49909.000000000 (topstepx/API.md 0.12, 3.6)."""

from adapters.topstepx.fields import Number, Object

_DECIMAL = frozenset(
    (
        *("balance", "price", "profitAndLoss", "fees", "commissions", "averagePrice"),
        *("limitPrice", "stopPrice", "trailPrice", "filledPrice", "o", "h", "l", "c"),
    )
)
_AS_SHORT_AS_POSSIBLE, _ONE_DECIMAL, NINE_DECIMALS = 0, 1, 2


def spelled(row: Object, id: int) -> Object:
    """A REST row with its prices and amounts in one of the spellings, chosen by the row's id."""
    manner = id % 3
    if manner == _AS_SHORT_AS_POSSIBLE:
        return row
    decimals = 1 if manner == _ONE_DECIMAL else 9
    return {name: _longer(value, decimals) if name in _DECIMAL else value for name, value in row.items()}


def _longer(value: int | Number | None, decimals: int) -> Number | None:
    if value is None:
        return None
    whole, _, fraction = (value.text if isinstance(value, Number) else str(value)).partition(".")
    return Number(f"{whole}.{fraction.ljust(decimals, '0')}")
