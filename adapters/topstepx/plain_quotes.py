"""Plain quotes, told from everything else by their shape and decoded many at once.

A record without its digits, points and minus signs is its shape. Records of one shape have the same keys in the
same order and differ only in numbers, so a shape is examined once: whether it is a GatewayQuote as
topstepx/API.md 4.3 writes it, whether a key comes twice, whether each price is a number. Records of a good shape
are decoded by msgspec into typed structs, which skips everything not needed. Whatever is unusual is left to the
normaliser, record by record: both ways give the same (property tests show it for lines and for hub records).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Protocol

import msgspec

from riskcore.core.quantities import price
from riskcore.core.quotes import Quotes

_LONGEST_CONTRACT = 1000
_LONGEST_SHAPE_BYTES = 4096  # Longer ones are no quotes, and not worth being remembered.
_CACHED = 4096
NUMERIC = b"0123456789.-"
_NUMBER, _WORD = rb"(?:null)?", rb'(?:"[^"\\\x00-\x1f\x7f-\xff]*"|true|false|null)?'
_PAIR = (
    rb'"(?:(?:lastPrice|bestBid|bestAsk)": ?'
    + _NUMBER
    + rb'|(?!lastPrice|bestBid|bestAsk)[A-Za-z]+": ?'
    + _WORD
    + rb")"
)
_EVENT = (
    rb'"target": ?"GatewayQuote", ?"arguments": ?\["[A-Za-z]+", ?\{((?:'
    + _PAIR
    + rb"(?:, ?"
    + _PAIR
    + rb")*)?)\}\]\}\r?"
)
_KEY = re.compile(rb'"([A-Za-z]+)": ?')
# The wrapped form and the other spelling of a price key belong to the normaliser.
_OTHER_FORMS = {b"data", b"Data", b"LastPrice", b"BestBid", b"BestAsk"}


class _Prices(msgspec.Struct, gc=False):
    last: Any = msgspec.field(name="lastPrice", default=None)
    bid: Any = msgspec.field(name="bestBid", default=None)
    ask: Any = msgspec.field(name="bestAsk", default=None)


class QuoteArguments(msgspec.Struct, gc=False, array_like=True, forbid_unknown_fields=True):
    """What a GatewayQuote says: its contract and its prices as they were written."""

    contract: Annotated[str, msgspec.Meta(max_length=_LONGEST_CONTRACT)]
    prices: _Prices


class QuoteForm(Protocol):
    """A decoded record of either origin."""

    arguments: QuoteArguments


class _PriceTable(dict[str | int | None, int | None]):
    """The price of each number as it was written: a text for a decimal, an int for a JSON integer, None for none."""

    def __missing__(self, written: str | int | None) -> int | None:
        if len(self) >= _CACHED:
            self.clear()
        found = self[written] = None if written is None else price(str(written))
        return found


class QuoteShapes:
    """Knows which records, one a line, are plain quotes. `head` is the shape of what stands before the target."""

    def __init__(self, head: bytes) -> None:
        self._quote = re.compile(head + _EVENT)
        self._known: dict[bytes, bool] = {}

    def of(self, block: bytes) -> list[bytes] | bytes:
        """The shape of each line of a block, or the one that all of them have."""
        text = block.translate(None, NUMERIC)
        first = text[: text.find(b"\n") + 1]
        if text == first * (len(text) // len(first)):
            return first[:-1]
        shapes = text.split(b"\n")
        shapes.pop()
        return shapes

    def is_quote(self, shape: bytes) -> bool:
        """Whether records of this shape are plain quotes."""
        if len(shape) > _LONGEST_SHAPE_BYTES:
            return False
        plain = self._known.get(shape)
        if plain is None:
            if len(self._known) > _CACHED:
                self._known.clear()
            plain = self._known[shape] = self._examined(shape)
        return plain

    def plain(self, block: bytes) -> list[bool] | bool:
        """Whether all lines of a block are plain quotes; if not, which of them are."""
        shapes = self.of(block)
        if isinstance(shapes, bytes):
            return self.is_quote(shapes) or [False] * block.count(b"\n")
        found = {shape: self.is_quote(shape) for shape in dict.fromkeys(shapes)}
        return all(found.values()) or [found[shape] for shape in shapes]

    def _examined(self, shape: bytes) -> bool:
        match = self._quote.fullmatch(shape)
        if match is None:
            return False
        keys = _KEY.findall(match[1])
        return len(set(keys)) == len(keys) and not _OTHER_FORMS.intersection(keys)


class QuoteColumns:
    """Columns of prices out of decoded records; remembers the prices it has seen."""

    def __init__(self) -> None:
        self._table = _PriceTable()

    def of(self, ats: list[int], rows: Sequence[QuoteForm]) -> Quotes:
        """The quotes of rows received at `ats`. Raises ValueError for a number that is no price."""
        table = self._table
        arguments = [row.arguments for row in rows]
        prices = [one.prices for one in arguments]
        return Quotes(
            ats,
            [one.contract for one in arguments],
            [table[one.last] for one in prices],
            [table[one.bid] for one in prices],
            [table[one.ask] for one in prices],
        )


_HEAD = rb'\{"type": ?, ?'


class _Record(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    type: Literal[1]
    target: Literal["GatewayQuote"]
    arguments: QuoteArguments


class QuoteRecords:
    """Knows which records are plain quotes, and reads runs of them."""

    def __init__(self) -> None:
        self.plain = QuoteShapes(_HEAD).plain
        self._columns = QuoteColumns()
        self._decode = msgspec.json.Decoder(_Record, float_hook=str).decode_lines

    def read(self, lines: bytes, at: int) -> Quotes | None:
        """The quotes of plain records received at `at`, or None when one of them needs the normaliser."""
        try:
            rows = self._decode(lines)
            return self._columns.of([at] * len(rows), rows)
        except (msgspec.MsgspecError, ValueError):
            return None
