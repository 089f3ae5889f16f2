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


def test_the_page_is_served_from_a_server_read_only(stores: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
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
        assert (status["running"], status["last_event_seq"]) == (False, 271)
        connection.close()


# The password is written nowhere: words that lead to errors as well as words that do not.
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status"], 0),
        (["status", "--profile", "nobody"], 2),
        (["doctor", "--offline", "--json"], None),
        (["flatten"], 2),
        (["replay", str(DAY / "session.jsonl"), *SETTINGS], 3),
        (["live", "--dry-run"], None),
        (["audit", "--day", "2020-01-01"], 2),
    ],
)
def test_the_password_of_a_url_is_shown_nowhere(
    stores: dict[str, str],
    words: list[str],
    code: int | None,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PROJECT_X_USERNAME", "PROJECT_X_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    given = [*words, "--store", stores["owner"]]
    found = run(given)
    assert code is None or found == code
    assert found != 1 or words[0] == "doctor"
    broken = [
        stores["owner"].replace("127.0.0.1", "127.0.0.1:1").rpartition(":")[0],
        stores["owner"] + "?colour=blue",
        stores["owner"].replace(f":{TYPED}@", f":{PASSWORD}@") + "_none",
        stores["owner"].replace(f":{TYPED}@", "@") + f"?password={TYPED}&sslmode=verify-full",
        stores["owner"].replace("127.0.0.1", "192.0.2.1") + "?sslmode=disable",
    ]
    for store in broken:
        assert run([*words, "--store", store]) in (1, 2, 3)
    captured = capfd.readouterr()
    for shown in (PASSWORD, TYPED, "ss/w@rd", "w@rd", "w%40rd"):
        assert shown not in captured.out + captured.err
    folder = Path(os.environ["XDG_DATA_HOME"])
    for path in [*folder.rglob("*"), *map(Path, broken)]:
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()
