"""riskcore why: one decision from its input event to what became of its commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.cli.sources import Sources
from tests.recordings import Recording

LOSS = "trade:72002/99000001/RULE-003/day/1"


def explained(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert run(["why", *words, "--json", "--quiet"]) == 0
    explanation: dict[str, Any] = json.loads(capfd.readouterr().out)
    assert explanation["schema"] == "riskcore.why/1"
    return explanation


def test_every_source_explains_the_same(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    wire = explained(capfd, LOSS, str(sources.wire))
    assert wire == explained(capfd, LOSS, str(sources.export))
    assert wire == explained(capfd, LOSS, "--store", str(sources.store))


def test_a_realised_loss_down_to_its_fills(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    found = explained(capfd, LOSS, str(sources.wire))
    assert found["input"]["key"] == "trade:72002"
    assert found["input"]["text"] == (
        "fill 72002 of order 82002: sold 2 CON.F.US.MNQ.Z26 at 20849.25, P&L -604.00, fees 0.37"
    )
    assert found["breach"]["figures"] == {"day_pnl": "-604.74", "loss_limit": "500"}
    assert found["rule"]["settings"]["loss_limit"] == "500"
    assert [fill["running_net"] for fill in found["state"]["fills"]] == ["-0.37", "-604.74"]
    assert [row["kind"] for row in found["commands"]] == ["SetLockout", "CancelOrders", "CloseAllPositions"]
    assert [row["rule"] for row in found["already_in_force"]] == ["RULE-004"]


def test_an_open_loss_with_the_mark_that_made_it(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    found = explained(capfd, "/RULE-004/CON.F.US.MNQ.Z26/1", str(sources.wire), "--day", "2026-11-20")
    position = found["state"]["positions"][0]
    assert found["breach"]["figures"]["unrealized"] == "-601.00" == position["unrealized"]
    assert position["mark"] == "20850"
    assert position["lots"] == [{"fill": 72001, "size": 2, "price": "21000.25"}]
    assert found["input"]["text"] == "quote of CON.F.US.MNQ.Z26: last 20850, bid 20849.75, ask 20850.25"
    close = found["commands"][0]
    assert (close["kind"], close["met_after_seconds"], close["met_by"]["key"]) == ("ClosePosition", "5", "trade:72002")


def test_a_guard_breach_names_the_lockout_and_who_set_it(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    found = explained(capfd, "trade:72003", str(sources.wire))
    assert found["rule"]["id"] == "GUARD"
    assert found["lockout"]["command"] == f"{LOSS}/SetLockout:day"
    assert found["lockout"]["reason"] == "day P&L -604.74 reached the loss limit of 500"


def test_a_command_is_explained_by_its_breach(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    found = explained(capfd, f"{LOSS}/CloseAllPositions", str(sources.wire))
    assert (found["kind"], found["breach"]["id"]) == ("command", LOSS)
    assert run(["why", f"{LOSS}/CloseAllPositions", str(sources.wire)]) == 0
    assert "> 2026-11-20 08:31:05  CloseAllPositions by RULE-003" in capfd.readouterr().out


def test_an_alert_without_a_breach_is_explained_too(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    report = Path("report.json")
    assert run(["audit", str(sources.wire), "--json", "--quiet"]) == 0
    report.write_text(capfd.readouterr().out, encoding="utf-8")
    alert = next(row for row in json.loads(report.read_text(encoding="utf-8"))["commands"] if row["kind"] == "Alert")
    found = explained(capfd, alert["id"], str(sources.wire))
    assert (found["breach"], found["rule"]["id"], found["rule"]["settings"]) == (None, "FEED", None)
    assert found["input"]["text"].startswith("a deadline of FEED")


def test_a_beginning_or_an_end_is_enough_when_only_one_has_it(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    for part in ("trade:72002", LOSS[:-3], f"{LOSS}/SetLockout:day"):
        assert explained(capfd, part, str(sources.wire))["breach"]["id"] == LOSS
    one_day = explained(capfd, "RULE-003/day/1", str(sources.wire), "--day", "2026-11-20")
    assert one_day["id"] == LOSS


def test_several_fitting_decisions_are_listed(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["why", "trade:", str(sources.wire), "--quiet"]) == 2
    error = capfd.readouterr().err
    assert LOSS in error
    assert "fits" in error


@pytest.mark.parametrize("wanted", ["RULE-003", "rule-003", "daily_realized_loss", "daily_realized_loss.0"])
def test_a_rule_lists_its_breaches_or_explains_the_only_one(
    sources: Sources, wanted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["why", wanted, str(sources.wire), "--quiet"]) == 2
    error = capfd.readouterr().err
    assert f"{wanted!r} fits 2 decisions" in error
    assert f"{LOSS}  2026-11-20T14:31:05Z  RULE-003  day_pnl -604.74  loss_limit 500" in error
    assert "RULE-004" not in error
    assert explained(capfd, wanted, str(sources.wire), "--day", "2026-11-20")["id"] == LOSS


def test_a_rule_that_only_acted_lists_its_commands(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["why", "FEED", str(sources.wire), "--day", "2026-11-20", "--quiet"]) == 2
    assert "FEED  Alert" in capfd.readouterr().err


@pytest.mark.parametrize("wanted", ["nothing", "", "trade:72002/99000001/RULE-003/day/2"])
def test_an_unknown_id_is_exit_2(sources: Sources, wanted: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["why", wanted, str(sources.wire), "--quiet"]) == 2
    assert "riskcore audit lists them" in capfd.readouterr().err


def test_the_account_filter_tells_twins_apart(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    day = Recording().account().account(account=99000002, name="second")
    day.at("08:30:00").fill(1, 21000).fill(1, 21000, account=99000002)
    day.at("08:31:00").fill(-1, 20700, profit=-600).fill(-1, 20700, profit=-600, account=99000002)
    day.write(Path("accounts.jsonl"))
    assert run(["why", "RULE-003/day/1", "accounts.jsonl", "--quiet"]) == 2
    found = explained(capfd, "RULE-003/day/1", "accounts.jsonl", "--account", "second")
    assert found["account"] == {"id": 99000002, "name": "second"}


def test_an_override_of_one_account_is_the_setting_that_decided(
    sources: Sources, capfd: pytest.CaptureFixture[str]
) -> None:
    override = '[accounts."50KTC-V2-99000001".rules.daily_realized_loss]\nloss_limit = "550"\n'
    with Path("riskcore.toml").open("a", encoding="utf-8", newline="\n") as file:
        file.write("\n" + override)
    found = explained(capfd, LOSS, str(sources.wire))
    assert found["rule"]["settings"]["loss_limit"] == "550" == found["breach"]["figures"]["loss_limit"]


def test_the_text_goes_from_cause_to_effect(sources: Sources, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["why", LOSS, str(sources.export)]) == 0
    text = capfd.readouterr().out
    headings = ["RULE-003 was breached", "What came in", "Figures at the limit", "Settings that decided"]
    headings += ["The account at that moment", "What was demanded", "Already demanded before"]
    assert [text.index(heading) for heading in headings] == sorted(text.index(heading) for heading in headings)
    assert "None" not in text
