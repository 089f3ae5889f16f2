"""The sections of the report that say how far to trust it: closest approach, programme, assumptions, stamp."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from replay.whatif.report_charts import closeness_chart
from replay.whatif.report_figures import Figures, in_dollars, optional
from replay.whatif.report_sections import CHANGED, RECORDED, paragraph, section
from replay.whatif.report_tables import Cell, number, prose, table, words
from replay.whatif.report_words import counted, day_words, percent, rule_title, time_words, value_words
from riskcore.schema.rows import Row

_COURSES = ("baseline", "counterfactual")
_POLICIES = {
    "follow": "Once the courses part, every recorded entry that no lock and no rule keeps out is still made.",
    "freeze": "After an action, that contract is left alone until no lock covers it and your record is flat there.",
    "stop": "After the first action of a day, every further entry of that day is left out.",
}
_ALWAYS = (
    "Quotes, prints and halts stay as recorded: your orders do not move the market, and size costs nothing extra.",
    "Your exits stay where you made them, cut to what is held.",
    "Leaving out an entry supposes that you would not have traded elsewhere or otherwise instead.",
    "Past days say what would have happened then. They promise nothing.",
)


# ---- closest approach --------------------------------------------------------------------------------


def closest_section(figures: Figures) -> str:
    rows = figures.result["closest"]
    if not rows:
        return ""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["rule"], row["account"]), []).append(row)
    several, drawn = len(figures.names) > 1, []
    for place, (rule, account) in enumerate(sorted(groups), start=1):
        of_rule = sorted(groups[rule, account], key=lambda row: str(row["trade_date"]))
        name = figures.name(account) if several else ""
        title = f"{rule} {name}".strip() + ": room left on each day"
        ratios = [[_ratio(row[course]) for row in of_rule] for course in _COURSES]
        drawn.append(
            [
                words(rule, name or (rule_title(rule) if rule_title(rule) != rule else "")),
                _nearest(figures, of_rule, "baseline"),
                _nearest(figures, of_rule, "counterfactual"),
                Cell(closeness_chart(f"near-{place}", title, ratios[0], ratios[1]), "wide"),
            ]
        )
    headings = ["Rule", RECORDED, CHANGED, "Room by day"]
    body = table("How near each course came to each limit, on its nearest day", headings, drawn) + paragraph(
        "The small charts show the room that was left: at the top the whole limit, at the dotted line none. The dashed "
        "line is the record, the solid one these settings.",
        "muted",
    )
    return section("closest", "How close it came", body)


def _ratio(side: Row | None) -> int | None:
    return None if side is None else optional(side["fraction"])


def _nearest(figures: Figures, rows: Sequence[Row], course: str) -> Cell:
    known = [(ratio, row) for row in rows if (ratio := _ratio(row[course])) is not None]
    if not known:
        return words("–")
    ratio, row = min(known, key=lambda pair: pair[0])
    near = row[course]
    distance = _distance(figures, near)
    room = f"{distance.removeprefix('−')} beyond" if distance.startswith("−") else f"{distance} left"
    when = f"{day_words(row['trade_date'])} {time_words(near['at'], row['trade_date'])}".strip()
    return words(f"{room} ({percent(ratio)})", when)


def _distance(figures: Figures, near: Row) -> str:
    if in_dollars(near["unit"]):
        value = optional(near["distance"])
        return "–" if value is None else figures.amounts.plain(value)
    return f"{near['distance']} {near['unit']}".replace("-", "−").strip()


# ---- programme ---------------------------------------------------------------------------------------

_MONEY_LINES = {
    "opening_balance": "Opening balance",
    "balance": "Balance",
    "floor": "Floor",
    "target": "Target",
    "effective_target": "Target after consistency",
    "profit": "Profit",
    "best_day": "Best day",
}


def programme_section(figures: Figures) -> str:
    """Floor, target, best day and outcome under both courses; nothing without a programme."""
    sides = [
        {row["id"]: row["programme"] for row in figures.result[course]["accounts"] if row.get("programme")}
        for course in _COURSES
    ]
    body = ""
    for account in sorted({*sides[0], *sides[1]}):
        pair = [side.get(account, {}) for side in sides]
        rows = [
            [words(title), *_both(figures, pair, field)]
            for field, title in _MONEY_LINES.items()
            if any(field in side for side in pair)
        ]
        rows += [
            [
                words(title),
                *(number(value_words(side[field]) if side.get(field) is not None else "no") for side in pair),
            ]
            for field, title in (("passed", "Passed"), ("outcome", "Outcome"))
            if any(field in side for side in pair)
        ]
        named = " ".join(str(pair[1].get(field) or pair[0].get(field) or "") for field in ("stage", "product", "size"))
        caption = f"{figures.name(account)}: {named}" if named.strip() else figures.name(account)
        body += table(caption, ["At the end", RECORDED, CHANGED], rows)
    return section("programme", "The programme under both courses", body) if body else ""


def _both(figures: Figures, pair: Sequence[Mapping[str, Any]], field: str) -> list[Cell]:
    values = [optional(side.get(field)) for side in pair]
    return [number("–" if value is None else figures.amounts.plain(value)) for value in values]


# ---- assumptions -------------------------------------------------------------------------------------


def assumptions_section(figures: Figures) -> str:
    given = dict(figures.result["assumptions"])
    policy = str(given.pop("policy", figures.result["policy"]))
    items = [f"Policy {policy}. {_POLICIES.get(policy, '')}".strip()]
    if "latency_ms" in given:
        items.append(f"A close reaches the market {given.pop('latency_ms')} ms after it is decided.")
    if "slippage_ticks" in given:
        ticks = given.pop("slippage_ticks")
        items.append(
            f"It fills at the other side of the market, worse by {counted(ticks, 'tick')}, at full size at once."
        )
    if given.pop("independent_days", False):
        items.append("Each day starts from the recorded account: an earlier effect is not carried over.")
    else:
        items.append("Positions, balance, locks and streaks are carried from day to day in each course.")
    items += [*_ALWAYS, *(f"{_label(name)}: {value_words(given[name])}" for name in given)]
    items += _blind(figures)
    body = '<ul class="plain">' + "".join(f"<li>{prose(item)}</li>" for item in items) + "</ul>"
    return section("assumptions", "What this rests on", body)


def _label(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _blind(figures: Figures) -> list[str]:
    """Rules that could not be judged, with the reason, once for all days."""
    found: dict[tuple[str, str], set[str]] = {}
    for course in _COURSES:
        for account in figures.result[course]["accounts"]:
            for row in account["blind"]:
                found.setdefault((row["rule"], row["reason"]), set()).add(row["trade_date"])
    return [
        f"{rule} could not be judged on {counted(len(days), 'day')}: {reason}."
        for (rule, reason), days in sorted(found.items())
    ]


# ---- stamp -------------------------------------------------------------------------------------------


def _breakable(text: str) -> str:
    """A long name that breaks behind a dot or an underscore, and only if it must elsewhere."""
    return f'<span class="long">{escape(text).replace(".", ".<wbr>").replace("_", "_<wbr>")}</span>'


def stamp_section(stamp: Row) -> str:
    """The command, version, settings and files that a result comes from.

    `settings_diff` None: there are many settings, and the page has a table of them.
    """
    stamp = dict(stamp)
    sessions, changes, command = stamp.pop("sessions"), stamp.pop("settings_diff"), stamp.pop("command")
    lines = [("riskcore", value_words(stamp.pop("version")))]
    lines += [
        (_label(name), value_words(value)) for name, value in stamp.items() if not isinstance(value, (list, dict))
    ]
    body = f"<p><code>{escape(command)}</code></p>" if command else ""
    body += '<ul class="plain">' + "".join(f"<li>{escape(name)} {escape(text)}</li>" for name, text in lines) + "</ul>"
    if changes:
        rows = [
            [Cell(_breakable(one["key"])), *(words(value_words(one[side])) for side in _COURSES)] for one in changes
        ]
        body += table("Settings that differ", ["Setting", RECORDED, CHANGED], rows)
    elif changes is not None:
        body += paragraph("No setting differs.")
    files = [[words(one["path"]), Cell(f"<code>{escape(one['sha256'])}</code>")] for one in sessions]
    if files:
        shown = table(
            "The same files and the same command give this report again, byte for byte", ["File", "SHA-256"], files
        )
        body += f"<details><summary>{counted(len(files), 'session file')} with their hashes</summary>{shown}</details>"
    return section("stamp", "How to make this again", body)
