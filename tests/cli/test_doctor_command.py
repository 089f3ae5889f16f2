"""riskcore doctor: every check good and bad, a report on a bare machine, and no secret in any of it."""

import json
import socket
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from riskcore.audit.following import Follower
from riskcore.cli import doctor_broker as broker
from riskcore.cli import doctor_checks as machine
from riskcore.cli.doctor_journal import accounts_checks, control_checks, follower_check, journal_checks
from riskcore.cli.main import run
from riskcore.core.quantities import SECOND_NS
from riskcore.live.remote_host import HostFacts
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests.cli.sources import Sources
from tests.recordings import ACCOUNT, Recording

SECRET = "s3cr3t-api-key"
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no settings, no login and no store."""
    monkeypatch.chdir(tmp_path)
    for name in ("RISKCORE_CONFIG", "PROJECT_X_USERNAME", "PROJECT_X_API_KEY", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RISKCORE_STORE", str(tmp_path / "data" / "journal.db"))
    monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "nobody")
    monkeypatch.setattr("adapters.topstepx.credentials._stored", lambda: None)
    return tmp_path


def report(capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    assert run(["doctor", "--json", *words]) == code
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert found["schema"] == "riskcore.doctor/1"
    assert found["ready"] == (code == 0)
    return found


def states(found: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["state"] for check in found["checks"]}


# ---- the whole report --------------------------------------------------------------------------------


def test_a_bare_machine_gets_a_useful_report_and_nothing_is_left_behind(
    bare: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = report(capfd, "--offline", code=1)
    seen = states(found)
    assert (seen["python"], seen["packages"], seen["calendar"], seen["time zones"]) == ("ok",) * 4
    assert (seen["disk"], seen["journal"], seen["clock"]) == ("ok",) * 3
    assert (seen["settings"], seen["login"]) == ("warn", "fail")
    assert "broker" not in seen
    assert all(check["advice"] for check in found["checks"] if check["state"] != "ok")
    assert sum(found["counts"].values()) == len(found["checks"])
    assert list(bare.iterdir()) == []


def test_the_same_report_reads_well(bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--offline"]) == 1
    text = capfd.readouterr().out
    assert "riskcore live --simulated works without" in text
    assert "\x1b[" not in text
    assert text.splitlines()[-3].startswith("ready for riskcore live --simulated")
    assert run(["doctor", "--offline", "--quiet"]) == 1
    assert not any(line.startswith("ok") for line in capfd.readouterr().out.splitlines())


def test_settings_that_cannot_be_read_fail(bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (bare / "riskcore.toml").write_text("[profile]\nnmae = 1\n", encoding="utf-8")
    found = report(capfd, "--offline", code=1)
    assert states(found)["settings"] == "fail"
    assert any("nmae" in check["text"] for check in found["checks"])


def test_a_locked_but_disabled_rule_is_told(bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (bare / "riskcore.toml").write_text("[rules.max_contracts]\nenabled = false\nlocked = true\n", encoding="utf-8")
    assert any("LOCKED BUT DISABLED" in check["text"] for check in report(capfd, "--offline", code=1)["checks"])


@pytest.mark.parametrize("store", ["postgresql://server/riskcore", "folder"])
def test_a_store_that_live_would_refuse_fails(store: str, bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (bare / "folder").mkdir()
    assert states(report(capfd, "--offline", "--store", store, code=1))["journal"] == "fail"


def test_no_secret_is_printed(bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PROJECT_X_USERNAME", "somebody@example.com")
    monkeypatch.setenv("PROJECT_X_API_KEY", SECRET)
    for words in (["--json"], [], ["--verbose"]):
        assert run(["doctor", "--offline", *words]) == 0
        captured = capfd.readouterr()
        assert SECRET not in captured.out + captured.err
        assert "somebody" not in captured.out + captured.err
    assert states(report(capfd, "--offline"))["login"] == "ok"


def test_an_address_that_would_send_the_login_in_clear_fails(bare: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = report(capfd, "--offline", "--api-url", f"http://example.com/{SECRET}", code=1)
    assert states(found)["encryption"] == "fail"
    assert SECRET not in json.dumps(found)


# ---- journal -----------------------------------------------------------------------------------------


def checks_of(sources: Sources, profile: str = "combine") -> dict[str, machine.Check]:
    return {check.name: check for check in journal_checks(str(sources.store), profile).checks}


def test_a_journal_that_is_whole(sources: Sources) -> None:
    found = checks_of(sources)
    assert {check.state for check in found.values()} == {"ok"}
    assert "2 days of profile combine, whole; the last event 2026-11-23 15:00:00Z" in found["journal"].text
    assert "nothing of profile other yet" in checks_of(sources, "other")["journal"].text
    assert "no journal yet" in journal_checks("missing.db", "combine").checks[0].text


def test_a_damaged_journal_fails(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(sources.store.read_bytes())
    place = content.rindex(b"RULE-004")
    content[place : place + 8] = b"RULE-005"
    sources.store.write_bytes(content)
    assert checks_of(sources)["journal"].state == "fail"
    found = report(capfd, "--offline", "--store", str(sources.store), code=1)
    assert states(found)["journal"] == "fail"


def test_an_engine_that_runs_is_told_and_left_alone(sources: Sources) -> None:
    with Journal.open(sources.store, "combine", write=True):
        found = checks_of(sources)
        assert (found["engine"].state, found["journal"].state) == ("warn", "ok")
    assert checks_of(sources)["engine"].state == "ok"


def test_a_control_file_of_a_dead_engine_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db.combine.control"
    assert control_checks(path, False) == []
    path.touch()
    assert control_checks(path, True) == []
    (check,) = control_checks(path, False)
    assert check.state == "warn"
    assert str(path) in check.text


def test_positions_reopened_again_and_again_hint_at_a_copier(sources: Sources) -> None:
    day = Recording().account().at("08:30:00").quote(21000).fill(2, 21000)
    day.at("08:31:00").quote(20700).fill(-2, 20700, profit=-600)
    for second in (10, 20, 30):
        day.at(f"08:31:{second}").fill(1, 20700).at(f"08:31:{second + 2}").fill(-1, 20700, profit=0)
    wire = day.at("08:32:00").clock().write(sources.folder / "copier.jsonl")
    store = sources.folder / "copier.db"
    assert run(["replay", str(wire), "--store", str(store), "--quiet"]) == 0
    found = {check.name: check for check in journal_checks(str(store), "combine").checks}
    assert found["followers"].state == "warn"
    assert "2026-11-20" in found["followers"].text


def test_a_funded_account_and_one_that_may_not_trade_are_told(sources: Sources) -> None:
    with Journal.open(sources.store, "combine") as journal:
        follower = Follower(journal)
        follower.catch_up()
    assert follower_check(follower).state == "ok"
    assert accounts_checks(follower) == []
    account = follower.book.accounts[ACCOUNT]
    account.simulated = False
    assert accounts_checks(follower) == []  # "all" are the simulated ones.
    follower.book.settings["profile"]["accounts"] = [str(ACCOUNT)]
    assert [check.state for check in accounts_checks(follower)] == ["fail"]
    account.simulated, account.can_trade = True, False
    assert [check.state for check in accounts_checks(follower)] == ["warn"]


# ---- machine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("running", "state"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 14), "ok")])
def test_python_versions(running: tuple[int, int], state: str) -> None:
    assert machine.python_check(running).state == state


def test_a_missing_package_is_named() -> None:
    def version_of(name: str) -> str:
        if name == "click":
            raise PackageNotFoundError(name)
        return "1.0"

    check = machine.packages_check(["click", "httpx"], version_of)
    assert (check.state, "click" in check.text, "httpx" in check.text) == ("fail", True, False)
    assert machine.packages_check(["httpx"], version_of).text == "httpx 1.0"
    assert "click" in machine.needed_packages()


@pytest.mark.parametrize(
    ("today", "known", "state"),
    [
        ("2026-11-20", (2026,), "ok"),
        ("2026-12-01", (2026,), "ok"),
        ("2026-12-02", (2026,), "warn"),
        ("2026-12-02", (2026, 2027), "ok"),
        ("2027-01-01", (2026,), "fail"),
    ],
)
def test_the_calendar_of_the_next_thirty_days(today: str, known: tuple[int, ...], state: str) -> None:
    now = datetime.fromisoformat(f"{today}T12:00:00+00:00")
    assert machine.calendar_check(now, lambda year: year in known).state == state


def test_the_trading_day_of_now_and_a_zone_nobody_knows() -> None:
    plain = read_settings("").plain
    at = int(NOW.timestamp()) * SECOND_NS
    assert "trading day 2026-11-20 by America/Chicago, until 2026-11-20 23:00:00Z" in machine.zone_check(plain, at).text
    plain["profile"]["timezone"] = "Mars/Olympus"
    assert machine.zone_check(plain, at).state == "fail"


@pytest.mark.parametrize(
    ("now", "drift_ms", "last_event", "state"),
    [
        (NOW, 0, 0, "ok"),
        (NOW, 50, 0, "ok"),
        (NOW, 51, 0, "warn"),
        (NOW, -51, 0, "warn"),
        (NOW, 0, 1, "ok"),
        (NOW, 0, 2, "fail"),
        (NOW, 0, -1, "ok"),
        (datetime(2025, 12, 31, tzinfo=UTC), 0, 0, "fail"),
        (datetime(2026, 1, 1, tzinfo=UTC), 0, 0, "ok"),
    ],
)
def test_the_clock(now: datetime, drift_ms: int, last_event: int, state: str) -> None:
    """`last_event`: seconds after now, 0 for no event."""
    last_event_ns = (int(now.timestamp()) + last_event) * SECOND_NS if last_event else 0
    assert machine.clock_check(now, drift_ms, last_event_ns).state == state


@pytest.mark.parametrize(
    ("free", "median_ms", "state"),
    [
        (machine.FEW_FREE_BYTES, 1.0, "ok"),
        (machine.FEW_FREE_BYTES - 1, 1.0, "warn"),
        (machine.LEAST_FREE_BYTES, 1.0, "warn"),
        (machine.LEAST_FREE_BYTES - 1, 1.0, "fail"),
        (machine.FEW_FREE_BYTES, machine.SLOW_SYNC_MS, "ok"),
        (machine.FEW_FREE_BYTES, machine.SLOW_SYNC_MS + 0.1, "warn"),
    ],
)
def test_room_and_speed_of_the_disk(free: int, median_ms: float, state: str) -> None:
    assert machine.judged_disk(Path("x"), free, median_ms).state == state


def test_a_folder_that_is_not_there_yet_is_looked_at_above_and_left_unmade(tmp_path: Path) -> None:
    check = machine.disk_check(tmp_path / "a" / "b")
    assert (check.state, str(tmp_path) in check.text) == ("ok", True)
    assert list(tmp_path.iterdir()) == []
    assert len(machine.sync_milliseconds(tmp_path, 20)) == 20


def test_a_folder_that_takes_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, count: int) -> list[float]:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(machine, "sync_milliseconds", refuse)
    check = machine.disk_check(tmp_path)
    assert (check.state, "Read-only file system" in check.text) == ("fail", True)


def test_a_remote_host_is_a_warning_and_no_more() -> None:
    assert machine.host_check(HostFacts()).state == "ok"
    check = machine.host_check(HostFacts(ssh=True, interfaces=("tun0",)))
    assert (check.state, "SSH" in check.text, "VPN" in check.text) == ("warn", True, True)


# ---- broker ------------------------------------------------------------------------------------------


def test_half_a_login_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.topstepx.credentials._stored", lambda: None)
    assert broker.credentials_check({"PROJECT_X_USERNAME": "somebody"}).state == "fail"
    assert broker.credentials_check({"PROJECT_X_USERNAME": "a", "PROJECT_X_API_KEY": SECRET}).text.endswith(
        "environment"
    )


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({}, "ok"),
        ({"SSL_CERT_FILE": "/x"}, "warn"),
        ({"HTTPS_PROXY": "http://p"}, "warn"),
        ({"SSL_CERT_FILE": ""}, "ok"),
    ],
)
def test_how_certificates_are_checked(environment: dict[str, str], state: str) -> None:
    check = broker.address_check("https://api.example.com", "https://rtc.example.com", environment)
    assert check.state == state
    assert broker.address_check("http://127.0.0.1:1", "ws://127.0.0.1:1", {}).state == "ok"


class Answering:
    """A host on loopback that gives one and the same answer; None: it says nothing."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                connection.recv(4096)
                if self._answer is not None:
                    connection.sendall(self._answer)
        except OSError:
            return

    def close(self) -> None:
        for one in (*self._open, self._socket):
            one.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "PING_SECONDS", 1.0)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def answer(body: str, status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} OK\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("said", "state", "words"),
    [
        (answer('"pong"'), "ok", "answers"),
        (answer("<html>"), "warn", "not as the broker does"),
        (answer('"pong"', 429), "warn", "no further calls at the moment (HTTP 429)"),
        (answer('"pong"', 499), "warn", "not as the broker does"),
        (answer('"pong"', 500), "warn", "does not work at the moment (HTTP 500)"),
        (answer('"pong"', 503), "warn", "does not work at the moment (HTTP 503)"),
        (None, "warn", "no answer within 1 s"),
    ],
)
def test_the_broker_answers_or_not(said: bytes | None, state: str, words: str) -> None:
    host = Answering(said)
    try:
        check = broker.reachable_check(host.url)
    finally:
        host.close()
    assert (check.state, words in check.text) == (state, True), check


@pytest.mark.usefixtures("quick")
def test_nobody_there_is_not_reachable_and_no_failure(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PROJECT_X_USERNAME", "somebody")
    monkeypatch.setenv("PROJECT_X_API_KEY", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = report(capfd, "--api-url", f"http://127.0.0.1:{port}", "--rtc-url", f"ws://127.0.0.1:{port}")
    assert states(found)["broker"] == "warn"
    assert any("not reachable" in check["text"] for check in found["checks"])
