"""What the fills of a day add up to, and whether their prices give the broker's own P&L.

Matching is the core's (first in, first out; RULES.md 1.5): the check is worth something because the core
judges by the same lots.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from replay.imports.history import Fill, History
from riskcore.core.events import TradeRecorded
from riskcore.core.lots import Lots, next_lots
from riskcore.core.quantities import MONEY_SCALE, SECOND_NS, money_text, move_value
from riskcore.core.state import Contract, Lot, Trade
from riskcore.schema.instants import utc_text

# The broker books whole cents; a tick value such as 0.625 gives half ones, and how it rounds them is not known.
HALF_A_CENT_USD = MONEY_SCALE // 200
# The two halves of a flip are one execution; an export rounds their times to seconds.
FLIP_WITHIN_NS = SECOND_NS


@dataclass(slots=True)
class AccountDay:
    """Sums of one account in one trading day. Money in 1e-6 dollars."""

    account: int
    fills: int = 0
    voided: int = 0
    round_trips: int = 0
    closing_fills: int = 0
    checked: int = 0
    gross_usd: int = 0
    recomputed_usd: int = 0
    fees_usd: int = 0
    fees_unknown: int = 0
    commissions_usd: int = 0
    commissions_unknown: int = 0
    paired_otherwise: int = 0
    differences: list[dict[str, Any]] = field(default_factory=list)
    not_recomputed: list[dict[str, Any]] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """As `riskcore import --json` shows it."""
        return {
            "id": self.account,
            "fills": self.fills,
            "voided": self.voided,
            "round_trips": self.round_trips,
            "closing_fills": self.closing_fills,
            "checked": self.checked,
            "recomputed_pnl": money_text(self.recomputed_usd),
            "gross_pnl": money_text(self.gross_usd),
            "fees": money_text(self.fees_usd),
            "fees_unknown": self.fees_unknown,
            "commissions": money_text(self.commissions_usd),
            "commissions_unknown": self.commissions_unknown,
            "net_pnl": money_text(self.gross_usd - self.fees_usd - self.commissions_usd),
            "differences": self.differences,
            "not_recomputed": self.not_recomputed,
            "paired_otherwise": self.paired_otherwise,
            "contradictions": self.contradictions,
        }

    def note(self, about: dict[str, Any], closing: TradeRecorded, found: int | str) -> None:
        """Book the P&L that prices give for a closing fill, or why they give none."""
        told = None if closing.profit_usd is None else money_text(closing.profit_usd)
        if isinstance(found, str):
            self.not_recomputed.append({**about, "recorded": told, "reason": found})
            return
        self.checked += 1
        self.recomputed_usd += found
        if closing.profit_usd is None or abs(found - closing.profit_usd) > HALF_A_CENT_USD:
            self.differences.append({**about, "recorded": told, "recomputed": money_text(found)})


@dataclass(slots=True)
class Matching:
    """Fills of all accounts in order, matched; lots carry over from day to day.

    A fill without P&L against open lots is the opening half of a flip, whose closing half is near. Where there is
    none the source has lost the P&L, because a netted account cannot open against itself (RULES.md 2): the fill is
    matched as the close it is. The core will not know that, so `misled` says whose lots it will have wrong.
    """

    history: History
    misled: set[tuple[int, str]] = field(default_factory=set)
    _lots: dict[tuple[int, str], Lots] = field(default_factory=dict)
    _as_told: dict[tuple[int, str], Lots] = field(default_factory=dict)  # Of the misled, as the core will see them.
    _following: dict[tuple[int, str], deque[Fill]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for fill in self.history.fills_in_order():
            self._following.setdefault((fill.account, fill.contract), deque()).append(fill)

    def open_contracts(self) -> set[str]:
        """The contracts some account holds now."""
        return {contract for (_, contract), state in self._lots.items() if state.lots or state.early}

    def take(self, fill: Fill, day: AccountDay) -> None:
        """Book the next fill into its day."""
        name = fill.account, fill.contract
        self._following[name].popleft()
        recorded = fill.recorded
        if recorded is None:
            day.voided += 1
            return
        day.fills += 1
        day.fees_usd += recorded.fees_usd or 0
        day.fees_unknown += recorded.fees_usd is None
        day.commissions_usd += recorded.commissions_usd or 0
        day.commissions_unknown += recorded.commissions_usd is None
        day.gross_usd += recorded.profit_usd or 0
        before = self._lots.get(name, Lots(0, (), ()))
        told = next_lots(before.side, before.lots, before.early, _trade(fill, recorded))
        after = told
        contradicts = len(told.early) > len(before.early) and not self._is_flip(fill, recorded, before)
        # A row of an export says itself what it opened; of the broker's fills only the P&L is missing.
        two_accounts = fill.entry_price is not None and not fill.closes
        if contradicts:
            day.contradictions.append(_contradiction(fill, two_accounts))
            after = told if two_accounts else _closed(before, _trade(fill, recorded))
        self._lots[name] = after
        self._note_misled(name, fill, recorded, before, contradicts)
        day.round_trips += after.trip_ended
        if recorded.profit_usd is None and after is told:
            return
        day.closing_fills += 1
        about = {"trade": fill.id, "at": utc_text(fill.at), "contract": fill.contract}
        contract = self.history.contract(fill.contract)
        found = _recomputed(before, after, recorded, contract)
        if fill.closes and fill.entry_price is not None and contract is not None:
            points = recorded.side * (fill.entry_price - recorded.price) * recorded.size
            of_row = move_value(points, contract.tick_size, contract.tick_value)
            day.paired_otherwise += isinstance(found, int) and found != of_row
            found = of_row
        day.note(about, recorded, found)

    def _is_flip(self, fill: Fill, opening: TradeRecorded, before: Lots) -> bool:
        """Whether closing fills of the same order, or of the same moment, end the open lots after this fill."""
        if fill.closes:
            return False
        left = sum(lot.size for lot in before.lots)
        for later in self._following[(fill.account, fill.contract)]:
            closing = later.recorded
            same_order = closing is not None and closing.order_id == opening.order_id is not None
            if not same_order and later.at > fill.at + FLIP_WITHIN_NS:
                break
            if closing is not None and closing.profit_usd is not None and closing.side == opening.side:
                left -= closing.size
                if left <= 0:
                    return True
        return False

    def _note_misled(
        self, name: tuple[int, str], fill: Fill, recorded: TradeRecorded, before: Lots, misled: bool
    ) -> None:
        if not misled and name not in self.misled:
            return
        self.misled.add(name)
        known = self._as_told.get(name, before)
        told = next_lots(known.side, known.lots, known.early, _trade(fill, recorded))
        self._as_told[name] = told
        ours = self._lots[name]
        if not (told.lots or told.early or ours.lots or ours.early):
            self.misled.discard(name)
            del self._as_told[name]


def _contradiction(fill: Fill, two_accounts: bool) -> str:
    """What to say of a fill that is reported as an opening one and cannot be."""
    about = f"fill {fill.id} of {fill.contract}"
    if fill.closes:
        return f"{about} closed, and its P&L is not in the files"
    about = f"{about} opens against an open position, which no netted account does"
    if two_accounts:
        return f"{about}: the export may hold the rows of two accounts"
    return f"{about}: it closed, and its P&L is not in the files"


def _closed(before: Lots, trade: Trade) -> Lots:
    """The lots after a fill that closes what is open, whatever it is reported as, and opens what is left of it."""
    closed = next_lots(before.side, before.lots, before.early, replace(trade, profit_usd=0))
    if not closed.shortage:
        return closed
    opened = next_lots(closed.side, closed.lots, closed.early, replace(trade, size=closed.shortage))
    return replace(opened, trip_ended=True)


def _recomputed(before: Lots, after: Lots, closing: TradeRecorded, contract: Contract | None) -> int | str:
    """P&L of a closing fill from prices, or why there is none."""
    if contract is None:
        return "tick size and value are unknown; give the contract with --contracts"
    if after.shortage:
        return f"{after.shortage} of {closing.size} contracts were opened before these files begin"
    closed = min(closing.size, sum(lot.size for lot in before.lots))
    left = () if after.trip_ended else after.lots
    points = before.side * (closing.price * closed - _cost(before.lots) + _cost(left))
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
