"""`riskcore live --log-json`: stderr is JSON, line by line, whatever happens, and without a secret."""

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from riskcore.cli.live_log import log_on_stderr
from riskcore.core.raw_text import WITHHELD
from riskcore.errors import ProfileBusy
from riskcore.live.log_lines import level_of
from tests import processes
from tests.cli.live_process import Process, started

Row = dict[str, Any]
LIVE = [sys.executable, "-m", "riskcore", "live", "--log-json"]


def without(row: Row, *names: str) -> Row:
    return {name: row[name] for name in row if name not in names}


def rows(text: str) -> list[Row]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_logs_what_happens_and_nothing_else(tmp_path: Path) -> None:
    async def run() -> tuple[Process, SimulatedGateway]:
        async with SimulatedGateway(SCENARIOS["quiet"]) as gateway:
            settings = SCENARIOS["quiet"].settings
            async with started(gateway, tmp_path, tmp_path / "journal.db", settings, "--log-json") as process:
                await process.until(lambda: process.of("ready"), "ready")
                assert await process.stop() == 0
            return process, gateway

    process, gateway = asyncio.run(run())
    logged = rows(process.complaint)
    assert {"connection", "ready"} <= {row["type"] for row in logged}
    assert all(row["level"] in ("info", "warning", "critical") for row in logged)
    assert all(list(row)[:3] == ["at", "level", "type"] for row in logged)
    of_both = [row for row in logged if row["type"] != "warning"]
    assert [without(row, "at", "level") for row in of_both] == [without(row, "at") for row in process.said]
    for secret in (gateway.api_key, "eyJ", "Bearer"):
        assert secret not in process.complaint


def test_an_error_that_ends_the_run_is_a_line_with_its_exit_code(tmp_path: Path) -> None:
    (tmp_path / "riskcore.toml").write_text("[rules.nonsense]\n", encoding="utf-8")
    ended = processes.run(LIVE, text=True, cwd=tmp_path)
    [row] = rows(ended.stderr)
    assert (ended.returncode, row["exit"], row["level"], row["type"]) == (2, 2, "error", "error")
    assert "nonsense" in row["text"]
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ProfileBusy("it is busy"), 4, "it is busy"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ZeroDivisionError("x"), 1, "internal error: ZeroDivisionError: x"),
    ],
)
def test_whatever_ends_the_run_is_a_line(
    error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(click.exceptions.Exit) as ended, log_on_stderr():
        raise error
    [row] = rows(capsys.readouterr().err)
    assert (ended.value.exit_code, row["exit"], row["text"]) == (code, code, text)


def test_what_a_library_warns_of_is_a_line_without_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    with log_on_stderr():
        logging.getLogger("wire").warning("slow\nhandler")
        logging.getLogger("wire").warning("GET /hubs/user?access_token=eyJhbGciOiJIUzI1NiJ9")
    first, second = rows(capsys.readouterr().err)
    assert (first["level"], first["text"]) == ("warning", "wire: slow\nhandler")
    assert second["text"] == f"wire: {WITHHELD}"


@pytest.mark.parametrize(
    ("row", "level"),
    [
        ({"type": "breach"}, "critical"),
        ({"type": "halt", "over": False}, "critical"),
        ({"type": "halt", "over": True}, "info"),
        ({"type": "connection", "state": "lost"}, "warning"),
        ({"type": "connection", "state": "connected"}, "info"),
        ({"type": "outcome", "outcome": "refused"}, "warning"),
        ({"type": "outcome", "outcome": "confirmed"}, "info"),
        ({"type": "drift"}, "warning"),
        ({"type": "ready"}, "info"),
        ({"type": "error"}, "error"),
    ],
)
def test_levels(row: Row, level: str) -> None:
    assert level_of(row) == level
