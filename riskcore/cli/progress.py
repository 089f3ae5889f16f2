"""Progress of a command: one line on stderr, redrawn, with percentage and remaining time, and only on a terminal.

    with Progress(quiet=quiet) as progress:
        for done, cell in enumerate(cells):
            progress.show(f"cell {cell}", done / len(cells))

What is printed through `options.say_on_stderr` meanwhile stands above the line; the line is gone at the end.
"""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Line
    from rich.progress import TaskID

REDRAWN_SECONDS = 0.1
_shown: "list[Progress]" = []


class Progress:
    """A line of progress, shown from the first call of `show` on. Nothing is imported or printed without a terminal."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._wanted = not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._line: Line | None = None
        self._task: TaskID | None = None
        self._share = 0.0
        self._drawn_at = -REDRAWN_SECONDS

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            _shown.remove(self)
            self._line.stop()
            self._line = None

    def show(self, text: str, share: float | None = None) -> None:
        """Say what is being done, and which share of it (0 to 1) is done; None: unknown."""
        now = time.monotonic()
        if not self._wanted or (share is not None and share < 1 and now - self._drawn_at < REDRAWN_SECONDS):
            return
        self._drawn_at = now
        if self._line is None:
            self._line = _line()
            self._line.start()
            _shown.append(self)
        if self._task is None or (share or 0.0) < self._share:
            # Something else has begun: the remaining time is that of the new task alone.
            if self._task is not None:
                self._line.remove_task(self._task)
            self._task = self._line.add_task("")
        self._share = share or 0.0
        total = None if share is None else 1.0
        self._line.update(self._task, description=text, completed=self._share, total=total, refresh=True)

    def session(self, name: str, events: int, share: float | None) -> None:
        """How far a session file or a day is: what the functions of replay/ call."""
        self.show(f"{name}: {events:,} events", share)

    def print_above(self, text: str) -> None:
        """Print a line above the line of progress."""
        assert self._line is not None, "it is shown"
        self._line.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


def shown_progress() -> Progress | None:
    """The line of progress on the terminal, if there is one."""
    return _shown[-1] if _shown else None


def _line() -> "Line":
    from rich.console import Console
    from rich.progress import Progress as Line
    from rich.progress import ProgressColumn, Task, TaskProgressColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    class Description(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(task.description, overflow="ellipsis", no_wrap=True)

    return Line(
        Description(table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        TaskProgressColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        expand=True,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    )
