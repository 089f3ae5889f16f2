"""The report of a sweep: one HTML file made of the JSON alone, in the style of the what-if report.

The same JSON gives the same bytes. A reader meets the recommended setting with what luck would find, then the picture
of the grid, then every setting.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

from replay.sweep.frontier import frontiers
from replay.sweep.report_charts import pictures
from replay.sweep.words import chance_of, setting_words, verdict_lines
from replay.whatif.report import page_html
from replay.whatif.report_background import stamp_section
from replay.whatif.report_sections import paragraph, section
from replay.whatif.report_tables import Cell, amount, number, plain, table, words
from replay.whatif.report_words import Amounts, counted
from riskcore.core.quantities import money

Row = dict[str, Any]
# More settings than this make a table that nobody reads; the parquet file holds them all.
MOST_ROWS = 200
_AMOUNTS = Amounts()
_CONTENTS = (
    ("picture", "Picture"),
    ("frontier", "Trade-off"),
    ("settings", "Settings"),
    ("assumptions", "Assumptions"),
    ("stamp", "Stamp"),
)
_TITLES = ("Setting", "Effect", "Standard error", "Exact", "Simulated", "Helped", "Hurt", "Breaches", "Worst day")


def sweep_html(result: Row) -> str:
    """The page for a result of `riskcore sweep` (schema riskcore.sweep/1)."""
    size = counted(len(result["settings"]), "setting")
    accounts = counted(len(result["accounts"]), "account")
    about = f"{accounts} · {counted(result['days'], 'trading day')} · amounts in US dollars"
    keys = ", ".join(axis["key"] for axis in result["grid"])
    head = (
        f'<header><p class="eyebrow">Sweep</p><h1>{size}</h1><p class="muted">{escape(keys)}</p>'
        f'<p class="eyebrow">{escape(about)}</p></header>'
    )
    stamp = {**result["stamp"], "settings_diff": None}
    main = _hero(result) + _picture(result) + _settings(result) + _assumptions(result) + stamp_section(stamp)
    contents = [one for one in _CONTENTS if f'id="{one[0]}"' in main]
    return page_html(f"Sweep: {size}", head, main, contents)


def _signed(text: str) -> str:
    return _AMOUNTS.signed(money(text))


def _hero(result: Row) -> str:
    plateau = result["plateau"]
    figure, beside = "No recommendation", ""
    if plateau is not None:
        middle = plateau["middle"]
        figure = setting_words(middle["setting"])
        beside = f"{_signed(middle['net_pnl'])} over {counted(result['days'], 'day')}, the middle of a plateau"
    notes = "".join(paragraph(text, "doubt") for text in verdict_lines(result, _signed))
    return (
        '<section class="hero" aria-labelledby="verdict-h"><h2 id="verdict-h">The verdict</h2>'
        f'<p class="net"><strong>{escape(figure)}</strong><span class="muted">{escape(beside)}</span></p>{notes}'
        f"{paragraph('The best of many settings is mostly luck, and the middle of a plateau is a guess too.', 'muted')}"
        "</section>"
    )


def _picture(result: Row) -> str:
    drawn = pictures(result)
    if not drawn:
        drawn = paragraph("One or two numeric keys with several values would be drawn here; see the table.", "muted")
    traded = frontiers(result) if result["days"] else ""
    return section("picture", "The grid", drawn) + (section("frontier", "What to trade off", traded) if traded else "")


def _settings(result: Row) -> str:
    rows, accounts = result["settings"], result["odds"]["accounts"] if "odds" in result else []
    titles = [*_TITLES, *("Chance" if len(accounts) == 1 else f"Chance {one['account']}" for one in accounts)]
    caption = "Every setting, in the order of the grid"
    if len(rows) > MOST_ROWS:
        caption = f"The {MOST_ROWS} of {len(rows):,} settings with the largest effect; --out writes them all"
        rows = sorted(rows, key=lambda row: -money(row["effect"]["net_pnl"]))[:MOST_ROWS]
    return section("settings", "Every setting", table(caption, titles, [_cells(row, accounts) for row in rows]))


def _cells(row: Row, accounts: Sequence[Row]) -> list[Cell]:
    effect, worst = row["effect"], row["worst_day"]
    error = effect["standard_error"]
    return [
        words(setting_words(row["setting"])),
        amount(_AMOUNTS, money(effect["net_pnl"])),
        number("–" if error is None else _AMOUNTS.plain(money(error))),
        plain(_AMOUNTS, money(effect["exact"])),
        plain(_AMOUNTS, money(effect["simulated"])),
        *(number(f"{count:,}") for count in (row["days"]["helped"], row["days"]["hurt"], row["breaches"])),
        number("–") if worst is None else _worst(worst),
        *(number(chance_of(row, one["account"]) or "–") for one in accounts),
    ]


def _worst(worst: Row) -> Cell:
    """The amount of the worst day, and the date, which is not broken at its hyphens."""
    return Cell(f'{_signed(worst["net_pnl"])} <span class="day">{escape(worst["trade_date"])}</span>', "n")


def _assumptions(result: Row) -> str:
    known = result["assumptions"]
    items = [
        "Every day starts from the record, so a day that a setting changes does not change the next one.",
        f"Policy {known['policy']}, latency {known['latency_ms']} ms, slippage {known['slippage_ticks']} ticks. "
        "The size of an order moves no price here.",
        "A standard error takes the days as independent of each other.",
        "Neighbours are settings within 10 % in each numeric key, or the next value where the grid is coarser.",
    ]
    if "odds" in result:
        drawn = result["odds"]
        items.append(
            f"Chances: whole days drawn alike, {drawn['paths']:,} journeys from seed {drawn['seed']}, the same for "
            f"every setting; what the days leave open comes from {drawn['outer_histories']} histories drawn from them."
        )
    return section(
        "assumptions",
        "What this rests on",
        '<ul class="plain">' + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>",
    )
