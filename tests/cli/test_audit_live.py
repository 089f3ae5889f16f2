"""A breach that a live engine enforced, as `audit` and `why` show it: from the decision to the price of the fill."""

import json
import re
import sqlite3
from pathlib import Path

import pytest

from adapters.simulator.scenarios import SCENARIOS
from riskcore.cli.main import run
from tests.cli.live_run import Live, play

LATENCY = r"[0-9.]+ m?s"


def test_request_answer_exit_order_price_slippage_and_latency(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def plot(live: Live) -> None:
        def flat() -> bool:
            account = live.engine.judged()[0]
            return bool(account.lockouts) and not account.held() and not account.obligations

        await live.until(flat, "the close, and the looks behind it", 120)

    live = play(tmp_path, SCENARIOS["daily-loss"], plot, scale=10)
    store = ["--store", live.store, "--quiet"]
    capfd.readouterr()
    assert run(["audit", *store, "--json", "--database", str(tmp_path / "audit.db")]) == 0
    report = json.loads(capfd.readouterr().out)
    close = next(row for row in report["commands"] if row["kind"] == "CloseAllPositions")
    (request,) = [row for row in close["requests"] if row["kind"] == "closeContract"]
    (fill,) = request["fills"]
    assert (close["outcome"], request["outcome"], request["answer"]) == ("met", "confirmed", "accepted")
    assert request["sent_at"] < request["answered_at"]
    assert close["at"] < request["sent_at"] < request["filled_at"] <= request["confirmed_at"]
    assert (request["exit_orders"], fill["size"]) == ([fill["order"]], request["size"])
    assert [row["request"] for row in report["orders"] if row["id"] == fill["order"]] == [request["id"]]
    breach = next(row for row in report["breaches"] if row["rule"] == "RULE-003")
    assert breach["parts"].keys() == {"realized", "unrealized"}

    connection = sqlite3.connect(tmp_path / "audit.db")
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    sent = "SELECT requests.id, fills.price FROM requests JOIN fills ON fills.request = requests.id"
    assert (request["id"], fill["price"]) in connection.execute(sent).fetchall()
    connection.close()

    told = [
        rf"closeContract sell {request['size']} \S+: confirmed; sent \S+ \S+, {LATENCY} after the decision; "
        rf"answer: accepted, {LATENCY} later",
        rf"exit order {fill['order']}: filled {fill['size']} at {fill['price']} \(fill {fill['id']}, ",
        rf"filled {LATENCY} after it was sent; slippage {request['slippage_ticks']} ticks?, \S+ dollars in all, "
        rf"against the mark {request['mark']} at the decision",
        rf"day_pnl +\S+ \(realised {breach['parts']['realized']}, open {breach['parts']['unrealized']}\)",
    ]
    assert run(["audit", *store]) == 0
    text = capfd.readouterr().out
    (wanted,) = re.findall(rf"^ +id ({re.escape(breach['id'])})$", text, re.MULTILINE)
    # What was typed from the text explains the breach; so do the rule alone and the id of the request.
    for name in (wanted, "RULE-003", request["id"]):
        assert run(["why", name, *store]) == 0
        explained = capfd.readouterr().out
        assert [line for line in told if not re.search(line, explained)] == []
    assert [line for line in told if not re.search(line, text)] == []
