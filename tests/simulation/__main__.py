"""One seed with a readable log, or a campaign: python -m tests.simulation --seed 17 | --seeds 100000 [--from 0]."""

import argparse
import sys
import time

from tests.simulation.campaign import Verdict, run_seeds
from tests.simulation.programme_plan import PROGRAMME_FROM
from tests.simulation.world import run_seed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--seed", type=int, help="run this seed and print all that happened")
    what.add_argument("--seeds", type=int, help="run so many seeds and print those that fail")
    parser.add_argument("--from", dest="first", type=int, default=None, help="the first seed (default: by the time)")
    parser.add_argument("--programme", action="store_true", help="seeds with the firm's programme and groups")
    parser.add_argument("--workers", type=int, default=None, help="processes (default: one a core)")
    chosen = parser.parse_args()
    more = PROGRAMME_FROM if chosen.programme else 0
    if chosen.seed is not None:
        return _one(chosen.seed + more)
    first = more + (chosen.first if chosen.first is not None else int(time.time()) * 1000)
    return _many(range(first, first + chosen.seeds), chosen.workers)


def _one(seed: int) -> int:
    outcome = run_seed(seed, log=True)
    plan = outcome.plan
    print("\n".join(outcome.log))
    print(f"seed {seed}: healed at {plan.heal_at:g} s, ended at {outcome.seconds:.1f} s")
    print(f"{outcome.events} events, {outcome.starts} starts, {outcome.digest}")
    for finding in outcome.violations:
        print(f"FOUND {finding}")
    return int(bool(outcome.violations))


def _many(seeds: range, workers: int | None) -> int:
    began = time.monotonic()
    failed: list[Verdict] = []

    def told(verdict: Verdict) -> None:
        if verdict.findings:
            failed.append(verdict)
            print(f"seed {verdict.seed}: {verdict.findings[0]}", flush=True)

    print(f"seeds {seeds.start} to {seeds.stop - 1}", flush=True)
    run_seeds(seeds, told, workers)
    print(f"{len(seeds)} seeds, {len(failed)} failed, {time.monotonic() - began:.0f} s")
    if failed:
        print(f"see one with: python -m tests.simulation --seed {failed[0].seed}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
