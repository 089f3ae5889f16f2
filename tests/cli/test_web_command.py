"""`riskcore web` where it listens for others: only without an engine, only by the names it was given."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from riskcore.cli.main import run
from riskcore.cli.web_command import exposure
from riskcore.engine.control_file import Control, read_control
from riskcore.store.lease import ProfileLock
from riskcore.store.recorder import lock_path
from tests.adapters.web.conftest import asked
from tests.adapters.web.serving import recorded_day, request, say
from tests.processes import start


@contextmanager
def listening(store: str, *words: str) -> Iterator[tuple[Control, "subprocess.Popen[str]"]]:
    """The service in a process of its own, from when it listens."""
    command = [sys.executable, "-m", "riskcore", "web", "--store", store, "--no-open", "--json", *words]
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        row = json.loads(process.stdout.readline())
        control = read_control(Path(row["control"]))
        assert control is not None
        assert row["read_only"]
        assert row["url"].startswith(control.url + "/open?once=")
        yield control, process
        process.terminate()


def test_an_open_address_answers_by_its_names_alone_and_changes_nothing(tmp_path: Path) -> None:
    store, _ = recorded_day(tmp_path)
    with listening(store, "--listen", "0.0.0.0:0", "--allow-host", "desk.example") as (control, process):
        assert control.url.startswith("http://desk.example:")
        port = int(control.url.rpartition(":")[2])
        here = replace(control, url=f"http://127.0.0.1:{port}")
        answers = {
            host: say(port, request(here, "GET", "/api/status", host=f"{host}:{port}")).status
            for host in ("desk.example", "127.0.0.1", "other.example", "desk.example.other.example", "0.0.0.0")
        }
        assert answers == {
            "desk.example": 200,
            "127.0.0.1": 200,
            "other.example": 403,
            "desk.example.other.example": 403,
            "0.0.0.0": 403,
        }
        assert say(port, request(here, "GET", "/api/status", token=False)).status == 401
        refused = say(port, request(here, "POST", "/api/flatten", body="{}"))
        assert (refused.status, refused.row["code"]) == (409, "read_only")
        process.terminate()
        assert process.stderr is not None
        assert "nothing is encrypted" in process.stderr.read()


@pytest.mark.parametrize(
    ("address", "names", "said"),
    [
        ("0.0.0.0", (), 2),
        ("::", (), 2),
        ("0.0.0.0", ("desk.example",), 1),
        ("192.168.1.20", (), 1),
        ("desk.example", (), 1),
        ("127.0.0.1", (), 0),
        ("127.1.2.3", (), 0),
        ("::1", (), 0),
    ],
)
def test_what_is_open_to_others_is_said_and_what_only_this_computer_can_open(
    address: str, names: tuple[str, ...], said: int
) -> None:
    texts = list(exposure(address, 8080, names))
    assert len(texts) == said
    assert [text for text in texts if "only this computer can open it: say with --allow-host" in text] == texts[1:]


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "8080"],
        ["--listen", ":8080"],
        ["--listen", "127.0.0.1:65536"],
        ["--listen", "127.0.0.1:http"],
        ["--listen", "203.0.113.7:0"],  # An address that no machine has.
        ["--allow-host", "desk.example"],
    ],
)
def test_an_address_that_makes_no_sense_is_refused(words: list[str], tmp_path: Path) -> None:
    store, _ = recorded_day(tmp_path)
    assert run(["web", "--store", store, "--no-open", *words]) == 2


def test_an_engine_listens_nowhere_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, profile = recorded_day(tmp_path)
    lock = ProfileLock(lock_path(store, profile), profile)
    try:
        with asked(store, profile):
            assert run(["web", "--store", store, "--no-open", "--listen", "0.0.0.0:0"]) == 2
    finally:
        lock.release()
    assert "an engine listens on loopback only" in capsys.readouterr().err


def test_the_link_is_printed_although_no_browser_may_have_opened_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def launch(url: str) -> int:
        opened.append(url)
        return 0  # What click says of a browser that it could not start.

    monkeypatch.setattr("click.launch", launch)
    store, profile = recorded_day(tmp_path)
    lock = ProfileLock(lock_path(store, profile), profile)
    try:
        with asked(store, profile):
            capsys.readouterr()
            assert run(["web", "--store", store]) == 0
    finally:
        lock.release()
    assert capsys.readouterr().out.split() == opened
    assert opened[0].startswith("http://127.0.0.1:")
