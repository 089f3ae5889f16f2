"""GROUP-OPPOSITE: no account of a group long while another is short (PROGRAMME.md 7)."""

from collections.abc import Iterator, Sequence

from riskcore.core.groups.group import Group, members
from riskcore.core.groups.opposite import Opposites, close_day
from riskcore.core.programme.families import family_by
from riskcore.core.programme.terms import CORRELATED, Terms, account_terms
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import wording
from riskcore.core.rules.base import Finding, Reading, Rule
from riskcore.core.view import View

GRACE_NS = 2 * SECOND_NS  # Where no programme says another.


def _opposites(group: Group, view: View) -> Opposites:
    terms: Terms | None = account_terms(view.book.settings, view.account.id, view.account.name)
    grace_ns = GRACE_NS if terms is None else terms.hedge_grace_ns
    family = family_by("" if terms is None else terms.reading(CORRELATED))
    return Opposites(members(group, view.book), family, grace_ns)


def evaluate(group: Group, view: View) -> Sequence[Finding]:
    return _opposites(group, view).findings(view, close=group.opposite == "close")


def deadline(group: Group, view: View) -> int | None:
    return _opposites(group, view).deadline(view)


def gauges(group: Group, view: View) -> Iterator[Reading]:
    yield _opposites(group, view).reading(view)


RULE = Rule(
    "GROUP-OPPOSITE",
    "group_opposite",
    "No account of a group long while another is short",
    75,
    Group,
    evaluate,
    deadline=deadline,
    needs=lambda group: ("positions",),
    gauges=gauges,
    day_closed=lambda group, view: close_day(view),
    joint=True,
    advice=wording.OPPOSITE,
)
