"""The evening review as one HTML file: no script, no network, light and dark, on a phone and on paper.

It has the look of the report of a what-if, and takes over its parts.
"""

from html import escape

from replay.review.review import WITHOUT_RULES
from replay.review.words import (
    flag_text,
    hash_words,
    prevented_words,
    question_words,
    r_words,
    state_words,
    tick_words,
    trips_words,
)
from replay.whatif.report import page_html
from replay.whatif.report_charts import SIDE, Scale, bar, grid_lines, path, plot, scale_of, svg, whisker
from replay.whatif.report_figures import Figures, figures_of, in_dollars
from replay.whatif.report_sections import (
    left_out_section,
    paragraph,
    parts_section,
    section,
    tilt_section,
)
from replay.whatif.report_tables import Cell, amount, table, toned, words
from replay.whatif.report_words import (
    MINUS,
    Amounts,
    contract_words,
    counted,
    day_words,
    rule_title,
    time_words,
)
from riskcore.core.quantities import MONEY_SCALE, money
from riskcore.schema.rows import Row

_AMOUNTS = Amounts()
_CONTENTS = (
    ("trips", "Round trips"),
    ("near", "Close calls"),
    ("breaches", "Breaches"),
    ("enforcement", "Enforcement"),
    ("prevented", "Prevented"),
    ("parts", "Dollars"),
    ("left-out", "Left out"),
    ("tilt", "After the lock"),
    ("seal", "Hash"),
)
_MOST_BREACHES = 60  # Shown one by one, so that a page stays small enough to send.
_MOST_TRIPS = 60


def review_html(review: Row) -> str:
    """The page for a result of `riskcore review` (schema riskcore.review/1). The same result gives the same bytes."""
    names = {one["id"]: one["name"] or str(one["id"]) for one in review["accounts"]}
    shown = _Page(review, names)
    title = f"Review of {review['day']['trade_date']}"
    sections = [
        shown.trips(),
        shown.near(),
        shown.breaches(),
        shown.enforcement(),
        shown.prevented(),
        *shown.whatif(),
        shown.seal(),
    ]
    return page_html(title, shown.head(), shown.hero() + "".join(sections), _CONTENTS)


class _Page:
    """The parts of one page."""

    def __init__(self, review: Row, names: dict[int, str]) -> None:
        self.review, self.names = review, names
        self.date: str = review["day"]["trade_date"]
        self.days = [row for account in review["accounts"] for row in account["days"]]

    def head(self) -> str:
        day = self.review["day"]
        named = list(self.names.values())
        who = named[0] if len(named) == 1 else f"{len(named)} accounts: {', '.join(named)}"
        where = " · ".join([who, f"profile {day['profile']}", "amounts in US dollars"])
        return (
            f'<header><p class="eyebrow">Evening review</p><h1>{escape(day_words(self.date))}</h1>'
            f'<p class="muted">{escape(state_words(self.review).capitalize())}.</p>'
            f'<p class="eyebrow">{escape(where)}</p></header>'
        )

    def hero(self) -> str:
        net = sum(money(row["net_pnl"]) for row in self.days)
        tone = "good" if net > 0 else "bad" if net < 0 else ""
        rows = self.review["round_trips"]
        worst = min((money(row["worst_running_net"]) for row in self.days), default=0)
        costs = sum(money(row["fees"]) + money(row["commissions"]) for row in self.days)
        breaches = self.review["breaches"]
        tiles = [
            ("Round trips", f"{len(rows):,}", f"{sum(row['fills'] for row in self.days):,} fills"),
            ("Worst moment", _AMOUNTS.signed(worst), "running net of a day"),
            ("Fees", _AMOUNTS.plain(costs), "with commissions"),
            ("Breaches", f"{len(breaches):,}", counted(len({row["rule"] for row in breaches}), "rule")),
        ]
        listed = "".join(f"<div><dt>{a}</dt><dd>{b}</dd><dd>{c}</dd></div>" for a, b, c in tiles)
        return (
            '<section class="hero" aria-labelledby="verdict-h"><h2 id="verdict-h">The day</h2>'
            f'<p class="net"><strong class="{tone}">{_AMOUNTS.signed(net)}</strong><span class="muted">net</span></p>'
            f"{paragraph(trips_words(rows), 'verdict')}{paragraph(prevented_words(self.review))}"
            f'<dl class="tiles">{listed}</dl></section>'
        )

    # ---- round trips ---------------------------------------------------------------------------------

    def trips(self) -> str:
        rows = self.review["round_trips"]
        if not rows:
            return section("trips", "Round trips", paragraph("Nothing was traded."))
        shown = rows[:_MOST_TRIPS]
        scale = scale_of([money(row[name]) for row in shown for name in ("mae", "mfe", "net_pnl") if row[name]])
        cells = [
            [
                words(f"{row['side']} {row['size']} {contract_words(row['contract'])}", self._when(row)),
                words(f"{row['entry_price'] or 'unknown'} → {row['exit_price'] or 'open'}"),
                Cell(toned(_AMOUNTS, money(row["net_pnl"])), "n lead"),
                _far(row, "mae"),
                _far(row, "mfe"),
                _multiple(row),
                Cell(_drawn(row, scale), "wide"),
            ]
            for row in shown
        ]
        headings = ["Trip", "Prices", "Net", "MAE", "MFE", "R", "Worst to best"]
        note = (
            "MAE and MFE are the lowest and highest of what the trip had booked plus what was open, before fees. Ticks "
            "are measured from the average entry. R is the net over what was risked: to the first stop, else to the "
            "loss a rule allows."
        )
        caption = trips_words(rows) + _not_shown(len(rows) - len(shown))
        body = _equity(rows, self.date) + table(caption, headings, cells) + paragraph(note, "muted")
        return section("trips", "Round trips", body)

    def _when(self, row: Row) -> str:
        start = time_words(row["entered_at"], self.date) or "earlier"
        end = time_words(row["exited_at"], self.date) or "still open"
        parts = [f"{start.removesuffix(' CT')} to {end}"]
        if len(self.names) > 1:
            parts.insert(0, self.names[row["account"]])
        if row["closed_by"] not in (None, "trader"):
            parts.append(f"closed by {row['closed_by']}")
        return ", ".join([*parts, *(flag_text(flag) for flag in row["flags"])])

    # ---- limits --------------------------------------------------------------------------------------

    def near(self) -> str:
        rows = self.review["closest"]
        if not rows:
            return section("near", "Close calls", paragraph("No rule with a limit was on."))
        scale = scale_of([MONEY_SCALE])
        cells = [
            [
                words(row["rule"], " ".join(filter(None, (rule_title(row["rule"]), self._about(row))))),
                words(f"{row['name']} {_measure(row, 'now')}", f"of {_measure(row, 'limit')}"),
                Cell(f'{_measure(row, "left")}<span class="note">{_share(row["used"])} used</span>', "n"),
                Cell(_used(row, scale), "wide"),
                words(time_words(row["at"], self.date)),
            ]
            for row in rows
        ]
        caption = "How near each limit was reached, at the nearest moment of the day"
        return section("near", "Close calls", table(caption, ["Rule", "Measured", "Left", "", "At"], cells))

    def _about(self, row: Row) -> str:
        parts = [self.names[row["account"]]] if len(self.names) > 1 else []
        return ", ".join([*parts, *([contract_words(row["contract"])] if row["contract"] else [])])

    def breaches(self) -> str:
        rows = self.review["breaches"]
        if not rows:
            return section("breaches", "Breaches", paragraph("No rule was breached."))
        shown = rows[:_MOST_BREACHES]
        cells = [
            [
                words(time_words(row["at"], self.date), self._about(row)),
                words(row["rule"], rule_title(row["rule"]) if rule_title(row["rule"]) != row["rule"] else ""),
                words(", ".join(_figure(*pair) for pair in row["figures"].items())),
                words(", ".join(flag.replace("_", " ") for flag in row["flags"])),
            ]
            for row in shown
        ]
        caption = counted(len(rows), "breach", "breaches") + _not_shown(len(rows) - len(shown))
        return section("breaches", "Breaches", table(caption, ["At", "Rule", "Figures", "Remarks"], cells))

    def enforcement(self) -> str:
        commands = [row for row in self.review["commands"] if row["kind"] != "Alert"]
        body = paragraph(f"{counted(len(commands), 'command')} in force on this day.")
        if not self.review["day"]["enforced"]:
            body += paragraph("Nothing was carried out: no engine was enforcing.", "muted")
        for heading, name in (("Missed", "missed_enforcement"), ("More than was asked", "over_enforcement")):
            rows = self.review[name]
            if rows:
                cells = [
                    [words(time_words(row["at"], self.date), row["rule"] or ""), words(row["text"])] for row in rows
                ]
                body += f"<h3>{heading}</h3>" + table(counted(len(rows), "time"), ["At", "What happened"], cells)
        return section("enforcement", "Enforcement", body)

    # ---- what the rules did --------------------------------------------------------------------------

    def prevented(self) -> str:
        found, result = self.review["prevented"], self.review["whatif"]
        body = paragraph(prevented_words(self.review))
        if found is not None and found["by_rule"]:
            values = [money(row["net_pnl"] or "0") for row in found["by_rule"]]
            scale = scale_of(values)
            cells = [
                [
                    words(row["rule"], rule_title(row["rule"])),
                    Cell(bar(scale, 0, value), "wide"),
                    amount(_AMOUNTS, None if row["net_pnl"] is None else value),
                ]
                for row, value in zip(found["by_rule"], values, strict=True)
            ]
            body += table("What each rule saved, or cost", ["Rule", "", "Saved"], cells)
        if result is not None:
            text = f"Worked out by a what-if of the day {question_words(self.review)}."
            if self.review["question"] == WITHOUT_RULES:
                text += (
                    " Its effect below is that of taking the rules away, so what they saved has the other sign there."
                )
            body += paragraph(text, "muted")
        return section("prevented", "What the rules prevented", body)

    def whatif(self) -> list[str]:
        result = self.review["whatif"]
        if result is None:
            return []
        figures: Figures = figures_of(result)
        return [parts_section(figures), left_out_section(figures), tilt_section(figures)]

    def seal(self) -> str:
        day = self.review["day"]
        named = hash_words(self.review)
        body = (
            f"<p>{escape(named[:1].upper() + named[1:])}</p><p><code>{escape(self.review['hash']['sha256'])}</code></p>"
        )
        body += paragraph(f"{counted(day['events'], 'event')}, judged by riskcore {day['version']}.", "muted")
        return section("seal", "The hash of the day", body)


def _far(row: Row, which: str) -> Cell:
    """An excursion with its ticks below, or why there is none."""
    if row[which] is None:
        return words("unknown", str(row["unknown"]) if which == "mae" else "")
    ticks = tick_words(row, which).replace("-", MINUS)
    return Cell(f'{_AMOUNTS.signed(money(row[which]))}<span class="note">{ticks}</span>', "n")


def _multiple(row: Row) -> Cell:
    """R with what the risk was taken from below, or why there is none."""
    if row["r"] is None:
        return words(r_words(row))
    return Cell(f'{row["r"].replace("-", MINUS)}<span class="note">{escape(row["risk_from"])}</span>', "n")


def _drawn(row: Row, scale: Scale) -> str:
    """The way of a trip from its worst to its best, and where it ended."""
    if row["mae"] is None:
        return ""
    net = money(row["net_pnl"])
    return whisker(scale, min(money(row["mae"]), net), max(money(row["mfe"]), net), net)


def _used(row: Row, scale: Scale) -> str:
    """How much of a limit was used up, red where it was near or reached."""
    used = min(money(row["used"]), MONEY_SCALE)
    return bar(scale, used, 0) if row["state"] in ("near", "breached") else bar(scale, 0, used)


def _figure(name: str, value: object) -> str:
    text = str(value)
    return f"{name.replace('_', ' ')} {text.replace('-', MINUS, 1) if text.startswith('-') else text}"


def _measure(row: Row, name: str) -> str:
    value = row[name]
    if value is None:
        return "–"
    if in_dollars(row["unit"]):
        return _AMOUNTS.plain(money(value))
    unit = "" if row["unit"] in row["name"].split() else row["unit"]
    return f"{value} {unit}".replace("-", MINUS).strip()


def _share(used: str) -> str:
    """As whole percents, cut as on the screens: 100% is shown only where the limit is reached."""
    return f"{money(used) * 100 // MONEY_SCALE}%"


def _not_shown(count: int) -> str:
    return f" {counted(count, 'more', 'more')} in the JSON and the CSV." if count > 0 else ""


def _equity(rows: list[Row], trade_date: str) -> str:
    """The running net behind each round trip, in the order they were closed."""
    ended = sorted((row for row in rows if row["exited_at"]), key=lambda row: str(row["exited_at"]))
    if not ended:
        return ""
    values, total = [0], 0
    for row in ended:
        total += money(row["net_pnl"])
        values.append(total)
    scale = scale_of(values)
    points = " ".join(f"{place * SIDE // len(ended)} {SIDE - scale.at(value)}" for place, value in enumerate(values))
    drawing = svg(
        "running",
        "Running net, trip by trip",
        f"From 0 to {_AMOUNTS.signed(total)} over {counted(len(ended), 'round trip')}",
        grid_lines(scale) + path("course", f"M{points}"),
    )
    ends = [time_words(str(row["exited_at"]), trade_date) for row in (ended[0], ended[-1])]
    shown = plot(scale, _AMOUNTS, drawing, list(dict.fromkeys(ends)))
    return f'<figure class="low"><figcaption>Running net behind each round trip</figcaption>{shown}</figure>'
