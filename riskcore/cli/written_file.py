"""Files that a command writes: never those that it reads, and each one only once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from riskcore.errors import ConfigError


class WrittenFile(click.Path):
    """The value of an option that names a file to write; `keep_apart` knows it by this type."""

    def __init__(self, *, dir_okay: bool = False) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)


WRITTEN = WrittenFile()


def keep_apart() -> None:
    """Refuse to write over what the running command reads: a recording is often the only one of its day.

    Raises ConfigError.
    """
    from riskcore.settings.config import FILE_NAME
    from riskcore.store.export_file import is_special

    context = click.get_current_context()
    read, written = [Path(FILE_NAME)], dict[Path, str]()
    for parameter in context.command.params:
        paths = _paths(context.params.get(parameter.name or ""), text=parameter.name == "store")
        if not isinstance(parameter.type, WrittenFile):
            read += paths
            continue
        for path in paths:
            if is_special(path):
                continue
            option = parameter.opts[0]
            other = written.setdefault(path.resolve(), option)
            if other != option:
                raise ConfigError(f"{other} and {option} name the same file, {path}; name another one")
    for path, option in written.items():
        if path.exists() and any(one.exists() and path.samefile(one) for one in read):
            raise ConfigError(f"{option} would overwrite {path.name}, which this command reads; name another file")


def _paths(value: Any, *, text: bool) -> Iterator[Path]:
    """The files among the values of a parameter; with `text`, strings name files too."""
    for one in value if isinstance(value, tuple) else (value,):
        if isinstance(one, Path) or (text and isinstance(one, str)):
            yield Path(one)
