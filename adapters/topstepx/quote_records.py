"""Quote records of the market hub, read many at once: a fast market sends hundreds a second.

Which records are plain quotes and what their prices are is told by adapters.topstepx.plain_quotes; the codec asks
`plain`, the feed calls `read` with the instant of receipt. Whatever is unusual goes record by record through the
normaliser: both ways give the same (a property test shows it).
"""

from typing import Literal

import msgspec

from adapters.topstepx.plain_quotes import QuoteArguments, QuoteColumns, QuoteShapes
from riskcore.core.quotes import Quotes

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
