"""Quote lines of a wire recording, read many at once: four out of five lines of a day are quotes.

A line without its digits, points and minus signs is its shape. Lines of one shape have the same keys in the
same order and differ only in numbers, so a shape is examined once: whether it is a GatewayQuote as INTERFACE.md
4 writes it, whether a key comes twice, whether each price is a number. Lines of a good shape are decoded by
msgspec into typed structs, which skips everything not needed. Whatever is unusual gives None, and the caller
reads those lines one by one with the normaliser: both ways give the same (a property test shows it).
"""

import re
from bisect import bisect_left
from typing import Annotated, Any, Literal

import msgspec

from adapters.topstepx.fields import instant
from riskcore.core.quantities import price
from riskcore.engine.quotes import Quotes

_LONGEST_CONTRACT = 1000
_CACHED = 4096
_FEW = 8  # Under so many quotes in a minute the columns of a minute cost more than they save.
_FRACTION_DIGITS = 9
_BARE_WIDTH = len("2026-08-19T14:31:32.Z")
_NUMERIC = b"0123456789.-"
_NUMBER, _WORD = rb"(?:null)?", rb'(?:"[^"\\\x00-\x1f\x7f-\xff]*"|true|false|null)?'
_PAIR = (
    rb'"(?:(?:lastPrice|bestBid|bestAsk)": ?'
    + _NUMBER
    + rb'|(?!lastPrice|bestBid|bestAsk)[A-Za-z]+": ?'
    + _WORD
    + rb")"
)
_QUOTE = re.compile(
    rb'\{"at": ?"T::Z", ?"hub": ?"market", ?"target": ?"GatewayQuote", ?'
    rb'"arguments": ?\["[A-Za-z]+", ?\{((?:' + _PAIR + rb"(?:, ?)?)*)\}\]\}\r?"
)
_KEY = re.compile(rb'"([A-Za-z]+)": ?')
# The wrapped form and the other spelling of a price key belong to the normaliser.
_OTHER_FORMS = {b"data", b"Data", b"LastPrice", b"BestBid", b"BestAsk"}


class _Prices(msgspec.Struct, gc=False):
    last: Any = msgspec.field(name="lastPrice", default=None)
    bid: Any = msgspec.field(name="bestBid", default=None)
    ask: Any = msgspec.field(name="bestAsk", default=None)


_Contract = Annotated[str, msgspec.Meta(max_length=_LONGEST_CONTRACT)]


class _Arguments(msgspec.Struct, gc=False, array_like=True, forbid_unknown_fields=True):
    contract: _Contract
    prices: _Prices


class _Line(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    at: str
    hub: Literal["market"]
    target: Literal["GatewayQuote"]
    arguments: _Arguments


class _PriceTable(dict[str | int | None, int | None]):
    """The price of each number as it was written: a text for a decimal, an int for a JSON integer, None for none."""

    def __missing__(self, written: str | int | None) -> int | None:
        if len(self) >= _CACHED:
            self.clear()
        found = self[written] = None if written is None else price(str(written))
        return found


class QuoteLines:
    """Knows which lines are plain quotes, and reads runs of them."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, bool] = {}
        self._prices = _PriceTable()
        self._decode = msgspec.json.Decoder(_Line, float_hook=str).decode_lines
        self._decode_integers = msgspec.json.Decoder(list[int]).decode

    def plain(self, block: bytes) -> list[bool] | bool:
        """Whether all lines of a block are plain quotes; if not, which of them are."""
        text = block.translate(None, _NUMERIC)
        known = self._shapes
        first = text[: text.find(b"\n") + 1]
        if known.get(first[:-1]) and text == first * (len(text) // len(first)):
            return True  # All lines have the one shape that is known already.
        shapes = text.split(b"\n")
        shapes.pop()
        if len(known) > _CACHED:
            known.clear()
        every = True
        for shape in set(shapes):
            plain = known.get(shape)
            if plain is None:
                plain = known[shape] = _is_quote(shape)
            every = every and plain
        return every or [known[shape] for shape in shapes]

    def read(self, lines: bytes) -> Quotes | None:
        """The quotes of plain lines, or None when one of them needs the normaliser to tell what it is."""
        table = self._prices
        try:
            rows = self._decode(lines)
            arguments = [row.arguments for row in rows]
            prices = [one.prices for one in arguments]
            return Quotes(
                self._instants([row.at for row in rows]),
                [one.contract for one in arguments],
                [table[one.last] for one in prices],
                [table[one.bid] for one in prices],
                [table[one.ask] for one in prices],
            )
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


def _is_quote(shape: bytes) -> bool:
    match = _QUOTE.fullmatch(shape)
    if match is None:
        return False
    keys = _KEY.findall(match[1])
    return len(set(keys)) == len(keys) and not _OTHER_FORMS.intersection(keys)
