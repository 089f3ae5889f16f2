"""A fill as one row, the same for whoever asks for it."""

from riskcore.core.order_words import side_word
from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Trade
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row


def fill_row(trade: Trade) -> Row:
    """A fill with its amounts; None where the broker named none."""
    amounts = {"pnl": trade.profit_usd, "fees": trade.fees_usd, "commissions": trade.commissions_usd}
    return {
        "id": trade.id,
        "order": trade.order_id,
        "at": utc_text(trade.placed_at),
        "contract": trade.contract,
        "side": side_word(trade.side),
        "size": trade.size,
        "price": price_text(trade.price),
        **{name: None if value is None else money_text(value) for name, value in amounts.items()},
        "voided": trade.voided,
    }
