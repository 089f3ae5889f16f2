"""The copy of the book that a runner makes ahead is, whenever facts are taken on it, what a fresh one would be.

Nothing outside a turn may change the book and leave such a copy: a start again, a pause, a broken disk, the end.
"""

import pytest

from riskcore.core.runner import Mark, Runner
from riskcore.schema.codec import state_bytes
from tests.simulation.world import run_seed

# Two accounts and deaths, two broken disks, a pause of nine minutes, a day that ends.
SEEDS = (3, 7, 19, 22, 20299)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_copy_made_ahead_is_the_book_as_it_is(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    real = Runner.mark

    def mark(runner: Runner) -> Mark:
        spare, turn = runner._spare, runner.turn
        if spare is not None:
            made.append(seed)
            assert spare.rulebook is turn.rulebook
            assert state_bytes(spare.book) == state_bytes(turn.book)
        return real(runner)

    monkeypatch.setattr(Runner, "mark", mark)
    assert run_seed(seed).violations == []
    assert len(made) > 20
