"""The pictures of a sweep as inline SVG: a curve with its band over one numeric key, a heat map over two.

Values of a key stand side by side in their order, evenly: a grid is rarely even. Keys that are no numbers give a
picture for each combination of their values.
"""

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import Any

from replay.sweep.grid import number_of
from replay.sweep.words import setting_words
from replay.whatif.report_charts import SIDE, Scale, grid_lines, path, place_percent, scale_of, svg
from replay.whatif.report_words import Amounts
from riskcore.core.quantities import money

Row = dict[str, Any]
_AMOUNTS = Amounts()
_MOST_LABELS = 8
# Each label stands below its own value, however long it is.
_BELOW = "flex:1 1 0;min-width:0;white-space:nowrap;text-align:center"
# How strongly the largest effect is coloured, and in how many steps it fades to none.
_STEPS = 8
_SHADES = [f"{(step + 1) * 10}" for step in range(_STEPS)]


def pictures(result: Row) -> str:
    """Every picture of the grid; none where more than two of its keys are numeric, or none is."""
    numeric = [
        axis["key"]
        for axis in result["grid"]
        if len(axis["values"]) > 1 and all(number_of(value) is not None for value in axis["values"])
    ]
    if len(numeric) not in (1, 2) or not result["days"]:
        return ""
    draw = _curve if len(numeric) == 1 else _heat_map
    middle = None if result["plateau"] is None else result["plateau"]["middle"]["setting"]
    return "".join(
        draw(f"picture-{index}", numeric, rows, others, middle)
        for index, (others, rows) in enumerate(_by_others(result["settings"], numeric))
    )


def _by_others(settings: Sequence[Row], numeric: Sequence[str]) -> list[tuple[str, list[Row]]]:
    """Settings that differ in numeric keys only, with what they share in words."""

    def shared(row: Row) -> str:
        return setting_words({key: value for key, value in row["setting"].items() if key not in numeric})

    return [(words, list(rows)) for words, rows in groupby(sorted(settings, key=shared), key=shared)]


def _number(row: Row, key: str) -> Decimal:
    return Decimal(row["setting"][key])


def _figure(labels: str, across: Sequence[str], drawn: str, caption: str) -> str:
    every = -(-len(across) // _MOST_LABELS)
    below = "".join(
        f'<span style="{_BELOW}">{"" if place % every else escape(text)}</span>' for place, text in enumerate(across)
    )
    return (
        f'<figure><div class="plot">{drawn}{labels}</div><div class="x" aria-hidden="true">{below}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _label(place: int, text: str) -> str:
    return f'<span class="y" aria-hidden="true" style="top:{place_percent(place)}">{escape(text)}</span>'


# ---- one numeric key ---------------------------------------------------------------------------------


def _curve(name: str, keys: Sequence[str], rows: list[Row], others: str, middle: Row | None) -> str:
    """The effect along one key, with a standard error to each side."""
    [key] = keys
    rows = sorted(rows, key=lambda row: _number(row, key))
    effects = [money(row["effect"]["net_pnl"]) for row in rows]
    errors = [money(row["effect"]["standard_error"] or "0") for row in rows]
    low = [effect - error for effect, error in zip(effects, errors, strict=True)]
    high = [effect + error for effect, error in zip(effects, errors, strict=True)]
    scale = scale_of(low + high)
    across = [(2 * index + 1) * SIDE // (2 * len(rows)) for index in range(len(rows))]
    band = _line(scale, across, high) + "L" + _line(scale, across[::-1], low[::-1])[1:] + "z"
    dots = "".join(
        f"M{at} {SIDE - scale.at(effect)}h0"
        for at, effect, row in zip(across, effects, rows, strict=True)
        if row["setting"] == middle
    )
    body = grid_lines(scale) + f'<path class="band" d="{band}"/>'
    body += path("course", _line(scale, across, effects)) + path("dot", dots)
    caption = f"{_about(others)}Effect along {key}, with one standard error to each side."
    labels = "".join(_label(SIDE - scale.at(tick), _AMOUNTS.axis(tick)) for tick in scale.ticks())
    drawn = svg(name, "Effect of each setting", "The figures are in the table of settings.", body)
    return _figure(labels, [row["setting"][key] for row in rows], drawn, caption + _marked(dots))


def _line(scale: Scale, across: Sequence[int], values: Sequence[int]) -> str:
    return "M" + "L".join(f"{at} {SIDE - scale.at(value)}" for at, value in zip(across, values, strict=True))


def _about(others: str) -> str:
    return f"{others}. " if others else ""


def _marked(dot: str) -> str:
    return " The dot is the recommended setting." if dot else ""


# ---- two numeric keys --------------------------------------------------------------------------------


def _heat_map(name: str, keys: Sequence[str], rows: list[Row], others: str, middle: Row | None) -> str:
    """The effect over two keys: the first upwards, the second across; green gains, red loses."""
    up, along = (sorted({_number(row, key): row["setting"][key] for row in rows}.items()) for key in keys)
    places = [{value: place for place, (value, _) in enumerate(axis)} for axis in (up, along)]
    most = max((abs(money(row["effect"]["net_pnl"])) for row in rows), default=0)
    cells: dict[tuple[str, str], str] = {}
    dot = ""
    for row in rows:
        effect = money(row["effect"]["net_pnl"])
        at_up, at_along = (where[_number(row, key)] for where, key in zip(places, keys, strict=True))
        left, right = (SIDE * at // len(along) for at in (at_along, at_along + 1))
        bottom, top = (SIDE - SIDE * at // len(up) for at in (at_up, at_up + 1))
        if effect:
            kind = "up" if effect > 0 else "down"
            shade = _SHADES[min(abs(effect) * _STEPS // most, _STEPS - 1)]
            cells[kind, shade] = cells.get((kind, shade), "") + f"M{left} {bottom}V{top}H{right}V{bottom}z"
        if row["setting"] == middle:
            dot = f"M{(left + right) // 2} {(bottom + top) // 2}h0"
    body = "".join(
        f'<path class="{kind}" fill-opacity=".{shade}" d="{drawn}"/>' for (kind, shade), drawn in sorted(cells.items())
    )
    body += path("grid", f"M0 0H{SIDE}V{SIDE}H0z") + path("dot", dot)
    shown = up if len(up) <= 3 else [up[0], up[len(up) // 2], up[-1]]
    labels = "".join(_label(SIDE - (2 * places[0][value] + 1) * SIDE // (2 * len(up)), text) for value, text in shown)
    caption = (
        f"{_about(others)}{keys[0]} upwards, {keys[1]} across. Green gains, red loses; the strongest colour is "
        f"{_AMOUNTS.plain(most)}."
    )
    drawn = svg(name, "Effect of each setting", "The figures are in the table of settings.", body)
    return _figure(labels, [text for _, text in along], drawn, caption + _marked(dot))
