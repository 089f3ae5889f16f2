"""A rule whose inputs a recording lacks is blind, not wrong (RULES.md 1.5, INTERFACE.md 4)."""

import pytest

from tests.core.ledger import Ledger


@pytest.mark.parametrize(
    ("lacks", "breached"),
    [((), 1), (("positions",), 1), (("quotes", "orders"), 1), (("trades",), 1), (("trades", "positions"), 0)],
)
def test_exposure_follows_fills_so_only_both_missing_blind_a_cap(lacks: tuple[str, ...], breached: int) -> None:
    day = Ledger(max_contracts={"limit": 1}, lacks=lacks).fill("MNQ", 2, "21000")
    assert len(day.breaches) == breached


def test_a_stop_rule_is_blind_without_orders() -> None:
    for lacks, breached in ((("orders",), 0), (("positions",), 1)):
        day = Ledger(no_stop_loss_grace={}, lacks=lacks).at("10:00:00").fill("MNQ", 1, "21000").tick("10:01:00")
        assert len(day.breaches) == breached
