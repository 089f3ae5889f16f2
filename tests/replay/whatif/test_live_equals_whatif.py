"""A live day with rules on, and the what-if of what its engine heard: the same decisions, the same money."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from replay.whatif.broker import Assumptions
from replay.whatif.course import Course
from replay.whatif.courses import Courses, Options
from replay.whatif.days import Sessions
from replay.whatif.result import effects_of
from riskcore.core import events as e
from riskcore.core.issuers import PLANNER_ID
from tests.replay.whatif.course_pairs import NOTHING
from tests.replay.whatif.live_days import WAY_SECONDS, LiveDay, live_day, peaceful

# Thirty in which nearly every rule decides something.
SEEDS = (0, 3, 5, 8, 12, 17, 21, 22, 24, 27, 29, 30, 32, 34, 48, 53, 62, 66, 70, 74, 79, 80, 83, 90, 99, 116, 127)
SEEDS += (137, 138, 145)
# A close reaches the broker so much later; a little less, for the rounding of the simulated clock.
EARLY_NS = 1_000_000
LATENCY_NS = round(WAY_SECONDS * 1_000_000_000) - EARLY_NS
# What these order at the broker fills by other rules there: stops by a tick of slippage, cuts not in full.
ORDER_MORE_THAN_CLOSES = ("max_contracts", "max_contracts_per_instrument", "no_stop_loss_grace", "trade_management")
Decision = tuple[int, e.RuleBreached | e.CommandIssued]
Plain = dict[str, Any]


def ran(path: Path, settings: Plain, baseline: Plain | None = None) -> tuple[Courses, list[e.Event]]:
    """Both courses over a recording, and what the counterfactual was told and decided."""
    kept: list[e.Event] = []
    counterfactual = Course(settings, listeners=(kept.extend,))
    options = Options(assumptions=Assumptions(LATENCY_NS, 0))
    courses = Courses(Course(baseline or {**settings, **NOTHING}), counterfactual, options, lambda _: settings)
    courses.run(Sessions((path,), settings).days())
    return courses, kept


def decisions(events: Sequence[e.Event], until: int) -> list[Decision]:
    """What the rules and the guard decided before an instant; only a live engine has a planner."""
    found: list[Decision] = []
    for event in events:
        body = event.body
        if event.at >= until or not isinstance(body, e.RuleBreached | e.CommandIssued) or body.rule == PLANNER_ID:
            continue
        body = replace(body, id=body.id.removeprefix("whatif:"))
        if isinstance(body, e.CommandIssued) and body.breach is not None:
            body = replace(body, breach=body.breach.removeprefix("whatif:"))
        found.append((event.at, body))
    return found


def comparable_until(day: LiveDay) -> int:
    """Up to when both are the same: the broker's first answer, its being asked, or an entry that meets a lockout.

    Such an entry is left out of the counterfactual or closed by the guard, where live the rule's own close is in force.
    """
    ends, seen, locked = [day.lines[-1][0]], set[int](), set[int]()
    if day.answered_at is not None:
        ends.append(day.answered_at - EARLY_NS)
    for event in day.events:
        body = event.body
        if isinstance(body, e.CommandIssued) and body.command.kind == "ConfirmRights":
            ends.append(event.at)
        elif isinstance(body, e.CommandIssued) and body.command.kind == "SetLockout":
            locked.add(body.account)
        elif isinstance(body, e.TradeRecorded):
            if body.account in locked and body.profit_usd is None and body.trade_id not in seen:
                ends.append(event.at)
            seen.add(body.trade_id)
    return min(ends)


@pytest.fixture(scope="module")
def live_days() -> dict[int, LiveDay]:
    return {seed: live_day(peaceful(seed)) for seed in SEEDS}


def test_the_engine_and_the_counterfactual_decide_alike_up_to_the_first_answer(
    live_days: dict[int, LiveDay], tmp_path: Path
) -> None:
    compared = 0
    rules = set()
    for seed, day in live_days.items():
        assert not day.violations
        _, kept = ran(day.write(tmp_path / "live.jsonl"), day.plan.settings)
        until = comparable_until(day)
        expected = decisions(day.events, until)
        assert decisions(kept, until) == expected, f"seed {seed}"
        compared += len(expected)
        rules |= {body.rule for _, body in expected}
    assert compared > 80
    assert len(rules) >= 13


def test_no_decision_differs_with_the_settings_that_acted_as_the_baseline(
    live_days: dict[int, LiveDay], tmp_path: Path
) -> None:
    for seed, day in live_days.items():
        settings = day.plan.settings
        courses, _ = ran(day.write(tmp_path / "live.jsonl"), settings, settings)
        effects = effects_of(courses)
        assert (effects.net_usd, effects.divergences) == (0, []), f"seed {seed}"


def test_with_the_latency_and_the_prices_of_the_broker_the_money_is_the_same(
    live_days: dict[int, LiveDay], tmp_path: Path
) -> None:
    """Every close of the counterfactual fills where the engine's own did, so the recorded one finds nothing left."""
    compared = 0
    for seed, day in live_days.items():
        if not day.closes or any(name in day.plan.settings["rules"] for name in ORDER_MORE_THAN_CLOSES):
            continue
        courses, _ = ran(day.write(tmp_path / "live.jsonl", with_prices=True), day.plan.settings)
        effects = effects_of(courses)
        if any(one.beside.left_out_orders for one in effects.days):
            continue
        assert effects.asked, f"seed {seed}"
        net = {one.account: one.counterfactual_usd for one in effects.days}
        assert [one.net_usd for one in effects.days] == [0] * len(effects.days), f"seed {seed}: {net}"
        compared += 1
    assert compared >= 6
