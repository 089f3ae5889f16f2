"""Lost connections: alerts, and closing what is held where the profile says so (INTERFACE.md 3, on_blind)."""

import pytest

from riskcore.core import events as e
from tests.core.ledger import Ledger

MINUTE_NS = 60 * 10**9
RULES = {"daily_realized_loss": {}}


def lost(on_blind: str = "flatten", held: bool = True) -> Ledger:
    day = Ledger(**RULES, profile={"on_blind": on_blind, "blind_limit_ns": MINUTE_NS}).at("09:59:00")
    if held:
        day.fill("ES", 1, "6000")
    return day.at("10:00:00").take(e.ConnectionChanged("user", "lost"), "connection")


def test_a_lost_hub_alerts_once_and_again_when_it_is_lost_again() -> None:
    day = lost("alert").at("10:00:10").take(e.ConnectionChanged("user", "stale"), "connection")
    assert day.alerts == ["the user hub is lost: riskcore sees nothing of it"]
    day.at("10:00:20").take(e.ConnectionChanged("user", "connected"), "connection")
    day.at("10:00:30").take(e.ConnectionChanged("user", "lost"), "connection")
    assert len(day.alerts) == 2


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
    on_blind: str, held: bool, until: str, kinds: list[str]
) -> None:
    assert lost(on_blind, held).tick(until).kinds == kinds


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
