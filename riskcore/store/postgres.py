"""Postgres as a journal: a recorder of eventsourcing, durable at every commit and append-only by triggers and rights.

An append is one call of `riskcore.append`: one round trip and one flush. The function looks at the lease inside the
transaction, so a writer that was taken over stores nothing more, wherever it runs. Source: DESIGN.md.

The lease is a row, not a lock of a session: it outlives a broken connection, and a server that starts again. Its holder
renews it. Somebody else gets it when it was given back, when it was not renewed for `LEASE_SECONDS` by the server's
clock, or when the newcomer proves that the holder died: the lock of the profile on this computer is the newcomer's, and
the token of the lease lies beside it. A holder that cannot renew it counts for itself, and stops sending before that.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass
from itertools import groupby
from operator import itemgetter
from secrets import token_hex
from typing import Any, NoReturn
from urllib.parse import quote

from eventsourcing.postgres import PostgresAggregateRecorder

from riskcore.errors import Corrupt, OutOfSequence, ProfileBusy, StoreError
from riskcore.schema.chain import Link
from riskcore.store import postgres_tables as tables
from riskcore.store.archived import ArchivedDay
from riskcore.store.foreign import refuse_newer
from riskcore.store.lease import is_held
from riskcore.store.postgres_connection import Server
from riskcore.store.recorder import CachedState, JournalRecorder, Kept, side_path
from riskcore.store.server_lease import LEASE_SECONDS, LeaseClock, LeaseTokens, awake_or_asleep_seconds

TRIAL_BYTES = 64 << 10
_LOCK = 1919905643  # As in riskcore.append.
# %b: left to itself, the client library writes lists as text, which for a hundred events takes longer than the rest.
_APPEND = (
    "SELECT riskcore.append(%s::text, %s::bigint, %s::boolean, %s::text, %s::bigint, %b::text[], %b::bytea[], "
    "%b::bytea[])"
)
_NUMBER = "SELECT number FROM riskcore.streams WHERE originator_id = %s"
_ROWS = "SELECT seq, topic, state FROM riskcore.events WHERE stream = %s AND seq > %s ORDER BY seq LIMIT %s"
_LAST = "SELECT seq, topic, state FROM riskcore.events WHERE stream = %s ORDER BY seq DESC LIMIT 1"
_KEPT = (
    "SELECT seq, state, payload FROM riskcore.events "
    "WHERE stream = %s AND seq > %s AND payload IS NOT NULL ORDER BY seq LIMIT %s"
)
_LAST_KEPT = "SELECT payload FROM riskcore.events WHERE stream = %s AND payload IS NOT NULL ORDER BY seq DESC LIMIT 1"
_ALONE = "SELECT pg_advisory_xact_lock(%s, hashtext(%s))"
_LEASE = (
    "SELECT fence, holder, token, greatest(ceil(extract(epoch FROM renewed_at - clock_timestamp()) + %s), 0)::integer "
    "FROM riskcore.leases WHERE profile = %s"
)
_TAKE = (
    "INSERT INTO riskcore.leases VALUES (%s, 1, %s, %s, clock_timestamp()) ON CONFLICT (profile) DO UPDATE "
    "SET fence = leases.fence + 1, holder = excluded.holder, token = excluded.token, renewed_at = excluded.renewed_at "
    "RETURNING fence"
)
_RENEW = "UPDATE riskcore.leases SET renewed_at = clock_timestamp() WHERE profile = %s AND fence = %s"
_TAKE_AGAIN = (
    "UPDATE riskcore.leases SET fence = fence + 1, renewed_at = clock_timestamp() WHERE profile = %s AND token = %s "
    "RETURNING fence"
)
_GIVE_BACK = "UPDATE riskcore.leases SET holder = '', token = '' WHERE profile = %s AND token = %s"
_STREAMS = 'SELECT originator_id FROM riskcore.streams ORDER BY originator_id COLLATE "C"'
_NUMBERS = "SELECT number FROM riskcore.streams ORDER BY number"
_GET_STATE = "SELECT seq, fingerprint, seal, state FROM riskcore.state_cache WHERE stream = %s"
_ARCHIVED = (
    'SELECT stream, events, last_hash, last_link, file, sha256 FROM riskcore.archived ORDER BY stream COLLATE "C"'
)
_NOTE_ARCHIVED = "INSERT INTO riskcore.archived VALUES (%s, %s, %s, %s, %s, %s)"
_TAKE_OUT = (
    "DELETE FROM riskcore.events "
    "WHERE stream = (SELECT number FROM riskcore.streams WHERE originator_id = %s) AND seq <= %s"
)
_TAKE_OUT_STREAM = "DELETE FROM riskcore.streams WHERE originator_id = %s"
_TAKEN_OUT_AT_ONCE = 50_000  # Events: a statement must end before the server is taken for dead.
_DROP_STATE = "DELETE FROM riskcore.state_cache WHERE stream = %s"
_PUT_STATE = (
    "INSERT INTO riskcore.state_cache VALUES (%s, %s, %s, %s, %s) ON CONFLICT (stream) DO UPDATE SET "
    "seq = excluded.seq, fingerprint = excluded.fingerprint, seal = excluded.seal, state = excluded.state"
)


@dataclass(slots=True)
class _Held:
    """The lease of a writer: as it was taken, and the fence that it has by now."""

    profile: str
    fence: int
    token: str
    fence_now: int


class PostgresJournalRecorder(PostgresAggregateRecorder, JournalRecorder):
    """Events of all profiles in one database. `append` is the only way in: the inherited insert meets the view."""

    datastore: Server

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._lease = LeaseClock()
        self._held: _Held | None = None  # For a writer.
        self._numbers: dict[str, int] = {}  # Of each stream that is stored.

    # ---- writing -----------------------------------------------------------------------------------------

    def append(self, rows: Sequence[Link], profile: str, fence: int, payloads: Mapping[int, bytes]) -> None:
        asked_at, renew = awake_or_asleep_seconds(), self._lease.is_due
        calls = list(_calls(rows, profile, self._fence_now(profile, fence), renew, payloads))
        what = "the journal cannot be written"
        if len(calls) == 1:
            # Outside a block the statement is a transaction of its own, and the answer comes when it is durable.
            found = self.datastore.write(what, _APPEND, calls[0])
            _must_hold(profile, found[0][0])
        else:
            with self.datastore.transaction_of(what) as cursor:
                for call in calls:
                    cursor.execute(_APPEND, call, prepare=True)
                    _must_hold(profile, cursor.fetchall()[0][0])
        if renew:
            self._lease.renewed(asked_at)

    def tidy(self, *, at_once: bool = False) -> None:
        """The server looks after its own files; what is left to do is to renew the lease while nothing is stored."""
        held = self._held
        if held is not None and self._lease.is_due:
            self.datastore.look_for_it_beside()
            asked_at = awake_or_asleep_seconds()
            if not self.datastore.write("the lease cannot be renewed", _RENEW, (held.profile, held.fence_now)):
                self._raise_taken_over(held.profile)
            self._lease.renewed(asked_at)

    def try_out(self, profile: str, fence: int) -> None:
        # A server that is away for long is looked for beside the engine, which has to go on meanwhile.
        self.datastore.look_for_it_beside()
        self._fence_now(profile, fence)
        held, asked_at = self._held, awake_or_asleep_seconds()
        assert held is not None, "its fence is known"
        # With a new fence: an append whose connection was lost may still be on its way in, and must not come later.
        with self.datastore.transaction_of("the lease cannot be renewed") as cursor:
            cursor.execute(_ALONE, (_LOCK, profile))
            taken = cursor.execute(_TAKE_AGAIN, (profile, held.token)).fetchone()
            if taken is None:
                self._raise_taken_over(profile)
            held.fence_now = taken[0]
        self._lease.renewed(asked_at)
        trial = ("", 0, "", bytes(TRIAL_BYTES), b"")
        self.datastore.write("the journal cannot be written", _PUT_STATE, trial)
        self.datastore.write("the journal cannot be written", _DROP_STATE, ("",))

    def take_lease(self, profile: str, holder: str) -> int:
        tokens, token = _tokens(self.datastore.where, profile), token_hex(16)
        asked_at = awake_or_asleep_seconds()
        with self.datastore.transaction_of("the lease cannot be taken") as cursor:
            cursor.execute(_ALONE, (_LOCK, profile))
            found = cursor.execute(_LEASE, (LEASE_SECONDS, profile)).fetchone()
            if found is not None and found[1] and found[3] and found[2] not in tokens.known():
                raise ProfileBusy(
                    f"another engine is writing profile {profile} ({self.datastore.where}): {found[1]}; stop it first,"
                    f" or wait {found[3]} s if it is dead"
                )
            tokens.note(token)
            taken = cursor.execute(_TAKE, (profile, holder, token)).fetchone()
            assert taken is not None, "the statement returns a row"
            fence: int = taken[0]
        self._held = _Held(profile, fence, token, fence)
        self._lease.renewed(asked_at)
        return fence

    def _fence_now(self, profile: str, fence: int) -> int:
        """The number under which the lease that was taken as `fence` is held by now. Raises OutOfSequence."""
        if self._held is None or (self._held.profile, self._held.fence) != (profile, fence):
            self._raise_taken_over(profile)
        return self._held.fence_now

    @property
    def holds_lease(self) -> bool:
        return self._lease.holds

    def _raise_taken_over(self, profile: str) -> NoReturn:
        found = self.datastore.select(_LEASE, (LEASE_SECONDS, profile))
        raise _taken_over(profile, (found[0][1] if found else "") or "nobody")

    def put_state(self, stream: str, cached: CachedState) -> None:
        row = (stream, cached.seq, cached.fingerprint, cached.seal, cached.state)
        self.datastore.write("the state cache cannot be written", _PUT_STATE, row)

    def take_out(self, days: Sequence[ArchivedDay], profile: str, fence: int) -> None:
        with self.datastore.transaction_of("days cannot be taken out of the journal") as cursor:
            cursor.execute(_ALONE, (_LOCK, profile))
            lease = cursor.execute(_LEASE, (LEASE_SECONDS, profile)).fetchone()
            if lease is None or lease[0] != fence:
                _must_hold(profile, "nobody" if lease is None else lease[1] or "nobody")
            for statement in tables.SET_ASIDE:
                cursor.execute(statement)
            for day in days:
                cursor.execute(_NOTE_ARCHIVED, astuple(day))
                for until in range(_TAKEN_OUT_AT_ONCE, day.events + _TAKEN_OUT_AT_ONCE, _TAKEN_OUT_AT_ONCE):
                    cursor.execute(_TAKE_OUT, (day.stream, until))
                cursor.execute(_TAKE_OUT_STREAM, (day.stream,))
                cursor.execute(_DROP_STATE, (day.stream,))
            for statement in tables.PUT_BACK:
                cursor.execute(statement)
        self._numbers.clear()

    def give_space_back(self) -> None:
        """The server does so by itself (autovacuum): the room of days that left is used for the days to come."""

    def archived(self) -> list[ArchivedDay]:
        return [ArchivedDay(*row) for row in self.datastore.select(_ARCHIVED)]

    # ---- reading -----------------------------------------------------------------------------------------

    def _number(self, stream: str) -> int | None:
        number = self._numbers.get(stream)
        if number is None:
            found = self.datastore.select(_NUMBER, (stream,))
            if not found:
                return None
            number = self._numbers[stream] = found[0][0]
        return number

    def _of(self, stream: str, statement: str, *parameters: object) -> list[Any]:
        number = self._number(stream)
        return [] if number is None else self.datastore.select(statement, (number, *parameters))

    def rows(self, stream: str, after: int, limit: int) -> list[Link]:
        return [(stream, *row) for row in self._of(stream, _ROWS, after, limit)]

    def kept_rows(self, stream: str, after: int, limit: int) -> list[Kept]:
        return self._of(stream, _KEPT, after, limit)

    def last_kept(self, stream: str) -> bytes | None:
        rows = self._of(stream, _LAST_KEPT)
        return rows[0][0] if rows else None

    def last_row(self, stream: str) -> Link | None:
        rows = self._of(stream, _LAST)
        return (stream, *rows[0]) if rows else None

    def stream_ids(self) -> list[str]:
        return [row[0] for row in self.datastore.select(_STREAMS)]

    def get_state(self, stream: str) -> CachedState | None:
        rows = self.datastore.select(_GET_STATE, (stream,))
        return CachedState(*rows[0]) if rows else None

    def remembered_seqs(self) -> dict[str, int]:
        return dict(self.datastore.select("SELECT stream, seq FROM riskcore.state_cache WHERE stream <> ''"))

    def check_storage(self) -> None:
        select = self.datastore.select
        refuse_newer("store", [row[:2] for row in select(tables.COLUMNS_THERE)], tables.COLUMN_NAMES)
        for statement, wanted in (
            (tables.COLUMNS_THERE, tables.COLUMNS),
            (tables.TRIGGERS_THERE, tables.TRIGGERS_WANTED),
            (tables.FUNCTIONS_THERE, tables.FUNCTIONS_WANTED),
            (tables.KEYS_THERE, tables.KEYS_WANTED),
            (tables.RULES_THERE, ((0,),)),
        ):
            if tuple(select(statement)) != wanted:
                raise Corrupt("the journal's tables or triggers were changed: events may have been edited")
        changers = [row[0] for row in select(tables.CHANGERS)]
        if changers:
            raise Corrupt(
                f"{', '.join(changers)} may change stored events: events may have been edited; take the right back with"
                f" REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON riskcore.events, riskcore.streams FROM {changers[0]}"
            )
        if select(_NUMBERS) != select(tables.STREAMS_WITH_EVENTS):
            raise Corrupt(
                "the journal has events without a stream or a stream without events: it was damaged or edited"
            )

    def close(self) -> None:
        if self._held is not None and self.datastore.is_connected:
            with suppress(StoreError):
                self.datastore.write(
                    "the lease cannot be given back", _GIVE_BACK, (self._held.profile, self._held.token)
                )
        self.datastore.close()


def writer_is_there(server: Server, profile: str) -> bool:
    """Whether somebody, anywhere, holds the lease of a profile. Raises StoreError."""
    found = server.select(_LEASE, (LEASE_SECONDS, profile))
    if not found or not found[0][1]:
        return False
    _, _, token, seconds_left = found[0]
    # Of an engine on this computer the lock tells at once whether it lives; a lease only ends.
    if token in _tokens(server.where, profile).known():
        return is_held(side_path(server.where, f"{quote(profile, safe='')}.lock"))
    return bool(seconds_left)


def _tokens(where: str, profile: str) -> LeaseTokens:
    return LeaseTokens(side_path(where, f"{quote(profile, safe='')}.lease"))


def open_server(where: str, write: bool) -> PostgresJournalRecorder:
    """The recorder of a URL; a writer makes the tables where there are none. Raises ConfigError, StoreError."""
    server = Server(where, write)
    try:
        if not server.refuse_foreign():
            with server.transaction_of("the journal cannot be begun") as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                # Somebody else may have begun it meanwhile.
                if cursor.execute("SELECT to_regclass('riskcore.events')").fetchone() == (None,):
                    for statement in tables.STATEMENTS:
                        cursor.execute(statement)
        return PostgresJournalRecorder(server)
    except BaseException:
        server.close()
        raise


def _calls(
    rows: Sequence[Link], profile: str, fence: int, renew: bool, payloads: Mapping[int, bytes]
) -> Iterator[tuple[object, ...]]:
    """What `riskcore.append` is called with: once for each stream."""
    index = 0
    for stream, grouped in groupby(rows, key=itemgetter(0)):
        _, seqs, topics, states = zip(*grouped, strict=True)
        kept = [payloads.get(at) for at in range(index, index + len(seqs))] if payloads else []
        index += len(seqs)
        yield profile, fence, renew, stream, seqs[0], list(topics), list(states), kept


def _must_hold(profile: str, taken_by: str | None) -> None:
    if taken_by is not None:
        raise _taken_over(profile, taken_by)


def _taken_over(profile: str, by: str) -> OutOfSequence:
    return OutOfSequence(f"profile {profile} was taken over by {by}: this engine must stop")
