"""The bars of a download: which days of which contract need them, and what stands in for those that are gone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.topstepx import rows as broker_rows
from adapters.topstepx.fields import Object, Rejected
from replay.fetching.missing import Missing
from replay.fetching.plan import BarUnit, Window, trading_hours, windows
from replay.fetching.questions import Questions
from replay.imports.bars import Known, known_lines
from replay.imports.figures import AccountDay, Matching
from replay.imports.history import History
from riskcore.core.state import Day
from riskcore.schema.instants import utc_text

_WINDOWS_AT_HAND = 4


def contracts_by_day(history: History, days: Sequence[Day], watched: Iterable[str]) -> dict[str, set[str]]:
    """For each trade date the contracts that were traded or held, and those that are watched in any case."""
    matching = Matching(history)
    fills = history.fills_in_order()
    found: dict[str, set[str]] = {}
    place = 0
    for day in days:
        found[day.trade_date] = {*watched, *matching.open_contracts()}
        while place < len(fills) and fills[place].at < day.closes_at:
            fill = fills[place]
            if fill.at >= day.opens_at:
                found[day.trade_date].add(fill.contract)
            matching.take(fill, AccountDay(fill.account))
            place += 1
    return found


@dataclass(slots=True)
class Market:
    """Collects bars. `step` is called for every window that is done, `expired` holds the months that are over."""

    questions: Questions
    unit: BarUnit
    missing: Missing
    expired: set[str]
    step: Callable[[str], None]
    rows: list[dict[str, object]] = field(default_factory=list)  # What came, by contract and length.
    paths: Sequence[Path] = ()  # As a BarSource: no bars come from files.
    _unknown: set[str] = field(default_factory=set)
    _asked: dict[str, list[tuple[BarUnit, Window]]] = field(default_factory=dict)
    _bad: set[tuple[str, BarUnit, int]] = field(default_factory=set)
    _at_hand: dict[tuple[str, BarUnit, int], dict[int, Object]] = field(default_factory=dict)
    _days: dict[str, dict[str, list[Day]]] = field(default_factory=dict)  # Contract: length, or none: days.

    async def collect(self, by_contract: Mapping[str, Sequence[Day]]) -> None:
        """Ask for the bars of these days."""
        for contract, days in sorted(by_contract.items()):
            for window in windows(days, self.unit.most_days):
                await self._window(contract, window.days, (self.unit, *self.unit.coarser()))
                self.step(contract)
            self._say(contract)

    async def _window(self, contract: str, days: Sequence[Day], units: Sequence[BarUnit]) -> None:
        """The bars of some days, those without any in the next coarser length."""
        if contract in self._unknown:
            return
        unit, *coarser = units
        for window in windows(days, unit.most_days):
            found = await self.questions.bars(contract, window, unit)
            if found is None:
                self._unknown.add(contract)
                text = f"{contract}: the broker knows no such contract, so there are no bars of it"
                self.missing.add("no bars", text, contract=contract)
                return
            if found:
                self._asked.setdefault(contract, []).append((unit, window))
            self._note_bad(contract, unit, found)
            empty = []
            for day in window.days:
                opened = sorted(at for at in found if day.opens_at <= at < day.closes_at)
                if opened:
                    self._days.setdefault(contract, {}).setdefault(str(unit), []).append(day)
                    self.missing.gaps(contract, day, opened, unit, self.questions.now())
                elif any(start < self.questions.now() for start, _ in trading_hours(day)):
                    empty.append(day)
            if empty and coarser:
                await self._window(contract, empty, coarser)
            elif empty:
                self._days.setdefault(contract, {}).setdefault("none", []).extend(empty)

    def lines(self, contract: str, start: int, end: int) -> Iterator[Known]:
        """As BarSource; read from what was kept, a window at a time."""
        by_unit: dict[int, dict[int, Object]] = {}
        for unit, window in self._asked.get(contract, ()):
            if window.start < end and start <= window.end + unit.length_ns:
                by_unit.setdefault(unit.length_ns, {}).update(self._window_bars(contract, unit, window))
        return known_lines(contract, by_unit, start, end)

    def _window_bars(self, contract: str, unit: BarUnit, window: Window) -> dict[int, Object]:
        """The bars of a window that contradict nothing; the latest windows are remembered, for their next days."""
        name = (contract, unit, window.start)
        if name not in self._at_hand:
            while len(self._at_hand) >= _WINDOWS_AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
            found = self.questions.bars_at_hand(contract, window, unit)
            self._at_hand[name] = {at: row for at, row in found.items() if (contract, unit, at) not in self._bad}
        return self._at_hand[name]

    def _note_bad(self, contract: str, unit: BarUnit, found: dict[int, Object]) -> None:
        """Take out the bars that cannot be used, and say so."""
        bad = [at for at, row in found.items() if not _good(contract, unit, row)]
        for at in bad:
            del found[at]
            self._bad.add((contract, unit, at))
        if bad:
            count = f"{len(bad)} {unit} bars" if len(bad) > 1 else f"a {unit} bar"
            text = f"{contract}: {count} left out from {utc_text(min(bad))} on: prices or times in them make no sense"
            self.missing.add("no bars", text, contract=contract)

    def _say(self, contract: str) -> None:
        """One line for each length that stands in for the one that was wanted."""
        for length, days in self._days.get(contract, {}).items():
            if length == "none":
                self.missing.none(contract, days)
            elif length != str(self.unit):
                self.missing.coarse(contract, days, str(self.unit), length, contract in self.expired)
            if length != "none":
                self.rows.append({"contract": contract, "unit": length, "days": [day.trade_date for day in days]})


def _good(contract: str, unit: BarUnit, row: Object) -> bool:
    """Whether the core can use a bar."""
    try:
        broker_rows.bar(contract, unit.length_ns, row)
    except Rejected:
        return False
    return True
