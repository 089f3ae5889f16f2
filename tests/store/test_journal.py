"""What a journal promises, on every back end."""

from dataclasses import replace
from pathlib import Path

import pytest

from replay.recording import open_lines
from riskcore.core.events import TradingDayOpened
from riskcore.core.state import Account, Book
from riskcore.errors import ConfigError, InvariantBroken, OutOfSequence, StoreError
from riskcore.schema.chain import Head, link
from riskcore.schema.export import ExportWriter, read_export
from riskcore.store import fingerprint, journal
from riskcore.store.export_file import write_export
from riskcore.store.journal import Journal
from tests.schema.examples import opening
from tests.store.days import DAY, NEXT_DAY, day, quotes, verify_chain


def test_what_was_appended_is_read_back(where: str) -> None:
    events = day(20)
    with Journal.open(where, "p", write=True) as writer:
        assert (writer.streams(), writer.last_hash(), writer.last_seq(DAY)) == ([], "", 0)
        writer.append(events[:3])
        writer.append([])
        for event in events[3:]:
            writer.append([event])
        assert writer.last_seq(DAY) == 21
    with Journal.open(where, "p") as reader:
        stored = list(reader.read(DAY))
        assert [seq for seq, _, _ in stored] == list(range(1, 22))
        assert [event for _, event, _ in stored] == events
        assert [digest for _, _, digest in stored] == [state[:32] for *_, state in link("p", Head(), events)]
        assert reader.last_hash() == stored[-1][2].hex()
        assert reader.streams() == [DAY]
        assert verify_chain(reader, DAY) == 21


@pytest.mark.parametrize("size", [499, 500, 501, 1000])
def test_reading_by_pages_loses_nothing(where: str, size: int) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(size - 1))
        assert [seq for seq, _, _ in writer.read(DAY)] == list(range(1, size + 1))
        assert [seq for seq, _, _ in writer.read(DAY, after=size - 1)] == [size]
        assert list(writer.read(DAY, after=size)) == []


def test_reading_from_the_middle(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(9))
        whole = list(writer.read(DAY))
        for after in range(11):
            assert list(writer.read(DAY, after)) == whole[after:]
        with pytest.raises(StoreError, match="has no event 11"):
            list(writer.read(DAY, after=11))
        with pytest.raises(StoreError, match=f"p/{NEXT_DAY} is not in this journal; days stored: {DAY}"):
            list(writer.read(NEXT_DAY))


def test_a_day_continues_after_a_restart_and_the_next_one_hangs_on_it(where: str) -> None:
    for part in ([opening()], quotes(2), quotes(2, 2), [opening(NEXT_DAY), *quotes(1)]):
        with Journal.open(where, "p", write=True) as writer:
            before = writer.last_hash()
            writer.append(part)
    with Journal.open(where, "p") as reader:
        assert reader.streams() == [DAY, NEXT_DAY]
        assert [verify_chain(reader, date) for date in reader.streams()] == [5, 2]
        opened = next(reader.read(NEXT_DAY))[1].body
        assert isinstance(opened, TradingDayOpened)
        assert opened.previous_hash == before != ""


def test_several_days_in_one_append(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(3) + day(2, NEXT_DAY))
        assert [verify_chain(writer, date) for date in writer.streams()] == [4, 3]


def test_what_does_not_fit_is_refused_whole(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        with pytest.raises(OutOfSequence, match="before any trading day"):
            writer.append(quotes(1))
        writer.append(day(1))
        head = writer.last_hash()
        for wrong in ([opening()], [opening("2026-08-18")], [opening(NEXT_DAY, previous_hash="ab" * 32)], day(1)):
            with pytest.raises(OutOfSequence):
                writer.append([*quotes(1, 7), *wrong])
        with pytest.raises(InvariantBroken):
            writer.append([*quotes(1, 7), replace(quotes(1)[0], key="\ud800")])
        assert writer.last_hash() == head
        writer.append(quotes(1, 1))
        assert verify_chain(writer, DAY) == 3


def test_profiles_share_a_file_and_nothing_else(where: str) -> None:
    with Journal.open(where, "p", write=True) as one, Journal.open(where, "pq", write=True) as other:
        one.append(day(3))
        other.append([opening(profile="pq"), *quotes(1)])
        one.append(quotes(1, 3))
        assert (one.streams(), other.streams()) == ([DAY], [DAY])
        assert (verify_chain(one, DAY), verify_chain(other, DAY)) == (5, 2)
        with pytest.raises(OutOfSequence, match="a day of profile pq"):
            one.append([opening(NEXT_DAY, "pq")])


def test_a_reader_writes_nothing_and_sees_what_comes(where: str, tmp_path: Path) -> None:
    with pytest.raises((StoreError, ConfigError), match=r"there is no journal here|nothing was recorded yet"):
        Journal.open(where, "p")
    assert not (tmp_path / "new folder").exists()
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(1))
        with Journal.open(where, "p") as reader:
            events = reader.read(DAY)
            next(events)
            writer.append(quotes(2, 1))
            assert reader.last_seq(DAY) == 4
            assert len(list(reader.read(DAY))) == 4
            with pytest.raises(StoreError, match="reading only"):
                reader.append(quotes(1))


@pytest.mark.parametrize("profile", ["", "a/b", "a\nb"])
def test_profile_names(where: str, profile: str) -> None:
    with pytest.raises(StoreError, match="profile name"):
        Journal.open(where, profile, write=True)


def test_stores_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database, " * 100, encoding="utf-8")
    for where in (tmp_path / "text", tmp_path / "text" / "below"):
        for write in (True, False):
            with pytest.raises(StoreError) as raised:
                Journal.open(where, "p", write=write)
            assert raised.value.exit_code == 3
    with pytest.raises(ConfigError, match="not a file"):
        Journal.open(tmp_path / "folder", "p", write=True)
    with pytest.raises(ConfigError, match="journals are kept in files and on Postgres"):
        Journal.open("mysql://server/x", "p", write=True)


def test_export_is_the_same_from_the_store_as_from_the_events(where: str, tmp_path: Path) -> None:
    events = day(2500) + day(2, NEXT_DAY)
    lines: list[bytes] = []
    with Journal.open(where, "p", write=True) as writer:
        writer.append(events)
        both = ExportWriter(lines.append)
        writer.export([DAY, NEXT_DAY], both)
        both.close()
        second: list[bytes] = []
        only = ExportWriter(second.append)
        writer.export([NEXT_DAY], only)
        only.close()
        stored = [*writer.read(DAY), *writer.read(NEXT_DAY)]
        assert list(read_export(second, "second", strict=True)) == list(writer.read(NEXT_DAY))
    direct: list[bytes] = []
    unstored = ExportWriter(direct.append)
    unstored.add_events(events)
    unstored.close()
    assert lines == direct
    for name in ("day.jsonl", "day.jsonl.gz"):
        with write_export(tmp_path / name) as file:
            file.add_events(events)
        assert list(read_export(open_lines(tmp_path / name), name, strict=True)) == stored
    assert (tmp_path / "day.jsonl").read_bytes() == b"".join(lines)


def book() -> Book:
    return Book(profile="p", now=5, accounts={2: Account(2), 1: Account(1, name="x")})


def test_a_remembered_state_comes_back(where: str) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(3))
        assert writer.cached_state(DAY) is None
        writer.cache_state(book())
        writer.append(quotes(1, 3))
    with Journal.open(where, "p") as reader:
        cached = reader.cached_state(DAY)
        assert cached == (4, book())
        assert list(cached[1].accounts) == [2, 1]
        assert reader.cached_state(NEXT_DAY) is None


def test_a_remembered_state_of_other_code_or_another_chain_is_not_used(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Journal.open(where, "p", write=True) as writer:
        writer.append(day(3))
        writer.cache_state(book())
        good = writer._recorder.get_state(f"p/{DAY}")
        assert good is not None
        monkeypatch.setattr(journal, "core_fingerprint", lambda: "other code")
        assert writer.cached_state(DAY) is None
        monkeypatch.undo()
        for change in ({"seq": 3}, {"seq": 9}, {"state": good.state + b" "}, {"seal": bytes(32)}):
            writer._recorder.put_state(f"p/{DAY}", replace(good, **change))
            assert writer.cached_state(DAY) is None
        writer._recorder.put_state(f"p/{DAY}", good)
        assert writer.cached_state(DAY) == (4, book())


def test_the_fingerprint_covers_every_source_of_the_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "state.py").write_bytes(b"a\n")
    (tmp_path / "rules" / "one.py").write_bytes(b"b\n")
    monkeypatch.setattr(fingerprint.riskcore.core, "__path__", [str(tmp_path)])
    compute = fingerprint.core_fingerprint.__wrapped__
    seen = [compute()]
    (tmp_path / "state.py").write_bytes(b"a\r\n")
    assert compute() == seen[0]
    (tmp_path / "rules" / "one.py").write_bytes(b"c\n")
    seen.append(compute())
    (tmp_path / "rules" / "one.py").rename(tmp_path / "rules" / "two.py")
    seen.append(compute())
    (tmp_path / "rules" / "new.py").write_bytes(b"")
    seen.append(compute())
    assert len(set(seen)) == 4
