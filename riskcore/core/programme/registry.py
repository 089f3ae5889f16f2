"""The rules of the firm's programme, and the part of it that each belongs to.

They have no table under [rules]: [programme] switches all of them on, with the terms of the account as parameters.
"""

from dataclasses import dataclass

from riskcore.core.programme import hedge, hours
from riskcore.core.programme.terms import Part, Terms
from riskcore.core.rules.base import Rule


@dataclass(frozen=True, slots=True)
class ProgrammeRule:
    """A rule of the programme. A part that `enforce` leaves out runs in shadow; a rule of no part only advises."""

    rule: Rule
    part: Part | None = None

    def shadow(self, terms: Terms) -> bool:
        return self.part is not None and not terms.enforces(self.part)

    @property
    def shadow_text(self) -> str:
        """What a breach in shadow says, once an episode (PROGRAMME.md 2)."""
        title = self.rule.title[:1].lower() + self.rule.title[1:]
        return (
            f"a rule of the firm is broken: {title}; nothing is done: [programme] enforce does not name {self.part!r}"
        )


PROGRAMME: tuple[ProgrammeRule, ...] = (
    ProgrammeRule(hours.RULE, "hours"),
    ProgrammeRule(hedge.RULE, "hedge"),
)
