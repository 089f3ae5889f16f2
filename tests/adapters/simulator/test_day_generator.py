"""The generated exchange says what the captured broker said, in the captured order (API.md 0 and 4.3)."""

from typing import Any

import pytest

from adapters.simulator.day_generator import DayGenerator, exchange_time
from adapters.simulator.records import Instrument, TradingAccount
from adapters.topstepx.fields import encode
from riskcore.core.quantities import money
from riskcore.core.state import BUY, SELL

START = "2026-11-19 09:00:00"


class Stage:
    """A day with one account and one contract, its lines kept in memory."""

    def __init__(self, seed: int = 1) -> None:
        self.lines: list[tuple[int, dict[str, Any]]] = []
        self.day = DayGenerator(lambda at, line: self.lines.append((at, line)), seed=seed, start=START)
        self.trader: TradingAccount = self.day.account(99000001, "50KTC-V2-99000001")
        self.mnq: Instrument = self.day.instrument("MNQ", "Z26", "21000.00")
        self.day.connect()
        self.day.print_price(self.mnq, "21000.00")
        self.start = len(self.lines)

    def user(self) -> list[tuple[str, dict[str, Any]]]:
        """User events since the stage was set: kind and row."""
        rows = [line for _, line in self.lines[self.start :] if line.get("hub") == "user"]
        return [(line["target"].removeprefix("GatewayUser"), line["arguments"][0]["data"]) for line in rows]

    def told(self) -> list[Any]:
        """Kinds of user events, order statuses in their place, repeated account events once."""
        told: list[Any] = []
        for kind, row in self.user():
            shown = row["status"] if kind == "Order" else kind
            if shown != "Account" or told[-1:] != ["Account"]:
                told.append(shown)
        return told

    def text(self) -> str:
        return "\n".join(f"{at} {encode(line)}" for at, line in self.lines)


def play(seed: int) -> Stage:
    stage = Stage(seed)
    stage.day.walk(stage.mnq, "21010.00", until="09:02:00")
    stage.day.market(stage.trader, stage.mnq, BUY, 3, fills=(2, 1))
    stage.day.walk(stage.mnq, "21020.00", until="09:04:00")
    stage.day.close(stage.trader, stage.mnq)
    return stage


def test_a_seed_gives_one_recording_and_another_seed_another() -> None:
    assert play(5).text() == play(5).text()
    assert play(5).text() != play(6).text()


def test_times_of_receipt_rise_and_follow_the_server() -> None:
    lines = play(1).lines
    ats = [at for at, _ in lines]
    assert ats == sorted(set(ats))
    assert ats[0] > exchange_time(START)


def test_an_entry_is_told_as_captured() -> None:
    stage = Stage()
    stage.day.market(stage.trader, stage.mnq, BUY, 3)
    assert stage.told() == [6, "Trade", 2, "Position", "Account"]
    fill, position = stage.user()[1][1], stage.user()[3][1]
    assert "profitAndLoss" not in fill
    assert (fill["side"], fill["size"], encode(fill["fees"]), encode(fill["commissions"])) == (0, 3, "1.11", "0.75")
    assert (position["type"], position["size"]) == (1, 3)
    assert stage.trader.balance_usd == money("50000") - money("1.86")


def test_partial_fills_share_the_order_and_show_its_volume() -> None:
    stage = Stage()
    stage.day.market(stage.trader, stage.mnq, SELL, 3, fills=(2, 1))
    assert stage.told() == [6, "Trade", 1, "Position", "Account", "Trade", 2, "Position", "Account"]
    orders = [row for kind, row in stage.user() if kind == "Order"]
    assert [row["fillVolume"] for row in orders] == [0, 2, 3]
    assert len({row["id"] for row in orders}) == 1


@pytest.mark.parametrize("seed", range(6))
def test_an_exit_tells_the_opening_fills_again(seed: int) -> None:
    stage = Stage(seed)
    stage.day.market(stage.trader, stage.mnq, BUY, 2)
    opening = stage.user()[1][1]["id"]
    stage.start = len(stage.lines)
    stage.day.market(stage.trader, stage.mnq, SELL, 2)
    assert stage.told() in (
        [6, 2, "Trade", "Trade", "Position", "Account"],
        [6, "Trade", "Trade", 2, "Position", "Account"],
    )
    fills = [row for kind, row in stage.user() if kind == "Trade"]
    assert fills[0]["id"] == opening
    assert "profitAndLoss" in fills[1]
    flat = next(
        line
        for _, line in stage.lines
        if line.get("target") == "GatewayUserPosition" and line["arguments"][0]["action"] == 2
    )
    assert (flat["arguments"][0]["data"]["type"], flat["arguments"][0]["data"]["size"]) == (0, 0)


def test_a_bracket_is_told_as_captured() -> None:
    stage = Stage()
    _, stop, target = stage.day.bracket(stage.trader, stage.mnq, BUY, 1, stop_ticks=40, target_ticks=60, tag="plan")
    orders = [(row["customTag"], row["status"]) for kind, row in stage.user() if kind == "Order"]
    assert orders == [("plan-SL", 8), ("plan", 6), ("plan-TP", 8), ("plan", 2), ("plan-TP", 1), ("plan-SL", 1)]
    waiting = stage.user()[0][1]
    assert "stopPrice" not in waiting
    assert waiting["parentOrderId"] == stage.user()[1][1]["id"]
    assert target.limit_price is not None
    assert stop.stop_price is not None
    stage.start = len(stage.lines)
    stage.day.print_price(stage.mnq, "21040.00")
    statuses = [(row["customTag"], row["status"]) for kind, row in stage.user() if kind == "Order"]
    assert statuses == [("plan-TP", 2), ("plan-SL", 3)]


def test_a_stop_loses_its_price_when_it_triggers() -> None:
    stage = Stage()
    stage.day.market(stage.trader, stage.mnq, BUY, 1)
    stage.day.stop(stage.trader, stage.mnq, SELL, 1, "20990.00")
    stage.start = len(stage.lines)
    stage.day.print_price(stage.mnq, "20990.25")
    assert stage.user() == []
    stage.day.print_price(stage.mnq, "20990.00")
    (filled,) = [row for kind, row in stage.user() if kind == "Order"]
    assert (filled["status"], filled["type"], "stopPrice" in filled) == (2, 2, False)


def test_what_happens_while_the_line_is_down_only_rest_tells() -> None:
    stage = Stage()
    stage.day.lose("user")
    order = stage.day.market(stage.trader, stage.mnq, BUY, 1)
    assert stage.user() == []
    stage.day.reconnect("user")
    answers = {
        line["rest"].removeprefix("/api/"): line["response"] for _, line in stage.lines[stage.start :] if "rest" in line
    }
    assert [row["orderId"] for row in answers["Trade/search"]["trades"]] == [order.id]
    assert answers["Trade/search"]["trades"][0]["profitAndLoss"] is None
    assert [row["size"] for row in answers["Position/searchOpen"]["positions"]] == [1]


def test_a_void_takes_the_money_back() -> None:
    stage = Stage()
    bought = stage.day.market(stage.trader, stage.mnq, BUY, 1)
    sold = stage.day.market(stage.trader, stage.mnq, SELL, 1)
    assert stage.trader.balance_usd < money("50000")
    stage.start = len(stage.lines)
    stage.day.void(bought, sold)
    assert stage.trader.balance_usd == money("50000")
    assert [row["voided"] for kind, row in stage.user() if kind == "Trade"] == [True, True]


def test_a_flip_is_two_half_turns_of_one_order_and_one_position_update() -> None:
    stage = Stage()
    stage.day.market(stage.trader, stage.mnq, BUY, 2)
    stage.start = len(stage.lines)
    order = stage.day.market(stage.trader, stage.mnq, SELL, 5)
    own = [row for kind, row in stage.user() if kind == "Trade" and row["orderId"] == order.id]
    assert [(row["size"], "profitAndLoss" in row) for row in own] == [(2, True), (3, False)]
    assert [(row["type"], row["size"]) for kind, row in stage.user() if kind == "Position"] == [(2, 3)]
