"""What each recorded entry came to: the trader's own decisions, for the tilt ledger (WHATIF.md 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from replay.whatif.intent import per_contract, split
from riskcore.core import events as e
from riskcore.core.products import built_in_contract
from riskcore.core.quantities import move_value
from riskcore.core.state import Contract


@dataclass(slots=True)
class Entry:
    """Contracts that one order opened, and the net result of what of them has been closed."""

    account: int
    contract: str
    trade_date: str
    at: int
    size: int = 0
    net_usd: int = 0


@dataclass(slots=True)
class _Lot:
    entry: Entry
    price: int
    side: int
    size: int


@dataclass(slots=True)
class Entries:
    """Listens to the facts of the baseline and keeps every entry of it."""

    entries: list[Entry] = field(default_factory=list)
    _by_order: dict[tuple[int, str, int, str], Entry] = field(default_factory=dict)
    _lots: dict[tuple[int, str], list[_Lot]] = field(default_factory=dict)
    _contracts: dict[str, Contract] = field(default_factory=dict)
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _trade_date: str = ""

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.TradingDayOpened):
                self._trade_date = body.day.trade_date
            elif isinstance(body, e.ContractDescribed):
                self._contracts[body.contract.id] = body.contract
            elif isinstance(body, e.TradeRecorded) and (body.account, body.trade_id) not in self._seen:
                self._seen.add((body.account, body.trade_id))
                self._fill(event.at, body)

    def _fill(self, at: int, body: e.TradeRecorded) -> None:
        lots = self._lots.setdefault((body.account, body.contract), [])
        held = sum(lot.side * lot.size for lot in lots)
        parts = split(held, body.side, body.size, closes=body.profit_usd is not None)
        costs = per_contract((body.fees_usd or 0) + (body.commissions_usd or 0), body.size)
        left = parts.closing
        economics = self._contracts.get(body.contract) or built_in_contract(body.contract)
        while left and lots:
            lot = lots[0]
            taken = min(left, lot.size)
            points = (body.price - lot.price) * lot.side * taken
            gained = move_value(points, economics.tick_size, economics.tick_value) if economics is not None else 0
            lot.entry.net_usd += gained - costs * taken
            lot.size -= taken
            left -= taken
            if not lot.size:
                lots.pop(0)
        if parts.opening:
            entry = self._entry(at, body)
            entry.size += parts.opening
            entry.net_usd -= costs * parts.opening
            lots.append(_Lot(entry, body.price, body.side, parts.opening))

    def _entry(self, at: int, body: e.TradeRecorded) -> Entry:
        order = body.order_id if body.order_id is not None else -body.trade_id
        name = (body.account, body.contract, order, self._trade_date)
        known = self._by_order.get(name)
        if known is None:
            known = self._by_order[name] = Entry(body.account, body.contract, self._trade_date, at)
            self.entries.append(known)
        return known
