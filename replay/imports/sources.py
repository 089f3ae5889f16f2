"""The files of an import, told apart by what is in them, merged into one history. Source: INTERFACE.md 8."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from adapters.topstepx.fields import Object, Rejected
from replay.imports.csv_export import Export, RoundTrip, export_fills, merged_trips, read_export
from replay.imports.history import History
from replay.imports.json_files import read_answer, read_bytes, rows_of
from replay.imports.orders import with_orders
from replay.imports.table import read_text
from riskcore.errors import ConfigError, InputError

# The account of a CSV export, which names none, unless --account or another file says which it is.
UNNAMED_ACCOUNT = 1
_KINDS = ("trades", "orders", "bars", "contracts")


@dataclass(slots=True)
class Sources:
    """Reads files in any order. `accounts`: only these (none = all); the one given is that of a CSV export.

    `dates` is the order of dates with slashes in a CSV export (None = as the file shows). `notes` says what the
    files do not know, and what was assumed in its place.
    """

    accounts: tuple[int, ...]
    progress: Callable[[str], None]
    dates: str | None = None
    history: History = field(default_factory=History)
    files: list[dict[str, Any]] = field(default_factory=list)
    bar_files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _exports: list[Export] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def read(self, path: Path) -> None:
        """Raises InputError naming file and row."""
        data = read_bytes(path)
        if data.lstrip()[:1] in (b"{", b"["):
            kind, count = self._json(path, read_answer(path, data))
        else:
            export = read_export(path, read_text(path, data), self.dates)
            self._exports.append(export)
            kind, count = "export", len(export.trips)
        self.files.append({"file": path.name, "kind": kind, "rows": count})
        self.progress(f"{path.name}: {count} rows of {kind}")

    def finish(self) -> None:
        """Make every row one, and put the round trips of CSV exports beside the rest.

        Raises ConfigError where fills would count twice, or an export names several accounts.
        """
        history = self.history
        self.files.sort(key=lambda row: (row["file"], row["kind"], row["rows"]))
        if any(export.trips for export in self._exports) and history.has_trades:
            raise ConfigError(
                "fills come from a CSV export and from Trade/search, and would count twice; give one of the two"
            )
        trips, conflicts = merged_trips(self._exports)
        by_account = self._by_account(trips)
        history.settle()
        fills = [*history.fills.values()]
        for account, own in sorted(by_account.items()):
            fills += export_fills(own, account)
        history.fills = {(fill.account, fill.id): fill for fill in with_orders(fills)}
        history.conflicts += conflicts
        self._note_costs([text for export in self._exports for text in export.negative_costs])
        self.notes += sorted({text for export in self._exports for text in (*export.left_out, *export.assumed)})
        self.notes += [f"{row['file']}: no rows of {row['kind']} in it" for row in self.files if not row["rows"]]
        for account in self.accounts:
            if self._seen and account not in self._seen:
                present = ", ".join(map(str, sorted(self._seen)))
                self.notes.append(f"--account {account}: no row is of that account; there is {present}")

    def _note_costs(self, of_exports: Sequence[str]) -> None:
        found = sorted({*of_exports, *self.history.negative_costs})
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            self.notes.append(f"{found[0]}{more}: below zero, and counted as a cost, never as income")

    def _by_account(self, trips: Sequence[RoundTrip]) -> dict[int, list[RoundTrip]]:
        """Round trips by account id. Raises ConfigError."""
        names = sorted({trip.account for trip in trips if not _is_id(trip.account)})
        if len(names) > 1:
            listed = ", ".join(repr(name)[:40] if name else "none" for name in names)
            raise ConfigError(f"the CSV exports name several accounts ({listed}); import the rows of each alone")
        unnamed = self._unnamed_account(names[0]) if names else 0
        found: dict[int, list[RoundTrip]] = {}
        for trip in trips:
            account = int(trip.account) if _is_id(trip.account) else unnamed
            self._seen.add(account)
            if not self.accounts or account in self.accounts:
                found.setdefault(account, []).append(trip)
        return found

    def _unnamed_account(self, name: str) -> int:
        """The id of the account whose exports name no id. Raises ConfigError."""
        others = self.accounts or tuple(sorted(self.history.order_accounts()))
        if len(others) > 1:
            raise ConfigError("a CSV export names no account; say with one --account whose it is")
        if self.accounts:
            return self.accounts[0]
        self._ask_whose()
        says = f"says only {name[:40]!r} of its account" if name else "names no account"
        account = next(iter(others), UNNAMED_ACCOUNT)
        booked = "that of the orders" if others else "which stands for it"
        self.notes.append(
            f"the CSV export {says}: booked as account {account}, {booked}; --account ID says whose it is"
        )
        return account

    def _ask_whose(self) -> None:
        """Exports of one account share the rows of the days they share; say so where these share none."""
        found = sorted((export for export in self._exports if export.trips), key=lambda export: export.name)
        for one, other in combinations(found, 2):
            if one.ids & other.ids:
                continue
            files = f"{one.name} and {other.name} name no account and share no trade"
            if _held_at_once(one, other):
                self.history.conflicts.append(
                    f"{files}, but held positions at the same time: are they of two accounts? They were taken for one; "
                    "import each alone, or say with --account ID that both are of one"
                )
            else:
                self.notes.append(f"{files}: taken for one account's; --account ID says so, or import each alone")

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
                self._row(kind, row, f"{path.name} row {number}")
            except Rejected as error:
                raise InputError(f"{path}, {kind} row {number}: {error}") from None
        return kind, len(listed)

    def _row(self, kind: str, row: Any, where: str) -> None:
        """Raises Rejected."""
        if kind == "contracts":
            self.history.add_contract(row, where)
        elif kind == "trades":
            self.history.add_trade(row, where, self._wanted)
        else:
            self.history.add_order(row, self._wanted)

    def _wanted(self, account: int) -> bool:
        self._seen.add(account)
        return not self.accounts or account in self.accounts


def _held_at_once(one: Export, other: Export) -> bool:
    """Whether some trade of the one was open while some trade of the other was."""
    trips = [(version.row, export) for export in (one, other) for version in export.trips]
    ends = {id(one): 0, id(other): 0}
    for trip, export in sorted(trips, key=lambda pair: pair[0].entered_at):
        against = other if export is one else one
        if trip.entered_at < ends[id(against)]:
            return True
        ends[id(export)] = max(ends[id(export)], trip.exited_at)
    return False


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) > 0
