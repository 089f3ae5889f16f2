"""PROG-TARGET and PROG-CONSISTENCY: the profit that passes, and how much of it one day may be (PROGRAMME.md 5).

Both only advise. Their rules share this file because the best day moves the target.
"""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Derived, ProgrammeReset, TargetReached
from riskcore.core.programme.balances import best_day_usd, day_net_usd, opening_usd, why_unknown
from riskcore.core.programme.maximum_loss import floor_breached_at
from riskcore.core.programme.terms import CONSISTENCY_BOUNDARY, PASS_AT, Terms
from riskcore.core.quantities import CENT, FRACTION_SCALE, money_text, share_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import PROFIT, Action, Finding, Observed, Reading, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.state import Account, Book
from riskcore.core.trading_day import date_text, ordinal_of
from riskcore.core.view import View

TARGET_NAME, PASSED = "programme_target", "passed"
# Shares of the allowed best day at which the trader is told, and what the episode of the day is called.
NOTICES = ((FRACTION_SCALE * 80 // 100, "day.80"), (FRACTION_SCALE * 95 // 100, "day.95"))
OVER = "day.over"


def allowed_best_day_usd(terms: Terms) -> int | None:
    """The most that one day may make while the target alone has to be reached; None where nothing limits a day."""
    if terms.consistency is None or terms.target_usd is None:
        return None
    return terms.target_usd * terms.consistency // FRACTION_SCALE


def effective_target_usd(terms: Terms, account: Account) -> int | None:
    """The profit that passes, with the best day so far; rounded up to the cent where it has to be shown."""
    return target_with(terms, best_day_usd(account))


def target_with(terms: Terms, best: int | None) -> int | None:
    """The profit that passes beside a best day, rounded up to the cent; None without a target."""
    if terms.target_usd is None or terms.consistency is None or best is None:
        return terms.target_usd
    needed = -(-best * FRACTION_SCALE // (terms.consistency * CENT)) * CENT
    return max(terms.target_usd, needed)


def passes(terms: Terms, profit_usd: int, best_usd: int | None) -> bool:
    """Whether a profit passes beside a best day. Nothing is rounded; exactly the share passes, or not (R1)."""
    if terms.target_usd is None or profit_usd < terms.target_usd:
        return False
    if terms.consistency is None or best_usd is None:
        return True
    allowed, best = profit_usd * terms.consistency, best_usd * FRACTION_SCALE
    return best < allowed if terms.reading(CONSISTENCY_BOUNDARY) == "exclusive" else best <= allowed


def passed_on(account: Account) -> str | None:
    """The trade date on which the target was reached; None before."""
    ordinal = account.memory.get(f"{TARGET_NAME}.0.{PASSED}")
    return None if ordinal is None else date_text(ordinal)


# ---- PROG-TARGET -------------------------------------------------------------------------------------


def remember_target(terms: Terms, view: View) -> None:
    """A pass is for good until the operator resets the account. By one reading it comes in the session (R3)."""
    if isinstance(view.event.body, ProgrammeReset):
        view.keep_account(PASSED, None)
        return
    is_open = view.recall_account(PASSED) is None and floor_breached_at(view.account) is None
    if is_open and _in_session(terms) and _reached_usd(terms, view) is not None:
        view.keep_account(PASSED, ordinal_of(view.book.trade_date))


def _in_session(terms: Terms) -> bool:
    return terms.reading(PASS_AT) == "in_session"


def evaluate_target(terms: Terms, view: View) -> Sequence[Finding]:
    """One notice a day when what is realised first reaches the target."""
    if view.episode_open("day.reached"):
        return ()
    profit, passed = _reached_usd(terms, view), passed_on(view.account)
    passes_now = _in_session(terms) and passed == view.book.trade_date
    if profit is None or (passed is not None and not passes_now):
        return ()
    reached = f"the target is reached with a profit of {money_text(profit)}"
    if passes_now:
        told = Action("day.reached", (alert(f"{reached}: the account has passed", "info"),))
        return (Observed(TargetReached(view.account.id, view.book.trade_date, profit)), told)
    text = f"{reached}; to pass, it must still be there at 15:10"
    return (Action("day.reached", (alert(text, "info"),)),)


def _reached_usd(terms: Terms, view: View) -> int | None:
    """The profit of this instant where it is one that passes; a late fill decides nothing."""
    profit = _profit_now_usd(terms, view)
    if profit is None or view.effect.late:
        return None
    best = best_day_usd(view.account)
    if _in_session(terms):
        best = max(best or 0, day_net_usd(view.book, view.account))
    return profit if passes(terms, profit, best) else None


def _profit_now_usd(terms: Terms, view: View) -> int | None:
    opening = opening_usd(view.account)
    if opening is None or terms.start_usd is None or terms.target_usd is None:
        return None
    return opening + day_net_usd(view.book, view.account) - terms.start_usd


def close_target(terms: Terms, view: View) -> Sequence[Derived]:
    """The day has closed: whether its closing balance passes. The projection has closed it before."""
    closing = opening_usd(view.account)
    if closing is None or terms.start_usd is None or view.recall_account(PASSED) is not None:
        return ()
    if floor_breached_at(view.account) is not None or not passes(
        terms, closing - terms.start_usd, best_day_usd(view.account)
    ):
        return ()
    view.keep_account(PASSED, ordinal_of(view.book.trade_date))
    return (TargetReached(view.account.id, view.book.trade_date, closing - terms.start_usd),)


def target_blind(terms: Terms, book: Book, account: Account) -> str | None:
    return None if terms.target_usd is None else why_unknown(account)


def target_gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """The profit and the one that passes. Reaching it breaches nothing, so no share of it is shown."""
    profit, target = _profit_now_usd(terms, view), effective_target_usd(terms, view.account)
    passed = passed_on(view.account)
    if profit is None or target is None:
        return
    note = f"{money_text(target)} passes" if passed is None else f"passed on {passed}"
    yield Reading("profit", PROFIT, now=profit, limit=target, left=max(target - profit, 0), note=note)


TARGET = Rule(
    "PROGRAMME-TARGET",
    TARGET_NAME,
    "The profit that passes",
    5,
    Terms,
    evaluate_target,
    remember=remember_target,
    needs=lambda terms: ("trades", "accounts"),
    blind=target_blind,
    day_closed=close_target,
    gauges=target_gauges,
    caps_size=False,
    advice=wording.TARGET,
)


# ---- PROG-CONSISTENCY --------------------------------------------------------------------------------


def evaluate_consistency(terms: Terms, view: View) -> Sequence[Finding]:
    """Notices of a day that comes near to the most one day may make, and beyond."""
    allowed = allowed_best_day_usd(terms)
    if allowed is None or view.effect.late:
        return ()
    net = day_net_usd(view.book, view.account)
    return tuple(_notices(view, net, allowed))


def _notices(view: View, net_usd: int, allowed_usd: int) -> Iterator[Finding]:
    for share, target in NOTICES:
        if net_usd * FRACTION_SCALE >= share * allowed_usd and not view.episode_open(target):
            text = (
                f"today has made {money_text(net_usd)} and reached {share_text(share)} of the "
                f"{money_text(allowed_usd)} that one day may make; more than that raises the target"
            )
            yield Action(target, (alert(text, "info"),))
    if net_usd > allowed_usd and not view.episode_open(OVER):
        text = (
            f"today has made {money_text(net_usd)}, more than the {money_text(allowed_usd)} that one day may make: "
            "if the day ends so, the target is higher"
        )
        yield Action(OVER, (alert(text, "info"),))


def consistency_gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """What today has made and what one day may make."""
    allowed = allowed_best_day_usd(terms)
    if allowed is not None:
        net = day_net_usd(view.book, view.account)
        note = f"one day may make {money_text(allowed)}, more raises the target"
        yield Reading("profit of today", PROFIT, now=net, limit=allowed, left=max(allowed - net, 0), note=note)


CONSISTENCY = Rule(
    "PROGRAMME-CONSISTENCY",
    "programme_consistency",
    "How much of the profit one day may be",
    5,
    Terms,
    evaluate_consistency,
    needs=lambda terms: ("trades",),
    gauges=consistency_gauges,
    caps_size=False,
    advice=wording.TARGET,
)
