"""Fills, orders and flattens with who made each, as rows of the audit."""

from riskcore.audit.attribution import EXTERNAL
from riskcore.audit.log import AuditLog
from riskcore.audit.words import order_row
from riskcore.core.order_words import side_word
from riskcore.core.quantities import money_text, price_text
from riskcore.core.state import Trade
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row


def fill_rows(log: AuditLog) -> list[Row]:
    """Every fill, in the order of recording. That of a close of riskcore names its request and its slippage."""
    sent = log.enforcement.fill_rows()
    return [
        {
            "id": trade.id,
            "at": utc_text(trade.placed_at),
            "recorded_at": utc_text(trade.recorded_at),
            "account": account,
            "trade_date": trade.trade_date,
            "contract": trade.contract,
            "side": side_word(trade.side),
            "size": trade.size,
            "price": price_text(trade.price),
            "pnl": None if trade.profit_usd is None else money_text(trade.profit_usd),
            "order": trade.order_id,
            "voided": trade.voided,
            **log.maker_of_fill(account, trade).row(),
            **sent.get((account, trade.id), {}),
        }
        for account, trade in _fills(log)
    ]


def order_rows(log: AuditLog) -> list[Row]:
    """Every order, as it was last known. What its fills say of a foreign close, they say of the order."""
    made: dict[tuple[int, int | None], Row] = {}
    for account, trade in _fills(log):
        maker = log.maker_of_fill(account, trade)
        if maker.by == EXTERNAL:
            made[account, trade.order_id] = maker.row()
    return [
        {
            "id": order.id,
            "recorded_at": utc_text(order.recorded_at),
            "account": account,
            **order_row(order),
            "tag": order.tag,
            **made.get((account, order.id), log.maker_of_order(account, order).row()),
            "request": log.enforcement.request_of_order(account, order.id),
        }
        for (account, _), order in sorted(log.orders.items())
    ]


def flatten_rows(log: AuditLog) -> list[Row]:
    """Each time a contract went flat by a fill: who closed the last of it."""
    sizes: dict[tuple[int, str], int] = {}
    rows: list[Row] = []
    for account, trade in _fills(log):
        if trade.voided:
            continue
        name = (account, trade.contract)
        before = sizes.get(name, 0)
        sizes[name] = after = before + trade.side * trade.size
        # A closing fill without its opening: what it closed was carried in.
        if trade.profit_usd is not None and (not before or before * trade.side > 0):
            sizes[name] = after = 0
        if trade.profit_usd is not None and not after:
            rows.append(
                {
                    "at": utc_text(trade.placed_at),
                    "account": account,
                    "contract": trade.contract,
                    "fill": trade.id,
                    "order": trade.order_id,
                    **log.maker_of_fill(account, trade).row(),
                }
            )
    return rows


def _fills(log: AuditLog) -> list[tuple[int, Trade]]:
    fills = [(account, trade) for (account, _), trade in log.fills.items()]
    return sorted(fills, key=lambda one: (one[1].placed_at, one[1].recorded_at, one[1].id))
