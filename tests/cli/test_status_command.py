"""riskcore status: from a journal, with and without an engine, as text, JSON and again and again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from riskcore.audit.following import Follower, status_of
from riskcore.cli.main import run
from riskcore.schema.codec import state_hash
from riskcore.store.journal import Journal
from riskcore.store.recorder import lock_path
from tests.cli.sources import Sources
from tests.processes import start
from tests.recordings import ACCOUNT, Recording


def status(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(["status", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert found["schema"] == "riskcore.status/1"
    return found


def holding_day(path: Path) -> Path:
    """Long 2 MNQ with an open loss of 100, the market hub lost, and the day not over."""
    day = Recording().account().line({"connection": "user", "state": "connected"})
    day.line({"connection": "market", "state": "connected"})
    day.at("08:30:00").quote(21000).fill(2, 21000)
    day.at("08:30:04").quote(20975)
    return day.at("08:30:05").line({"connection": "market", "state": "lost"}).clock().write(path)


def store_of(wire: Path, sources: Sources) -> str:
    store = str(wire.with_suffix(".db"))
    assert run(["replay", str(wire), "--store", store, "--quiet"]) == 0
    return store


def test_a_day_that_is_over_for_the_trader(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    found = status(capfd, "--store", str(sources.store))
    assert (found["running"], found["carries_out"], found["profile"]) == (False, False, "combine")
    assert found["trade_date"] == "2026-11-23"
    assert found["last_event_at"] == "2026-11-23T15:00:00Z"
    (account,) = found["accounts"]
    assert (account["id"], account["realized"], account["unrealized"]) == (ACCOUNT, "-603.48", "0")
    assert [row["rule"] for row in found["breaches"]] == ["RULE-004", "RULE-003", "GUARD"]
    assert {row["at"][:10] for row in found["breaches"]} == {"2026-11-23"}
    (loss,) = [row for row in account["limits"] if row["rule"] == "RULE-003"]
    assert (loss["now"], loss["limit"], loss["left"], loss["used"]) == ("-603.48", "500", "0", "1.2069")
    assert loss["state"] == "breached"


def test_a_cursor_that_is_none_is_refused_before_anything_is_printed(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--store", str(sources.store), "--follow", "--after", "foo"]) == 2
    assert capfd.readouterr().out == ""


def test_an_old_day_says_that_its_reset_has_passed_and_advises_nobody(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["status", "--store", str(sources.store)]) == 0
    said = capfd.readouterr().out
    assert "no engine is running; nothing is enforced; the last one only decided" in said
    assert "reset 2026-11-23 17:00:00 has passed" in said
    assert "RULE-003 breached" in said
    assert "Nothing may be opened or added" not in said.partition("Last breaches")[2]


def test_a_position_a_blind_rule_and_a_lost_hub(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    store = store_of(holding_day(sources.folder / "holding.jsonl"), sources)
    capfd.readouterr()
    found = status(capfd, "--store", store)
    (account,) = found["accounts"]
    (position,) = account["positions"]
    assert (position["side"], position["size"], position["unrealized"]) == ("long", 2, "-100.00")
    assert (position["mark"], position["stale"]) == ("20975", False)
    assert (account["realized"], account["unrealized"], account["day_pnl"]) == ("-0.37", "-100.00", "-100.37")
    assert [(row["rule"], row["reason"]) for row in account["blind"]] == [("RULE-004", "the market hub is lost")]
    assert {row["hub"]: row["state"] for row in found["connections"]} == {"user": "connected", "market": "lost"}
    assert run(["status", "--store", store]) == 0
    text = capfd.readouterr().out
    assert "no engine is running" in text
    assert "open      long 2 CON.F.US.MNQ.Z26 at 21000, mark 20975, open P&L -100.00" in text
    assert "blind     RULE-004: the market hub is lost" in text


def test_lockouts_count_down_to_now_and_are_gone_when_they_are_over(sources: Sources) -> None:
    from riskcore.audit.status import account_row
    from riskcore.core.quantities import SECOND_NS

    with Journal.open(sources.store, "combine") as journal:
        follower = Follower(journal)
        follower.catch_up()
    account = follower.book.accounts[ACCOUNT]
    (lockout,) = account.lockouts.values()
    assert lockout.expires_at is not None
    for before, left in ((SECOND_NS, 1), (1, 1), (90 * SECOND_NS + 1, 91)):
        (row,) = account_row(follower.book, follower.rulebook, account, lockout.expires_at - before)["lockouts"]
        assert row["seconds_left"] == left
    assert account_row(follower.book, follower.rulebook, account, lockout.expires_at)["lockouts"] == []


def test_an_engine_that_runs_is_seen_and_not_disturbed(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    with Journal.open(sources.store, "combine", write=True):
        assert status(capfd, "--store", str(sources.store))["running"] is True
        assert run(["status", "--store", str(sources.store)]) == 0
        assert "an engine is running" in capfd.readouterr().out
    assert status(capfd, "--store", str(sources.store))["running"] is False


def test_accounts_are_chosen_by_name_and_id(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    day = Recording().account().account(account=99000002, name="second")
    day.at("08:30:00").fill(1, 21000).fill(1, 21000, account=99000002).quote(21000)
    day.at("08:31:00").quote(20840)
    store = store_of(day.write(sources.folder / "both.jsonl"), sources)
    capfd.readouterr()
    everybody = status(capfd, "--store", store)
    assert [row["id"] for row in everybody["accounts"]] == [ACCOUNT, 99000002]
    assert len(everybody["breaches"]) == 2
    for name in ("second", "99000002"):
        one = status(capfd, "--store", store, "--account", name)
        assert [row["id"] for row in one["accounts"]] == [99000002]
        assert [row["account"] for row in one["breaches"]] == [99000002]
    assert run(["status", "--store", store, "--account", "third"]) == 2
    assert "second" in capfd.readouterr().err


def test_what_is_not_there_is_a_mistake_in_the_command(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--store", str(sources.folder / "nothing.db")]) == 2
    assert "no journal" in capfd.readouterr().err
    assert run(["status", "--store", str(sources.store), "--profile", "other"]) == 2
    assert run(["status", "--store", str(sources.store), "--watch", "--json"]) == 2


def test_a_status_is_the_same_whoever_followed_since_when(sources: Sources) -> None:
    """The words of a breach are those of now, and its day is the open one: /api/status and `status` must not differ."""
    with Journal.open(sources.store, "combine") as source:
        days = [[event for _, event, _ in source.read(day)] for day in source.streams()]
    path = sources.folder / "growing.db"
    lock, now = lock_path(str(path), "combine"), days[1][-1].at
    with Journal.open(path, "combine", write=True) as writer, Journal.open(path, "combine") as reader:
        follower = Follower(reader)
        for event in (event for day in days for event in day):
            writer.append([event])
            follower.catch_up()
            late = Follower(reader)
            late.catch_up()
            early, just_read = (status_of(one, (), lock, now)["breaches"] for one in (follower, late))
            assert early == just_read, f"behind {event.key}"
    assert [row["rule"] for row in early] == ["RULE-004", "RULE-003", "GUARD"]


def test_a_follower_folds_on_with_what_is_stored_and_needs_no_cache(sources: Sources) -> None:
    with Journal.open(sources.store, "combine") as source:
        days = [[event for _, event, _ in source.read(day)] for day in source.streams()]
        whole = Follower(source)
        whole.catch_up()
    path = sources.folder / "growing.db"
    with Journal.open(path, "combine", write=True) as writer:
        writer.append(days[0][:5])
        with Journal.open(path, "combine") as reader:
            follower = Follower(reader)
            assert follower.catch_up()
            assert not follower.catch_up()
            writer.append(days[0][5:])
            writer.append(days[1][:12])
            assert follower.catch_up()
            writer.cache_state(follower.book)
            late = Follower(reader)
            assert late.catch_up()
            assert state_hash(late.book) == state_hash(follower.book)
            assert list(late.told) == [row for row in follower.told if row["at"] > "2026-11-20T23"]
            writer.append(days[1][12:])
            assert follower.catch_up()
            assert late.catch_up()
    for one in (follower, late):
        assert (one.trade_date, one.seq, one.last_at) == (whole.trade_date, whole.seq, whole.last_at)
        assert state_hash(one.book) == state_hash(whole.book)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_watching_ends_with_ctrl_c_and_exit_0(sources: Sources) -> None:
    program = [sys.executable, "-m", "riskcore", "status", "--store", str(sources.store), "--watch"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with start(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert "no engine is running" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
