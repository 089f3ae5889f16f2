"""Arguments as a program gives them: one where several may be, a number where a name is text."""

from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from pathlib import Path

from riskcore.errors import ConfigError

AnyPath = str | PathLike[str]
Accounts = str | int | Sequence[str | int]  # By name or id.


def files(paths: AnyPath | Sequence[AnyPath]) -> list[Path]:
    """One path or several. Raises ConfigError for a name that no file can have."""
    given = [fspath(path) for path in ([paths] if isinstance(paths, str | PathLike) else paths)]
    for path in given:
        if "\0" in path:
            raise ConfigError(f"{path!r}: no file has this name")
    return [Path(path) for path in given]


def texts(values: object | Iterable[object]) -> tuple[str, ...]:
    """One name or several, as text: an account's id may be a number, a day a date."""
    if isinstance(values, Iterable) and not isinstance(values, str):
        return tuple(str(value) for value in values)
    return (str(values),)
