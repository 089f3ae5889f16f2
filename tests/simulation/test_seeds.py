"""The whole engine with simulated broker, network, disk and clock, from many seeds; the same seed twice is the same.

RISKCORE_SEEDS says how many, RISKCORE_FIRST_SEED where they begin. `python -m tests.simulation --seed N` shows one.
"""

import os
from pathlib import Path

import pytest

from tests.simulation.campaign import Verdict, judge_seed, run_seeds

FAILED_BEFORE = [
    int(line) for line in Path(__file__).with_name("failing_seeds.txt").read_text(encoding="utf-8").split()
]
SEEDS = int(os.environ.get("RISKCORE_SEEDS", "40"))
FIRST = int(os.environ.get("RISKCORE_FIRST_SEED", "1"))


@pytest.mark.parametrize("seed", FAILED_BEFORE)
def test_a_seed_that_failed_once_fails_no_more(seed: int) -> None:
    assert judge_seed(seed).findings == (), f"python -m tests.simulation --seed {seed}"


def test_no_seed_breaks_a_promise() -> None:
    failed: list[Verdict] = []

    def told(verdict: Verdict) -> None:
        if verdict.findings:
            failed.append(verdict)

    run_seeds(range(FIRST, FIRST + SEEDS), told)
    shown = [f"python -m tests.simulation --seed {one.seed}: {one.findings[0]}" for one in failed]
    assert not failed, "\n".join(shown[:10])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_is_the_same_run(seed: int) -> None:
    first, second = judge_seed(seed), judge_seed(seed)
    assert first.events > 0
    assert first == second
