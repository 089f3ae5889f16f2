"""What RULE-009 and RULE-011 share: new entry orders, and the episodes of orders that are gone."""

from riskcore.core.events import BarObserved, MarketTraded, QuoteObserved, QuotesObserved
from riskcore.core.names import order_of_target
from riskcore.core.order_roles import entry_filled_at, entry_orders
from riskcore.core.rules.base import Rearm
from riskcore.core.state import Order
from riskcore.core.view import View

MARKET = (QuoteObserved, QuotesObserved, MarketTraded, BarObserved)


def is_market_data(view: View) -> bool:
    """Whether the event moves marks only, so that rules about orders and positions have nothing to say."""
    return isinstance(view.event.body, MARKET)


def new_entry_orders(view: View) -> list[Order]:
    """Working entry orders, without what is left of a bracket whose entry has filled.

    When one leg closes the position the other one works on for a moment, until the broker takes it away: it could
    open a position, but nobody attempted to.
    """
    return [order for order in entry_orders(view.account, view.now) if entry_filled_at(view.account, order) is None]


def ended_order_episodes(view: View) -> list[Rearm]:
    """Ends of the rule's episodes about orders that are no longer working."""
    ended = []
    for target in view.open_targets():
        order_id = order_of_target(target)
        if order_id is not None:
            order = view.account.orders.get(order_id)
            if order is None or not order.working:
                ended.append(Rearm(target))
    return ended
