"""The rules of the firm's programme, and the part of it that each belongs to.

They have no table under [rules]: [programme] switches all of them on, with the terms of the account as parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskcore.core.programme.projection import PROJECTION
from riskcore.core.programme.terms import Part, Terms, terms_of
from riskcore.core.rules.base import Rule


@dataclass(frozen=True, slots=True)
class ProgrammeRule:
    """A rule of the programme. A part that `enforce` leaves out runs in shadow; a rule of no part only advises."""

    rule: Rule
    part: Part | None = None

    def shadow(self, terms: Terms) -> bool:
        return self.part is not None and not terms.enforces(self.part)


# The projection is the first: the others read what it remembers.
PROGRAMME: tuple[ProgrammeRule, ...] = (ProgrammeRule(PROJECTION),)


def account_terms(settings: Mapping[str, Any], account: int, name: str | None) -> Terms | None:
    """The terms of an account: its own where it has some, else the profile's. None: it is in no programme.

    Settings stored by a version that did not judge the programme carry no terms.
    """
    own = settings.get("programme_accounts", {})
    plain = own.get(str(account)) or own.get(name or "") or settings.get("programme") or {}
    return terms_of(plain["terms"]) if "terms" in plain else None
