"""`riskcore login`, `accounts` and `doctor --login` against the simulated gateway, with backends of keyring itself."""

import io
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import keyring.backends.fail
import keyring.backends.null
import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from adapters.topstepx import login_trial
from adapters.topstepx.credentials import API_KEY, SERVICE, USER_NAME
from riskcore.cli.main import run
from tests.cli.memory_keyring import MemoryKeyring, used
from tests.cli.simulated import gateway_running

STEPS = ["login", "accounts", "user hub", "market hub", "rights", "logout"]


@pytest.fixture(scope="module")
def gateway() -> Iterator[SimulatedGateway]:
    with gateway_running() as found:
        yield found


@pytest.fixture
def kept() -> Iterator[MemoryKeyring]:
    backend = MemoryKeyring()
    with used(backend):
        yield backend


@pytest.fixture(autouse=True)
def _addresses(gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (USER_NAME, API_KEY):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RISKCORE_API_URL", gateway.api_url)
    monkeypatch.setenv("RISKCORE_RTC_URL", gateway.rtc_url)


def typed(monkeypatch: pytest.MonkeyPatch, user_name: str, api_key: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{user_name}\n{api_key}\n"))


def rows(capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert run([*words, "--json"]) == code
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


def test_a_login_is_tried_and_kept_and_used_and_forgotten(
    gateway: SimulatedGateway,
    kept: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, gateway.user_name, gateway.api_key)
    assert run(["login"]) == 0
    said = capfd.readouterr()
    ticked = [line for line in said.out.splitlines() if line.startswith("✓")]
    assert [line[2:12].strip() for line in ticked] == STEPS
    assert gateway.api_key not in said.out + said.err
    assert kept.kept == {(SERVICE, USER_NAME): gateway.user_name, (SERVICE, API_KEY): gateway.api_key}

    listed = rows(capfd, "accounts")
    assert listed["schema"] == "riskcore.accounts/1"
    assert [set(row) for row in listed["accounts"]] == [{"id", "name", "balance", "can_trade", "simulated"}]
    assert run(["accounts"]) == 0
    assert listed["accounts"][0]["name"] in capfd.readouterr().out

    states = {one["name"]: one["state"] for one in rows(capfd, "doctor", "--login")["checks"]}
    assert [states[name] for name in ("logged in", *STEPS[1:])] == ["ok"] * 6

    assert run(["login", "--forget"]) == 0
    assert kept.kept == {}
    assert capfd.readouterr().out == "the login is forgotten\n"
    assert run(["login", "--forget"]) == 0
    assert capfd.readouterr().out == "no login was kept\n"


def test_what_fails_is_not_kept_unless_asked_for(
    gateway: SimulatedGateway,
    kept: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, gateway.user_name, "WRONG-KEY")
    found = rows(capfd, "login", code=5)
    assert not found["kept"]
    assert [(step["name"], step["state"]) for step in found["steps"]] == [("login", "fail")]
    assert "WRONG-KEY" not in json.dumps(found)
    assert kept.kept == {}
    typed(monkeypatch, gateway.user_name, "WRONG-KEY")
    assert rows(capfd, "login", "--keep", code=5)["kept"]
    assert kept.kept[SERVICE, API_KEY] == "WRONG-KEY"
    typed(monkeypatch, gateway.user_name, "")
    assert run(["login"]) == 5
    assert "no API key" in capfd.readouterr().err


@pytest.mark.parametrize(("accounts", "state"), [(["nobody"], "fail"), (["nobody", "{}"], "warn"), (["{}"], "ok")])
def test_the_doctor_looks_for_the_accounts_that_the_profile_names(
    accounts: list[str],
    state: str,
    gateway: SimulatedGateway,
    kept: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(USER_NAME, gateway.user_name)
    monkeypatch.setenv(API_KEY, gateway.api_key)
    names = [one.format(SCENARIOS["daily-loss"].accounts[0].id) for one in accounts]
    words = ("doctor", "--login", "--set", f"profile.accounts={json.dumps(names)}")
    found = {one["name"]: one for one in rows(capfd, *words, code=int(state == "fail"))["checks"]}
    assert found["accounts"]["state"] == state
    assert ("(nobody) names no account of this login" in found["accounts"]["text"]) is (state != "ok")


def test_a_hub_that_does_not_answer_fails_the_trial(
    gateway: SimulatedGateway,
    kept: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(login_trial, "HUBS_SECONDS", 5.0)
    with closing(socket.socket()) as nobody:
        nobody.bind(("127.0.0.1", 0))
        typed(monkeypatch, gateway.user_name, gateway.api_key)
        found = rows(capfd, "login", "--rtc-url", f"http://127.0.0.1:{nobody.getsockname()[1]}", code=5)
    assert {step["name"]: step["state"] for step in found["steps"]} == {
        **dict.fromkeys(STEPS, "ok"),
        "user hub": "fail",
        "market hub": "fail",
    }
    assert kept.kept == {}


@pytest.mark.parametrize(
    ("fault", "failed", "words"),
    [
        (Fault("timeout_before", "rest", only="/api/Auth/loginKey"), "login", "it does not answer"),
        (Fault("timeout_before", "rest", only="/api/Account/search"), "accounts", "look at your network"),
        (Fault("http_429", "rest", retry_after_seconds=30), "login", "no further calls at the moment (HTTP 429)"),
        (Fault("http_503", "rest"), "login", "its last answer was HTTP 503"),
    ],
)
@pytest.mark.usefixtures("kept")
def test_a_broker_that_does_not_answer_fails_the_trial_before_anybody_gives_up(
    gateway: SimulatedGateway,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    fault: Fault,
    failed: str,
    words: str,
) -> None:
    monkeypatch.setattr(login_trial, "OPEN_SECONDS", 1.5)
    typed(monkeypatch, gateway.user_name, gateway.api_key)
    gateway.inject(fault)
    try:
        found = rows(capfd, "login", code=5)
    finally:
        gateway.clear()
    [step] = [step for step in found["steps"] if step["state"] == "fail"]
    assert step["name"] == failed
    assert step["text"].startswith("not within 1.5 s: ")
    assert words in step["text"]


@pytest.mark.parametrize("backend", [keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_without_a_keyring_it_says_what_to_do_before_anybody_types(
    backend: type, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with used(backend()):
        assert run(["login"]) == 2
        said = capfd.readouterr().err
        assert run(["login", "--forget"]) == 2
    assert "no keyring that could keep a login" in said
    assert f"set {USER_NAME} and {API_KEY} in the environment" in said


def test_a_login_that_does_not_come_back_is_not_called_kept(
    gateway: SimulatedGateway,
    kept: MemoryKeyring,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(kept, "set_password", lambda *_: None)
    typed(monkeypatch, gateway.user_name, gateway.api_key)
    assert run(["login"]) == 2
    assert "keeps nothing (what was stored does not come back)" in capfd.readouterr().err
