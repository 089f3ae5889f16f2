"""Order ids for fills whose source names none: an approximation, flagged as one. Source: INTERFACE.md 8, RULES.md 5.

Fills of one contract, second and side are taken for one order. So a stop that closes three lots is one order, as it
was; two orders of one second and side cannot be told apart and count as one.
"""

from collections.abc import Iterable
from dataclasses import replace

from replay.imports.history import Fill
from riskcore.core import quantities
from riskcore.core.quantities import SECOND_NS

# Beyond every order id of the broker and every fill id of an export.
ORDER_IDS_FROM = 100 * 10**quantities.LARGEST_DIGITS


def with_orders(fills: Iterable[Fill]) -> list[Fill]:
    """The fills, each with the order it belongs to."""
    known, groups = [], dict[tuple[int, str, int, int], list[Fill]]()
    for fill in fills:
        if fill.recorded is None or fill.recorded.order_id is not None:
            known.append(fill)
        else:
            together = (fill.account, fill.contract, fill.at // SECOND_NS, fill.recorded.side)
            groups.setdefault(together, []).append(fill)
    for group in groups.values():
        order_id = ORDER_IDS_FROM + min(fill.id for fill in group)
        for fill in group:
            assert fill.recorded is not None, "fills that count for nothing are known"
            recorded = replace(fill.recorded, order_id=order_id)
            known.append(replace(fill, row={**fill.row, "orderId": order_id}, recorded=recorded, approximate=True))
    return known
