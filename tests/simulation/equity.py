"""I13: realised + unrealised = all fills marked to market, judged from the fills that the disk took.

Once for the cash: what is open must be worth, at a price of zero and so at any other, what was paid for all fills less
what was booked for them. It holds however pushes come, as long as no fill is missing between those that were told.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from adapters.simulator.broker import Broker
from riskcore.core import events as e
from riskcore.core.fills import BROKER_CLOCK_AHEAD_NS
from riskcore.core.marks import open_cost
from riskcore.core.state import Account, Book


@dataclass(slots=True)
class Equity:
    """The fills told so far, versions merged, by account and contract."""

    broker: Broker
    fills: dict[tuple[int, str], dict[int, e.TradeRecorded]] = field(default_factory=dict)

    out_of_time: set[tuple[int, str]] = field(default_factory=set)  # Where our clock does not know the order of fills.
    drifts: set[tuple[int, str]] = field(default_factory=set)  # Where the broker's figures have replaced the fills.

    def told(self, event: e.Event, body: e.TradeRecorded) -> None:
        if (body.created_at or 0) > event.at + BROKER_CLOCK_AHEAD_NS:
            self.out_of_time.add((body.account, body.contract))
        fills = self.fills.setdefault((body.account, body.contract), {})
        known = fills.get(body.trade_id)
        if known is None or body.profit_usd is not None:
            fills[body.trade_id] = body if known is None else replace(known, profit_usd=body.profit_usd)

    def differences(self, book: Book, account: Account) -> Iterator[str]:
        """What is wrong with each contract of which the account was told everything up to its last fill."""
        for contract, position in account.positions.items():
            fills = self.fills.get((account.id, contract), {})
            known, specification = open_cost(position), book.contracts.get(contract)
            if (
                (account.id, contract) in self.out_of_time
                or position.shown is not None
                or known is None
                or specification is None
            ):
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

    def _missing(self, account: int, contract: str, fills: dict[int, e.TradeRecorded]) -> bool:
        """Whether the exchange made a fill that was not told, or does not count, before the last one that was told.

        Behind a drift the last ones that are missing count as well: the broker's figures stand for them.
        """
        made = [one for one in self.broker.fills if (one.account.id, one.instrument.id) == (account, contract)]
        last = max((number for number, one in enumerate(made) if one.id in fills), default=-1)
        looked_at = made if (account, contract) in self.drifts else made[: last + 1]
        return any(one.id not in fills or one.voided for one in looked_at)
