"""What a replay shows of an account in the firm's programme (PROGRAMME.md 9)."""

import json
from pathlib import Path
from typing import Any

import pytest

from replay.replay_run import run_replay
from riskcore.cli.main import run
from tests.recordings import ACCOUNT, Recording

ES = "CON.F.US.EP.Z26"
SETS = ("programme.name=topstep", "programme.stage=xfa", "programme.size=50K")


def balance(day: Recording, amount: float) -> Recording:
    data = {"id": ACCOUNT, "name": "EXPRESS-1", "balance": amount, "canTrade": True, "simulated": True}
    return day.user("GatewayUserAccount", data)


def bid(day: Recording, price: float) -> Recording:
    data = {"symbol": "F.US.EP", "lastPrice": price, "bestBid": price, "bestAsk": price + 0.25}
    return day.line({"hub": "market", "target": "GatewayQuote", "arguments": [ES, data]})


def week() -> Recording:
    day = balance(Recording("2026-11-16 08:00:00"), 0)
    day.at("09:00:00").fill(1, 6300, contract=ES).at("09:10:00").fill(-1, 6314, 700.74, contract=ES)
    balance(day.at("09:10:00.009"), 700)
    day.at("2026-11-17 09:00:00").fill(1, 6300, contract=ES).at("09:10:00").fill(-1, 6328, 1400.74, contract=ES)
    day.at("09:20:00").line({"operator": "payout", "account": ACCOUNT, "amount": "700.00"})
    day.line({"operator": "note", "account": ACCOUNT, "text": "paid"})
    bid(day.at("2026-11-18 09:00:00").fill(1, 6300, contract=ES).at("09:00:01"), 6300)
    bid(bid(day.at("09:00:02"), 6296.25).at("09:00:03"), 6271)
    return day


def replayed(path: Path, *sets: str) -> Any:
    return json.loads(json.dumps(run_replay([path], sets=sets or SETS)))


def test_days_and_state_of_an_xfa(tmp_path: Path) -> None:
    result = replayed(week().write(tmp_path / "week.jsonl"))
    [account] = result["accounts"]
    names = ("opening_balance", "closing_balance", "floor", "size_cap_units")
    assert [tuple(day[name] for name in names) for day in account["days"]] == [
        ("0", "700.00", "-2000.00", 20),
        ("0", "1400.00", "0", 20),
        ("1400.00", None, "0", 20),
    ]
    shown = account["programme"]
    assert {name: shown[name] for name in ("opening_balance", "balance", "floor", "floor_source", "buffer")} == {
        "opening_balance": "1400.00",
        "balance": "1399.63",
        "floor": "0",
        "floor_source": "derived",
        "buffer": "200.00",
    }
    assert (shown["size_cap_units"], shown["next_size_cap_units"], shown["product_caps"]["MGC"]) == (20, 20, 12)
    assert shown["payout"]["window_from"] == "2026-11-18"
    assert shown["payout"]["window_known"] is True
    assert [(one["rule"], one["figures"]["level"], one["flags"]) for one in result["breaches"]] == [
        ("PROGRAMME-MLL", "floor", ["derived"])
    ]


def test_an_account_in_no_programme_has_none_of_it(tmp_path: Path) -> None:
    [account] = replayed(week().write(tmp_path / "week.jsonl"), "profile.name=x")["accounts"]
    assert "programme" not in account
    assert all("floor" not in day for day in account["days"])


def test_a_pro_account_without_a_floor_is_blind(tmp_path: Path) -> None:
    path = week().write(tmp_path / "week.jsonl")
    [account] = replayed(path, "programme.name=topstep", "programme.stage=pro")["accounts"]
    blind = [row for row in account["blind"] if row["rule"] == "PROGRAMME-MLL"]
    assert [row["trade_date"] for row in blind] == ["2026-11-16", "2026-11-17", "2026-11-18"]
    assert "floor_override" in blind[0]["reason"]


@pytest.mark.parametrize(
    ("sets", "rules"),
    [
        (SETS, ["PROGRAMME-MLL", "PROGRAMME-PAYOUT", "PROGRAMME-SIZE"]),
        (("programme.stage=combine",), ["PROGRAMME-MLL", "PROGRAMME-TARGET"]),
        (("programme.stage=practice", "programme.size=150K"), []),
    ],
)
def test_what_follows_from_a_balance_is_blind_until_there_is_one(
    tmp_path: Path, sets: tuple[str, ...], rules: list[str]
) -> None:
    day = Recording("2026-11-18 09:00:00").fill(4, 6300, contract=ES)
    day.line({"clock": True})
    [account] = replayed(day.write(tmp_path / "day.jsonl"), *sets)["accounts"]
    assert [row["rule"] for row in account["blind"]] == rules
    assert {row["reason"] for row in account["blind"]} <= {"the broker has not reported a balance yet"}
    balance(day.at("09:00:01"), 1500)
    [account] = replayed(day.write(tmp_path / "told.jsonl"), *sets)["accounts"]
    assert account["blind"] == []


def test_a_reset_line_ends_the_terminal_lockout(tmp_path: Path) -> None:
    day = bid(week().at("09:00:04"), 6260)
    day.at("09:10:00").line({"operator": "reset", "account": ACCOUNT, "reason": "again", "balance": "0"})
    result = replayed(day.write(tmp_path / "week.jsonl"))
    [terminal] = [row for row in result["lockout_history"] if row["kind"] == "terminal"]
    assert terminal["ended_by"] == "operator"
    assert result["accounts"][0]["lockouts"] == []
    assert result["accounts"][0]["programme"]["floor"] == "-2000.00"


def test_an_export_of_it_replays_to_the_same(tmp_path: Path) -> None:
    path, out = week().write(tmp_path / "week.jsonl"), tmp_path / "export.jsonl"
    settings = [word for one in SETS for word in ("--set", one)]
    assert run(["replay", str(path), *settings, "--store", str(tmp_path / "j.db"), "--quiet"]) == 0
    assert run(["export", "--store", str(tmp_path / "j.db"), "--all", "--out", str(out), "--quiet"]) == 0
    first, again = replayed(path), json.loads(json.dumps(run_replay([out])))
    assert again["comparison"]["differences"] == []
    for name in ("accounts", "breaches", "commands", "lockout_history", "state_hash"):
        assert again[name] == first[name], name
