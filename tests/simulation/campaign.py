"""Many seeds on all cores, and what failed."""

import os
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

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
    workers = workers or os.cpu_count() or 1
    # Started afresh, not forked: the same on every system, and no lock of the parent is inherited.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for verdicts in pool.map(judge_chunk, chunks):
            for verdict in verdicts:
                told(verdict)
