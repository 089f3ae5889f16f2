"""What sides and types of orders are called (topstepx/API.md 3.1)."""

from typing import Literal

from riskcore.core.state import (
    BUY,
    SELL,
    TYPE_JOIN_ASK,
    TYPE_JOIN_BID,
    TYPE_LIMIT,
    TYPE_MARKET,
    TYPE_STOP,
    TYPE_STOP_LIMIT,
    TYPE_TRAILING_STOP,
)

SideWord = Literal["buy", "sell"]
SIDES: dict[str, int] = {"buy": BUY, "sell": SELL}
ORDER_TYPES = {
    TYPE_LIMIT: "limit",
    TYPE_MARKET: "market",
    TYPE_STOP_LIMIT: "stop limit",
    TYPE_STOP: "stop",
    TYPE_TRAILING_STOP: "trailing stop",
    TYPE_JOIN_BID: "join bid",
    TYPE_JOIN_ASK: "join ask",
}
# The types you can place, as you type them. The broker takes no stop limit through its API (API.md 2.3).
PLACED_TYPES = {name.replace(" ", "-"): number for number, name in ORDER_TYPES.items() if number != TYPE_STOP_LIMIT}


def side_word(side: int) -> SideWord | None:
    """The word of a side; None for 0, which names none."""
    return "buy" if side > 0 else "sell" if side < 0 else None
