"""What has to be said beside the figures of odds, in sentences."""

from collections.abc import Sequence
from typing import Any

from replay.odds.days import OddsDay
from replay.odds.history import History
from replay.whatif.report_words import counted

Row = dict[str, Any]


def notes_of(row: Row, history: History, days: Sequence[OddsDay], all_of_them: Sequence[History]) -> list[str]:
    """Everything that a reader has to know before using the figures, the weightiest first."""
    found = []
    if row["pass"] is None:
        found.append(
            f"{counted(len(days), 'day')} of history are too few for a figure: from so few, only the range says "
            "anything, and it says little."
        )
    if row["judged"] == "close":
        unmarked = sum(not day.marked for day in days if day.traded)
        found.append(
            f"{counted(unmarked, 'day')} of {len(days)} have no quotes or bars, so a loss inside the day is not seen "
            "there: judging at the close overstates the chance to pass by 15 to 28 %."
        )
    if all(day.net_usd >= 0 for day in days) or all(day.net_usd <= 0 for day in days):
        kind = "losing" if days[0].net_usd >= 0 else "winning"
        found.append(
            f"These days hold no {kind} day, so no journey meets one, and the data's interval is too narrow: with "
            f"{counted(len(days), 'day')}, as many as 3 in {len(days)} days may be of a kind not seen yet."
        )
    found += _accounts(history, all_of_them)
    if history.terms.created_unknown:
        found.append("The day the account was created is not set, so one day may be 55 % of the profit.")
    largest, first = row["assumptions"]["largest_units"], row["assumptions"]["funded_units_at_first"]
    if row["payouts"] is not None and first is not None and largest > first:
        found.append(
            f"You held up to {_lots(largest)}, but a funded account begins with {_lots(first)}: with the days as they "
            "are, the payouts are overstated."
        )
    return found


def _accounts(history: History, all_of_them: Sequence[History]) -> list[str]:
    others = [one.called for one in all_of_them if one.account != history.account]
    if not others:
        return []
    return [
        f"The sessions hold days of {len(others) + 1} accounts. They are never mixed: only the days of "
        f"{history.called} count here, not those of {', '.join(others)}."
    ]


def _lots(units: int) -> str:
    """Micro-units as a trader counts them."""
    if units % 10:
        return counted(units, "micro")
    return counted(units // 10, "mini")
