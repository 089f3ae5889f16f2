"""The range runs what can differ, and nothing twice (WHATIF.md 5)."""

from dataclasses import replace

import pytest

from replay.whatif.account_course import DayOfAccount
from replay.whatif.courses import Options
from replay.whatif.result import DayEffect, Effects
from replay.whatif.spread import spread

PLAIN = Options()


def effects_under(options: Options, *, path_matters: bool) -> Effects:
    """A day whose effect depends on all assumptions, on the path within a bar only where that matters."""
    assumed = options.assumptions
    path = {"point": 0, "kindest": 70, "cruellest": -900}[assumed.bar_path] if path_matters else 0
    net = path - assumed.latency_ns // 10**7 - 10 * assumed.slippage_ticks - (options.policy == "stop")
    beside = DayOfAccount(flags={"extrapolated"})
    day = DayEffect(1, "2026-11-20", 0, net * 10_000, 0, beside)
    return Effects([day], [{"account": 1}], asked=True, path_matters=path_matters)


@pytest.mark.parametrize(("path_matters", "runs"), [(False, 3 * 2 * 3 * 2 - 1), (True, 3 * 2 * 3 * 3 * 2 - 1)])
def test_paths_within_bars_are_run_where_a_bar_or_a_limit_has_a_part(path_matters: bool, runs: int) -> None:
    asked: list[Options] = []

    def run(options: Options) -> Effects:
        asked.append(options)
        return effects_under(options, path_matters=path_matters)

    plain = replace(PLAIN, assumptions=replace(PLAIN.assumptions, slippage_ticks=0))
    found = spread(plain, effects_under(plain, path_matters=path_matters), run, bars=True)
    assert len(asked) == len(set(asked)) == runs
    every = [effects_under(one, path_matters=path_matters).net_usd for one in [plain, *asked]]
    assert found["kindest"] == ("0.70" if path_matters else "0")
    assert found["cruellest"] == f"{min(every) / 1_000_000:.2f}"
    assert found["cruellest_of"]["bar_path"] == ("cruellest" if path_matters else "point")
