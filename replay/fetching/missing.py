"""What a download could not have, and what a reader must know of it: one line each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from replay.fetching.plan import BarUnit, gaps, trading_hours
from riskcore.core.products import product_code
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Contract, Day
from riskcore.core.trading_day import EXCHANGE_ZONE, local_text

MONTH_CODES = "FGHJKMNQUVXZ"
Kind = Literal["day", "orders", "contract", "coarse bars", "no bars", "gap"]
Row = dict[str, Any]


@dataclass(slots=True)
class Missing:
    """Lines in the order in which they were found. Days of one contract that lack the same thing are one line."""

    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        text: str,
        *,
        account: int | None = None,
        contract: str | None = None,
        trade_date: str | None = None,
    ) -> None:
        self.rows.append(
            {"kind": kind, "account": account, "contract": contract, "trade_date": trade_date, "text": text}
        )

    def coarse(self, contract: str, days: Iterable[Day], wanted: str, got: str, expired: bool) -> None:
        """A coarser bar stands in for the one that was wanted."""
        why = "the contract has expired" if expired else "the broker no longer has them, or nothing traded"
        text = f"{contract}: no {wanted} bars of {_dates(days)} ({why}); {got} bars were taken instead"
        self.add("coarse bars", text, contract=contract)

    def none(self, contract: str, days: Iterable[Day]) -> None:
        """Not even a coarser one."""
        text = f"{contract}: no bars of {_dates(days)}, so open P&L there follows fills alone"
        self.add("no bars", text, contract=contract)

    def gaps(self, contract: str, day: Day, opened: list[int], unit: BarUnit, now: int) -> None:
        """Stretches of the day's trading hours, as far as they are over, in which no bar begins."""
        hours = [(start, min(end, now)) for start, end in trading_hours(day) if start < now]
        found = gaps(hours, opened, unit)
        if found:
            zone = day.zones[EXCHANGE_ZONE]
            shown = ", ".join(
                f"{local_text(zone, start)[11:16]} to {local_text(zone, end)[11:16]}" for start, end in found
            )
            text = f"{contract}: {day.trade_date} has no {unit} bars from {shown} ({EXCHANGE_ZONE})"
            self.add("gap", text, contract=contract, trade_date=day.trade_date)


def _dates(days: Iterable[Day]) -> str:
    """2026-09-01 to 2026-09-04, 2026-09-08."""
    runs: list[list[Day]] = []
    for day in sorted(days, key=lambda one: one.opens_at):
        if runs and runs[-1][-1].closes_at == day.opens_at:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        run[0].trade_date if len(run) == 1 else f"{run[0].trade_date} to {run[-1].trade_date}" for run in runs
    )


def rolls(by_day: Mapping[str, Iterable[str]], contracts: Mapping[str, Contract]) -> list[Row]:
    """When the month of a product changed: from the first day on which a later one was traded or watched."""
    current: dict[str, str] = {}
    found: list[Row] = []
    for trade_date in sorted(by_day):
        for contract in sorted(by_day[trade_date], key=expiry):
            known = contracts.get(contract)
            root = known.root if known is not None else product_code(contract)
            before = current.get(root)
            if before is not None and expiry(before) < expiry(contract):
                text = f"{root}: rolled from {before} to {contract} on {trade_date}"
                found.append({"root": root, "from": before, "to": contract, "trade_date": trade_date, "text": text})
            if before is None or expiry(before) < expiry(contract):
                current[root] = contract
    return found


def expiry(contract: str) -> tuple[str, int, str]:
    """Contracts of one product in the order in which they expire (API.md 3.7)."""
    month = contract.rpartition(".")[2]
    return month[1:], MONTH_CODES.find(month[:1]), contract


def duration_text(seconds: float) -> str:
    """About how long: 45 s, 3 min, 2 h 10 min."""
    whole = max(int(seconds), 0)
    if whole < 90:
        return f"{whole} s"
    minutes = -(-whole // 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def remaining_seconds(done: int, left: int, elapsed_ns: int, at_least: float) -> float:
    """How long the rest takes at the pace so far, and never less than the broker's quota allows."""
    paced = elapsed_ns / SECOND_NS / done * left if done else 0.0
    return max(paced, at_least)
