"""Killed at any instant: what was acknowledged is stored, and each append is there whole or not at all."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from riskcore.store.journal import Journal
from tests.processes import start
from tests.store.days import DAY, quotes, verify_chain

BATCH = 7
WRITER = """
import sys
from riskcore.store.journal import Journal
from tests.processes import start
from tests.store.days import DAY, day, quotes
with Journal.open(sys.argv[1], "p", write=True) as journal:
    if not journal.streams():
        journal.append(day(0))
    while True:
        first = journal.last_seq(DAY) - 1
        journal.append(quotes(7, first))
        print(first + 8, flush=True)
"""


def last_seq_at_rest(reader: Journal) -> int:
    """A server may still be carrying out what the killed process had sent."""
    before, now = -1, reader.last_seq(DAY)
    while before != now:
        time.sleep(0.2)
        before, now = now, reader.last_seq(DAY)
    return now


SEEDS = [*range(2), *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(2, 20))]


@pytest.mark.parametrize("seed", SEEDS)
def test_kill_while_appending(where: str, seed: int) -> None:
    chance = random.Random(seed)
    root = Path(__file__).parents[2]
    for _ in range(3):
        process = start([sys.executable, "-c", WRITER, where], stdout=subprocess.PIPE, text=True, cwd=root)
        assert process.stdout is not None
        assert process.stdout.readline()
        time.sleep(chance.random() / 10)
        process.kill()
        acknowledged = [int(line) for line in process.communicate()[0].splitlines() if line.strip()]
        with Journal.open(where, "p") as reader:
            stored = last_seq_at_rest(reader)
            assert stored >= max(acknowledged, default=1)
            assert (stored - 1) % BATCH == 0
            assert verify_chain(reader, DAY) == stored
            assert [event for _, event, _ in reader.read(DAY, after=1)] == quotes(stored - 1)
