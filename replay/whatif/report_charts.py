"""The charts of the report as inline SVG: they stretch to any width, and their labels are HTML at a readable size.

Coordinates are whole numbers from 0 to 1000 both ways, so that the same figures draw the same bytes everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from replay.whatif.report_figures import Figures, running
from replay.whatif.report_words import Amounts, day_short, day_words, span_words
from riskcore.core.quantities import CENT, MONEY_SCALE, money
from riskcore.schema.rows import Row

SIDE = 1000  # The drawing's width and height.
_MOST_STEPS = 5
_WIDEST_COLUMN = 60


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from a round number to a round number, zero inside."""

    low: int
    high: int
    step: int

    def at(self, value: int) -> int:
        """Where a value lies, from 0 at the low end to SIDE at the high end."""
        return (value - self.low) * SIDE // (self.high - self.low)

    def ticks(self) -> range:
        return range(self.low, self.high + 1, self.step)


def scale_of(values: Sequence[int]) -> Scale:
    """Round ends around the values and zero, in at most six steps of 1, 2 or 5 times a power of ten."""
    low, high = min(0, *values), max(0, *values)
    if low == high:
        low, high = -MONEY_SCALE, MONEY_SCALE
    step, factor = CENT, 0
    while (high - low) > step * _MOST_STEPS:
        # 1, 2, 5, 10, 20, 50 ...
        step = step * 5 // 2 if factor % 3 == 1 else step * 2
        factor += 1
    return Scale(low // step * step, -(-high // step) * step, step)


def svg(name: str, title: str, description: str, body: str) -> str:
    """A drawing that a screen reader names and describes."""
    said = f'role="img" aria-labelledby="{name}-t" aria-describedby="{name}-d"'
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" {said}>'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>{body}</svg>'
    )


def plot(scale: Scale, amounts: Amounts, drawing: str, below: Sequence[str]) -> str:
    """A drawing with the labels of its axes beside and below it."""
    tops = ((tick, place_percent(SIDE - scale.at(tick))) for tick in scale.ticks())
    labels = "".join(
        f'<span class="y" aria-hidden="true" style="top:{top}">{amounts.axis(tick)}</span>' for tick, top in tops
    )
    shown = "".join(f"<span>{text}</span>" for text in below)
    return f'<div class="plot">{drawing}{labels}</div><div class="x" aria-hidden="true">{shown}</div>'


def _plot(scale: Scale, amounts: Amounts, drawing: str, dates: Sequence[str]) -> str:
    shown = dates if len(dates) <= 3 else [dates[0], dates[len(dates) // 2], dates[-1]]
    return plot(scale, amounts, drawing, [day_short(day) for day in shown])


def place_percent(thousandths: int) -> str:
    """A place of the drawing as the style sheet writes it."""
    return f"{thousandths // 10}.{thousandths % 10}%"


def grid_lines(scale: Scale) -> str:
    """A line for each tick of the upright axis, zero set apart."""
    rows = "".join(f"M0 {SIDE - scale.at(tick)}h{SIDE}" for tick in scale.ticks() if tick)
    return f'<path class="grid" d="{rows}"/><path class="zero" d="M0 {SIDE - scale.at(0)}h{SIDE}"/>'


def path(kind: str, drawn: str) -> str:
    """A line or area of a class of the style sheet; nothing where there is nothing to draw."""
    return f'<path class="{kind}" d="{drawn}"/>' if drawn else ""


# ---- both courses, day by day ------------------------------------------------------------------------


def _floor(figures: Figures, account: int | None, dates: Sequence[str]) -> list[int] | None:
    """The programme's floor of the counterfactual, from the account's opening balance; None without a programme."""
    rows = [row for row in figures.result["counterfactual"]["accounts"] if row["id"] == account]
    days: dict[str, Row] = {day["trade_date"]: day for row in rows for day in row["days"] if day.get("floor")}
    if not days:
        return None
    start = days[min(days)]
    opening, floor = money(start["opening_balance"]), money(start["floor"])
    found = [floor - opening]
    for trade_date in dates:
        floor = money(days[trade_date]["floor"]) if trade_date in days else floor
        found.append(floor - opening)
    return found


def equity_chart(figures: Figures, account: int | None, name: str) -> str:
    """Cumulative net of both courses of one account, or of all when it is None."""
    days = figures.days if account is None else figures.of_account(account)
    dates = figures.dates
    record, course = running(days, dates, "baseline"), running(days, dates, "counterfactual")
    floor = _floor(figures, account, dates)
    scale = scale_of([*record, *course, *(floor or [])])
    parted = sorted({dates.index(day.trade_date) + 1 for day in days if day.divergence})
    locks = {day for holder, day in figures.locked if account is None or holder == account}
    locked = sorted(dates.index(day) + 1 for day in locks if day in dates)
    across = [index * SIDE // len(dates) for index in range(len(dates) + 1)]

    def line(values: Sequence[int]) -> str:
        points = " ".join(f"{x} {SIDE - scale.at(value)}" for x, value in zip(across, values, strict=True))
        return f"M{points}"

    dots = "".join(f"M{across[index]} {SIDE - scale.at(course[index])}h0" for index in parted)
    squares = "".join(f"M{across[index]} {SIDE}h0" for index in locked)
    body = grid_lines(scale) + _between(across, record, course, scale)
    body += path("floor", line(floor)) if floor else ""
    body += path("record", line(record)) + path("course", line(course))
    body += path("lock", squares) + path("dot", dots) + path("hole", dots)
    end = f"{figures.amounts.signed(record[-1])} as recorded, {figures.amounts.signed(course[-1])} with these settings"
    description = (
        f"Cumulative net from {span_words(dates[0], dates[-1])}, at the end {end}. The courses part on "
        f"{len(parted)} of {len(dates)} days; a rule would have locked on {len(locked)}. The figures are in the table "
        "of days below."
    )
    drawing = svg(name, "Equity of both courses, day by day", description, body)
    return (
        f"<figure>{_equity_key(figures.amounts, record[-1], course[-1], bool(floor), bool(locked))}"
        f"{_plot(scale, figures.amounts, drawing, dates)}</figure>"
    )


def _between(across: Sequence[int], record: Sequence[int], course: Sequence[int], scale: Scale) -> str:
    """The area between both courses, apart where the other settings are ahead and where they are behind."""
    areas = {"gain": "", "loss": ""}
    for index in range(len(across) - 1):
        ahead, ahead_next = course[index] - record[index], course[index + 1] - record[index + 1]
        left, right = across[index], across[index + 1]
        heights = [SIDE - scale.at(values[at]) for at in (index, index + 1) for values in (course, record)]
        if ahead * ahead_next >= 0:
            if ahead or ahead_next:
                kind = "gain" if ahead + ahead_next > 0 else "loss"
                areas[kind] += f"M{left} {heights[0]}L{right} {heights[2]}V{heights[3]}L{left} {heights[1]}z"
            continue
        share, whole = abs(ahead), abs(ahead) + abs(ahead_next)
        x = left + (right - left) * share // whole
        y = heights[0] + (heights[2] - heights[0]) * share // whole
        areas["gain" if ahead > 0 else "loss"] += f"M{left} {heights[0]}L{x} {y}L{left} {heights[1]}z"
        areas["gain" if ahead_next > 0 else "loss"] += f"M{x} {y}L{right} {heights[2]}V{heights[3]}z"
    return "".join(path(kind, drawn) for kind, drawn in areas.items())


def _sample(drawn: str) -> str:
    return f'<svg viewBox="0 0 26 12" aria-hidden="true">{drawn}</svg>'


def _equity_key(amounts: Amounts, record: int, course: int, floor: bool, locked: bool) -> str:
    items = [
        f"{_sample(path('record', 'M0 6h26'))}as recorded <b>{amounts.signed(record)}</b>",
        f"{_sample(path('course', 'M0 6h26'))}with these settings <b>{amounts.signed(course)}</b>",
        f"{_sample(path('dot', 'M13 6h0') + path('hole', 'M13 6h0'))}the courses part that day",
    ]
    if locked:
        items.append(f"{_sample(path('lock', 'M13 6h0'))}a rule would have locked")
    if floor:
        items.append(f"{_sample(path('floor', 'M0 6h26'))}the programme's floor with these settings")
    return '<ul class="key">' + "".join(f"<li>{item}</li>" for item in items) + "</ul>"


# ---- the effect of each day --------------------------------------------------------------------------


def effect_chart(figures: Figures) -> str:
    """One column a day: up is better, down is worse, hollow hangs on simulated prices."""
    dates = figures.dates
    sums, simulated = dict.fromkeys(dates, 0), set()
    for day in figures.days:
        sums[day.trade_date] += day.effect
        if day.simulated:
            simulated.add(day.trade_date)
    scale = scale_of(list(sums.values()))
    half = min(3 * SIDE // (10 * len(dates)), _WIDEST_COLUMN // 2)
    zero, columns = SIDE - scale.at(0), {"up": "", "up sim": "", "down": "", "down sim": ""}
    for index, trade_date in enumerate(dates):
        value = sums[trade_date]
        if value:
            middle = (2 * index + 1) * SIDE // (2 * len(dates))
            left, right = middle - half, middle + half
            kind = ("up" if value > 0 else "down") + (" sim" if trade_date in simulated else "")
            columns[kind] += f"M{left} {zero}V{SIDE - scale.at(value)}H{right}V{zero}z"
    best, worst = max(dates, key=lambda day: sums[day]), min(dates, key=lambda day: sums[day])
    ends = [
        f"{word} day: {day_words(day)}, {figures.amounts.signed(sums[day])}"
        for word, day, there in (("Best", best, sums[best] > 0), ("Worst", worst, sums[worst] < 0))
        if there
    ]
    caption = ". ".join(ends) + "." if ends else "No day has an effect."
    body = grid_lines(scale) + "".join(path(kind, drawn) for kind, drawn in columns.items())
    drawing = svg("effect", "Effect of each day", f"{caption} The figures are in the table of days.", body)
    key = "".join(
        f"<li>{_sample(path(kind, 'M7 1H19V11H7z'))}{words}</li>"
        for kind, words in (
            ("up", "better, exact"),
            ("down", "worse, exact"),
            ("up sim", "better, simulated prices"),
            ("down sim", "worse, simulated prices"),
        )
    )
    return (
        f'<figure class="low"><ul class="key">{key}</ul>{_plot(scale, figures.amounts, drawing, dates)}'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


# ---- bars in rows ------------------------------------------------------------------------------------


def bar(scale: Scale, start: int, end: int, simulated: bool = False) -> str:
    """A bar from one amount to another beside a zero line; the number stands next to it, so it is decoration."""
    kind = ("up" if end >= start else "down") + (" sim" if simulated else "")
    drawn = f"M{scale.at(start)} 150H{scale.at(end)}V850H{scale.at(start)}z" if start != end else ""
    return _row(scale, path(kind, drawn))


def whisker(scale: Scale, low: int, high: int, middle: int) -> str:
    """A range with the figure in it marked."""
    ends = f"M{scale.at(low)} 500H{scale.at(high)}M{scale.at(low)} 200V800M{scale.at(high)} 200V800"
    dot = f"M{scale.at(middle)} 500h0"
    return _row(scale, path("whisker", ends) + path("dot", dot))


def _row(scale: Scale, drawn: str) -> str:
    zero = f"M{scale.at(0)} 0V{SIDE}"
    return (
        f'<svg viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" aria-hidden="true">'
        f"{path('zero', zero)}{drawn}</svg>"
    )


def closeness_chart(name: str, title: str, record: Sequence[int | None], course: Sequence[int | None]) -> str:
    """How much room a rule's limit left on each day, both courses; the line at the bottom is the limit."""
    parts = []
    for kind, values in (("record", record), ("course", course)):
        drawn, pen = "", "M"
        for index, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            height = min(max(value, 0), MONEY_SCALE) * SIDE // MONEY_SCALE
            drawn += f"{pen}{index * SIDE // max(len(values) - 1, 1)} {SIDE - height}"
            pen = "L"
        parts.append(path(kind, drawn if len(values) > 1 else drawn and drawn + "h1000"))
    limit = path("floor", f"M0 {SIDE}h{SIDE}")
    return svg(
        name,
        title,
        "At the top the whole limit is left, the dotted line at the bottom is the limit.",
        limit + "".join(parts),
    )
