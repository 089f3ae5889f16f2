"""What is shipped: every file of the packages, the same bytes each time, and a wheel that works by itself."""

import os
import re
import sys
import tarfile
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from riskcore.errors import ConfigError
from riskcore.live.remote_host import NO_ORDERS
from riskcore.live.run import start_texts
from riskcore.settings.config import read_settings
from tests import processes

ROOT = Path(__file__).parents[1]
PACKAGES = ("riskcore", "adapters", "replay")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def shipped() -> set[str]:
    """Every file of the packages, but what Python makes of them."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if path.suffix not in (".pyc", ".pyo")}


def test_the_container_is_not_for_enforcement() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert "NOT for enforcement" in text
    assert f"\nENV {NO_ORDERS}=1\n" in text
    [extras] = re.findall(r"whl\)\[([a-z,]+)\]", text)
    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


def test_an_installation_without_orders_refuses_to_enforce_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings("")
    monkeypatch.delenv(NO_ORDERS, raising=False)
    start_texts(settings, enforces=True)
    monkeypatch.setenv(NO_ORDERS, "1")
    start_texts(settings, enforces=False)
    with pytest.raises(ConfigError, match="--dry-run, --record-only or --simulated"):
        start_texts(settings, enforces=True)


def built(folder: Path, kind: str) -> Path:
    """One build in an environment of its own, as a packager makes it."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1764633600"}
    backend = f"from hatchling.build import build_{kind}; print(build_{kind}({str(folder)!r}))"
    builder = folder.parent / "builder"
    python = builder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        assert processes.run([sys.executable, "-m", "venv", str(builder)]).returncode == 0
        wanted = PROJECT["build-system"]["requires"]
        said = processes.run([str(python), "-m", "pip", "install", "--quiet", *wanted], text=True)
        if said.returncode:
            pytest.skip(f"the build backend cannot be installed here: {said.stderr.splitlines()[-1]}")
    said = processes.run([str(python), "-c", backend], cwd=ROOT, env=environment, text=True)
    assert said.returncode == 0, said.stderr
    return folder / str(said.stdout.split()[-1])


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Two builds of the wheel and of the source archive."""
    base = tmp_path_factory.mktemp("packaging")
    folders = [base / "first", base / "second"]
    for folder in folders:
        folder.mkdir()
    return {kind: [built(folder, kind) for folder in folders] for kind in ("wheel", "sdist")}


@pytest.mark.nightly
def test_the_wheel_and_the_source_archive_have_every_file(builds: dict[str, list[Path]]) -> None:
    with zipfile.ZipFile(builds["wheel"][0]) as wheel:
        assert {name for name in wheel.namelist() if ".dist-info/" not in name} == shipped()
    with tarfile.open(builds["sdist"][0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert shipped() <= names
    assert {"pyproject.toml", "README.md", "LICENSE", "docs/index.md"} <= names


@pytest.mark.nightly
def test_two_builds_give_the_same_bytes(builds: dict[str, list[Path]]) -> None:
    for kind, (first, second) in builds.items():
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), kind


@pytest.mark.nightly
def test_an_installed_wheel_runs_and_serves_its_page(builds: dict[str, list[Path]], tmp_path: Path) -> None:
    """As `uv tool install` and `pipx install` do it: an environment of its own, no source beside it."""
    home = tmp_path / "tool"
    assert processes.run([sys.executable, "-m", "venv", str(home)]).returncode == 0
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    said = processes.run([str(scripts / "python"), "-m", "pip", "install", "-q", str(builds["wheel"][0])], text=True)
    if said.returncode:
        pytest.skip(f"what riskcore needs cannot be installed here: {said.stderr.splitlines()[-1]}")
    riskcore = str(scripts / "riskcore")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for words in (["replay", "--help"], ["version", "--json"], ["programme", "show"], ["calendar"]):
        said = processes.run([riskcore, *words], cwd=tmp_path, env=environment, text=True)
        assert said.returncode == 0, said.stderr
    day = ROOT / "fixtures" / "days" / "daily-loss"
    store = str(tmp_path / "journal.db")
    words = ["replay", str(day / "session.jsonl"), "--config", str(day / "riskcore.toml"), "--store", store, "--quiet"]
    assert processes.run([riskcore, *words], cwd=tmp_path, env=environment).returncode == 0
    words = [riskcore, "web", "--store", store, "--no-open", "--quiet"]
    with processes.start(words, cwd=tmp_path, env=environment, stdout=-1, text=True) as web:
        assert web.stdout is not None
        link = web.stdout.readline().split()[-1]
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = opener.open(link, timeout=20).read().decode()
        base = link.partition("/open")[0]
        named = re.findall(r'(?:src|href)="/?([\w./-]+\.(?:js|css|svg))"', page)
        assert named
        for name in named:
            assert opener.open(f"{base}/{name}", timeout=20).read()
