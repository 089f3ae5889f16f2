"""Which fills are judged together: each fill, an order's fills, or a round trip's (RULE-006, RULE-007)."""

from riskcore.core.fills import order_key_of
from riskcore.core.state import Trade
from riskcore.core.view import View

FILL = "fill"
ORDER = "order"


def unit_of(trade: Trade, unit: str) -> tuple[str, int]:
    """What names the unit a fill belongs to; any unit but fill and order is the round trip."""
    if unit == FILL:
        return ("", trade.id)
    if unit == ORDER:
        return ("", order_key_of(trade))
    return (trade.contract, trade.round_trip)


def counting_fills(view: View) -> list[Trade]:
    """The fills that count, in the order they were recorded."""
    return [trade for trade in view.account.trades.values() if not trade.voided]


def result_usd(trade: Trade, pnl_basis: str) -> int:
    """What a fill adds to the realised P&L by the basis; an opening fill adds its costs only (RULES.md 1.5)."""
    profit_usd = trade.profit_usd or 0
    return profit_usd - trade.costs_usd() if pnl_basis == "net" else profit_usd
