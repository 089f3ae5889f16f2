"""A live engine whose broker values a tick otherwise than the built-in table (RULES.md 1.2)."""

from pathlib import Path

import pytest

from adapters.simulator.scenarios import SCENARIOS
from riskcore.core import products
from riskcore.core.quantities import money, price
from riskcore.core.state import Contract
from riskcore.errors import ConfigError
from tests.cli.live_run import Live, play


@pytest.fixture
def another_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of a riskcore that has MNQ's point value for its tick value."""

    def built_in(contract: str) -> Contract:
        return Contract(contract, "MNQ", price("0.25"), money("2"))

    monkeypatch.setattr(products, "built_in_contract", built_in)


async def asked_about(live: Live) -> None:
    """Somebody asks about MNQ, so its record is fetched."""
    contract = live.gateway.broker.active_contract("MNQ")
    live.engine.follow(contract)

    def described() -> bool:
        known = live.engine.book.contracts.get(contract)
        return known is not None and known.described

    await live.until(described, "the record")


@pytest.mark.usefixtures("another_table")
def test_a_contract_that_comes_up_later_is_told_and_disarms_nothing(tmp_path: Path) -> None:
    live = play(tmp_path, SCENARIOS["quiet"], asked_about)
    [told] = [figures for kind, figures in live.listener.said if kind == "drift"]
    assert told["text"].endswith(
        ": the broker reports a tick of 0.25 worth 0.50, the built-in table has a tick of 0.25 worth 2.00"
    )


def test_a_contract_that_is_known_at_the_start_refuses_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    live = play(tmp_path, SCENARIOS["quiet"], asked_about)
    assert "drift" not in [kind for kind, _ in live.listener.said]
    request.getfixturevalue("another_table")
    with pytest.raises(ConfigError, match=r"the built-in table has a tick of 0\.25 worth 2\.00"):
        play(tmp_path, SCENARIOS["quiet"], asked_about)
