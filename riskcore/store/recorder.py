"""What a journal needs of a back end: the recorder of the eventsourcing package and a few methods more.

The package gives recorders, transactions, optimistic concurrency and the choice of a back end by setting. Its
mapper and StoredEvent objects are not used: the mapper stores module paths and stamps its own time, while links
of the chain (schema/chain.py) are ready rows, so that reading back checks the chain over the stored bytes. This
module and the back ends are the only ones that import eventsourcing; the journal imports them when a store is
opened, because that import costs time and replaces `dataclasses._process_class`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from eventsourcing.persistence import (
    AggregateRecorder,
    InfrastructureFactory,
    IntegrityError,
    PersistenceError,
)

from riskcore.errors import ConfigError, Corrupt, DiskFull, OutOfSequence, StoreError
from riskcore.folders import user_folder
from riskcore.schema.chain import Link
from riskcore.store.archived import ArchivedDay
from riskcore.store.foreign import reading_mode, refuse_foreign
from riskcore.store.private import create_private, make_private
from riskcore.store.server_url import is_server, known_as, without_password

if TYPE_CHECKING:
    from riskcore.store.lease import ServerLease

Kept = tuple[int, bytes, bytes]
# Named, not imported: the back ends import this module.
_SQLITE, _POSTGRES = "riskcore.store.sqlite:HardenedFactory", "riskcore.store.postgres"
# SQLite's own files beside the journal. It gives them the journal's mode; older ones may have a wider one.
_BESIDE = ("-wal", "-shm", "-journal")
# What SQLite and the system say when there is no room; SQLite calls a used-up quota an I/O error.
_NO_ROOM = ("disk is full", "disk I/O error", "No space left", "quota exceeded", "File too large")
_DAMAGE = ("malformed", "not a database", "decode", "corrupt", "disk image")


@dataclass(frozen=True, slots=True)
class CachedState:
    """A remembered book: `seal` binds it to one chain, seq and fingerprint of the code."""

    seq: int
    fingerprint: str
    seal: bytes
    state: bytes


class JournalRecorder(AggregateRecorder, ABC):
    """An append-only table of events and, beside it, leases and remembered states."""

    @abstractmethod
    def append(self, rows: Sequence[Link], profile: str, fence: int, payloads: Mapping[int, bytes]) -> None:
        """Store rows in one durable transaction, if the lease still holds. Raises OutOfSequence, StoreError.

        `payloads`: by a row's place among `rows`, the packed messages kept beside it.
        """

    @abstractmethod
    def tidy(self, *, at_once: bool = False) -> None:
        """Do what may wait for a quiet moment, so that no commit has to. Raises StoreError.

        `at_once`: there is no room, so do it although it would not be worth while yet.
        """

    @abstractmethod
    def try_out(self, profile: str, fence: int) -> None:
        """Write something durably for a trial, and take it away again. Raises OutOfSequence, StoreError."""

    @abstractmethod
    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        """At most `limit` rows of a stream with a larger seq than `after`, in order."""

    @abstractmethod
    def kept_rows(self, stream: str, after: int, limit: int) -> list[Kept]:
        """Those of the same rows that have messages beside them: seq, state, packed messages."""

    @abstractmethod
    def last_kept(self, stream: str) -> bytes | None:
        """The packed messages that were kept last in a stream."""

    @abstractmethod
    def last_row(self, stream: str) -> Link | None: ...

    @abstractmethod
    def stream_ids(self) -> list[str]:
        """Every stream of every profile, sorted."""

    @abstractmethod
    def take_lease(self, profile: str, holder: str) -> int:
        """A new fence number; a holder of an older one can no longer append."""

    @property
    def holds_lease(self) -> bool:
        """Whether nobody else can have taken the lease by now without this process knowing.

        True for a file: its writer is alone on its computer. On a server the lease ends when it is not renewed.
        """
        return True

    @abstractmethod
    def check_storage(self) -> None:
        """Raise Corrupt when files, tables or triggers are not as they must be."""

    @abstractmethod
    def put_state(self, stream: str, cached: CachedState) -> None: ...

    @abstractmethod
    def get_state(self, stream: str) -> CachedState | None: ...

    @abstractmethod
    def remembered_seqs(self) -> dict[str, int]:
        """By stream, the event behind which a state was remembered."""

    @abstractmethod
    def archived(self) -> list[ArchivedDay]:
        """The days of all profiles that left this store, sorted."""

    @abstractmethod
    def take_out(self, days: Sequence[ArchivedDay], profile: str, fence: int) -> None:
        """Note days as archived and take what is stored of them out, in one durable transaction.

        The only way out. Raises OutOfSequence when the lease no longer holds, StoreError.
        """

    @abstractmethod
    def give_space_back(self) -> None:
        """Give the room of days that were taken out back to the system. Raises StoreError."""

    @abstractmethod
    def close(self) -> None: ...


@contextmanager
def named_errors(what: str, *, writing: bool = False) -> Iterator[None]:
    """Turn what a back end raises into errors of riskcore; `writing`: an I/O error may mean that there is no room."""
    try:
        yield
    except IntegrityError as error:
        raise OutOfSequence(f"{what}: somebody else appended to this stream ({error})") from error
    except (PersistenceError, OSError, UnicodeDecodeError) as error:
        said = str(error)
        kind = Corrupt if any(word in said for word in _DAMAGE) else StoreError
        if writing and any(word in said for word in _NO_ROOM):
            kind = DiskFull
        raise kind(f"{what}: {error}") from error


def _is_server(where: str) -> bool:
    """Whether a store is on a server. Raises ConfigError for a URL of another kind."""
    if is_server(where):
        if find_spec("psycopg") is None:
            raise ConfigError('a store on a server needs another package: pip install "riskcore[postgres]"')
        return True
    scheme, separator, _ = where.partition("://")
    if separator and scheme != "sqlite":
        raise ConfigError(
            f"--store {scheme}://: journals are kept in files and on Postgres; give a path or postgresql://"
        )
    return False


def _path(where: str) -> Path:
    return Path(where.removeprefix("sqlite://")).resolve()


def lock_path(where: str, profile: str) -> Path:
    """The side file whose lock admits one writer of a profile on this computer; its folder is made.

    Beside a file; for a server in the user's data folder. Raises ConfigError, StoreError.
    """
    return _beside(where, f"{quote(profile, safe='')}.lock")


def writer_lock(where: str, profile: str) -> "Path | ServerLease":
    """What `lease.is_held` is asked about, to know whether an engine writes a profile, on any computer.

    Raises ConfigError, StoreError.
    """
    where = without_password(where)
    if not _is_server(where):
        return lock_path(where, profile)
    from riskcore.store.lease import ServerLease
    from riskcore.store.postgres_connection import Server

    return ServerLease(partial(import_module(_POSTGRES).writer_is_there, Server(where, write=False), profile))


def reserve_path(where: str, profile: str) -> Path:
    """The file that keeps room for the journal of a profile; its folder is made. Raises StoreError."""
    return _beside(where, f"{quote(profile, safe='')}.reserve")


def refuse_no_journal(where: str) -> bool:
    """Whether a journal is here already. Raises ConfigError when none must be begun, StoreError; changes nothing."""
    if _is_server(where):
        from riskcore.store.postgres_connection import Server

        server = Server(where, write=True)
        try:
            return server.refuse_foreign()
        finally:
            server.close()
    path = _path(where)
    refuse_foreign(path, write=True)
    return path.is_file()


def side_path(where: str, ending: str) -> Path:
    """A file of this computer that belongs to a store. Raises ConfigError."""
    path = user_folder("data") / known_as(where) if _is_server(where) else _path(where)
    return path.with_name(f"{path.name}.{ending}")


def _beside(where: str, ending: str) -> Path:
    path = side_path(where, ending)
    with named_errors(f"{where}: the journal cannot be written here"):
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def open_recorder(where: str, write: bool) -> JournalRecorder:
    """The recorder of a path (SQLite) or of a URL (Postgres).

    Raises ConfigError for what is no journal, StoreError, Corrupt.
    """
    where = without_password(where)
    if _is_server(where):
        opened: JournalRecorder = import_module(_POSTGRES).open_server(where, write)
        return opened
    path = _path(where)
    if not write and not path.exists():
        raise StoreError(f"{path}: there is no journal here")
    refuse_foreign(path, write=write)
    environment = {
        "PERSISTENCE_MODULE": _SQLITE,
        "ORIGINATOR_ID_TYPE": "text",
        "CREATE_TABLE": "yes" if write else "no",
        "SQLITE_DBNAME": f"{path.as_uri()}?mode={'rwc' if write else reading_mode(path)}",
    }
    if write:
        with named_errors(f"{where}: the journal cannot be written here", writing=True):
            create_private(path)
            for ending in _BESIDE:
                make_private(path.with_name(f"{path.name}{ending}"))
    with named_errors(f"{where}: the journal cannot be opened", writing=write):
        recorder = InfrastructureFactory.construct(environment).aggregate_recorder()
    assert isinstance(recorder, JournalRecorder)
    return recorder
