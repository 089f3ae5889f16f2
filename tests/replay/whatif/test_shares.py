"""Shares of the effect: each set of tables is run once, and not at all where another run must be the same."""

from itertools import combinations

from replay.whatif.account_course import DayOfAccount
from replay.whatif.result import DayEffect, Effects
from replay.whatif.settings import Table
from replay.whatif.shares import Chosen, Values

A, B, C = ("max_contracts", 0), ("daily_realized_loss", 0), ("cooldown_after_loss", 0)
ALL = (A, B, C)


class Counted:
    """Courses in which table B loses 5 dollars wherever it is on, and A and C find nothing."""

    def __init__(self, off: Chosen) -> None:
        self.off, self.runs = off, list[Chosen]()

    def __call__(self, chosen: Chosen) -> Effects:
        self.runs.append(chosen)
        on = {one for one in ALL if (one in chosen) is not (one in self.off)}
        net_usd = -5_000_000 * (B in on)
        fired = frozenset(f"{name}.{index}" for name, index in on & {B})
        return Effects([DayEffect(1, "2026-11-20", 0, net_usd, 0, DayOfAccount())], [], fired=fired)


def subsets() -> list[Chosen]:
    return [frozenset(one) for size in range(4) for one in combinations(ALL, size)]


def values_of(off: tuple[Table, ...], leaves: tuple[Table, ...]) -> tuple[Counted, list[int]]:
    run = Counted(frozenset(off))
    known = {frozenset(ALL): run(frozenset(ALL))}
    values = Values(run, frozenset(off), frozenset(leaves), known)
    return run, [values.of(one).net_usd for one in subsets()]


def test_tables_that_are_added_and_find_nothing_are_not_run_without() -> None:
    run, found = values_of((), ())
    assert found == [run(one).net_usd for one in subsets()]
    # Of the sets with B the whole one tells; what A and C find without it is known only when they have run.
    assert all(B not in one for one in run.runs[1:5])
    assert len(run.runs) == 5 + len(subsets())


def test_tables_that_are_taken_away_and_found_nothing_are_not_run_without() -> None:
    run, found = values_of(ALL, ALL)
    assert found == [run(one).net_usd for one in subsets()]
    # With nothing taken away only B finds something; without B nothing does.
    assert run.runs[:3] == [frozenset(ALL), frozenset(), frozenset({B})]
    assert len(run.runs) == 3 + len(subsets())


def test_tables_that_the_other_settings_have_otherwise_are_run() -> None:
    run, _ = values_of(ALL, ())
    assert len(run.runs) == len(subsets())
