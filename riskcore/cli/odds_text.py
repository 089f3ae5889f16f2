"""The result of odds as a person reads it."""

from typing import Any

Row = dict[str, Any]


def odds_text(result: Row) -> str:
    """The verdict with both intervals, then what follows a pass, then what to hold it against."""
    accounts = result.get("accounts", [result])
    return "\n\n".join("\n".join(_account(row)) for row in accounts)


def _account(row: Row) -> list[str]:
    lines = [_subject(row), "", *_chances(row), *_days(row)]
    lines += _rules(row)
    lines += _payouts(row)
    lines += ["", "Hold it against", *_base_rates(row)]
    lines += _readings(row["readings"])
    if row["notes"]:
        lines += ["", *row["notes"]]
    return [*lines, "", _assumptions(row)]


def _subject(row: Row) -> str:
    size = row["size"] if row["product"] == "standard" else row["product"]
    stage = {"combine": "Combine", "xfa": "XFA", "challenge": "challenge"}[row["stage"]]
    name = row["name"] or row["account"]
    return (
        f"{name}: {row['days_used']} days with a fill, {row['first_day']} to {row['last_day']}, "
        f"sent through a new {size} {stage}"
    )


def _chances(row: Row) -> list[str]:
    goal = "pass" if row["goal"] == "target" else "first payout"
    lines = []
    if row["pass"] is None:
        lines.append(f"{goal:<13} {percents(row['data_95'])} is what the days leave open")
        lines.append(f"{'lose':<13} {percents(row['lose_data_95'])} is what the days leave open")
        return lines
    drawn = f"drawing {percents(row['monte_carlo_95'], 1)}" if row["method"] == "bootstrap" else "exact"
    if row["pass_exact"] is not None and len(row["pass_exact"]) <= 24:
        drawn += f", {row['pass_exact']}"
    lines.append(f"{goal:<13} {percent(row['pass']):>7}   the days say {percents(row['data_95'])}; {drawn}")
    lines.append(f"{'lose':<13} {percent(row['lose']):>7}   the days say {percents(row['lose_data_95'])}")
    lines.append(f"{'neither':<13} {percent(row['neither']):>7}")
    return lines


def _days(row: Row) -> list[str]:
    lines = []
    for name, title in (("days_to_pass", "days to pass"), ("days_to_lose", "days to lose")):
        days = row[name]
        if days is not None:
            title = title if row["goal"] == "target" else title.replace("pass", "payout")
            low, high = days["quartiles"]
            lines.append(f"{title:<13} {days['median']:>7}   half of them take {low} to {high}")
    return lines


def _rules(row: Row) -> list[str]:
    if row["difference"] is None:
        return []
    before, change = row["recorded"], row["difference"]
    days = f"{change['days_changed']} of {row['days_used']} days"
    if before["pass"] is None:
        return ["", f"The rules change {days}: the chance to pass moves by {points(change['data_95'])} points."]
    return [
        "",
        f"As recorded, without these rules, the chance is {percent(before['pass'])}. They change {days} and the "
        f"chance by {signed(change['pass'])} points; the days say {points(change['data_95'])}.",
    ]


def _payouts(row: Row) -> list[str]:
    found = row["payouts"]
    if found is None:
        return []
    year = f"within {found['horizon_days']} funded days"
    begun = "a funded account" if row["goal"] == "first_payout" else "a Combine"
    low, high = found["expected_data_95"]
    if found["first"] is None:
        return [
            "",
            f"A first payout {year}: {percents(found['first_data_95'])} is what the days leave open; "
            f"{low} to {high} dollars from {begun}.",
        ]
    first = (
        f"First payout {year}: {percent(found['first'])} from the start, the days say "
        f"{percents(found['first_data_95'])}"
    )
    if row["goal"] == "target":
        first += f"; {percent(found['first_if_funded'])} once funded"
    fees = "the firm's share and the fees of every fill"
    costs = found["costs"]
    if costs["combine_month"] != "0" or costs["activation"] != "0":
        fees += f", {costs['combine_month']} a month and {costs['activation']} once"
    return [
        "",
        f"{first}.",
        f"Expected from {begun}: {found['expected_usd']} dollars after {fees}; the days say {low} to {high}.",
    ]


def _base_rates(row: Row) -> list[str]:
    rates = row["base_rates"]
    lines = []
    if rates["zero_edge"] is not None:
        lines.append(f"  {percent(rates['zero_edge']):>7}   your days with their mean taken off: no edge")
    if rates["random_walk"] is not None:
        lines.append(f"  {percent(rates['random_walk']):>7}   anyone without an edge, in very small steps")
    firm = rates["published"]
    lines.append(f"  {percent(firm['combines_passed']):>7}   of Combines were passed in {firm['year']}, by the firm")
    lines.append(f"  {percent(firm['people_who_passed']):>7}   of people passed at least one")
    lines.append(f"  {percent(firm['funded_people_paid']):>7}   of funded people were paid")
    lines.append(f"  {percent(firm['called_live'], 2):>7}   were called up to a live account")
    return lines


def _readings(rows: list[Row]) -> list[str]:
    if not rows:
        return []
    changing = [one for one in rows if one["changes"]]
    lines = ["", "Where the firm's pages contradict each other"]
    for one in changing:
        lines.append(f"  {percent(one['pass']):>7}   if {one['name']} is {one['reading']}")
    same = [f"{one['name']} = {one['reading']}" for one in rows if not one["changes"]]
    if same:
        lines.append(f"  No change under {', '.join(same)}.")
    return lines


def _assumptions(row: Row) -> str:
    known = row["assumptions"]
    judged = "A breach is tested inside the day" if row["judged"] == "inside" else "A breach is tested at the close"
    how = (
        f"{known['paths']:,} journeys from seed {known['seed']}"
        if row["method"] == "bootstrap"
        else "The chance is exact; everything else comes from drawn journeys"
    )
    return (
        f"{judged}. {how}, whole {known['block']}s drawn alike and in any order: what your days say about tomorrow "
        "holds only if tomorrow is like them."
    )


def percent(value: float, places: int = 1) -> str:
    return f"{value * 100:.{places}f} %"


def percents(interval: list[float], places: int = 0) -> str:
    """An interval: 12 to 84 %."""
    low, high = (f"{one * 100:.{places}f}" for one in interval)
    return f"{low} to {high} %"


def signed(value: float) -> str:
    return f"{value * 100:+.1f}"


def points(interval: list[float]) -> str:
    low, high = (signed(one) for one in interval)
    return f"{low} to {high}"
