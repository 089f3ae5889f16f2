"""The one-screen summary of a what-if as a PNG: drawn with Pillow and the font that Pillow brings along.

Pillow is an optional extra; no font of the system is used, so the card looks alike everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

from replay.whatif.report_charts import Scale, scale_of
from replay.whatif.report_figures import Figures, figures_of, running, total
from replay.whatif.report_style import DARK
from replay.whatif.report_words import MINUS, counted, span_words
from replay.whatif.verdict import doubts, headline
from riskcore.errors import ConfigError
from riskcore.schema.rows import Row

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

EXTRA = "report"
WIDTH, HEIGHT = 1200, 675
_FINER = 2  # Drawn larger and reduced, so that lines are smooth.
_EDGE = 56
_CHART = (_EDGE, 346, WIDTH - _EDGE, 566)
# The built-in font is plain ASCII and these; a minus is drawn.
_KNOWN = frozenset(map(chr, range(32, 127))) | set("·…±" + MINUS)


def card_png(result: Row) -> bytes:
    """The card of a result of `riskcore whatif`, or of what `share` makes of one, as the bytes of a PNG.

    Raises ConfigError, which names the extra, when Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ConfigError(
            f'--card needs Pillow to draw: pip install "riskcore[{EXTRA}]", or leave --card out'
        ) from None
    figures = figures_of(result)
    image = Image.new("RGB", (WIDTH * _FINER, HEIGHT * _FINER), DARK["page"])
    pen = _Pen(ImageDraw.Draw(image))
    _words(pen, figures)
    if figures.days:
        _courses(pen, figures)
    return _bytes(image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS))


def _bytes(image: Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class _Pen:
    """Draws in the card's own pixels."""

    def __init__(self, draw: ImageDraw) -> None:
        from PIL import ImageFont

        self._draw = draw
        self._load = ImageFont.load_default

    def text(self, x: float, y: float, text: str, size: int, colour: str, bold: bool = False) -> float:
        """Text with its baseline at y; gives where it ends. A minus, which the font lacks, is a line."""
        font = self._load(size * _FINER)
        weight = size * _FINER / 40 if bold else 0
        x, y = x * _FINER, y * _FINER
        for part in _parts(text):
            if part == MINUS:
                width = font.getlength("+")
                middle, half = y - size * _FINER * 0.30, max(size * _FINER / 26, 1) + weight
                self._draw.rectangle((x + width * 0.12, middle - half, x + width * 0.88, middle + half), DARK[colour])
            else:
                width = font.getlength(part)
                self._draw.text((x, y), part, DARK[colour], font, anchor="ls", stroke_width=weight)
            x += width
        return x / _FINER

    def width(self, text: str, size: int) -> float:
        """How wide text of a size is."""
        font = self._load(size * _FINER)
        return sum(font.getlength("+" if part == MINUS else part) for part in _parts(text)) / _FINER

    def line(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        fine = [(x * _FINER, y * _FINER) for x, y in points]
        self._draw.line(fine, DARK[colour], round(width * _FINER), joint="curve")

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        self._draw.circle((x * _FINER, y * _FINER), radius * _FINER, DARK[colour])


def _parts(text: str) -> list[str]:
    """Text cut at each minus, which stays a part of its own; what the font lacks becomes a question mark."""
    known = "".join(sign if sign in _KNOWN else "?" for sign in text)
    parts: list[str] = []
    for place, part in enumerate(known.split(MINUS)):
        parts += [MINUS] if place else []
        parts += [part] if part else []
    return parts


def _words(pen: _Pen, figures: Figures) -> None:
    amounts, dates = figures.amounts, figures.dates
    where = [span_words(dates[0], dates[-1]), counted(len(dates), "trading day")] if dates else []
    if len(figures.names) > 1:
        where.append(f"{len(figures.names)} accounts")
    pen.text(_EDGE, 70, " · ".join(["What if?", *where]), 22, "muted")
    _fitted(pen, 122, headline(figures)[0], 42, "ink")
    tone = "better" if figures.effect > 0 else "worse" if figures.effect < 0 else "ink"
    end = _fitted(pen, 226, amounts.signed(figures.effect), 92, tone, WIDTH * 0.62)
    unit = "of the loss limit" if amounts.shared else "net effect"
    pen.text(end + 24, 196, unit, 24, "muted")
    if figures.cruellest is not None and figures.kindest is not None:
        ends = f"range {amounts.short(figures.cruellest)} … {amounts.short(figures.kindest)}"
        pen.text(end + 24, 226, ends, 24, "ink")
    x = pen.text(_EDGE, 286, f"{counted(len(figures.helped), 'day')} better ", 28, "ink")
    x = pen.text(x, 286, amounts.short(total(figures.helped)), 28, "better", bold=True)
    x = pen.text(x + 28, 286, f"{len(figures.hurt)} worse ", 28, "ink")
    x = pen.text(x, 286, amounts.short(total(figures.hurt)), 28, "worse", bold=True)
    pen.text(x + 28, 286, f"{len(figures.untouched) + len(figures.equal)} unchanged", 28, "ink")
    notes = doubts(figures)
    parts = f"{amounts.short(figures.exact)} exact, {amounts.short(figures.simulated)} simulated"
    _fitted(pen, 324, f"{parts}. {notes[0]}" if notes else parts, 20, "muted")
    pen.text(_EDGE, HEIGHT - 28, "riskcore whatif", 20, "muted", bold=True)
    said = "Recorded trading, judged again. Not advice."
    pen.text(WIDTH - _EDGE - pen.width(said, 18), HEIGHT - 28, said, 18, "muted")


def _fitted(pen: _Pen, y: float, text: str, size: int, colour: str, width: float = WIDTH - 2 * _EDGE) -> float:
    """A line that is made smaller until it fits, and at last cut."""
    smallest = size // 2
    while size > smallest and pen.width(text, size) > width:
        size -= 1
    while pen.width(text, size) > width:
        text = text[:-2].rstrip() + "…"
    return pen.text(_EDGE, y, text, size, colour, bold=size > 24)


def _courses(pen: _Pen, figures: Figures) -> None:
    """Both courses, as in the report's chart, with the figures at their ends in the line below."""
    left, top, right, bottom = _CHART
    record, course = (running(figures.days, figures.dates, one) for one in ("baseline", "counterfactual"))
    scale = scale_of([*record, *course])
    across = [left + (right - left) * index / (len(record) - 1) for index in range(len(record))]

    def height(value: int) -> float:
        return bottom - (bottom - top) * _share(scale, value)

    pen.line([(left, height(0)), (right, height(0))], "line", 2)
    pen.line([(x, height(value)) for x, value in zip(across, record, strict=True)], "record", 3)
    pen.line([(x, height(value)) for x, value in zip(across, course, strict=True)], "course", 4)
    for name, values in (("record", record), ("course", course)):
        pen.dot(across[-1], height(values[-1]), 6, name)
    x = pen.text(left, 604, "as recorded ", 20, "record")
    x = pen.text(x, 604, figures.amounts.short(record[-1]), 20, "record", bold=True)
    x = pen.text(x + 28, 604, "with these settings ", 20, "course")
    pen.text(x, 604, figures.amounts.short(course[-1]), 20, "course", bold=True)


def _share(scale: Scale, value: int) -> float:
    return (value - scale.low) / (scale.high - scale.low)
