"""Databases of others and of a newer riskcore: none is written to; one that is looked at stays as it is to the byte.

Opening a SQLite file the way a journal is opened writes to it (WAL mode, tables), so its tables are looked at first,
through a connection that cannot write.
"""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from stat import S_ISREG

from riskcore.errors import ConfigError, Corrupt, StoreError

# Another program may have tables of one or two of these names; a damaged journal may lack one or two.
_OURS = {"streams", "events", "stored_events", "leases", "state_cache"}
_ENOUGH = 3
_SMALLEST_DATABASE = 512  # Bytes.
# What SQLite says where it cannot have the files of a log: the primary codes.
_NO_LOG = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN}
_NAMES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
COLUMNS_THERE = (
    "SELECT found.name, columns.name FROM sqlite_master AS found JOIN pragma_table_info(found.name) AS columns "
    "WHERE found.type = 'table'"
)
# Of the tables of sqlite.py.
COLUMNS = {
    *(("streams", column) for column in ("number", "originator_id")),
    *(("events", column) for column in ("position", "topic", "state", "payload")),
    *(("leases", column) for column in ("profile", "fence", "holder")),
    *(("state_cache", column) for column in ("stream", "seq", "fingerprint", "seal", "state")),
    *(("archived", column) for column in ("stream", "events", "last_hash", "last_link", "file", "sha256")),
}


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
    names, columns = _tables(path) if status.st_size else (set[str](), set[tuple[str, str]]())
    if names and len(names & _OURS) < _ENOUGH:
        shown = ", ".join(sorted(names)[:3])
        raise ConfigError(f"{path}: a database of another program (it holds {shown}); name another file with --store")
    if not names and not write:
        raise ConfigError(f"{path}: the journal is empty; nothing was recorded yet")
    if write:
        refuse_newer(str(path), columns, COLUMNS)


def refuse_newer(where: str, there: Collection[tuple[str, str]], known: Collection[tuple[str, str]]) -> None:
    """Raise Corrupt for a journal whose tables have columns that this riskcore does not know: it must not write there.

    Both are pairs of table and column. Further tables may be there: they disturb nobody.
    """
    tables = {table for table, _ in known}
    unknown = sorted(f"{table}.{column}" for table, column in {*there} - {*known} if table in tables)
    if unknown:
        raise Corrupt(
            f"{where}: the journal has what this riskcore does not know ({', '.join(unknown[:3])}): a newer riskcore"
            " wrote it, or somebody changed it; use the newer one"
        )


def reading_mode(path: Path) -> str:
    """How SQLite is to open a journal that is only read, so that its file stays as it is to the last byte.

    Without a log beside it SQLite makes one and takes it away again; an engine that starts meanwhile is then seen.
    Raises StoreError for a log that cannot be read here.
    """
    return "rw" if not _log(path).exists() and _opens(path, "rw") else _changing_nothing(path)


def _changing_nothing(path: Path) -> str:
    """How to open a database of anybody.

    With a log `ro`: who opens it to write, and is the last to close it, copies the log into the file. It may be open
    in this process, too, where `immutable` would let go of the locks (an old trap of POSIX). Without one the file is
    complete, and SQLite is told that it will not change: then it makes no file beside it, which a full disk or a folder
    that may only be read does not allow. Raises StoreError.
    """
    log = _log(path)
    if not log.exists():
        return "ro&immutable=1"
    if _opens(path, "ro"):
        return "ro"
    if log.stat().st_size == 0:  # Left by somebody who found no room for more.
        return "ro&immutable=1"
    raise StoreError(
        f"{path}: the newest events are in {log.name}, and SQLite cannot read it here; if the disk is full, make room;"
        " else copy both files into a folder that you may write"
    )


def _opens(path: Path, mode: str) -> bool:
    """Whether SQLite can make or write the files of a log. What is damaged counts as opened: reading it says more."""
    try:
        with _opened(path, mode) as database:
            database.execute(_NAMES).fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF not in _NO_LOG
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        pass
    return True


def _opened(path: Path, mode: str) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True))


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _tables(path: Path) -> tuple[set[str], set[tuple[str, str]]]:
    """The names of the tables and views of a database, and each column of a table."""
    try:
        with _opened(path, _changing_nothing(path)) as database:
            names = {str(name) for (name,) in database.execute(_NAMES)}
            return names, {(str(table), str(column)) for table, column in database.execute(COLUMNS_THERE)}
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: the journal cannot be read: {error}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise Corrupt(f"{path}: the journal cannot be read: {error}") from error
