"""The files of an import, told apart by what is in them, merged into one history. Source: INTERFACE.md 8."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.topstepx import rows
from adapters.topstepx.fields import Object, Rejected
from replay.csv_export import RoundTrip, export_fills, is_export, read_export
from replay.history import History, fill_of, order_of
from replay.import_json import read_answer, read_bytes, rows_of
from riskcore.errors import ConfigError, InputError

# The account of a CSV export, which names none, unless --account or another file says which it is.
UNNAMED_ACCOUNT = 1
_KINDS = ("trades", "orders", "bars", "contracts")


@dataclass(slots=True)
class Sources:
    """Reads files in any order. `accounts`: only these (none = all); the one given is that of a CSV export."""

    accounts: tuple[int, ...]
    progress: Callable[[str], None]
    history: History = field(default_factory=History)
    files: list[dict[str, Any]] = field(default_factory=list)
    bar_files: list[Path] = field(default_factory=list)
    _trips: dict[int, RoundTrip] = field(default_factory=dict)

    def read(self, path: Path) -> None:
        """Raises InputError naming file and row."""
        data = read_bytes(path)
        if data.lstrip()[:1] in (b"{", b"["):
            kind, count = self._json(path, read_answer(path, data))
        else:
            kind, count = "export", self._export(path, data)
        self.files.append({"file": path.name, "kind": kind, "rows": count})
        self.progress(f"{path.name}: {count} rows of {kind}")

    def finish(self) -> None:
        """Put round trips of CSV exports beside the rest. Raises ConfigError when fills would count twice."""
        history = self.history
        if self._trips and history.fills:
            raise ConfigError(
                "fills come from a CSV export and from Trade/search, and would count twice; give one of the two"
            )
        for fill in export_fills(self._trips.values(), self._export_account()):
            history.add_fill(fill)

    def _export_account(self) -> int:
        others = self.accounts or {account for account, _ in self.history.orders}
        if self._trips and len(others) > 1:
            raise ConfigError("a CSV export names no account; say with one --account whose it is")
        return next(iter(others), UNNAMED_ACCOUNT)

    def _export(self, path: Path, data: bytes) -> int:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: neither JSON nor text in UTF-8: byte {error.start}") from None
        if not is_export(text):
            raise InputError(
                f"{path}: neither an answer of the broker (trades, orders, bars, contracts) nor a trade export"
            )
        trips = read_export(path, text)
        self._trips.update(trips)
        return len(trips)

    def _json(self, path: Path, answer: Object) -> tuple[str, int]:
        kinds = [kind for kind in _KINDS if kind in answer or kind.title() in answer]
        if len(kinds) != 1:
            raise InputError(
                f"{path}: exactly one of {', '.join(_KINDS)} must be in it; found {', '.join(kinds) or 'none'}"
            )
        kind = kinds[0]
        listed = rows_of(path, answer, kind)
        if kind == "bars":
            self.bar_files.append(path)
            return kind, len(listed)
        for number, row in enumerate(listed, start=1):
            try:
                self._row(kind, row)
            except Rejected as error:
                raise InputError(f"{path}, {kind} row {number}: {error}") from None
        return kind, len(listed)

    def _row(self, kind: str, row: Any) -> None:
        """Raises Rejected."""
        if kind == "contracts":
            self.history.add_contract(rows.row_of(row))
        elif kind == "trades":
            fill = fill_of(row)
            if self._wanted(fill.account):
                self.history.add_fill(fill)
        else:
            order = order_of(row)
            if self._wanted(order.observed.account):
                self.history.add_order(order)

    def _wanted(self, account: int) -> bool:
        return not self.accounts or account in self.accounts
