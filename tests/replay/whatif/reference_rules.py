"""A few rules of RULES.md, plainly: 001, 003, 004, 006, 007. Each looks at one account after one event.

A rule says what it finds; what of it changes anything at the broker is decided by the course (reference_course.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.replay.whatif.reference_books import FRESH_NS, Book, Booked, Mark, open_pnl
from tests.replay.whatif.reference_facts import SECOND_NS, closes_at, trade_date

WINDOWS_NS = {"minute": 60 * SECOND_NS, "hour": 3600 * SECOND_NS}
COOLDOWNS = {"minute": 60, "hour": 1800}
TIERS = ((100, 300), (200, 900), (300, 1800))
Settings = Mapping[str, Mapping[str, Any]]


@dataclass
class Lockout:
    """Forbids opening and increasing while now < until. `held` is the smallest signed size since it began."""

    until: int
    held: dict[str, int]


@dataclass
class Memory:
    """What the rules of one account remember of their own findings."""

    lockouts: dict[tuple[str, str], Lockout] = field(default_factory=dict)
    days_over: set[Any] = field(default_factory=set)  # RULE-003: breached once a day.
    lives_over: set[str] = field(default_factory=set)  # RULE-004: contracts, until flat.
    count_over: bool = False  # RULE-001: until the count is at the limit again.
    tiers: dict[str, Fraction] = field(default_factory=dict)  # RULE-007: highest tier breached, per order.
    increases: list[str] = field(default_factory=list)  # Contracts in the order they were increased.

    def locked(self, now: int) -> list[Lockout]:
        return [one for one in self.lockouts.values() if now < one.until]


@dataclass
class Look:
    """What a rule may see: the account after an event, and the fill or the void that the event was."""

    now: int
    book: Book
    exposure: dict[str, int]  # Signed sizes as the account shows them.
    marks: Mapping[str, Mark]
    memory: Memory
    pending: set[str]  # Contracts that a close or a reduction in force is about.
    fill: Booked | None = None
    voided: Booked | None = None


@dataclass
class Findings:
    locks: list[tuple[str, str, int]] = field(default_factory=list)
    levels: dict[str, int] = field(default_factory=dict)  # Contract to the size it is to be closed or reduced to.
    closing: set[str] = field(default_factory=set)  # Closed as RULES.md 3.4 says, with their orders; not just cut.
    flatten: bool = False
    cancels_entries: bool = False

    def cut(self, contract: str, level: int) -> None:
        self.levels[contract] = min(level, self.levels.get(contract, level))


def judge(settings: Settings, look: Look, *, of_quote: bool = False) -> Findings:
    """All rules on the same state. A quote concerns RULE-004 alone."""
    found = Findings()
    for name, rule in RULES.items():
        if name in settings and (name == "daily_unrealized_loss" or not of_quote):
            rule(settings[name], look, found)
    return found


def _max_contracts(params: Mapping[str, Any], look: Look, found: Findings) -> None:
    count = sum(abs(size) for size in look.exposure.values())
    excess = count - params["limit"]
    if excess <= 0:
        look.memory.count_over = False
        return
    going_on, look.memory.count_over = look.memory.count_over, True
    if going_on and look.pending & set(look.exposure):
        return
    newest_first = list(dict.fromkeys(reversed(look.memory.increases)))
    for contract in newest_first:
        size = abs(look.exposure.get(contract, 0))
        cut = min(excess, size)
        if cut:
            found.cut(contract, size - cut)
            excess -= cut
    if not going_on:
        _optional_lock(params, look, found, "RULE-001", 60)


def _daily_realized_loss(params: Mapping[str, Any], look: Look, found: Findings) -> None:
    today = trade_date(look.now)
    if today in look.memory.days_over or look.book.net(today) > -params["loss_limit"]:
        return
    look.memory.days_over.add(today)
    found.locks.append(("RULE-003", "day", closes_at(today)))
    found.flatten = found.cancels_entries = True


def _daily_unrealized_loss(params: Mapping[str, Any], look: Look, found: Findings) -> None:
    for contract in look.book.held():
        known = open_pnl(look.book, contract, look.marks.get(contract))
        if known is None or contract in look.memory.lives_over:
            continue
        value, since = known
        if value <= -params["loss_limit"] and look.now - since <= FRESH_NS:
            look.memory.lives_over.add(contract)
            found.cut(contract, 0)
            found.closing.add(contract)
            _optional_lock(params, look, found, "RULE-004", 300)


def _optional_lock(params: Mapping[str, Any], look: Look, found: Findings, rule: str, seconds: int) -> None:
    kind = params.get("lockout", "none")
    if kind == "cooldown":
        seconds = params.get("cooldown_seconds", seconds)
        found.locks.append((rule, "cooldown", look.now + seconds * SECOND_NS))
    elif kind == "until_reset":
        found.locks.append((rule, "day", closes_at(trade_date(look.now))))


def _trade_frequency(params: Mapping[str, Any], look: Look, found: Findings) -> None:
    fill = look.fill
    if fill is None or fill.recorded_id is None:
        return
    standing = [one for one in look.book.standing() if one.recorded_id is not None]
    breached = []
    if not any(one.unit == fill.unit and one is not fill for one in standing):
        dated = {one.unit: min(other.made_at for other in standing if other.unit == one.unit) for one in standing}
        limits = {
            "minute": params.get("per_minute", 3),
            "hour": params.get("per_hour", 10),
            "session": params.get("per_session", 50),
        }
        for window, limit in limits.items():
            count = sum(_inside(window, look.now, made_at) for made_at in dated.values())
            over = count >= limit if params.get("breach_when") == "reached" else count > limit
            if over and _inside(window, look.now, dated[fill.unit]):
                breached.append(window)
                found.locks.append(("RULE-006", window, _frequency_until(params, window, look.now)))
                found.cancels_entries = True
    if fill.closes:
        return
    for window in ("minute", "hour"):
        running = look.memory.lockouts.get(("RULE-006", window))
        if running is not None and look.now < running.until and window not in breached:
            found.locks.append(("RULE-006", window, _frequency_until(params, window, look.now)))


def _inside(window: str, now: int, made_at: int) -> bool:
    if window == "session":
        return trade_date(made_at) == trade_date(now)
    return now - made_at < WINDOWS_NS[window]


def _frequency_until(params: Mapping[str, Any], window: str, now: int) -> int:
    if window == "session":
        return closes_at(trade_date(now))
    seconds: int = params.get("cooldowns", {}).get(window, COOLDOWNS[window])
    return now + seconds * SECOND_NS


def _cooldown_after_loss(params: Mapping[str, Any], look: Look, found: Findings) -> None:
    about = look.fill or look.voided
    if about is None or not about.closes:
        return
    closing = [one for one in look.book.standing() if one.unit == about.unit and one.closes]
    pnl = sum((one.net for one in closing), Fraction(0))
    met = [tier for tier in params.get("tiers", TIERS) if pnl <= -tier[0]]
    if not met:
        return
    amount, seconds = max(met)
    before = look.memory.tiers.get(about.unit, Fraction(0))
    look.memory.tiers[about.unit] = max(before, Fraction(amount))
    if look.fill is None and amount <= before:
        return
    found.locks.append(("RULE-007", "cooldown", look.now + seconds * SECOND_NS))
    found.cancels_entries = True


RULES = {
    "max_contracts": _max_contracts,
    "daily_realized_loss": _daily_realized_loss,
    "daily_unrealized_loss": _daily_unrealized_loss,
    "trade_frequency_limit": _trade_frequency,
    "cooldown_after_loss": _cooldown_after_loss,
}
