"""What is subscribed to: each change is told to the hubs once."""

from collections.abc import Sequence

from riskcore.core.state import Account
from riskcore.engine.subscriptions import Subscriptions
from tests.core.ledger import ACCOUNT, Ledger

MNQ, ES = "CON.F.US.MNQ.Z26", "CON.F.US.EP.Z26"
Told = list[tuple[list[int], list[str]]]


def subscriptions() -> tuple[Subscriptions, Told]:
    told: Told = []

    def tell(accounts: Sequence[int], contracts: Sequence[str]) -> None:
        told.append((list(accounts), list(contracts)))

    return Subscriptions(tell), told


def test_what_is_held_and_what_is_worked_is_followed_and_stays_followed() -> None:
    following, told = subscriptions()
    day = Ledger().at("10:00:00").fill("MNQ", 1, "21000")
    assert following.update([day.account_state])
    day.order(7, "ES", 1, type=1, limit="5000")
    assert not following.update([day.account_state])
    day.fill("MNQ", -1, "21000", profit="0")
    assert not following.update([day.account_state])
    assert told == [([ACCOUNT], [MNQ]), ([ACCOUNT], [MNQ, ES])]
    assert following.contracts == [MNQ, ES]


def test_a_contract_that_is_asked_about_again_and_again_is_told_once() -> None:
    following, told = subscriptions()
    following.also(ES)
    following.also(ES)
    assert told == [([], [ES])]


def test_accounts_come_and_go() -> None:
    following, told = subscriptions()
    assert [following.update(accounts) for accounts in ([Account(1)], [Account(1), Account(2)], [Account(2)])] == [
        True
    ] * 3
    assert [accounts for accounts, _ in told] == [[1], [1, 2], [2]]
