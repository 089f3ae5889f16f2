"""Quote lines of a wire recording, read many at once: four out of five lines of a day are quotes.

Which lines are plain quotes and what their prices are is told by adapters.topstepx.plain_quotes; here is what a
recording adds: the instant of each line. Whatever is unusual gives None, and the caller reads those lines one by
one with the normaliser: both ways give the same (a property test shows it).
"""

from bisect import bisect_left
from typing import Literal

import msgspec

from adapters.topstepx.fields import instant
from adapters.topstepx.plain_quotes import QuoteArguments, QuoteColumns, QuoteShapes
from riskcore.core.quotes import Quotes

_FEW = 8  # Under so many quotes in a minute the columns of a minute cost more than they save.
_FRACTION_DIGITS = 9
_BARE_WIDTH = len("2026-08-19T14:31:32.Z")
_HEAD = rb'\{"at": ?"T::Z", ?"hub": ?"market", ?'


class _Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    at: str
    hub: Literal["market"]
    target: Literal["GatewayQuote"]
    arguments: QuoteArguments


class QuoteLines:
    """Knows which lines are plain quotes, and reads runs of them."""

    def __init__(self) -> None:
        self.plain = QuoteShapes(_HEAD).plain
        self._columns = QuoteColumns()
        self._decode = msgspec.json.Decoder(_Line, float_hook=str).decode_lines
        self._decode_integers = msgspec.json.Decoder(list[int]).decode

    def read(self, lines: bytes) -> Quotes | None:
        """The quotes of plain lines, or None when one of them needs the normaliser to tell what it is."""
        try:
            rows = self._decode(lines)
            return self._columns.of(self._instants([row.at for row in rows]), rows)
        except (msgspec.MsgspecError, ValueError):
            return None

    def _instants(self, texts: list[str]) -> list[int]:
        """Nanoseconds of texts like 2026-08-19T14:31:32.123456Z. Raises ValueError.

        When all are equally long and rise, the digits of one minute are read as one list of integers.
        """
        count, width = len(texts), len(texts[0])
        joined = "".join(texts)
        same_form = joined[_BARE_WIDTH - 2 :: width] == "." * count and joined[width - 1 :: width] == "Z" * count
        if not (same_form and _BARE_WIDTH < width <= _BARE_WIDTH + _FRACTION_DIGITS):
            return [instant(text) for text in texts]
        ats: list[int] = []
        while len(ats) < count:
            start = len(ats)
            minute = texts[start][:17]
            end = bisect_left(texts, minute + ":", start)  # Greater than every digit.
            if end - start < _FEW:
                ats += [instant(text) for text in texts[start : max(end, start + 1)]]
            else:
                ats += self._of_minute(minute, joined[start * width : end * width], width)
        return ats

    def _of_minute(self, minute: str, joined: str, width: int) -> list[int]:
        """Instants of one minute out of their joined texts: each becomes 1SSffffff, the 1 keeping leading zeros."""
        if joined[len(minute) :: width].strip("012345"):
            raise ValueError("no such second")
        numbers = joined.replace(f"Z{minute}", ",1").replace(".", "")
        found = self._decode_integers(f"[1{numbers[len(minute) : -1]}]")
        digits = width - _BARE_WIDTH
        unit = 10 ** (_FRACTION_DIGITS - digits)
        base = instant(f"{minute}00Z") - 10 ** (digits + 2) * unit
        return [base + number * unit for number in found]
