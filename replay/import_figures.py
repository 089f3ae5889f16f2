"""What the fills of a day add up to, and whether their prices give the broker's own P&L.

Matching is the core's (first in, first out; RULES.md 1.5): the check is worth something because the core
judges by the same lots.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from replay.history import Fill, History
from riskcore.core.events import TradeRecorded
from riskcore.core.lots import Lots, next_lots
from riskcore.core.quantities import MONEY_SCALE, money_text, move_value
from riskcore.core.state import Contract, Lot, Trade
from riskcore.schema.instants import utc_text

# The broker books whole cents; a tick value such as 0.625 gives half ones, and how it rounds them is not known.
HALF_A_CENT_USD = MONEY_SCALE // 200


@dataclass(slots=True)
class AccountDay:
    """Sums of one account in one trading day. Money in 1e-6 dollars."""

    account: int
    fills: int = 0
    voided: int = 0
    round_trips: int = 0
    closing_fills: int = 0
    gross_usd: int = 0
    recomputed_usd: int = 0
    fees_usd: int = 0
    commissions_usd: int = 0
    commissions_unknown: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    not_recomputed: list[dict[str, Any]] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As `riskcore import --json` shows it."""
        return {
            "id": self.account,
            "fills": self.fills,
            "voided": self.voided,
            "round_trips": self.round_trips,
            "closing_fills": self.closing_fills,
            "recomputed_pnl": money_text(self.recomputed_usd),
            "gross_pnl": money_text(self.gross_usd),
            "fees": money_text(self.fees_usd),
            "commissions": money_text(self.commissions_usd),
            "commissions_unknown": self.commissions_unknown,
            "net_pnl": money_text(self.gross_usd - self.fees_usd - self.commissions_usd),
            "differences": self.differences,
            "not_recomputed": self.not_recomputed,
        }


@dataclass(slots=True)
class Matching:
    """Fills of all accounts in order, matched; lots carry over from day to day."""

    history: History
    _lots: dict[tuple[int, str], Lots] = field(default_factory=dict)

    def open_contracts(self) -> set[str]:
        """The contracts some account holds now."""
        return {contract for (_, contract), state in self._lots.items() if state.lots or state.early}

    def take(self, fill: Fill, day: AccountDay) -> None:
        """Book the next fill into its day."""
        recorded = fill.recorded
        if recorded is None:
            day.voided += 1
            return
        day.fills += 1
        day.fees_usd += recorded.fees_usd or 0
        day.commissions_usd += recorded.commissions_usd or 0
        day.commissions_unknown += recorded.commissions_usd is None
        before = self._lots.get((fill.account, fill.contract), Lots(0, (), ()))
        after = next_lots(before.side, before.lots, before.early, _trade(fill, recorded))
        self._lots[(fill.account, fill.contract)] = after
        day.round_trips += after.trip_ended
        if recorded.profit_usd is None:
            return
        day.closing_fills += 1
        day.gross_usd += recorded.profit_usd
        found = _recomputed(before, after, recorded, self.history.contract(fill.contract))
        about = {"trade": fill.id, "at": utc_text(fill.at), "contract": fill.contract}
        if isinstance(found, str):
            day.not_recomputed.append({**about, "recorded": money_text(recorded.profit_usd), "reason": found})
            return
        day.recomputed_usd += found
        if abs(found - recorded.profit_usd) > HALF_A_CENT_USD:
            day.differences.append(
                {**about, "recorded": money_text(recorded.profit_usd), "recomputed": money_text(found)}
            )


def _recomputed(before: Lots, after: Lots, closing: TradeRecorded, contract: Contract | None) -> int | str:
    """P&L of a closing fill from prices, or why there is none."""
    if contract is None:
        return "tick size and value are unknown; give the contract with --contracts"
    if after.shortage:
        return f"{after.shortage} of {closing.size} contracts were opened before these files begin"
    left = () if after.trip_ended else after.lots
    points = before.side * (closing.price * closing.size - _cost(before.lots) + _cost(left))
    return move_value(points, contract.tick_size, contract.tick_value)


def _cost(lots: tuple[Lot, ...]) -> int:
    return sum(lot.price * lot.size for lot in lots)


def _trade(fill: Fill, recorded: TradeRecorded) -> Trade:
    return Trade(
        id=fill.id,
        contract=fill.contract,
        placed_at=fill.at,
        trade_date="",
        price=recorded.price,
        side=recorded.side,
        size=recorded.size,
        profit_usd=recorded.profit_usd,
        fees_usd=recorded.fees_usd,
        commissions_usd=recorded.commissions_usd,
        voided=False,
        order_id=recorded.order_id,
        recorded_at=fill.at,
    )


def totals(days: Mapping[int, AccountDay]) -> list[dict[str, Any]]:
    return [days[account].row() for account in sorted(days)]
