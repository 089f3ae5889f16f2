"""GROUP-LOSS: the loss of several accounts together ends the day of each (PROGRAMME.md 7)."""

from riskcore.core import events as e
from tests.core.groups.desk import OTHER, THIRD, breaches, commands, group
from tests.core.ledger import ACCOUNT, usd

LOCK_ONLY = ["SetLockout", "CancelOrders"]


def kinds(rows: list[tuple[str, str | None, int | None]]) -> list[str]:
    return [kind for kind, _, _ in rows]


def test_group_loss_example_both_are_locked_at_the_fill_of_the_second() -> None:
    day = group(loss_limit=usd("500")).closed("-300").closed("-199.99", account=OTHER)
    assert day.breaches == []
    day.closed("-0.01", account=OTHER)
    assert breaches(day) == [("GROUP-LOSS", OTHER), ("GROUP-LOSS", ACCOUNT)]
    assert [one.figures for one in day.breaches] == [{"day_pnl": "-500.00", "loss_limit": "500"}] * 2
    assert kinds(commands(day, ACCOUNT)) == LOCK_ONLY
    assert kinds(commands(day, OTHER)) == LOCK_ONLY
    assert [len(account.lockouts) for account in day.book.accounts.values()] == [1, 1]


def test_an_account_that_holds_something_is_closed() -> None:
    day = group(loss_limit=usd("500")).fill("MNQ", 1, "21000").mark("MNQ", "21000").closed("-500", account=OTHER)
    assert kinds(commands(day, ACCOUNT)) == [*LOCK_ONLY, "CloseAllPositions"]
    assert kinds(commands(day, OTHER)) == LOCK_ONLY


def test_once_a_day() -> None:
    day = group(loss_limit=usd("500")).closed("-500").closed("-500", account=OTHER)
    assert [rule for rule, _ in breaches(day)].count("GROUP-LOSS") == 2


def test_open_losses_count_with_combined_at_each_quote() -> None:
    day = group(loss_limit=usd("500")).fill("MNQ", 1, "21000").fill("ES", 1, "6000", account=OTHER)
    day.mark("ES", "5995").mark("MNQ", "20875.5")  # -250, -249
    assert day.breaches == []
    day.mark("MNQ", "20875")
    assert breaches(day) == [("GROUP-LOSS", ACCOUNT), ("GROUP-LOSS", OTHER)]


def test_realized_looks_at_closed_trades_only() -> None:
    day = group(loss_limit=usd("500"), basis="realized").fill("ES", 1, "6000").mark("ES", "5900")
    assert day.breaches == []


def test_a_gain_of_one_account_makes_room_for_another() -> None:
    day = group(loss_limit=usd("500")).closed("200").closed("-699.99", account=OTHER)
    assert day.breaches == []
    assert len(day.closed("-0.01", account=OTHER).breaches) == 2


def test_a_new_day_starts_from_nothing() -> None:
    day = group(loss_limit=usd("500")).closed("-500").at("2026-11-23 09:00").closed("-499")
    assert len(day.breaches) == 2
    assert len(day.closed("-1").breaches) == 4


def test_accounts_that_are_not_in_the_group_are_left_alone() -> None:
    day = group(loss_limit=usd("500"), accounts=["A", "B"]).account(THIRD, name="C")
    day.closed("-500", account=THIRD)
    assert day.breaches == []
    assert breaches(day.closed("-500")) == [("GROUP-LOSS", ACCOUNT), ("GROUP-LOSS", OTHER)]


def test_an_account_whose_fills_may_be_missing_makes_the_sum_blind() -> None:
    day = group(loss_limit=usd("500"))
    day.book.accounts[OTHER].unseeded = True
    assert day.closed("-600").breaches == []
    day.take(e.TradesListed(OTHER, 0), "trades")
    assert len(day.breaches) == 2
