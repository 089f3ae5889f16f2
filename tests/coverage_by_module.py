"""Branch coverage of every module of the core by its own tests: python -m tests.coverage_by_module [--least 98]

A module's own tests are tests/core/test_<module>.py and, for a rule, the files under tests/core/rules that speak of
it. The whole is measured as well. Exit code 1 when the whole is below the least; modules below it are listed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutation.run import ROOT, tests_of

CORE = ROOT / "riskcore" / "core"


def covered(tests: list[str], folder: Path) -> dict[str, float]:
    """Percent covered (lines and branches) of each file of the core by these tests."""
    report = folder / "report.json"
    environment = {**os.environ, "COVERAGE_FILE": str(folder / "data")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=riskcore/core", "--cov-branch"]
    command += [f"--cov-report=json:{report}", *tests]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    read = json.loads(report.read_text(encoding="utf-8"))
    found = {name: one["summary"]["percent_covered"] for name, one in read["files"].items()}
    return {**found, "all": read["totals"]["percent_covered"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=float, default=98)
    least = parser.parse_args().least
    with tempfile.TemporaryDirectory() as folder:
        for path in [*sorted(CORE.glob("*.py")), *sorted((CORE / "rules").glob("*.py"))]:
            tests = tests_of(path)
            if path.stem == "__init__" or not tests:
                continue
            percent = covered(tests, Path(folder))[path.relative_to(ROOT).as_posix()]
            mark = "" if percent >= least else f"  below {least:g}"
            print(f"{percent:6.1f}  {path.relative_to(ROOT)}{mark}", flush=True)
        total = covered(["tests/core"], Path(folder))["all"]
        print(f"{total:6.1f}  riskcore/core by tests/core")
    return 0 if total >= least else 1


if __name__ == "__main__":
    sys.exit(main())
