"""The journal keeps messages beside events; whoever edits, adds or removes one is noticed. Older journals go on."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from riskcore.core.events import Event, PositionObserved
from riskcore.errors import Corrupt
from riskcore.schema.chain import Head, link
from riskcore.schema.payloads import Message, link_of, message_line, pack
from riskcore.store.journal import Journal
from tests.schema.examples import AT, opening
from tests.store.days import DAY, NEXT_DAY, day, quotes, verify_chain
from tests.store.test_tamper import edit

# The table as every release before wrote it.
OLD_TABLE = "CREATE TABLE events (position INTEGER PRIMARY KEY, topic TEXT NOT NULL, state BLOB NOT NULL)"


def fact(number: int) -> Event:
    at = AT + number
    return Event(at, "broker", f"position:7:C@{at}", PositionObserved(7, "C", number))


def message(number: int, text: str = "position") -> Message:
    return AT + number, message_line(AT + number, f'{{"hub":"user","target":"{text}"}}'.encode())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Journal.open(tmp_path / "j.db", "p", write=True) as writer:
        writer.append([opening(), fact(1)], [message(1)])
        writer.append([fact(2), fact(3)], [message(2), message(3)])
        writer.append(quotes(2, 9))
    return tmp_path / "j.db"


def kept(path: Path, trade_date: str = DAY) -> list[tuple[int, bytes]]:
    with Journal.open(path, "p") as reader:
        verify_chain(reader, trade_date)
        return list(reader.messages(trade_date))


def test_messages_are_kept_word_for_word_beside_the_last_fact_of_their_transaction(path: Path) -> None:
    assert kept(path) == [(2, message(1)[1]), (4, message(2)[1] + message(3)[1])]


def test_a_day_without_messages_has_none(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.db", "p", write=True) as writer:
        writer.append(day(3))
    assert kept(tmp_path / "j.db") == []


KEPT = "WHERE position = (1 << 32) + 2"


def other(database: sqlite3.Connection) -> None:
    """Somebody knows the form, and makes up a message with the link of the true one."""
    (blob,) = database.execute(f"SELECT payload FROM events {KEPT}").fetchone()
    database.execute(f"UPDATE events SET payload = ? {KEPT}", (pack(link_of(blob), message(1, "x")[1]),))


def moved(database: sqlite3.Connection) -> None:
    database.execute(f"UPDATE events SET payload = (SELECT payload FROM events {KEPT}) WHERE position = (1 << 32) + 3")
    database.execute(f"UPDATE events SET payload = NULL {KEPT}")


def added(database: sqlite3.Connection) -> None:
    blob = pack(b"l" * 32, message(2)[1])
    database.execute("UPDATE events SET payload = ? WHERE position = (1 << 32) + 3", (blob,))


@pytest.mark.parametrize(
    "change",
    [
        other,
        moved,
        added,
        lambda database: database.execute(f"UPDATE events SET payload = NULL {KEPT}"),
        lambda database: database.execute(f"UPDATE events SET payload = x'' {KEPT}"),
        lambda database: database.execute(f"UPDATE events SET payload = 7 {KEPT}"),
        lambda database: database.execute(f"UPDATE events SET payload = 'text' {KEPT}"),
    ],
)
def test_a_changed_message_is_noticed(path: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    edit(path, change)
    with pytest.raises(Corrupt, match=f"day {DAY}, event"):
        kept(path)


def test_the_messages_of_a_day_hang_on_those_of_the_day_before(path: Path) -> None:
    with Journal.open(path, "p", write=True) as writer:
        writer.append([opening(NEXT_DAY), fact(20)], [message(20)])
    assert kept(path, NEXT_DAY) == [(2, message(20)[1])]
    edit(path, lambda database: database.execute("UPDATE events SET payload = NULL WHERE position < 2 << 32"))
    assert kept(path) == []
    with pytest.raises(Corrupt, match=NEXT_DAY):
        kept(path, NEXT_DAY)


def test_a_day_without_messages_between_two_with_some(path: Path) -> None:
    third = "2026-08-21"
    with Journal.open(path, "p", write=True) as writer:
        writer.append([opening(NEXT_DAY), fact(20)])
        writer.append([opening(third), fact(30)], [message(30)])
    with Journal.open(path, "p", write=True) as writer:
        writer.append([fact(31)], [message(31)])
    assert [kept(path, date) for date in (NEXT_DAY, third)] == [[], [(2, message(30)[1]), (3, message(31)[1])]]


def test_hashes_are_the_same_with_and_without_messages(path: Path, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "plain.db", "p", write=True) as plain:
        plain.append([opening(), fact(1), fact(2), fact(3), *quotes(2, 9)])
        with Journal.open(path, "p") as reader:
            assert reader.last_hash() == plain.last_hash()


def test_a_changed_message_is_damage_for_the_command(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from riskcore.cli.main import run

    edit(path, lambda database: database.execute(f"UPDATE events SET payload = NULL {KEPT}"))
    assert run(["verify", "--store", str(path)]) == 3
    assert "event 4: the messages beside it, or some before, were edited or taken out" in capsys.readouterr().err


def older(path: Path) -> None:
    """A journal as an older riskcore wrote it."""
    with Journal.open(path, "p", write=True):
        pass
    database = sqlite3.connect(path)
    view, triggers = (
        database.execute("SELECT name, sql FROM sqlite_master WHERE type = ?", (kind,)).fetchall()
        for kind in ("view", "trigger")
    )
    for name, _ in view:
        database.execute(f"DROP VIEW {name}")
    database.execute("DROP TABLE events")
    database.execute(OLD_TABLE)
    for _, sql in [*view, *[row for row in triggers if " ON events " in row[1]]]:
        database.execute(sql)
    database.execute("INSERT INTO streams VALUES (1, ?)", (f"p/{DAY}",))
    for _, seq, topic, state in link("p", Head(), day(3)):
        database.execute("INSERT INTO events VALUES (?, ?, ?)", ((1 << 32) + seq, topic, state))
    database.commit()
    database.close()


def test_an_older_journal_is_read_and_verified_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    older(path)
    before = path.read_bytes()
    assert kept(path) == []
    assert OLD_TABLE in [row[0] for row in sqlite3.connect(path).execute("SELECT sql FROM sqlite_master")]
    assert path.read_bytes() == before


def test_an_older_journal_is_written_on_and_keeps_messages_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    older(path)
    with Journal.open(path, "p", write=True) as writer:
        writer.append([opening(NEXT_DAY), fact(5)], [message(5)])
    assert kept(path) == []
    assert kept(path, NEXT_DAY) == [(2, message(5)[1])]
