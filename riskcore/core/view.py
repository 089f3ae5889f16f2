"""What a rule sees: one account at one event, nothing else."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from riskcore.core.events import Event
from riskcore.core.marks import TotalValuation, Valuation, valuation
from riskcore.core.names import episode_name, episode_target, memory_name
from riskcore.core.products import product_code, root_of_code
from riskcore.core.state import Account, Book, DayFigures, Order, Position, Trade


class Effect(NamedTuple):
    """What applying one event changed: the accounts to judge and what is new for them."""

    accounts: tuple[int, ...] = ()
    trade: Trade | None = None  # A fill seen for the first time.
    late: bool = False  # The fill belongs to an earlier trading day.
    increased: tuple[str, ...] = ()  # Contracts whose exposure was opened or increased.
    order_id: int | None = None
    contract: str | None = None  # The contract a quote, print or bar was about.
    gap: str | None = None  # A closing fill larger than the known position.
    resumed: bool = False  # A contract trades again, and a close of it that was refused is tried at once.
    history: bool = False  # The fill was made while no engine judged (restart.py).
    shown: tuple[str, ...] = ()  # What was listed for the first time since the engine started: positions, orders.
    corrected: Trade | None = None  # A fill as it was before a later version, or its void, changed it.
    balance_at: int | None = None  # A balance was reported, true as of this instant.


@dataclass(slots=True)
class View:
    """One account at one event. `rule_key` names the rule that is looking; memory names are its own."""

    book: Book
    account: Account
    event: Event
    effect: Effect
    pnl_basis: str
    mark_mode: str
    rule_key: str = ""
    changed: bool = False  # A rule changed what it remembers.
    _values: dict[tuple[str, str], Valuation] = field(default_factory=dict)
    _totals: dict[str, TotalValuation] = field(default_factory=dict)
    _held: list[Position] | None = None
    # What a rule worked out while remembering and may use again when it judges the same event.
    notes: dict[str, Any] = field(default_factory=dict)
    # The rules that have looked at the fill of this event, or at the figures of its day.
    _fill_readers: dict[str, bool] = field(default_factory=dict)

    @property
    def now(self) -> int:
        return self.book.now

    @property
    def day(self) -> DayFigures:
        """Figures of the day this event is about: today, or the earlier day of a fill told or changed late.

        Looking changes nothing: a day without figures yet shows as zeros and gets no row.
        """
        late = self.fill if self.effect.late else None
        trade_date = late.trade_date if late is not None else self.book.trade_date
        return self.account.days.get(trade_date) or DayFigures(trade_date)

    @property
    def trade(self) -> Trade | None:
        """The fill to judge; one that was made while no engine judged counts, but is no longer judged by itself."""
        self._fill_readers[self.rule_key] = True
        return None if self.effect.history else self.effect.trade

    @property
    def fill(self) -> Trade | None:
        """The fill this event is about as it is known now: a new one, history too, or one corrected or voided."""
        self._fill_readers[self.rule_key] = True
        corrected = self.effect.corrected
        return self.effect.trade if corrected is None else self.account.trade(corrected.id)

    @property
    def looked_at_fill(self) -> bool:
        """Whether this rule has looked at the fill of a late event, or at the figures of its day, by whatever name."""
        return self.rule_key in self._fill_readers

    @property
    def order(self) -> Order | None:
        """The order this event is about, as merged."""
        return None if self.effect.order_id is None else self.account.orders.get(self.effect.order_id)

    def root(self, contract: str) -> str:
        known = self.book.contracts.get(contract)
        return known.root if known else root_of_code(product_code(contract))

    def tick_size(self, contract: str) -> int | None:
        known = self.book.contracts.get(contract)
        return known.tick_size if known else None

    def fill_off_grid(self) -> bool:
        """Whether the price of the fill to judge is not on the tick grid (RULES.md 1.2)."""
        trade = self.effect.trade
        tick_size = self.tick_size(trade.contract) if trade is not None else None
        return bool(trade is not None and tick_size and trade.price % tick_size)

    def held(self) -> list[Position]:
        """Open positions, listed once per event: judging an event changes none."""
        if self._held is None:
            self._held = self.account.held()
        return self._held

    def value(self, position: Position, mode: str | None = None) -> Valuation:
        """Unrealised P&L of a position at the profile's mark, or at the one named; computed once per event."""
        mode = mode or self.mark_mode
        known = self._values.get((position.contract, mode))
        if known is None:
            known = valuation(self.book, position, mode, self.book.now)
            self._values[position.contract, mode] = known
        return known

    def total(self, mode: str | None = None) -> TotalValuation:
        """Unrealised P&L of all open positions at the profile's mark, or at the one named; once per event."""
        mode = mode or self.mark_mode
        known = self._totals.get(mode)
        if known is None:
            known = self._totals[mode] = self._added_up(mode)
        return known

    def _added_up(self, mode: str) -> TotalValuation:
        value = fresh = 0
        stale = incomplete = from_bars = False
        for position in self.account.positions.values():
            if not position.valued:
                continue
            one = self.value(position, mode)
            if one.value is None:
                incomplete = True
                continue
            value += one.value
            stale |= one.stale
            from_bars |= one.from_bars
            if not one.stale:
                fresh += one.value
        return TotalValuation(value, fresh, stale, incomplete, from_bars)

    def episode_open(self, target: str) -> bool:
        """Whether this rule's episode on `target` is still going on."""
        return episode_name(self.rule_key, target) in self.account.episodes

    def episode_since(self, target: str) -> int | None:
        """When this rule's episode on `target`, still open, began."""
        return self.account.episodes.get(episode_name(self.rule_key, target))

    def open_targets(self) -> list[str]:
        """The targets of this rule's open episodes."""
        own = episode_name(self.rule_key, "")
        return [episode_target(name) for name in self.account.episodes if name.startswith(own)]

    # Memory of a rule for the life of a position.
    def recall(self, position: Position, name: str) -> int | None:
        return position.memory.get(memory_name(self.rule_key, name))

    def keep(self, position: Position, name: str, value: int | None) -> None:
        self._store(position.memory, memory_name(self.rule_key, name), value)

    # Memory of a rule for the account; names that start with "day" are dropped at the reset.
    def recall_account(self, name: str) -> int | None:
        return self.account.memory.get(memory_name(self.rule_key, name))

    def keep_account(self, name: str, value: int | None) -> None:
        self._store(self.account.memory, memory_name(self.rule_key, name), value)

    def remembered_names(self) -> list[str]:
        """The names under which this rule remembers something for the account."""
        own = memory_name(self.rule_key, "")
        return [name.removeprefix(own) for name in self.account.memory if name.startswith(own)]

    def _store(self, memory: dict[str, int], name: str, value: int | None) -> None:
        if memory.get(name) == value:
            return
        self.changed = True
        if value is None:
            del memory[name]
        else:
            memory[name] = value
