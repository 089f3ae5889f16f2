"""The result of odds as a person reads it."""

from typing import Any

from replay.odds.words import base_rates, expected_words, percent, percents, points, signed_points, subject

Row = dict[str, Any]


def odds_text(result: Row) -> str:
    """The verdict with both intervals, then what follows a pass, then what to hold it against."""
    accounts = result.get("accounts", [result])
    return "\n\n".join("\n".join(_account(row)) for row in accounts)


def _account(row: Row) -> list[str]:
    lines = [subject(row), "", *_chances(row), *_days(row)]
    lines += _rules(row)
    if row["payouts"] is not None:
        lines += ["", *expected_words(row)]
    lines += ["", "Hold it against"]
    lines += [f"  {percent(value, 2):>7}   {text}" for value, text in base_rates(row)]
    lines += _readings(row["readings"])
    if row["notes"]:
        lines += ["", *row["notes"]]
    return [*lines, "", _assumptions(row)]


def _chances(row: Row) -> list[str]:
    goal = "pass" if row["goal"] == "target" else "first payout"
    lines = []
    if row["pass"] is None:
        lines.append(f"{goal:<13} {percents(row['data_95'])} is what {row['days_used']} days leave open")
        lines.append(f"{'lose':<13} {percents(row['lose_data_95'])}")
        return lines
    days = f"{row['days_used']} days leave"
    drawn = f"drawing alone {percents(row['monte_carlo_95'], 1)}" if row["method"] == "bootstrap" else "exact"
    if row["pass_exact"] is not None and len(row["pass_exact"]) <= 24:
        drawn += f", {row['pass_exact']}"
    lines.append(f"{goal:<13} {percent(row['pass']):>7}   {days} {percents(row['data_95'])} open; {drawn}")
    lines.append(f"{'lose':<13} {percent(row['lose']):>7}   {days} {percents(row['lose_data_95'])} open")
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
        f"chance by {signed_points(change['pass'])} points; {row['days_used']} days leave "
        f"{points(change['data_95'])} open.",
    ]


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
