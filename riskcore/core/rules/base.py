"""What a rule is: parameters with declared ranges, and pure functions over a view of the state.

Adding a rule is one file with a `RULE = Rule(...)` and one line in `rules/__init__.py`. A rule says everything about
itself: nothing outside its file knows it by name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from riskcore.core.events import Command, Derived
from riskcore.core.marks import CONSERVATIVE
from riskcore.core.quantities import FRACTION_SCALE, decimal_text, limit_text, money_text
from riskcore.core.rules.wording import ANY_LIMIT, Advice
from riskcore.core.state import Account, Book, Day, Order
from riskcore.core.view import View

UNBOUNDED = 10**30
SWITCHES = ("enabled", "shadow", "locked")  # Keys every rule table takes beside its own fields.
SOURCE = "source"  # In the table of a user's own rule: the hash of the module that judges by it.
# What gauges show, and what they count in: 1e-6 dollars, 1e-6 dollars, the unit of their rule, nanoseconds.
LOSS, PROFIT, COUNT, SECONDS = "loss", "profit", "count", "seconds"
NANOSECOND_PLACES = 9
NO_MEASURE = ""  # A gauge that only says how things are.
# How near a limit is (INTERFACE.md 9, "Limits"), as far as a rule can say it.
OK, WARN, NEAR, BREACHED = "ok", "warn", "near", "breached"
# What a rule may bound (Rule.bounds), so that others need not warn that nothing does.
OPEN_LOSS, PRODUCTS, PROFIT_OF_DAY = "open_loss", "products", "profit_of_day"

# Kinds of values a parameter may have; config.py reads and checks them, `riskcore rules` prints them.
#   bool, int, money (1e-6 USD), fraction (1e-6), choice, text, zone, roots (list of roots), money_list ...
Stricter = str  # "lower", "higher", "true", "false" or "" (a change counts as loosening: RULES.md 1.6)


def spec(
    default: Any,
    kind: str,
    *,
    unit: str = "",
    low: int | None = None,
    high: int | None = None,
    choices: Sequence[str] = (),
    optional: bool = False,
    required: bool = False,
    stricter: Stricter = "",
    table: type[Any] | None = None,
    doc: str = "",
) -> Any:
    """A parameter of a rule. `low`/`high` are inclusive in the stored scale; `optional` allows "off".

    `table` is the frozen dataclass, itself made of `spec` fields, of a nested table or of each of several.
    """
    metadata = {
        "kind": kind,
        "unit": unit,
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "optional": optional,
        "required": required,
        "stricter": stricter,
        "table": table,
        "doc": doc,
    }
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: default, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit is crossed. `target` names the episode within the rule: "day", "total", a contract, a root."""

    target: str
    figures: Mapping[str, str]
    commands: tuple[Command, ...] = ()
    contract: str | None = None
    flags: tuple[str, ...] = ()
    once: bool = True  # False: breaches at each qualifying event (006, 007); no episode is kept open.


@dataclass(frozen=True, slots=True)
class Rearm:
    """The condition of an open episode is over (count rules)."""

    target: str


@dataclass(frozen=True, slots=True)
class Action:
    """Commands that are no breach: warnings, stop management, ending the rule's own lockout."""

    target: str
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Observed:
    """Something to store that is neither a breach nor a command."""

    body: Derived


Finding = Breach | Rearm | Action | Observed


@dataclass(slots=True)
class Quiet:
    """Where a rule cannot act or change what it remembers: prices per contract and a time limit.

    A quote is quiet when its valuation price lies in [low, high] of its contract and it comes before
    `until`, at most `gaps[contract]` nanoseconds after the one before it. `never` switches skipping off for
    the account. A rule that sets gaps says by them when time alone makes it act: its deadline is not looked at.
    `conservative` are the same intervals for rules that value at bid and ask whatever the profile's mark is.
    """

    intervals: dict[str, tuple[int, int]] = field(default_factory=dict)
    conservative: dict[str, tuple[int, int]] = field(default_factory=dict)
    until: int = UNBOUNDED
    gaps: dict[str, int] = field(default_factory=dict)
    never: bool = False

    def narrow(self, contract: str, low: int, high: int, mode: str | None = None) -> None:
        """Narrow the interval of the profile's mark, or of the mark named."""
        intervals = self.conservative if mode == CONSERVATIVE else self.intervals
        known_low, known_high = intervals.get(contract, (-UNBOUNDED, UNBOUNDED))
        intervals[contract] = (max(low, known_low), min(high, known_high))


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order the trader asks for that would open exposure if it filled now.

    `beside` are the working orders that limits count, and those on their way to the broker (order_roles.is_entry
    tells which of them may open as well).
    """

    order: Order
    beside: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """How near one limit of a rule is: what `riskcore status` and the screens show, and what `warn_at` warns by.

    Most rules give four values: Reading("day loss", LOSS, used, limit). `used` is how much of the limit is used up, in
    the unit of its kind, below 0 on the good side. The other fields are for limits that say more:

    now         what is measured, where it is neither `used` nor, of a loss, its opposite; text for what has no number.
    room        how much may be used up in all, where that is not the limit itself (a floor that moves with its peak).
    measure     what `now` is, where `name` names what is used up: the equity above a floor.
    kept        the floor is the part of a profit that should be kept.
    left        what may still happen, where no share of it can be told (a countdown).
    contract    the contract or product it is about; None for the account.
    unit        what a COUNT counts.
    until       when time alone changes it: a breach, the end of a window, the oldest trade leaving its window.
    note        what to add to the figures, in words.
    target      names the episode that a warning belongs to, as that of a Breach does.
    rearms      the warning may come again once less is used (counts), instead of once per episode.
    allows_equal  the limit itself is still allowed, only more breaches.
    fresh       False: it rests on a stale or missing mark, so that nobody is warned by it.
    state       OK, WARN, NEAR or BREACHED, where `used` does not say it.
    """

    name: str
    kind: str  # LOSS | PROFIT | COUNT | SECONDS | NO_MEASURE
    used: int | None = None
    limit: int | None = None
    now: int | str | None = None
    room: int | None = None
    measure: str = ""
    kept: bool = False
    left: int | None = None
    contract: str | None = None
    unit: str = ""
    until: int | None = None
    note: str = ""
    target: str = ""
    rearms: bool = False
    allows_equal: bool = False
    fresh: bool = True
    state: str | None = None

    @property
    def capacity(self) -> int | None:
        """How much may be used up in all; None without a measure."""
        return None if self.used is None else (self.limit if self.room is None else self.room)

    @property
    def shown(self) -> int | str | None:
        """What is measured now, as people know it: a loss is below 0."""
        if self.now is not None or self.used is None:
            return self.now
        return -self.used if self.kind == LOSS else self.used

    @property
    def remaining(self) -> int | None:
        """What may still happen before the breach, never below 0; None without a measure."""
        if self.left is not None or self.used is None or self.capacity is None:
            return self.left
        return max(self.capacity - self.used, 0)

    def text(self, value: int | str | None) -> str:
        """An amount of this gauge as exact decimal text: dollars, seconds, or a count."""
        if not isinstance(value, int):
            return value or ""
        if self.kind == SECONDS:
            return decimal_text(value, NANOSECOND_PLACES)
        return str(value) if self.kind in (COUNT, NO_MEASURE) else money_text(value)

    @property
    def limit_text(self) -> str | None:
        """The limit as it is written in the settings: 500, and not 500.00."""
        if self.limit is None or self.kind not in (LOSS, PROFIT):
            return None if self.limit is None else self.text(self.limit)
        return limit_text(self.limit)

    def reaches(self, share: int) -> bool:
        """Whether so much of the limit is used, in 1e-6 of it. A limit of 0 is reached by whatever is used."""
        if self.used is None or self.capacity is None:
            return False
        if self.capacity <= 0:
            return self.used > 0
        scale: int = FRACTION_SCALE
        return self.used * scale >= share * self.capacity

    @property
    def breaches(self) -> bool:
        """Whether the limit is reached, or where the limit itself is allowed, passed."""
        if self.used is None or self.capacity is None or self.used < self.capacity:
            return False
        return self.used > self.capacity or not (self.allows_equal or self.capacity <= 0)


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of the other rules where the settings of one are looked at (Rule.warnings).

    `bounded` is what some active table bounds; `bounding` are, for each bound, the rules that a trader can add for it.
    """

    bounded: tuple[str, ...] = ()
    bounding: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def advice(self, bound: str) -> str:
        """The tables to add for a bound, as they are written in riskcore.toml."""
        return " or ".join(f"[rules.{name}]" for name in self.bounding.get(bound, ()))


# What a rule caps (Rule.caps): a loss of the day or of a longer period, an open loss, a profit of the day, micro-units,
# or contracts.
DAY_LOSS, LONGER_LOSS, OPEN_POSITIONS, DAY_PROFIT = "day_loss", "longer_loss", "open_loss", "day_profit"
UNITS, CONTRACTS = "units", "contracts"


@dataclass(frozen=True, slots=True)
class Cap:
    """What a rule caps, so that it can be compared with the firm's own figure; `root` None means all products."""

    field: str  # Of the table, as riskcore.toml has it.
    kind: str
    amount: int
    root: str | None = None


def _nothing(params: Any) -> tuple[str, ...]:
    return ()


def _no_caps(params: Any) -> tuple[Cap, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `strength` orders attribution, larger is stronger (RULES.md 3.3). Only what is special is given.

    How it judges:

    evaluate(params, view)  findings now; must not change anything.
    remember(params, view)  folds what the rule remembers into position.memory / account.memory; part of the
                            projection, so it runs for every event in live, replay and rebuild alike.
    day_closed(params, view)
                            the same at the end of a trading day, under the rules of that day: what it remembers then,
                            and what it reports to be stored before DayRolled, in live, replay and rebuild alike.
    deadline(params, view)  the next instant at which time alone may make the rule act, or None.
    quiet(params, view, quiet)  narrows the bounds within which quotes cannot matter; a rule without it
                            declares that it reads no quotes.
    admit(params, view, proposal)
                            why an order the trader asks for would breach if it filled now: a sentence, or None.
                            A rule without it has no objection; lockouts are looked at for all rules.

    What it reads, and from when:
    needs(params)           inputs without which the rule is blind: trades, orders, quotes, positions,
                            accounts (what the broker says of them), commissions. What a rule that needs trades finds
                            at a late fill is about the day of that fill, and issues no commands (RULES.md 1.1); so is
                            what a rule finds that has looked at the fill or the figures of its day without needing
                            them.
    blind(params, book, account)
                            why it cannot judge the account on the open day although the source lacks nothing, or
                            None.
    waits_for               what must have been listed since a live engine started before the rule judges: positions,
                            orders, trades; "engine": that one runs at all. By default what it needs; a rule that reads
                            quotes values positions. What remember decides for its own instant cannot wait.
    joint                   what it finds depends on other accounts of the profile too, so it is judged at their events
                            as well. It remembers nothing: memory is folded at the events of its own account alone.
    reaches_back(params, day)
                            since when every fill must be known, where that is before the day began: a live engine
                            asks the broker for them before it judges.
    confirms_every(params)  in nanoseconds, how often the broker is at least to be asked about the account while the
                            stream works, or None.

    What it means where commands are carried out by a simulated broker (WHATIF.md):
    trails(params)          whether what its gauges read is measured from a level that `remember` moves with the day.
    keeps_out               an entry that `admit` objects to does not come about; other rules answer one that was made.
    cuts                    its close is a cut that goes down to nothing, and leaves the contract's orders alone.

    What people see of it:
    gauges(params, view)    one Reading for each of its limits now: for the screens, `riskcore status` and `audit`, and
                            for `approaching` (approach.py), which warns by them where the rule has a `warn_at`. It
                            changes nothing and must do with any view of the account. A rule without it, or with
                            nothing to show, has a row without figures.
    caps_size               whether its breaches and its blindness bound the safe size (INTERFACE.md 9); not where the
                            rule only takes profits or manages what is open.
    stop_ticks(params)      the distance of the stop it would place, or None; the safe size counts with it.
    advice                  what its alerts tell the trader to do (wording.py).
    warnings(params, where, beside)
                            sentences for `riskcore config check` about settings that are allowed but rarely meant;
                            `where` is the address of the table.
    bounds(params)          what it bounds, OPEN_LOSS, PRODUCTS or PROFIT_OF_DAY, so that others can tell.

    caps(params)            the amounts it caps, so that `riskcore config check` can compare them with the firm's.

    How it is configured:
    on_by_default           False: its table does nothing unless it says `enabled = true`.
    loosens                 for fields that limit something together: whether a change from the old parameters to the
                            new ones loosens. The other fields declare their stricter direction by themselves.
    monotone                numeric fields that move what the rule answers one way only: where two values of one give
                            the same findings (words aside), memory, deadline or objection, so does each value between
                            them, and where both ends are quiet, so is what lies between. The rule keeps no View.notes.
                            A sweep then judges many settings by asking for few.
    limits                  False: it keeps figures for other rules and limits nothing, so it has no gauge.
    stands(profile, needs)  of a rule that has no table: its parameters, None where it has nothing to watch, from the
                            options of [profile] and what the configured rules of the account need.
    source                  of a user's own rule: the hash of the module it is from, set when that is read.
    """

    id: str
    name: str
    title: str
    strength: int
    params: type[Any]
    evaluate: Callable[[Any, View], Sequence[Finding]]
    remember: Callable[[Any, View], None] | None = None
    deadline: Callable[[Any, View], int | None] | None = None
    quiet: Callable[[Any, View, Quiet], None] | None = None
    needs: Callable[[Any], tuple[str, ...]] = _nothing
    admit: Callable[[Any, View, Proposal], str | None] | None = None
    blind: Callable[[Any, Book, Account], str | None] | None = None
    waits_for: tuple[str, ...] | None = None
    reaches_back: Callable[[Any, Day], int] | None = None
    confirms_every: Callable[[Any], int | None] | None = None
    trails: Callable[[Any], bool] | None = None
    keeps_out: bool = False
    cuts: bool = False
    joint: bool = False
    gauges: Callable[[Any, View], Iterable[Reading]] | None = None
    caps_size: bool = True
    stop_ticks: Callable[[Any], int | None] | None = None
    advice: Advice = ANY_LIMIT
    warnings: Callable[[Any, str, Beside], Sequence[str]] | None = None
    bounds: Callable[[Any], tuple[str, ...]] = _nothing
    caps: Callable[[Any], Sequence[Cap]] = _no_caps
    on_by_default: bool = True
    loosens: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict)
    stands: Callable[[Any, tuple[str, ...]], Any] | None = None
    limits: bool = True
    day_closed: Callable[[Any, View], Sequence[Derived]] | None = None
    monotone: tuple[str, ...] = ()
    source: str = ""

    def awaits(self, params: Any) -> tuple[str, ...]:
        """What the rule waits for behind a start: a state that may be gone breaches nothing (RULES.md 1.6)."""
        if self.waits_for is not None:
            return self.waits_for
        return tuple("positions" if need == "quotes" else need for need in self.needs(params))

    def build(self, plain: Mapping[str, Any]) -> Any:
        """Parameters from a plain table (scaled integers, text, lists) without its switches and its source.

        Unknown names raise TypeError; what another version of a user's rule had and this one has not is left out.
        """
        if plain.get(SOURCE, self.source) != self.source:
            known = [parameter.name for parameter in fields(self.params)]
            plain = {name: value for name, value in plain.items() if name in known}
        return self.params(**{name: value for name, value in plain.items() if name not in (*SWITCHES, SOURCE)})


def default_of(parameter: Any) -> Any:
    """The default of a dataclass field made by `spec`."""
    return parameter.default_factory() if parameter.default is MISSING else parameter.default


def parameters_of(rule: Rule) -> tuple[Any, ...]:
    """The dataclass fields of a rule's parameters, in the order RULES.md lists them."""
    return fields(rule.params)
