"""riskcore archive: days leave the journal, nothing is lost, and every command reads them where they are."""

import gzip
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from replay import archive as archiving
from riskcore.cli.main import run
from riskcore.engine.resume import resume
from riskcore.errors import DiskFull
from riskcore.schema.codec import state_hash
from riskcore.schema.ending import Ending
from riskcore.store import sqlite
from riskcore.store.journal import Journal
from tests.recordings import RULES, losing_day

DAYS = ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25"]
Said = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four days in journal.db."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "riskcore.toml").write_text(RULES, encoding="utf-8", newline="\n")
    days = losing_day()
    for date in DAYS[1:]:
        days.lines += losing_day(f"{date} 08:00:00").lines
    days.write(folder / "days.jsonl")
    store, config = str(folder / "journal.db"), str(folder / "riskcore.toml")
    assert run(["replay", str(folder / "days.jsonl"), "--config", config, "--store", store, "--quiet"]) == 0
    return folder


@pytest.fixture
def whole(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said) -> bytes:
    """The export of the four days in journal.db of the working directory."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RISKCORE_STORE", raising=False)
    monkeypatch.delenv("RISKCORE_CONFIG", raising=False)
    return exported("journal.db", capfd)


def exported(store: str, capfd: Said) -> bytes:
    assert run(["export", "--store", store, "--all", "--out", "all.jsonl", "--quiet", "--force"]) == 0
    capfd.readouterr()
    return Path("all.jsonl").read_bytes()


def archive(before: str = DAYS[3], *more: str) -> int:
    return run(["archive", "--before", before, "--out", "archive", "--store", "journal.db", *more])


def brought_back(capfd: Said) -> bytes:
    """Archive and journal together as one journal, verified."""
    Path("back.db").unlink(missing_ok=True)
    assert run(["copy", "archive", "back.db"]) == 0
    assert run(["copy", "journal.db", "back.db"]) == 0
    assert run(["verify", "--store", "back.db", "--quiet"]) == 0
    capfd.readouterr()
    return exported("back.db", capfd)


def payloads(store: str) -> list[bytes]:
    with closing(sqlite3.connect(store)) as database:
        return [row[0] for row in database.execute("SELECT payload FROM events WHERE payload IS NOT NULL")]


def state_of(store: str) -> str:
    with Journal.open(store, "combine") as journal:
        return state_hash(resume(journal).book)


def test_days_leave_and_come_back(whole: bytes, capfd: Said) -> None:
    messages, state = payloads("journal.db"), state_of("journal.db")
    assert archive(DAYS[1]) == 0
    assert archive() == 0
    said = capfd.readouterr()
    assert "2 days moved to archive, 2026-11-23 to 2026-11-24, last hash " in said.out
    assert "the journal goes on from 2026-11-25; the journal is" in said.out
    assert sorted(os.listdir("archive")) == [f"{day}.{kind}.gz" for day in DAYS[:3] for kind in ("jsonl", "messages")]
    with Journal.open("journal.db", "combine") as journal:
        assert journal.streams() == DAYS[3:]
        assert [day.trade_date for day in journal.archived()] == DAYS[:3]
    # Balances, remembered ids and floors: a restart finds the same state.
    assert state_of("journal.db") == state
    assert brought_back(capfd) == whole
    assert payloads("back.db") == messages


def test_store_and_folder_verify_and_name_each_other(whole: bytes, capfd: Said) -> None:
    assert archive(DAYS[2]) == 0
    capfd.readouterr()
    assert run(["verify", "--store", "journal.db"]) == 0
    said = capfd.readouterr().err
    assert "warning: the 2 days from 2026-11-20 to 2026-11-23 have left this store for the archive in" in said
    command = said.partition("check them with riskcore ")[2].split()
    assert run(command) == 0
    assert "last hash found: event 33 of 2026-11-23 in 2026-11-23.jsonl.gz, the last one" in capfd.readouterr().out


def test_every_command_reads_the_files_in_place(whole: bytes, capfd: Said) -> None:
    assert archive() == 0
    files = [f"archive/{day}.jsonl.gz" for day in DAYS[:3]]
    capfd.readouterr()
    for command in (
        ["replay", "--json"],
        ["audit", "--json"],
        ["whatif", "--quick", "--json"],
        ["export", "--out", "-"],
    ):
        assert run([*command, *files]) == 0
        assert "2026-11-24" in capfd.readouterr().out
    assert run(["why", "trade:72002/99000001/RULE-003/day/1", *files]) == 0


def test_readers_of_the_store_say_where_a_day_is(whole: bytes, capfd: Said) -> None:
    assert archive() == 0
    folder = Path("archive").resolve()
    capfd.readouterr()
    sentence = f"the 3 days from 2026-11-20 to 2026-11-24 have left this store for the archive in {folder}"
    assert run(["audit", "--store", "journal.db"]) == 0
    assert sentence in capfd.readouterr().err
    assert run(["why", "trade:72002/99000001/RULE-003/day/1", "--store", "journal.db"]) == 2
    assert sentence in capfd.readouterr().err
    for command in ("audit", "export", "verify"):
        assert run([command, "--store", "journal.db", "--day", "2026-11-23"]) == 2
        said = capfd.readouterr().err
        assert f"day 2026-11-23 has left this store for the archive; give {folder}/2026-11-23.jsonl.gz" in said
    assert run(["status", "--store", "journal.db", "--follow", "--after", "2026-11-23:5"]) == 2
    assert sentence in capfd.readouterr().err
    assert run(["status", "--store", "journal.db"]) == 0


STEPS = ["write_export", "write_messages", "_sync", "read_day", "_read_links"]


@pytest.mark.parametrize("step", [*STEPS, "take_out", "give_space_back"])
@pytest.mark.parametrize("behind", [False, True])
def test_killed_at_any_boundary_nothing_is_lost(
    whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch, step: str, behind: bool
) -> None:
    owner = archiving if step in STEPS else sqlite.SQLiteJournalRecorder
    real: Callable[..., object] = getattr(owner, step)
    calls = []

    def killed(*words: object) -> object:
        calls.append(1)
        if len(calls) < 2 and step != "give_space_back":
            return real(*words)
        if behind and step != "write_export":
            real(*words)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        assert archive() == 130
    with Journal.open("journal.db", "combine") as journal:
        left = len(DAYS) - len(journal.streams())
        assert left == {"take_out": 1 + behind, "give_space_back": 3}.get(step, 1)
    assert run(["verify", "--store", "journal.db", "--quiet"]) == 0
    assert archive() == 0
    assert brought_back(capfd) == whole


def test_what_fails_within_the_transaction_changes_nothing(
    whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sqlite.SQLiteJournalRecorder, "_must_hold", lost)
        assert archive() == 130
    assert exported("journal.db", capfd) == whole
    assert run(["verify", "--store", "journal.db", "--quiet"]) == 0


def test_triggers_are_there_again_and_keep_the_record_too(whole: bytes) -> None:
    assert archive() == 0
    with closing(sqlite3.connect("journal.db")) as database:
        for statement in (
            "DELETE FROM events",
            "UPDATE events SET topic = 'x'",
            "DELETE FROM streams",
            "DELETE FROM archived",
            "UPDATE archived SET file = 'x'",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                database.execute(statement)


def test_a_store_without_its_record_of_the_archive_is_damaged(whole: bytes, capfd: Said) -> None:
    assert archive() == 0
    with closing(sqlite3.connect("journal.db")) as database, database:
        database.execute("DROP TABLE archived")
    assert run(["verify", "--store", "journal.db", "--quiet"]) == 3
    assert "does not hang on the day before" in capfd.readouterr().err


def edit_messages(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b'"size', b'"sixe', 1)))


def damage(path: Path, place: int) -> None:
    """As a bad sector does: what follows cannot be unpacked."""
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda folder: (folder / "2026-11-23.jsonl.gz").unlink(), "does not hang on 2026-11-20.jsonl.gz"),
        (lambda folder: (folder / "2026-11-23.messages.gz").unlink(), "the messages of that day are missing"),
        (lambda folder: edit_messages(folder / "2026-11-23.messages.gz"), "are not those that were stored"),
        (lambda folder: (folder / "2026-11-23.messages.gz").write_bytes(gzip.compress(b"")), "does not hang on the me"),
        (lambda folder: (folder / "2026-11-23.messages.gz").write_bytes(b"no messages"), "behind line 0: damaged"),
        (lambda folder: damage(folder / "2026-11-23.messages.gz", 30), "messages.gz, behind line 0: damaged"),
        (lambda folder: cut(folder / "2026-11-23.messages.gz"), "2026-11-23.messages.gz, behind line"),
        (lambda folder: (folder / "2026-11-23.jsonl.gz").rename(folder / "2026-11-22.jsonl.gz"), "it is named after"),
    ],
)
def test_a_folder_that_was_edited_is_exit_3(
    whole: bytes, capfd: Said, edit: Callable[[Path], object], said: str
) -> None:
    assert archive() == 0
    edit(Path("archive"))
    capfd.readouterr()
    assert run(["verify", "archive"]) == 3
    assert said in capfd.readouterr().err
    assert run(["copy", "archive", "back.db"]) == 3


@pytest.mark.parametrize(
    ("day", "edit", "said"),
    [
        # Nothing hangs on the messages of the last day but what the journal noted.
        (DAYS[2], lambda path: path.write_bytes(gzip.compress(b"")), "does not end as it did when day 2026-11-24 left"),
        (DAYS[2], lambda path: path.unlink(), "the messages of that day are missing"),
        (DAYS[1], lambda path: damage(path, 30), "2026-11-23.messages.gz, behind line 0: damaged"),
    ],
)
def test_the_journal_knows_which_messages_left(
    whole: bytes, capfd: Said, day: str, edit: Callable[[Path], object], said: str
) -> None:
    assert archive() == 0
    assert run(["verify", "--store", "journal.db", "--strict"]) == 0
    edit(Path(f"archive/{day}.messages.gz"))
    capfd.readouterr()
    assert run(["verify", "--store", "journal.db"]) == 3
    assert said in capfd.readouterr().err


def test_files_that_are_not_where_they_were_written_are_incomplete(whole: bytes, capfd: Said) -> None:
    assert archive() == 0
    Path(f"archive/{DAYS[0]}.jsonl.gz").unlink()
    capfd.readouterr()
    assert run(["verify", "--store", "journal.db"]) == 0
    one = (
        f"day 2026-11-20 has left this store for the archive in {Path('archive').resolve()}, and its file is not there"
    )
    assert f"warning: incomplete: {one}" in capfd.readouterr().err
    Path("archive").rename("elsewhere")
    assert run(["verify", "--store", "journal.db", "--strict", "--json"]) == 1
    [row] = json.loads(capfd.readouterr().out)["incomplete"]
    assert row["text"].startswith("the 3 days from 2026-11-20 to 2026-11-24 have left this store for the archive in")
    assert row["text"].endswith(", and their files are not there")


def test_days_with_others_missing_between_them_are_named(whole: bytes, capfd: Said) -> None:
    """What is missing is the files, not the fault of riskcore that exit code 3 spoke of."""
    assert archive() == 0
    capfd.readouterr()
    files = [f"archive/{day}.jsonl.gz" for day in (DAYS[0], DAYS[2])]
    for command in (["replay", *files], ["whatif", "--quick", *files], ["odds", *files]):
        assert run(command) == 3
        said = capfd.readouterr().err
        assert "2026-11-24.jsonl.gz: day 2026-11-24 does not follow day 2026-11-20, the one before it here" in said, (
            said
        )
    assert run(["replay", *files[:1], f"archive/{DAYS[1]}.jsonl.gz", files[1], "--quiet"]) == 0


def test_without_room_to_make_the_journal_smaller_the_days_are_where_they_are_said_to_be(
    whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_: object) -> None:
        raise DiskFull("the journal's file cannot be made smaller: database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(sqlite.SQLiteJournalRecorder, "give_space_back", no_room)
        assert archive() == 6
    said = capfd.readouterr().err
    assert "error: the days up to 2026-11-24 are in archive, but the journal's file cannot be made smaller" in said
    assert "make as much room as the journal takes and repeat the command" in said
    before = Path("journal.db").stat().st_size
    assert archive() == 0
    assert Path("journal.db").stat().st_size < before
    assert brought_back(capfd) == whole


def test_the_last_day_stays_and_nothing_to_move_is_fine(whole: bytes, capfd: Said) -> None:
    assert archive(DAYS[0]) == 0
    assert "no closed day before 2026-11-20" in capfd.readouterr().err
    assert archive("2027-01-01", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert [day["trade_date"] for day in told["days"]] == DAYS[:3]
    assert told["stays_from"] == DAYS[3]
    assert told["freed_bytes"] > 0


def test_an_interrupted_run_may_be_followed_by_one_up_to_an_earlier_day(
    whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    assert archive(DAYS[1]) == 0
    with monkeypatch.context() as patch:
        patch.setattr(sqlite.SQLiteJournalRecorder, "take_out", killed)
        assert archive() == 130
    assert Path(f"archive/{DAYS[1]}.jsonl.gz").exists()
    capfd.readouterr()
    assert archive(DAYS[1]) == 0
    assert "no closed day before 2026-11-23" in capfd.readouterr().err
    assert archive() == 0
    assert brought_back(capfd) == whole


def test_a_folder_with_something_else_is_refused(whole: bytes, capfd: Said) -> None:
    folder = Path("archive")
    folder.mkdir()
    other = folder / "2026-11-20.jsonl.gz"
    assert run(["export", "all.jsonl", "--day", "2026-11-23", "--out", str(other), "--quiet"]) == 0
    assert archive() == 2
    assert "is there already and does not hold the day of this journal" in capfd.readouterr().err
    other.rename(folder / "2026-01-02.jsonl.gz")
    assert archive() == 2
    assert "a day that is not of this journal" in capfd.readouterr().err
    assert exported("journal.db", capfd) == whole


def test_files_that_lack_the_messages_are_refused(whole: bytes, capfd: Said) -> None:
    folder = Path("archive")
    folder.mkdir()
    day = folder / "2026-11-20.jsonl.gz"
    assert run(["export", "--store", "journal.db", "--day", "2026-11-20", "--out", str(day), "--quiet"]) == 0
    (folder / "2026-11-20.messages.gz").write_bytes(gzip.compress(b""))
    assert archive() == 2
    assert "does not hold the day of this journal (its chain is another)" in capfd.readouterr().err
    (folder / "2026-11-20.messages.gz").unlink()
    assert archive() == 0
    assert brought_back(capfd) == whole


def test_a_running_engine_is_exit_4(whole: bytes, capfd: Said) -> None:
    with Journal.open("journal.db", "combine", write=True):
        assert archive() == 4
    assert exported("journal.db", capfd) == whole


def test_another_profile_in_the_same_store_stays(whole: bytes, capfd: Said) -> None:
    Path("other.toml").write_text(Path("riskcore.toml").read_text().replace('"combine"', '"other"'), encoding="utf-8")
    assert run(["replay", "days.jsonl", "--config", "other.toml", "--store", "journal.db", "--quiet"]) == 0
    with Journal.open("journal.db", "other", write=True) as journal:
        assert archive(DAYS[3], "--profile", "combine") == 4
        days = journal.streams()
    assert archive(DAYS[3], "--profile", "combine") == 0
    for profile in ("combine", "other"):
        assert run(["verify", "--store", "journal.db", "--profile", profile, "--quiet"]) == 0
    with Journal.open("journal.db", "other") as journal:
        assert (journal.streams(), journal.archived()) == (days, [])


def thin(*more: str) -> int:
    return archive(DAYS[3], "--thin-quotes", *more)


def test_thinned_days_keep_every_decision_message_and_hash(whole: bytes, capfd: Said) -> None:
    assert run(["audit", "--store", "journal.db", "--json"]) == 0
    audited = json.loads(capfd.readouterr().out)["days"]
    assert thin() == 0
    said = capfd.readouterr().out
    assert "3 days moved to archive without 24 quotes that no decision needs" in said
    last_hash = said.partition("last hash ")[2].partition(";")[0]
    assert run(["verify", "archive", "--last-hash", last_hash, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert [day["quotes_left_out"] for day in found["days"]] == [8, 8, 8]
    assert found["last_hash"]["events_behind"] == 0
    assert run(["verify", "archive"]) == 0
    assert capfd.readouterr().out.count("thinned: 8 quotes left out; the chain proves all but") == 3
    assert run(["verify", "--store", "journal.db", "--quiet"]) == 0
    capfd.readouterr()
    files = sorted(map(str, Path("archive").glob("*.jsonl.gz")))
    assert run(["audit", *files, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["days"] == audited[:3]


def rewrite(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Edit every line of a packed file, and give it the end line that belongs to it."""
    ending, lines = Ending(), []
    for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True)[:-1]:
        lines.append(edit(line))
        ending.add(lines[-1])
    path.write_bytes(gzip.compress(b"".join([*lines, ending.line()])))


def test_the_chain_proves_all_but_quotes_and_the_journal_proves_those(whole: bytes, capfd: Said) -> None:
    assert thin() == 0
    day = Path("archive/2026-11-23.jsonl.gz")
    written = day.read_bytes()
    capfd.readouterr()
    for edit in (
        lambda line: line.replace(b'"price":21000250000000', b'"price":21000500000000'),
        lambda line: line.replace(b',"thinned":8', b""),
        lambda line: line.replace(b',"thinned":8', b',"thinned":-8'),
    ):
        rewrite(day, edit)
        assert day.read_bytes() != written
        assert run(["verify", "archive"]) == 3
        assert "2026-11-23.jsonl.gz, line" in capfd.readouterr().err
        day.write_bytes(written)
    rewrite(day, lambda line: line.replace(b"20985000000000", b"20985250000000"))
    assert run(["verify", "archive", "--quiet"]) == 0
    assert run(["verify", "--store", "journal.db", "--quiet"]) == 3
    assert "not the file that was written when day 2026-11-23 left" in capfd.readouterr().err


def test_a_day_that_needs_its_quotes_is_moved_whole(whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archiving, "try_out", lambda events: archiving.Trial(0, "it would be decided otherwise"))
    assert thin() == 0
    said = capfd.readouterr()
    assert "warning: day 2026-11-24 was moved with all of its quotes: it would be decided otherwise" in said.err
    assert "3 days moved to archive, " in said.out
    assert brought_back(capfd) == whole


def test_a_thinned_file_that_is_there_must_be_asked_for_and_be_the_day(
    whole: bytes, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sqlite.SQLiteJournalRecorder, "take_out", killed)
        assert thin() == 130
    assert archive() == 2
    assert "does not hold the day of this journal (it was written with --thin-quotes)" in capfd.readouterr().err
    day = Path("archive/2026-11-20.jsonl.gz")
    written = day.read_bytes()
    rewrite(day, lambda line: line.replace(b"20985000000000", b"20985250000000"))
    assert thin() == 2
    assert "does not hold the day of this journal (event" in capfd.readouterr().err
    day.write_bytes(written)
    assert thin() == 0


def test_a_thinned_day_is_made_only_on_request_and_is_no_journal_again(whole: bytes, capfd: Said) -> None:
    assert thin() == 0
    capfd.readouterr()
    assert run(["copy", "archive", "back.db"]) == 2
    assert "8 quotes of this day were left out when it was archived" in capfd.readouterr().err
    assert not Path("back.db").exists()
    assert run(["whatif", "--quick", "--quiet", "archive/2026-11-20.jsonl.gz"]) == 0
    assert run(["whatif", "--quick", "archive/2026-11-20.jsonl.gz"]) == 0
    assert "8 quotes were left out when it was archived" in capfd.readouterr().err
    assert run(["export", "archive/2026-11-20.jsonl.gz", "--out", "again.jsonl", "--quiet"]) == 0
    assert Path("again.jsonl").read_bytes() == gzip.decompress(Path("archive/2026-11-20.jsonl.gz").read_bytes())
