"""Every command with folders and files named as people name theirs: with blanks, umlauts and Japanese."""

import asyncio
import shutil
import sys
from pathlib import Path

import click
import pytest

from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from riskcore.cli.main import COMMANDS, group, run
from tests import processes
from tests.cli.fetched import Download
from tests.cli.live_process import started

DAY = Path(__file__).parents[2] / "fixtures" / "days" / "daily-loss"
FOLDER = "Konto Übersicht 日本"
LIMIT = "rules.daily_realized_loss.loss_limit=400"
CSV = """Id,ContractName,EnteredAt,ExitedAt,EntryPrice,ExitPrice,Fees,PnL,Size,Type,TradeDay,TradeDuration
1,MNQZ6,11/19/2026 08:31:00 -06:00,11/19/2026 08:32:00 -06:00,21000,21010,0.74,20,1,Long,11/19/2026,00:01
"""
# By command: its words, names of files in the folder with their endings, and the exit codes that are no fault.
STEPS = (
    ("replay {Tag 1.jsonl} --config {Regeln ü.toml} --store {Journal ü.db} --json", 0),
    ("verify --store {Journal ü.db}", 0),
    ("export --store {Journal ü.db} --out {Auszug é.jsonl.gz}", 0),
    ("verify {Auszug é.jsonl.gz}", 0),
    ("audit --store {Journal ü.db} --database {Prüfung.db} --json", 0),
    ("audit --store {Journal ü.db} --evidence 2026-11-19 2026-11-19 --out {Beweis ß}", 0),
    ("review 2026-11-19 --store {Journal ü.db} --quick --html {Rückblick.html} --csv {Rückblick.csv}", 0),
    ("redact {Tag 1.jsonl} --config {Regeln ü.toml} --out {Ohne Namen é.jsonl.gz} --map {Wer 日.json}", 0),
    ("why RULE-004 --store {Journal ü.db}", 0),
    (
        "whatif {Tag 1.jsonl} --config {Regeln ü.toml} --set LIMIT --quick --export {Was wäre.jsonl}"
        " --report {Was wäre.html} --card {Bild 日.png}",
        0,
    ),
    ("whatif {Tag 1.jsonl} --baseline {Regeln ü.toml} --compare {Regeln ü.toml} {Andere ö.toml} --quick", 0),
    (
        "sweep {Tag 1.jsonl} --config {Regeln ü.toml} --grid rules.daily_realized_loss.loss_limit=400,500 --workers 1"
        " --out {Gitter ä.parquet} --report {Gitter ä.html} --yes",
        0,
    ),
    ("odds {Tag 2.jsonl} {Tag 1.jsonl} --config {Programm.toml} --paths 100 --report {Aussicht ö.html}", 0),
    ("import {Händel é.csv} --account 99000001 --out {Tage ü}", 0),
    ("regress {Tage 日本} --junit {Ergebnis ü.xml}", 0),
    ("status --store {Journal ü.db} --json", 0),
    ("portfolio --store {Journal ü.db}", 0),
    ("programme show --config {Programm.toml}", 0),
    ("programme status --config {Programm.toml} --store {Journal ü.db}", 0),
    ("programme diff 2026-09-01 2026-10-10 --config {Programm.toml}", 0),
    ("programme note 50KTC-V2-99000001 日本 --config {Regeln ü.toml} --store {Journal ü.db}", 0),
    ("calendar --config {Regeln ü.toml}", 0),
    ("config check {Regeln ü.toml}", 0),
    ("config show --config {Regeln ü.toml}", 0),
    ("config try LIMIT --config {Regeln ü.toml} --store {Journal ü.db} --quick", 0),
    ("config set LIMIT --config {Andere ö.toml} --store {Journal ü.db} --untried --yes", 0),
    ("copy {Journal ü.db} {Kopie ü.db}", 0),
    ("archive --before 2026-11-19 --store {Journal ü.db} --out {Archiv ü}", 0),
    ("watchdog --once --config {Regeln ü.toml} --store {Journal ü.db}", 0),
    ("service install --dry-run --config {Regeln ü.toml} --store {Journal ü.db}", 0),
    ("doctor --offline --config {Regeln ü.toml} --store {Journal ü.db}", 1),  # Without a login.
)
# Only reaches a running engine, by an address in a file beside the store, as these do.
_ON_STORE = "--store {Journal ü.db} --config {Regeln ü.toml}"
ASKS_AN_ENGINE = tuple((f"{one} {_ON_STORE}", 2) for one in ("price MNQ", "health"))
AS_ONE_OF_THOSE = {"order", "close", "cancel", "flatten", "modify-stop", "modify-target", "lock", "unlock"}
ELSEWHERE = {
    "live": "below",
    "web": "below",
    "fetch": "below",
    "simulate": "writes its recording as live does",
    "setup": "only calls the others",
    "alerts": "only reads the settings",
}
_PATH_NAMES = {"config_path", "store", "out", "database", "report", "card", "export", "junit", "record", "sessions"}


def takes_paths(command: click.Command) -> bool:
    if isinstance(command, click.Group):
        return any(map(takes_paths, command.commands.values()))
    return any(isinstance(one.type, click.Path) or one.name in _PATH_NAMES for one in command.params)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / FOLDER
    found.mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(found / "Daten ü"))
    monkeypatch.setenv("RISKCORE_NO_CACHE", "")
    monkeypatch.chdir(found)
    shutil.copytree(DAY, found / "Tage 日本" / "Verlust é")
    shutil.copy(DAY / "session.jsonl", found / "Tag 1.jsonl")
    shutil.copy(DAY.parent / "give-back" / "session.jsonl", found / "Tag 2.jsonl")
    settings = (DAY / "riskcore.toml").read_text(encoding="utf-8")
    for name in ("Regeln ü.toml", "Andere ö.toml"):
        (found / name).write_text(settings, encoding="utf-8")
    (found / "Programm.toml").write_text(f'{settings}\n[programme]\nsize = "50K"\n', encoding="utf-8")
    (found / "Händel é.csv").write_text(CSV, encoding="utf-8")
    return found


def words_of(step: str, folder: Path) -> list[str]:
    words: list[str] = []
    for index, part in enumerate(step.replace("{", "\0{").replace("}", "}\0").split("\0")):
        words += [str(folder / part[1:-1])] if index % 2 else part.split()
    return [LIMIT if word == "LIMIT" else word for word in words]


def test_every_command_takes_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for step, code in (
        *STEPS,
        *((f"{one} --store {{Journal ü.db}} --config {{Regeln ü.toml}}", 2) for one in ASKS_AN_ENGINE),
    ):
        ended = run(words_of(step, folder))
        said = capsys.readouterr()
        assert ended == code, f"{step}: {said.err or said.out[-500:]}"
        assert "internal error" not in said.err
    made = {path.name for path in folder.iterdir()}
    assert {
        "Auszug é.jsonl.gz",
        "Prüfung.db",
        "Was wäre.html",
        "Bild 日.png",
        "Gitter ä.parquet",
        "Ergebnis ü.xml",
    } <= made
    assert list((folder / "Tage ü").glob("*.jsonl"))
    assert "loss_limit = 400" in (folder / "Andere ö.toml").read_text(encoding="utf-8")


def test_none_is_left_out() -> None:
    context = click.Context(group)
    wanted = {name for name in COMMANDS if takes_paths(group.get_command(context, name) or click.Command(name))}
    tried = {step.split()[0] for step, _ in (*STEPS, *ASKS_AN_ENGINE)}
    assert wanted - tried - AS_ONE_OF_THOSE - set(ELSEWHERE) == set()


def test_live_records_and_stores_there(folder: Path) -> None:
    async def play() -> None:
        async with SimulatedGateway(SCENARIOS["quiet"]) as gateway:
            store, record = folder / "Journal ü.db", folder / "Mitschnitt é.jsonl.gz"
            async with started(gateway, folder, store, SCENARIOS["quiet"].settings, "--record", str(record)) as live:
                await live.until(lambda: live.of("ready"), "ready")
                assert await live.stop() == 0
            assert record.is_file()

    asyncio.run(play())
    assert run(["replay", str(folder / "Mitschnitt é.jsonl.gz"), "--quiet"]) == 0
    assert run(["verify", "--store", str(folder / "Journal ü.db"), "--quiet"]) == 0


def test_web_serves_a_store_there(folder: Path) -> None:
    replayed = words_of("replay {Tag 1.jsonl} --config {Regeln ü.toml} --store {Journal ü.db} --quiet", folder)
    assert run(replayed) == 0
    words = [sys.executable, "-m", "riskcore", "web", "--store", str(folder / "Journal ü.db"), "--no-open", "--quiet"]
    with processes.start(words, cwd=folder, stdout=-1, text=True, encoding="utf-8") as web:
        assert web.stdout is not None
        assert "/open?once=" in web.stdout.readline()


def test_fetch_writes_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download = Download(folder, monkeypatch)
    download.fetch("2026-09-17", "2026-09-18", out="Tage é")
    assert list((folder / "Tage é").glob("*.jsonl*"))
