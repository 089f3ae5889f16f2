"""Recorded days with expected results: replay each, compare, tell every difference by its place.

A recorded day is a folder with session files (*.jsonl, *.jsonl.gz), replayed in one run in the order of their names,
under the riskcore.toml beside them or in a folder above (up to the one given), and compared with the expected.json
beside them.
`riskcore regress` and the pytest plugin are two ways to call `check_day`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from replay.left_out import warn_of_left_out
from replay.recording import detect_form
from replay.replay_run import run_replay
from riskcore.core.runner import Listener
from riskcore.errors import CannotWrite, ConfigError, InputError, RiskcoreError
from riskcore.settings.config import FILE_NAME
from riskcore.store.export_file import write_file

EXPECTED_NAME = "expected.json"
SESSION_SUFFIXES = (".jsonl", ".jsonl.gz")
MOST_SHOWN = 20
# What a day's result is told apart by when it stands in a list, in the order they are tried.
_NAMES = ("id", "trade_date", "path")
_ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """One folder to replay. `name` is its place below the folder that was asked for."""

    name: str
    folder: Path
    sessions: tuple[Path, ...]
    config_path: Path | None

    @property
    def expected_path(self) -> Path:
        return self.folder / EXPECTED_NAME


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in the result where expected and got are not the same, both as JSON text or "(absent)"."""

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one day. `exit_code` is what this day alone would end the command with."""

    name: str
    result: str  # same | different | missing | accepted | failed
    differences: tuple[Difference, ...] = ()
    error: str | None = None
    exit_code: int = 0
    warnings: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()  # What the recorded engine went on without, in words.
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The outcome for a reader: a heading, and a line for each difference."""
        if self.error is not None:
            return f"{self.name}: {self.error}"
        lines = [f"{self.name}: {self.result}"]
        lines += [f"  {difference}" for difference in self.differences[:MOST_SHOWN]]
        if len(self.differences) > MOST_SHOWN:
            lines.append(f"  and {len(self.differences) - MOST_SHOWN} more")
        return "\n".join(lines)


# ---- finding days ------------------------------------------------------------------------------------


def session_files(folder: Path) -> tuple[Path, ...]:
    """The session files of one folder, by name."""
    return tuple(sorted(path for path in folder.iterdir() if path.name.endswith(SESSION_SUFFIXES) and path.is_file()))


def find_days(root: Path) -> list[RecordedDay]:
    """Every recorded day at or below a folder, by name. Raises InputError when there is none."""
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; give the folder that holds the recorded days")
    folders = [root, *sorted(path for path in root.rglob("*") if path.is_dir())]
    days = [day_of(folder, root) for folder in folders if session_files(folder)]
    if not days:
        raise InputError(f"{root}: holds no recorded day (a folder with a {' or '.join(SESSION_SUFFIXES)} file)")
    return days


def day_of(folder: Path, root: Path) -> RecordedDay:
    """The recorded day of one folder at or below `root`; settings are the nearest up to `root`."""
    above = [folder, *(parent for parent in folder.parents if parent == root or root in parent.parents)]
    config_path = next((each / FILE_NAME for each in above if (each / FILE_NAME).is_file()), None)
    name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    return RecordedDay(name, folder, session_files(folder), config_path)


# ---- checking one day --------------------------------------------------------------------------------


def check_day(day: RecordedDay, accept: bool = False) -> Outcome:
    """Replay one day and compare; with `accept` write what came out as the new expectation. Never raises for bad
    input: what is wrong is in the outcome.
    """
    started = time.perf_counter()
    warnings: list[str] = []
    left_out: list[str] = []
    try:
        outcome = _compared(day, accept, warnings, left_out)
    except RiskcoreError as error:
        outcome = Outcome(day.name, "failed", error=str(error), exit_code=error.exit_code)
    about_settings = tuple(text for text in warnings if text not in left_out)
    seconds = time.perf_counter() - started
    return replace(outcome, warnings=about_settings, left_out=tuple(left_out), seconds=seconds)


def _compared(day: RecordedDay, accept: bool, warnings: list[str], left_out: list[str]) -> Outcome:
    got = judged(day, warnings.append, (warn_of_left_out(left_out.append),))
    expected = expected_of(day)
    found = () if expected is None else tuple(differences(expected, got))
    if expected is not None and not found:
        return Outcome(day.name, "same")
    if accept:
        _write(day.expected_path, got)
        return Outcome(day.name, "accepted", found)
    if expected is None:
        error = (
            f"{EXPECTED_NAME} is missing; check the replay, then write it with: riskcore regress {day.folder} --accept"
        )
        return Outcome(day.name, "missing", error=error, exit_code=1)
    return Outcome(day.name, "different", found, exit_code=1)


def judged(day: RecordedDay, warn: Callable[[str], None], listeners: tuple[Listener, ...] = ()) -> dict[str, Any]:
    """The day's replay result, without what depends on the code's inside or on how a file is packed."""
    if day.config_path is None and any(detect_form(path) == "wire" for path in day.sessions):
        raise ConfigError(
            f"{day.folder}: no {FILE_NAME} beside the recording or above it; a recorded day needs its settings"
        )
    result = run_replay(day.sessions, config_path=day.config_path, warn=warn, listeners=listeners)
    del result["state_hash"]
    for session in result["sessions"]:
        del session["sha256"]
    return result


def expected_of(day: RecordedDay) -> dict[str, Any] | None:
    """The accepted result, None when there is none yet. Raises InputError when the file is no JSON object."""
    path = day.expected_path
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}; write it anew with --accept") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: is not a JSON object; write it anew with --accept")
    return value


def _write(path: Path, result: Mapping[str, Any]) -> None:
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from None


# ---- differences -------------------------------------------------------------------------------------


def differences(expected: Any, got: Any, path: str = "") -> Iterator[Difference]:
    """Every place where two JSON values are not the same, in the order of the expected one."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in [*expected, *(name for name in got if name not in expected)]:
            where = f"{path}.{name}" if path else name
            yield from _pair(name in expected, expected.get(name), name in got, got.get(name), where)
    elif isinstance(expected, list) and isinstance(got, list):
        yield from _lists(expected, got, path)
    elif type(expected) is not type(got) or expected != got:
        yield Difference(path, _shown(expected), _shown(got))


def _pair(in_expected: bool, expected: Any, in_got: bool, got: Any, path: str) -> Iterator[Difference]:
    if in_expected and in_got:
        yield from differences(expected, got, path)
    elif in_expected:
        yield Difference(path, _shown(expected), _ABSENT)
    else:
        yield Difference(path, _ABSENT, _shown(got))


def _lists(expected: Sequence[Any], got: Sequence[Any], path: str) -> Iterator[Difference]:
    """Rows are matched by name where they have one, so that one missing row is one difference."""
    name = next((each for each in _NAMES if _named(expected, each) and _named(got, each)), None)
    if name is None:
        for index in range(max(len(expected), len(got))):
            in_both = (index < len(expected), expected[index] if index < len(expected) else None)
            in_got = (index < len(got), got[index] if index < len(got) else None)
            yield from _pair(*in_both, *in_got, f"{path}[{index}]")
        return
    first = {row[name]: row for row in expected}
    second = {row[name]: row for row in got}
    for key in [*first, *(key for key in second if key not in first)]:
        yield from _pair(key in first, first.get(key), key in second, second.get(key), f"{path}[{key}]")
    common = [key for key in first if key in second]
    order = [key for key in second if key in first]
    if common != order:
        yield Difference(f"{path} (order)", _shown(common), _shown(order))


def _named(rows: Sequence[Any], name: str) -> bool:
    """Whether every row is an object with a value of its own under `name`."""
    if not all(isinstance(row, dict) and isinstance(row.get(name), str | int) for row in rows):
        return False
    return len({row[name] for row in rows}) == len(rows)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:297]}..."


SUITE = "riskcore regress"


def write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write one test case per day. Raises CannotWrite."""
    failures = sum(outcome.exit_code == 1 for outcome in outcomes)
    errors = sum(outcome.exit_code > 1 for outcome in outcomes)
    seconds = f"{sum(outcome.seconds for outcome in outcomes):.3f}"
    counts = {"tests": str(len(outcomes)), "failures": str(failures), "errors": str(errors), "time": seconds}
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts})
    for outcome in outcomes:
        _case(suite, outcome)
    ElementTree.indent(root)
    try:
        write_file(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    except CannotWrite as error:
        raise CannotWrite(f"--junit {error}") from None


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    attributes = {"classname": SUITE, "name": printable(outcome.name), "time": f"{outcome.seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if outcome.exit_code:
        kind = "failure" if outcome.exit_code == 1 else "error"
        text = printable(outcome.text)
        ElementTree.SubElement(case, kind, {"message": text.splitlines()[0]}).text = text


def printable(text: str) -> str:
    """Text without the characters that no XML document may hold; they are shown as escapes."""
    return "".join(
        character
        if character in "\t\n"
        or (character >= " " and not "\ud800" <= character <= "\udfff" and character < "\ufffe")
        or character > "\uffff"
        else repr(character)[1:-1]
        for character in text
    )
