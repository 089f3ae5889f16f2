"""Terms of the firm's accounts made by hand, and ledgers under them.

The shipped figures have tests of their own; here they only have to be the ones that PROGRAMME.md's examples use.
"""

from typing import Any

from riskcore.core.programme.terms import FloorKind, Terms, plain_terms
from tests.core.ledger import Ledger, usd

_START = {"50K": "50000", "100K": "100000", "150K": "150000"}
_MAXIMUM_LOSS = {"50K": "2000", "100K": "3000", "150K": "4500"}


def combine(size: str = "50K", **changed: Any) -> Terms:
    """A standard Combine."""
    return _terms("combine", size, _START[size], _MAXIMUM_LOSS[size], "eod", changed)


def xfa(size: str = "50K", **changed: Any) -> Terms:
    """A standard XFA."""
    return _terms("xfa", size, "0", _MAXIMUM_LOSS[size], "eod", changed)


def static_50k(**changed: Any) -> Terms:
    """A Static Combine of the Labs."""
    return _terms("combine", "50K", "50000", "2000", "static", {"product": "static_50k", **changed})


def pro(**changed: Any) -> Terms:
    """A Pro account: its floor is only what the trader gives."""
    return Terms("test", "pro", floor_kind="override", **changed)


def _terms(stage: str, size: str, start: str, maximum_loss: str, floor: FloorKind, changed: dict[str, Any]) -> Terms:
    figures = {"start_usd": usd(start), "maximum_loss_usd": usd(maximum_loss), "floor_kind": floor}
    return Terms(**{"version": "test", "stage": stage, "size": size, **figures, **changed})


def under(terms: Terms, start: str = "2026-11-20 08:00:00", **options: Any) -> Ledger:
    """A ledger of an account under these terms."""
    return Ledger(start=start, programme={"name": "topstep", "terms": plain_terms(terms)}, **options)


def kinds_of(day: Ledger, rule: str) -> list[str]:
    """Kinds of the commands of one rule, alerts left out."""
    return [one.command.kind for one in day.commands if one.rule == rule and one.command.kind != "Alert"]
