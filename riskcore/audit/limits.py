"""How near an account is to the limits of its rules, for people who watch: nothing here decides anything.

Every configured rule has at least one gauge, the first of them binds (INTERFACE.md 9, "Limits"). What is measured comes
from the rule itself (`Rule.gauges`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from riskcore.audit.blindness import blind_rows, unseeded_rules
from riskcore.audit.limit_words import gauge_text
from riskcore.core.marks import whole_ticks
from riskcore.core.names import ACCOUNT, root_of_scope
from riskcore.core.quantities import FRACTION_SCALE, decimal_text
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules.base import (
    BREACHED,
    COUNT,
    LOSS,
    NEAR,
    NO_MEASURE,
    OK,
    PROFIT,
    SECONDS,
    WARN,
    Reading,
)
from riskcore.core.state import Account, Book, Lockout
from riskcore.core.view import View
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

BLIND, SHADOW, OFF = "blind", "shadow", "off"
# What binds comes first; what has no say at the moment comes last, in this order.
STATES = (BREACHED, NEAR, WARN, OK, BLIND, SHADOW, OFF)
_NEAR_FROM, _WARN_FROM = FRACTION_SCALE * 9 // 10, FRACTION_SCALE * 7 // 10
_SHARE_PLACES = 4
_UNITS = {LOSS: "$", PROFIT: "$", SECONDS: "s", COUNT: "", NO_MEASURE: ""}


@dataclass(frozen=True, slots=True)
class Gauge:
    """One limit of one rule as it stands. `why` says why the rule has no say; `lockout` is its own that is in force.

    `ticks` is what is left as whole ticks of the only position it is about; None without one, or without dollars.
    """

    account: int
    rule: str
    key: str
    reading: Reading
    state: str
    why: str = ""
    lockout: Lockout | None = None
    ticks: int | None = None

    @property
    def share(self) -> Fraction | None:
        """How much of the limit is used up, 0 on the good side; None without a measure."""
        used, capacity = self.reading.used, self.reading.capacity
        if used is None or capacity is None:
            return None
        if capacity <= 0:
            return Fraction(int(used > 0))
        return Fraction(max(used, 0), capacity)

    @property
    def until(self) -> int | None:
        """When the lockout in force ends, else when time alone changes the gauge."""
        return self.lockout.expires_at if self.lockout is not None else self.reading.until

    def row(self) -> Row:
        """The gauge for JSON: every figure is exact decimal text."""
        one = self.reading
        return {
            "account": self.account,
            "rule": self.rule,
            "contract": one.contract,
            "name": one.name,
            "kind": one.kind,
            "now": None if one.shown is None else one.text(one.shown),
            "limit": one.limit_text,
            "unit": one.unit or _UNITS[one.kind],
            "left": None if one.remaining is None else one.text(one.remaining),
            "ticks": self.ticks,
            "used": None if self.share is None else share_text(self.share),
            "state": self.state,
            "until": None if self.until is None else utc_text(self.until),
            "text": gauge_text(one, self.state, self.why, self.lockout),
        }


def share_text(share: Fraction) -> str:
    """A share with four places, cut and not rounded: 1 is shown only where the limit is reached."""
    scale = 10**_SHARE_PLACES
    return decimal_text(share.numerator * scale // share.denominator, _SHARE_PLACES)


def gauges(book: Book, rulebook: Rulebook, account: Account, view: View) -> list[Gauge]:
    """At least one for every rule that is configured for an account, the one that binds first."""
    blind = {str(row["rule"]): str(row["reason"]) for row in blind_rows(book, rulebook, account, view)}
    unseeded = dict.fromkeys(unseeded_rules(book, rulebook, account), "the fills of the day are still to be listed")
    found = [
        gauge
        for instance in rulebook.instances(account)
        if instance.rule.stands is None and instance.rule.limits
        for gauge in _of_instance(book, instance, view, {**unseeded, **blind})
    ]
    for instance in rulebook.switched_off(account):
        empty = Reading(instance.rule.title, NO_MEASURE)
        found.append(Gauge(account.id, instance.rule.id, instance.key, empty, OFF, "it is not enabled"))
    return sorted(found, key=_order)


def readings(instance: RuleInstance, view: View) -> Iterator[Reading]:
    """What a rule says of its limits now; one without figures where it says nothing."""
    view.rule_key = instance.key
    found = () if instance.rule.gauges is None else tuple(instance.rule.gauges(instance.params, view))
    yield from found or (Reading(instance.rule.title, NO_MEASURE),)


def _of_instance(book: Book, instance: RuleInstance, view: View, blind: Mapping[str, str]) -> Iterator[Gauge]:
    rule, account = instance.rule, view.account
    why = blind.get(rule.id, "")
    measured: Sequence[Reading]
    if instance.blind_because(book, account) is not None:
        measured = (Reading(rule.title, NO_MEASURE),)
    else:
        measured = tuple(readings(instance, view))
    for reading in measured:
        lockout, ticks = _lockout_of(view, rule.id, reading), ticks_left(view, reading)
        if instance.shadow:
            shadow = "it only records what it would do"
            yield Gauge(account.id, rule.id, instance.key, reading, SHADOW, shadow, ticks=ticks)
        elif lockout is not None:
            yield Gauge(account.id, rule.id, instance.key, reading, BREACHED, lockout=lockout, ticks=ticks)
        elif why:
            yield Gauge(account.id, rule.id, instance.key, reading, BLIND, why)
        else:
            yield Gauge(account.id, rule.id, instance.key, reading, state_of(reading), ticks=ticks)


def ticks_left(view: View, reading: Reading) -> int | None:
    """What is left of an amount of dollars in whole ticks of what is held; None where several contracts move it."""
    if reading.kind not in (LOSS, PROFIT) or reading.remaining is None:
        return None
    held = [one for one in view.held() if reading.contract in (None, one.contract, view.root(one.contract))]
    return whole_ticks(view.book, held[0], reading.remaining) if len(held) == 1 else None


def state_of(reading: Reading) -> str:
    """How near a limit is by itself: what the rule says, else by the share that is used."""
    if reading.state is not None:
        return reading.state
    if reading.reaches(FRACTION_SCALE):
        return BREACHED
    if reading.reaches(_NEAR_FROM):
        return NEAR
    return WARN if reading.reaches(_WARN_FROM) else OK


def _lockout_of(view: View, rule: str, reading: Reading) -> Lockout | None:
    """The latest-ending lockout of the rule that covers what the gauge is about (RULES.md 3.1)."""
    known = [one for one in view.account.lockouts.values() if one.rule == rule and _covers(view, one, reading)]
    active = [one for one in known if one.expires_at is None or view.now < one.expires_at]
    return max(active, key=lambda one: (one.expires_at is None, one.expires_at or 0), default=None)


def _covers(view: View, lockout: Lockout, reading: Reading) -> bool:
    if lockout.scope == ACCOUNT:
        return True
    about = reading.contract
    return about is not None and root_of_scope(lockout.scope) in (about, view.root(about))


def _order(gauge: Gauge) -> tuple[int, Fraction, str, str, str]:
    share = gauge.share or Fraction(0)
    known = STATES.index(gauge.state)
    falling = -share if known <= STATES.index(OK) else Fraction(0)
    return known, falling, gauge.rule, gauge.reading.contract or "", gauge.key
