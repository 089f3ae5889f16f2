"""What must add up, and what must not be known beforehand (WHATIF.md 1 and 5)."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from replay.whatif.broker import Assumptions
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options
from replay.whatif.result import effects_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from riskcore.core.events import Event
from tests.replay.whatif.course_pairs import NOTHING, courses, days, recorded, settings

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


class Kept:
    """Everything that the counterfactual was told and decided."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def listen(self, events: Sequence[Event]) -> None:
        self.events += events


def events_of(items: list[Any], seed: int) -> list[Event]:
    changed, kept = settings(seed + 1000), Kept()
    base = {**changed, **NOTHING}
    options = Options(policy=POLICIES[seed % 3], assumptions=Assumptions(latency_ns=(0, 250_000_000)[seed % 2]))
    pair = Courses(Course(base), Course(changed, listeners=(kept.listen,)), options, lambda _: changed)
    pair.run(days(items, base))
    return kept.events


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_known_before_it_happens(seed: int) -> None:
    """A cut changes nothing before it, but for a close that the rest of the recording would have priced."""
    items = recorded(seed)
    whole = events_of(items, seed)
    random = Random(seed)
    for _ in range(4):
        cut = random.randrange(10, len(items))
        part = events_of(items[:cut], seed)
        last = items[cut - 1]
        until = last.ats[-1] if not isinstance(last, Event) else last.at
        fills = [event for event in part if event.key.startswith("whatif:fill") and event not in whole]
        until = min([until, *(event.at for event in fills)])
        assert [one for one in part if one.at < until] == [one for one in whole if one.at < until]
