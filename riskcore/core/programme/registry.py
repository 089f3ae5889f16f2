"""The rules of the firm's programme, and the part of it that each belongs to.

They have no table under [rules]: [programme] switches all of them on, with the terms of the account as parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass

from riskcore.core.programme import conduct, daily_loss, hedge, hours, maximum_loss, news, payout, size, target
from riskcore.core.programme.daily_loss import DAILY_LOSS
from riskcore.core.programme.maximum_loss import MAXIMUM_LOSS
from riskcore.core.programme.projection import PROJECTION
from riskcore.core.programme.terms import Part, Terms
from riskcore.core.rules.base import Rule


def _always(terms: Terms) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class ProgrammeRule:
    """A rule of the programme. A part that `enforce` leaves out runs in shadow; a rule of no part only advises.

    `applies` says whether an account under these terms has such a limit at all.
    """

    rule: Rule
    part: Part | None = None
    applies: Callable[[Terms], bool] = _always

    def shadow(self, terms: Terms) -> bool:
        return self.part is not None and not terms.enforces(self.part)

    @property
    def shadow_text(self) -> str:
        """What a breach in shadow says, once an episode (PROGRAMME.md 2)."""
        title = self.rule.title[:1].lower() + self.rule.title[1:]
        return f"a rule of the firm is broken: {title}; [programme] enforce leaves out {self.part!r}"


# The projection is the first: the others read what it remembers.
PROGRAMME: tuple[ProgrammeRule, ...] = (
    ProgrammeRule(PROJECTION),
    ProgrammeRule(MAXIMUM_LOSS, "mll", maximum_loss.applies),
    ProgrammeRule(DAILY_LOSS, "dll", daily_loss.applies),
    ProgrammeRule(hours.RULE, "hours"),
    ProgrammeRule(hedge.RULE, "hedge"),
    ProgrammeRule(size.RULE, "size"),
    ProgrammeRule(news.RULE, "news"),
    ProgrammeRule(target.TARGET),
    ProgrammeRule(target.CONSISTENCY),
    ProgrammeRule(payout.RULE),
    ProgrammeRule(conduct.RULE),
)
