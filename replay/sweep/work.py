"""What a worker does: one task, in this process, in another one or on another machine."""

import gc
from dataclasses import dataclass
from pathlib import Path

from replay.sweep.course_tree import in_one_pass
from replay.sweep.outcome import Outcome
from replay.sweep.pieces import Piece, Ways
from replay.sweep.plain_way import plainly
from replay.sweep.settings import Changed
from riskcore.errors import ConfigError
from riskcore.settings import user_rules
from riskcore.version import VERSION

# Of days that are worth being let go of at once.
LARGE_FACTS = 200_000


@dataclass(frozen=True, slots=True)
class Task:
    """Some settings over the days of a piece. `folder`: where rules of the user's own are looked for first.

    `every_setting`: the days are run once for each of them, the plain way.
    """

    number: int
    piece: Piece
    ways: Ways
    settings: tuple[Changed, ...]
    folder: Path | None
    version: str = VERSION
    every_setting: bool = False


def work(task: Task) -> list[list[Outcome]]:
    """What each setting of a task makes of its days. Raises ConfigError."""
    if task.version != VERSION:
        raise ConfigError(f"--cluster: its workers run riskcore {VERSION}, here is {task.version}; install the same")
    if task.folder is not None:
        user_rules.look_in(task.folder)
    way = plainly if task.every_setting else in_one_pass
    results = list(way(task.piece, task.ways, task.settings))
    if sum(len(day.ats) for day in task.piece.days) >= LARGE_FACTS:
        # The courses that ended hold on to their days, and to each other, until the collector comes round to them.
        gc.collect()
    return results
