"""Session files as arguments: paths, `-` for standard input, and pipes."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

STDIN = "-"


class SessionFile(click.Path):
    """A path. What can be read only once (`-`, a pipe) is copied into a file of its own, as sessions are read twice."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        path = Path(value)
        if context is None or not (value == STDIN or path.is_fifo()):
            return super().convert(value, parameter, context)
        name = "stdin" if value == STDIN else path.name
        folder = tempfile.mkdtemp(prefix="riskcore-")
        context.call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
        copy = Path(folder, name)
        try:
            with sys.stdin.buffer if value == STDIN else path.open("rb") as source, copy.open("wb") as file:
                shutil.copyfileobj(source, file)
        except (OSError, AttributeError) as error:
            self.fail(f"{name} cannot be read: {error}", parameter, context)
        return copy


SESSION = SessionFile()
