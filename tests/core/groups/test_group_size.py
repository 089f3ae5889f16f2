"""GROUP-SIZE: the contracts of several accounts together (PROGRAMME.md 7)."""

from riskcore.core import events as e
from riskcore.core.rules.base import Proposal
from riskcore.core.state import Order
from riskcore.core.view import Effect, View
from tests.core.groups.desk import OTHER, THIRD, breaches, commands, group
from tests.core.ledger import ACCOUNT, Ledger


def test_group_size_example_equal_is_allowed_and_one_more_is_cut_where_it_came() -> None:
    day = group(max_contracts=5).fill("ES", 3, "6000").fill("ES", 2, "6000", account=OTHER)
    assert day.breaches == []
    day.fill("ES", 1, "6000", account=OTHER)
    assert breaches(day) == [("GROUP-SIZE", OTHER)]
    assert day.breaches[0].figures == {"count": "60", "limit": "50"}
    assert commands(day, OTHER) == [("ReducePosition", "EP", 2)]
    assert commands(day, ACCOUNT) == []


def test_ten_micros_are_a_mini_and_one_micro_too_many_is_cut() -> None:
    day = group(max_contracts=5).fill("ES", 3, "6000").fill("MES", 20, "6000", account=OTHER)
    assert day.breaches == []
    day.fill("MES", 1, "6000", account=OTHER)
    assert commands(day, OTHER) == [("ReducePosition", "MES", 20)]


def test_an_excess_larger_than_the_newest_exposure_goes_on_in_the_next_account() -> None:
    day = group(max_contracts=5)
    positions = [e.PositionObserved(account, day.contract("ES"), size) for account, size in ((ACCOUNT, 4), (OTHER, 1))]
    for one in positions:
        day.take(one, "position")
    day.take(e.PositionObserved(ACCOUNT, day.contract("NQ"), 4), "position")
    assert breaches(day) == [("GROUP-SIZE", ACCOUNT)]
    assert commands(day, ACCOUNT) == [("ClosePosition", "ENQ", None)]
    assert commands(day, OTHER) == []


def test_the_cut_reaches_another_account_when_the_newest_is_not_enough() -> None:
    day = group(max_contracts=5).fill("ES", 9, "6000", account=OTHER)
    assert breaches(day) == [("GROUP-SIZE", OTHER)]
    day.fill("NQ", 1, "21000")
    # The cut of the other account is in force; what is newest goes first, and there is too much of it still.
    assert commands(day, ACCOUNT) == [("ClosePosition", "ENQ", None)]
    assert breaches(day) == [("GROUP-SIZE", OTHER)]


def test_what_is_being_cut_in_one_account_is_not_cut_in_another() -> None:
    """Three and three are cut to five; one more is one too many, and not two."""
    day = group(max_contracts=5).fill("ES", 3, "6000").fill("ES", 3, "6000", account=OTHER)
    assert commands(day, OTHER) == [("ReducePosition", "EP", 2)]
    day.fill("ES", 1, "6000")
    assert commands(day, ACCOUNT) == [("ReducePosition", "EP", 3)]
    day.fill("ES", 1, "6000")
    assert [one.command.size for one in day.commands if one.account == ACCOUNT] == [1]
    day.fill("ES", -1, "6000", profit="0", account=OTHER).fill("ES", -2, "6000", profit="0")
    assert commands(day, ACCOUNT) == [("ReducePosition", "EP", 3)]
    assert commands(day, OTHER) == [("ReducePosition", "EP", 2)]


def test_a_group_whose_excess_is_being_closed_breaches_without_a_command() -> None:
    day = group(max_contracts=5).fill("ES", 5, "6000", account=OTHER)
    day.take(e.FlattenRequested(OTHER), "flatten", "operator")
    day.fill("NQ", 1, "21000")
    assert (breaches(day), commands(day, ACCOUNT)[-1:]) == ([("GROUP-SIZE", ACCOUNT)], [])


def test_one_breach_until_the_group_is_within_again() -> None:
    day = group(max_contracts=5).fill("ES", 5, "6000").fill("ES", 1, "6000", account=OTHER)
    day.fill("ES", -1, "6000", profit="0", account=OTHER)
    assert [type(one).__name__ for one in day.bodies(e.EpisodeEnded)] == ["EpisodeEnded"]
    day.fill("ES", 1, "6000", account=OTHER)
    assert breaches(day) == [("GROUP-SIZE", OTHER), ("GROUP-SIZE", OTHER)]


def test_an_account_that_brings_the_group_within_ends_the_episode_of_another() -> None:
    day = group(max_contracts=5).fill("ES", 5, "6000").fill("ES", 1, "6000", account=OTHER)
    day.fill("ES", -1, "6000", profit="0")
    assert day.bodies(e.EpisodeEnded)[0].account == OTHER


def test_an_account_that_is_not_named_does_not_count() -> None:
    day = group(max_contracts=5, accounts=["A", str(OTHER)]).account(THIRD, name="C")
    day.fill("ES", 5, "6000").fill("ES", 5, "6000", account=THIRD)
    assert day.breaches == []


def test_an_order_that_would_take_the_group_over_its_limit_is_not_admitted() -> None:
    day = group(max_contracts=5).fill("ES", 3, "6000").fill("ES", 1, "6000", account=OTHER)
    assert _objection(day, size=1) is None
    assert _objection(day, size=2) == "it would make 60 micro-units in the accounts of desk, the limit is 50"


def _objection(day: Ledger, size: int) -> str | None:
    order = Order(1, day.contract("ES"), 1, 2, 1, size, 0, None, None, None, None, None, None, 0)
    account = day.book.accounts[OTHER]
    view = View(day.book, account, e.Event(day.book.now, "core", "now", e.ClockTicked()), Effect(), "net", "last")
    instance = next(one for one in day.rulebook.instances(account) if one.rule.id == "GROUP-SIZE")
    assert instance.rule.admit is not None
    return instance.rule.admit(instance.params, view, Proposal(order))
