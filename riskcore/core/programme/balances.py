"""What the programme knows of an account's money: opening balance, floor, closed days, the payout window.

All of it is kept as integers in Account.memory under one key, so that the next day's opening carries it. The rule of
projection.py writes it; every other reader takes it from here. Amounts in 1e-6 dollars, trade dates as ordinals.
Source: PROGRAMME.md 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from riskcore.core.events import ProgrammeReset
from riskcore.core.names import memory_name, rule_key
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book, Day, DayFigures
from riskcore.core.trading_day import date_text, exchange_instant, ordinal_of

NAME = "programme"
KEY = rule_key(NAME, 0)
# A balance is settled this long after the last fill: it follows its fill by milliseconds, and repeats.
SETTLED_NS = 2 * SECOND_NS
PAYOUT_DAY_LOCKS = 16 * 3600  # From then on a day counts in the payout window (PROGRAMME.md 3.7).

FloorSource = Literal["derived", "override", "history"]
FLOOR_SOURCES: tuple[FloorSource, ...] = get_args(FloorSource)

# The names in memory. Those that start with "day" end at the reset.
OPENING, FLOOR, FLOOR_SOURCE, OVERRIDE = "opening_usd", "floor_usd", "floor_source", "override_usd"
TOLD, TOLD_AT, TOLD_SINCE = "told_usd", "told_at", "told_since"  # The balance last reported; since the last fill?
FILLED_AT = "filled_at"  # When a fill was last received, or one last changed.
FIRST_DAY = "first_day"  # The first trade date whose closing balance is of our records.
# Only on the first day: B is counted back from a balance, reported at this instant; settled or not yet.
BASE_AT, BASE_SETTLED = "day.base_at", "day.base_settled"
RESET_NET, RESET_FILLS = "day.reset_net_usd", "day.reset_fills"  # Today's figures when the operator reset the account.
DRIFT = "day.drift_usd"  # The difference to the broker's balance that was reported last.
# The amount of the last payout, and what follows from it.
PAID, WINDOW_FROM, WINDOW_KNOWN, PAYOUT_BALANCE = "paid", "window_from", "window_known", "payout_balance_usd"
BEST_DAY = "best_day_usd"
# Of a closed day; its net only where it has a fill. The ordinal follows.
NET_OF, OPENING_OF, CLOSING_OF, FLOOR_OF, CAP_OF = "net.", "opening.", "closing.", "floor.", "cap."


def recall(account: Account, name: str) -> int | None:
    """What the projection remembers of an account under a name."""
    return account.memory.get(memory_name(KEY, name))


def rows(account: Account, prefix: str) -> Iterator[tuple[int, int]]:
    """(ordinal of the trade date, amount) of the closed days under a prefix, in the order they closed."""
    stem = memory_name(KEY, prefix)
    for name, value in account.memory.items():
        if name.startswith(stem):
            yield int(name.removeprefix(stem)), value


def figures_today(book: Book, account: Account) -> DayFigures:
    """Figures of the open day; zeros where it has none yet."""
    return account.days.get(book.trade_date) or DayFigures(book.trade_date)


# ---- balance and floor -------------------------------------------------------------------------------


def opening_usd(account: Account) -> int | None:
    """B, the opening balance of the day; None while no balance has been reported."""
    return recall(account, OPENING)


def why_unknown(account: Account) -> str | None:
    """Why nothing that follows from a balance can be judged; None once one is known."""
    return "the broker has not reported a balance yet" if opening_usd(account) is None else None


def balance_usd(book: Book, account: Account) -> int | None:
    """B and the net realised of the day."""
    opening = opening_usd(account)
    return None if opening is None else opening + figures_today(book, account).net_usd


def settled_usd(account: Account, at: int) -> int | None:
    """The balance last reported, if by an instant it is settled."""
    filled_at = recall(account, FILLED_AT)
    if not recall(account, TOLD_SINCE) or (filled_at is not None and at - filled_at < SETTLED_NS):
        return None
    return recall(account, TOLD)


def floor_usd(terms: Terms, account: Account) -> int | None:
    """F, the floor in force; None where the account has none or it is not known yet."""
    known = recall(account, FLOOR)
    if known is None:
        return None
    override = terms.floor_override_usd
    if override is not None and override != recall(account, OVERRIDE):
        known = max(known, override)
    return max(known, 0) if is_paid(terms, account) else known


def is_paid(terms: Terms, account: Account) -> bool:
    """Whether an XFA has had its first payout, from which on its floor is 0 for good."""
    return terms.stage == "xfa" and (terms.first_payout_taken or bool(recall(account, PAID)))


def floor_source(account: Account) -> FloorSource | None:
    """Where the floor came from when the programme first judged the account."""
    code = recall(account, FLOOR_SOURCE)
    return None if code is None else FLOOR_SOURCES[code]


def implied_floor_usd(terms: Terms, closing_usd: int) -> int | None:
    """The floor that a closing balance implies; None where the account has none, or only the trader's own figure."""
    start, maximum_loss = terms.start_usd, terms.maximum_loss_usd
    if terms.floor_kind in ("none", "override") or start is None or maximum_loss is None:
        return None
    lowest = start - maximum_loss
    return lowest if terms.floor_kind == "static" else max(lowest, min(start, closing_usd - maximum_loss))


def reset_to(terms: Terms, reset: ProgrammeReset) -> tuple[int, int | None]:
    """The balance and the floor that a reset by the operator starts from; None where the account has no floor."""
    start = terms.start_usd or 0
    balance = start if reset.balance_usd is None else reset.balance_usd
    floor = implied_floor_usd(terms, start) if reset.floor_usd is None else reset.floor_usd
    return balance, terms.floor_override_usd if floor is None else floor


def buffer_usd(terms: Terms, account: Account) -> int | None:
    """The effective buffer b. Half a 1e-6 dollar is cut: an amount is at or below the rest exactly when it is at b."""
    opening, floor = opening_usd(account), floor_usd(terms, account)
    if opening is None or floor is None:
        return None
    return max(min(terms.mll_buffer_usd, (opening - floor) // 2), 0)


# ---- closed days -------------------------------------------------------------------------------------


def profit_usd(terms: Terms, account: Account) -> int | None:
    """The last closing balance less the start; of closed days only."""
    opening = opening_usd(account)
    return None if opening is None or terms.start_usd is None else opening - terms.start_usd


def best_day_usd(account: Account) -> int | None:
    """The largest net of any closed day with a fill; None while there is none."""
    return recall(account, BEST_DAY)


def day_net_usd(book: Book, account: Account) -> int:
    """Net realised of the open day, since the operator's reset where there was one today."""
    return figures_today(book, account).net_usd - (recall(account, RESET_NET) or 0)


def day_fills(book: Book, account: Account) -> int:
    """Fills of the open day, since the operator's reset where there was one today."""
    return figures_today(book, account).fills - (recall(account, RESET_FILLS) or 0)


@dataclass(frozen=True, slots=True)
class DayBalances:
    """The balances of a trading day: closed ones as later corrections left them, the floor as it was in force."""

    opening_usd: int | None
    closing_usd: int | None
    floor_usd: int | None
    size_cap_units: int | None


def closed_day(account: Account, trade_date: str) -> DayBalances | None:
    """A closed day of the last ones; None for one that is no longer kept, or never was."""
    ordinal = ordinal_of(trade_date)
    closing = recall(account, f"{CLOSING_OF}{ordinal}")
    if closing is None:
        return None
    opening, floor, cap = (recall(account, f"{prefix}{ordinal}") for prefix in (OPENING_OF, FLOOR_OF, CAP_OF))
    return DayBalances(opening, closing, floor, cap)


# ---- the payout window -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PayoutWindow:
    """The days that count towards the next payout (PROG-PAYOUT). `known`: a payout was recorded."""

    from_date: str
    known: bool
    nets_usd: tuple[int, ...] = ()  # Of each day with a fill, in order.

    @property
    def traded_days(self) -> int:
        return len(self.nets_usd)

    @property
    def net_usd(self) -> int:
        return sum(self.nets_usd)

    @property
    def best_day_usd(self) -> int | None:
        return max(self.nets_usd, default=None)

    def winning_days(self, least_usd: int) -> int:
        return sum(net_usd >= least_usd for net_usd in self.nets_usd)


def payout_window(book: Book, account: Account) -> PayoutWindow | None:
    """The window as it is now; None while nothing is known of the account."""
    first = recall(account, WINDOW_FROM)
    if first is None:
        return None
    nets = sorted((ordinal, net) for ordinal, net in rows(account, NET_OF) if ordinal >= first)
    today = ordinal_of(book.trade_date)
    if today >= first and day_counts(book) and day_fills(book, account) > 0:
        nets.append((today, day_net_usd(book, account)))
    return PayoutWindow(date_text(first), bool(recall(account, WINDOW_KNOWN)), tuple(net for _, net in nets))


def payout_day_locks_at(day: Day) -> int:
    """The instant from which an open day counts in the payout window."""
    return exchange_instant(day, PAYOUT_DAY_LOCKS)


def day_counts(book: Book) -> bool:
    assert book.day is not None, "no trading day has been opened"
    return book.now >= payout_day_locks_at(book.day)


def last_payout(account: Account) -> tuple[int, int] | None:
    """The amount of the last payout and the ordinal of the date its next window begins; None before the first."""
    amount, begins = recall(account, PAID), recall(account, WINDOW_FROM)
    return None if amount is None or begins is None else (amount, begins)


def payout_balance_usd(account: Account) -> int | None:
    """The balance right after the last payout; None before the first that was recorded."""
    return recall(account, PAYOUT_BALANCE)
