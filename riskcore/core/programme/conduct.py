"""PROG-CONDUCT: what the firm's conduct policies look at, counted and shown; nothing is enforced (PROGRAMME.md 5)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from riskcore.core.events import Derived, OrderObserved, ProgrammeReset
from riskcore.core.issuers import GUARD_KEY
from riskcore.core.names import episode_name, memory_name, rule_key
from riskcore.core.order_roles import covering_size
from riskcore.core.products import micro_units
from riskcore.core.programme.maximum_loss import floor_breached_at
from riskcore.core.programme.scaling import lots_of, size_cap_units
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import FRACTION_SCALE, MINUTE_NS, SECOND_NS, fraction_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import NEAR, NO_MEASURE, OK, Action, Finding, Reading, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.rules.trade_units import result_usd
from riskcore.core.state import STATUS_CANCELLED, Account, Book, Order, Position
from riskcore.core.trading_day import exchange_instant, ordinal_of
from riskcore.core.view import View

NAME = "programme_conduct"
KEY = rule_key(NAME, 0)
WINDOW_DAYS = 20  # Trading days with a round trip that the shares look back on.
RESET_DAYS = 30
RELEASED_AT = 7 * 3600 + 30 * 60  # When the consumer price index comes out, in Chicago.
MOST_ORDERS_A_MINUTE = 30

# Of each round trip: when it began; while it is open, its number and whether it was ever covered or reached the cap.
SINCE, NUMBER, COVERED, FULL = "trip.since", "trip.number", "trip.covered", "trip.full"
# Of each day: counted while it is open, kept under its ordinal once it has closed.
TRIPS, FULL_TRIPS, UNCOVERED, HELD_NS = "trips", "full_trips", "uncovered", "held_ns"
WINS, WON, LOSSES, LOST, GUARDED = "wins", "won_usd", "losses", "lost_usd", "guarded"
COUNTED = (TRIPS, FULL_TRIPS, UNCOVERED, HELD_NS, WINS, WON, LOSSES, LOST, GUARDED)
GUARD_BASE, NEWS_UNITS, ORDERS_SEEN, ORDERS_AT_MOST = "day.guard_base", "day.news_units", "day.seen", "day.orders"
PLACED, RESET = "day.placed", "reset"
CARRIED = "carried"  # Of each order that worked when the last day closed: it was not placed today.


def _today(view: View, name: str) -> int:
    return view.recall_account(f"day.{name}") or 0


def _add(view: View, name: str, amount: int) -> None:
    if amount:
        view.keep_account(f"day.{name}", _today(view, name) + amount)


# ---- what is remembered ------------------------------------------------------------------------------


def remember(terms: Terms, view: View) -> None:
    for position in view.account.positions.values():
        _follow(terms, view, position)
    _count_guard(view)
    _count_orders(view)
    if isinstance(view.event.body, ProgrammeReset):
        name = f"{RESET}.{ordinal_of(view.book.trade_date)}"
        view.keep_account(name, (view.recall_account(name) or 0) + 1)
    released = view.book.trade_date in terms.news_days and view.now >= _released_at(view)
    if released and view.recall_account(NEWS_UNITS) is None:
        # What an account held that is first heard of afterwards is unknown.
        view.keep_account(NEWS_UNITS, _units(view) if view.account.first_at <= _released_at(view) else 0)


def _units(view: View) -> int:
    return sum(abs(one.size) * micro_units(view.root(one.contract)) for one in view.held())


def _released_at(view: View) -> int:
    day = view.book.day
    assert day is not None, "a rule looks at a day that is open"
    return exchange_instant(day, RELEASED_AT)


def _cap(terms: Terms, account: Account) -> int | None:
    return size_cap_units(terms, lots_of(terms, account))


def _follow(terms: Terms, view: View, position: Position) -> None:
    """One contract from flat to flat. Its fills say when it is: a push that is ahead of them cannot tell the result."""
    since_name, number_name = f"{SINCE}.{position.contract}", f"{NUMBER}.{position.contract}"
    since, number = view.recall_account(since_name), view.recall_account(number_name)
    if number is not None and (not position.valued or position.round_trips != number):
        _end_trip(view, position, since or 0)
        number = None
    if not position.valued:
        view.keep_account(since_name, None)
    # A position whose trip has ended is shown until the broker's push follows.
    if not position.size or (number is None and position.opened_at == since):
        return
    if number is None:
        view.keep_account(since_name, position.opened_at)
        view.keep_account(number_name, position.round_trips)
    cap = _cap(terms, view.account)
    if cap is not None and abs(position.size) * micro_units(view.root(position.contract)) >= cap:
        view.keep_account(f"{FULL}.{position.contract}", 1)
    covered = f"{COVERED}.{position.contract}"
    if view.recall_account(covered) is None and covering_size(view.account, position, view.now) >= abs(position.size):
        view.keep_account(covered, 1)


def _end_trip(view: View, position: Position, since: int) -> None:
    contract = position.contract
    number = view.recall_account(f"{NUMBER}.{contract}")
    fills = [one for one in view.account.trades.values() if one.contract == contract and one.round_trip == number]
    result = sum(result_usd(one, "net") for one in fills if not one.voided)
    _add(view, TRIPS, 1)
    _add(view, FULL_TRIPS, view.recall_account(f"{FULL}.{contract}") or 0)
    _add(view, UNCOVERED, 0 if view.recall_account(f"{COVERED}.{contract}") else 1)
    _add(view, HELD_NS, view.now - since)
    if result:
        _add(view, WINS if result > 0 else LOSSES, 1)
        _add(view, WON if result > 0 else LOST, abs(result))
    for name in (NUMBER, FULL, COVERED):
        view.keep_account(f"{name}.{contract}", None)


def _count_guard(view: View) -> None:
    """Breaches of lockouts so far today; the account counts them for good."""
    stem = episode_name(GUARD_KEY, "")
    count = sum(value for name, value in view.account.counters.items() if name.startswith(stem))
    if view.recall_account(GUARD_BASE) is None:
        view.keep_account(GUARD_BASE, count)
    view.keep_account(f"day.{GUARDED}", count - (view.recall_account(GUARD_BASE) or 0))


def _count_orders(view: View) -> None:
    """The most orders placed within a minute: the times of the last ones, in a ring."""
    orders, seen = view.account.orders, view.recall_account(ORDERS_SEEN)
    if seen is None:  # The first event of the day: what is older has been carried into it.
        seen = sum(order.recorded_at < view.now or _was_carried(view.account, order) for order in orders.values())
    view.keep_account(ORDERS_SEEN, len(orders))
    if not isinstance(view.event.body, OrderObserved) or len(orders) <= seen:
        return
    number = view.recall_account(PLACED) or 0
    view.keep_account(f"{PLACED}.{number % (MOST_ORDERS_A_MINUTE + 1)}", view.now)
    view.keep_account(PLACED, number + 1)
    times = (view.recall_account(f"{PLACED}.{slot}") for slot in range(MOST_ORDERS_A_MINUTE + 1))
    within = sum(at is not None and view.now - at < MINUTE_NS for at in times)
    view.keep_account(ORDERS_AT_MOST, max(within, view.recall_account(ORDERS_AT_MOST) or 0))


def _was_carried(account: Account, order: Order) -> bool:
    return memory_name(KEY, f"{CARRIED}.{order.id}") in account.memory


def _carry_orders(view: View) -> None:
    """What works now was placed before the day to come."""
    stem = memory_name(KEY, f"{CARRIED}.")
    for name in [name for name in view.account.memory if name.startswith(stem)]:
        view.keep_account(f"{CARRIED}.{name.removeprefix(stem)}", None)
    for order in view.account.working_orders():
        view.keep_account(f"{CARRIED}.{order.id}", 1)


def day_closed(terms: Terms, view: View) -> Sequence[Derived]:
    """A day with a round trip joins the window; the oldest leaves it."""
    _count_guard(view)
    _carry_orders(view)
    today = ordinal_of(view.book.trade_date)
    if _today(view, TRIPS):
        for name in COUNTED:
            view.keep_account(f"{name}.{today}", _today(view, name))
    for ordinal in _days(view.account)[: -WINDOW_DAYS or None]:
        for name in COUNTED:
            view.keep_account(f"{name}.{ordinal}", None)
    stem = memory_name(KEY, f"{RESET}.")
    for name in [name for name in view.account.memory if name.startswith(stem)]:
        if today - int(name.removeprefix(stem)) > RESET_DAYS:
            view.keep_account(f"{RESET}.{name.removeprefix(stem)}", None)
    return ()


def _days(account: Account) -> list[int]:
    stem = memory_name(KEY, f"{TRIPS}.")
    return sorted(int(name.removeprefix(stem)) for name in account.memory if name.startswith(stem))


# ---- what is counted ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """What the counters count: an account now, and what its days of the window come to with the open one."""

    terms: Terms
    book: Book
    account: Account
    window: Mapping[str, int]

    def recall(self, name: str) -> int:
        return self.account.memory.get(memory_name(KEY, name), 0)

    def of_today(self, name: str) -> int:
        return self.recall(f"day.{name}")


def _seen(terms: Terms, book: Book, account: Account) -> Seen:
    """The memory of an account, gone through once for all counters."""
    memory, days = account.memory, _days(account)[-WINDOW_DAYS:]
    window = {
        name: sum(memory.get(memory_name(KEY, f"{name}.{ordinal}"), 0) for ordinal in days)
        + memory.get(memory_name(KEY, f"day.{name}"), 0)
        for name in COUNTED
    }
    return Seen(terms, book, account, window)


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter: its value now, whether it is crossed, and what the alert then says."""

    value: Callable[[Seen], int]
    crossed: Callable[[Seen], bool]
    text: str
    share: bool = False  # The value is a share, in 1e-6.


def _share(part: int, whole: int) -> int:
    return part * FRACTION_SCALE // whole if whole else 0


def _same_day(seen: Seen) -> int:
    assert seen.book.day is not None, "conduct is looked at on an open day"
    times = (floor_breached_at(one) for one in seen.book.accounts.values())
    return sum(at is not None and at >= seen.book.day.opens_at for at in times)


def _contracts(seen: Seen) -> int:
    trades = seen.account.trades.values()
    return sum(one.size for one in trades if one.trade_date == seen.book.trade_date and not one.voided)


def _cancelled(seen: Seen) -> int:
    """Cancelled of those placed today."""
    cancelled = (order for order in seen.account.orders.values() if order.status == STATUS_CANCELLED)
    return sum(not _was_carried(seen.account, order) for order in cancelled)


def _placed(seen: Seen) -> int:
    return seen.recall(PLACED)


def _resets(seen: Seen) -> int:
    """A closing day forgets the old ones; several days may have gone by since one closed."""
    stem, oldest = memory_name(KEY, f"{RESET}."), ordinal_of(seen.book.trade_date) - RESET_DAYS
    kept = ((name, value) for name, value in seen.account.memory.items() if name.startswith(stem))
    return sum(value for name, value in kept if int(name.removeprefix(stem)) >= oldest)


def _larger(seen: Seen) -> bool:
    wins, losses = seen.window[WINS], seen.window[LOSSES]
    return min(wins, losses) >= 5 and seen.window[LOST] * wins > seen.window[WON] * losses


def _mean_seconds(seen: Seen) -> int:
    trips = seen.of_today(TRIPS)
    return seen.of_today(HELD_NS) // (trips * SECOND_NS) if trips else 0


def _news_at_cap(seen: Seen) -> bool:
    cap = _cap(seen.terms, seen.account)
    return cap is not None and seen.recall(NEWS_UNITS) >= cap > 0


def _of_trips(name: str) -> tuple[Callable[[Seen], int], Callable[[Seen], bool]]:
    """The share of round trips of the window, and whether it is more than half of at least ten."""

    def value(seen: Seen) -> int:
        return _share(seen.window[name], seen.window[TRIPS])

    def crossed(seen: Seen) -> bool:
        return seen.window[TRIPS] >= 10 and 2 * seen.window[name] > seen.window[TRIPS]

    return value, crossed


COUNTERS: Mapping[str, Counter] = {
    "mll_same_day": Counter(
        _same_day,
        lambda seen: _same_day(seen) >= 2,
        "two or more accounts have reached their maximum loss limit today",
    ),
    "max_size_share": Counter(
        *_of_trips(FULL_TRIPS), "more than half of the round trips of 20 trading days reached the largest size", True
    ),
    "losers_larger": Counter(
        lambda seen: int(_larger(seen)),
        _larger,
        "the mean losing round trip of 20 trading days is larger than the mean winning one",
    ),
    "no_stop_share": Counter(
        *_of_trips(UNCOVERED), "more than half of the round trips of 20 trading days never had a stop", True
    ),
    "limits_disregarded": Counter(
        lambda seen: seen.window[GUARDED],
        lambda seen: seen.window[GUARDED] >= 3,
        "three or more times in 20 trading days something was opened during a lockout",
    ),
    "size_into_news": Counter(
        lambda seen: seen.recall(NEWS_UNITS),
        _news_at_cap,
        "the largest size was held into the release of consumer prices",
    ),
    "seconds_trading": Counter(
        _mean_seconds,
        lambda seen: seen.of_today(TRIPS) >= 100 and _mean_seconds(seen) < 60,
        "a hundred or more round trips today lasted less than a minute on average",
    ),
    "contracts_per_day": Counter(
        _contracts, lambda seen: _contracts(seen) > 200, "more than 200 contracts were filled today"
    ),
    "orders_per_minute": Counter(
        lambda seen: seen.recall(ORDERS_AT_MOST),
        lambda seen: seen.recall(ORDERS_AT_MOST) > MOST_ORDERS_A_MINUTE,
        "more than 30 orders were placed within a minute",
    ),
    "cancel_share": Counter(
        lambda seen: _share(_cancelled(seen), _placed(seen)),
        lambda seen: _placed(seen) >= 50 and 10 * _cancelled(seen) > 9 * _placed(seen),
        "more than 90 % of today's orders were cancelled",
        True,
    ),
    "resets": Counter(_resets, lambda seen: False, ""),
}
ADVICE = "the firm's conduct policies look at this; nothing is enforced"


def conduct_of(terms: Terms, book: Book, account: Account) -> dict[str, int | str | None]:
    """Every counter by its name; shares as text, None where the source cannot see what is counted."""
    found: dict[str, int | str | None] = {}
    seen = _seen(terms, book, account)
    for name, counter in COUNTERS.items():
        value = counter.value(seen)
        found[name] = fraction_text(value) if counter.share else value
    if "orders" in book.lacks:
        found.update(dict.fromkeys(("no_stop_share", "orders_per_minute", "cancel_share")))
    return found


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    return tuple(_alerts(terms, view))


def _alerts(terms: Terms, view: View) -> Iterator[Finding]:
    for name, counter in _crossed(terms, view):
        target = f"day.{name}"
        if not view.episode_open(target):
            yield Action(target, (alert(f"{counter.text}: {ADVICE}", "info"),))


def _crossed(terms: Terms, view: View) -> Iterator[tuple[str, Counter]]:
    """The counters that are past what the firm looks at."""
    seen = _seen(terms, view.book, view.account)
    for name, counter in COUNTERS.items():
        if "orders" in view.book.lacks and name == "no_stop_share":
            continue
        if counter.crossed(seen):
            yield name, counter


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    crossed = [counter.text for _, counter in _crossed(terms, view)]
    words = "; ".join(crossed) or "nothing the firm looks at"
    yield Reading("conduct", NO_MEASURE, now=words, state=NEAR if crossed else OK)


def deadline(terms: Terms, view: View) -> int | None:
    """The release of the consumer price index, when what is held is counted."""
    if view.book.trade_date not in terms.news_days or view.recall_account(NEWS_UNITS) is not None:
        return None
    return _released_at(view)


RULE = Rule(
    "PROGRAMME-CONDUCT",
    NAME,
    "What the firm's conduct policies look at",
    5,
    Terms,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=lambda terms: ("positions",),
    day_closed=day_closed,
    gauges=gauges,
    caps_size=False,
    advice=wording.CONDUCT,
)
