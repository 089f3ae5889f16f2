"""Requests are written exactly; answers are read with tolerance, but a wrong type is no answer."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.topstepx import fields, wire
from adapters.topstepx.fields import decode

NOON = 1_795_262_400 * 10**9  # 2026-11-21T12:00:00Z


def sent(body: wire.Body) -> Any:
    return json.loads(body.text())


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        (
            wire.LoginKey(user_name="u", api_key="k"),
            "/api/Auth/loginKey",
            {"userName": "u", "apiKey": "k"},
        ),
        (wire.AccountSearch(only_active_accounts=True), "/api/Account/search", {"onlyActiveAccounts": True}),
        (
            wire.ContractSearch(live=False, search_text="MNQ"),
            "/api/Contract/search",
            {"live": False, "searchText": "MNQ"},
        ),
        (wire.ContractSearchById(contract_id="C"), "/api/Contract/searchById", {"contractId": "C"}),
        (wire.ContractAvailable(live=False), "/api/Contract/available", {"live": False}),
        (
            wire.RetrieveBars(
                contract_id="CON.F.US.RTY.Z24",
                live=False,
                start_time=NOON,
                end_time=NOON + 60 * 10**9,
                unit=3,
                unit_number=1,
                limit=7,
                include_partial_bar=False,
            ),
            "/api/History/retrieveBars",
            {
                "contractId": "CON.F.US.RTY.Z24",
                "live": False,
                "startTime": "2026-11-21T12:00:00Z",
                "endTime": "2026-11-21T12:01:00Z",
                "unit": 3,
                "unitNumber": 1,
                "limit": 7,
                "includePartialBar": False,
            },
        ),
        (
            wire.OrderModify(account_id=1, order_id=3_408_995_735, stop_price=21_000_250_000_000),
            "/api/Order/modify",
            {
                "accountId": 1,
                "orderId": 3_408_995_735,
                "size": None,
                "limitPrice": None,
                "stopPrice": 21000.25,
                "trailPrice": None,
            },
        ),
        (wire.OrderCancel(account_id=1, order_id=2), "/api/Order/cancel", {"accountId": 1, "orderId": 2}),
        (
            wire.OrderSearch(account_id=1, start_timestamp=NOON + 1_999),
            "/api/Order/search",
            {"accountId": 1, "startTimestamp": "2026-11-21T12:00:00.000001Z"},
        ),
        (wire.OrderSearchOpen(account_id=1), "/api/Order/searchOpen", {"accountId": 1}),
        (wire.OrderSearchById(account_id=1, order_id=2), "/api/Order/searchById", {"accountId": 1, "orderId": 2}),
        (
            wire.OrderQuery(filter=wire.OrderFilter(account_id=1, statuses=(1, 6, 7, 8)), page_offset=99),
            "/api/Order/v2/query",
            {
                "filter": {"accountId": 1, "statuses": [1, 6, 7, 8]},
                "pageSize": 100,
                "pageOffset": 99,
                "sortBy": 1,
                "sortDirection": 0,
                "includeTotalCount": True,
            },
        ),
        (wire.PositionSearchOpen(account_id=1), "/api/Position/searchOpen", {"accountId": 1}),
        (
            wire.CloseContract(account_id=1, contract_id="C"),
            "/api/Position/closeContract",
            {"accountId": 1, "contractId": "C"},
        ),
        (
            wire.PartialCloseContract(account_id=1, contract_id="C", size=2),
            "/api/Position/partialCloseContract",
            {"accountId": 1, "contractId": "C", "size": 2},
        ),
        (
            wire.TradeSearch(account_id=1, start_timestamp=NOON, end_timestamp=NOON),
            "/api/Trade/search",
            {"accountId": 1, "startTimestamp": "2026-11-21T12:00:00Z", "endTimestamp": "2026-11-21T12:00:00Z"},
        ),
    ],
)
def test_each_request_has_the_fields_of_the_documents(body: wire.Body, path: str, expected: dict[str, Any]) -> None:
    assert path == body.PATH
    assert sent(body) == expected


def test_a_placement_is_written_like_the_documents_example() -> None:
    body = wire.OrderPlace(
        account_id=465,
        contract_id="CON.F.US.DA6.M25",
        type=2,
        side=1,
        size=1,
        stop_loss_bracket=wire.Bracket(ticks=10, type=4),
        take_profit_bracket=wire.Bracket(ticks=20, type=1),
    )
    assert body.text() == (
        '{"accountId":465,"contractId":"CON.F.US.DA6.M25","type":2,"side":1,"size":1,"limitPrice":null,'
        '"stopPrice":null,"trailPrice":null,"customTag":null,"stopLossBracket":{"ticks":10,"type":4},'
        '"takeProfitBracket":{"ticks":20,"type":1}}'
    )


def test_no_bracket_is_left_out_because_the_broker_may_refuse_the_very_field() -> None:
    body = wire.OrderPlace(account_id=1, contract_id="C", type=4, side=0, size=1, stop_price=500, custom_tag="t")
    assert '"stopPrice":0.0000005,' in body.text()
    assert "Bracket" not in body.text()


@given(st.integers(min_value=1, max_value=2**31 - 1), st.text(min_size=1, max_size=100))
def test_what_is_written_in_one_step_is_what_every_body_writes(number: int, contract: str) -> None:
    close = wire.CloseContract(account_id=number, contract_id=contract)
    cancel = wire.OrderCancel(account_id=number, order_id=2**63 - number)
    for body in (close, cancel):
        assert body.text() == wire.Body.text(body)


@pytest.mark.parametrize(
    ("price", "text"),
    [(21_000 * 10**9, "21000"), (-37_630_000_000, "-37.63"), (500, "0.0000005"), (0, "0"), (1, "0.000000001")],
)
def test_a_price_is_a_number_made_of_its_digits(price: int, text: str) -> None:
    assert f'"stopPrice":{text},' in wire.OrderModify(account_id=1, order_id=1, stop_price=price).text()


@given(st.integers(min_value=-(10**23), max_value=10**23))
def test_every_price_is_read_back_as_it_was(price: int) -> None:
    body = wire.OrderModify(account_id=1, order_id=1, limit_price=price)
    assert fields.price(decode(body.text().encode()).value, "limitPrice") == price
    assert body.written() == decode(body.text().encode()).value


@pytest.mark.parametrize(
    "make",
    [
        lambda: wire.OrderCancel(account_id=0, order_id=1),
        lambda: wire.OrderCancel(account_id=2**31, order_id=1),
        lambda: wire.OrderCancel(account_id=1, order_id=0),
        lambda: wire.OrderCancel(account_id=True, order_id=1),
        lambda: wire.PartialCloseContract(account_id=1, contract_id="C", size=0),
        lambda: wire.CloseContract(account_id=1, contract_id=""),
        lambda: wire.OrderModify(account_id=1, order_id=1, stop_price=1.5),
        lambda: wire.OrderPlace(account_id=1, contract_id="C", type=0, side=0, size=1),
        lambda: wire.OrderPlace(account_id=1, contract_id="C", type=2, side=2, size=1),
        lambda: wire.OrderCancel(account_id=1, order_id=1, size=1),
    ],
)
def test_a_request_that_makes_no_sense_is_not_built(make: Any) -> None:
    with pytest.raises(ValidationError):
        make()


def test_what_mutates_is_marked() -> None:
    marked = {body.PATH for body in wire.Body.__subclasses__() if body.MUTATES}
    assert marked == {
        "/api/Order/place",
        "/api/Order/modify",
        "/api/Order/cancel",
        "/api/Position/closeContract",
        "/api/Position/partialCloseContract",
    }


def test_a_login_shows_no_secret() -> None:
    body = wire.LoginKey(user_name="SECRET-NAME", api_key="SECRET-KEY")
    assert "SECRET" not in repr(body) + str(body)
    with pytest.raises(ValidationError) as error:
        wire.LoginKey(user_name="SECRET-NAME", api_key=["SECRET-KEY"])
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "success", "code", "order_id"),
    [
        ('{"success":true,"errorCode":0,"errorMessage":null,"orderId":9056,"news":[1]}', True, 0, 9056),
        ('{"orderId":9057,"success":false,"errorCode":2,"errorMessage":"no"}', False, 2, 9057),
        ('{"success":true}', True, None, None),
    ],
)
def test_an_envelope_is_read(text: str, success: bool, code: int | None, order_id: int | None) -> None:
    found = wire.envelope(decode(text.encode()).value)
    assert found is not None
    assert (found.success, found.error_code, found.order_id) == (success, code, order_id)


@pytest.mark.parametrize(
    "text",
    [
        '{"errorCode":0}',
        '{"success":"true"}',
        '{"success":1}',
        '{"success":true,"errorCode":"0"}',
        '{"success":true,"errorCode":true}',
        '{"success":true,"errorCode":0.5}',
        '{"success":true,"orderId":"7"}',
        '{"success":true,"errorMessage":7}',
        "[]",
        "null",
        '"pong"',
        "7",
    ],
)
def test_anything_else_is_no_envelope(text: str) -> None:
    assert wire.envelope(decode(text.encode()).value) is None


def test_an_answer_to_a_login_shows_no_token() -> None:
    found = wire.envelope({"success": True, "token": "SECRET", "newToken": "SECRET"})
    assert found is not None
    assert (found.token, found.new_token) == ("SECRET", "SECRET")
    assert "SECRET" not in repr(found) + str(found)
