"""I13: realised + unrealised = all fills marked to market, judged from the fills that the disk took.

Once for the cash: what is open must be worth, at a price of zero and so at any other, what was paid for all fills less
what was booked for them. It holds however pushes come, as long as no fill is missing between those that were told.

At a drift the broker's figures replace the fills, and they may be some seconds old: a push that a slow hub held back,
beside fills that a list has told already. Then they are not what the fills come to, and nobody but the exchange knows;
the account is judged again when the next drift brings figures that are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from adapters.simulator.broker import Broker
from adapters.simulator.records import Fill
from riskcore.core import events as e
from riskcore.core.fills import BROKER_CLOCK_AHEAD_NS
from riskcore.core.marks import open_cost
from riskcore.core.state import Account, Book, Contract, Shown


@dataclass(slots=True)
class Equity:
    """The fills told so far, versions merged, by account and contract."""

    broker: Broker
    fills: dict[tuple[int, str], dict[int, e.TradeRecorded]] = field(default_factory=dict)
    undated: set[int] = field(default_factory=set)  # Fills told with a time that is not believed.
    drifts: dict[tuple[int, str], "Drift"] = field(default_factory=dict)

    def told(self, body: e.TradeRecorded, at: int) -> None:
        fills = self.fills.setdefault((body.account, body.contract), {})
        known = fills.get(body.trade_id)
        if known is None and body.created_at is not None and body.created_at > at + BROKER_CLOCK_AHEAD_NS:
            self.undated.add(body.trade_id)
        if known is None or body.profit_usd is not None:
            fills[body.trade_id] = body if known is None else replace(known, profit_usd=body.profit_usd)

    def drifted(self, body: e.DriftDetected) -> None:
        key = (body.account, body.contract)
        self.drifts[key] = Drift(body.broker_size, frozenset(self.fills.get(key, {})), self._made(*key))

    def differences(self, book: Book, account: Account) -> Iterator[str]:
        """What is wrong with each contract of which the account was told everything up to its last fill."""
        for contract, position in account.positions.items():
            fills = self.fills.get((account.id, contract), {})
            known, specification = open_cost(position), book.contracts.get(contract)
            drift = self.drifts.get((account.id, contract))
            if drift is not None and drift.stood_for is None and specification is not None:
                drift.take(position.shown, specification)
            if (position.shown is not None and position.shown.at) or known is None or specification is None:
                continue
            if self._missing(account.id, contract, fills):
                continue
            size = sum(one.side * one.size for one in fills.values())
            paid = sum(one.side * one.size * one.price for one in fills.values())
            booked_usd = sum(one.profit_usd or 0 for one in fills.values())
            # In units of 1e-9 points times 1e-6 dollars a tick, so that nothing is rounded.
            left = (paid - known[1]) * specification.tick_value + booked_usd * specification.tick_size
            if known[0] != size or left:
                yield f"{contract}: {known[0]} at {known[1]} are valued; {size} for {paid} and {booked_usd} were told"

    def _made(self, account: int, contract: str) -> list[Fill]:
        return [one for one in self.broker.fills if (one.account.id, one.instrument.id) == (account, contract)]

    def _missing(self, account: int, contract: str, fills: dict[int, e.TradeRecorded]) -> bool:
        """Whether the exchange made a fill that was not told, or does not count, before the last one that was told.

        Behind a drift the last ones that are missing count as well: the broker's figures stand for them.
        """
        made = self._made(account, contract)
        last = max((number for number, one in enumerate(made) if one.id in fills), default=-1)
        drift = self.drifts.get((account, contract))
        looked_at = made[: last + 1] if drift is None else made
        if drift is not None and not drift.is_of_fills(self.undated):
            return True
        return any(one.id not in fills or one.voided for one in looked_at)


@dataclass(slots=True)
class Drift:
    """The last time that the broker's figures replaced the fills of a contract."""

    size: int
    told: frozenset[int]
    made: list[Fill]
    stood_for: list[frozenset[int]] | None = None  # Which fills, not told by then, the figures may have stood for.

    def take(self, shown: Shown | None, specification: Contract) -> None:
        """The figures as they were taken over: of which moments since the last fill that was told they may be."""
        last = max((number for number, one in enumerate(self.made) if one.id in self.told), default=-1)
        size = cost = 0
        self.stood_for = []
        for number, one in enumerate([None, *self.made], -1):
            if one is not None:
                size += one.side * one.size
                points = (one.profit_usd or 0) * specification.tick_size // specification.tick_value
                cost += one.side * one.size * one.price + points
            told_cost = cost if shown is None or shown.cost is None or shown.size != self.size else shown.cost
            # The broker's average is cut to 1e-9 points.
            if number >= last and size == self.size and abs(told_cost - cost) <= abs(size):
                self.stood_for.append(frozenset(done.id for done in self.made[: number + 1]) - self.told)

    def is_of_fills(self, undated: set[int]) -> bool:
        """Whether the figures were what some of the fills come to, and each of those is known for one that is told.

        One that was not told by then is known by its time: by the receipt, where its time is not believed, it is new.
        """
        return any(not absent & undated for absent in self.stood_for or ())
