"""What is odd about the sessions of a what-if and changes no figure by itself: said once, on stderr."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from riskcore.core import events as e
from riskcore.core.products import built_in_contract
from riskcore.core.quantities import price_text
from riskcore.core.state import Contract
from riskcore.settings.calendar import holidays

MOST_NAMED = 5


@dataclass(slots=True)
class OffGrid:
    """Listens to the baseline and keeps the first fill of each contract whose price is no whole number of ticks."""

    found: dict[str, tuple[int, int]] = field(default_factory=dict)  # Contract: the price and its tick.
    _contracts: dict[str, Contract] = field(default_factory=dict)

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.ContractDescribed):
                self._contracts[body.contract.id] = body.contract
            elif isinstance(body, e.TradeRecorded) and body.contract not in self.found:
                contract = self._contracts.get(body.contract) or built_in_contract(body.contract)
                if contract is not None and body.price % contract.tick_size:
                    self.found[body.contract] = body.price, contract.tick_size

    def texts(self) -> list[str]:
        return [
            f"{contract}: a fill at {price_text(price)} is off its grid of {price_text(tick)}; it is taken as it stands"
            for contract, (price, tick) in sorted(self.found.items())
        ]


def missing_days(given: Sequence[str]) -> list[str]:
    """A sentence about trading days between the first and the last that no session covers; holidays are none."""
    if not given:
        return []
    day, last = date.fromisoformat(given[0]), date.fromisoformat(given[-1])
    missing = []
    while day < last:
        name = day.isoformat()
        if day.weekday() < 5 and name not in given and name not in holidays():
            missing.append(name)
        day += timedelta(days=1)
    if not missing:
        return []
    shown = ", ".join(missing[:MOST_NAMED]) + (" and more" if len(missing) > MOST_NAMED else "")
    days = "1 trading day" if len(missing) == 1 else f"{len(missing)} trading days"
    return [f"no session covers {days} between the first and the last, {shown}; nothing is known of them"]
