"""The health of a live engine, asked over its control channel while the broker misbehaves."""

import asyncio
import json
from pathlib import Path

import pytest

from adapters.simulator.faults import Fault
from adapters.simulator.scenarios import SCENARIOS
from riskcore.cli.main import run
from tests.cli.live_run import Live, Row, play
from tests.schema.shapes import FOLDER, broken_promises, shape_of


def names(health: Row) -> set[str]:
    return {part["name"] for part in health["parts"]}


def test_every_figure_is_fed_and_what_fails_is_explained(tmp_path: Path) -> None:
    asked: list[Row] = []

    async def plot(live: Live) -> None:
        asked.append(await live.asked(ask="health"))
        live.gateway.inject(Fault("http_503", "rest"))
        live.gateway.inject(Fault("refused", "user"))
        await live.until(lambda: live.engine.book.connections["user"] == "lost", "the loss")
        await live.clock.sleep(30)
        asked.append(await live.asked(ask="health"))
        live.gateway.clear()
        await live.until(lambda: live.engine.book.connections["user"] == "connected", "the hub again", 120)
        await live.clock.sleep(70)
        asked.append(await live.asked(ask="health"))

    play(tmp_path, SCENARIOS["quiet"], plot)
    well, ill, healed = asked

    measured = well["measured"]
    assert well["schema"] == "riskcore.health/1"
    assert [hub["state"] for hub in measured["hubs"]] == ["connected", "connected"]
    calls, bars = measured["quotas"]
    assert calls["used"] > 0
    assert calls["used"] + calls["left"] == calls["limit"] == 200
    assert bars == {"name": "bars", "used": 0, "left": 50, "limit": 50, "window_seconds": 30, "paused_seconds": 0}
    assert 0 <= measured["token"]["age_seconds"] < 120
    assert 86_390 < measured["token"]["age_seconds"] + measured["token"]["expires_in_seconds"] <= 86_400
    assert float(measured["calls"]["answer_ms"]) > 0
    assert measured["calls"]["failures_in_a_row"] == 0
    assert float(measured["commit"]["slowest_ms"]) >= float(measured["commit"]["median_ms"]) > 0

    assert {"user hub", "calls", "breaker", "blind"} <= names(ill)
    assert ill["score"] == max(100 - sum(part["points_lost"] for part in ill["parts"]), 0)
    failed = next(part for part in ill["parts"] if part["name"] == "calls")
    assert failed["figure"] == ill["measured"]["calls"]["failures_in_a_row"] >= failed["from"]
    assert ill["measured"]["calls"]["breaker"] != "closed"
    hub = next(part for part in ill["parts"] if part["name"] == "user hub")
    assert ill["measured"]["hubs"][0]["last_reason"] in hub["sentence"]

    assert not {"user hub", "calls", "breaker", "blind"} & names(healed)
    assert healed["measured"]["calls"]["failures_in_a_row"] == 0
    assert healed["measured"]["hubs"][0]["reconnects"] == 1
    assert healed["measured"]["hubs"][0]["losses_last_hour"] == 1
    # Values vary, fields do not: the shape was written by this very plot.
    frozen = json.loads((FOLDER / "health.json").read_text(encoding="utf-8"))
    assert broken_promises(frozen, shape_of(*asked)) == []


def test_status_and_health_as_a_trader_reads_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []

    async def plot(live: Live) -> None:
        for words in (["health"], ["status"], ["status", "--json"]):
            assert await asyncio.to_thread(run, [*words, "--store", live.store]) == 0
            told.append(capfd.readouterr().out)

    play(tmp_path, SCENARIOS["quiet"], plot)
    health, status, status_json = told
    assert "  calls quota  " in health
    assert " of 200 used in 60 s, " in health
    assert "  login        0:" in health
    assert "an engine is running" in status
    assert "\n  health " in status
    assert 0 < json.loads(status_json)["health"]["score"] <= 100
    assert run(["status", "--json", "--store", str(tmp_path / "journal.db")]) == 0
    assert json.loads(capfd.readouterr().out)["health"] is None, "nobody runs who could tell"
