"""The tilt ledger: what the trader did after each moment a rule would have locked (WHATIF.md 5)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from replay.whatif.entries import Entry
from riskcore.core import events as e
from riskcore.core.quantities import money_text
from riskcore.schema.instants import utc_text

FOUR_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Lock:
    """A moment at which a rule locked the account, or a product, in the counterfactual."""

    account: int
    trade_date: str
    rule: str
    at: int
    ends_at: int | None
    scope: str


@dataclass(slots=True)
class Locks:
    """Listens to the counterfactual and keeps every lockout it sets."""

    locks: list[Lock] = field(default_factory=list)
    _trade_date: str = ""

    def listen(self, events: Sequence[e.Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, e.TradingDayOpened):
                self._trade_date = body.day.trade_date
            elif isinstance(body, e.CommandIssued) and body.command.kind == "SetLockout":
                command = body.command
                self.locks.append(
                    Lock(body.account, self._trade_date, body.rule, event.at, command.expires_at, command.scope or "")
                )


def tilt(locks: Sequence[Lock], entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """One row per lockout: the recorded entries of the day while it lasted, beside those of the rest of the day."""
    rows = []
    for lock in locks:
        of_day = [one for one in entries if (one.account, one.trade_date) == (lock.account, lock.trade_date)]
        after = [one for one in of_day if one.at >= lock.at and (lock.ends_at is None or one.at < lock.ends_at)]
        otherwise = [one for one in of_day if one not in after]
        rows.append(
            {
                "account": lock.account,
                "trade_date": lock.trade_date,
                "rule": lock.rule,
                "at": utc_text(lock.at),
                "after": _figures(after),
                "otherwise": _figures(otherwise),
            }
        )
    return rows


def _figures(entries: Sequence[Entry]) -> dict[str, Any]:
    count = len(entries)
    losers = sum(one.net_usd < 0 for one in entries)
    return {
        "entries": count,
        "mean_size": _ratio(sum(one.size for one in entries), count),
        "net_pnl": money_text(sum(one.net_usd for one in entries)),
        "losing_share": _ratio(losers, count),
    }


def _ratio(part: int, whole: int) -> str | None:
    """A mean or share to four places; None of nothing."""
    if not whole:
        return None
    found = (Decimal(part) / Decimal(whole)).quantize(FOUR_PLACES).normalize()
    return f"{found:f}"
