"""The sections of the report that explain the effect: its parts, its days, its rules, what was left out."""

from collections.abc import Sequence
from html import escape

from replay.whatif.report_charts import bar, effect_chart, equity_chart, scale_of, whisker
from replay.whatif.report_figures import DayEffect, Figures, Moment, first_moments, habits, optional, total
from replay.whatif.report_tables import Cell, amount, number, plain, prose, table, toned, words
from replay.whatif.report_words import (
    FLAGS,
    action_words,
    counted,
    day_words,
    flag_words,
    percent,
    rule_title,
    time_words,
)
from riskcore.core.quantities import decimal_text, money
from riskcore.schema.rows import Row

RECORDED, CHANGED = "As recorded", "With these settings"


def section(name: str, heading: str, body: str) -> str:
    """A landmark with a heading of its own."""
    return f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{escape(heading)}</h2>{body}</section>'


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of text as it is."""
    tone = f' class="{kind}"' if kind else ""
    return f"<p{tone}>{prose(text)}</p>"


# ---- where the dollars come from ---------------------------------------------------------------------


def parts_section(figures: Figures) -> str:
    amounts = figures.amounts
    low, high = figures.cruellest, figures.kindest
    scale = scale_of([figures.exact, figures.effect, low or 0, high or 0])
    rows = [
        ("Exact", bar(scale, 0, figures.exact), toned(amounts, figures.exact)),
        ("Simulated", bar(scale, figures.exact, figures.effect, True), toned(amounts, figures.simulated)),
        ("Net effect", bar(scale, 0, figures.effect), toned(amounts, figures.effect)),
    ]
    if low is not None and high is not None:
        ends = f"{amounts.signed(low)} … {amounts.signed(high)}"
        rows.append(("Range", whisker(scale, low, high, figures.effect), ends))
    drawn = "".join(
        f'<div class="bar"><p>{name}</p>{drawing}<p class="amount">{text}</p></div>' for name, drawing, text in rows
    )
    body = drawn + paragraph(
        "Exact dollars follow from recorded fills alone, given the policy: entries left out, exits clipped. Simulated "
        "dollars hang on a price at which the simulated broker closed something.",
        "muted",
    )
    return section("parts", "Where the dollars come from", body + _ends(figures) + _by_flag(figures))


def _ends(figures: Figures) -> str:
    found = figures.result["range"]
    if found is None or figures.cruellest is None or figures.kindest is None:
        return ""
    items = [
        f"<li>{toned(figures.amounts, value)} at the {name}: {escape(_end_words(found[f'{name}_of']))}</li>"
        for name, value in (("kindest", figures.kindest), ("cruellest", figures.cruellest))
    ]
    return f'<ul class="plain">{"".join(items)}</ul>'


# Where a position ends that the record closed and these settings would have kept.
_ENDS = {"kept": "what the record closed is kept", "recorded": "what the record closed is closed there as well"}


def _end_words(end: Row | None) -> str:
    """What one end of the range supposes: policy stop, kindest bar path, 0 ms latency, 0 ticks slippage."""
    parts = []
    for name, value in (end or {}).items():
        if value is not None:
            what, _, unit = name.rpartition("_")
            measured = f"{value} {unit} {what}" if unit in ("ms", "ticks") else f"{name} {value}".replace("_", " ")
            parts.append(_ENDS.get(value, measured) if name == "end" else measured)
    return ", ".join(parts)


def _by_flag(figures: Figures) -> str:
    """Days whose prices are weaker than quotes, apart (WHATIF.md 4)."""
    rows = []
    for flag in sorted({flag for day in figures.days for flag in day.flags}):
        days = [day for day in figures.days if flag in day.flags]
        meaning = FLAGS[flag][1] if flag in FLAGS else ""
        short = flag_words(flag)
        rows.append(
            [
                words(short[:1].upper() + short[1:], meaning),
                number(f"{len(days):,}"),
                amount(figures.amounts, total(days)),
            ]
        )
    if not rows:
        return ""
    return "<h3>Days with weaker prices</h3>" + table(
        "Days whose effect rests on less than a fresh quote; a day may have several flags",
        ["Flag", "Days", "Effect"],
        rows,
    )


# ---- day by day --------------------------------------------------------------------------------------


def equity_section(figures: Figures) -> str:
    accounts = sorted({day.account for day in figures.days})
    if not accounts:
        return section("equity", "Equity, day by day", paragraph("No account had a fill, a position or a breach."))
    if len(accounts) == 1:
        return section("equity", "Equity, day by day", equity_chart(figures, accounts[0], "equity"))
    body = "<h3>All accounts</h3>" + equity_chart(figures, None, "equity")
    for place, account in enumerate(accounts, start=1):
        body += f"<h3>{escape(figures.name(account))}</h3>" + equity_chart(figures, account, f"equity-{place}")
    return section("equity", "Equity, day by day", body)


def days_section(figures: Figures) -> str:
    if not figures.days:
        return section("days", "Days", paragraph("There is no day to compare."))
    body = effect_chart(figures)
    if figures.changed:
        caption = (
            f"{counted(len(figures.helped), 'day')} better {figures.amounts.signed(total(figures.helped))}, "
            f"{len(figures.hurt)} worse {figures.amounts.signed(total(figures.hurt))}, "
            f"{len(figures.equal)} acted on and the same in the end"
        )
        body += "<h3>Days that changed</h3>" + _days_table(figures, caption, figures.changed)
    if figures.untouched:
        shown = _days_table(figures, "Both courses are the same on these days", figures.untouched)
        body += f"<details><summary>{counted(len(figures.untouched), 'unchanged day')}</summary>{shown}</details>"
    return section("days", "The effect of each day", body)


def _days_table(figures: Figures, caption: str, days: Sequence[DayEffect]) -> str:
    amounts, several = figures.amounts, len(figures.names) > 1
    if all(day.divergence is None and day.effect == 0 for day in days):
        rows = [
            [_day_cell(figures, day.trade_date, day.account, several), plain(amounts, day.baseline)] for day in days
        ]
        return table(caption, ["Day", "Net of both courses"], rows)
    rows = [
        [
            _day_cell(figures, day.trade_date, day.account, several),
            plain(amounts, day.baseline),
            plain(amounts, day.counterfactual),
            _effect_cell(figures, day),
            Cell(_left_out_words(day), "n"),
            Cell(_happened(day), "wide"),
        ]
        for day in days
    ]
    return table(caption, ["Day", RECORDED, CHANGED, "Effect", "Left out", "What happened first"], rows)


def _day_cell(figures: Figures, trade_date: str, account: int, several: bool) -> Cell:
    named = f'<span class="note">{prose(figures.name(account))}</span>' if several else ""
    return Cell(f'<span class="day">{day_words(trade_date)}</span>{named}')


def _effect_cell(figures: Figures, day: DayEffect) -> Cell:
    amounts = figures.amounts
    notes = []
    if day.simulated and day.exact:
        notes = [f"exact {amounts.signed(day.exact)}", f"simulated {amounts.signed(day.simulated)}"]
    elif day.effect:
        notes = ["simulated" if day.simulated else "exact"]
    below = "".join(f'<span class="note">{note}</span>' for note in notes)
    return Cell(f"<b>{toned(amounts, day.effect)}</b>{below}", "n lead")


def _left_out_words(day: DayEffect) -> str:
    if not day.left_out_entries:
        return ""
    text = counted(day.left_out_entries, "entry", "entries")
    return f'{text}<span class="note">{counted(day.left_out_contracts, "contract")}</span>'


def _happened(day: DayEffect) -> str:
    lines = []
    if day.divergence:
        when = time_words(day.divergence["at"], day.trade_date)
        changed, recorded = day.divergence["counterfactual_action"], day.divergence["baseline_action"]
        if day.divergence["cause"] == "opening" and changed is None and recorded is None:
            lines.append("the day starts with other open positions")
        elif changed is None:
            lines.append(f"{when}: nothing, where the record {action_words(recorded)}")
        else:
            instead = f", where the record {action_words(recorded)}" if recorded else ""
            lines.append(f"{when}: {action_words(changed)}{instead}")
    elif day.effect:
        lines.append("follows from an earlier day")
    lines += [flag_words(flag) for flag in day.flags]
    return "; ".join(prose(line) for line in lines)


# ---- rules -------------------------------------------------------------------------------------------


def rules_section(figures: Figures) -> str:
    rows, amounts = figures.result["effect"]["by_rule"], figures.amounts
    if not rows:
        body = "No rule is on." if figures.result["range"] is not None else "Shares were not worked out (--quick)."
        return section("rules", "What each rule did", paragraph(body))
    shares = [optional(row["net_pnl"]) for row in rows]
    scale = scale_of([share for share in shares if share is not None])
    drawn = [
        [
            words(row["rule"], _rule_note(row, rows)),
            Cell(bar(scale, 0, share or 0), "wide"),
            Cell(_share_words(figures, row, share), "n"),
            amount(amounts, optional(row["leave_one_out"])),
            amount(amounts, optional(row["alone"])),
            number(f"{row['days_helped']:,} / {row['days_hurt']:,}"),
        ]
        for row, share in zip(rows, shares, strict=True)
    ]
    note = (
        "The share splits the effect fairly between rules that act together (Shapley), so the shares add up to it. "
        "Lost without it is the part of the effect that goes when this rule alone is switched off or set back; alone "
        "is the effect with this rule only. Days count by what is lost without the rule."
    )
    note += _how_shared(figures)
    headings = ["Rule", "", "Share", "Lost without it", "Alone", "Days helped / hurt"]
    return section("rules", "What each rule did", table("Effect by rule", headings, drawn) + paragraph(note, "muted"))


def _rule_note(row: Row, rows: Sequence[Row]) -> str:
    """What the rule is for; which of its tables, where it is given several times."""
    several = sum(one["rule"] == row["rule"] for one in rows) > 1
    title = rule_title(row["rule"])
    return str(row.get("table", "")) if several else title if title != row["rule"] else ""


def _how_shared(figures: Figures) -> str:
    found = figures.result["effect"].get("shares")
    if found is None:
        return ""
    text = ""
    if "permutations" in found:
        text += (
            f" With so many rules the shares are estimates from {found['permutations']:,} random orders "
            f"(seed {found['seed']}), ± their standard error."
        )
    if money(found["remainder"]):
        text += f" The largest share holds {figures.amounts.signed(money(found['remainder']))} that rounding left over."
    return text


def _share_words(figures: Figures, row: Row, share: int | None) -> str:
    if share is None:
        return "–"
    error = row["standard_error"]
    note = "" if error is None else f'<span class="note">± {figures.amounts.plain(money(error))}</span>'
    return toned(figures.amounts, share) + note


# ---- left out ----------------------------------------------------------------------------------------


def left_out_section(figures: Figures) -> str:
    days = [day for day in figures.days if day.left_out_entries]
    if not days:
        return section("left-out", "Entries left out", paragraph("Every recorded entry was made."))
    entries, contracts = sum(day.left_out_entries for day in days), sum(day.left_out_contracts for day in days)
    known = [day.guard_cost for day in days if day.guard_cost is not None]
    body = paragraph(
        f"{counted(entries, 'entry', 'entries')} with {counted(contracts, 'contract')} on "
        f"{counted(len(days), 'day')}. Leaving them out supposes that you respect the lock."
    )
    if known:
        cost = sum(known)
        outcome = "cost" if cost >= 0 else "brought"
        body += paragraph(
            f"Had you made them anyway, and had the guard closed each one at once, they would have {outcome} "
            f"{figures.amounts.plain(abs(cost))}, fees included. The effect does not count this."
        )
    if len(known) < len(days):
        missing = counted(len(days) - len(known), "day")
        body += paragraph(
            f"On {missing} nothing came later that could price such a close; their guard cost is unknown."
        )
    several = len(figures.names) > 1
    rows = [
        [
            _day_cell(figures, day.trade_date, day.account, several),
            number(f"{day.left_out_entries:,}"),
            number(f"{day.left_out_contracts:,}"),
            number("unknown" if day.guard_cost is None else figures.amounts.plain(day.guard_cost)),
        ]
        for day in days
    ]
    shown = table("Left out, by day", ["Day", "Entries", "Contracts", "Guard cost"], rows)
    return section("left-out", "Entries left out", f"{body}<details><summary>By day</summary>{shown}</details>")


# ---- tilt --------------------------------------------------------------------------------------------


def tilt_section(figures: Figures) -> str:
    if not figures.moments:
        return section("tilt", "After the lock", paragraph("No rule would have locked at any moment."))
    first = first_moments(figures.moments)
    body = paragraph(
        f"How you traded on {counted(len(first), 'day')} after the first moment at which a rule would have locked, "
        "beside all other times of those days."
    )
    rules = sorted({one.rule for one in figures.moments})
    if len(rules) > 1:
        body += _habits_table(figures, "All rules, from the first moment of each day", first)
    for rule in rules:
        caption = f"{rule}: {rule_title(rule)}" if rule_title(rule) != rule else rule
        body += _habits_table(figures, caption, first_moments([one for one in figures.moments if one.rule == rule]))
    several = len(figures.names) > 1
    rows = [
        [
            _day_cell(figures, one.trade_date, one.account, several),
            words(time_words(one.at, one.trade_date)),
            words(one.rule),
            *_habit_cells(figures, [one.after]),
        ]
        for one in figures.moments
    ]
    shown = table("What followed each moment", ["Day", "Locked at", "Rule", *_HABITS], rows)
    count = counted(len(figures.moments), "moment")
    return section("tilt", "After the lock", f"{body}<details><summary>{count}</summary>{shown}</details>")


_HABITS = ("Entries", "Contracts an entry", "Losers", "Net")


def _habits_table(figures: Figures, caption: str, moments: Sequence[Moment]) -> str:
    after = _habit_cells(figures, [one.after for one in moments])
    otherwise = _habit_cells(figures, [one.otherwise for one in moments])
    rows = [[words(name), left, right] for name, left, right in zip(_HABITS, after, otherwise, strict=True)]
    return table(caption, ["Trading", "After the lock", "Otherwise"], rows)


def _habit_cells(figures: Figures, rows: Sequence[Row]) -> list[Cell]:
    found = habits(rows)
    size = "–" if found.mean_size is None else _one_digit(found.mean_size)
    losers = "–" if found.losing_share is None else percent(found.losing_share)
    return [number(f"{found.entries:,}"), number(size), number(losers), amount(figures.amounts, found.net)]


def _one_digit(millionths: int) -> str:
    return decimal_text((millionths + 50_000) // 100_000, 1, 1)
