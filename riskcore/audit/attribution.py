"""Who made an order or a fill: riskcore, the trader, or somebody else (`external`): another client, or the firm.

Nothing announces a liquidation by the firm (PROGRAMME.md 8.4), so it is external like every other foreign close
(RULES.md 8.5), and `likely` says when the signs point to the firm. An order without a tag is the trader's own unless a
sign speaks against it: platform orders carry none, and neither does what closeContract makes (API.md 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

from riskcore.core import events as e
from riskcore.core.exit_orders import OVER, is_exit_order
from riskcore.core.issuers import OPERATOR_ID
from riskcore.core.kinds import CLOSES
from riskcore.core.names import read_request_id
from riskcore.core.order_roles import is_leg, is_own_stop
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import TYPE_MARKET, Book, Order, Trade
from riskcore.schema.rows import Row

By = Literal["riskcore", "trader", "external"]
RISKCORE: By = "riskcore"
TRADER: By = "trader"
EXTERNAL: By = "external"
FIRM, CLIENT = "the firm", "another client"
OWN_TAG = "rc-"  # How the tag of every order begins that riskcore placed, for a rule or for the trader.
# How near a foreign close and the loss of trading rights must be for one to explain the other.
RIGHTS_NS = 60 * SECOND_NS
# The firm closes positions itself from 15:08 Chicago until the market pauses (PROGRAMME.md 5).
_FIRM_CLOSES = (time(15, 8), time(16, 0))
_CHICAGO = ZoneInfo("America/Chicago")
_SATURDAY = 5
_UNTAGGED = "no tag and no command of riskcore"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who made something. `likely`: who is meant by `external`, if there is a sign; `why`: the sign in words."""

    by: By
    likely: str | None = None
    why: str = ""

    def row(self) -> Row:
        return {"by": self.by, "likely": self.likely, "by_reason": self.why}

    def words(self) -> str:
        """As a person reads it."""
        return f"{self.by}, likely {self.likely}" if self.likely else self.by


@dataclass(slots=True)
class Attribution:
    """Listens to the stored events of days, and says who made what of an account they tell of."""

    _issuers: dict[str, str] = field(default_factory=dict)  # Command id -> who issued it.
    _rights_lost: dict[int, list[int]] = field(default_factory=dict)  # Account -> when canTrade was false.
    _flattening: dict[tuple[int, int], bool] = field(default_factory=dict)  # Account, fill -> a flatten was in force.

    def listen(self, book: Book, event: e.Event) -> None:
        """An event after it was folded."""
        body = event.body
        if isinstance(body, e.CommandIssued):
            self._issuers[body.id] = body.rule
        elif isinstance(body, e.AccountObserved) and body.can_trade is False:
            self._rights_lost.setdefault(body.account, []).append(event.at)
        elif isinstance(body, e.TradeRecorded) and book.enforces:
            # Where nobody carries out what is decided, a close after a breach is the recorded trader's own.
            obligations = book.accounts[body.account].obligations.values()
            closing = [one for one in obligations if one.kind in CLOSES]
            about = any(one.contract in (None, body.contract) for one in closing)
            self._flattening.setdefault((body.account, body.trade_id), about)

    def of_order(self, account: int, orders: dict[int, Order], order: Order) -> Maker:
        """Who made an order; `orders` are those of its account."""
        if is_exit_order(order):
            return self._of_request(order.exit_of or OVER)
        if is_own_stop(order):
            return Maker(RISKCORE, why="a stop that riskcore placed")
        if order.tag is not None and order.tag.startswith(OWN_TAG):
            return Maker(TRADER, why="ordered through riskcore")
        entry = orders.get(order.parent_id) if order.parent_id is not None else None
        if entry is not None and not is_leg(entry):
            maker = self.of_order(account, orders, entry)
            return Maker(maker.by, maker.likely, f"a bracket leg of order {entry.id}")
        if order.tag is not None:
            return Maker(EXTERNAL, CLIENT, f"its tag {order.tag!r} is not riskcore's")
        return Maker(TRADER, why=_UNTAGGED)

    def of_fill(self, account: int, orders: dict[int, Order], trade: Trade) -> Maker:
        """Who made a fill."""
        order = orders.get(trade.order_id) if trade.order_id is not None else None
        made = None if order is None else self.of_order(account, orders, order)
        if made is not None and made.by == RISKCORE:
            return made
        if trade.enforced and (order is None or order.tag is None):
            return Maker(RISKCORE, why="it closed while a close of riskcore was on its way")
        if made is not None and (made.why != _UNTAGGED or (order is not None and order.type != TYPE_MARKET)):
            return made
        return self._foreign(account, trade) or made or Maker(TRADER, why="no command of riskcore matches")

    def _of_request(self, request: str) -> Maker:
        name = read_request_id(request)
        issuer = None if name is None else self._issuers.get(name.origin)
        if issuer == OPERATOR_ID:
            return Maker(TRADER, why="ordered through riskcore")
        if name is not None and name.origin.startswith("order@"):
            return Maker(TRADER, why="ordered through riskcore")
        return Maker(RISKCORE, why=f"the close of {issuer}" if issuer else "a close of riskcore")

    def _foreign(self, account: int, trade: Trade) -> Maker | None:
        """The signs that a close nobody announced was not the trader's; None without one."""
        if trade.profit_usd is None:
            return None  # It opened: the firm only closes.
        lost = self._rights_lost.get(account, ())
        if any(abs(at - trade.recorded_at) <= RIGHTS_NS for at in lost):
            return Maker(EXTERNAL, FIRM, "it closed when the account lost its trading rights")
        if trade.dated and _firm_closes(trade.placed_at):
            return Maker(EXTERNAL, FIRM, "it closed at the time from which the firm closes positions itself")
        if self._flattening.get((account, trade.id)):
            return Maker(EXTERNAL, None, "it closed while riskcore was to flatten, and no request of riskcore matches")
        return None


def _firm_closes(at: int) -> bool:
    moment = datetime.fromtimestamp(at // SECOND_NS, _CHICAGO)
    return moment.weekday() < _SATURDAY and _FIRM_CLOSES[0] <= moment.time() < _FIRM_CLOSES[1]


def maker_words(rows: Sequence[Row]) -> str:
    """How many of some rows each made, in words."""
    counts: dict[str, int] = {}
    for row in rows:
        name = f"{row['by']}, likely {row['likely']}" if row["likely"] else str(row["by"])
        counts[name] = counts.get(name, 0) + 1
    return "; ".join(f"{name}: {count}" for name, count in counts.items())
