"""Days that cannot change are skipped, and every figure is the same as if each had been worked out (WHATIF.md 7)."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from tests.replay.whatif.random_days import Case, random_case
from tests.replay.whatif.random_enforced import enforced_case
from tests.replay.whatif.sessions import Trades

RULES = (
    ("[rules.daily_realized_loss]", "loss_limit = {}", (60, 120, 200)),
    ("[rules.daily_unrealized_loss]", "loss_limit = {}", (40, 80)),
    ("[rules.max_contracts]", "limit = {}", (2, 3)),
    ("[rules.period_loss]", "loss_limit = {}", (150, 300)),
    ("[rules.trade_frequency_limit]", "per_hour = {}", (4, 6)),
    ("[rules.cooldown_after_loss]", "loss_thresholds = [{{loss_amount = {}, cooldown_seconds = 600}}]", (30, 60)),
)


def month(random: Random, folder: Path, count: int = 9) -> tuple[Path, ...]:
    """Days of one trader: most are calm, some wild; now and then a position overnight, a push, a void, a late fill."""
    day, price, held = date(2026, 11, 2), 21000.0, 0
    paths = []
    for number in range(count):
        while day.weekday() > 4:
            day += timedelta(days=1)
        recording = Trades(f"{day} 09:00:00")
        recording._ids = number * 1000
        recording.account()
        wild = random.random() < 0.3
        late = random.random() < 0.2  # Trades until shortly before the reset, and right after it.
        recording.now += timedelta(hours=7 if late else 0)
        for trip in range(random.randint(2, 6)):
            for _ in range(random.randint(2, 6)):
                recording.now += timedelta(seconds=random.choice((1, 4, 8)))
                price += random.choice((-8, -3, -1, 0, 1, 3, 8)) * (3 if wild else 1)
                recording.quote(price)
            size = random.choice((1, -1)) * (random.randint(2, 4) if wild else 1)
            if held:
                recording.trade(-held, price)
                held = 0
            elif trip or random.random() < 0.9:
                recording.trade(size, price)
                held = size
            if random.random() < 0.1:
                recording.push(held, price)
            if random.random() < 0.05:
                recording.void(recording.last_trade)
                recording.lots.clear()
                held = 0
        if held and random.random() < 0.9:
            recording.trade(-held, price)
            held = 0
        recording.clock()
        paths.append(recording.write(folder / f"{day}.jsonl"))
        day += timedelta(days=1)
    return tuple(paths)


def rules(random: Random) -> str:
    chosen = random.sample(RULES, random.randint(1, 3))
    return "\n".join(f"{head}\n{text.format(random.choice(values))}" for head, text, values in chosen)


def both_ways(study: Study) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    """The result with and without the shortcut, and how much it skipped."""
    short, plain = whatif(study), whatif(replace(study, every_day=True))
    skipped: dict[str, int] = short["stamp"].pop("further_runs")
    del plain["stamp"]["further_runs"]
    return short, plain, skipped


@pytest.mark.parametrize("most_places_kept", [400_000, 40])
@pytest.mark.parametrize("seed", range(2))
def test_a_month_is_the_same_with_and_without_the_days_that_cannot_change(
    seed: int, most_places_kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replay.whatif.study.MOST_PLACES_KEPT", most_places_kept)
    random = Random(f"month {seed}")
    paths, config = month(random, tmp_path), tmp_path / "riskcore.toml"
    config.write_text(rules(random), encoding="utf-8")
    study = Study(paths, Asked(config), independent_days=seed % 3 == 2)
    short, plain, skipped = both_ways(study)
    assert short == plain
    assert skipped["runs"] == 0 or skipped["skipped"]


@pytest.mark.parametrize("make", [random_case, enforced_case])
@pytest.mark.parametrize("seed", range(3))
def test_random_days_are_the_same_with_and_without_the_days_that_cannot_change(
    seed: int, make: Any, tmp_path: Path
) -> None:
    case: Case = make(seed)
    recording, config = case.write(tmp_path)
    baseline = None if case.baseline is None else case.baseline_file(tmp_path)
    study = Study(
        (recording,),
        Asked(config, baseline=baseline),
        case.policy,
        case.latency_ms,
        case.slippage_ticks,
        case.independent,
    )
    short, plain, _ = both_ways(study)
    assert short == plain


def test_a_close_behind_a_skipped_first_day_costs_what_the_record_paid(tmp_path: Path) -> None:
    """RULE-009 closes at the window's end, which comes behind the day's last line: only later do the courses part."""
    first = Trades("2026-11-17 09:00:00")
    first.quote(21000.0)
    first.trade(1, 21000.0)
    first.now += timedelta(minutes=5)
    first.quote(21010.0)
    second = Trades("2026-11-18 09:00:00")
    second._ids = 1000
    second.trade(-1, 21020.0)
    config = tmp_path / "riskcore.toml"
    config.write_text(
        '[rules.session_block_outside]\nwindows = [{ days = ["Tue", "Wed"], start = "08:30", end = "09:30" }]\n',
        encoding="utf-8",
    )
    days = (first.write(tmp_path / "first.jsonl"), second.write(tmp_path / "second.jsonl"))
    short, plain, skipped = both_ways(Study(days, Asked(config)))
    assert skipped["skipped"]
    assert short["range"] == plain["range"]
    assert short == plain
