"""How many settings of a day go together: all that can share courses, unless a worker would have nothing to do."""

from pathlib import Path

import pytest

from replay.sweep.sweep import SETTINGS_A_TASK, _Group
from replay.whatif.study import Study


def settings_a_task(files: int, at_once: int, waiting: int, *, every_setting: bool = False) -> int:
    group = object.__new__(_Group)
    group.study, group.every_setting = Study((Path("day"),) * files), every_setting
    return group._settings_a_task(waiting, at_once)


@pytest.mark.parametrize(
    ("files", "at_once", "waiting", "size"),
    [
        (1, 1, 1000, 1000),
        (1, 2, 1000, 500),
        (1, 2, 1001, 501),
        (2, 2, 1000, 1000),
        (60, 2, 1000, 1000),
        (60, 2, 1001, 1000),
        (3, 4, 1000, 500),
        (1, 4, 120, 50),
        (1, 1, 0, 50),
    ],
)
def test_a_day_is_cut_up_only_for_workers_without_a_day(files: int, at_once: int, waiting: int, size: int) -> None:
    assert settings_a_task(files, at_once, waiting) == size


def test_the_plain_way_takes_a_few_at_a_time() -> None:
    assert settings_a_task(60, 2, 1000, every_setting=True) == SETTINGS_A_TASK
