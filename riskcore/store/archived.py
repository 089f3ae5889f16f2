"""Days that left a store for an archive, as the store remembers them.

The chain itself says where it goes on: the opening of the first day that stayed carries the last hash of the day that
left. A record adds which file holds the day, and on which link the messages of the next day hang.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ArchivedDay:
    """One day that left: its stream, how many events it had, where its chains ended, and the file it is in."""

    stream: str
    events: int
    last_hash: bytes
    last_link: bytes  # Of the messages kept in it; NO_LINK where there were none.
    file: str
    sha256: str  # Of the file, hexadecimal.

    @property
    def profile(self) -> str:
        return self.stream.rpartition("/")[0]

    @property
    def trade_date(self) -> str:
        return self.stream.rpartition("/")[2]

    def row(self) -> dict[str, str]:
        """As `verify --json` prints it."""
        return {
            "profile": self.profile,
            "trade_date": self.trade_date,
            "file": self.file,
            "last_hash": self.last_hash.hex(),
        }


def archive_sentence(days: Sequence[ArchivedDay]) -> str:
    """Which days left and where they are, for whoever reads the store without them."""
    first, last = days[0].trade_date, days[-1].trade_date
    which = f"day {first} has" if first == last else f"the {len(days)} days from {first} to {last} have"
    return f"{which} left this store for the archive in {', '.join(archive_folders(days))}"


def archive_folders(days: Sequence[ArchivedDay]) -> list[str]:
    """The folders that hold them."""
    return list(dict.fromkeys(str(Path(day.file).parent) for day in days))
