"""Whether what is known of an account is still what the broker has: one answer for the planner and for the screens."""

import pytest

from riskcore.core.freshness import POLLED_NS, UNSEEN_SINCE, out_of_sight, reconciled
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book


def seen(
    state: str, listed_seconds_ago: int | None, *, orders_seconds_ago: int | None = None, unseen: bool = False
) -> tuple[Book, Account]:
    """A minute after the hub came into its state."""
    now = 1000 * SECOND_NS
    book = Book(connections={"user": state}, connection_since={"user": now - 60 * SECOND_NS}, now=now)
    account = Account(7)
    if listed_seconds_ago is not None:
        account.reconciled_at = now - listed_seconds_ago * SECOND_NS
        orders = listed_seconds_ago if orders_seconds_ago is None else orders_seconds_ago
        account.orders_listed_at = now - orders * SECOND_NS
    if unseen:
        account.memory[UNSEEN_SINCE] = now
    return book, account


def sight(state: str, listed_seconds_ago: int | None, *, orders_seconds_ago: int | None = None) -> bool:
    return out_of_sight(*seen(state, listed_seconds_ago, orders_seconds_ago=orders_seconds_ago))


def test_lists_that_are_polled_stand_in_for_a_lost_hub_as_long_as_they_hold() -> None:
    seconds = POLLED_NS // SECOND_NS
    assert not sight("lost", seconds - 1)
    assert sight("lost", seconds)
    assert sight("lost", seconds + 1)
    assert sight("lost", None), "never listed"
    assert sight("lost", 1, orders_seconds_ago=61), "the orders were listed before it was lost"
    assert not sight("stale", 1)
    assert not sight("connected", None)


@pytest.mark.parametrize("state", ["connected", "lost"])
def test_an_account_that_is_out_of_sight_by_itself_is_so_whatever_its_hub_does(state: str) -> None:
    before, since = seen(state, 1), seen(state, 1, unseen=True)
    assert (out_of_sight(*before), reconciled(*before)) == (False, True)
    assert (out_of_sight(*since), reconciled(*since)) == (True, False)
