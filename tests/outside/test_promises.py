"""Promises of INTERFACE.md and RULES.md 1 to 3 through the command line: accounts, inputs, lockouts, files."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests import processes
from tests.outside.broker import ACCOUNT, Broker, breaches, command, commands, contract, replay

LOSS = "[rules.daily_realized_loss]\n"
OTHER = 99000002


def described(day: Broker, tick_value: float) -> Broker:
    record = {"id": contract("MNQ"), "name": "MNQZ6", "tickSize": 0.25, "tickValue": tick_value}
    record |= {"description": "Micro", "activeContract": True, "symbolId": "F.US.MNQ"}
    answer = {"contract": record, "success": True, "errorCode": 0, "errorMessage": None}
    asked = {"contractId": contract("MNQ")}
    return day.line(rest="/api/Contract/searchById", request=asked, status=200, response=answer)


def errors(tmp_path: Path, day: Broker, settings: str, *options: str) -> str:
    (tmp_path / "riskcore.toml").write_text(settings, encoding="utf-8")
    session = day.write(tmp_path / "day.jsonl")
    code, _, err = command("replay", session, "--config", tmp_path / "riskcore.toml", *options)
    assert code == 0
    return err


def test_the_brokers_average_price_is_shown_and_lots_value_the_position(tmp_path: Path) -> None:
    day = Broker().fill("MNQ", 1, 21000).after(1).fill("MNQ", 1, 21010).after(1).fill("MNQ", -1, 21020)
    day.position("MNQ", 1, "21005").after(1).quote("MNQ", last="21020")
    row = replay(tmp_path, day, LOSS)["accounts"][0]["positions"][0]
    assert (row["average_price"], row["unrealized"]) == ("21005", "20.00")


def test_an_account_nobody_has_is_named(tmp_path: Path) -> None:
    day = Broker().account().fill("MNQ", 1, 21000)
    settings = '[profile]\nname = "t"\naccounts = "all"\n' + LOSS
    assert "--account" not in errors(tmp_path, day, settings, "--account", f"50KTC-V2-{ACCOUNT}")
    code, _, err = command("replay", tmp_path / "day.jsonl", "--account", "nobody")
    assert (code, "--account nobody: no account" in err) == (2, True)
    elsewhere = settings.replace('"all"', '["missing"]')
    assert "profile.accounts (missing)" in errors(tmp_path, day, elsewhere)


def test_an_unknown_product_and_a_differing_record_are_named_once(tmp_path: Path) -> None:
    settings = '[profile]\nname = "t"\naccounts = "all"\n[rules.daily_unrealized_loss]\n'
    day = Broker().trade(1, "CON.F.US.XYZ.Z26", 3, 10, None).after(1).trade(2, "CON.F.US.XYZ.Z26", -3, 10, 0)
    assert errors(tmp_path, day, settings).count("product 'XYZ' is unknown") == 1
    assert "built-in table" in errors(tmp_path, described(Broker(), 5).fill("MNQ", 1, 21000), settings)
    assert "built-in table" not in errors(tmp_path, described(Broker(), 0.5).fill("MNQ", 1, 21000), settings)


def test_an_export_replayed_for_one_account_is_compared_for_that_account(tmp_path: Path) -> None:
    day = Broker().account(ACCOUNT).account(OTHER).fill("MNQ", 6, 21000).fill("MNQ", 7, 21000, account=OTHER)
    replay(tmp_path, day, "[rules.max_contracts]\nlimit = 5")
    export = tmp_path / "export.jsonl"
    done = command("export", tmp_path / "day.jsonl", "--config", tmp_path / "riskcore.toml", "--out", export)
    assert done[0] == 0
    code, out, err = command("replay", export, "--json", "--account", str(OTHER))
    assert code == 0, err
    result = json.loads(out)
    assert [row["id"] for row in result["accounts"]] == [OTHER]
    assert result["comparison"]["recorded"] == result["comparison"]["recomputed"] > 0
    assert result["comparison"]["differences"] == []


def test_an_override_by_id_judges_one_account(tmp_path: Path) -> None:
    day = Broker().fill("MNQ", 3, 21000).fill("MNQ", 3, 21000, account=OTHER)
    settings = f"[rules.max_contracts]\nlimit = 5\n[accounts.{OTHER}.rules.max_contracts]\nlimit = 2"
    assert [row["account"] for row in replay(tmp_path, day, settings)["breaches"]] == [OTHER]


@pytest.mark.parametrize(("stamp", "flags"), [("10:00:11", []), ("10:00:11.000001", ["stale_mark"])])
def test_a_mark_is_stale_when_it_is_older_than_ten_seconds(tmp_path: Path, stamp: str, flags: list[str]) -> None:
    day = Broker().fill("MNQ", 1, 21000).fill("ES", 1, 5800).after(1).quote("MNQ", last="20900")
    day.at(stamp).quote("ES", last="5798")
    result = replay(tmp_path, day, '[rules.daily_unrealized_loss]\nscope = "total"')
    assert [row["flags"] for row in result["breaches"]] == [flags]
    assert bool(commands(result)) is not bool(flags)


def test_a_lockout_allows_what_was_held_least(tmp_path: Path) -> None:
    day = Broker("2026-11-20 09:59:59").fill("ES", 2, 6000).after(1).round("-500").at("10:00:05")
    day.fill("ES", -1, 6000).after(1).fill("ES", 1, 6000).after(1).fill("ES", -3, 6000)
    result = replay(tmp_path, day, LOSS + 'action = "lock_only"')
    assert breaches(result) == [("RULE-003", "10:00:01"), ("GUARD", "10:00:06"), ("GUARD", "10:00:07")]
    assert commands(result)[1:] == [("ReducePosition", "EP", 1), ("ClosePosition", "EP", None)]


@pytest.mark.parametrize(("stamp", "count"), [("10:05:00.999999", 1), ("10:05:01", 0)])
def test_a_cooldown_is_over_at_its_last_instant(tmp_path: Path, stamp: str, count: int) -> None:
    day = Broker().round("-100").at(stamp).fill("MNQ", 1, 21000)
    result = replay(tmp_path, day, "[rules.cooldown_after_loss]")
    assert [rule for rule, _ in breaches(result)].count("GUARD") == count


@pytest.mark.parametrize(("stamp", "count"), [("16:59:58.999999", 1), ("17:00:00", 0)])
def test_the_trading_day_is_half_open(tmp_path: Path, stamp: str, count: int) -> None:
    day = Broker("2026-11-19 10:00:00").round("-300").at(stamp).round("-300").clock()
    assert len(replay(tmp_path, day, LOSS)["breaches"]) == count


def test_time_ends_with_the_last_line(tmp_path: Path) -> None:
    day = Broker().fill("MNQ", 1, 21000).clock("10:00:29.999999")
    assert replay(tmp_path, day, "[rules.no_stop_loss_grace]")["breaches"] == []
    assert breaches(replay(tmp_path, day.clock("10:00:30"), "[rules.no_stop_loss_grace]")) == [("RULE-008", "10:00:30")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"size": 1', '"size": -1'),
        ('"size": 1', '"size": 1.5'),
        ('"size": 1', '"size": 1, "size": 3'),
        ('"price": 21000', '"price": NaN'),
        ('"price": 21000', '"price": 1e400'),
        ('"voided": false', '"voided": false, "profitAndLoss": Infinity'),
        ('"accountId": 99000001', '"accountId": "x"'),
    ],
)
def test_nonsense_is_recorded_as_rejected_and_changes_nothing(tmp_path: Path, old: str, new: str) -> None:
    good = Broker().round("-500")
    expected = replay(tmp_path, good, LOSS)
    bad = good.lines[0].replace('"id": 102', '"id": 900')
    assert old in bad
    good.lines.insert(1, bad.replace(old, new))
    result = replay(tmp_path, good, LOSS)
    assert result["rejected_lines"] == 1
    assert (result["accounts"], result["breaches"]) == (expected["accounts"], expected["breaches"])


@pytest.mark.parametrize(
    "line",
    ["{nope", "[1]", '{"clock":true}', '{"at":"2026-11-20T16:00:00.5Z"}', '{"at":"2026-11-20T15:00:00Z","clock":true}'],
)
def test_an_unreadable_line_stops_with_its_place_or_is_skipped(tmp_path: Path, line: str) -> None:
    day = Broker().round("-500")
    day.lines.insert(1, line)
    session = day.write(tmp_path / "bad.jsonl")
    code, out, err = command("replay", session, "--json")
    assert (code, out) == (3, "")
    assert "bad.jsonl, line 3" in err.splitlines()[-1]
    code, out, _ = command("replay", session, "--json", "--skip-bad-lines")
    assert (code, json.loads(out)["rejected_lines"]) == (0, 1)


def test_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    day = Broker(shape="pushes").account(ACCOUNT).account(OTHER)
    for account in (ACCOUNT, OTHER):
        day.fill("MNQ", 6, 21000, account=account).fill("ES", 2, 6000, account=account)
    day.after(5).quote("MNQ", last="20900").after(1).quote("ES", last="5990").clock("16:59:59").clock("17:00:00")
    rules = ("max_contracts", "daily_unrealized_loss", "no_stop_loss_grace", "session_block_outside")
    replay(tmp_path, day, "".join(f"[rules.{name}]\n" for name in rules))
    line = [sys.executable, "-m", "riskcore", "replay", "day.jsonl", "--json"]
    outputs = {
        processes.run(line, cwd=tmp_path, env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert json.loads(outputs.pop())["breaches"]
