"""Which part of the effect hangs on a simulated price (WHATIF.md 5, "Exact and simulated").

One queue per account and contract holds the contracts that went missing from the recorded course: left out, or closed
by the counterfactual broker. A recorded closing contract that is clipped takes the head of it. Money is 1e-6 dollars.
"""

from collections import deque
from dataclasses import dataclass, field, replace

from replay.whatif.intent import Piece, per_contract
from riskcore.core.events import TradeRecorded
from riskcore.core.quantities import move_value
from riskcore.core.state import Contract


@dataclass(frozen=True, slots=True)
class Missing:
    """Contracts that the record still holds and the counterfactual does not."""

    size: int
    trade_id: int  # The recorded fill that was left out, or the broker's fill that closed them.
    closed: bool = False
    trade_date: str = ""
    price: int = 0
    costs_usd: int = 0  # Of one contract.
    net_usd: int = 0  # What the broker's fill realised on one contract, after its costs.


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a recorded closing fill took the place of, and the dollars of that."""

    contract: str
    missing: Missing
    trade_date: str
    change_usd: int


@dataclass(slots=True)
class Simulated:
    """The simulated dollars of one account, per trading day."""

    by_day: dict[str, int] = field(default_factory=dict)
    _queues: dict[str, deque[Missing]] = field(default_factory=dict)
    _early: dict[str, deque[Missing]] = field(default_factory=dict)
    _replaced: dict[int, list[Replaced]] = field(default_factory=dict)

    def left_out(self, contract: str, trade_id: int, size: int) -> None:
        """An entry of the record was not made."""
        self._queue(contract).append(Missing(size, trade_id))

    def closed(
        self, fill: TradeRecorded, trade_date: str, pieces: list[Piece], economics: Contract, missing: int
    ) -> None:
        """The broker closed contracts: until the record closes them too, what that realised is simulated.

        `missing` is how many the record then holds on that side beyond the counterfactual: what the record has closed
        already (kept positions) is replaced by nothing.
        """
        costs = per_contract((fill.fees_usd or 0) + (fill.commissions_usd or 0), fill.size)
        for piece in pieces:
            points = (piece.price - fill.price) * fill.side
            net = move_value(points, economics.tick_size, economics.tick_value) - costs
            left = self._against_expected(fill, trade_date, piece.size, costs, net, economics)
            if not left:
                continue
            self._add(trade_date, net * left)
            queue = self._queue(fill.contract)
            queued = min(left, missing - sum(one.size for one in queue))
            if queued > 0:
                queue.append(Missing(queued, fill.trade_id, True, trade_date, fill.price, costs, net))

    def expected(self, fill: TradeRecorded, trade_date: str, size: int, economics: Contract) -> None:
        """The record has closed contracts that the broker was asked to close and has not closed yet."""
        costs = per_contract((fill.fees_usd or 0) + (fill.commissions_usd or 0), fill.size)
        net = per_contract(fill.profit_usd or 0, fill.size) - costs
        early = Missing(size, fill.trade_id, True, trade_date, fill.price, costs, net)
        self._early.setdefault(fill.contract, deque()).append(early)
        self._add(trade_date, -net * size)

    def not_coming(self, contract: str) -> None:
        """The broker closes nothing more there: what the trader's own fills closed instead has no simulated price."""
        for one in self._early.pop(contract, ()):
            self._add(one.trade_date, one.net_usd * one.size)

    def _against_expected(
        self, fill: TradeRecorded, trade_date: str, size: int, costs: int, net: int, economics: Contract
    ) -> int:
        """Set the broker's fill against recorded closes that came before it; returns what is left of it."""
        queue = self._early.get(fill.contract, deque())
        while size and queue:
            head = queue.popleft()
            taken = min(size, head.size)
            if taken < head.size:
                queue.appendleft(replace(head, size=head.size - taken))
            size -= taken
            change = net
            if head.trade_date == trade_date:
                points = (head.price - fill.price) * fill.side
                difference = move_value(points, economics.tick_size, economics.tick_value)
                # The recorded net has been taken out already; the difference alone stands.
                change = difference - (costs - head.costs_usd) + head.net_usd
            self._add(trade_date, change * taken)
        return size

    def clipped(self, fill: TradeRecorded, trade_date: str, size: int, economics: Contract) -> None:
        """So many contracts of a recorded closing fill had nothing to close: what went missing first is replaced."""
        queue = self._queue(fill.contract)
        costs = per_contract((fill.fees_usd or 0) + (fill.commissions_usd or 0), fill.size)
        while size and queue:
            head = queue.popleft()
            taken = min(size, head.size)
            if taken < head.size:
                queue.appendleft(replace(head, size=head.size - taken))
            size -= taken
            change = 0
            if head.closed:
                # On a later day this is the recorded net of that contract, by the lot that the broker closed: so both
                # days together come to the difference of the two prices and fees.
                points = (fill.price - head.price) * fill.side
                difference = move_value(points, economics.tick_size, economics.tick_value)
                change = difference - (head.costs_usd - costs) - head.net_usd
            self._add(trade_date, change * taken)
            self._replaced.setdefault(fill.trade_id, []).append(
                Replaced(fill.contract, replace(head, size=taken), trade_date, change * taken)
            )

    def voided(self, contract: str, trade_id: int) -> None:
        """A recorded fill does not count: what it replaced is missing again, what it would have opened is not."""
        for one in reversed(self._replaced.pop(trade_id, [])):
            self._add(one.trade_date, -one.change_usd)
            self._queue(one.contract).appendleft(one.missing)
        queue = self._queue(contract)
        kept = [one for one in queue if one.closed or one.trade_id != trade_id]
        queue.clear()
        queue.extend(kept)

    def _queue(self, contract: str) -> deque[Missing]:
        return self._queues.setdefault(contract, deque())

    def _add(self, trade_date: str, amount_usd: int) -> None:
        self.by_day[trade_date] = self.by_day.get(trade_date, 0) + amount_usd

    def copy(self) -> "Simulated":
        """The same, to go on from here another way."""
        return Simulated(
            dict(self.by_day),
            {contract: deque(queue) for contract, queue in self._queues.items()},
            {contract: deque(queue) for contract, queue in self._early.items()},
            {trade_id: list(replaced) for trade_id, replaced in self._replaced.items()},
        )

    def forget(self) -> None:
        """Both courses hold the same again: nothing is missing."""
        self._queues.clear()
        self._early.clear()
