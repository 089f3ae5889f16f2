"""The reading endpoints of the simulated broker, its logins, its bars (API.md 1, 2.1, 2.4, 2.5)."""

import base64
import json
from typing import Any

import pytest

from adapters.simulator.broker import PATHS, Broker
from adapters.simulator.scenario import API_KEY, USER_NAME, AccountPlan, PricePath
from adapters.topstepx.fields import encode, instant
from riskcore.core.quantities import SECOND_NS
from tests.adapters.simulator.broker_desk import ACCOUNT, AT, LIMIT, MNQ, OTHER, Desk, plain, scenario

BARS = {"contractId": MNQ, "live": False, "unit": 1, "unitNumber": 1, "limit": 1000, "includePartialBar": False}
KEYS = {"userName": USER_NAME, "apiKey": API_KEY}


def bars(desk: Desk, **fields: Any) -> Any:
    window = {"startTime": "2026-11-20T00:00:00Z", "endTime": "2026-11-22T00:00:00Z"}
    return desk.call("History/retrieveBars", {**BARS, **window, **fields})


# ---- paths and logins --------------------------------------------------------------------------------


def test_ping_needs_no_token_and_other_paths_do_not_exist() -> None:
    broker = Broker(scenario(), at=AT)
    assert broker.rest("/api/Status/ping", None, None, AT) == (200, "pong")
    for path in ("/api/Market/getQuote", "/trades/search", "/api/Position/closeAllPositions", "Order/place"):
        assert broker.rest(path, {}, None, AT)[0] == 404


@pytest.mark.parametrize(
    "path", [path for path in PATHS if path not in ("Status/ping", "Auth/loginKey", "Auth/loginApp")]
)
def test_everything_else_needs_a_token(path: str) -> None:
    broker = Broker(scenario(), at=AT)
    assert broker.rest(f"/api/{path}", {}, None, AT)[0] == 401


def test_a_login_takes_the_user_name_in_any_case_and_tells_what_is_wrong() -> None:
    desk = Desk()
    assert desk.call("Auth/loginKey", {**KEYS, "userName": USER_NAME.upper()})["success"]
    wrong = desk.call("Auth/loginKey", {**KEYS, "apiKey": "guess"})
    assert wrong == {"token": None, "success": False, "errorCode": 3, "errorMessage": None}
    assert desk.call("Auth/loginKey", {**KEYS, "userName": "nobody"})["errorCode"] == 1
    assert desk.call("Auth/loginApp", {})["errorCode"] == 4
    assert desk.send("Auth/loginKey", {"userName": USER_NAME})[0] == 400
    broker = Broker(scenario(subscribed=False), at=AT)
    assert broker.rest("/api/Auth/loginKey", KEYS, None, AT)[1]["errorCode"] == 9


def test_a_token_says_when_it_expires_and_opens_nothing_afterwards() -> None:
    desk = Desk(scenario(token_life_seconds=60))
    part = desk.token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert claims["exp"] == AT // SECOND_NS + 60
    assert desk.broker.authorised(desk.token, AT + 59 * SECOND_NS)
    desk.wait(60)
    assert not desk.broker.authorised(desk.token, desk.at)
    assert desk.send("Account/search", {"onlyActiveAccounts": True})[0] == 401
    assert desk.call("Auth/validate", None)["errorCode"] == 3


def test_validate_gives_another_token_and_leaves_the_old_one() -> None:
    desk = Desk()
    renewed = desk.call("Auth/validate", None)["newToken"]
    assert renewed != desk.token
    assert desk.broker.authorised(renewed, desk.at)
    assert desk.broker.authorised(desk.token, desk.at)


def test_logout_ends_this_token_only() -> None:
    desk = Desk()
    other = desk.call("Auth/loginKey", KEYS)["token"]
    assert desk.call("Auth/logout", None)["success"]
    assert not desk.broker.authorised(desk.token, desk.at)
    assert desk.broker.authorised(other, desk.at)
    assert desk.call("Auth/logout", None)["errorCode"] == 1
    assert desk.call("Auth/validate", None)["errorCode"] == 2


# ---- accounts and contracts --------------------------------------------------------------------------


def test_accounts_show_six_fields_and_hidden_ones_on_demand() -> None:
    plans = (AccountPlan(balance="50000.25"), AccountPlan(OTHER, "OLD", visible=False, simulated=False))
    desk = Desk(scenario(accounts=plans))
    (shown,) = desk.call("Account/search", {"onlyActiveAccounts": True})["accounts"]
    assert plain(shown) == {
        "id": ACCOUNT,
        "name": "PRAC-V2-99000001",
        "balance": 50000.25,
        "canTrade": True,
        "isVisible": True,
        "simulated": True,
    }
    everyone = desk.call("Account/search", {"onlyActiveAccounts": False})["accounts"]
    assert [one["simulated"] for one in everyone] == [True, False]


def test_51_contracts_are_available_and_none_on_the_live_feed() -> None:
    desk = Desk()
    found = desk.call("Contract/available", {"live": False})["contracts"]
    assert len(found) == 51
    assert [row["id"] for row in found] == sorted(row["id"] for row in found)
    assert all(row["activeContract"] for row in found)
    assert desk.call("Contract/available", {"live": True})["contracts"] == []
    yen = next(row for row in found if row["symbolId"] == "F.US.JY6")
    assert encode(yen["tickSize"]) == "0.0000005"


def test_the_search_is_fuzzy_and_ends_at_twenty() -> None:
    desk = Desk()
    found = desk.call("Contract/search", {"live": False, "searchText": "es"})["contracts"]
    assert {"ESZ6", "MESZ6", "6JZ6", "6MZ6", "ZNZ6"} <= {row["name"] for row in found}
    assert [row["name"] for row in desk.call("Contract/search", {"live": False, "searchText": "NQ"})["contracts"]] == [
        "NQZ6",
        "MNQZ6",
        "QGF7",
        "QMF7",
    ]
    assert len(desk.call("Contract/search", {"live": False, "searchText": None})["contracts"]) == 20


def test_an_expired_contract_is_found_by_its_id() -> None:
    desk = Desk()
    old = desk.call("Contract/searchById", {"contractId": "CON.F.US.ENQ.H25"})["contract"]
    assert (old["name"], old["description"], old["activeContract"]) == ("NQH5", "E-mini NASDAQ-100: March 2025", False)
    for unknown in ("CON.F.US.ENQ.G25", "CON.F.US.QQ.H25", "ENQ", "CON.F.US.ENQ.H2"):
        assert desk.call("Contract/searchById", {"contractId": unknown})["errorCode"] == 1


# ---- orders and fills --------------------------------------------------------------------------------


def many(desk: Desk, count: int) -> list[int]:
    return [desk.place(LIMIT, limitPrice=20990 - index)["orderId"] for index in range(count)]


def test_the_query_counts_rows_and_ends_at_a_hundred() -> None:
    desk = Desk()
    ids = many(desk, 130)
    asked = {"filter": {"accountId": ACCOUNT, "statuses": [1]}, "pageSize": 500, "includeTotalCount": True}
    first = desk.call("Order/v2/query", asked)
    assert (len(first["orders"]), first["totalCount"]) == (100, 130)
    assert first["orders"][0]["id"] == ids[-1]
    rest = desk.call("Order/v2/query", {**asked, "pageOffset": 100})["orders"]
    assert [row["id"] for row in rest] == ids[29::-1]
    rising = desk.call("Order/v2/query", {**asked, "sortBy": 1, "sortDirection": 0, "pageSize": 3})["orders"]
    assert [row["id"] for row in rising] == ids[:3]
    assert desk.call("Order/v2/query", {**asked, "includeTotalCount": False})["totalCount"] is None


def test_the_query_ignores_the_contract_and_knows_statuses() -> None:
    desk = Desk()
    many(desk, 1)
    desk.place()
    asked = {"accountId": ACCOUNT, "contractId": "CON.F.US.MES.Z26"}
    assert len(desk.call("Order/v2/query", {"filter": asked})["orders"]) == 2
    assert len(desk.call("Order/v2/query", {"filter": {**asked, "statuses": [2]}})["orders"]) == 1
    later = {**asked, "createdAfter": "2026-11-22T00:00:00Z"}
    assert desk.call("Order/v2/query", {"filter": later})["orders"] == []


@pytest.mark.parametrize("body", [{"accountId": ACCOUNT, "statuses": [1]}, {}, {"filter": {"statuses": [1]}}])
def test_the_query_wants_its_filter(body: Any) -> None:
    status, answer = Desk().send("Order/v2/query", body)
    assert (status, set(answer)) == (400, {"type", "title", "status", "detail"})


def test_searches_keep_to_their_window_and_order() -> None:
    desk = Desk()
    ids = [desk.place()["orderId"] for _ in range(3)]
    desk.wait(10)
    late = desk.place()["orderId"]
    day = {"startTimestamp": "2026-11-21T00:00:00Z", "endTimestamp": None}
    assert [row["id"] for row in desk.own("Order/search", **day)["orders"]] == [*ids, late]
    trades = desk.own("Trade/search", **day)["trades"]
    assert [row["orderId"] for row in trades] == [late, *reversed(ids)]
    since = {"startTimestamp": "2026-11-21T14:00:05Z"}
    assert [row["orderId"] for row in desk.own("Trade/search", **since)["trades"]] == [late]


@pytest.mark.parametrize("path", ["Order/search", "Order/searchOpen", "Position/searchOpen", "Trade/search"])
def test_lists_of_an_unknown_account_are_refused_not_empty(path: str) -> None:
    answer = Desk().call(path, {"accountId": 5, "startTimestamp": "2026-11-21T00:00:00Z"})
    assert (answer["success"], answer["errorCode"]) == (False, 1)
    assert None in answer.values()


# ---- bars --------------------------------------------------------------------------------------------


def test_bars_come_newest_first_and_join_what_was_quoted() -> None:
    desk = Desk(scenario(PricePath("MNQ", "21000", ((30, "21030"), (60, "21000")), noise_ticks=1)))
    desk.wait(130)
    found = bars(desk, startTime="2026-11-21T14:00:00Z")["bars"]
    times = [instant(row["t"]) for row in found]
    assert times == sorted(times, reverse=True)
    assert len(times) == 131
    assert encode(found[0]["o"]).partition(".")[2] == "000000000" or len(encode(found[0]["o"])) == 15
    high = max(plain(row)["h"] for row in found)
    assert 21028 < high < 21032
    (minute,) = bars(desk, unit=2, startTime="2026-11-21T14:00:00Z", endTime="2026-11-21T14:01:00Z")["bars"]
    assert plain(minute)["h"] == high
    assert minute["v"] == sum(row["v"] for row in found if row["t"] < "2026-11-21T14:01")


def test_the_limit_keeps_the_latest_and_partial_bars_come_on_demand() -> None:
    desk = Desk()
    desk.wait(90)
    (last,) = bars(desk, unit=2, limit=1)["bars"]
    assert last["t"] == "2026-11-21T14:00:00+00:00"
    (partial,) = bars(desk, unit=2, limit=1, includePartialBar=True)["bars"]
    assert partial["t"] == "2026-11-21T14:01:00+00:00"


def test_there_are_quiet_bars_before_the_first_quote_and_for_other_contracts() -> None:
    desk = Desk()
    assert len(bars(desk, unit=3, contractId="CON.F.US.GCE.Z26")["bars"]) == 38
    before = bars(desk, unit=2, limit=20)["bars"]
    assert len(before) == 20
    assert all(20990 < plain(row)["l"] <= plain(row)["h"] < 21010 for row in before)


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"contractId": "CON.F.US.XX.Z26"}, 1), ({"unit": 7}, 2), ({"unitNumber": 0}, 3), ({"limit": 20001}, 4)],
)
def test_codes_of_bars(fields: dict[str, Any], code: int) -> None:
    assert bars(Desk(), **fields)["errorCode"] == code


def test_the_live_feed_and_minutes_of_expired_months_have_no_bars() -> None:
    desk = Desk()
    assert bars(desk, live=True)["bars"] == []
    assert bars(desk, unit=2, contractId="CON.F.US.MNQ.U26")["bars"] == []
    assert bars(desk, unit=3, contractId="CON.F.US.MNQ.U26")["bars"] != []
    assert desk.send("History/retrieveBars", {**BARS, "contractId": 5})[0] == 400
