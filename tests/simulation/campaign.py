"""Many seeds on all cores, and what failed."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.processes import pool
from tests.simulation.world import run_seed

_CHUNK = 25


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of one seed after it was run somewhere else."""

    seed: int
    findings: tuple[str, ...]
    digest: str
    events: int


def judge_seed(seed: int) -> Verdict:
    """Run one seed; a crash of the simulation itself is a finding, too."""
    try:
        outcome = run_seed(seed)
    except Exception:
        return Verdict(seed, (f"simulation: {traceback.format_exc()}",), "", 0)
    return Verdict(seed, tuple(outcome.violations), outcome.digest, outcome.events)


def judge_chunk(seeds: list[int]) -> list[Verdict]:
    return [judge_seed(seed) for seed in seeds]


def run_seeds(seeds: Iterable[int], told: Callable[[Verdict], None], workers: int | None = None) -> None:
    """Judge every seed on `workers` processes (default: one a core) and tell each verdict as it comes."""
    wanted = list(seeds)
    chunks = [wanted[start : start + _CHUNK] for start in range(0, len(wanted), _CHUNK)]
    with pool(workers) as executor:
        for verdicts in executor.map(judge_chunk, chunks):
            for verdict in verdicts:
                told(verdict)
