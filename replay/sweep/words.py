"""What a sweep says of its winners, as a person reads it."""

from collections.abc import Callable
from typing import Any

from replay.odds.words import percent, percents, points, signed_points

Row = dict[str, Any]
Signed = Callable[[str], str]  # How an amount is written with its sign.


def verdict_lines(result: Row, signed: Signed) -> list[str]:
    """All that is said beside the figures, in the order in which it is read."""
    return [
        *honesty_lines(result, signed),
        *suggestion_lines(result, signed),
        *odds_lines(result),
        *decision_lines(result, signed),
    ]


def honesty_lines(result: Row, signed: Signed) -> list[str]:
    """The best beside luck, the middle of the plateau, and what choosing so was worth on later days."""
    found = []
    if result["luck"] is not None:
        found.append(_luck(result["luck"], signed))
    if result["plateau"] is None:
        found.append(f"Recommended: nothing; {result['no_recommendation']}.")
    else:
        found.append(_plateau(result["plateau"], signed))
    if result["walk_forward"] is not None:
        found.append(_walked(result["walk_forward"], signed))
    return found


def suggestion_lines(result: Row, signed: Signed) -> list[str]:
    """What the recorded days that ended well needed of each limit."""
    found, several = [], len(result["accounts"]) > 1
    for row in result.get("suggestions", []):
        shares = [(share, point) for share, point in row["percentiles"].items() if point is not None]
        if not shares:
            continue
        points = ", ".join(
            f"{share} % of them {point if row['unit'] == 'count' else _unsigned(point, signed)}"
            for share, point in shares
        )
        whose = f" of account {row['account']}" if several else ""
        found.append(
            f"{row['key'].rpartition('.')[2]}: on {_days(row['days'])}{whose} that ended well, as recorded, the worst "
            f"point was at most this far towards the limit: {points}. A limit beyond that leaves such days alone."
        )
    return found


def chances_of(result: Row, account: int) -> list[tuple[Row, Row]]:
    """The settings that have a chance of an account, each with its chance."""
    return [(row, one) for row in result["settings"] for one in row["odds"] if one["account"] == account]


def chance_of(row: Row, account: int) -> str:
    """The chance of one account under a setting; of few days only what they leave open."""
    found = next((one for one in row["odds"] if one["account"] == account), None)
    if found is None:
        return ""
    return percents(found["data_95"]) if found["pass"] is None else percent(found["pass"])


def odds_lines(result: Row) -> list[str]:
    """The chance of each account's recorded days, and how much of the highest chance is luck."""
    found = []
    for account in result.get("odds", {}).get("accounts", []):
        before, goal = account["recorded"], "to pass" if account["goal"] == "target" else "of a payout"
        name, days = account["name"] or account["account"], _days(account["days_used"])
        open_range = f"{days} leave {percents(before['data_95'])} open"
        if before["pass"] is None:
            found.append(f"{name}: of the chance {goal} as recorded, {open_range}; that is too few for a figure.")
            continue
        rows = chances_of(result, account["account"])
        row, best = max(rows, key=lambda pair: pair[1]["pass"])
        change = best["difference"]
        found.append(
            f"{name}: the chance {goal} is {percent(before['pass'])} as recorded; {open_range}. The highest is "
            f"{percent(best['pass'])} with {setting_words(row['setting'])}: {signed_points(change['pass'])} points, of "
            f"which the days leave {points(change['data_95'])} open. It is the best of {len(rows):,}, so part of it is "
            "luck."
        )
    return found


def decision_lines(result: Row, signed: Signed) -> list[str]:
    """What earlier decisions came to since, and what was decided now."""
    found = [_since(row, signed) for row in result.get("decided_before", [])]
    decided = result.get("decided")
    if decided is not None:
        found.append(
            f"Decided: {setting_words(decided['setting'])}, settings {decided['settings_hash']}. The journal keeps it, "
            f"as of {decided['at']}. Days behind {decided['last_day']} judge it: sweep the same grid over them later."
        )
    return found


def _since(row: Row, signed: Signed) -> str:
    chosen, judged = f"{setting_words(row['setting'])}, decided on {row['at'][:10]}", row["judged"]
    if judged is None:
        return f"{chosen}: nothing here judges it, which takes these settings and a day more than the first behind it."
    error = judged["standard_error"]
    seen = judged["days"] - judged["days_unseen"]
    return (
        f"{chosen}: {signed(judged['net_pnl'])} on {_days(judged['days'])} behind those it was made on"
        + (f", standard error {_unsigned(error, signed)}" if error is not None else "")
        + (f"; {seen} of them had passed already when it was made" if seen else "")
        + "."
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def setting_words(setting: dict[str, str]) -> str:
    """`loss_limit 400, basis combined`: the last word of each key is enough beside the table."""
    return ", ".join(f"{key.rpartition('.')[2]} {value}" for key, value in setting.items())


def _luck(luck: Row, signed: Signed) -> str:
    best, expected, trials = luck["best"], luck["expected_best"], luck["trials"]
    if trials == 1:
        return "Every setting comes to the same on every day, so there is nothing to choose."
    away = "" if best["standard_errors"] is None else f", {best['standard_errors']:.2f} standard errors"
    text = (
        f"Best: {setting_words(best['setting'])} at {signed(best['net_pnl'])}{away}. If no setting did anything, "
        f"the best of {trials:,} different ones would still come to {expected['standard_errors']:.2f} "
        f"({signed(expected['net_pnl'])})."
    )
    if best["standard_errors"] is not None and best["standard_errors"] <= expected["standard_errors"]:
        text += " So it is no better than luck."
    if best["deflated_probability"] is not None:
        text += f" Probability that it is more than luck: {_percent(best['deflated_probability'])}."
    return text


def _percent(probability: float) -> str:
    return f"{min(max(round(probability * 100), 1), 99)} %"


def _plateau(plateau: Row, signed: Signed) -> str:
    middle = plateau["middle"]
    error = _unsigned(middle["standard_error"], signed)
    spans = ", ".join(
        f"{key.rpartition('.')[2]} {low if low == high else f'{low} to {high}'}"
        for key, (low, high) in plateau["values"].items()
    )
    return (
        f"Recommended: {setting_words(middle['setting'])} at {signed(middle['net_pnl'])}, standard error "
        f"{error}: the middle of {plateau['settings']} settings side by side that all gain "
        f"{signed(plateau['lowest'])} or more ({spans})."
    )


def _walked(walked: Row, signed: Signed) -> str:
    without, count = walked["days_without_recommendation"], walked["days"]
    days = "1 later day" if count == 1 else f"{count} later days"
    if without == count:
        return f"Earlier days, with one day left out between, would have recommended nothing for any of {days}."
    error = walked["standard_error"]
    return (
        f"Chosen so on earlier days, with one day left out between, it came to {signed(walked['net_pnl'])} on {days}"
        + (f", standard error {_unsigned(error, signed)}" if error is not None else "")
        + (f"; on {without} of them nothing was recommended" if without else "")
        + "."
    )


def _unsigned(text: str, signed: Signed) -> str:
    return signed(text).removeprefix("+")
