"""Money of the reference: exact and simulated parts, left-out entries, and what the guard would have cost."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from tests.replay.whatif.reference_facts import Fill, worth


@dataclass
class Missing:
    """One contract that the record holds and the counterfactual does not."""

    side: int
    by_broker: bool  # Else its entry was left out.
    price: Fraction = Fraction(0)
    fee: Fraction = Fraction(0)
    realised: Fraction = Fraction(0)  # Net of the broker's fee, by its FIFO lot.
    day: date | None = None


@dataclass
class Day:
    """What one account's day adds up beside the two books."""

    simulated: Fraction = Fraction(0)
    orders: set[str] = field(default_factory=set)
    contracts: int = 0
    guard_cost: Fraction = Fraction(0)
    unpriced_entry: bool = False
    flags: set[str] = field(default_factory=set)


@dataclass
class Replaced:
    """What a clipped contract of a recorded fill did, so that a void of that fill can undo it."""

    missing: Missing
    day: date
    amount: Fraction


@dataclass
class Account:
    """The ledger of one account: a queue per contract of what went missing, first in first out."""

    days: dict[date, Day] = field(default_factory=lambda: defaultdict(Day))
    queues: dict[str, list[Missing]] = field(default_factory=lambda: defaultdict(list))
    replaced: dict[int, list[Replaced]] = field(default_factory=lambda: defaultdict(list))
    early: dict[str, list[tuple[Fill, date]]] = field(default_factory=lambda: defaultdict(list))

    def leave_out(self, fill: Fill, size: int, day: date, cost: Fraction | None) -> None:
        row = self.days[day]
        row.orders.add(fill.unit)
        row.contracts += size
        row.guard_cost += cost or 0
        row.unpriced_entry = row.unpriced_entry or cost is None
        self.queues[fill.contract] += [Missing(fill.side, by_broker=False) for _ in range(size)]

    def close(self, contract: str, one: Missing, flags: Iterable[str]) -> None:
        assert one.day is not None
        self.days[one.day].simulated += one.realised
        self.days[one.day].flags |= set(flags)
        if self.early[contract]:
            fill, day = self.early[contract].pop(0)
            self._replace(fill, one, day)
        else:
            self.queues[contract].append(one)

    def expect(self, fill: Fill, size: int, day: date) -> None:
        """Contracts that the record has closed already, and that the broker is about to close."""
        self.early[fill.contract] += [(fill, day)] * size

    def clip(self, fill: Fill, size: int, day: date) -> None:
        """Contracts of a recorded closing fill that the counterfactual no longer has."""
        for _ in range(size):
            if self.queues[fill.contract]:
                self._replace(fill, self.queues[fill.contract].pop(0), day)

    def _replace(self, fill: Fill, one: Missing, day: date) -> None:
        amount = Fraction(0)
        if one.by_broker:
            # On a later day too: it takes out what that contract's own lot brought at the recorded price.
            difference = worth(fill.contract, (one.price - fill.price) * one.side)
            amount = difference - (one.fee - fill.fee_per_contract) - one.realised
        self.days[day].simulated += amount
        self.replaced[fill.id].append(Replaced(one, day, amount))

    def void(self, fill: Fill) -> None:
        """A void undoes what the fill's contracts replaced: they are missing again, as they were."""
        back = self.replaced.pop(fill.id, [])
        for one in back:
            self.days[one.day].simulated -= one.amount
        self.queues[fill.contract] = [one.missing for one in back] + self.queues[fill.contract]

    def only_reduced(self, fill: Fill, size: int) -> None:
        """The record opened what the counterfactual only reduced: it does not have those contracts."""
        self.queues[fill.contract] += [Missing(fill.side, by_broker=False) for _ in range(size)]

    def trim(self, contract: str, recorded: int, held: int) -> None:
        """Forget what the record does not hold any more either: its entry was voided, or it was closed there before."""
        queue = self.queues[contract]
        alike = abs(held) if recorded * held > 0 else 0
        del queue[max(abs(recorded) - alike, 0) :]
