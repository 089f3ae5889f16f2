"""WHATIF.md 6, example 7: every sequence of ten round trips of plus or minus 100 dollars, a day each."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.replay.whatif.sessions import Trades, study_of

SEQUENCES = list(product((1, -1), repeat=10))
# limit: days hit, round trips skipped, days helped, days hurt, hit but equal.
EXPECTED = {200: (562, 3248, 176, 176, 210), 300: (352, 1648, 176, 176, 0), 400: (232, 752, 56, 56, 120)}


def weekdays() -> list[date]:
    days, one = [], date(2022, 11, 7)
    while len(days) < len(SEQUENCES):
        if one.weekday() < 5:
            days.append(one)
        one += timedelta(days=1)
    return days


class Plain(Trades):
    fees, commissions = 0.0, 0.0


class Charged(Trades):
    """Five dollars a round trip, a quarter of them commissions."""

    fees, commissions = 2.0, 0.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("enumerated")


@cache
def recording(folder: Path, kind: type[Trades]) -> Path:
    days = kind()
    for one, sequence in zip(weekdays(), SEQUENCES, strict=True):
        for index, result in enumerate(sequence):
            days.at(f"{one} {9 + index // 2:02}:{30 * (index % 2):02}:00").trade(1, 21000)
            days.at(f"{one} {9 + index // 2:02}:{30 * (index % 2) + 10:02}:00").trade(-1, 21000 + 50 * result)
    return days.write(folder / f"{kind.__name__}.jsonl")


@cache
def outcome(folder: Path, kind: type[Trades], limit: int, policy: str) -> dict[str, Any]:
    return study_of(folder, (recording(folder, kind),), f"rules.daily_realized_loss.loss_limit={limit}", policy=policy)


def effects(result: dict[str, Any]) -> list[Decimal]:
    return [Decimal(row["net_pnl"]) for row in result["effect"]["by_day"]]


@pytest.mark.parametrize(
    ("limit", "policy"),
    [
        (300, "follow"),
        *(
            pytest.param(*one, marks=pytest.mark.nightly)
            for one in ((200, "follow"), (300, "freeze"), (300, "stop"), (400, "follow"))
        ),
    ],
)
def test_7_enumerated_days(folder: Path, limit: int, policy: str) -> None:
    result = outcome(folder, Plain, limit, policy)
    found = effects(result)
    assert len(found) == 1024
    hit, skipped, helped, hurt, equal = EXPECTED[limit]
    assert sum(row["left_out_contracts"] for row in result["effect"]["by_day"]) == skipped
    assert (sum(one > 0 for one in found), sum(one < 0 for one in found)) == (helped, hurt)
    locked = [row for row in result["effect"]["by_day"] if row["left_out_contracts"]]
    assert sum(found) == 0
    # A day that is hit at its last round trip leaves nothing out.
    assert len(locked) <= hit
    assert all(row["simulated"] == "0" for row in result["effect"]["by_day"])
    assert sum(days["lockouts"] != [] for days in result["counterfactual"]["accounts"]) <= hit
    assert sum(1 for row in locked if Decimal(row["net_pnl"]) == 0) <= equal


@pytest.mark.nightly
def test_7_with_a_fee(folder: Path) -> None:
    assert sum(effects(outcome(folder, Charged, 300, "follow"))) == 1648 * 5


@pytest.mark.parametrize(("chance", "expected"), [("0.55", "-11.655730007578125"), ("0.45", "21.280900740859376")])
def test_7_weighted_by_a_chance_to_win(folder: Path, chance: str, expected: str) -> None:
    win = Decimal(chance)
    weighted = Decimal(0)
    for sequence, effect in zip(SEQUENCES, effects(outcome(folder, Plain, 300, "follow")), strict=True):
        wins = sequence.count(1)
        weighted += win**wins * (1 - win) ** (10 - wins) * effect
    assert abs(weighted - Decimal(expected)) < Decimal("1e-14")
