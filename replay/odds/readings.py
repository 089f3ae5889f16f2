"""The chance under each other reading where the firm contradicts itself (PROGRAMME.md 10)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from replay.odds.chances import Chance, chance_of, share
from replay.odds.days import OddsDay, fresh
from replay.odds.history import History
from riskcore.core.programme.terms import (
    CONSISTENCY_BOUNDARY,
    CORRELATED,
    CPI_ALLOWANCE,
    LABS_XFA,
    OLDER_COMBINES,
    PASS_AT,
    READINGS,
    SCALING_BOUNDARY,
    Terms,
)
from riskcore.settings.programme_terms import terms_for

Read = Callable[[dict[str, str]], list[OddsDay]]


def readings_rows(history: History, chance: Chance, read: Read, drawn: dict[str, Any]) -> list[dict[str, Any]]:
    """One row for each reading that was not chosen and that this account could meet."""
    rows = []
    for name, choices in READINGS.items():
        for reading in choices:
            if reading == history.terms.reading(name) or not _counts(name, history):
                continue
            terms = fresh(_under(history, name, reading))
            days = read({name: reading}) if _is_of_days(name, history.terms) else list(history.under)
            other = chance_of(days, terms, **drawn)
            rows.append(
                {
                    "name": name,
                    "reading": reading,
                    "pass": share(other.passed),
                    "lose": share(other.lost),
                    "changes": share(other.passed) != share(chance.passed) or share(other.lost) != share(chance.lost),
                }
            )
    return rows


def _counts(name: str, history: History) -> bool:
    """Whether a reading can decide anything of this account's journeys."""
    terms, created = history.terms, history.programme.get("created")
    if name == CONSISTENCY_BOUNDARY:
        return terms.target_usd is not None and terms.consistency is not None
    if name == PASS_AT:
        return terms.target_usd is not None
    if name == OLDER_COMBINES:
        by_date = history.programme.get("consistency") == "by_date" and created is not None
        return (
            by_date
            and terms.target_usd is not None
            and _under(history, name, "all_55").consistency != _under(history, name, "keep_50").consistency
        )
    if name == LABS_XFA:
        # The target of a Combine does not hang on it.
        strict, standard = (_under(history, name, one).scaling for one in ("strict", "as_standard"))
        return terms.target_usd is None and strict != standard
    if name == SCALING_BOUNDARY:
        return bool(terms.scaling)
    return _is_of_days(name, terms)


def _is_of_days(name: str, terms: Terms) -> bool:
    """Whether a reading decides what the guard makes of a day."""
    return (
        (name == SCALING_BOUNDARY and bool(terms.scaling) and terms.enforces("size"))
        or (name == CPI_ALLOWANCE and terms.enforces("news"))
        or (name == CORRELATED and terms.enforces("hedge"))
    )


def _under(history: History, name: str, reading: str) -> Terms:
    """The terms of an account under another reading; nothing but the figures it chooses differs."""
    chosen = {**history.terms.readings, name: reading}
    figures = terms_for({**history.programme, "readings": chosen}, [])
    lots = figures.scaling if name == LABS_XFA else history.terms.scaling
    return replace(history.terms, readings=chosen, consistency=figures.consistency, scaling=lots)
