"""Settings unchanged: every figure equal, no divergence (WHATIF.md 1)."""

from pathlib import Path

import pytest

from replay.export import export
from replay.source import Source
from replay.whatif.courses import Options
from replay.whatif.result import effects_of
from replay.whatif.settings import Asked
from replay.whatif.study import Study, whatif
from riskcore.schema.export import ExportWriter
from tests.replay.whatif.course_pairs import courses, recorded, settings

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures" / "days").iterdir())
MONTH = FIXTURES[0].parents[1] / "month"
POLICIES = ("follow", "freeze", "stop")


@pytest.mark.parametrize("seed", range(16))
def test_equal_settings_change_nothing_on_random_days(seed: int) -> None:
    plain = settings(seed)
    pair = courses(recorded(seed), plain, plain, Options(policy=POLICIES[seed % 3], independent_days=seed % 2 == 1))
    assert pair.baseline.rows() == pair.counterfactual.rows()
    assert pair.baseline.collector.breaches == pair.counterfactual.collector.breaches
    assert pair.baseline.collector.commands == pair.counterfactual.collector.commands
    effects = effects_of(pair)
    assert effects.net_usd == effects.simulated_usd == 0
    assert effects.divergences == []
    assert any(day.baseline_usd for day in effects.days)


@pytest.mark.parametrize(
    "folder",
    [
        # Nine rules: shares by 2,000 permutations.
        pytest.param(one, id=one.name, marks=pytest.mark.nightly if one.name == "quiet-day" else ())
        for one in FIXTURES
    ],
)
def test_equal_settings_change_nothing_on_recorded_days(folder: Path, tmp_path: Path) -> None:
    session, config = folder / "session.jsonl", folder / "riskcore.toml"
    acted = whatif(Study((session,), Asked(config, baseline=config), quick=False))
    assert acted["baseline"] == acted["counterfactual"]
    assert (acted["divergence"], acted["effect"]["net_pnl"]) == ([], "0")
    assert acted["range"]["kindest"] == acted["range"]["cruellest"] == "0"
    exported = tmp_path / "journal.jsonl"
    with exported.open("wb") as file:
        writer = ExportWriter(file.write)
        export(Source((session,), config_path=config), writer)
        writer.close()
    judged = whatif(Study((exported,), quick=True, policy="stop"))
    assert judged["baseline"] == judged["counterfactual"]
    assert (judged["divergence"], judged["effect"]["net_pnl"]) == ([], "0")


def test_a_month_of_independent_days_keeps_every_day_that_the_account_has_let_go_of() -> None:
    sessions = tuple(sorted(MONTH.glob("*.jsonl.gz")))
    result = whatif(Study(sessions, independent_days=True, quick=True))
    days = result["counterfactual"]["accounts"][0]["days"]
    assert len(days) == len(sessions)
    assert days == result["baseline"]["accounts"][0]["days"]
