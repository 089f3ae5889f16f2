"""What the broker lists and what it pushes: the newer word counts, whichever arrives last (DESIGN.md)."""

from datetime import timedelta

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds

ES, MNQ = "CON.F.US.EP.Z26", "CON.F.US.MNQ.Z26"
WORKING = (1, 6, 7, 8)


class Asked(Ledger):
    """A ledger whose lists were asked for some time before they arrive."""

    def ago(self, seconds: float) -> int:
        return nanoseconds(self.now - timedelta(seconds=seconds))

    def positions(self, *held: tuple[str, int], ago: float = 1) -> "Asked":
        rows = tuple(e.PositionObserved(ACCOUNT, self.contract(name), size) for name, size in held)
        self.take(e.PositionsListed(ACCOUNT, rows, self.ago(ago)), "positions")
        return self

    def orders(self, *ids: int, ago: float = 1) -> "Asked":
        self.take(e.OrdersListed(ACCOUNT, WORKING, ids, self.ago(ago)), "orders")
        return self

    def size(self, contract: str) -> int:
        return self.account_state.positions[contract].size

    def status(self, order_id: int) -> int:
        return self.account_state.orders[order_id].status


# ---- positions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "size"), [(3, 2), (2, 2), (1.999, 5), (0, 5)])
def test_a_push_at_or_after_the_question_is_newer_than_the_answer(ago: float, size: int) -> None:
    day = Asked().at("10:00:00").push("ES", 2).at("10:00:02").positions(("ES", 5), ago=ago)
    assert day.size(ES) == size


@pytest.mark.parametrize(("ago", "size"), [(3, 2), (2, 2), (1.999, 0)])
def test_a_contract_that_was_opened_after_the_question_is_not_flat(ago: float, size: int) -> None:
    assert Asked().at("10:00:00").push("ES", 2).at("10:00:02").positions(ago=ago).size(ES) == size  # type: ignore[attr-defined]


@pytest.mark.parametrize(("ago", "size"), [(3, 2), (2, 2), (1.999, 0)])
def test_what_only_fills_have_shown_is_newer_too(ago: float, size: int) -> None:
    day = Asked().at("10:00:00").fill("ES", 2, "6000").at("10:00:02")
    assert isinstance(day, Asked)
    assert day.positions(ago=ago).size(ES) == size


def test_a_fill_does_not_speak_against_the_brokers_own_size() -> None:
    day = Asked().at("10:00:00").push("ES", 1).at("10:00:02").fill("ES", 1, "6000").at("10:00:03")
    assert isinstance(day, Asked)
    assert day.positions(("ES", 3), ago=2).size(ES) == 3


def test_an_answer_overtaken_by_the_answer_to_a_later_question_says_nothing() -> None:
    day = Asked().at("10:00:10")
    assert isinstance(day, Asked)
    day.positions(("ES", 1), ago=1).positions(("MNQ", 4), ago=5)
    assert (day.size(ES), MNQ in day.account_state.positions) == (1, False)
    assert day.account_state.reconciled_at == day.ago(1)


def test_an_answer_counts_from_its_question_on_against_the_next_answer() -> None:
    day = Asked().at("10:00:10")
    assert isinstance(day, Asked)
    day.positions(("ES", 1), ago=5)
    assert day.positions(ago=4).size(ES) == 0
    assert day.account_state.listed_at == nanoseconds(day.now)


def test_without_the_time_of_the_question_the_list_is_of_its_arrival() -> None:
    day = Asked().at("10:00:00").push("ES", 2).take(e.PositionsListed(ACCOUNT, ()), "positions")
    assert (day.account_state.positions[ES].size, day.account_state.reconciled_at) == (0, nanoseconds(day.now))


# ---- orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "status"), [(3, 1), (2, 1), (1.999, 3)])
def test_an_order_seen_since_the_question_is_not_gone(ago: float, status: int) -> None:
    day = Asked().at("10:00:00").order(7, "ES", 1).at("10:00:02")
    assert isinstance(day, Asked)
    assert day.orders(ago=ago).status(7) == status


def test_an_order_that_is_shown_again_works_after_all() -> None:
    day = Asked().at("10:00:00").order(7, "ES", 1)
    updated_at = nanoseconds(day.now)
    day.at("10:00:02")
    assert isinstance(day, Asked)
    assert day.orders(ago=1).status(7) == 3
    day.take(e.OrderObserved(ACCOUNT, 7, ES, 1, updated_at=updated_at), "order")
    assert day.status(7) == 1


def test_an_order_that_was_cancelled_stays_so_whatever_is_repeated() -> None:
    day = Asked().at("10:00:00").order(7, "ES", 1)
    updated_at = nanoseconds(day.now)
    day.take(e.OrderObserved(ACCOUNT, 7, ES, 3, updated_at=updated_at), "order")
    day.take(e.OrderObserved(ACCOUNT, 7, ES, 1, updated_at=updated_at), "order")
    assert day.account_state.orders[7].status == 3


def test_an_overtaken_list_of_orders_says_nothing() -> None:
    day = Asked().at("10:00:00").order(7, "ES", 1).at("10:00:05")
    assert isinstance(day, Asked)
    day.orders(7, ago=1).orders(ago=3)
    assert (day.status(7), day.account_state.orders_listed_at) == (1, day.ago(1))


# ---- accounts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ago", "can_trade"), [(3, False), (2, False), (1.999, True)])
def test_rights_pushed_since_the_question_are_newer(ago: float, can_trade: bool) -> None:
    day = Asked().at("10:00:00").account(can_trade=False, balance="100").at("10:00:02")
    assert isinstance(day, Asked)
    day.take(e.AccountObserved(ACCOUNT, "N", 5, True, asked_at=day.ago(ago)), "account")
    assert (day.account_state.can_trade, day.account_state.name) == (can_trade, "N")
    assert (day.account_state.balance_usd == 5) is can_trade
    assert day.account_state.rights_told_at == day.ago(2 if not can_trade else ago)


def test_an_account_without_a_word_about_rights_says_nothing_about_them() -> None:
    day = Asked().at("10:00:00").account(can_trade=False).at("10:00:02").account(balance="1")
    assert day.account_state.rights_told_at == nanoseconds(day.now) - 2 * SECOND_NS
