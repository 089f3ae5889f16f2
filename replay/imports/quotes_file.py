"""Quotes beside an account's history: parquet files of best bid and offer, as lines of the market hub.

Two forms: every change (`ts_event`, `bid_px`, `ask_px`) and per minute (`t`, `bid_c`, `ask_c`), whose values are
known at the end of the minute. The contract is in the file's or folder's name.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import Number, Object, instant
from replay.imports.bars import WHICH_CONTRACT, Known, contract_in
from riskcore.core.products import product_code
from riskcore.core.quantities import MINUTE_NS, price, price_text
from riskcore.core.state import Contract
from riskcore.errors import InputError
from riskcore.schema.instants import utc_text

# Time, bid and ask columns, and how long after its time a row is known.
_FORMS = (("ts_event", "bid_px", "ask_px", 0), ("t", "bid_c", "ask_c", MINUTE_NS))
# A price this small a part of a tick beside the grid is the noise of a binary float, not a price of its own.
_NOISE_PARTS = 1000
_CACHED = 4096


@dataclass(slots=True)
class QuoteFiles:
    """The files of quotes. `only` is the contract of files that name none. Raises InputError for one without."""

    paths: Sequence[Path]
    only: str | None = None
    bad: int = 0  # Rows left out so far because bid and ask met or crossed: sampled at different instants.
    _files: dict[str, list[Path]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in sorted(self.paths):
            contract = contract_in(path) or self.only
            if contract is None:
                raise InputError(f"{path}: {WHICH_CONTRACT}")
            self._files.setdefault(contract, []).append(path)

    def lines(self, contract_id: str, contract: Contract | None, start: int, end: int) -> Iterator[Known]:
        """The quotes known in [start, end), oldest first. Raises InputError."""
        files = self._files.get(contract_id, [])
        rows = heapq.merge(*(_rows(file, start, end) for file in files), key=lambda row: row[0])
        prices = _Prices(contract.tick_size if contract is not None else None)
        for at, bid, ask in rows:
            try:
                bid_price, ask_price = prices[bid], prices[ask]
            except ValueError as error:
                raise InputError(f"quotes of {contract_id} at {utc_text(at)}: {error}") from None
            if bid_price is not None and ask_price is not None and bid >= ask:
                self.bad += 1
            elif bid_price is not None or ask_price is not None:
                yield at, _line(contract_id, at, bid_price, ask_price)


def _rows(path: Path, start: int, end: int) -> Iterator[tuple[Any, ...]]:
    """(known at, bid, ask) of the rows in [start, end) by time."""
    import polars

    try:
        frame = polars.scan_parquet(path)
        schema = frame.collect_schema()
        form = next((form for form in _FORMS if all(name in schema for name in form[:3])), None)
        if form is None:
            raise InputError(f"{path}: has neither the columns ts_event, bid_px, ask_px nor t, bid_c, ask_c")
        time, bid, ask, delay = form
        at = _instants(polars, time, schema[time])
        found = (
            frame.select(at.alias("at") + delay, polars.col(bid), polars.col(ask))
            .filter(polars.col("at").is_between(start, end, closed="left"))
            .sort("at", maintain_order=True)
            .collect()
        )
        return found.iter_rows()
    except (OSError, ValueError, polars.exceptions.PolarsError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: cannot be read as quotes: {reason}") from None


def _instants(polars: Any, name: str, kind: Any) -> Any:
    """A time column as nanoseconds since 1970; times without a zone are UTC."""
    column = polars.col(name)
    if kind.is_integer():
        return column.cast(polars.Int64)
    if kind == polars.String:
        return column.map_elements(instant, return_dtype=polars.Int64)
    if kind == polars.Datetime:
        return column.dt.timestamp("ns")
    raise ValueError(f"{name} is no column of times")


class _Prices(dict[Any, Number | None]):
    """Floats as exact decimals, remembered: a day has few different prices. None for a missing one."""

    def __init__(self, tick_size: int | None) -> None:
        self._tick_size = tick_size

    def __missing__(self, value: Any) -> Number | None:
        if len(self) >= _CACHED:
            self.clear()
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        found = None if missing else Number(price_text(on_grid(price(str(value)), self._tick_size)))
        self[value] = found
        return found


def on_grid(value: int, tick_size: int | None) -> int:
    """`value` without the noise of a binary float; a price really beside the grid is kept."""
    if not tick_size:
        return value
    nearest = (2 * value + tick_size) // (2 * tick_size) * tick_size
    return nearest if abs(value - nearest) * _NOISE_PARTS <= tick_size else value


def _line(contract: str, at: int, bid: Number | None, ask: Number | None) -> Object:
    known = {"bestBid": bid, "bestAsk": ask}
    stamp = utc_text(at)
    quote = {name: value for name, value in known.items() if value is not None}
    data = {"symbol": f"F.US.{product_code(contract)}", **quote, "lastUpdated": stamp, "timestamp": stamp}
    return {"hub": "market", "target": "GatewayQuote", "arguments": [contract, data]}
