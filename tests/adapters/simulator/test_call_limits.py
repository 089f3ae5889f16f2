"""The broker's quota at the simulated broker: 200 calls in 60 s, 50 for bars in 30 s, 429 beyond (API.md 1.1)."""

import pytest

from adapters.simulator.scenario import API_KEY, USER_NAME
from riskcore.core.quantities import SECOND_NS
from tests.adapters.simulator.broker_desk import ACCOUNT, MNQ, Desk, scenario

POSITIONS, BARS = "Position/searchOpen", "History/retrieveBars"
ASKED = {
    POSITIONS: {"accountId": ACCOUNT},
    BARS: {
        "contractId": MNQ,
        "live": False,
        "startTime": "2026-11-21T13:00:00Z",
        "endTime": "2026-11-21T14:00:00Z",
        "unit": 2,
        "unitNumber": 1,
        "limit": 10,
        "includePartialBar": False,
    },
}


def taken(desk: Desk, path: str, most: int = 300) -> int:
    """How many calls in a row are taken now."""
    for count in range(most):
        if desk.send(path, ASKED[path])[0] == 429:
            return count
    return most


@pytest.mark.parametrize(("path", "limit", "seconds"), [(POSITIONS, 199, 60), (BARS, 50, 30)])
def test_so_many_calls_and_no_more_until_they_have_left_the_window(path: str, limit: int, seconds: int) -> None:
    desk = Desk()  # It has logged in, which counts among the 200.
    assert taken(desk, path) == limit
    began = desk.at
    desk.at = began + seconds * SECOND_NS - 1
    assert taken(desk, path) == (1 if path == POSITIONS else 0), "the login was a second earlier"
    desk.at = began + seconds * SECOND_NS
    assert taken(desk, path) == limit
    assert desk.broker.limits.refused == 3


def test_bars_and_other_calls_do_not_count_together() -> None:
    desk = Desk()
    assert taken(desk, BARS) == 50
    assert taken(desk, POSITIONS) == 199
    assert desk.broker.rest("/api/Status/ping", None, None, desk.at)[0] == 200


def test_a_refused_call_does_nothing_and_logins_count() -> None:
    desk = Desk()
    desk.place()
    assert taken(desk, POSITIONS) == 198
    assert desk.send("Position/closeContract", {"accountId": ACCOUNT, "contractId": MNQ})[0] == 429
    assert desk.send("Auth/loginKey", {"userName": USER_NAME, "apiKey": API_KEY})[0] == 429
    assert desk.held == 1
    assert [call.path for call in desk.broker.received] == ["Order/place"]


def test_what_the_trader_does_in_the_platform_is_no_call() -> None:
    desk = Desk()
    order = {"accountId": ACCOUNT, "contractId": MNQ, "type": 2, "side": 0, "size": 1}
    for _ in range(250):
        assert desk.broker.rest("/api/Order/place", order, desk.token, desk.at, by_trader=True)[0] == 200
    assert taken(desk, POSITIONS) == 199


def test_limits_can_be_left_out() -> None:
    assert taken(Desk(scenario(limited=False)), POSITIONS) == 300
