"""riskcore verify: what is whole and decided the same is 0, other decisions 1, anything edited or missing 3."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.core.events import Event, RuleBreached, TradingDayOpened
from riskcore.engine.resume import resume
from riskcore.schema.export import ExportWriter, read_export
from riskcore.store.journal import Journal
from tests.cli.sources import Sources


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def rewritten(sources: Sources, change: object) -> Path:
    """An export whose chain and end line are right again after `change` worked on its events: a careful forger's."""
    assert callable(change)
    events: list[Event] = change([event for _, event, _ in read_export(lines_of(sources.export), "export")])
    path = Path("rewritten.jsonl")
    with path.open("wb") as file:
        writer = ExportWriter(file.write)
        writer.add_events(events)
        writer.close()
    return path


def test_a_store_and_an_export_are_fine(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--store", str(sources.store), "--json"]) == 0
    stored = json.loads(capfd.readouterr().out)
    assert run(["verify", str(sources.export), "--json"]) == 0
    exported = json.loads(capfd.readouterr().out)
    assert stored["schema"] == "riskcore.verify/1"
    assert [row.pop("source") for row in stored["days"]] == ["combine", "combine"]
    assert [row.pop("source") for row in exported["days"]] == ["two-export.jsonl", "two-export.jsonl"]
    assert stored == exported
    assert [row["trade_date"] for row in stored["days"]] == ["2026-11-20", "2026-11-23"]
    assert [row["hands_on_the_same"] for row in stored["days"]] == [True, None]
    assert all(row["recorded"] == row["recomputed"] > 5 for row in stored["days"])


def test_a_wire_recording_has_no_decisions(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(sources.wire), "--json"]) == 0
    row = json.loads(capfd.readouterr().out)["recordings"][0]
    assert (row["lines"], row["end_line"], row["decisions"]) == (len(lines_of(sources.wire)), True, None)
    assert run(["verify", str(sources.wire)]) == 0
    assert "no decisions to compare" in capfd.readouterr().out


def test_an_edited_recording_is_exit_3(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    sources.wire.write_bytes(sources.wire.read_bytes().replace(b"20849.25", b"20849.50", 1))
    assert run(["verify", str(sources.wire)]) == 3
    assert "the end line does not match" in capfd.readouterr().err


def test_a_flipped_digit_is_named_with_file_and_line(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(sources.export)
    number = next(index for index, line in enumerate(lines) if b"-604000000" in line)
    lines[number] = lines[number].replace(b"-604000000", b"-404000000")
    sources.export.write_bytes(b"".join(lines))
    assert run(["verify", str(sources.export), "--json"]) == 3
    said = capfd.readouterr()
    assert f"two-export.jsonl, line {number + 1}" in said.err
    assert json.loads(said.out)["damage"][0]["source"] == "two-export.jsonl"


@pytest.mark.parametrize("what", ["removed", "swapped", "doubled"])
def test_a_missing_moved_or_doubled_line_is_exit_3(sources: Sources, what: str) -> None:
    lines = lines_of(sources.export)
    if what == "removed":
        del lines[10]
    elif what == "swapped":
        lines[10], lines[11] = lines[11], lines[10]
    else:
        lines.insert(10, lines[10])
    sources.export.write_bytes(b"".join(lines))
    assert run(["verify", str(sources.export)]) == 3


# ---- ends that are missing ---------------------------------------------------------------------------


def cut_off(path: Path, how: str) -> None:
    """The end line is taken away, or with it some events, or the last line is torn."""
    lines = lines_of(path)
    left = b"".join(lines[:-1] if how == "end line" else lines[:-4])
    path.write_bytes(left[:-20] if how == "torn" else left)


@pytest.mark.parametrize("how", ["end line", "events", "torn"])
@pytest.mark.parametrize("form", ["export", "wire"])
def test_a_file_whose_end_is_missing_is_incomplete_and_exit_1_with_strict(
    sources: Sources, form: str, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path: Path = getattr(sources, form)
    cut_off(path, how)
    assert run(["verify", str(path)]) == 0
    said = capfd.readouterr()
    assert said.err.startswith("warning: incomplete: ")
    assert path.name in said.err
    last = [line for line in said.out.splitlines() if line.startswith(path.name)][-1]
    assert "INCOMPLETE" in last
    assert "whole" not in last
    assert run(["verify", str(path), "--strict", "--json"]) == 1
    said = capfd.readouterr()
    assert said.err.startswith("error: incomplete: ")
    result = json.loads(said.out)
    assert [row["source"] for row in result["incomplete"]] == [path.name]
    assert [row["incomplete"] for row in result["days"]] == ([False, True] if form == "export" else [])
    assert [row["incomplete"] for row in result["recordings"]] == ([True] if form == "wire" else [])
    assert result["damage"] == []


def test_a_recording_of_another_writer_needs_no_end_line_and_is_not_called_whole(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    sources.wire.write_bytes(b"".join([b'{"riskcore":"wire/1"}\n', *lines_of(sources.wire)[1:-1]]))
    assert run(["verify", str(sources.wire), "--strict"]) == 0
    text = capfd.readouterr().out
    assert "nothing shows whether its end is there" in text
    assert "whole" not in text


def test_a_day_that_a_later_one_follows_must_have_its_end(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    """Its last event is gone and the end line is right again: only the day that follows shows it."""
    events = [event for _, event, _ in read_export(lines_of(sources.export), "export")]
    second = max(index for index, event in enumerate(events) if isinstance(event.body, TradingDayOpened))
    for name, day in (("first.jsonl", events[: second - 1]), ("second.jsonl", [fresh(one) for one in events[second:]])):
        with Path(name).open("wb") as file:
            writer = ExportWriter(file.write)
            writer.add_events(day)
            writer.close()
    assert run(["verify", "second.jsonl", "--strict"]) == 0
    assert "chain unbroken, the day has not ended" in capfd.readouterr().out
    run(["verify", "first.jsonl", "second.jsonl", "--json"])
    assert [row["text"] for row in json.loads(capfd.readouterr().out)["incomplete"]] == [
        f"first.jsonl: the end of day 2026-11-20 is missing behind event {second - 1}, although day 2026-11-23 follows"
    ]


def forget_the_last_events(store: Path, count: int) -> None:
    """What somebody does who can write the file: triggers away, events away, triggers back."""
    last = "SELECT position FROM events ORDER BY position DESC LIMIT ?"
    with sqlite3.connect(store) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"DELETE FROM events WHERE position IN ({last})", (count,))
        connection.execute("DELETE FROM streams WHERE number NOT IN (SELECT position >> 32 FROM events)")
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


def remember(store: Path) -> None:
    """As an engine does that stops: the book behind the last event is kept beside it."""
    with Journal.open(store, "combine", write=True) as journal:
        journal.cache_state(resume(journal).book)


@pytest.mark.parametrize("whole_day", [False, True])
def test_a_store_whose_last_events_were_deleted_is_incomplete(
    sources: Sources, whole_day: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(sources.store)]
    remember(sources.store)
    assert run(["verify", *store, "--strict", "--json"]) == 0
    count = json.loads(capfd.readouterr().out)["days"][-1]["events"]
    forget_the_last_events(sources.store, count if whole_day else 1)
    assert run(["verify", *store]) == 0
    told = "day 2026-11-23 is missing" if whole_day else f"stopped behind event {count}, and the last one stored"
    assert told in capfd.readouterr().err
    assert run(["verify", *store, "--strict", "--json"]) == 1
    assert [row["trade_date"] for row in json.loads(capfd.readouterr().out)["incomplete"]] == ["2026-11-23"]


def test_a_kept_hash_shows_what_nothing_else_does(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    store = ["--store", str(sources.store)]
    assert run(["verify", *store, "--json"]) == 0
    first, last = json.loads(capfd.readouterr().out)["days"]
    assert run(["verify", *store, "--last-hash", last["last_hash"].upper()]) == 0
    told = f"last hash found: event {last['events']} of 2026-11-23 in combine, the last one"
    assert told in capfd.readouterr().out
    assert run(["verify", *store, "--last-hash", first["last_hash"], "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["last_hash"] == {
        "hash": first["last_hash"],
        "found": {"source": "combine", "trade_date": "2026-11-20", "seq": first["events"]},
        "events_behind": last["events"],
    }
    forget_the_last_events(sources.store, 1)
    assert run(["verify", *store, "--strict"]) == 0
    capfd.readouterr()
    assert run(["verify", *store, "--last-hash", last["last_hash"]]) == 1
    assert "LAST HASH NOT FOUND" in capfd.readouterr().out


@pytest.mark.parametrize("wrong", ["", "abc", "g" * 64, "a" * 63, "a" * 65])
def test_what_is_no_hash_is_exit_2(sources: Sources, wrong: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(sources.export), "--last-hash", wrong]) == 2
    assert "64 digits" in capfd.readouterr().err


def test_a_recording_has_no_hash_of_an_event(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(sources.wire), "--last-hash", "a" * 64]) == 2
    assert "a wire recording has none" in capfd.readouterr().err


def test_a_damaged_file_does_not_hide_the_others(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    damaged = Path("damaged.jsonl")
    damaged.write_bytes(b"".join(lines_of(sources.export)[:5] + lines_of(sources.export)[6:]))
    assert run(["verify", str(damaged), str(sources.export), str(sources.wire), "--json"]) == 3
    result = json.loads(capfd.readouterr().out)
    assert [row["source"] for row in result["damage"]] == ["damaged.jsonl"]
    assert [row["source"] for row in result["days"]] == ["two-export.jsonl"] * 2
    assert len(result["recordings"]) == 1


def test_a_decision_taken_out_of_a_chain_made_right_again_is_exit_1(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    def forged(events: list[Event]) -> list[Event]:
        found = next(event for event in events if isinstance(event.body, RuleBreached))
        return [fresh(event) for event in events if event is not found]

    path = rewritten(sources, forged)
    assert run(["verify", str(path)]) == 1
    text = capfd.readouterr().out
    assert "only recomputed: RuleBreached" in text
    assert "recorded by riskcore" in text


def test_a_balance_changed_between_two_days_is_exit_1(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    """The opening of the second day, rewritten with its chain, no longer follows from the first day."""
    from dataclasses import replace

    def forged(events: list[Event]) -> list[Event]:
        changed = []
        for event in events:
            body = event.body
            if isinstance(body, TradingDayOpened) and body.accounts:
                richer = replace(body.accounts[0], balance_usd=1)
                event = replace(event, body=replace(body, accounts=(richer, *body.accounts[1:])))
            changed.append(fresh(event))
        return changed

    path = rewritten(sources, forged)
    assert run(["verify", str(path), "--json"]) == 1
    days = json.loads(capfd.readouterr().out)["days"]
    assert [row["hands_on_the_same"] for row in days] == [False, None]
    assert days[0]["differences"][0]["key"] == "day:2026-11-23"


def fresh(event: Event) -> Event:
    """An opening without the hash of the chain it came from: the writer puts the new one in."""
    from dataclasses import replace

    if isinstance(event.body, TradingDayOpened):
        return replace(event, body=replace(event.body, previous_hash=""))
    return event


def test_an_edited_store_is_exit_3(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    data = sources.store.read_bytes()
    wal = sources.store.with_name(sources.store.name + "-wal")
    assert not wal.exists() or not wal.stat().st_size
    assert data.count(b"-604000000") >= 1
    sources.store.write_bytes(data.replace(b"-604000000", b"-404000000", 1))
    assert run(["verify", "--store", str(sources.store), "--json"]) == 3
    said = capfd.readouterr()
    assert "journal of combine, day 2026-11-20, event" in said.err
    # The other day is still looked at.
    assert [row["trade_date"] for row in json.loads(said.out)["days"]] == ["2026-11-23"]


def test_the_same_damage_is_said_once_and_names_its_day(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(sources.store)) as database:
        database.execute("DROP TRIGGER events_no_update")
        database.execute("UPDATE events SET state = substr(state, 1, 200) WHERE position & 4294967295 = 1")
        database.execute(
            "CREATE TRIGGER events_no_update BEFORE UPDATE ON events "
            "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
        )
        database.commit()
    assert run(["verify", "--store", str(sources.store)]) == 3
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 2, said
    for line, day in zip(said, ("2026-11-20", "2026-11-23"), strict=True):
        assert line.startswith(f"error: journal: the opening of combine/{day} is damaged: not a TradingDayOpened")


def test_a_truncated_store_is_exit_3_without_a_traceback(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    data = sources.store.read_bytes()
    for size in (len(data) // 2, 5000, 100, 20):
        Path("cut.db").write_bytes(data[:size])
        assert run(["verify", "--store", "cut.db"]) in (2, 3)
        error = capfd.readouterr().err
        assert error.startswith("error: ")
        assert "Traceback" not in error
        for leftover in Path().glob("cut.db*"):
            leftover.unlink()


def test_no_file_and_no_store_say_what_to_do(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "nothing.jsonl"]) == 3
    assert "nothing.jsonl" in capfd.readouterr().err
    assert run(["verify", "--store", "nothing.db"]) == 2
    assert "--store" in capfd.readouterr().err
    assert not Path("nothing.db").exists()


def test_one_day_of_a_store_is_checked_alone(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--store", str(sources.store), "--day", "2026-11-20", "--json"]) == 0
    assert [row["trade_date"] for row in json.loads(capfd.readouterr().out)["days"]] == ["2026-11-20"]


def test_the_store_of_the_environment_gives_way_to_files(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKCORE_STORE", "nowhere.db")
    assert run(["verify", str(sources.export)]) == 0
    assert run(["verify"]) == 2
    shutil.copy(sources.store, "copied.db")
    monkeypatch.setenv("RISKCORE_STORE", "copied.db")
    assert run(["verify"]) == 0
