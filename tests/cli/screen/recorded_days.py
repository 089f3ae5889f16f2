"""Pictures of the recorded days of fixtures/days, as a screen shows them at a moment of the day.

python -m tests.cli.screen.recorded_days        writes the pictures that the tests compare; read the difference
"""

import io
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from riskcore.cli.main import run
from riskcore.cli.screen.controls import Controls
from riskcore.cli.screen.dashboard import Dashboard
from riskcore.cli.screen.picture import (
    CALENDAR,
    CONNECTIONS,
    ENFORCEMENT,
    LIMITS,
    LOCKOUTS,
    OVERVIEW,
    PNL,
    POSITIONS,
    Picture,
)
from riskcore.cli.screen.source import JournalSource, Place
from riskcore.schema.instants import read_instant
from riskcore.store.journal import Journal

DAYS, PICTURES = Path(__file__).parents[3] / "fixtures" / "days", Path(__file__).parent / "pictures"
READ_SECONDS = 20.0  # How long the thread that reads a day may take.
HEIGHT = 30


@dataclass(frozen=True)
class Moment:
    """A recorded day up to an instant, and the views that are looked at there."""

    name: str
    day: str
    at: str
    views: tuple[str, ...]


MOMENTS = (
    Moment("holding", "quiet-day", "2026-11-19T15:22:30Z", (OVERVIEW, PNL, POSITIONS, LIMITS, CALENDAR)),
    Moment("locked", "daily-loss", "2026-11-19T15:00:00Z", (OVERVIEW, PNL, LIMITS, CONNECTIONS, LOCKOUTS, ENFORCEMENT)),
)
WIDTHS = (60, 120)


@contextmanager
def watched(moment: Moment, folder: Path) -> Iterator[JournalSource]:
    """The journal of the day up to the moment, watched at the moment."""
    now = read_instant(moment.at)
    day, whole, cut = DAYS / moment.day, folder / f"{moment.name}-whole.db", folder / f"{moment.name}.db"
    config = ["--config", str(day / "riskcore.toml")]
    assert run(["replay", str(day / "session.jsonl"), *config, "--store", str(whole), "--quiet"]) in (0, 1)
    profile = next(
        line.partition('"')[2].rstrip('"\n')
        for line in (day / "riskcore.toml").read_text(encoding="utf-8").splitlines()
        if line.startswith("name")
    )
    with Journal.open(whole, profile) as source, Journal.open(cut, profile, write=True) as target:
        for stream in source.streams():
            target.append([event for _, event, _ in source.read(stream) if event.at <= now])
    source_of_pictures = JournalSource(Place(str(cut), profile, "enforcing", stop_ticks=40, now=lambda: now))
    try:
        yield source_of_pictures
    finally:
        source_of_pictures.close()


def picture_of(source: JournalSource, view: str) -> Picture:
    """A view with what it needs of the day's events."""
    end = time.monotonic() + READ_SECONDS
    while view not in (picture := source.picture(view)).recorded and view not in (OVERVIEW, POSITIONS, LIMITS):
        assert time.monotonic() < end, f"{view} was not read"
        time.sleep(0.02)
    return picture


def drawn(picture: Picture, view: str, width: int, height: int = HEIGHT) -> str:
    """The screen as text, without the blanks at the ends of its lines."""
    console = Console(width=width, height=height, record=True, file=io.StringIO())
    console.print(Dashboard(picture, Controls(quits=True, view=view)))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines()) + "\n"


def path_of(moment: Moment, view: str, width: int) -> Path:
    return PICTURES / f"{moment.name}-{view}-{width}.txt"


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    PICTURES.mkdir(exist_ok=True)
    for moment in MOMENTS:
        with watched(moment, folder) as source:
            for view in moment.views:
                for width in WIDTHS:
                    text = drawn(picture_of(source, view), view, width)
                    path_of(moment, view, width).write_text(text, encoding="utf-8", newline="\n")
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
