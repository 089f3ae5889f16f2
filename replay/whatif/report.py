"""The report of a what-if: one HTML file, made of the JSON alone, that needs no network and no script.

The same JSON gives the same bytes. A reader meets the verdict with its range first, then where the dollars come from,
and at the end what it rests on (WHATIF.md 5 and 8).
"""

from collections.abc import Sequence
from html import escape

from replay.whatif.report_background import assumptions_section, closest_section, programme_section, stamp_section
from replay.whatif.report_figures import Figures, figures_of, total
from replay.whatif.report_sections import (
    days_section,
    equity_section,
    left_out_section,
    paragraph,
    parts_section,
    rules_section,
    tilt_section,
)
from replay.whatif.report_style import style_sheet
from replay.whatif.report_tables import prose, toned
from replay.whatif.report_words import counted, span_words
from replay.whatif.verdict import doubts, headline, verdict
from riskcore.schema.rows import Row

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_CONTENTS = (
    ("parts", "Dollars"),
    ("equity", "Equity"),
    ("days", "Days"),
    ("rules", "Rules"),
    ("left-out", "Left out"),
    ("tilt", "After the lock"),
    ("closest", "Close calls"),
    ("programme", "Programme"),
    ("assumptions", "Assumptions"),
    ("stamp", "Stamp"),
)


def report_html(result: Row) -> str:
    """The page for a result of `riskcore whatif` (schema riskcore.whatif/1), or for what `share` makes of one."""
    figures = figures_of(result)
    sections = [
        parts_section(figures),
        equity_section(figures),
        days_section(figures),
        rules_section(figures),
        left_out_section(figures),
        tilt_section(figures),
        closest_section(figures),
        programme_section(figures),
        assumptions_section(figures),
        stamp_section(figures.result["stamp"]),
    ]
    body = "".join(sections)
    return page_html(f"What if: {headline(figures)[0]}", _head(figures), _hero(figures) + body, _CONTENTS)


def page_html(title: str, head: str, main: str, contents: Sequence[tuple[str, str]]) -> str:
    """A whole page around its parts: no script, no network. `contents` are linked as far as `main` has them."""
    links = "".join(
        f'<li><a href="#{name}">{heading}</a></li>' for name, heading in contents if f'<section id="{name}"' in main
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(title)}</title><style>{style_sheet()}</style></head>"
        '<body><a class="skip" href="#main">Skip to the verdict</a><div class="page">'
        f'{head}<nav aria-label="Sections"><ul>{links}</ul></nav>'
        f'<main id="main">{main}</main>'
        "<footer><p>Made by riskcore from recorded sessions. Not advice.</p></footer></div></body></html>\n"
    )


def _head(figures: Figures) -> str:
    change, about = headline(figures)
    dates = figures.dates
    where = [span_words(dates[0], dates[-1]), counted(len(dates), "trading day")] if dates else []
    where.append("amounts in percent of the loss limit" if figures.amounts.shared else "amounts in US dollars")
    names = list(figures.names.values())
    where.insert(0, names[0] if len(names) == 1 else f"{len(names)} accounts: {', '.join(names)}")
    return (
        f'<header><p class="eyebrow">What if?</p><h1>{escape(change)}</h1>'
        f'<p class="muted">{prose(about)}</p><p class="eyebrow">{escape(" · ".join(where))}</p></header>'
    )


def _hero(figures: Figures) -> str:
    amounts = figures.amounts
    tone = "good" if figures.effect > 0 else "bad" if figures.effect < 0 else ""
    span = ""
    if figures.cruellest is not None and figures.kindest is not None:
        span = f", range {amounts.signed(figures.cruellest)} … {amounts.signed(figures.kindest)}"
    notes = "".join(paragraph(text, "doubt") for text in doubts(figures))
    if amounts.shared:
        notes += paragraph(
            "Made to share: names and ids are replaced, and amounts are in percent of the loss limit.", "muted"
        )
    return (
        '<section class="hero" aria-labelledby="verdict-h"><h2 id="verdict-h">The verdict</h2>'
        f'<p class="net"><strong class="{tone}">{amounts.signed(figures.effect)}</strong>'
        f'<span class="muted">net effect{span}</span></p>'
        f"{paragraph(verdict(figures), 'verdict')}{notes}{_tiles(figures)}</section>"
    )


def _tiles(figures: Figures) -> str:
    amounts = figures.amounts
    entries = sum(day.left_out_entries for day in figures.days)
    contracts = sum(day.left_out_contracts for day in figures.days)
    same = len(figures.equal)
    tiles = [
        ("Days better", f"{len(figures.helped):,}", toned(amounts, total(figures.helped))),
        ("Days worse", f"{len(figures.hurt):,}", toned(amounts, total(figures.hurt))),
        ("Days unchanged", f"{len(figures.untouched) + same:,}", f"{same:,} of them acted on"),
        ("Entries left out", f"{entries:,}", counted(contracts, "contract")),
    ]
    return (
        '<dl class="tiles">'
        + "".join(f"<div><dt>{a}</dt><dd>{b}</dd><dd>{c}</dd></div>" for a, b, c in tiles)
        + "</dl>"
    )
