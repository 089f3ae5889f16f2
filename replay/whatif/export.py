"""The counterfactual as a journal export that replays to the same decisions (`whatif --export`)."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from riskcore.core.events import Event
from riskcore.core.runner import Listener
from riskcore.store.export_file import write_export


@contextmanager
def exporting(path: Path | None) -> Iterator[tuple[Listener, ...]]:
    """Listeners that write what they hear to a file; none without a file. Raises CannotWrite."""
    if path is None:
        yield ()
        return
    with write_export(path) as writer:

        def keep(events: Sequence[Event]) -> None:
            writer.add_events(events)

        yield (keep,)
