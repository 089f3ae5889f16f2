"""One script with a readable log, undisturbed or dying at a boundary: python -m tests.crash SCRIPT [BOUNDARY]."""

import argparse
import sys

from tests.crash.crash_points import judge_crash, run_script
from tests.crash.scripts import BY_NAME


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("script", choices=sorted(BY_NAME))
    parser.add_argument("boundary", type=int, nargs="?", help="its number, from 1; left out: the process lives")
    chosen = parser.parse_args()
    script = BY_NAME[chosen.script]
    undisturbed = run_script(script)
    run = run_script(script, chosen.boundary, log=True)
    print("\n".join(run.log))
    for number, boundary in enumerate(run.boundaries, 1):
        print(f"boundary {number}: {boundary.name} at {boundary.left[0]:.3f} s")
    findings = list(run.findings) if chosen.boundary is None else judge_crash(script, chosen.boundary, undisturbed)
    for finding in findings:
        print(f"FOUND {finding}")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
