"""`riskcore regress`: recorded days against their expected results."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import output_options, print_json, say_on_stderr, warn
from riskcore.cli.print_text import print_text
from riskcore.cli.progress import Progress

if TYPE_CHECKING:
    from replay.regress import Outcome, RecordedDay


@click.command(epilog="Example: riskcore regress fixtures/days --junit regress.xml")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--accept", is_flag=True, help="Write the results as the new expectations, and print what changed.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write JUnit XML.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Number of days to run at the same time.",
)
@output_options
def command(
    folder: Path, accept: bool, junit: Path | None, workers: int, as_json: bool, quiet: bool, verbose: bool
) -> int:
    """Replay every recorded day below DIR and compare it with its expected result.

    A day is a folder with session files, the riskcore.toml that judges them (there or in a folder above, up to
    DIR) and expected.json. Exit code 1 means a difference, 2 settings that are wrong, 3 a file that cannot be read.
    Warnings about settings are shown with --verbose.
    """
    from replay.regress import find_days, write_junit

    outcomes = []
    days = find_days(folder)
    # Lines on the same terminal are progress enough, and would be drawn over.
    with Progress(quiet=quiet or (not as_json and sys.stdout.isatty())) as progress:
        for outcome in _outcomes(days, accept, workers):
            outcomes.append(outcome)
            progress.show(f"{outcome.name}: {outcome.result}", len(outcomes) / len(days))
            for text in outcome.warnings:
                warn(f"{outcome.name}: {text}", quiet=not verbose)
            for text in outcome.left_out:
                warn(f"{outcome.name}: {text}", quiet=quiet)
            if not as_json:
                _say(outcome, quiet)
    if junit is not None:
        write_junit(junit, outcomes)
    if as_json:
        print_json(_document(outcomes))
    elif not quiet:
        print_text(_summary(outcomes))
    return max(outcome.exit_code for outcome in outcomes)


def _outcomes(days: "Sequence[RecordedDay]", accept: bool, workers: int) -> "Iterator[Outcome]":
    """Outcomes in the order of the days, each as soon as it is known."""
    from replay.regress import check_day

    if workers == 1 or len(days) == 1:
        for day in days:
            yield check_day(day, accept)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from riskcore.own_packages import claim_process

    with ProcessPoolExecutor(min(workers, len(days)), get_context("spawn"), claim_process) as pool:
        yield from pool.map(check_day, days, [accept] * len(days))


def _say(outcome: "Outcome", quiet: bool) -> None:
    if outcome.exit_code > 1:
        say_on_stderr(f"error: {outcome.text}")
    elif outcome.exit_code or not quiet:
        print_text(outcome.text)


def _summary(outcomes: "Sequence[Outcome]") -> str:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.result] = counts.get(outcome.result, 0) + 1
    shown = ", ".join(f"{count} {result}" for result, count in counts.items())
    return f"{len(outcomes)} {'day' if len(outcomes) == 1 else 'days'}: {shown}"


def _document(outcomes: "Sequence[Outcome]") -> dict[str, Any]:
    return {
        "schema": "riskcore.regress/1",
        "days": [
            {
                "name": outcome.name,
                "result": outcome.result,
                "differences": [
                    {"path": one.path, "expected": one.expected, "got": one.got} for one in outcome.differences
                ],
                "error": outcome.error,
            }
            for outcome in outcomes
        ],
        "passed": sum(outcome.exit_code == 0 for outcome in outcomes),
        "failed": sum(outcome.exit_code != 0 for outcome in outcomes),
    }
