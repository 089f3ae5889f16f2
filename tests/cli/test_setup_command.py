"""`riskcore setup`: a new trader, from nothing to a dry run, against the simulated gateway."""

import asyncio
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import click
import pytest

from adapters.simulator.server import SimulatedGateway
from adapters.topstepx.credentials import API_KEY, SERVICE, USER_NAME
from riskcore.cli.main import run
from riskcore.settings.config import load_settings
from tests import processes
from tests.cli.live_process import ROOT, environment
from tests.cli.memory_keyring import MemoryKeyring, used
from tests.cli.simulated import gateway_running
from tests.cli.test_live_full_disk import MARKET

TWO_MINUTES = 120


@pytest.fixture(scope="module")
def gateway() -> Iterator[SimulatedGateway]:
    with gateway_running("two-accounts") as found:
        yield found


@pytest.fixture
def fresh(gateway: SimulatedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    """An account of the system on which riskcore never ran; its keyring."""
    monkeypatch.chdir(tmp_path)
    for name in (USER_NAME, API_KEY, "RISKCORE_STORE", "RISKCORE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in (("HOME", "home"), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")):
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr("riskcore.settings.config.user_config_folder", lambda: tmp_path / "config")
    monkeypatch.setenv("RISKCORE_API_URL", gateway.api_url)
    monkeypatch.setenv("RISKCORE_RTC_URL", gateway.rtc_url)
    backend = MemoryKeyring()
    with used(backend):
        yield backend


def steps(said: str) -> list[str]:
    return [line[5:].split(":")[0] for line in said.splitlines() if line[1:5] == "/6  "]


def typed(monkeypatch: pytest.MonkeyPatch, *answers: str, key: str = "") -> None:
    """A person at a terminal; each word is typed in its turn."""
    waiting = iter(answers)

    def answer(question: str) -> str:
        said = next(waiting)
        if said == "^C":
            raise KeyboardInterrupt
        return said

    monkeypatch.setattr("riskcore.live.run.interactive", lambda: True)
    monkeypatch.setattr(click.termui, "visible_prompt_func", answer)
    monkeypatch.setattr(click.termui, "hidden_prompt_func", lambda question: key)


def test_without_a_terminal_the_options_answer(
    gateway: SimulatedGateway,
    fresh: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{gateway.user_name}\n{gateway.api_key}\n"))
    account = gateway.broker.accounts[1].name
    assert run(["setup", "--preset", "combine-50k", "--account", account]) == 0
    said = capfd.readouterr().out
    assert steps(said) == ["Settings", "Login", "Accounts", "Checks", "Service", "Dry run"]
    assert said.count("\nskipped\n") == 2, "nothing is started that was not asked for"
    assert gateway.api_key not in said
    assert fresh.kept[SERVICE, API_KEY] == gateway.api_key
    assert load_settings(tmp_path / "config" / "riskcore.toml").plain["profile"]["accounts"] == [account]
    # Once more: what is there stays.
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["setup"]) == 0
    said = capfd.readouterr().out
    assert "is there already and stays as it is" in said
    assert "there is a login already" in said
    assert load_settings(tmp_path / "config" / "riskcore.toml").plain["profile"]["accounts"] == [account]


def test_a_person_is_asked_step_by_step(
    gateway: SimulatedGateway, fresh: MemoryKeyring, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "beginner", gateway.user_name, "all", "n", "n", key=gateway.api_key)
    assert run(["setup"]) == 0
    said = capfd.readouterr().out
    assert "config init" in said
    assert "--preset beginner" in said
    assert said.count("\nskipped\n") == 2


def test_a_failed_step_is_tried_again_or_ends_it_and_what_is_done_stays(
    gateway: SimulatedGateway,
    fresh: MemoryKeyring,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, "starter", gateway.user_name, "stop", key="WRONG")
    assert run(["setup"]) == 5
    assert "This step failed. What is done stays" in capfd.readouterr().out
    assert (tmp_path / "config" / "riskcore.toml").exists()
    assert fresh.kept == {}
    typed(monkeypatch, gateway.user_name, "^C", key=gateway.api_key)
    assert run(["setup"]) == 130
    assert "What is done stays. Run riskcore setup again" in capfd.readouterr().err
    assert fresh.kept[SERVICE, API_KEY] == gateway.api_key
    assert (
        run(["setup", "--yes", *(word for step in ("login", "accounts", "doctor") for word in ("--skip", step))]) == 0
    )
    assert capfd.readouterr().out.count("\nskipped\n") == 5


@pytest.mark.slow
def test_from_nothing_to_a_dry_run_within_two_minutes(tmp_path: Path) -> None:
    async def play() -> None:
        async with SimulatedGateway(MARKET, seed=1) as gateway:
            own = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PYTHONPATH": str(ROOT)}
            began = monotonic()
            setup = await processes.start_async(
                *(sys.executable, "-m", "riskcore", "setup", "--preset", "combine-50k", "--account", "all", "--start"),
                env={**environment(gateway, tmp_path), **own},
                cwd=tmp_path,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
            )
            assert setup.stdout is not None
            said: list[str] = []
            while not any("deciding only, sending nothing" in line for line in said):
                line = await asyncio.wait_for(setup.stdout.readline(), TWO_MINUTES)
                assert line, said
                said.append(line.decode())
            assert monotonic() - began < TWO_MINUTES
            setup.terminate()
            said += [line.decode() async for line in setup.stdout]
            assert await setup.wait() == 0
            assert said[-1].startswith("Done.")
            assert gateway.broker.received == [], "nothing was sent"

    asyncio.run(play())
