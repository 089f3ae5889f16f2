"""What a total at its limit was made of: closed results and open ones (RULES.md 1.5, "Combined").

A breach is stored with its total alone. The parts are worked out again from the book as it was judged.
"""

from riskcore.audit.status import view_of
from riskcore.core import events as e
from riskcore.core.groups.group import Group, members
from riskcore.core.marks import CONSERVATIVE
from riskcore.core.names import breached_date
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import money, money_text
from riskcore.core.rulebook import RuleInstance, rulebook_of
from riskcore.core.state import Account, Book, DayFigures
from riskcore.schema.rows import Row

DAY_PNL, EQUITY = "day_pnl", "equity"


def parts_of(book: Book, body: e.RuleBreached) -> Row:
    """The parts of a combined total by their names; empty where the figures hold none, or only closed results.

    `book` is the state behind the fact that led to the breach.
    """
    account = book.accounts[body.account]
    rulebook = rulebook_of(book.settings)
    try:
        instance = next((one for one in rulebook.instances(account) if one.key == body.rule_key), None)
    except KeyError:
        return {}  # A rule of the trader's own that is not here any more judged with it.
    is_late = breached_date(body.target, book.trade_date) not in (None, book.trade_date)
    if instance is None or is_late or "quotes" not in instance.rule.needs(instance.params):
        return {}
    if DAY_PNL in body.figures:
        judged = members(instance.params, book) if isinstance(instance.params, Group) else [account]
        basis = _basis(instance, rulebook.profile.pnl_basis)
        total_usd = money(body.figures[DAY_PNL])
        realised_usd = sum(_day(book, one).realised_usd(basis) for one in judged)
        if total_usd == realised_usd:
            return {}
        return {"realized": money_text(realised_usd), "unrealized": money_text(total_usd - realised_usd)}
    if EQUITY in body.figures:
        total = view_of(book, rulebook, account).total(CONSERVATIVE)
        # A bar is judged price by price, and afterwards only its close is left.
        if total.value and not total.from_bars:
            balance = money_text(money(body.figures[EQUITY]) - total.value)
            return {"balance": balance, "unrealized": money_text(total.value)}
    return {}


def _basis(instance: RuleInstance, of_profile: str) -> str:
    """Whether fees count: the firm's programme always counts them."""
    if isinstance(instance.params, Terms):
        return "net"
    return getattr(instance.params, "pnl_basis", None) or of_profile


def _day(book: Book, account: Account) -> DayFigures:
    return account.days.get(book.trade_date) or DayFigures(book.trade_date)
