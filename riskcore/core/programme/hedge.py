"""PROG-HEDGE: no opposite positions in the accounts of one trader (PROGRAMME.md 5)."""

from collections.abc import Iterator, Sequence

from riskcore.core.groups.group import is_listed
from riskcore.core.groups.opposite import Opposites, close_day
from riskcore.core.programme.families import family_by
from riskcore.core.programme.terms import CORRELATED, Terms, account_stage
from riskcore.core.rules import wording
from riskcore.core.rules.base import NO_MEASURE, Finding, Reading, Rule
from riskcore.core.state import Account
from riskcore.core.view import View

PRACTICE = "practice"


def _accounts(view: View) -> list[Account]:
    """The accounts of the profile that the firm holds against each other: Practice is exempt."""
    settings = view.book.settings
    listed = tuple(settings.get("profile", {}).get("accounts", ()))
    found = []
    for account in view.book.accounts.values():
        if is_listed(listed, account) and account_stage(settings, account.id, account.name) != PRACTICE:
            found.append(account)
    return found


def _opposites(terms: Terms, view: View) -> Opposites:
    return Opposites(_accounts(view), family_by(terms.reading(CORRELATED)), terms.hedge_grace_ns)


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    return () if terms.stage == PRACTICE else _opposites(terms, view).findings(view, close=True)


def deadline(terms: Terms, view: View) -> int | None:
    return None if terms.stage == PRACTICE else _opposites(terms, view).deadline(view)


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """What stands against what, unless the account is one that the firm exempts."""
    if terms.stage == PRACTICE:
        yield Reading("opposite positions", NO_MEASURE, now="allowed in Practice")
    else:
        yield _opposites(terms, view).reading(view)


RULE = Rule(
    "PROGRAMME-HEDGE",
    "programme_hedge",
    "No opposite positions in the accounts of one trader",
    75,
    Terms,
    evaluate,
    deadline=deadline,
    needs=lambda terms: ("positions",),
    gauges=gauges,
    day_closed=lambda terms, view: close_day(view),
    joint=True,
    advice=wording.OPPOSITE,
)
