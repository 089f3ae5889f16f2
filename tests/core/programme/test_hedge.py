"""PROG-HEDGE: opposite positions across the accounts of one trader (PROGRAMME.md 5)."""

from typing import Any

from riskcore.audit.limits import gauges
from riskcore.core import events as e
from riskcore.core.programme.hedge import RULE as HEDGE
from riskcore.core.programme.terms import Terms, plain_terms
from riskcore.core.view import Effect, View
from tests.core.groups.desk import OTHER, THIRD, breaches, commands
from tests.core.ledger import ACCOUNT, SECOND_NS, Ledger


def hedged(own: dict[str, Any] | None = None, **choices: Any) -> Ledger:
    """Accounts A and B in a programme that enforces hedging; `own` are the terms of B."""
    terms = {"enforce": ("hedge",), **choices}
    profile = {"accounts": [], "max_quote_age_ns": 10 * SECOND_NS}
    settings: dict[str, Any] = {"profile": profile, "rules": {}, "accounts": {}}
    settings["programme"] = {"terms": plain_terms(Terms("test", **terms))}
    if own is not None:
        settings["programme_accounts"] = {"B": {"terms": plain_terms(Terms("test", **{**terms, **own}))}}
    return Ledger(settings=settings).account(ACCOUNT, name="A").account(OTHER, name="B")


def test_programme_hedge_example_1_what_completed_the_hedge_is_closed_after_two_seconds() -> None:
    day = hedged().at("09:30:00").fill("ES", 1, "6000").at("09:30:10").fill("MES", -3, "6000", account=OTHER)
    assert day.tick("09:30:11.999").breaches == []
    day.tick("09:30:12")
    assert breaches(day) == [("PROGRAMME-HEDGE", OTHER)]
    assert day.breaches[0].figures == {"family": "ES", "against": str(ACCOUNT)}
    assert commands(day, OTHER) == [("ClosePosition", "MES", None)]


def test_programme_hedge_example_2_flat_within_the_grace_is_nothing() -> None:
    day = hedged().at("09:30:00").fill("ES", 1, "6000").at("09:30:10").fill("MES", -3, "6000", account=OTHER)
    day.at("09:30:11").fill("MES", 3, "6000", profit="0", account=OTHER)
    assert day.tick("09:31:00").breaches == []


def test_programme_hedge_example_3_es_and_nq_are_two_families() -> None:
    day = hedged().fill("ES", 1, "6000").fill("NQ", -1, "21000", account=OTHER)
    assert day.tick("09:30:00").breaches == []


def test_the_other_reading_takes_the_indices_for_one_family() -> None:
    day = hedged(readings={"correlated": "index"}).fill("ES", 1, "6000").fill("NQ", -1, "21000", account=OTHER)
    assert day.tick("09:30:00").breaches[0].figures == {"family": "index", "against": str(ACCOUNT)}


def test_practice_is_exempt_on_either_side() -> None:
    day = hedged(own={"stage": "practice"}).fill("ES", 1, "6000").fill("ES", -1, "6000", account=OTHER)
    assert day.tick("09:30:00").breaches == []
    day = hedged(own={"stage": "practice"}).fill("ES", -1, "6000", account=OTHER).fill("ES", 1, "6000")
    assert day.tick("09:30:00").breaches == []


def test_what_is_not_enforced_is_recorded_and_closes_nothing() -> None:
    day = hedged(enforce=()).fill("ES", 1, "6000").fill("ES", -1, "6000", account=OTHER).tick("09:30:00")
    assert [one.shadow for one in day.breaches] == [True]
    assert day.kinds == []
    assert [text.endswith("[programme] enforce leaves out 'hedge'") for text in day.alerts] == [True]


def shown(day: Ledger, account: int) -> str:
    state = day.book.accounts[account]
    view = View(day.book, state, e.Event(day.book.now, "core", "now", e.ClockTicked()), Effect(), "net", "last")
    [text] = [gauge.row()["text"] for gauge in gauges(day.book, day.rulebook, state, view) if gauge.rule == HEDGE.id]
    return str(text)


def test_the_row_says_what_the_account_is_opposite_in_and_counts_the_breaches_of_the_day() -> None:
    day = hedged().account(THIRD, name="C").fill("NQ", 1, "21000", account=THIRD)
    assert shown(day, ACCOUNT) == "opposite positions: none"
    day.fill("ES", 1, "6000").at("09:30:00").fill("MES", -3, "6000", account=OTHER).tick("09:30:02")
    assert shown(day, ACCOUNT) == shown(day, OTHER) == "opposite positions: ES; breaches today: 1"
    assert shown(day, THIRD) == "opposite positions: none; breaches today: 1"
    day.fill("MES", 3, "6000", profit="0", account=OTHER).at("09:40:00").fill("NQ", -1, "21000").tick("09:40:02")
    assert shown(day, ACCOUNT) == "opposite positions: NQ; breaches today: 2"
    day.fill("NQ", 1, "21000", profit="0").tick("2026-11-20 17:00:00")
    assert shown(day, ACCOUNT) == "opposite positions: none"
    day.fill("MES", -1, "6000", account=OTHER).tick("17:00:03")
    assert shown(day, THIRD) == "opposite positions: none; breaches today: 1"
