"""Databases of others: a journal is never begun in one, and one that is looked at stays as it is to the last byte.

Opening a SQLite file the way a journal is opened writes to it (WAL mode, tables), so its tables are looked at first,
through a connection that cannot write.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from stat import S_ISREG

from riskcore.errors import ConfigError, Corrupt, StoreError

# Another program may have tables of one or two of these names; a damaged journal may lack one or two.
_OURS = {"streams", "events", "stored_events", "leases", "state_cache"}
_ENOUGH = 3
_SMALLEST_DATABASE = 512  # Bytes.
_NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"


def refuse_foreign(path: Path, *, write: bool) -> None:
    """Raise ConfigError for what is there and is no journal: a device, a pipe, a database of something else.

    To a writer a database without tables is an empty place; a reader is told that nothing was recorded. Raises
    Corrupt for what is no database, StoreError for what cannot be read.
    """
    try:
        status = path.stat()
    except OSError:
        return  # Not there, or not to be seen: opening it says so.
    if not S_ISREG(status.st_mode):
        raise ConfigError(f"{path}: not a file, so there is no journal in it; name another with --store")
    if 0 < status.st_size < _SMALLEST_DATABASE:
        raise Corrupt(f"{path}: not a database")  # SQLite would take it for an empty one and write over it.
    names = _names(path) if status.st_size else set()
    if names and len(names & _OURS) < _ENOUGH:
        shown = ", ".join(sorted(names)[:3])
        raise ConfigError(f"{path}: a database of another program (it holds {shown}); name another file with --store")
    if not names and not write:
        raise ConfigError(f"{path}: the journal is empty; nothing was recorded yet")


def _names(path: Path) -> set[str]:
    """The names of the tables and views of a database."""
    # Without a log the file is complete, and SQLite is told that it will not change: then it makes no file beside it.
    # With one it may be open in this process, where that would let go of the locks (an old trap of POSIX).
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as database:
            return {str(name) for (name,) in database.execute(_NAMES)}
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: the journal cannot be read: {error}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise Corrupt(f"{path}: the journal cannot be read: {error}") from error
