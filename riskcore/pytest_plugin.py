"""A pytest plugin: every recorded day in a folder is a test (replay/regress.py does the work).

    [tool.pytest.ini_options]
    riskcore_days = ["fixtures/days"]

or `pytest --riskcore-days fixtures/days`. Without either the plugin does nothing and imports nothing. Packages of
yours that are called `replay` or `adapters` stay what they are for your tests.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from riskcore.own_packages import own_packages

if TYPE_CHECKING:
    from replay.regress import RecordedDay

_FOLDERS = pytest.StashKey[list[Path]]()
_SUFFIXES = (".jsonl", ".jsonl.gz")


class DayDiffers(Exception):
    """The replay of a day is not what was expected; the text is the readable difference."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("riskcore")
    group.addoption(
        "--riskcore-days",
        action="append",
        default=[],
        metavar="DIR",
        help="Replay the recorded days below DIR as tests. Repeatable.",
    )
    parser.addini("riskcore_days", "Folders of recorded days that are replayed as tests.", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Folders of the ini file join a run of everything; those of the command line join every run."""
    named = [(config.invocation_params.dir / name).resolve() for name in config.getoption("--riskcore-days")]
    configured = [Path(path).resolve() for path in config.getini("riskcore_days")]
    missing = next((folder for folder in [*named, *configured] if not folder.is_dir()), None)
    if missing is not None:
        raise pytest.UsageError(f"riskcore_days: {missing} is no folder")
    config.stash[_FOLDERS] = [*named, *configured]
    selected = config.args_source is pytest.Config.ArgsSource.ARGS
    roots = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    for folder in named if selected else [*named, *configured]:
        if not any(_is_within(folder, root) for root in roots):
            roots.append(folder)
            config.args.append(str(folder))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "DayFile | None":
    """The first session file of a folder stands for the day."""
    folders = parent.config.stash.get(_FOLDERS, [])
    if not folders or not file_path.name.endswith(_SUFFIXES):
        return None
    if not any(_is_within(file_path.resolve(), folder) for folder in folders):
        return None
    with own_packages():
        from replay.regress import session_files

        if file_path != session_files(file_path.parent)[0]:
            return None
    return DayFile.from_parent(parent, path=file_path)


def _is_within(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


class DayFile(pytest.File):
    """The folder of one recorded day."""

    def collect(self) -> Iterator["DayItem"]:
        root = next(root for root in self.config.stash[_FOLDERS] if _is_within(self.path.resolve(), root))
        with own_packages():
            from replay.regress import day_of

            day = day_of(self.path.parent.resolve(), root)
        yield DayItem.from_parent(self, name=self.path.parent.name, day=day)


class DayItem(pytest.Item):
    """One recorded day: passes when its replay is what was expected."""

    def __init__(self, *, day: "RecordedDay", **others: Any) -> None:
        super().__init__(**others)
        self.day = day

    def runtest(self) -> None:
        with own_packages():
            from replay.regress import check_day

            outcome = check_day(self.day)
        if outcome.exit_code:
            raise DayDiffers(outcome.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, DayDiffers):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"recorded day {self.name}"
