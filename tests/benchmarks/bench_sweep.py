"""A grid of settings over one recorded day in one pass (WHATIF.md 7), and the curve of what makes it dearer.

python -m tests.benchmarks.bench_sweep [--quotes 1000000] [--settings 1000] [--fills 50] [--curve] [--plain 3]

Thirteen rules on, three of them turned. Each figure is of a process of its own: reading the settings and the day, the
pass over it, its peak memory. --curve: quotes, settings and fills (four account events each) ten times fewer in turn.
--plain N: the plain way for N of the settings beside it, for the ratio.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from replay.sweep.course_tree import CourseTree
from replay.sweep.pieces import pieces_of, ways_of
from replay.sweep.plain_way import plainly
from replay.sweep.settings import Changed
from replay.whatif.settings import Asked
from replay.whatif.study import Study, runs_of
from riskcore.settings.config import SettingsFile
from tests.benchmarks.bench_replay import ALL_RULES, make_day


def grid(config: Path, count: int) -> list[Changed]:
    """So many settings, drawn from a loss of the day, an open loss and a number of trades: all three differ."""
    cells = list(product(range(20, 2_020, 20), range(10, 210, 2), (1, 2, 6)))
    file = SettingsFile.read(config)
    return [
        Changed(
            file.under(
                [
                    f"rules.daily_realized_loss.loss_limit={loss}",
                    f"rules.daily_unrealized_loss.loss_limit={open_loss}",
                    f"rules.trade_frequency_limit.per_hour={trades}",
                ],
            ).plain
        )
        for loss, open_loss, trades in sorted(Random(7).sample(cells, count))
    ]


def measure(recording: Path, config: Path, count: int, plain: int) -> dict[str, Any]:
    """One pass in this process."""
    first = time.process_time()
    settings = grid(config, count)
    started = time.process_time()
    study = Study((recording,), Asked(config=config, config_given=True), independent_days=True, quick=True)
    runs = runs_of(study)
    ways, courses, quotes, pass_seconds = ways_of(runs), 0, 0, 0.0
    outcomes: list[list[Any]] = [[] for _ in settings]
    pieces = []
    for piece in pieces_of(runs):
        began = time.process_time()
        tree = CourseTree(piece, ways, settings)
        for one, found in zip(outcomes, tree.outcomes(), strict=True):
            one.extend(found)
        pass_seconds += time.process_time() - began
        courses, quotes = courses + tree.courses, quotes + sum(len(day.ats) for day in piece.days)
        pieces += [piece] if plain else []
    passed = time.process_time()
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    some = settings[:: max(len(settings) // plain, 1)][:plain] if plain else []
    expected: list[list[Any]] = [[] for _ in some]
    for piece in pieces:
        for one, found in zip(expected, plainly(piece, ways, some), strict=True):
            one.extend(found)
    plain_seconds = (time.process_time() - passed) / len(some) if some else None
    assert expected == [outcomes[settings.index(one)] for one in some], "one pass gives what the plain way gives"
    return {
        "quotes": quotes,
        "settings": len(settings),
        "courses": courses,
        "distinct": len({repr(one) for one in outcomes}),
        "read_seconds": round(passed - started - pass_seconds, 3),
        "pass_seconds": round(pass_seconds, 3),
        "set_quotes_a_second": round(len(settings) * quotes / pass_seconds),
        "settings_seconds": round(started - first, 3),
        "with_reading": round(len(settings) * quotes / (passed - first)),
        "peak_mib": round(peak_mib),
        "plain_seconds_a_setting": None if plain_seconds is None else round(plain_seconds, 3),
    }


def apart(folder: Path, quotes: int, settings: int, fills: int, plain: int) -> dict[str, Any]:
    """The same in a process of its own."""
    recording, config = folder / f"day-{quotes}-{fills}.jsonl", folder / "all.toml"
    if not recording.exists():
        make_day(recording, quotes, fills)
    config.write_text(ALL_RULES, encoding="utf-8")
    command = [sys.executable, "-m", "tests.benchmarks.bench_sweep", "--settings", str(settings), "--plain", str(plain)]
    printed = subprocess.run(
        [*command, "--measure", str(recording), str(config)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found: dict[str, Any] = {"fills": fills, **json.loads(printed)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--settings", type=int, default=1_000)
    parser.add_argument("--fills", type=int, default=50)
    parser.add_argument("--plain", type=int, default=0)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(*options.measure, options.settings, options.plain)))
        return
    folder = options.dir or Path(tempfile.mkdtemp(prefix="riskcore-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    sizes = (options.quotes, options.settings, options.fills)
    rows = [sizes]
    if options.curve:
        rows += [
            tuple(size // 10 if number == tenth else size for number, size in enumerate(sizes)) for tenth in range(3)
        ]
    for quotes, settings, fills in rows:
        print(json.dumps(apart(folder, quotes, settings, fills, options.plain)), flush=True)


if __name__ == "__main__":
    main()
