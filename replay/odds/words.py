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
        larger = sum(day.largest_units > first for day in days)
        found.append(
            f"You held up to {_lots(largest)}, but a funded account begins with {_lots(first)}: there, "
            f"{larger} of {counted(len(days), 'day')} count only in proportion to the size that the balance allows."
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


def subject(row: Row) -> str:
    """Whose days, which, and where they are sent through."""
    size = row["size"] if row["product"] == "standard" else row["product"]
    stage = {"combine": "Combine", "xfa": "XFA", "challenge": "challenge"}[row["stage"]]
    return (
        f"{row['name'] or row['account']}: {row['days_used']} days with a fill, {row['first_day']} to "
        f"{row['last_day']}, sent through a new {size} {stage}"
    )


def expected_words(row: Row) -> list[str]:
    """What payouts come to, in sentences; empty where none can follow."""
    found = row["payouts"]
    if found is None:
        return []
    year, days = f"within {found['horizon_days']} funded days", f"{row['days_used']} days leave"
    begun = "a funded account" if row["goal"] == "first_payout" else "a Combine"
    low, high = (dollars(one) for one in found["expected_data_95"])
    if found["first"] is None:
        return [
            f"First payout {year}: {days} {percents(found['first_data_95'])} open, and {low} to {high} from {begun}."
        ]
    first = f"First payout {year}: {percent(found['first'])} of new accounts"
    if row["goal"] == "target":
        first += f", {percent(found['first_if_funded'])} of funded ones"
    costs = found["costs"]
    fees = "the firm's share and the fees of every fill"
    if (costs["combine_month"], costs["activation"]) == ("0", "0"):
        fees += ", but before what the Combine costs (--combine-fee, --activation-fee)" * (row["goal"] == "target")
    else:
        fees += f", {costs['combine_month']} a month for the Combine and {costs['activation']} on passing"
    return [
        f"{first}; {days} {percents(found['first_data_95'])} open.",
        f"Expected from {begun}: {dollars(found['expected_usd'])} after {fees}; {days} {low} to {high} open.",
    ]


def base_rates(row: Row) -> list[tuple[float, str]]:
    """Shares that a chance to pass is held against."""
    rates, firm = row["base_rates"], row["base_rates"]["published"]
    found = [
        (rates["zero_edge"], "your days with their mean taken off: no edge"),
        (rates["random_walk"], "anyone without an edge, in very small steps"),
        (firm["combines_passed"], f"of Combines were passed in {firm['year']}, as the firm discloses"),
        (firm["people_who_passed"], "of people passed at least one"),
        (firm["funded_people_paid"], "of funded people were paid"),
        (firm["called_live"], "were called up to a live account"),
    ]
    return [(value, text) for value, text in found if value is not None]


def dollars(amount: str) -> str:
    """An amount as text shows it: whole dollars with a sign, +1,234."""
    return f"{round(float(amount)):+,}"


def percent(value: float, places: int = 1) -> str:
    """A share: 41.0 %."""
    return f"{value * 100:.{places}f} %"


def percents(interval: Sequence[float], places: int = 0) -> str:
    """An interval of shares: 12 to 84 %."""
    low, high = (f"{one * 100:.{places}f}" for one in interval)
    return f"{low} to {high} %"


def signed_points(value: float) -> str:
    """A difference of shares in points: +4.1."""
    return f"{value * 100:+.1f}"


def points(interval: Sequence[float]) -> str:
    """An interval of differences in points: -3.0 to +12.5."""
    low, high = (signed_points(one) for one in interval)
    return f"{low} to {high}"
