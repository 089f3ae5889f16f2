"""How near each limit was reached on each day, by the gauges of the rules themselves: for `riskcore audit`.

Follows recorded days with their marks and with what rules remember. Between two facts only the prices that are new
extremes of an open position, or of the way back from one, are looked at; with several contracts open, every price is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple

from riskcore.audit.limit_words import closest_words
from riskcore.audit.limits import Gauge, readings, state_of
from riskcore.audit.status import view_of
from riskcore.core import events as e
from riskcore.core.project import settle
from riskcore.core.rebuild import fold
from riskcore.core.rulebook import Rulebook, rulebook_of
from riskcore.core.rules.base import BREACHED
from riskcore.core.state import Account, Book
from riskcore.core.watch import QuietMarks
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

_Quote = tuple[int, str, int | None, int | None, int | None]


class Approach(NamedTuple):
    """The nearest that an account came to a limit of a rule on a day."""

    gauge: Gauge
    share: Fraction
    at: int


@dataclass(slots=True)
class Extremes:
    """The lowest and the highest price, the lowest since that high and the highest since that low.

    A floor moves with the best price, so that the way back from it counts as well.
    """

    low: int
    high: int
    low_since_high: int
    high_since_low: int

    def moves(self, price: int) -> bool:
        """Whether a price is a new extreme of any kind; it is noted."""
        before = (self.low, self.high, self.low_since_high, self.high_since_low)
        if price > self.high:
            self.high = self.low_since_high = price
        if price < self.low:
            self.low = self.high_since_low = price
        self.low_since_high = min(self.low_since_high, price)
        self.high_since_low = max(self.high_since_low, price)
        return before != (self.low, self.high, self.low_since_high, self.high_since_low)


@dataclass(slots=True)
class Approaches:
    """Listens to the stored events of days, oldest first."""

    # By account, trade date and the address of the rule in the settings.
    found: dict[tuple[int, str, str], Approach] = field(default_factory=dict)
    _book: Book = field(default_factory=Book)
    _rulebook: Rulebook | None = None
    _quiet: QuietMarks = field(default_factory=QuietMarks)
    # Of each contract that is open somewhere, since the last fact.
    _extremes: dict[str, Extremes] = field(default_factory=dict)

    def listen(self, event: e.Event) -> None:
        body = event.body
        if isinstance(body, e.QuoteObserved):
            self._quote((event.at, body.contract, body.last, body.bid, body.ask))
        elif isinstance(body, e.QuotesObserved):
            for quote in body.quotes:
                self._quote(quote)
        else:
            self._fact(event)

    def rows(self, accounts: list[int]) -> list[Row]:
        """One row for each account, day and rule with a measure, by date and the nearest first."""
        chosen = [(name, one) for name, one in self.found.items() if name[0] in accounts]
        ordered = sorted(chosen, key=lambda item: (item[0][1], item[0][0], -item[1].share, item[0][2]))
        return [
            {
                **{key: value for key, value in one.gauge.row().items() if key not in ("until", "text")},
                "measured": closest_words(one.gauge.reading),
                "trade_date": trade_date,
                "at": utc_text(one.at),
            }
            for (_, trade_date, _), one in ordered
        ]

    # ---- following -----------------------------------------------------------------------------------

    def _fact(self, event: e.Event) -> None:
        body = event.body
        self._settle()
        if self._rulebook is None and not isinstance(body, e.TradingDayOpened):
            return
        rulebook = self._rulebook or rulebook_of({})
        fold(self._book, rulebook, event)
        if isinstance(body, e.TradingDayOpened | e.ConfigChanged):
            self._rulebook = rulebook_of(self._book.settings)
        self._extremes.clear()
        self._quiet.happened()
        if not event.derived or isinstance(body, e.TimerFired):
            self._measure_all(getattr(body, "account", None), event.at)
        elif isinstance(body, e.RuleBreached):
            self._breached(body, event.at)

    def _settle(self) -> None:
        settle(self._book, self._quiet.settled(self._book))

    def _quote(self, quote: _Quote) -> None:
        at, contract, last, bid, ask = quote
        rulebook = self._rulebook
        if rulebook is None:
            return
        book = self._book
        if self._quiet.is_quiet(book, self._quiet.bounds(book, rulebook), at, contract, last, bid, ask):
            self._quiet.move(at, contract, last, bid, ask)
        else:
            self._settle()
            fold(book, rulebook, e.Event(at, "market", "", e.QuoteObserved(contract, last, bid, ask)))
            self._quiet.happened()
        price = last if last is not None else bid if bid is not None else ask
        if price is not None and self._matters(contract, price):
            self._settle()
            self._measure_all(None, at)

    def _matters(self, contract: str, price: int) -> bool:
        """Whether a price may be nearer to a limit than those before it since the last fact."""
        holders = [
            account for account in self._book.accounts.values() if contract in [one.contract for one in account.held()]
        ]
        if not holders:
            return False
        known = self._extremes.get(contract)
        if known is None:
            known = self._extremes[contract] = Extremes(price, price, price, price)
            return True
        return known.moves(price) or any(self._held_beside(account) for account in holders)

    def _held_beside(self, account: Account) -> bool:
        """Whether a limit of an account counts another contract too: of its own, or of its group."""
        held = account.held()
        if self._rulebook is not None and self._rulebook.joint(account):
            held = [position for one in self._book.accounts.values() for position in one.held()]
        return len({position.contract for position in held}) > 1

    # ---- measuring -----------------------------------------------------------------------------------

    def _measure_all(self, account_id: int | None, at: int) -> None:
        """Measure an account, or all of them; of the others what depends on it, such as the limits of a group."""
        for account in self._book.accounts.values():
            for name, gauge in self._gauges(account, joint=account_id not in (None, account.id)):
                share = gauge.share
                known = self.found.get(name)
                if share is not None and (known is None or share > known.share):
                    self.found[name] = Approach(gauge, share, at)

    def _breached(self, body: e.RuleBreached, at: int) -> None:
        """A breach used the limit up, even where what it measures is over with it: a loss that is closed at once."""
        name = (body.account, self._book.trade_date, body.rule_key)
        known = self.found.get(name)
        if known is None or known.share >= 1 or "late" in body.flags:
            return
        reading = replace(known.gauge.reading, used=known.gauge.reading.capacity, now=None, state=BREACHED)
        gauge = replace(known.gauge, reading=reading, state=state_of(reading))
        self.found[name] = Approach(gauge, Fraction(1), at)

    def _gauges(self, account: Account, joint: bool) -> Iterator[tuple[tuple[int, str, str], Gauge]]:
        book = self._book
        assert self._rulebook is not None, "nothing is measured before a day is open"
        view = view_of(book, self._rulebook, account)
        for instance in self._rulebook.joint(account) if joint else self._rulebook.instances(account):
            if instance.rule.stands is None and not instance.shadow and not instance.lacking(book.lacks):
                for reading in readings(instance, view):
                    name = (account.id, book.trade_date, instance.key)
                    yield name, Gauge(account.id, instance.rule.id, instance.key, reading, state_of(reading))
