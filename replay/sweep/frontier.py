"""What a sweep has to trade off: settings that no other one beats in both of two outcomes, drawn among all of them.

A setting is behind when another is at least as good in both outcomes and better in one. Where a single setting is best
in both there is nothing to trade off, and nothing is drawn.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from replay.odds.words import percent
from replay.sweep.words import chances_of, setting_words
from replay.whatif.report_charts import SIDE, Scale, grid_lines, path, place_percent, scale_of, svg
from replay.whatif.report_tables import number, table, words
from replay.whatif.report_words import Amounts
from riskcore.core.quantities import money

Row = dict[str, Any]
_AMOUNTS = Amounts()
_MOST_ROWS = 20
_CHANCES = Scale(0, 1_000_000, 250_000)


def ahead(points: Sequence[tuple[int, int]]) -> list[int]:
    """The places of the points that no other beats; more is better in both. The best in the first comes first."""
    found, highest = list[int](), None
    for place in sorted(range(len(points)), key=lambda one: (-points[one][0], -points[one][1], one)):
        first, second = points[place]
        equal = bool(found) and points[found[-1]] == (first, second)
        if highest is None or second > highest or equal:
            found.append(place)
            highest = second
    return found


def frontiers(result: Row) -> str:
    """Net against drawdown, and with odds net against the chance of each account."""
    settings = result["settings"]
    drawn = [_picture("frontier", settings, "Deepest fall", [-money(row["drawdown"]) for row in settings], None)]
    for account in result.get("odds", {}).get("accounts", []):
        rows = chances_of(result, account["account"])
        if rows and rows[0][1]["pass"] is not None:
            chances = [round(one["pass"] * 1_000_000) for _, one in rows]
            title = "Chance to pass" if account["goal"] == "target" else "Chance of a payout"
            name = f"frontier-{account['account']}"
            drawn.append(_picture(name, [row for row, _ in rows], title, chances, account))
    return "".join(drawn)


def _picture(name: str, rows: Sequence[Row], title: str, second: list[int], account: Row | None) -> str:
    """Settings by their net and a second outcome, more of it further right; nothing without something to trade off."""
    nets = [money(row["effect"]["net_pnl"]) for row in rows]
    points = list(zip(nets, second, strict=True))
    front = ahead(points)
    if len({points[place] for place in front}) < 2:
        return ""
    up = scale_of(nets)
    along = scale_of(second) if account is None else _CHANCES
    spots = [f"M{along.at(right)} {SIDE - up.at(net)}h0" for net, right in points]
    kept = dict.fromkeys(front)
    behind = "".join(spot for place, spot in enumerate(spots) if place not in kept)
    line = "M" + "L".join(spots[place][1:-2] for place in front)
    body = grid_lines(up) + path("behind", behind) + path("course", line)
    body += path("dot", "".join(spots[place] for place in front))
    written = _AMOUNTS.plain if account is None else _share
    whose = "" if account is None else f" of {account['name'] or account['account']}"
    caption = (
        f"Effect upwards, {title.lower()}{whose} across. The line joins the {len(front)} settings that no other beats "
        f"in both; the {len(rows) - len(front)} grey ones are behind another. Which of them is right is for you to "
        "say, and their differences are mostly luck."
    )
    shown = front[:: -(-len(front) // _MOST_ROWS)]
    table_rows = [
        [words(setting_words(rows[at]["setting"])), number(_AMOUNTS.signed(nets[at])), number(written(second[at]))]
        for at in shown
    ]
    some = "" if len(shown) == len(front) else f", {len(shown)} of {len(front)}"
    places = ((place_percent(SIDE - up.at(tick)), _AMOUNTS.axis(tick)) for tick in up.ticks())
    labels = "".join(f'<span class="y" aria-hidden="true" style="top:{top}">{text}</span>' for top, text in places)
    ends = "".join(f"<span>{escape(written(value))}</span>" for value in (along.low, along.high))
    drawing = svg(name, f"Effect against {title.lower()}", "The settings on the line are in the table below.", body)
    return (
        f'<figure><div class="plot">{drawing}{labels}</div><div class="x" aria-hidden="true">{ends}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        + table(f"Settings that no other beats in both{some}", ["Setting", "Effect", title], table_rows)
    )


def _share(millionths: int) -> str:
    return percent(millionths / 1_000_000)
