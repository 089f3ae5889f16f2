"""What must add up (WHATIF.md 1 and 5)."""

from decimal import Decimal
from pathlib import Path

import pytest

from replay.whatif.courses import Options
from replay.whatif.result import effects_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from tests.replay.whatif.course_pairs import NOTHING, courses, recorded, settings

FIXTURES = Path(__file__).parents[3] / "fixtures" / "days"
WITH_RULES_THAT_ACT = ("daily-loss", "give-back", "open-loss-cut", "overtrading", "revenge-trading", "two-accounts")
POLICIES = ("follow", "freeze", "stop")


@pytest.mark.parametrize("name", WITH_RULES_THAT_ACT)
def test_everything_adds_up(name: str) -> None:
    folder = FIXTURES / name
    result = whatif(Study((folder / "session.jsonl",), Asked(folder / "riskcore.toml")))
    effect = result["effect"]
    rows = effect["by_day"]
    assert result["divergence"]
    for row in (*rows, effect):
        assert Decimal(row["exact"]) + Decimal(row["simulated"]) == Decimal(row["net_pnl"])
    for row in rows:
        assert Decimal(row["baseline"]) + Decimal(row["net_pnl"]) == Decimal(row["counterfactual"])
    for name in ("net_pnl", "exact", "simulated"):
        assert sum(Decimal(row[name]) for row in rows) == Decimal(effect[name])
    assert sum(Decimal(row["net_pnl"]) for row in effect["by_rule"]) == Decimal(effect["net_pnl"])
    found = result["range"]
    assert Decimal(found["cruellest"]) <= Decimal(effect["net_pnl"]) <= Decimal(found["kindest"])
    for side in ("baseline", "counterfactual"):
        shown = {
            (account["id"], day["trade_date"]): Decimal(day["net_pnl"])
            for account in result[side]["accounts"]
            for day in account["days"]
        }
        assert shown == {(row["account"], row["trade_date"]): Decimal(row[side]) for row in rows}


@pytest.mark.parametrize("seed", range(12))
def test_what_the_broker_did_not_price_is_exact(seed: int) -> None:
    changed = settings(seed + 1000)
    pair = courses(recorded(seed), {**changed, **NOTHING}, changed, Options(policy=POLICIES[seed % 3]))
    effects = effects_of(pair)
    if not pair.asked:
        assert effects.simulated_usd == 0
    for day in effects.days:
        kept = pair.accounts[day.account].day(day.trade_date)
        if kept.all_simulated:
            assert day.exact_usd == 0
