"""The balance against the net result: commissions nobody told, and a difference that stays (RULES.md 1.5)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money
from tests.core.broker import Desk
from tests.core.ledger import ACCOUNT, Ledger, nanoseconds


class Bank(Desk):
    """A live desk whose broker tells the balance."""

    def tell(self, balance: str, later: float = 60) -> "Bank":
        self.now += timedelta(seconds=later)
        self.account(balance=balance)
        return self

    def trade(self, profit: str, *, commissions: str | None = None, size: int = 1) -> "Bank":
        self.now += timedelta(seconds=1)
        for side, result in ((1, None), (-1, profit)):
            self.fill("MNQ", side * size, "21000", profit=result, fees="0.37", commissions=commissions)
        return self

    @property
    def told(self) -> list[str]:
        return [gap.text for gap in self.bodies(e.GapRecorded)]

    @property
    def commissions(self) -> Decimal:
        return Decimal(self.account_state.days["2026-11-20"].commissions_usd) / 10**6


def live(**rules: Any) -> Bank:
    desk = Bank(**(rules or {"symbol_blocks": {}})).at("09:00:00")
    desk.take(e.EngineStarted("0", enforces=True), "engine", "operator")
    desk.take(e.ConnectionChanged("user", "connected"), "connection")
    desk.snapshot().account(can_trade=True)  # type: ignore[attr-defined]
    assert isinstance(desk, Bank)
    return desk.tell("50000")


def test_commissions_that_were_not_told_come_from_the_balance() -> None:
    desk = live().trade("10").tell("50008.76")
    assert desk.commissions == Decimal("0.50")
    assert desk.told == ["commissions of 0.50 were not told and are taken from the change of the balance"]
    assert [trade.commissions_usd for trade in desk.account_state.trades.values()] == [money("0.25")] * 2
    assert desk.tell("50008.76").alerts == []


def test_shares_go_by_size_and_add_up() -> None:
    desk = live().trade("10", size=2).trade("-4", size=1).tell("50003.52")
    assert desk.commissions == Decimal("1.00")
    assert sum(trade.commissions_usd or 0 for trade in desk.account_state.trades.values()) == money("1.00")
    assert [trade.size for trade in desk.account_state.trades.values()] == [2, 2, 1, 1]
    shares = [trade.commissions_usd or 0 for trade in desk.account_state.trades.values()]
    assert shares[0] == shares[1] > shares[2]


def test_a_version_that_tells_its_commissions_replaces_the_share() -> None:
    desk = live().trade("10").tell("50008.76")
    first = next(iter(desk.account_state.trades))
    desk.fill("MNQ", 1, "21000", commissions="0.40", trade=first)
    assert desk.commissions == Decimal("0.65")


def test_only_the_fills_since_the_last_agreement_are_given_a_share() -> None:
    desk = live().trade("10").tell("50008.76").trade("10").tell("50017.52")
    assert desk.commissions == Decimal("1.00")
    desk.trade("10", commissions="0.25").tell("50026.28")
    assert desk.commissions == Decimal("1.50")
    assert len(desk.told) == 2


def test_a_correction_may_cross_a_limit() -> None:
    desk = live(daily_realized_loss={"loss_limit": money("100")}).trade("-99").tell("49900")
    assert [breach.figures["day_pnl"] for breach in desk.breaches] == ["-100.00"]


def test_no_commissions_at_all() -> None:
    desk = live().trade("10").tell("50009.26")
    assert (desk.commissions, desk.told, desk.alerts) == (0, [], [])


@pytest.mark.parametrize("balance", ["50010", "50000"])
def test_a_difference_that_stays_is_told_once_a_day(balance: str) -> None:
    desk = live().trade("10", commissions="0.25").tell(balance)
    assert desk.alerts == [], "once is no steady difference"
    desk.tell(balance)
    assert len(desk.alerts) == 1
    assert "check the account" in desk.alerts[0]
    desk.tell(balance).trade("5", commissions="0.25").tell("1").tell("1").tell("1")
    assert len(desk.alerts) == 1


def test_a_difference_that_goes_away_is_none() -> None:
    desk = live().trade("10", commissions="0.25").tell("50000").tell("50008.76").tell("50008.76")
    assert desk.alerts == []


def test_a_new_day_is_compared_with_itself() -> None:
    desk = live().trade("10", commissions="0.25").tell("50000").tell("50000")
    desk.at("2026-11-20 18:00").account(balance="40000").tell("40000").tell("40000")  # type: ignore[attr-defined]
    assert len(desk.alerts) == 1
    desk.trade("10", commissions="0.25").tell("40000").tell("40000")
    assert len(desk.alerts) == 2


@pytest.mark.parametrize(("seconds", "compared"), [(1.999, False), (2, True)])
def test_a_balance_told_close_to_a_fill_is_not_compared(seconds: float, compared: bool) -> None:
    assert bool(live().trade("10").tell("50008.76", later=seconds).told) is compared


def test_a_balance_asked_for_before_the_fill_is_not_compared() -> None:
    desk = live().trade("10")
    desk.now += timedelta(seconds=5)
    asked_at = nanoseconds(desk.now) - 4 * SECOND_NS
    desk.take(e.AccountObserved(ACCOUNT, balance_usd=money("50000"), asked_at=asked_at), "account")
    assert desk.told == []


def test_nothing_is_compared_while_a_position_is_open() -> None:
    desk = live().fill("MNQ", 1, "21000", fees="0.37")
    assert isinstance(desk, Bank)
    assert desk.tell("40000").tell("40000").alerts == []


def test_a_recording_is_not_compared() -> None:
    day = Ledger(symbol_blocks={}).account(balance="50000").closed("10").at("10:00:00").account(balance="1")
    day.at("11:00:00").account(balance="1").at("12:00:00").account(balance="1")
    assert day.alerts == []
    assert day.account_state.memory == {}
