"""A recording whose broker values a tick otherwise than the built-in table: warned of, and believed (RULES.md 1.2)."""

import json
from pathlib import Path

import pytest

from replay.replay_run import Economics, run_replay
from riskcore.core.events import Event, TradingDayOpened
from riskcore.core.state import Contract, Day


def recording(folder: Path, tick_value: str) -> Path:
    path = folder / "day.jsonl"
    record = {"id": "CON.F.US.MNQ.Z26", "name": "MNQZ6", "tickSize": 0.25, "activeContract": True}
    response = {"contract": record, "success": True, "errorCode": 0, "errorMessage": None}
    line = {
        "at": "2026-11-20T15:00:00Z",
        "rest": "/api/Contract/searchById",
        "request": {"contractId": record["id"]},
        "status": 200,
        "response": response,
    }
    text = json.dumps(line).replace('"tickSize"', f'"tickValue": {tick_value}, "tickSize"')
    twice = text.replace("15:00:00", "15:00:01")
    path.write_text(f'{{"riskcore":"wire/1"}}\n{text}\n{twice}\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(("tick_value", "warnings"), [("0.5", 0), ("2", 1)])
def test_a_different_tick_is_warned_of_once(tmp_path: Path, tick_value: str, warnings: int) -> None:
    told: list[str] = []
    run_replay([recording(tmp_path, tick_value)], sets=("rules.max_contracts.limit=3",), warn=told.append)
    assert (
        len([text for text in told if "worth 2.00, the built-in table has a tick of 0.25 worth 0.50" in text])
        == warnings
    )


def test_a_tick_described_on_an_earlier_day_is_warned_of_once() -> None:
    day = Day("2026-11-20", 0, 1, "America/Chicago", 61_200, {})
    mnq = Contract("CON.F.US.MNQ.Z26", "MNQ", 250_000_000, 2_000_000, described=True)
    body = TradingDayOpened("p", day, {}, (), (mnq,), {}, (), "1", "")
    told: list[str] = []
    Economics(told.append).note([Event(0, "operator", "day", body), Event(1, "operator", "day", body)])
    assert len(told) == 1
    assert "the broker's is used" in told[0]
