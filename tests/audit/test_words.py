"""Stored events in human words."""

from typing import Any

import pytest

from riskcore.audit.words import describe
from riskcore.core import events as e
from riskcore.core.quantities import money, price

MNQ = "CON.F.US.MNQ.Z26"
INSTANT = 1_795_185_000_000_000_000  # 2026-11-20T14:30:00Z


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            e.TradeRecorded(1, 7, MNQ, price("21000.25"), 1, 2, None, None, money("0.74"), money("1"), None),
            f"fill 7: bought 2 {MNQ} at 21000.25 (opening), fees 0.74, commissions 1.00",
        ),
        (
            e.TradeRecorded(1, 7, MNQ, price("21000"), -1, 2, profit_usd=money("-12.5"), order_id=3),
            f"fill 7 of order 3: sold 2 {MNQ} at 21000, P&L -12.50",
        ),
        (e.TradeVoided(1, 7), "fill 7 was voided"),
        (
            e.OrderObserved(1, 3, MNQ, 1, 4, -1, 2, 1, None, price("20990")),
            f"order 3 is open: sell 2 {MNQ} stop, stop 20990, 1 filled",
        ),
        (e.OrderObserved(1, 3, None, 9, 12), "order 3 is status 9: side unknown ? contract unknown type 12"),
        (e.PositionObserved(1, MNQ, -3, price("21000")), f"the broker shows 3 short of {MNQ} at 21000"),
        (e.PositionObserved(1, MNQ, 0), f"the broker shows {MNQ} flat"),
        (e.AccountObserved(1, "mine", money("50000"), False), "account mine: balance 50000.00, trading allowed no"),
        (e.AccountObserved(1), "account 1: seen"),
        (e.QuoteObserved(MNQ, price("-37.63")), f"quote of {MNQ}: last -37.63"),
        (e.QuoteObserved(MNQ), f"quote of {MNQ}: no price"),
        (e.MarketTraded(MNQ, price("1.5")), f"the market traded {MNQ} at 1.5"),
        (
            e.BarObserved(MNQ, INSTANT, 60, price("1"), price("3"), price("0.5"), price("2")),
            f"bar of {MNQ} from 2026-11-20T14:30:00Z: open 1, high 3, low 0.5, close 2",
        ),
        (e.ConnectionChanged("user", "lost"), "the user connection: lost"),
        (
            e.SightChanged(1, lost=True),
            "nothing tells what the account does: its messages cannot be read, and its lists do not come",
        ),
        (e.SightChanged(1, lost=False), "the account is in sight again: the broker's lists are complete"),
        (e.LockRequested(1, INSTANT, "enough"), "the operator locked until 2026-11-20T14:30:00Z: enough"),
        (
            e.TimerFired(1, "RULE-008", "no_stop_loss_grace.0"),
            "a deadline of RULE-008 (no_stop_loss_grace.0) was reached",
        ),
        (e.DriftDetected(1, MNQ, 1, 3), f"{MNQ}: fills say 1, the broker 3, for two seconds"),
        (e.CallObserved("/api/Order/place", 200), "CallObserved the key"),
    ],
)
def test_an_event_reads_like_a_sentence(body: Any, words: str) -> None:
    assert describe(e.Event(INSTANT, "broker", "the key", body)) == words
