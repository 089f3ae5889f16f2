"""GROUP-OPPOSITE: no account long while another is short (PROGRAMME.md 7)."""

from tests.core.groups.desk import OTHER, breaches, commands, group
from tests.core.ledger import ACCOUNT


def test_the_position_that_completed_the_pair_is_closed_after_the_grace() -> None:
    day = group(opposite="close").at("09:30:00").fill("ES", 1, "6000")
    day.at("09:30:10").fill("MES", -3, "6000", account=OTHER)
    assert day.tick("09:30:11.999").breaches == []
    day.tick("09:30:12")
    assert breaches(day) == [("GROUP-OPPOSITE", OTHER)]
    assert day.breaches[0].figures == {"family": "ES", "against": str(ACCOUNT)}
    assert commands(day, OTHER) == [("ClosePosition", "MES", None)]
    assert commands(day, ACCOUNT) == []


def test_flat_within_the_grace_is_nothing() -> None:
    day = group(opposite="close").at("09:30:00").fill("ES", 1, "6000")
    day.at("09:30:10").fill("MES", -3, "6000", account=OTHER)
    day.at("09:30:11").fill("MES", 3, "6000", profit="0", account=OTHER)
    assert day.tick("09:31:00").breaches == []


def test_a_pair_that_breaks_for_a_moment_has_its_grace_again() -> None:
    day = group(opposite="close").at("09:30:00").fill("ES", 1, "6000").fill("ES", -1, "6000", account=OTHER)
    day.at("09:30:01").fill("ES", -1, "6000", profit="0").fill("ES", 1, "6000")
    assert day.tick("09:30:02.5").breaches == []
    day.tick("09:30:03")
    assert breaches(day) == [("GROUP-OPPOSITE", ACCOUNT)]  # It was opened last.


def test_a_turn_completes_a_pair() -> None:
    day = group(opposite="close").at("09:30:00").fill("ES", 1, "6000").fill("ES", 1, "6000", account=OTHER)
    day.at("09:31:00").fill("ES", -2, "6000")
    assert breaches(day.tick("09:31:02")) == [("GROUP-OPPOSITE", ACCOUNT)]


def test_alert_closes_nothing() -> None:
    day = group(opposite="alert").at("09:30:00").fill("ES", 1, "6000").fill("ES", -1, "6000", account=OTHER)
    day.tick("09:30:02")
    assert breaches(day) == [("GROUP-OPPOSITE", OTHER)]
    assert day.kinds == []
    assert "EP" in day.alerts[0]


def test_both_sides_in_one_account_and_other_families_are_no_pair() -> None:
    day = group(opposite="close").fill("ES", 1, "6000").fill("MES", -1, "6000").fill("NQ", -1, "21000", account=OTHER)
    assert day.tick("09:30:00").breaches == []


def test_a_family_counts_again_when_no_pair_is_left() -> None:
    day = group(opposite="alert").at("09:30:00").fill("ES", 1, "6000").fill("ES", -1, "6000", account=OTHER)
    day.at("09:31:00").fill("MES", -1, "6000", account=OTHER).tick("09:31:05")
    assert len(day.breaches) == 1
    day.fill("ES", -1, "6000", profit="0").at("09:32:00").fill("ES", 1, "6000").tick("09:32:05")
    assert breaches(day) == [("GROUP-OPPOSITE", OTHER), ("GROUP-OPPOSITE", ACCOUNT)]
