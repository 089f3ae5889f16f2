"""Lost connections: alerts, and closing what is held where the profile says so (INTERFACE.md 3, on_blind)."""

from collections.abc import Callable

import pytest

from riskcore.core import events as e
from riskcore.core.freshness import unseen_since
from tests.core.ledger import ACCOUNT, Ledger
from tests.core.test_restart import Restarted, begun

MINUTE_NS = 60 * 10**9
RULES = {"daily_realized_loss": {}}


def at_ten(on_blind: str, held: bool) -> Ledger:
    day = Ledger(**RULES, profile={"on_blind": on_blind, "blind_limit_ns": MINUTE_NS}).at("09:59:00")
    if held:
        day.fill("ES", 1, "6000")
    return day.at("10:00:00")


def lost(on_blind: str = "flatten", held: bool = True) -> Ledger:
    return at_ten(on_blind, held).take(e.ConnectionChanged("user", "lost"), "connection")


def unseen(on_blind: str, held: bool = True) -> Ledger:
    return at_ten(on_blind, held).take(e.SightChanged(ACCOUNT, True), "sight")


def test_a_lost_hub_alerts_once_and_again_when_it_is_lost_again() -> None:
    day = lost("alert").at("10:00:10").take(e.ConnectionChanged("user", "stale"), "connection")
    assert day.alerts == ["the user hub is lost: riskcore sees nothing of it"]
    day.at("10:00:20").take(e.ConnectionChanged("user", "connected"), "connection")
    day.at("10:00:30").take(e.ConnectionChanged("user", "lost"), "connection")
    assert len(day.alerts) == 2


@pytest.mark.parametrize("out_of_sight", [lost, unseen])
@pytest.mark.parametrize(
    ("on_blind", "held", "until", "kinds"),
    [
        ("flatten", True, "10:00:59.999", []),
        ("flatten", True, "10:01:00", ["CancelOrders", "CloseAllPositions"]),
        ("flatten", False, "10:05:00", []),
        ("alert", True, "10:05:00", []),
    ],
)
def test_what_is_held_is_closed_once_nothing_was_seen_for_too_long(
    out_of_sight: Callable[[str, bool], Ledger], on_blind: str, held: bool, until: str, kinds: list[str]
) -> None:
    assert out_of_sight(on_blind, held).tick(until).kinds == kinds


def test_the_breach_names_how_long_and_comes_once_until_the_hub_is_back() -> None:
    day = lost().tick("10:01:00").tick("10:03:00")
    [breach] = day.breaches
    assert dict(breach.figures) == {"blind_seconds": "60", "limit": "60"}
    assert day.breach_times == ["10:01:00"]
    day.at("10:04:00").take(e.ConnectionChanged("user", "connected"), "connection")
    day.at("10:05:00").take(e.ConnectionChanged("user", "lost"), "connection").tick("10:06:00")
    assert day.breach_times == ["10:01:00", "10:06:00"]


def test_the_first_of_several_lost_hubs_counts() -> None:
    day = lost().at("10:00:30").take(e.ConnectionChanged("market", "lost"), "connection").tick("10:01:00")
    assert day.breach_times == ["10:01:00"]
    assert len(day.alerts) == 2


# ---- one account alone -------------------------------------------------------------------------------

OTHER = ACCOUNT + 1


def test_an_account_that_nothing_is_seen_of_is_told_once_and_again_when_that_happens_again() -> None:
    day = unseen("alert").at("10:00:10").take(e.SightChanged(ACCOUNT, True), "sight")
    [command] = [one.command for one in day.bodies(e.CommandIssued)]
    assert command.level == "critical", "nothing stands in for it, as polling does for a hub"
    why = "its messages cannot be read, and its lists do not come"
    assert command.text == f"riskcore sees nothing of account {ACCOUNT}: {why}"
    day.at("10:00:20").take(e.SightChanged(ACCOUNT, False), "sight")
    day.at("10:00:30").take(e.SightChanged(ACCOUNT, True), "sight").tick("10:09:00")
    assert (len(day.alerts), day.breaches) == (2, [])


def test_the_alert_names_the_account_and_the_time_without_sight_counts_from_the_first_word_on_over_the_reset() -> None:
    day = Ledger(**RULES, profile={"on_blind": "flatten", "blind_limit_ns": 2 * MINUTE_NS}).at("16:58:00")
    day.take(e.AccountObserved(ACCOUNT, "PRAC-1"), "account").fill("ES", 1, "6000").at("16:59:00")
    day.take(e.SightChanged(ACCOUNT, True), "sight").at("17:00:30").take(e.SightChanged(ACCOUNT, True), "sight")
    assert [text for text in day.alerts if "account PRAC-1:" in text] == day.alerts[:1]
    assert day.tick("17:00:59.999").kinds == []
    assert day.tick("17:01:00").kinds == ["CancelOrders", "CloseAllPositions"]


def test_an_account_that_is_seen_again_in_time_is_left_alone() -> None:
    day = unseen("flatten").at("10:00:59").take(e.SightChanged(ACCOUNT, False), "sight")
    assert day.tick("10:05:00").kinds == []


def test_other_accounts_hear_nothing_of_it() -> None:
    day = unseen("flatten")
    day.take(e.AccountObserved(OTHER, "OTHER", None, can_trade=True, simulated=True), "account").tick("10:05:00")
    assert {event.body.account for event in day.events if isinstance(event.body, e.CommandIssued)} == {ACCOUNT}


def test_a_start_forgets_what_the_engine_before_did_not_see() -> None:
    desk = begun(**RULES)
    desk.take(e.SightChanged(ACCOUNT, True), "sight").start("10:00:00")
    assert unseen_since(desk.account_state) is None


# ---- a start -----------------------------------------------------------------------------------------


def restarted() -> Restarted:
    """An engine that was connected until 09:59, and one that starts at 10:00."""
    desk = begun(**RULES)
    desk.take(e.ConnectionChanged("market", "connected"), "connection").tick("09:59:00")
    return desk.start("10:00:00")


def test_that_a_start_has_no_connection_yet_is_no_news() -> None:
    assert restarted().tick("10:00:09.999").alerts == []
    desk = restarted().at("10:00:03").take(e.ConnectionChanged("user", "connected"), "connection")
    desk.take(e.ConnectionChanged("market", "connected"), "connection").tick("10:05:00")
    assert desk.alerts == []


def test_a_first_connection_that_does_not_come_alerts_by_itself() -> None:
    desk = restarted().tick("10:00:10")
    hubs = ("market", "user")
    assert desk.alerts == [f"the {hub} hub is lost: riskcore sees nothing of it" for hub in hubs]
    assert desk.tick("10:05:00").alerts == desk.alerts


def test_a_hub_that_is_reported_lost_alerts_at_once() -> None:
    desk = restarted().at("10:00:03").take(e.ConnectionChanged("user", "connected"), "connection")
    desk.at("10:00:04").take(e.ConnectionChanged("user", "lost"), "connection")
    assert desk.alerts == ["the user hub is lost: riskcore sees nothing of it"]


def test_a_first_start_is_told_at_once_of_a_hub_that_is_reported_lost() -> None:
    desk = Restarted(**RULES).at("10:00:00").fill("ES", 1, "6000").start("10:00:01")
    desk.at("10:00:02").take(e.ConnectionChanged("user", "lost"), "connection")
    assert desk.alerts == ["the user hub is lost: riskcore sees nothing of it"]
