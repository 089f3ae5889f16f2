"""What is special about a journal on Postgres: rights, triggers, leases across computers, servers that go."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from riskcore.errors import ConfigError, Corrupt, LostEvents, OutOfSequence, ProfileBusy, StoreError
from riskcore.schema.chain import Head, link
from riskcore.store import server_lease
from riskcore.store.journal import Journal
from riskcore.store.lease import is_held
from riskcore.store.postgres_connection import parameters_of
from riskcore.store.recorder import refuse_no_journal, writer_lock
from tests import processes
from tests.docs.pages import DOCS
from tests.postgres_server import ADMIN, PASSWORD, PostgresServer, running_server
from tests.schema.examples import opening
from tests.store.days import DAY, NEXT_DAY, day, quotes, verify_chain
from tests.store.test_payloads import fact, message


@pytest.fixture
def store(postgres_store: str) -> str:
    with Journal.open(postgres_store, "p", write=True) as writer:
        writer.append([opening(), fact(1)], [message(1)])
        writer.append([fact(2), fact(3)], [message(2)])
        writer.append(day(3, NEXT_DAY))
    return postgres_store


@pytest.fixture
def database(store: str, postgres_server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """Somebody with the owner's password who comes past riskcore."""
    with postgres_server.connect(name_of(store)) as connection:
        yield connection


def user_of(store: str) -> str:
    return store.split("//")[1].split("@")[0]


def name_of(store: str) -> str:
    return store.rpartition("/")[2]


def verify_all(store: str) -> list[int]:
    with Journal.open(store, "p") as reader:
        counted = [verify_chain(reader, date) for date in reader.streams()]
        assert [lines for date in reader.streams() for _, lines in reader.messages(date)] == [
            message(1)[1],
            message(2)[1],
        ]
        return counted


def wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


# ---- immutable by triggers and rights ----------------------------------------------------------------

EVENTS = "INSERT INTO riskcore.events (stream, seq, topic, state) VALUES"


# What to try, and whether rights refuse it before a trigger does.
REFUSED = (
    ("UPDATE riskcore.events SET topic = 'x' WHERE seq = 2", True),
    ("UPDATE riskcore.streams SET originator_id = 'p/2026-08-18'", True),
    ("DELETE FROM riskcore.events", True),
    ("DELETE FROM riskcore.streams", True),
    ("TRUNCATE riskcore.events", True),
    (f"{EVENTS} (1, 6, 'ClockTicked.1', '')", False),
    (f"{EVENTS} (1, 4, 'ClockTicked.1', '')", False),
    (f"{EVENTS} (1, 0, 'ClockTicked.1', '')", False),
    (f"{EVENTS} (1, -1, 'ClockTicked.1', '')", False),
    (f"{EVENTS} (3, 2, 'ClockTicked.1', '')", False),
    (f"{EVENTS} (1, 5, 'x', ''), (1, 7, 'x', '')", False),
    (f"{EVENTS} (1, 5, 'x', ''), (2, 6, 'x', '')", False),
    (f"{EVENTS} (1, 4, 'x', '') ON CONFLICT (stream, seq) DO UPDATE SET state = ''", True),
    ("INSERT INTO riskcore.streams OVERRIDING SYSTEM VALUE VALUES (1, 'p/2026-08-18')", False),
    (f"INSERT INTO riskcore.streams (originator_id) VALUES ('p/{DAY}')", False),
)


def test_the_database_itself_refuses(database: psycopg.Connection[Any], store: str) -> None:
    for statement, by_rights in REFUSED:
        refused = psycopg.errors.InsufficientPrivilege if by_rights else psycopg.errors.IntegrityError
        with pytest.raises(refused):
            database.execute(statement)
    # Whoever takes the right back meets the triggers.
    database.execute("GRANT ALL ON ALL TABLES IN SCHEMA riskcore TO CURRENT_USER")
    for statement, by_rights in REFUSED:
        with pytest.raises(psycopg.errors.IntegrityError, match="never changed" if by_rights else "."):
            database.execute(statement)
    database.execute("REVOKE UPDATE, DELETE, TRUNCATE ON riskcore.events, riskcore.streams FROM CURRENT_USER")
    assert verify_all(store) == [4, 4]


def test_the_next_event_is_admitted(database: psycopg.Connection[Any]) -> None:
    for stream, seq in ((1, 5), (1, 6), (3, 1), (3, 2)):
        database.execute(f"{EVENTS} ({stream}, {seq}, 'ClockTicked.1', '')")


AROUND = "ALTER TABLE riskcore.{0} DISABLE TRIGGER ALL", "ALTER TABLE riskcore.{0} ENABLE TRIGGER ALL"


def edit(server: PostgresServer, store: str, *statements: str) -> None:
    """Change rows as somebody with every right does: rights taken, triggers off, an edit, and all put back."""
    tables = ("events", "streams")
    server.psql(
        name_of(store),
        "GRANT ALL ON riskcore.events, riskcore.streams TO CURRENT_USER",
        *(AROUND[0].format(table) for table in tables),
        *statements,
        *(AROUND[1].format(table) for table in tables),
        "REVOKE UPDATE, DELETE, TRUNCATE ON riskcore.events, riskcore.streams FROM CURRENT_USER",
    )


EVENT = "WHERE stream = 1 AND seq ="


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE riskcore.events SET topic = 'MarketTraded.1' {EVENT} 2",
        f"UPDATE riskcore.events SET state = state || ' '::bytea {EVENT} 3",
        f"UPDATE riskcore.events SET state = '' {EVENT} 1",
        f"UPDATE riskcore.events SET seq = 9 {EVENT} 4",
        f"UPDATE riskcore.events SET stream = 7 {EVENT} 4",
        "UPDATE riskcore.events SET stream = 7 WHERE stream = 1",
        "UPDATE riskcore.streams SET originator_id = 'p/2026-08-18' WHERE number = 1",
        "DELETE FROM riskcore.streams WHERE number = 1",
        f"DELETE FROM riskcore.events {EVENT} 1",
        f"DELETE FROM riskcore.events {EVENT} 2",
        f"DELETE FROM riskcore.events {EVENT} 4",  # The day after hangs on it.
        "DELETE FROM riskcore.events WHERE stream = 1",
        "DELETE FROM riskcore.events WHERE stream = 2",
        f"{EVENTS} (1, 5, 'ClockTicked.1', '')",
        f"{EVENTS} (3, 1, 'ClockTicked.1', '')",
        "INSERT INTO riskcore.streams (originator_id) VALUES ('other')",
        f"UPDATE riskcore.events SET payload = NULL {EVENT} 2",
        f"UPDATE riskcore.events SET payload = '' {EVENT} 2",
        f"UPDATE riskcore.events SET payload = (SELECT payload FROM riskcore.events {EVENT} 4) {EVENT} 2",
    ],
)
def test_edited_rows_are_noticed(postgres_server: PostgresServer, store: str, statement: str) -> None:
    edit(postgres_server, store)
    assert verify_all(store) == [4, 4]
    edit(postgres_server, store, statement)
    with pytest.raises(Corrupt):
        verify_all(store)


def test_a_day_rewritten_with_right_hashes_no_longer_carries_the_next(
    postgres_server: PostgresServer, store: str
) -> None:
    forged = link("p", Head(), [opening(), *quotes(3, 50)])
    edit(
        postgres_server,
        store,
        "UPDATE riskcore.events SET payload = NULL WHERE stream = 1",
        *(
            f"UPDATE riskcore.events SET topic = '{topic}', state = '\\x{state.hex()}' {EVENT} {seq}"
            for _, seq, topic, state in forged
        ),
    )
    with Journal.open(store, "p") as reader:
        assert len(list(reader.read(DAY))) == 4
        with pytest.raises(Corrupt, match=f"p/{NEXT_DAY} does not hang on the day before"):
            reader.verify_storage()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TRIGGER never_changed ON riskcore.events", "tables or triggers were changed"),
        ("DROP TRIGGER never_changed ON riskcore.streams", "tables or triggers were changed"),
        ("DROP TRIGGER in_order ON riskcore.events", "tables or triggers were changed"),
        ("ALTER TABLE riskcore.events DISABLE TRIGGER never_changed", "tables or triggers were changed"),
        (
            "CREATE OR REPLACE FUNCTION riskcore.refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RETURN NULL; END'",
            "tables or triggers were changed",
        ),
        ("ALTER TABLE riskcore.events ADD COLUMN more text", "or somebody changed it"),
        ("ALTER TABLE riskcore.events DROP CONSTRAINT events_pkey", "tables or triggers were changed"),
        ("DROP VIEW riskcore.stored_events", "tables or triggers were changed"),
        ("CREATE RULE away AS ON INSERT TO riskcore.events DO INSTEAD NOTHING", "tables or triggers were changed"),
        ("GRANT UPDATE ON riskcore.events TO CURRENT_USER", "owner may change stored events"),
        ("GRANT INSERT ON riskcore.events TO PUBLIC", "everybody may change stored events"),
    ],
)
def test_changed_tables_triggers_and_rights_are_noticed(
    database: psycopg.Connection[Any], store: str, statement: str, said: str
) -> None:
    database.execute(statement)
    with Journal.open(store, "p") as reader, pytest.raises(Corrupt, match=said):
        reader.verify_storage()


# ---- roles -------------------------------------------------------------------------------------------


def role(server: PostgresServer, store: str, name: str, *grants: str) -> str:
    """The store as a new role with these rights sees it."""
    found = f"{name}_{name_of(store)}"
    server.psql("postgres", f"CREATE ROLE {found} LOGIN PASSWORD '{PASSWORD}'", user=ADMIN)
    server.psql(
        name_of(store),
        *(grant.replace("ROLE", found) for grant in grants),
    )
    return server.url(name_of(store), found)


READS = ("GRANT USAGE ON SCHEMA riskcore TO ROLE", "GRANT SELECT ON ALL TABLES IN SCHEMA riskcore TO ROLE")
# As docs/guides/postgres.md says.
WRITES = (
    "GRANT INSERT, UPDATE, DELETE ON riskcore.leases, riskcore.state_cache TO ROLE",
    "GRANT EXECUTE ON FUNCTION riskcore.append TO ROLE",
)


def test_the_guide_grants_what_these_tests_grant() -> None:
    page = (DOCS / "guides" / "postgres.md").read_text(encoding="utf-8")
    for grant in (*READS, *WRITES):
        assert f"{grant.replace('ROLE', 'engine')};" in page
    for grant in READS:
        assert f"{grant.replace('ROLE', 'auditor')};" in page


def test_a_role_that_may_only_read_reads_everything_and_changes_nothing(
    postgres_server: PostgresServer, store: str
) -> None:
    reader = role(postgres_server, store, "reader", *READS)
    statement = f"ALTER ROLE {user_of(reader)} SET default_transaction_read_only = on"
    postgres_server.psql("postgres", statement, user=ADMIN)
    assert verify_all(reader) == [4, 4]
    assert not is_held(writer_lock(reader, "p"))
    with pytest.raises(ConfigError, match=r"reader_\w+ may only read this journal"):
        Journal.open(reader, "p", write=True)
    append = f"SELECT riskcore.append('p', 1, false, 'p/{DAY}', 5, ARRAY['x'], ARRAY[''::bytea], '{{}}')"
    with postgres_server.connect(name_of(store), user_of(reader)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(append)


def test_an_engine_needs_no_right_to_insert_change_or_delete_events(
    postgres_server: PostgresServer, store: str
) -> None:
    engine = role(postgres_server, store, "engine", *READS, *WRITES)
    with Journal.open(engine, "p", write=True) as writer:
        writer.append(quotes(2, 9))
        writer.append(day(1, "2026-08-21"))
        writer.cache_state(book_of())
        assert writer.is_well()
    assert verify_all(engine) == [4, 6, 2]
    for statement in (
        f"{EVENTS} (1, 5, 'x', '')",
        "UPDATE riskcore.events SET topic = 'x'",
        "DELETE FROM riskcore.events",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            postgres_server.psql(name_of(store), statement, user=user_of(engine))


def book_of() -> Any:
    from riskcore.core.state import Book

    return Book(profile="p", now=5)


def test_rights_that_are_missing_are_named_with_what_grants_them(postgres_server: PostgresServer, store: str) -> None:
    nobody = role(postgres_server, store, "nobody")
    with pytest.raises(
        ConfigError, match=r"nobody_\w+ may not read the journal; .*GRANT USAGE ON SCHEMA riskcore TO nob"
    ):
        Journal.open(nobody, "p")
    empty = postgres_server.new_database()
    beginner = nobody.rpartition("/")[0] + f"/{empty}"
    with pytest.raises(ConfigError, match=rf"may not begin a journal here; .*GRANT CREATE ON DATABASE {empty} TO nob"):
        Journal.open(beginner, "p", write=True)
    postgres_server.psql(empty, f"GRANT CREATE ON DATABASE {empty} TO {user_of(beginner)}")
    Journal.open(beginner, "p", write=True).close()


# ---- whose database ----------------------------------------------------------------------------------


def test_a_database_of_another_program_is_left_alone(postgres_server: PostgresServer, postgres_store: str) -> None:
    name = name_of(postgres_store)
    postgres_server.psql(name, "CREATE TABLE invoices (number integer)", "CREATE TABLE events (number integer)")
    for attempt in (
        lambda: Journal.open(postgres_store, "p", write=True),
        lambda: Journal.open(postgres_store, "p"),
        lambda: refuse_no_journal(postgres_store),
    ):
        with pytest.raises(ConfigError, match=r"another program \(it holds events, invoices\); name another"):
            attempt()
    assert postgres_server.psql(name, "SELECT count(*) FROM pg_namespace WHERE nspname = 'riskcore'") == [(0,)]


def test_a_journal_of_a_newer_riskcore_is_read_and_not_written(postgres_server: PostgresServer, store: str) -> None:
    postgres_server.psql(store.rpartition("/")[2], "ALTER TABLE riskcore.events ADD COLUMN later text")
    with pytest.raises(Corrupt, match=r"does not know \(events.later\): a newer riskcore wrote it"):
        Journal.open(store, "p", write=True)
    with Journal.open(store, "p") as journal, pytest.raises(Corrupt, match="a newer riskcore wrote it"):
        journal.verify_storage()


def test_an_empty_database_is_a_place_for_a_writer_and_nothing_for_a_reader(postgres_store: str) -> None:
    assert not refuse_no_journal(postgres_store)
    with pytest.raises(ConfigError, match="nothing was recorded yet"):
        Journal.open(postgres_store, "p")
    Journal.open(postgres_store, "p", write=True).close()
    assert refuse_no_journal(postgres_store)


# ---- what goes wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "exit_code", "said"),
    [
        (lambda url: url.replace("owner", "stranger"), 2, "the server refuses this .*stranger.*PGPASSWORD"),
        (lambda url: url.replace("owner@", "owner:wrong@"), 2, "the server refuses this .*authentication failed"),
        (lambda url: f"{url}_none", 2, "does not exist"),
        (lambda url: f"{url}?sslmode=verify-full", 2, "no encrypted connection|no encrypted"),
        (lambda url: f"{url}?colour=blue", 2, "cannot be read"),
        (lambda url: url.replace("owner@", "owner:wr?ng@"), 2, "authentication failed"),
        (lambda url: url.rpartition(":")[0] + ":none/x", 2, "'none' is no port; a port is a number from 1 to 65535"),
        (lambda url: url.rpartition(":")[0] + ":0/x", 2, "'0' is no port"),
        (lambda url: url.rpartition(":")[0] + ":65536/x", 2, "'65536' is no port"),
        (lambda url: f"{url}?port=1,none", 2, "'none' is no port"),
        (lambda url: f"{url}?sslmode=sure", 2, 'a setting of this URL cannot be used .*sslmode value: "sure"'),
        (lambda url: f"{url}?connect_timeout=x", 2, "a setting of this URL cannot be used"),
        (lambda url: f"{url}?keepalives_idle=x", 2, "a setting of this URL cannot be used"),
        (lambda url: f"{url}?client_encoding=x", 2, "a setting of this URL cannot be used"),
        (lambda url: url.rpartition(":")[0] + ":65535/x", 3, "the server cannot be used .*refused.*start it"),
        (lambda url: url.rpartition(":")[0] + ":1/x", 3, "the server cannot be used .*refused.*start it"),
    ],
)
def test_what_can_be_wrong_has_a_code_and_says_what_to_do(
    store: str, change: Callable[[str], str], exit_code: int, said: str
) -> None:
    for write in (False, True):
        with pytest.raises((ConfigError, StoreError), match=said) as raised:
            Journal.open(change(store), "p", write=write)
        assert raised.value.exit_code == exit_code
        assert "\n" not in str(raised.value)
        assert not any(password in str(raised.value) for password in ("wrong@", "wr?ng"))


@pytest.mark.parametrize("variable", ["PGHOST", "PGHOSTADDR"])
def test_a_host_of_the_environment_is_no_way_round_encryption(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    assert parameters_of("postgresql:///riskcore?sslmode=disable")["sslmode"] == "disable"
    monkeypatch.setenv(variable, "192.0.2.1")
    assert parameters_of("postgresql:///riskcore")["sslmode"] == "require"
    with pytest.raises(ConfigError, match="in clear"):
        parameters_of("postgresql:///riskcore?sslmode=disable")
    with pytest.raises(ConfigError, match="in clear"):
        parameters_of("postgresql://localhost/riskcore?sslmode=disable&hostaddr=192.0.2.1")


@pytest.mark.parametrize(("variable", "value"), [("PGHOSTADDR", "192.0.2.1"), ("PGSERVICE", "elsewhere")])
def test_nor_is_an_address_that_goes_before_the_host_of_the_url(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert parameters_of("postgresql://localhost/riskcore")["sslmode"] == "require"
    assert parameters_of("postgresql://localhost/riskcore?hostaddr=127.0.0.1")["sslmode"] == "prefer"
    monkeypatch.delenv(variable)
    assert parameters_of("postgresql://localhost/riskcore")["sslmode"] == "prefer"
    assert parameters_of("postgresql://localhost/riskcore?service=elsewhere")["sslmode"] == "require"


def test_the_environment_may_ask_for_more_encryption_and_for_no_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert parameters_of("postgresql://db.example/riskcore")["sslmode"] == "verify-full"
    assert parameters_of("postgresql://db.example/riskcore?sslmode=require")["sslmode"] == "require"
    monkeypatch.setenv("PGSSLMODE", "disable")
    with pytest.raises(ConfigError, match="in clear"):
        parameters_of("postgresql://db.example/riskcore")


def test_a_server_that_does_not_fit_is_refused(
    postgres_server: PostgresServer, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "riskcore.store.postgres_connection"
    monkeypatch.setattr(f"{module}.OLDEST", 99)
    with pytest.raises(ConfigError, match=r"Postgres \d+ is too old; riskcore needs 99 or newer"):
        Journal.open(store, "p")
    monkeypatch.undo()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setattr(f"{module}._DURABLE", "off")
    with pytest.raises(StoreError, match="fsync=on: not durable"):
        Journal.open(store, "p", write=True)
    monkeypatch.undo()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    ascii_only = postgres_server.new_database("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(ConfigError, match="not in UTF8; create one with ENCODING 'UTF8'"):
        Journal.open(postgres_server.url(ascii_only), "p", write=True)


def test_a_commit_is_durable_whatever_the_server_is_set_to(postgres_server: PostgresServer, store: str) -> None:
    postgres_server.psql("postgres", f"ALTER DATABASE {name_of(store)} SET synchronous_commit = off")
    with Journal.open(store, "p", write=True) as writer:
        assert writer._recorder.datastore.select("SHOW synchronous_commit") == [("on",)]


# ---- the lease ---------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], None]:
    """From its call on this process is on another computer, as far as files go."""

    def move() -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("elsewhere")))

    return move


def test_an_engine_on_another_computer_is_refused_until_the_lease_ends(
    store: str, database: psycopg.Connection[Any], elsewhere: Callable[[], None]
) -> None:
    def pass_seconds(seconds: int) -> None:
        database.execute(f"UPDATE riskcore.leases SET renewed_at = renewed_at - interval '{seconds} s'")

    here = Journal.open(store, "p", write=True)
    elsewhere()
    with pytest.raises(
        ProfileBusy, match=r"another engine is writing profile p .*: process \d+ on .*stop it first"
    ) as raised:
        Journal.open(store, "p", write=True)
    assert raised.value.exit_code == 4
    assert is_held(writer_lock(store, "p"))
    here.append(quotes(1, 7))  # A refused newcomer has fenced nobody.
    pass_seconds(16)
    assert not is_held(writer_lock(store, "p"))
    there = Journal.open(store, "p", write=True)
    there.append(quotes(1, 8))
    with pytest.raises(OutOfSequence, match=r"taken over by process \d+ on .*this engine must stop") as lost:
        here.append(quotes(1, 8))
    assert lost.value.exit_code == 4
    with pytest.raises(OutOfSequence, match="taken over"):
        here.is_well()
    here.close()  # Whoever lost the lease does not give back somebody else's.
    there.append(quotes(1, 9))
    assert there.last_seq(NEXT_DAY) == 7
    there.close()
    elsewhere()
    Journal.open(store, "p", write=True).close()  # What was given back is free at once.


def test_a_holder_renews_its_lease_with_what_it_stores_and_in_quiet_moments(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    for module in ("server_lease", "postgres"):
        monkeypatch.setattr(f"riskcore.store.{module}.awake_or_asleep_seconds", lambda: now[0])
    with Journal.open(store, "p", write=True) as writer:
        ask = writer._recorder.datastore.select
        renewed = [ask("SELECT renewed_at FROM riskcore.leases")]
        for work in (writer.tidy, lambda: writer.append(quotes(1, 7)), lambda: writer.append(day(1, "2026-08-21"))):
            now[0] += server_lease.RENEWED_EVERY_SECONDS - 1
            work() if work == writer.tidy else None  # Not due yet.
            assert ask("SELECT renewed_at FROM riskcore.leases") == renewed[-1]
            now[0] += 1
            work()
            renewed.append(ask("SELECT renewed_at FROM riskcore.leases"))
        assert renewed == sorted(renewed)
        assert len({str(one) for one in renewed}) == 4


@pytest.mark.parametrize(("seconds", "holds"), [(11.9, True), (12.0, False), (12.1, False)])
def test_a_holder_that_cannot_renew_stops_before_anybody_else_may_begin(
    store: str, monkeypatch: pytest.MonkeyPatch, seconds: float, holds: bool
) -> None:
    now = [1000.0]
    for module in ("server_lease", "postgres"):
        monkeypatch.setattr(f"riskcore.store.{module}.awake_or_asleep_seconds", lambda: now[0])
    with Journal.open(store, "p", write=True) as writer:
        assert writer.holds_lease
        now[0] += seconds
        assert writer.holds_lease == holds
        assert server_lease.LEASE_SECONDS - seconds > 0


# ---- a server that goes away -------------------------------------------------------------------------


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
    with running_server() as server:
        yield server


def test_a_writer_outlives_a_server_that_falls_and_loses_nothing_acknowledged(own_server: PostgresServer) -> None:
    store = own_server.url(own_server.new_database())
    with Journal.open(store, "p", write=True) as writer, Journal.open(store, "p") as reader:
        writer.append(day(3))
        own_server.stop("immediate")
        with pytest.raises(StoreError) as raised:
            writer.append(quotes(1, 3))
        assert raised.value.exit_code == 3
        asked_at = time.monotonic()
        assert not writer.is_well()
        assert time.monotonic() - asked_at < 3, "enforcement goes on meanwhile"
        own_server.start()
        wait_until(writer.is_well)
        writer.append(quotes(2, 3))
        assert verify_chain(reader, DAY) == 6


def test_a_commit_whose_answer_was_lost_is_found_again(store: str, postgres_server: PostgresServer) -> None:
    with Journal.open(store, "p", write=True) as writer:
        recorder = writer._recorder
        write = recorder.datastore.write

        def lose_answer(*words: Any) -> list[Any]:
            write(*words)
            raise StoreError("the connection was lost")

        recorder.datastore.write = lose_answer
        with pytest.raises(StoreError, match="lost"):
            writer.append(quotes(1, 7))
        recorder.datastore.write = write
        assert writer.is_well()
        writer.append(quotes(1, 8))
        assert writer.last_seq(NEXT_DAY) == 6


@pytest.mark.parametrize("stopped", ["asked", "answering"])
def test_a_server_that_hangs_is_given_up_and_its_late_commit_does_not_come_later(
    store: str, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    silent = "riskcore.store.postgres_connection.SILENT_SECONDS"
    with Journal.open(store, "p", write=True) as writer, postgres_server.connect(name_of(store)) as other:
        ((process,),) = writer._recorder.datastore.select("SELECT pg_backend_pid()")
        if stopped == "answering":  # It has begun, and stands before a row that somebody else is about to add.
            other.autocommit = False
            other.execute(f"{EVENTS} (2, 5, 'x', '')")
        else:
            os.kill(process, signal.SIGSTOP)
        monkeypatch.setattr(silent, 0.3)
        with pytest.raises(StoreError, match=r"no answer|timeout"):
            writer.append(quotes(1, 8))
        monkeypatch.setattr(silent, 60)
        if stopped == "answering":
            writer.is_well()  # What it began may still come to its end; a server that noticed has given it up.
            other.rollback()
        wait_until(writer.is_well)
        if stopped == "asked":
            os.kill(process, signal.SIGCONT)
        writer.append(quotes(1, 9))
        time.sleep(0.2)
        writer.append(quotes(1, 10))
        assert writer.last_seq(NEXT_DAY) in (6, 7)
        writer.verify_storage()
        assert len(list(writer.read(NEXT_DAY))) == writer.last_seq(NEXT_DAY)


def test_a_replica_is_read_like_its_primary_and_takes_no_writer(own_server: PostgresServer) -> None:
    name = own_server.new_database()
    with Journal.open(own_server.url(name), "p", write=True) as writer:
        writer.append([opening(), fact(1)], [message(1)])
        writer.append([fact(2), fact(3)], [message(2)])
        writer.append(day(3, NEXT_DAY))
        replica = PostgresServer(own_server.folder / "replica")
        replica.folder.mkdir()
        own_server.hand_over(replica.folder)
        replica.copy_from(own_server)
        replica.start()
        try:
            store = replica.url(name)
            assert verify_all(store) == [4, 4]
            with pytest.raises(ConfigError, match="a read replica, which takes no events; name its primary"):
                Journal.open(store, "q", write=True)
            with Journal.open(store, "p") as reader:
                writer.append(quotes(1, 8))
                wait_until(lambda: reader.last_seq(NEXT_DAY) == 5)
        finally:
            replica.stop()


@pytest.mark.nightly  # Two servers are made and started.
def test_a_standby_without_the_last_commits_is_refused_until_it_has_them(own_server: PostgresServer) -> None:
    """A fail-over to a server that is behind would forget what was decided, lockouts included."""
    name = own_server.new_database()
    store = own_server.url(name)
    writer = Journal.open(store, "p", write=True)
    writer.append(day(3))
    standby = PostgresServer(own_server.folder / "standby", f"port = {own_server.port}")
    standby.folder.mkdir()
    own_server.hand_over(standby.folder)
    standby.copy_from(own_server)
    writer.append(quotes(2, 3))
    last = writer.last_hash()
    own_server.stop("fast")
    with pytest.raises(StoreError):
        writer.append(quotes(1, 6))
    (standby.data / "standby.signal").unlink()
    standby.start()
    try:
        with pytest.raises(LostEvents, match=f"event 6 of day {DAY} with hash {last} is not there") as raised:
            wait_until(writer.is_well)
        assert raised.value.exit_code == 3
        writer.close()
        with pytest.raises(LostEvents, match="use the store that has it"):  # A restart changes nothing.
            Journal.open(store, "p", write=True)
        with Journal.open(store, "p") as reader:
            assert verify_chain(reader, DAY) == 4
    finally:
        standby.stop("fast")
    own_server.start()
    with Journal.open(store, "p", write=True) as again:
        again.append(quotes(1, 6))
        assert verify_chain(again, DAY) == 7


# ---- encryption --------------------------------------------------------------------------------------


def certify(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """The certificate of a new authority, and one of a server with its key, signed by it."""
    own, signed, key = (folder / f"{name}.{ending}" for ending in ("authority.pem", "pem", "key"))
    request: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    request += ["-nodes", "-days", "2", "-keyout"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-CA", own, "-CAkey"]
    authority_key = folder / "authority.key"
    for words in (
        [*request, authority_key, "-out", own, "-subj", "/CN=an authority"],
        [*request, key, "-out", signed, *subject, authority_key],
    ):
        done = processes.run(words)
        assert done.returncode == 0, done.stderr
    return own, signed, key


@pytest.fixture
def encrypted(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The server encrypts as db.example; the certificate of the authority behind it, and that of another one."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here to make certificates with")
    own, signed, key = certify(tmp_path, "db.example")
    (tmp_path / "other").mkdir()
    another, _, _ = certify(tmp_path / "other", "db.example")
    for made, name in ((signed, "server.crt"), (key, "server.key")):
        shutil.copy(made, postgres_server.data / name)
        (postgres_server.data / name).chmod(0o600)
        postgres_server.hand_over(postgres_server.data / name)
    switch(postgres_server, "ALTER SYSTEM SET ssl = on")
    yield own, another
    switch(postgres_server, "ALTER SYSTEM RESET ssl")


def switch(server: PostgresServer, statement: str) -> None:
    """Change a setting of the running server, and wait until it counts."""
    with server.connect(user=ADMIN) as connection:
        connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")
    wait_until(lambda: (server.psql("postgres", "SHOW ssl")[0][0] == "on") == statement.endswith("= on"))


def test_a_connection_to_another_computer_is_encrypted_and_its_server_proved(
    store: str, postgres_server: PostgresServer, encrypted: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riskcore.store.server_url._is_here", lambda host: False)
    trusted, another = encrypted
    far = f"postgresql://owner@db.example:{postgres_server.port}/{name_of(store)}?hostaddr=127.0.0.1"
    for more in ("", "&sslmode=require", f"&sslmode=verify-full&sslrootcert={trusted}"):
        with Journal.open(far + more, "p", write=True) as writer:
            ask = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
            assert writer.recorder.datastore.select(ask) == [(True,)]  # type: ignore[attr-defined]
            writer.append(quotes(1, 9))
    elsewhere = far.replace("db.example", "db.invalid")
    for where in (
        f"{far}&sslmode=verify-full&sslrootcert={another}",
        f"{elsewhere}&sslmode=verify-full&sslrootcert={trusted}",
    ):
        with pytest.raises(ConfigError, match="certificate") as raised:
            Journal.open(where, "p")
        assert "\n" not in str(raised.value)
    switch(postgres_server, "ALTER SYSTEM SET ssl = off")
    for more in ("", "&sslmode=require", f"&sslmode=verify-full&sslrootcert={trusted}"):
        with pytest.raises(ConfigError, match="no encrypted connection"):
            Journal.open(far + more, "p")
