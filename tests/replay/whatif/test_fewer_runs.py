"""Runs that a study need not make, because what they differ by has no say in them: the same result without them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import replay.whatif.spread
from replay.export import export
from replay.source import Source
from replay.whatif.account_course import DayOfAccount
from replay.whatif.course import Course
from replay.whatif.courses import Options
from replay.whatif.result import DayEffect, Effects
from replay.whatif.settings import Asked, Table
from replay.whatif.shares import Values, exact_shares
from replay.whatif.spread import spread
from replay.whatif.study import Study, whatif
from riskcore.core.names import rule_key
from riskcore.core.quantities import money_text
from riskcore.core.state import Account, Lockout
from riskcore.schema.export import ExportWriter
from tests.replay.whatif.course_pairs import NOTHING

FIXTURES = Path(__file__).parents[3] / "fixtures" / "days"


def exported(name: str, folder: Path) -> Path:
    """A recorded day as a journal that its rules were on in."""
    path = folder / "journal.jsonl"
    with path.open("wb") as file:
        writer = ExportWriter(file.write)
        export(Source((FIXTURES / name / "session.jsonl",), config_path=FIXTURES / name / "riskcore.toml"), writer)
        writer.close()
    return path


def judged(study: Study) -> tuple[dict[str, Any], int]:
    """The result without the count of its runs, and that count."""
    result = whatif(study)
    return result, result["stamp"].pop("further_runs")["runs"]


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["daily-loss", "overtrading", "two-accounts"])
def test_a_journal_without_its_rules_is_judged_the_same_with_fewer_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Study((exported(name, tmp_path),), Asked(rules_off=True), independent_days=True)
    fewer, count = judged(study)
    monkeypatch.setattr(Values, "_same_as", lambda *_: None)
    monkeypatch.setattr(replay.whatif.spread, "_same_as", lambda *_: None)
    plain, all_of_them = judged(study)
    assert fewer == plain
    assert count < all_of_them


TABLES: list[Table] = [("both", 0), ("went", 0), ("went", 1), ("came", 0)]
BEFORE, AFTER = frozenset(TABLES[:3]), frozenset({("both", 0), ("came", 0)})


@pytest.mark.parametrize("found_by", [(), ("went.0",), ("went.1", "came.0"), ("both.0", "went.0", "went.1", "came.0")])
def test_a_run_says_what_another_gives_that_has_fewer_tables_on_that_find_anything(found_by: tuple[str, ...]) -> None:
    runs = []

    def run(chosen: frozenset[Table]) -> Effects:
        runs.append(chosen)
        on = {rule_key(*one) for one in (chosen & AFTER) | (BEFORE - chosen)}
        changed = {"both.0 changed"} if ("both", 0) in chosen else set()
        # The figures stand for the tables that act, and for the parameters of the one that both have.
        return Effects([], [{"acts": sorted((on & {*found_by}) | changed)}], fired=frozenset(on & {*found_by}))

    values = Values(run, BEFORE, AFTER)
    exact_shares(TABLES, values)
    asked = len(runs)
    assert len(values.known) == 2 ** len(TABLES)
    for chosen, effects in values.known.items():
        assert effects == replace(run(chosen), fired=effects.fired)
    # One that acts, or that both have, is looked at with it and without it; any other needs no run of its own.
    assert asked == 2 ** len({"both.0", *found_by})


def test_a_rule_that_has_locked_before_the_day_has_a_say_in_it() -> None:
    course = Course(NOTHING | {"rules": {"max_contracts": [{"limit": 1}], "daily_realized_loss": [{"loss_limit": 1}]}})
    account = Account(1)
    course.note_lockouts(account)
    assert course.fired == set()
    account.lockouts["a"] = Lockout("account", "RULE-001", "k", "until_reset", 0, None, "")
    course.note_lockouts(account)
    assert course.fired == {"max_contracts.0"}


@pytest.mark.parametrize(("path", "end"), [(False, False), (True, False), (False, True), (True, True)])
def test_a_range_is_run_only_over_what_has_a_say_in_it(path: bool, end: bool) -> None:
    runs = []

    def run(options: Options) -> Effects:
        runs.append(options)
        how = options.assumptions
        net_usd = how.slippage_ticks + how.latency_ns
        net_usd += len(how.bar_path) * 10**10 if path else 0
        net_usd += len(options.end) * 10**12 if end else 0
        day = DayEffect(1, "2026-09-15", 0, net_usd, net_usd, DayOfAccount(flags={"extrapolated"}))
        return Effects([day], [{}], asked=True, path_assumed=path, end_assumed=end)

    found = spread(Options(), run(Options()), run, bars=False)
    # Of three policies: three latencies and slippages each, and the readings of what has a say.
    assert len(runs) == 3 * 9 * (3 if path else 1) * (2 if end else 1)
    assert found["kindest"] == money_text(4 + 10**9 + path * 9 * 10**10 + end * 8 * 10**12)
    assert found["cruellest"] == money_text(path * 5 * 10**10 + end * 4 * 10**12)
    assert found["kindest_of"]["bar_path"] == ("cruellest" if path else "point")
    runs.clear()
    spread(Options(), run(Options()), run, bars=True)
    assert len(runs) == 3 * 9 * 3 * (2 if end else 1)
