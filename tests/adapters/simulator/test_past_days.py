"""What simulated accounts did before the gateway started: lists and bars agree about it."""

from typing import Any

from adapters.simulator.broker import Broker
from adapters.simulator.scenario import PastDays, PricePath, Scenario
from adapters.topstepx import fields
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.quantities import price as price_of
from riskcore.schema.instants import instant_ns, utc_text

NOW = instant_ns("2026-11-20T15:00:00.000000000Z")
MNQ = "CON.F.US.MNQ.Z26"
EVERYTHING = {"startTimestamp": "2026-01-01T00:00:00Z"}


def broker(seed: int = 1, **changes: Any) -> Broker:
    prices = (PricePath("MNQ", "21000"),)
    plot = Scenario("past", "", "", prices, **{"past": (PastDays(20, idle_share=0),), **changes})
    return Broker(plot, seed=seed, at=NOW)


def ask(desk: Broker, path: str, **body: Any) -> Any:
    login = {"userName": "simulated-trader", "apiKey": "simulated-key"}
    token = desk.rest("/api/Auth/loginKey", login, None, NOW)[1]["token"]
    return desk.rest(f"/api/{path}", body, token, NOW)[1]


def bars(desk: Broker, start: str, end: str, unit: int = 2, contract: str = MNQ) -> list[Any]:
    body = {"contractId": contract, "live": False, "unit": unit, "unitNumber": 1, "limit": 20_000}
    found = ask(desk, "History/retrieveBars", startTime=start, endTime=end, includePartialBar=False, **body)
    rows: list[Any] = found["bars"]
    return rows


def test_every_day_ends_flat_and_the_same_seed_gives_the_same_days() -> None:
    desk = broker()
    assert len({utc_text(fill.at)[:10] for fill in desk.fills}) == 20
    assert desk.flat()
    assert desk.accounts[0].balance_usd == 50_000 * 1_000_000
    assert sum(fill.side * fill.size for fill in desk.fills) == 0
    told = [(fill.at, fill.price, fill.size) for fill in desk.fills]
    assert told == [(fill.at, fill.price, fill.size) for fill in broker().fills]
    assert told != [(fill.at, fill.price, fill.size) for fill in broker(2).fills]


def test_he_who_tilts_doubles_after_a_loss() -> None:
    assert {fill.size for fill in broker().fills} > {1, 2}
    assert {fill.size for fill in broker(past=(PastDays(20, tilts=False),)).fills} == {1}


def test_fills_lie_within_the_bars_of_their_minutes() -> None:
    desk = broker()
    fill = desk.fills[-1]
    opened = fill.at // MINUTE_NS * MINUTE_NS
    (bar,) = bars(desk, utc_text(opened), utc_text(opened + MINUTE_NS))
    low, high = (price_of(str(fields.encode(bar[name]))) for name in "lh")
    assert low <= fill.price <= high


def test_hours_and_minutes_tell_of_the_same_market_which_halts() -> None:
    desk = broker()
    (hour,) = bars(desk, "2026-11-18T15:00:00Z", "2026-11-18T16:00:00Z", unit=3)
    minutes = bars(desk, "2026-11-18T15:00:00Z", "2026-11-18T16:00:00Z")
    assert len(minutes) == 60
    prices = [price_of(fields.encode(bar["h"])) for bar in minutes]
    assert price_of(fields.encode(hour["h"])) == max(prices)
    assert bars(desk, "2026-11-18T22:00:00Z", "2026-11-18T23:00:00Z") == []
    assert len(bars(desk, "2026-11-18T21:58:00Z", "2026-11-18T23:02:00Z")) == 4
    assert bars(desk, "2026-11-14T00:00:00Z", "2026-11-15T23:00:00Z", unit=3) == []


def test_lists_have_as_many_rows_as_they_may() -> None:
    for most in (1, 5):
        desk = broker(most_rows=most)
        account = {"accountId": desk.accounts[0].id}
        trades = ask(desk, "Trade/search", **account, **EVERYTHING)["trades"]
        assert [row["id"] for row in trades] == [fill.id for fill in reversed(desk.fills[-most:])]
        assert len(ask(desk, "Order/search", **account, **EVERYTHING)["orders"]) == most
    desk = broker()
    found = ask(desk, "Trade/search", accountId=desk.accounts[0].id, **EVERYTHING)["trades"]
    assert len(found) == len(desk.fills)
