"""`riskcore.Recorder`: a recording that `riskcore replay` takes, whole, in order of receipt, and without secrets."""

import json
import logging
import os
import stat
import sys
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import riskcore
from replay.recording import read_wire
from riskcore.errors import CannotWrite, ConfigError
from tests.docs.pages import ROOT

DAY = ROOT / "fixtures" / "days" / "daily-loss"
AT = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
SECRETS = ("K-123", "S3cret", "eyJhbGciOiJIUzI1NiJ9", "trader-bob")


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("raw", [True, False], ids=["as it came", "decoded"])
@pytest.mark.parametrize("name", ["bot.jsonl", "bot.jsonl.gz"])
def test_a_day_fed_by_a_bot_gives_the_decisions_of_the_day(tmp_path: Path, raw: bool, name: str) -> None:
    with riskcore.Recorder(tmp_path / name, profile="combine-50k") as recorder:
        for line in (DAY / "session.jsonl").read_bytes().splitlines()[1:]:
            said = json.loads(line, parse_float=Decimal)
            at = datetime.fromisoformat(said["at"]) if "at" in said else None

            def given(payload: Any) -> Any:
                return json.dumps(payload, default=float).encode() if raw else payload

            if "hub" in said:
                recorder.hub(said["hub"], said["target"], given(said["arguments"]), at)
            elif "rest" in said:
                url = f"https://api.topstepx.com{said['rest']}"
                recorder.rest(url, given(said["request"]), said["status"], given(said["response"]), at)
            elif "connection" in said:
                recorder.connection(said["connection"], said["state"], at)
    recorded = riskcore.replay(tmp_path / name, DAY / "riskcore.toml", strict=True).to_dict()
    original = riskcore.replay(DAY / "session.jsonl", DAY / "riskcore.toml").to_dict()
    for result in (recorded, original):
        del result["sessions"], result["state_hash"]
    assert recorded == original
    assert recorded["breaches"]


def test_frames_of_the_socket_are_taken_apart(tmp_path: Path) -> None:
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        quote = '{"type":1,"target":"GatewayQuote","arguments":["CON.F.US.MNQ.Z26",{"lastPrice":20950.50}]}'
        recorder.frame("market", b"{}\x1e")
        recorder.frame("market", f'{{"type":6}}\x1e{quote}\x1e{{"type":3,"invocationId":"1"}}\x1e')
        recorder.frame("market", b"")
    _, line, _ = (tmp_path / "bot.jsonl").read_text(encoding="utf-8").splitlines()
    assert line.endswith('"target":"GatewayQuote","arguments":["CON.F.US.MNQ.Z26",{"lastPrice":20950.50}]}')


MESSAGE = b'{"type":1,"target":"GatewayLogout","arguments":[]}'


def taken(path: Path, *frames: bytes) -> list[tuple[Any, Any]]:
    """What is written of frames of a hub: the target of each message, or why it is unreadable, and its text."""
    with riskcore.Recorder(path) as recorder:
        for frame in frames:
            recorder.frame("user", frame)
    return [(line.get("target", line.get("unreadable")), line.get("text")) for line in lines_of(path)[1:-1]]


@pytest.mark.parametrize(
    "frames",
    [
        (MESSAGE + b"\x1e",),
        (MESSAGE,),
        (MESSAGE[:9], MESSAGE[9:] + b"\x1e"),
        (MESSAGE, b"\x1e"),
        tuple(bytes((one,)) for one in MESSAGE + b"\x1e"),
        (b'{"type":6}\x1e' + MESSAGE[:-1], b"}\x1e" + b'{"type":6}\x1e'),
    ],
)
def test_a_message_that_is_spread_over_frames_is_one(tmp_path: Path, frames: tuple[bytes, ...]) -> None:
    assert taken(tmp_path / "bot.jsonl", *frames) == [("GatewayLogout", None)]


def test_what_is_no_message_is_written_as_unreadable(tmp_path: Path) -> None:
    cut, logout = MESSAGE[:9], ("GatewayLogout", None)
    lost = ("the message was cut off", cut.decode())
    path = tmp_path / "bot.jsonl"
    assert taken(path, MESSAGE + b"\x1e" + cut) == [logout, lost]
    assert taken(tmp_path / "2.jsonl", cut, MESSAGE + b"\x1e") == [lost, logout]
    [(reason, text)] = taken(tmp_path / "3.jsonl", b"nonsense\x1e")
    assert "JSON" in reason
    assert text == "nonsense"
    [(reason, _)] = taken(tmp_path / "4.jsonl", b'{"type":1,"target":"GatewayLogout","arguments":{}}\x1e')
    assert "arguments" in reason
    [(_, text)] = taken(tmp_path / "5.jsonl", b"x" * 5000 + b"\x1e")
    assert len(text) == 4096
    with riskcore.Recorder(tmp_path / "6.jsonl") as recorder:
        recorder.frame("user", cut)
        recorder.connection("user", "lost")
        recorder.frame("user", MESSAGE)
    assert [line.get("text", line.get("state")) for line in lines_of(tmp_path / "6.jsonl")[1:4]] == [
        cut.decode(),
        "lost",
        None,
    ]
    assert riskcore.replay(path).rejected_lines == 1


def test_nothing_secret_is_ever_written(tmp_path: Path) -> None:
    _, key, token, user = SECRETS[1], SECRETS[0], SECRETS[2], SECRETS[3]
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        recorder.rest("/api/Auth/loginKey", {"userName": user, "apiKey": key}, 200, {"success": True, "token": token})
        recorder.rest("/api/auth/validate", None, 200, f'{{"success":true,"errorCode":0,"newToken":"{token}"}}')
        recorder.rest(f"https://api.topstepx.com/api/Order/search?access_token={token}", {}, 200, {})
        nested = {"headers": {"Authorization": f"Bearer {token}", "X-API-Key": key}, "body": [{"passWord": "S3cret"}]}
        recorder.rest("/api/Order/search", nested, 200, {"orders": []})
        recorder.rest("/api/Order/search", f'{{"api_key":"{key}","accountId":7}}'.encode(), 502, f"Bearer {token}")
        recorder.hub("user", "GatewayUserAccount", [{"note": f"signed {token}"}])
        recorder.frame("user", f"nonsense {token}\x1e")
    text = (tmp_path / "bot.jsonl").read_text(encoding="utf-8")
    assert [secret for secret in SECRETS if secret in text] == []
    login, _, _, asked, withheld, _, cut = lines_of(tmp_path / "bot.jsonl")[1:-1]
    assert (login["request"], login["response"]) == (None, {"success": True})
    assert asked["request"] == {"headers": {}, "body": [{}]}
    assert "withheld" in withheld
    assert "withheld" in cut["text"]
    assert riskcore.replay(tmp_path / "bot.jsonl", strict=True).rejected_lines <= 2


def test_time_never_goes_back(tmp_path: Path) -> None:
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        for seconds in (5, 3, 6):
            recorder.connection("user", "connected", AT + timedelta(seconds=seconds))
        recorder.connection("user", "lost")
        recorder.connection("user", "connected", AT)
    ats = [line["at"] for line in lines_of(tmp_path / "bot.jsonl")[1:-1]]
    assert ats == sorted(ats)
    assert [at[17:19] for at in ats[:3]] == ["05", "05", "06"]
    assert ats[3] == ats[4] > "2026-11-20"
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder, pytest.raises(ConfigError):
        recorder.connection("user", "lost", datetime(2026, 11, 19))


def test_several_threads_may_feed_it(tmp_path: Path) -> None:
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:

        def feed(number: int) -> None:
            for count in range(200):
                recorder.hub("user", "X", [{"id": number * 1000 + count}])

        threads = [threading.Thread(target=feed, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reader = read_wire(tmp_path / "bot.jsonl", strict=True)
    assert sum(len(items) for items in reader) == 800
    assert reader.ended


def test_a_recording_is_private_never_replaced_and_readable_before_its_end(tmp_path: Path) -> None:
    first = riskcore.Recorder(tmp_path / "bot.jsonl", note="one", lacks=["quotes"])
    first.connection("user", "connected")
    assert len(lines_of(first.path)) == 2, "a kill would leave it"
    with riskcore.Recorder(tmp_path / "bot.jsonl") as second:
        assert second.path.name == "bot.2.jsonl"
    first.close()
    first.connection("user", "lost")
    assert "end" in lines_of(first.path)[-1]
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o600
    assert (read_wire(first.path).note, read_wire(first.path).lacks) == ("one", ("quotes",))


def test_an_error_of_the_bot_ends_the_recording_in_good_order(tmp_path: Path) -> None:
    with pytest.raises(TypeError), riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        recorder.hub("user", "X", [object()])
    assert "end" in lines_of(tmp_path / "bot.jsonl")[-1]


def test_a_full_disk_does_not_disturb_the_bot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    recorder = riskcore.Recorder(tmp_path / "bot.jsonl")
    monkeypatch.setattr("replay.wire_writer.WireWriter.write_line", full)
    with caplog.at_level(logging.WARNING):
        recorder.connection("user", "connected")
        recorder.connection("user", "lost")
    assert [record.message for record in caplog.records] == [
        f"{recorder.path}: the recording ends here, it cannot be written (No space left on device)"
    ]
    with pytest.raises(CannotWrite, match="No space left"):
        recorder.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes and devices in the file system")
def test_a_folder_a_pipe_and_a_device_are_no_recording(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    for path, what in ((tmp_path, "a folder"), (tmp_path / "pipe", "a pipe or"), (Path("/dev/null"), "a pipe or")):
        with pytest.raises(CannotWrite, match=f"{path}: cannot be written: it is {what}"):
            riskcore.Recorder(path)
    assert sorted(tmp_path.iterdir()) == before
    (tmp_path / "bot").touch()
    with riskcore.Recorder(tmp_path / "bot") as recorder:
        assert recorder.path.name == "bot.2"


def test_what_cannot_be_recorded_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite), riskcore.Recorder(tmp_path / "no" / "bot.jsonl"):
        pass
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        wrong: Any = "User"
        with pytest.raises(ConfigError, match="user, market"):
            recorder.hub(wrong, "X", [])
        with pytest.raises(ConfigError, match="connected, lost, stale"):
            recorder.connection("user", wrong)
        for payload in ([object()], deep):
            with pytest.raises(TypeError, match="a payload"):
                recorder.hub("user", "X", payload)
    assert len(lines_of(tmp_path / "bot.jsonl")) == 2, "the header and the end"


def test_a_header_that_would_be_found_wrong_when_the_day_is_over_is_refused_at_once(tmp_path: Path) -> None:
    options: tuple[dict[str, Any], ...] = ({"profile": 5}, {"note": b"x"}, {"lacks": ["order"]}, {"lacks": "nothing"})
    for given in options:
        with pytest.raises(ConfigError):
            riskcore.Recorder(tmp_path / "bot.jsonl", **given)
    with pytest.raises(ConfigError, match="no file has this name"):
        riskcore.Recorder("bot\0.jsonl")
    assert list(tmp_path.iterdir()) == []
    with riskcore.Recorder(tmp_path / "bot.jsonl", lacks="orders") as recorder:
        recorder.connection("user", "connected")
    assert lines_of(tmp_path / "bot.jsonl")[0]["lacks"] == ["orders"], "one needs no list"


def test_a_time_or_status_that_would_spoil_the_recording_is_refused(tmp_path: Path) -> None:
    absurd = (AT.replace(tzinfo=None), AT.replace(year=1999), AT.replace(year=2100))
    with riskcore.Recorder(tmp_path / "bot.jsonl") as recorder:
        recorder.connection("user", "connected", at=AT.replace(year=2000))
        for at in absurd:
            with pytest.raises(ConfigError, match="with its time zone"):
                recorder.connection("user", "lost", at=at)
        for status in ("200", None):
            with pytest.raises(TypeError, match="HTTP status"):
                recorder.rest("/api/Account/search", None, status, None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="thousand digits"):
            recorder.hub("user", "GatewayUserTrade", [10**5000])
        with pytest.raises(ConfigError, match="hub"):
            recorder.frame("users", b"")  # type: ignore[arg-type]
        recorder.connection("user", "lost", at=AT.replace(year=2099))
    assert len(lines_of(tmp_path / "bot.jsonl")) == 4
    assert riskcore.replay(tmp_path / "bot.jsonl", strict=True).rejected_lines == 0
