"""Session files out of an account's history, market data beside it, and a check of its P&L. Source: INTERFACE.md 8."""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import Object
from replay.imports.advice import next_steps
from replay.imports.bars import Bars, BarSource, Known
from replay.imports.figures import AccountDay, Matching, totals
from replay.imports.history import Fill, History
from replay.imports.order_history import TRADED, order_versions
from replay.imports.quotes_file import QuoteFiles
from replay.imports.sources import Sources
from replay.recording import detect_form, read_wire
from replay.wire_writer import WireWriter
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.state import Day
from riskcore.errors import CannotWrite, ConfigError, InputError
from riskcore.settings.calendar import day_for
from riskcore.store.export_file import is_special

SCHEMA = "riskcore.import/1"
NOTE = "imported from "
FETCHED = "fetched from the broker"
# Market data is wanted from shortly before a contract's first fill: what is older is never used as a mark.
BEFORE_FIRST_FILL_NS = 5 * MINUTE_NS
# What a history never shows: it has fills, not the position the broker had pushed nor what it says of the account.
ALWAYS_LACKING = ("positions", "accounts")
# The platform charges commissions beside its fees since then; before, a row without them lacks nothing.
COMMISSIONS_SINCE = "2026-04-01"
APPROXIMATE_ORDERS = "approximate: fills of one contract, second and side count as one order, because none is named"
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the account's own; `place` orders the lines of one instant."""

    at: int
    place: tuple[int, tuple[int, int], int]
    contract: str
    line: Object
    fill: Fill | None = None


@dataclass(slots=True)
class Import:
    """One run over the files of a history."""

    sources: Sources
    settings: Mapping[str, Any]
    out: Path
    bars: BarSource
    quotes: QuoteFiles
    warn: Report
    progress: Report
    # Of a download: what it is called, the days it is about, contracts whose bars are wanted traded or not, and what
    # the names of its recordings end in.
    origin: str = ""
    span: tuple[Day, Day] | None = None
    watched: tuple[str, ...] = ()
    suffix: str = ""
    matching: Matching = field(init=False)
    _replaced: list[tuple[str, str]] = field(default_factory=list)  # Recordings, and what had been in them.

    def __post_init__(self) -> None:
        self.matching = Matching(self.sources.history)

    def run(self) -> dict[str, Any]:
        """Write a recording for every trading day; returns what `--json` prints. Raises InputError, ConfigError."""
        lines = within(account_lines(self.sources.history), self.span)
        days, start = [], 0
        day = self.span[0] if self.span is not None else day_for(self.settings, lines[0].at) if lines else None
        last_at = self.span[1].opens_at if self.span is not None and self.watched else 0
        while day is not None and (start < len(lines) or day.opens_at <= last_at):
            end = start
            while end < len(lines) and lines[end].at < day.closes_at:
                end += 1
            written = self._day(day, lines[start:end])
            if written is not None:
                days.append(written)
            start = end
            day = day_for(self.settings, day.closes_at)
        if self.quotes.bad:
            self.warn(f"{self.quotes.bad} quotes left out: their bid was not below their ask")
        if self._replaced:
            name, origin = self._replaced[0]
            more = f" and {len(self._replaced) - 1} more" if len(self._replaced) > 1 else ""
            self.warn(f"{name}{more}: written anew, and what had been {origin} is gone; another --out keeps both")
        accounts = [account for row in days for account in row["accounts"]]
        return {
            "schema": SCHEMA,
            "files": self.sources.files,
            "days": days,
            "closing_fills": sum(account["closing_fills"] for account in accounts),
            "checked": sum(account["checked"] for account in accounts),
            "differences": sum(len(account["differences"]) for account in accounts),
            "conflicts": self.sources.history.conflicts,
            "notes": self.sources.notes,
        }

    def _day(self, day: Day, lines: Sequence[Line]) -> dict[str, Any] | None:
        """Write one day; None for a day without lines: nothing was done, and no market data for what was held."""
        since = dict.fromkeys(sorted({*self.matching.open_contracts(), *self.watched}), day.opens_at)
        accounts: dict[int, AccountDay] = {}
        misled = bool(self.matching.misled)
        for line in lines:
            if line.fill is not None:
                since.setdefault(line.fill.contract, max(day.opens_at, line.at - BEFORE_FIRST_FILL_NS))
                figures = accounts.setdefault(line.fill.account, AccountDay(line.fill.account))
                self.matching.take(line.fill, figures)
                misled = misled or bool(self.matching.misled)
        found = {contract: self._market(contract, at, day) for contract, at in since.items()}
        streams = [stream for stream in found.values() if stream is not None]
        if not lines and not streams:
            return None
        if (self.bars.paths or self.quotes.paths) and len(streams) < len(found):
            missing = ", ".join(contract for contract, stream in found.items() if stream is None)
            self.warn(f"{day.trade_date}: no bars or quotes of {missing}, so the open P&L there stays unknown")
        market = heapq.merge(*streams, key=lambda known: known[0])
        lacks = self._lacks(lines, bool(streams), day.trade_date)
        if misled:
            # What is open cannot be told, so neither fills nor open P&L may be judged.
            lacks = ["trades", *lacks] if "quotes" in lacks else ["trades", "quotes", *lacks]
        approximate = any(line.fill is not None and line.fill.approximate for line in lines)
        path = self.out / f"{day.trade_date}{self.suffix}.jsonl"
        contracts = sorted({*since, *(line.contract for line in lines)})
        count = self._write(path, self._header(lacks, approximate), contracts, lines, market)
        self.progress(f"{path.name}: {count} lines")
        return {
            "trade_date": day.trade_date,
            "recording": path.name,
            "lines": count,
            "lacks": lacks,
            "approximate": ["orders"] if approximate else [],
            "contracts": contracts,
            "accounts": totals(accounts),
        }

    def _market(self, contract: str, start: int, day: Day) -> Iterator[Known] | None:
        """Bars and quotes of one contract from `start` to the day's end, None when there are none."""
        known = self.sources.history.contract(contract)
        found = heapq.merge(
            self.bars.lines(contract, start, day.closes_at),
            self.quotes.lines(contract, known, start, day.closes_at),
            key=lambda one: one[0],
        )
        first = next(found, None)
        return None if first is None else _again(first, found)

    def _lacks(self, lines: Sequence[Line], has_market: bool, trade_date: str) -> list[str]:
        """What the rules must not rely on (INTERFACE.md 4)."""
        known = {account for account, _ in self.sources.history.orders}
        recorded = [line.fill.recorded for line in lines if line.fill is not None and line.fill.recorded is not None]
        lacking = {
            "orders": not known or not {body.account for body in recorded} <= known,
            "quotes": not has_market,
            **dict.fromkeys(ALWAYS_LACKING, True),
            "commissions": any(
                body.fees_usd is None or (body.commissions_usd is None and trade_date >= COMMISSIONS_SINCE)
                for body in recorded
            ),
        }
        return [name for name, lacks in lacking.items() if lacks]

    def _header(self, lacks: list[str], approximate: bool) -> dict[str, Any]:
        note = self.origin or NOTE + ", ".join(self._origins())
        if approximate:
            return {"note": f"{note}; {APPROXIMATE_ORDERS}", "lacks": lacks, "approximate": ["orders"]}
        return {"note": note, "lacks": lacks}

    def _write(
        self, path: Path, header: dict[str, Any], contracts: list[str], lines: Sequence[Line], market: Iterator[Known]
    ) -> int:
        """Write a recording beside its name and then give it the name, so that none is ever half there."""
        old = replaceable_origin(path)
        if old is not None and old != _origin(header["note"]):
            self._replaced.append((path.name, old))
        unfinished = path.with_suffix(".jsonl.part")
        count = 0
        own = ((line.at, line.line) for line in lines)
        # Market data first: at one instant the market was there before the fill.
        merged = heapq.merge(market, own, key=lambda known: known[0])
        try:
            with WireWriter(unfinished, header) as writer:
                for at, line in merged:
                    if count == 0:
                        for contract in contracts:
                            row = self.sources.history.contract_rows.get(contract)
                            if row is not None:
                                writer.write(at, contract_line(contract, row))
                                count += 1
                    writer.write(at, line)
                    count += 1
            if is_special(path):
                raise ConfigError(f"{path}: not a file; choose another folder with --out")
            unfinished.replace(path.resolve())
        except OSError as error:
            raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from None
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
        return count

    def _origins(self) -> list[str]:
        """The names of all files, in an order of their own."""
        names = {row["file"] for row in self.sources.files}
        return [*sorted(names), *sorted({path.name or str(path) for path in (*self.bars.paths, *self.quotes.paths)})]


def _again(first: Known, rest: Iterator[Known]) -> Iterator[Known]:
    """A stream with its first item put back."""
    yield first
    yield from rest


def replaceable_origin(path: Path) -> str | None:
    """What the recording of this name was made from, None when there is none.

    One of another origin than imports and downloads is never overwritten. Raises ConfigError.
    """
    if not path.exists():
        return None
    try:
        note = (read_wire(path).note or "") if detect_form(path) == "wire" else ""
    except InputError:
        note = ""
    if not note.startswith((NOTE, FETCHED)):
        raise ConfigError(f"{path}: exists and is neither an import nor a download; choose another folder with --out")
    return _origin(note)


def _origin(note: str) -> str:
    """What a recording's note says of its files."""
    return note.partition(";")[0]


def within(lines: list[Line], span: tuple[Day, Day] | None) -> list[Line]:
    """The lines of the trading days from the one to the other; all of them without a span."""
    if span is None:
        return lines
    return [line for line in lines if span[0].opens_at <= line.at < span[1].closes_at]


def account_lines(history: History) -> list[Line]:
    """Fills and order versions as messages of the user hub, in the order in which they would have come."""
    fills = history.fills_in_order()
    lines = [
        Line(fill.at, (TRADED, fill.place, fill.id), fill.contract, _hub("GatewayUserTrade", 0, fill.row), fill)
        for fill in fills
    ]
    by_order: dict[tuple[int, int], list[Fill]] = {}
    for fill in fills:
        if fill.recorded is not None and fill.recorded.order_id is not None:
            by_order.setdefault((fill.account, fill.recorded.order_id), []).append(fill)
    for (_, order_id), order in history.orders.items():
        for version in order_versions(order, by_order, history.orders):
            line = _hub("GatewayUserOrder", 1, version.row)
            lines.append(Line(version.at, (version.phase, (0, 0), order_id), order.contract, line))
    return sorted(lines, key=lambda line: (line.at, line.place))


def _hub(target: str, action: int, row: Object) -> Object:
    return {"hub": "user", "target": target, "arguments": [{"action": action, "data": row}]}


def contract_line(contract: str, row: Object) -> Object:
    """The answer of Contract/searchById that describes a contract."""
    return {
        "rest": "/api/Contract/searchById",
        "request": {"contractId": contract},
        "status": 200,
        "response": {"contract": row, "success": True, "errorCode": 0, "errorMessage": None},
    }


def run_import(
    files: Sequence[Path],
    settings: dict[str, Any],
    *,
    bars: Sequence[Path] = (),
    quotes: Sequence[Path] = (),
    contracts: Sequence[Path] = (),
    out: Path = Path(),
    accounts: tuple[int, ...] = (),
    dates: str | None = None,
    warn: Report,
    progress: Report,
) -> dict[str, Any]:
    """Import the files under plain settings (their reset and time zone). Raises InputError, ConfigError."""
    sources = Sources(accounts, progress, dates)
    for path in (*files, *contracts):
        sources.read(path)
    sources.finish()
    traded = {fill.contract for fill in sources.history.fills.values()}
    only = traded.pop() if len(traded) == 1 else None
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be used as a folder: {error.strerror or error}") from None
    bar_files, quote_files = Bars((*bars, *sources.bar_files), only), QuoteFiles(quotes, only)
    result = Import(sources, settings, out, bar_files, quote_files, warn, progress).run()
    return {**result, "next_steps": next_steps(result["days"], settings)}
