"""The commands on a store on a server: the same answers as from a file, with a role that may only read; no password."""

import http.client
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from riskcore.cli.main import run
from riskcore.engine.control_file import web_path
from riskcore.store.server_url import without_password
from tests import processes
from tests.postgres_server import ADMIN, PASSWORD, PostgresServer

DAY = Path(__file__).parents[2] / "fixtures" / "days" / "daily-loss"
SETTINGS = ["--config", str(DAY / "riskcore.toml")]
TYPED = quote(PASSWORD, safe="")


@pytest.fixture
def stores(
    postgres_server: PostgresServer, postgres_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The same day in a file and on a server; there it is read by a role that may do nothing else."""
    monkeypatch.delenv("PGPASSWORD")
    name = postgres_store.rpartition("/")[2]
    found = {"file": str(tmp_path / "j.db"), "owner": postgres_server.url(name, password=TYPED)}
    for store in found.values():
        assert run(["replay", str(DAY / "session.jsonl"), *SETTINGS, "--store", store, "--quiet"]) == 0
    reader = f"reader_{name}"
    postgres_server.psql("postgres", f"CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'", user=ADMIN)
    postgres_server.psql("postgres", f"ALTER ROLE {reader} SET default_transaction_read_only = on", user=ADMIN)
    postgres_server.psql(name, f"GRANT USAGE ON SCHEMA riskcore TO {reader}")
    postgres_server.psql(name, f"GRANT SELECT ON ALL TABLES IN SCHEMA riskcore TO {reader}")
    return {**found, "reader": postgres_server.url(name, reader, TYPED)}


def same(words: list[str], stores: dict[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    answers = {}
    for kind in ("file", "reader"):
        code = run([*words, "--store", stores[kind]])
        captured = capfd.readouterr()
        assert PASSWORD not in captured.out + captured.err
        assert TYPED not in captured.out + captured.err
        assert code == 0, captured.err
        row = json.loads(captured.out)
        for connection in row.get("connections", ()):
            del connection["seconds"]  # They go on between the two answers.
        answers[kind] = {key: value for key, value in row.items() if key not in ("now", "seconds_since_last_event")}
    assert answers["file"] == answers["reader"]


def test_readers_get_the_same_from_a_server_as_from_a_file(
    stores: dict[str, str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for words in (["verify", "--json"], ["audit", "--json"], ["status", "--json"]):
        same(words, stores, capfd)
    for kind in ("file", "reader"):
        assert run(["export", "--store", stores[kind], "--out", str(tmp_path / f"{kind}.jsonl")]) == 0
        assert run(["audit", "--store", stores[kind], "--database", str(tmp_path / f"{kind}.db")]) == 0
    assert (tmp_path / "file.jsonl").read_bytes() == (tmp_path / "reader.jsonl").read_bytes()
    capfd.readouterr()
    (tmp_path / "file.jsonl").rename(tmp_path / "store.jsonl")
    change = ["--set", "rules.daily_realized_loss.loss_limit=300"]
    assert run(["whatif", str(tmp_path / "store.jsonl"), *change, "--quick", "--json"]) == 0
    from_file = json.loads(capfd.readouterr().out)
    assert run(["whatif", "--store", stores["reader"], *change, "--quick", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == from_file


def test_the_page_is_served_from_a_server_read_only(
    stores: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    capfd.readouterr()
    assert run(["status", "--json", "--store", stores["file"]]) == 0
    last_event_seq = json.loads(capfd.readouterr().out)["last_event_seq"]
    assert last_event_seq > 200
    words = [sys.executable, "-m", "riskcore", "web", "--json", "--store", stores["reader"]]
    with processes.start(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as web:
        assert web.stdout is not None
        said = json.loads(web.stdout.readline())
        assert said["read_only"] is True
        control = web_path(without_password(stores["reader"]), "combine-50k")
        assert said["control"] == str(control)
        key = json.loads(control.read_text(encoding="utf-8"))
        connection = http.client.HTTPConnection(urlsplit(key["url"]).netloc, timeout=20)
        connection.request("GET", "/api/status", headers={"Authorization": f"Bearer {key['token']}"})
        answer = connection.getresponse()
        assert answer.status == 200
        status = json.loads(answer.read())
        assert (status["running"], status["last_event_seq"]) == (False, last_event_seq)
        connection.close()


def test_the_password_of_a_url_is_shown_nowhere(
    stores: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in what a command says, whether it ends well or not, nor in a file that it leaves."""
    for name in ("PROJECT_X_USERNAME", "PROJECT_X_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    owner, with_password = stores["owner"], f":{TYPED}@"
    said = ""

    def shown_by(words: list[str], store: str) -> int:
        nonlocal said
        code = run([*words, "--store", store])
        captured = capfd.readouterr()
        said += captured.out + captured.err
        return code

    assert shown_by(["status"], owner) == 0
    assert shown_by(["doctor", "--offline", "--json"], owner) in (0, 1)
    assert shown_by(["status", "--profile", "nobody"], owner) == 2
    assert shown_by(["flatten"], owner) == 2
    assert shown_by(["audit", "--day", "2020-01-01"], owner) == 2
    assert shown_by(["replay", str(DAY / "session.jsonl"), *SETTINGS], owner) == 3
    assert shown_by(["live", "--dry-run"], owner) in (2, 5)
    for broken, code in (
        (owner.rpartition(":")[0] + ":1/x", 3),
        (owner + "?colour=blue", 2),
        (owner.replace(with_password, f":{PASSWORD}@") + "_none", 2),
        (owner.replace(with_password, "@") + f"?password={TYPED}&sslmode=verify-full", 2),
        (owner.replace("127.0.0.1", "192.0.2.1") + "?sslmode=disable", 2),
        (owner.replace(with_password, ":very+wrong@"), 2),
    ):
        assert shown_by(["status"], broken) == code
        assert shown_by(["live", "--dry-run"], broken) == code
    for secret in (PASSWORD, TYPED, "ss/w@rd", "w@rd", "w%40rd", "very+wrong"):
        assert secret not in said
    files = [path for path in Path(os.environ["XDG_DATA_HOME"]).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert PASSWORD.encode() not in path.read_bytes()
        assert TYPED.encode() not in path.read_bytes()
