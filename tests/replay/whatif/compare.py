"""The product's `whatif` beside the reference on random days: `python -m tests.replay.whatif.compare --seeds 500`.

Names every seed whose figures differ; `--write FOLDER --seeds N --first S` leaves its recording and settings there.
"""

import argparse
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from click.testing import CliRunner

from tests.replay.whatif.random_days import Case, random_case
from tests.replay.whatif.random_enforced import enforced_case
from tests.replay.whatif.reference import Result, Row, what_if
from tests.replay.whatif.reference_facts import nanoseconds
from tests.replay.whatif.tricky_days import TRAPS, Trap

MONEY = ("baseline", "counterfactual", "net_pnl", "exact", "simulated")
SHARE_OF_A_CENT = Fraction(1, 100_000)
COUNTS = ("left_out_entries", "left_out_contracts")


def expected(case: Case) -> Result:
    return what_if(
        case.lines,
        case.settings,
        baseline=case.baseline,
        policy=case.policy,
        latency_ms=case.latency_ms,
        slippage_ticks=case.slippage_ticks,
        independent=case.independent,
    )


def got(case: Case, folder: Path) -> dict[str, Any]:
    """What the command prints for the case. Raises AssertionError when it fails."""
    from riskcore.cli.main import group

    recording, config = case.write(folder)
    arguments = ["whatif", str(recording), "--config", str(config), "--json", "--quick", *case.options(folder)]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 0, f"exit {result.exit_code}: {result.output[-600:]} {result.exception!r}"
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def case_of(trap: Trap) -> Case:
    """A hand-made day as a case; a slippage of two ticks is the default."""
    return Case(0, trap.lines.texts(), trap.settings, trap.policy, trap.latency_ms, 2, trap.independent)


def differences(case: Case, folder: Path) -> list[str]:
    """Every figure in which the product and the reference differ, as texts."""
    answer, reference = got(case, folder), expected(case)
    effect = answer["effect"]
    found = _rows(effect["by_day"], reference)
    for name in ("net_pnl", "exact", "simulated"):
        _compare(found, f"effect.{name}", Fraction(effect[name]), reference.total(name))
    for name, value in zip(("baseline", "counterfactual"), reference.open_pnl, strict=True):
        _compare(found, f"open_pnl.{name}", Fraction(effect["open_pnl"][name]), value)
    divergence = sorted((one["account"], one["trade_date"], nanoseconds(one["at"])) for one in answer["divergence"])
    _compare(found, "divergence", divergence, list(reference.divergence))
    return found


def _rows(by_day: list[dict[str, Any]], reference: Result) -> list[str]:
    found: list[str] = []
    told = {(row["account"], row["trade_date"]): row for row in by_day}
    rows = {(row.account, row.trade_date): row for row in reference.rows}
    _compare(found, "rows", sorted(told), sorted(rows))
    for key in sorted(told.keys() & rows.keys()):
        found += _row(key, told[key], rows[key])
    return found


def _row(key: tuple[int, str], told: dict[str, Any], row: Row) -> list[str]:
    found: list[str] = []
    for name in MONEY:
        _compare(found, f"{key} {name}", Fraction(told[name]), getattr(row, name))
    for name in COUNTS:
        _compare(found, f"{key} {name}", told[name], getattr(row, name))
    cost = None if told["guard_cost"] is None else Fraction(told["guard_cost"])
    _compare(found, f"{key} guard_cost", cost, row.guard_cost)
    _compare(found, f"{key} flags", sorted(told["flags"]), list(row.flags))
    return found


def _compare(found: list[str], name: str, told: Any, wanted: Any) -> None:
    """Money may be a millionth off: the recorded net of one contract of three has no end."""
    both = isinstance(told, Fraction) and isinstance(wanted, Fraction)
    if (abs(told - wanted) > SHARE_OF_A_CENT) if both else told != wanted:
        found.append(f"{name}: got {_text(told)}, expected {_text(wanted)}")


def _text(value: Any) -> str:
    return f"{float(value):.6f}" if isinstance(value, Fraction) else str(value)


def compare_seeds(
    first: int, count: int, folder: Path, make: Callable[[int], Case] = random_case
) -> dict[int, list[str]]:
    """The differences of each seed that has any."""
    found = {seed: _differences_or_error(make(seed), folder) for seed in range(first, first + count)}
    return {seed: texts for seed, texts in found.items() if texts}


def compare_traps(folder: Path) -> dict[str, list[str]]:
    """The differences of each hand-made day that has any."""
    found = {name: _differences_or_error(case_of(make()), folder) for name, make in TRAPS.items()}
    return {name: texts for name, texts in found.items() if texts}


def _differences_or_error(case: Case, folder: Path) -> list[str]:
    try:
        return differences(case, folder)
    except AssertionError as error:
        return [str(error)]


def command() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--write", type=Path, help="keep recordings and settings in this folder")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        folder = options.write or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        traps = compare_traps(folder)
        failed = compare_seeds(options.first, options.seeds, folder)
        enforced = compare_seeds(options.first, options.seeds, folder, enforced_case)
    named = {f"seed {seed}": found for seed, found in failed.items()}
    named |= {f"seed {seed} where riskcore acted": found for seed, found in enforced.items()}
    for name, found in {**traps, **named}.items():
        print(f"{name}:", *found, sep="\n  ")
    print(f"{len(named)} of {2 * options.seeds} random and {len(traps)} of {len(TRAPS)} hand-made recordings differ")
    return 1 if named or traps else 0


if __name__ == "__main__":
    raise SystemExit(command())
