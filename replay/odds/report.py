"""The report of odds: one HTML file made of the JSON alone, in the style of the what-if report, with the funnel drawn.

The same JSON gives the same bytes. A reader meets the chance with what the days leave open first, then the way from a
new account to a payout, then what to hold it against.
"""

from html import escape
from typing import Any

from replay.odds.words import base_rates, expected_words, percent, percents, points, signed_points, subject
from replay.whatif.report import page_html
from replay.whatif.report_background import stamp_section
from replay.whatif.report_charts import Scale, bar, whisker
from replay.whatif.report_sections import paragraph, section
from replay.whatif.report_tables import number, table, words
from replay.whatif.report_words import counted, span_words

Row = dict[str, Any]
_SCALE = Scale(0, 1_000_000, 250_000)
_CONTENTS = (
    ("funnel", "Funnel"),
    ("rules", "Rules"),
    ("base-rates", "Hold it against"),
    ("readings", "Readings"),
    ("assumptions", "Assumptions"),
    ("stamp", "Stamp"),
)


def odds_html(result: Row) -> str:
    """The page for a result of `riskcore odds` (schema riskcore.odds/1)."""
    rows = result.get("accounts", [result])
    several = len(rows) > 1
    main = "".join(_account(row, f"-{row['account']}" if several else "") for row in rows)
    first = rows[0]
    title = "The chance to pass" if first["goal"] == "target" else "The chance of a payout"
    names = ", ".join(str(row["name"] or row["account"]) for row in rows)
    about = f"{names} · {span_words(first['first_day'], first['last_day'])} · amounts in US dollars"
    head = (
        f'<header><p class="eyebrow">Odds</p><h1>{title}</h1>'
        f'<p class="muted">{escape(subject(first))}</p><p class="eyebrow">{escape(about)}</p></header>'
    )
    return page_html(title, head, main + stamp_section(result["stamp"]), _CONTENTS)


def _account(row: Row, suffix: str) -> str:
    heading = f"<h2>{escape(subject(row))}</h2>" if suffix else ""
    parts = [
        _hero(row, suffix),
        section(f"funnel{suffix}", "From a new account to a payout", _funnel(row)),
        _rules(row, suffix),
        section(f"base-rates{suffix}", "What to hold it against", _base_rates(row)),
        _readings(row, suffix),
        section(f"assumptions{suffix}", "What this rests on", _assumptions(row)),
    ]
    return heading + "".join(parts)


def _hero(row: Row, suffix: str) -> str:
    open_range = percents(row["data_95"])
    figure = open_range if row["pass"] is None else percent(row["pass"])
    beside = (
        f"is what {row['days_used']} days leave open"
        if row["pass"] is None
        else f"to {_goal(row)}; {row['days_used']} days leave {open_range} open"
    )
    notes = "".join(paragraph(text, "doubt") for text in row["notes"])
    return (
        f'<section class="hero" aria-labelledby="verdict-h{suffix}"><h2 id="verdict-h{suffix}">The verdict</h2>'
        f'<p class="net"><strong>{figure}</strong><span class="muted">{escape(beside)}</span></p>{notes}{_tiles(row)}'
        "</section>"
    )


def _goal(row: Row) -> str:
    return "pass" if row["goal"] == "target" else "be paid"


def _tiles(row: Row) -> str:
    tiles = [("Lose the account", _or_range(row["lose"], row["lose_data_95"]), percents(row["lose_data_95"]))]
    for name, title in (("days_to_pass", f"Days to {_goal(row)}"), ("days_to_lose", "Days to lose it")):
        days = row[name]
        if days is not None:
            low, high = days["quartiles"]
            tiles.append((title, str(days["median"]), f"half take {low} to {high}"))
    if row["method"] == "bootstrap" and row["pass"] is not None:
        tiles.append(("Drawing alone leaves", percents(row["monte_carlo_95"], 1), "open"))
    shown = "".join(f"<div><dt>{a}</dt><dd>{escape(b)}</dd><dd>{escape(c)}</dd></div>" for a, b, c in tiles)
    return f'<dl class="tiles">{shown}</dl>'


def _or_range(value: float | None, interval: list[float]) -> str:
    return percents(interval) if value is None else percent(value)


# ---- the funnel --------------------------------------------------------------------------------------


def _funnel(row: Row) -> str:
    """Each stage as a bar of what is left, and below it what the days leave open."""
    steps = [("New accounts", 1.0, None)] if row["pass"] is not None else []
    steps.append(("Pass" if row["goal"] == "target" else "Paid", row["pass"], row["data_95"]))
    payouts = row["payouts"]
    if payouts is not None and row["goal"] == "target":
        steps.append(("Paid once", payouts["first"], payouts["first_data_95"]))
    drawn = "".join(_step(name, value, interval) for name, value, interval in steps)
    if payouts is None:
        return drawn + paragraph("No funded account follows, so nothing is said of payouts.", "muted")
    drawn += "".join(paragraph(text) for text in expected_words(row))
    if payouts["lost"] is not None:
        drawn += paragraph(
            f"A funded account has {payouts['mean_payouts']} payouts on average within {payouts['horizon_days']} days, "
            f"by the end of which {percent(payouts['lost'])} are lost.",
            "muted",
        )
    return drawn


def _step(name: str, value: float | None, interval: list[float] | None) -> str:
    drawn = _bar(name, bar(_SCALE, 0, _millionths(value)), percent(value)) if value is not None else ""
    if interval is None:
        return drawn
    low, high = (_millionths(one) for one in interval)
    middle = (low + high) // 2 if value is None else _millionths(value)
    label = name if value is None else ""
    return drawn + _bar(label, whisker(_SCALE, low, high, middle), percents(interval))


def _bar(name: str, drawing: str, text: str) -> str:
    return f'<div class="bar"><p>{escape(name)}</p>{drawing}<p class="amount">{escape(text)}</p></div>'


def _millionths(value: float) -> int:
    return round(value * 1_000_000)


# ---- what to hold it against -------------------------------------------------------------------------


def _rules(row: Row, suffix: str) -> str:
    change, before = row["difference"], row["recorded"]
    if change is None:
        return ""
    days = f"The rules change {change['days_changed']} of {row['days_used']} days."
    if before["pass"] is None:
        body = paragraph(_with_minus(f"{days} The chance to pass moves by {points(change['data_95'])} points."))
    else:
        rows = [
            [words("As recorded"), number(percent(before["pass"])), number(percents(before["data_95"]))],
            [words("Under the rules"), number(percent(row["pass"])), number(percents(row["data_95"]))],
            [
                words("Difference"),
                number(_with_minus(signed_points(change["pass"]))),
                number(_with_minus(points(change["data_95"]))),
            ],
        ]
        body = table(f"{days} Differences in points", ["Days", "Chance to pass", "What the days leave open"], rows)
    return section(f"rules{suffix}", "What the rules change", body)


def _with_minus(text: str) -> str:
    """Points with the sign that the amounts of a page have."""
    return text.replace("-", "−")


def _base_rates(row: Row) -> str:
    rows = [[words(text), number(percent(value, 2))] for value, text in base_rates(row)]
    return table("Traders without an edge, and the firm's own disclosure", ["Who", "Share"], rows)


def _readings(row: Row, suffix: str) -> str:
    if not row["readings"]:
        return ""
    rows = [
        [words(one["name"]), words(one["reading"]), number(percent(one["pass"])), number(percent(one["lose"]))]
        for one in row["readings"]
    ]
    body = table("The chance under each other reading", ["Reading", "Read as", "Pass", "Lose"], rows)
    return section(f"readings{suffix}", "Where the firm's pages contradict each other", body)


def _assumptions(row: Row) -> str:
    known = row["assumptions"]
    judged = "inside the day, from recorded marks" if row["judged"] == "inside" else "at the close of a day only"
    items = [
        f"A breach of the firm's floor is tested {judged}.",
        f"Whole {known['block']}s of {counted(row['days_used'], 'day')} are drawn alike and in any order, "
        f"{known['paths']:,} journeys from seed {known['seed']}.",
        f"The range of the days comes from {known['outer_histories']} histories drawn from them, "
        f"{known['outer_paths']:,} journeys each.",
        f"A journey that has neither passed nor lost after {known['horizon_days']:,} days does neither.",
        "Each journey begins with a new account. The guard's own buffer above the floor is not part of it.",
        "A funded trader asks for the most that is allowed as soon as nothing stands in the way.",
        "A funded account may hold only as much as its balance allows: a larger day counts in proportion to its size.",
        f"The days hold {known['costs_in_the_days']} dollars of fees and commissions; all results are after them.",
    ]
    return '<ul class="plain">' + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
