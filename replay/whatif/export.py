"""The counterfactual as a journal export that replays to the same decisions (`whatif --export`)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from riskcore.core.events import Event
from riskcore.core.runner import Listener
from riskcore.errors import CannotWrite
from riskcore.schema.export import ExportWriter


@contextmanager
def exporting(path: Path | None) -> Iterator[tuple[Listener, ...]]:
    """Listeners that write what they hear to a file; none without a file. Raises CannotWrite."""
    if path is None:
        yield ()
        return
    try:
        with path.open("wb") as file:
            writer = ExportWriter(file.write)

            def keep(events: Sequence[Event]) -> None:
                writer.add_events(events)

            yield (keep,)
            writer.close()
    except OSError as error:
        raise CannotWrite(f"{path}: cannot be written: {error.strerror or error}") from None
