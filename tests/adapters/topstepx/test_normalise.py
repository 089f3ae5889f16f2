"""Every hub event and REST answer of topstepx/API.md as facts, and what happens to those that make no sense."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from adapters.topstepx import normalise as normalise_module
from adapters.topstepx.fields import WITHHELD, decode
from adapters.topstepx.hub import accounts_named
from adapters.topstepx.normalise import normalise
from riskcore.core.events import (
    AccountObserved,
    BarObserved,
    Body,
    CallObserved,
    ClockTicked,
    ConnectionChanged,
    ContractDescribed,
    DepthObserved,
    Event,
    MarketTraded,
    OrderObserved,
    OrdersListed,
    PositionObserved,
    PositionsListed,
    QuoteObserved,
    TradeRecorded,
    TradesListed,
    TradeVoided,
    WireRejected,
)
from riskcore.core.state import Contract

AT = 1_787_148_961_500_000_000
FROM = 1_787_090_400_000_000_000  # 2026-08-18T22:00:00Z
POINT = 10**9
DOLLAR = 10**6
MNQ = "CON.F.US.MNQ.U26"

ACCOUNT = '{"id":7001,"name":"PRAC-7001","balance":150175.38,"canTrade":true,"isVisible":true,"simulated":true}'
ORDER = (
    '{"id":501,"accountId":7001,"contractId":"CON.F.US.MNQ.U26","symbolId":"F.US.MNQ",'
    '"creationTimestamp":"2026-08-19T14:15:01.1851032+00:00","updateTimestamp":"2026-08-19T14:15:02.1851032+00:00",'
    '"status":1,"type":4,"side":1,"size":2,"stopPrice":22305.25,"fillVolume":0}'
)
POSITION = (
    '{"id":9,"accountId":7001,"contractId":"CON.F.US.MNQ.U26","creationTimestamp":"2026-08-19T14:15:48.611387+00:00",'
    '"type":2,"size":3,"averagePrice":29398.375}'
)
TRADE = (
    '{"id":801,"accountId":7001,"contractId":"CON.F.US.MNQ.U26","creationTimestamp":"2026-08-19T14:16:01.4061289+00:00",'
    '"price":29423,"profitAndLoss":-49,"fees":0.36,"commissions":0.25,"side":0,"size":1,"voided":false,"orderId":501}'
)


def facts(text: str, at: int = AT) -> list[Event]:
    decoded = decode(text.encode())
    assert decoded.repeated is None
    return normalise(decoded.value, at)


def hub(target: str, arguments: str, name: str = "user") -> list[Body]:
    return [event.body for event in facts(f'{{"hub":"{name}","target":"{target}","arguments":{arguments}}}')]


def rest(path: str, response: str, request: str = "{}", status: str = "200") -> list[Body]:
    line = f'{{"rest":"/api/{path}","request":{request},"status":{status},"response":{response}}}'
    return [event.body for event in facts(line)]


def answer(payload: str) -> str:
    return f'{{{payload},"success":true,"errorCode":0,"errorMessage":null}}'


def change(text: str, **changes: str) -> str:
    """The JSON object `text` with fields replaced by JSON texts, or left out where the text is empty."""
    fields = {key: json.dumps(value) for key, value in json.loads(text).items()} | changes
    return "{" + ",".join(f'"{key}":{value}' for key, value in fields.items() if value) + "}"


def rejected(bodies: list[Body]) -> WireRejected:
    assert len(bodies) == 1, bodies
    assert isinstance(bodies[0], WireRejected)
    return bodies[0]


class TestUserHub:
    def test_account(self) -> None:
        expected = AccountObserved(7001, "PRAC-7001", 150_175_380_000, True, True)
        assert hub("GatewayUserAccount", f'[{{"action":1,"data":{ACCOUNT}}}]') == [expected]
        assert hub("GatewayUserAccount", f"[{ACCOUNT}]") == [expected]

    def test_account_with_absent_fields(self) -> None:
        assert hub("GatewayUserAccount", '[{"id":7001}]') == [AccountObserved(7001)]

    def test_order(self) -> None:
        assert hub("GatewayUserOrder", f'[{{"action":1,"data":{ORDER}}}]') == [
            OrderObserved(
                account=7001,
                order_id=501,
                contract=MNQ,
                status=1,
                type=4,
                side=-1,
                size=2,
                fill_volume=0,
                stop_price=22_305_250_000_000,
                updated_at=1_787_148_902_185_103_200,
            )
        ]

    def test_bracket_child_without_a_price(self) -> None:
        child = change(ORDER, status="8", stopPrice="", parentOrderId="500", linkedOrderId="502", customTag='"a-TP"')
        (body,) = hub("GatewayUserOrder", f"[{child}]")
        assert isinstance(body, OrderObserved)
        assert (body.status, body.parent_id, body.linked_id, body.tag) == (8, 500, 502, "a-TP")
        assert body.stop_price is None

    @pytest.mark.parametrize("status", ["1", "2", "3", "4", "5", "6", "7", "8"])
    def test_each_status_is_kept(self, status: str) -> None:
        (body,) = hub("GatewayUserOrder", f"[{change(ORDER, status=status)}]")
        assert isinstance(body, OrderObserved)
        assert body.status == int(status)

    @pytest.mark.parametrize("status", ["0", "9", "-1"])
    def test_an_order_without_a_known_status_is_rejected(self, status: str) -> None:
        assert "status" in rejected(hub("GatewayUserOrder", f"[{change(ORDER, status=status)}]")).reason

    def test_an_unknown_order_type_is_kept_and_an_unknown_side_is_not(self) -> None:
        (body,) = hub("GatewayUserOrder", f"[{change(ORDER, type='42')}]")
        assert isinstance(body, OrderObserved)
        assert body.type == 42
        assert "side 2" in rejected(hub("GatewayUserOrder", f"[{change(ORDER, side='2')}]")).reason

    def test_position_short_long_and_flat(self) -> None:
        average = 29_398_375_000_000
        for changes, size in (
            ({}, -3),
            ({"type": "1"}, 3),
            ({"type": "0", "size": "0"}, 0),
            ({"type": "0", "size": ""}, 0),
            ({"size": "0"}, 0),
            ({"type": "", "size": "0"}, 0),
        ):
            row = change(POSITION, **changes)
            assert hub("GatewayUserPosition", f'[{{"action":1,"data":{row}}}]') == [
                PositionObserved(7001, MNQ, size, average)
            ]

    def test_a_deleted_position_is_flat(self) -> None:
        (body,) = hub("GatewayUserPosition", f'[{{"action":2,"data":{POSITION}}}]')
        assert isinstance(body, PositionObserved)
        assert body.size == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"type": "3"},
            {"type": ""},
            {"type": "0"},
            {"type": "0", "size": "1"},
            {"size": ""},
            {"size": "-3"},
            {"size": "1.5"},
            {"size": "NaN"},
            {"size": '"3"'},
        ],
    )
    def test_a_position_that_makes_no_sense_is_rejected(self, changes: dict[str, str]) -> None:
        rejected(hub("GatewayUserPosition", f"[{change(POSITION, **changes)}]"))

    def test_trade(self) -> None:
        assert hub("GatewayUserTrade", f'[{{"action":0,"data":{TRADE}}}]') == [
            TradeRecorded(
                account=7001,
                trade_id=801,
                contract=MNQ,
                price=29_423 * POINT,
                side=1,
                size=1,
                created_at=1_787_148_961_406_128_900,
                profit_usd=-49 * DOLLAR,
                fees_usd=360_000,
                commissions_usd=250_000,
                order_id=501,
            )
        ]

    @pytest.mark.parametrize("absent", ["", "null"])
    def test_an_opening_fill_has_no_profit(self, absent: str) -> None:
        row = change(TRADE, profitAndLoss=absent, commissions=absent, orderId=absent)
        (body,) = hub("GatewayUserTrade", f"[{row}]")
        assert isinstance(body, TradeRecorded)
        assert (body.profit_usd, body.commissions_usd, body.order_id) == (None, None, None)

    def test_a_profit_of_zero_is_a_profit(self) -> None:
        (body,) = hub("GatewayUserTrade", f"[{change(TRADE, profitAndLoss='0.0')}]")
        assert isinstance(body, TradeRecorded)
        assert body.profit_usd == 0

    def test_a_voided_trade(self) -> None:
        assert hub("GatewayUserTrade", f"[{change(TRADE, voided='true', price='')}]") == [TradeVoided(7001, 801)]

    def test_a_voided_trade_brings_the_row_of_its_fill(self) -> None:
        [recorded] = hub("GatewayUserTrade", f"[{TRADE}]")
        [voided] = hub("GatewayUserTrade", f"[{change(TRADE, voided='true')}]")
        assert isinstance(recorded, TradeRecorded)
        assert isinstance(voided, TradeVoided)
        for name in ("contract", "price", "side", "size", "created_at", "profit_usd", "fees_usd", "order_id"):
            assert getattr(voided, name) == getattr(recorded, name) is not None

    @pytest.mark.parametrize(("price", "expected"), [("0", 0), ("-37.63", -37_630_000_000)])
    def test_zero_and_negative_prices_are_real(self, price: str, expected: int) -> None:
        (body,) = hub("GatewayUserTrade", f"[{change(TRADE, price=price)}]")
        assert isinstance(body, TradeRecorded)
        assert body.price == expected

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": ""},
            {"id": "0"},
            {"id": "-1"},
            {"id": "1.5"},
            {"id": "true"},
            {"id": '"801"'},
            {"id": str(2**63)},
            {"accountId": ""},
            {"contractId": ""},
            {"contractId": '""'},
            {"contractId": "5"},
            {"contractId": '"\\ud800"'},
            {"price": ""},
            {"price": "null"},
            {"price": "NaN"},
            {"price": "Infinity"},
            {"price": "-Infinity"},
            {"price": '"29423"'},
            {"price": "true"},
            {"price": "1e400"},
            {"price": "1" * 16},
            {"size": ""},
            {"size": "0"},
            {"size": "-1"},
            {"size": "1.5"},
            {"size": "false"},
            {"side": ""},
            {"side": "2"},
            {"profitAndLoss": "NaN"},
            {"profitAndLoss": '"x"'},
            {"fees": "[]"},
            {"voided": "1"},
            {"creationTimestamp": '"yesterday"'},
            {"creationTimestamp": '"1970-01-01T00:00:00Z"'},
            {"creationTimestamp": '"2100-01-01T00:00:00Z"'},
            {"creationTimestamp": "1787148961"},
        ],
    )
    def test_a_fill_that_makes_no_sense_is_rejected_with_its_text(self, changes: dict[str, str]) -> None:
        row = change(TRADE, **changes)
        body = rejected(hub("GatewayUserTrade", f"[{row}]"))
        assert body.reason
        assert body.raw.startswith("{")
        assert "29423" in body.raw or "price" in changes

    def test_pascal_case_keys(self) -> None:
        pascal = "{" + ",".join(
            f'"{key[0].upper()}{key[1:]}":{json.dumps(value)}' for key, value in json.loads(TRADE).items()
        ) + "}"  # fmt: skip
        assert hub("GatewayUserTrade", f'[{{"Action":0,"Data":{pascal}}}]') == hub("GatewayUserTrade", f"[{TRADE}]")

    def test_lists_and_the_older_form_with_the_account_first(self) -> None:
        expected = hub("GatewayUserTrade", f"[{TRADE}]")
        assert hub("GatewayUserTrade", f"[7001,{TRADE}]") == expected
        assert hub("GatewayUserTrade", f"[[{TRADE},{TRADE}]]") == expected * 2

    def test_one_bad_row_rejects_itself_only(self) -> None:
        good, bad = hub("GatewayUserTrade", f"[[{TRADE},{change(TRADE, size='0')}]]")
        assert isinstance(good, TradeRecorded)
        assert isinstance(bad, WireRejected)

    @pytest.mark.parametrize(
        "arguments", ["[]", "{}", "null", "5", "[5]", "[null]", '["x"]', '[{"action":0,"data":5}]']
    )
    def test_arguments_that_hold_no_row_are_rejected(self, arguments: str) -> None:
        rejected(hub("GatewayUserTrade", arguments))

    def test_logout_means_the_connection_is_lost(self) -> None:
        assert hub("GatewayLogout", "[]") == [ConnectionChanged("user", "lost")]
        assert hub("GatewayLogout", '["x"]', "market") == [ConnectionChanged("market", "lost")]

    def test_unknown_events_and_hubs_are_rejected(self) -> None:
        assert "GatewayNews" in rejected(hub("GatewayNews", "[1]")).reason
        assert "unknown hub" in rejected(hub("GatewayUserTrade", f"[{TRADE}]", "other")).reason


class TestMarketHub:
    def quote(self, arguments: str) -> list[Body]:
        return hub("GatewayQuote", arguments, "market")

    def test_a_sparse_quote(self) -> None:
        row = '{"symbol":"F.US.MNQ","bestBid":29547,"bestAsk":29547.5,"timestamp":"2026-08-19T20:51:31.348+00:00"}'
        expected = [QuoteObserved(MNQ, None, 29_547 * POINT, 29_547_500_000_000)]
        assert self.quote(f'["{MNQ}",{row}]') == expected
        assert self.quote(f'["{MNQ}",[{row}]]') == expected
        assert self.quote(f'["{MNQ}",{{"action":1,"data":{row}}}]') == expected

    def test_a_quote_with_one_argument_names_its_contract(self) -> None:
        assert self.quote(f'[{{"contract":"{MNQ}","lastPrice":1}}]') == [QuoteObserved(MNQ, POINT)]
        assert self.quote(f'[{{"contractId":"{MNQ}","lastPrice":1}}]') == [QuoteObserved(MNQ, POINT)]
        rejected(self.quote('[{"lastPrice":1}]'))

    def test_nulls_and_pascal_case(self) -> None:
        assert self.quote(f'["{MNQ}",{{"lastPrice":null,"BestBid":-1}}]') == [QuoteObserved(MNQ, None, -POINT)]

    @pytest.mark.parametrize("value", ["NaN", '"1"', "true", "[1]", "1e300"])
    def test_a_price_that_is_none_rejects_the_quote(self, value: str) -> None:
        rejected(self.quote(f'["{MNQ}",{{"lastPrice":{value},"bestBid":1}}]'))

    @pytest.mark.parametrize("arguments", [f'["{MNQ}",null]', '["",{}]', "[5,{}]", "[null,{}]"])
    def test_a_quote_of_nothing_is_rejected(self, arguments: str) -> None:
        rejected(self.quote(arguments))

    def test_prints_in_an_array_with_nulls(self) -> None:
        one = '{"symbolId":"F.US.MNQ","price":7730.5,"timestamp":"2026-08-19T20:51:30.052+00:00","type":1,"volume":1}'
        expected = [MarketTraded(MNQ, 7_730_500_000_000)] * 2
        assert hub("GatewayTrade", f'["{MNQ}",[{one},null,{one}]]', "market") == expected
        assert hub("GatewayTrade", f'["{MNQ}",{one}]', "market") == expected[:1]
        assert hub("GatewayTrade", f'["{MNQ}",[null]]', "market") == []
        rejected(hub("GatewayTrade", f'["{MNQ}",{{"volume":1}}]', "market"))

    def test_depth_is_kept_as_text(self) -> None:
        row = '{"timestamp":"2026-08-19T20:51:31.4173693+00:00","type":4,"price":2100.00,"volume":2,"currentVolume":0}'
        for arguments in (f'["{MNQ}",[{row},null]]', f'["{MNQ}",{row}]'):
            assert hub("GatewayDepth", arguments, "market") == [DepthObserved(MNQ, f"[{row}]")]
        assert hub("GatewayDepth", f'["{MNQ}",null]', "market") == []
        rejected(hub("GatewayDepth", f'["{MNQ}",[{{"price":NaN}}]]', "market"))


class TestLists:
    def test_accounts(self) -> None:
        second = change(ACCOUNT, id="7002")
        bodies = rest("Account/search", answer(f'"accounts":[{ACCOUNT},{second}]'))
        assert [body.account for body in bodies if isinstance(body, AccountObserved)] == [7001, 7002]

    @pytest.mark.parametrize(
        ("name", "root"),
        [("ESZ5", "ES"), ("NQU5", "NQ"), ("MNQU26", "MNQ"), ("6EU6", "6E"), ("M2KH6", "M2K"), ("ZNZ5", "ZN")],
    )
    def test_contracts_and_their_roots(self, name: str, root: str) -> None:
        row = f'{{"id":"CON.F.US.X.Z25","name":"{name}","tickSize":0.25,"tickValue":12.5,"activeContract":true}}'
        expected = [ContractDescribed(Contract("CON.F.US.X.Z25", root, 250_000_000, 12_500_000, True))]
        assert rest("Contract/search", answer(f'"contracts":[{row}]')) == expected
        assert rest("Contract/available", answer(f'"contracts":[{row}]')) == expected
        assert rest("Contract/searchById", answer(f'"contract":{row}')) == expected

    @pytest.mark.parametrize(
        "row",
        [
            '{"id":"C","name":"ESZ5","tickSize":0,"tickValue":12.5}',
            '{"id":"C","name":"ESZ5","tickSize":0.25,"tickValue":-1}',
            '{"id":"C","name":"ESZ5","tickSize":0.25}',
            '{"name":"ESZ5","tickSize":0.25,"tickValue":1}',
            "5",
        ],
    )
    def test_a_contract_that_makes_no_sense_is_rejected(self, row: str) -> None:
        rejected(rest("Contract/search", answer(f'"contracts":[{row}]')))

    @pytest.mark.parametrize("name", ['"name":"E-mini S&P 500",', '"name":"ES",', '"name":"",', '"name":null,', ""])
    def test_a_contract_whose_name_says_no_month_has_the_root_of_its_id(self, name: str) -> None:
        row = f'{{"id":"CON.F.US.EP.Z25",{name}"tickSize":0.25,"tickValue":12.5}}'
        expected = Contract("CON.F.US.EP.Z25", "ES", 250_000_000, 12_500_000, described=True)
        assert rest("Contract/searchById", answer(f'"contract":{row}')) == [ContractDescribed(expected)]

    def test_positions_are_a_complete_list(self) -> None:
        listed = PositionObserved(7001, MNQ, -3, 29_398_375_000_000)
        request = '{"accountId":7001}'
        path = "Position/searchOpen"
        assert rest(path, answer(f'"positions":[{POSITION}]'), request) == [PositionsListed(7001, (listed,))]
        assert rest(path, answer('"positions":[]'), request) == [PositionsListed(7001, ())]
        assert rest(path, answer(f'"positions":[{POSITION}]')) == [PositionsListed(7001, (listed,))]

    def test_a_list_with_a_size_without_a_side_says_nothing_about_what_is_gone(self) -> None:
        unclear = change(POSITION, type="0")
        bodies = rest("Position/searchOpen", answer(f'"positions":[{unclear}]'), '{"accountId":7001}')
        assert rejected(bodies).reason == "position type 0 is neither long nor short, and the size is 3"

    def test_positions_of_nobody_are_no_list(self) -> None:
        assert [type(body) for body in rest("Position/searchOpen", answer('"positions":[]'))] == [CallObserved]
        other = rest("Position/searchOpen", answer(f'"positions":[{POSITION}]'), '{"accountId":7002}')
        assert [type(body) for body in other] == [PositionObserved]

    def test_a_list_with_a_bad_row_says_nothing_is_gone(self) -> None:
        bad = change(POSITION, size="-1")
        positions = rest("Position/searchOpen", answer(f'"positions":[{POSITION},{bad}]'), '{"accountId":7001}')
        assert [type(body) for body in positions] == [PositionObserved, WireRejected]
        orders = rest("Order/searchOpen", answer(f'"orders":[{change(ORDER, status="0")}]'), '{"accountId":7001}')
        assert [type(body) for body in orders] == [WireRejected]

    def test_open_orders_list_status_one(self) -> None:
        bodies = rest("Order/searchOpen", answer(f'"orders":[{ORDER}]'), '{"accountId":7001}')
        assert isinstance(bodies[0], OrderObserved)
        assert bodies[1:] == [OrdersListed(7001, (1,), (501,))]
        assert rest("Order/searchOpen", answer('"orders":[]'), '{"accountId":7001}') == [OrdersListed(7001, (1,), ())]

    @pytest.mark.parametrize(
        ("filter_", "rest_of_request", "total", "complete"),
        [
            ('"statuses":[1,6,7,8]', '"pageOffset":0', "1", (1, 6, 7, 8)),
            ('"statuses":[1]', '"pageSize":100', "1", (1,)),
            ('"contractId":null', '"pageSize":100', "1", (1, 6, 7, 8)),
            ('"statuses":[1]', '"pageOffset":1', "1", None),
            ('"statuses":[1]', '"pageOffset":0', "2", None),
            ('"statuses":[1]', '"pageOffset":0', "null", None),
            ('"statuses":[1],"createdAfter":"2026-01-01T00:00:00Z"', '"pageOffset":0', "1", None),
            ('"statuses":[1],"contractId":"X"', '"pageOffset":0', "1", None),
        ],
    )
    def test_a_query_is_complete_only_when_the_broker_says_so(
        self, filter_: str, rest_of_request: str, total: str, complete: tuple[int, ...] | None
    ) -> None:
        request = f'{{"filter":{{"accountId":7001,{filter_}}},{rest_of_request}}}'
        bodies = rest("Order/v2/query", answer(f'"orders":[{ORDER}],"totalCount":{total}'), request)
        assert isinstance(bodies[0], OrderObserved)
        assert bodies[1:] == ([] if complete is None else [OrdersListed(7001, complete, (501,))])

    @pytest.mark.parametrize(
        "request_",
        [
            "null",
            "5",
            '{"filter":5}',
            '{"filter":{"accountId":7001,"statuses":5}}',
            '{"filter":{"accountId":7001,"statuses":["1"]}}',
            '{"filter":{"accountId":"7001","statuses":[1]}}',
            '{"filter":{"accountId":7002,"statuses":[1]}}',
            '{"filter":{"accountId":7001,"statuses":[1]},"pageOffset":"0"}',
        ],
    )
    def test_a_query_that_makes_no_sense_loses_no_row(self, request_: str) -> None:
        response = answer(f'"orders":[{ORDER}],"totalCount":1')
        assert [type(body) for body in rest("Order/v2/query", response, request_)] == [OrderObserved]

    def test_positions_asked_for_nonsense_are_still_seen(self) -> None:
        bodies = rest("Position/searchOpen", answer(f'"positions":[{POSITION}]'), '{"accountId":"7001"}')
        assert [type(body) for body in bodies] == [PositionObserved]

    def test_a_search_of_orders_lists_nothing(self) -> None:
        assert [type(body) for body in rest("Order/search", answer(f'"orders":[{ORDER}]'))] == [OrderObserved]
        assert [type(body) for body in rest("Order/searchById", answer(f'"order":{ORDER}'))] == [OrderObserved]

    def test_trades_come_oldest_first(self) -> None:
        early = change(TRADE, id="900", creationTimestamp='"2026-08-19T14:00:00Z"')
        same = change(TRADE, id="700")
        voided = change(TRADE, id="750", voided="true")
        bodies = rest("Trade/search", answer(f'"trades":[{TRADE},{voided},{same},{early}]'))
        ids = [body.trade_id for body in bodies if isinstance(body, TradeRecorded | TradeVoided)]
        assert ids == [900, 700, 750, 801]

    @pytest.mark.parametrize(
        ("request_", "listed"),
        [
            ('{"accountId":7001,"startTimestamp":"2026-08-18T22:00:00Z"}', [TradesListed(7001, FROM)]),
            (
                '{"accountId":7001,"startTimestamp":"2026-08-18T22:00:00Z","endTimestamp":null}',
                [TradesListed(7001, FROM)],
            ),
            ('{"accountId":7001,"startTimestamp":"2026-08-18T22:00:00Z","endTimestamp":"2026-08-19T14:20:00Z"}', []),
            ('{"accountId":7001,"startTimestamp":"yesterday"}', []),
            ('{"accountId":7001}', []),
            ('{"startTimestamp":"2026-08-18T22:00:00Z"}', []),
            ('{"accountId":7002,"startTimestamp":"2026-08-18T22:00:00Z"}', []),
        ],
    )
    def test_a_search_of_trades_is_complete_only_when_it_was_asked_for_one_account_from_an_instant_on(
        self, request_: str, listed: list[TradesListed]
    ) -> None:
        bodies = rest("Trade/search", answer(f'"trades":[{TRADE}]'), request_)
        assert isinstance(bodies[0], TradeRecorded)
        assert bodies[1:] == listed

    def test_no_fills_are_a_complete_list_too_and_a_bad_row_makes_none(self) -> None:
        request = '{"accountId":7001,"startTimestamp":"2026-08-18T22:00:00Z"}'
        assert rest("Trade/search", answer('"trades":[]'), request) == [TradesListed(7001, FROM)]
        bad = rest("Trade/search", answer(f'"trades":[{TRADE},{change(TRADE, size="-1")}]'), request)
        assert [type(body) for body in bad] == [TradeRecorded, WireRejected]

    def test_what_was_asked_for_says_when_it_was_asked(self) -> None:
        def asked(path: str, response: str, request: str, asked_at: str = "2026-08-19T14:15:59.25Z") -> Body:
            told = f'"asked_at":"{asked_at}","status":200,"response":{response}'
            return facts(f'{{"rest":"/api/{path}","request":{request},{told}}}')[-1].body

        account, since = '{"accountId":7001}', '{"accountId":7001,"startTimestamp":"2026-08-18T22:00:00Z"}'
        at = 1_787_148_959_250_000_000
        assert asked("Position/searchOpen", answer('"positions":[]'), account) == PositionsListed(7001, (), at)
        assert asked("Order/searchOpen", answer('"orders":[]'), account) == OrdersListed(7001, (1,), (), at)
        assert asked("Trade/search", answer('"trades":[]'), since) == TradesListed(7001, FROM, at)
        observed = asked("Account/search", answer(f'"accounts":[{ACCOUNT}]'), "{}")
        assert observed == AccountObserved(7001, "PRAC-7001", 150_175_380_000, True, True, at)
        later = asked("Position/searchOpen", answer('"positions":[]'), account, "2026-08-19T15:15:59Z")
        assert later == PositionsListed(7001, (), AT), "nothing is asked after its answer came"
        assert isinstance(asked("Position/searchOpen", answer('"positions":[]'), account, "soon"), WireRejected)

    @pytest.mark.parametrize(
        ("response", "status"),
        [
            (answer('"positions":null'), "200"),
            ('{"success":true}', "200"),
            ('{"positions":[],"success":false,"errorCode":1,"errorMessage":"x"}', "200"),
            ('{"positions":[]}', "200"),
            (answer('"positions":[]'), "500"),
            (answer('"positions":[]'), "401"),
            ('"<html>busy</html>"', "200"),
            ("null", "429"),
            ("[]", "200"),
        ],
    )
    @pytest.mark.parametrize("path", ["Position/searchOpen", "position/searchopen/"])
    def test_a_failed_call_is_never_an_empty_list(self, response: str, status: str, path: str) -> None:
        (body,) = rest(path, response, '{"accountId":7001}', status)
        assert isinstance(body, CallObserved)
        assert body.status == int(status)


class TestBars:
    REQUEST = f'{{"contractId":"{MNQ}","live":false,"unit":2,"unitNumber":5}}'
    ROWS = (
        '{"t":"2026-08-19T14:05:00+00:00","o":2208.100000000,"h":2217.0,"l":2206.7,"c":2210.1,"v":87},'
        '{"t":"2026-08-19T14:00:00+00:00","o":2195,"h":2215,"l":2192.9,"c":2209.8,"v":5}'
    )

    def bars(self, rows: str, request: str = REQUEST, at: int = AT) -> list[Event]:
        response = answer(f'"bars":[{rows}]')
        line = f'{{"rest":"/api/History/retrieveBars","request":{request},"status":200,"response":{response}}}'
        return facts(line, at)

    def test_bars_come_oldest_first_and_are_known_at_their_end(self) -> None:
        opens = 1_787_148_000_000_000_000  # 14:00:00Z
        five = 300_000_000_000
        before = self.bars(self.ROWS, at=opens + five + 1)
        assert [event.at for event in before] == [opens + five + 1, opens + 2 * five]
        bar = before[1].body
        assert bar == BarObserved(
            MNQ, opens + five, five, 2_208_100_000_000, 2_217 * POINT, 2_206_700_000_000, 2_210_100_000_000
        )
        assert before[1].key == f"bar:{MNQ}:{five}:{opens + five}"

    @pytest.mark.parametrize(
        ("unit", "number", "seconds"),
        [(1, 1, 1), (2, 15, 900), (3, 4, 14_400), (4, 1, 86_400), (5, 1, 604_800), (6, 1, 2_678_400)],
    )
    def test_units(self, unit: int, number: int, seconds: int) -> None:
        request = f'{{"contractId":"{MNQ}","unit":{unit},"unitNumber":{number}}}'
        (bar, _) = (event.body for event in self.bars(self.ROWS, request))
        assert isinstance(bar, BarObserved)
        assert bar.unit_ns == seconds * 10**9

    @pytest.mark.parametrize(
        "request_",
        [
            f'{{"contractId":"{MNQ}","unit":0,"unitNumber":1}}',
            f'{{"contractId":"{MNQ}","unit":7,"unitNumber":1}}',
            f'{{"contractId":"{MNQ}","unit":2,"unitNumber":0}}',
            '{"unit":2,"unitNumber":1}',
            "null",
            "5",
        ],
    )
    def test_bars_of_no_length_or_contract_are_rejected(self, request_: str) -> None:
        (event,) = self.bars(self.ROWS, request_)
        assert isinstance(event.body, WireRejected)

    @pytest.mark.parametrize("change_", ['"h":1', '"l":3000', '"o":NaN', '"c":null', '"t":"x"', '"t":null'])
    def test_a_bar_that_contradicts_itself_rejects_itself(self, change_: str) -> None:
        key = change_.partition(":")[0]
        row = self.ROWS.partition("},")[0] + "}"
        kept = {f'"{name}"': json.dumps(value) for name, value in json.loads(row).items()}
        kept[key] = change_.partition(":")[2]
        bad = "{" + ",".join(f"{name}:{value}" for name, value in kept.items()) + "}"
        bodies = [event.body for event in self.bars(f"{self.ROWS},{bad}")]
        assert sorted(type(body).__name__ for body in bodies) == ["BarObserved", "BarObserved", "WireRejected"]


class TestCalls:
    def test_a_call_that_changes_no_state(self) -> None:
        response = '{"orderId":9057,"success":false,"errorCode":2,"errorMessage":"Invalid stop price"}'
        expected = CallObserved("/api/Order/place", 200, False, 2, "Invalid stop price", 7001, 9057)
        assert rest("Order/place", response, '{"accountId":7001,"customTag":"x"}') == [expected]

    def test_a_cancel_names_the_order_it_asked_for(self) -> None:
        bodies = rest("Order/cancel", answer('"x":0'), '{"accountId":7001,"orderId":501}')
        assert bodies == [CallObserved("/api/Order/cancel", 200, True, 0, None, 7001, 501)]

    @pytest.mark.parametrize("name", ["Auth/loginKey", "Auth/validate", "auth/loginkey"])
    def test_a_login_keeps_no_secret(self, name: str) -> None:
        request = '{"userName":"SECRET","apiKey":"SECRET","accountId":5}'
        response = '{"token":"SECRET","newToken":"SECRET","success":true,"errorCode":0,"errorMessage":"SECRET"}'
        (event,) = facts(f'{{"rest":"/api/{name}","request":{request},"status":200,"response":{response}}}')
        assert event.body == CallObserved(f"/api/{name}", 200, True, 0)
        (bad,) = facts(f'{{"rest":"/api/{name}","request":{request},"status":"SECRET","response":{response}}}')
        assert isinstance(bad.body, WireRejected)
        assert bad.body.raw == WITHHELD
        assert "SECRET" not in bad.body.reason

    @pytest.mark.parametrize("words", ["not valid: eyJhbGciOiJIUzI1NiJ9.e.s", "Bearer abc was refused"])
    def test_the_brokers_words_keep_no_secret(self, words: str) -> None:
        response = f'{{"success":false,"errorCode":2,"errorMessage":"{words}"}}'
        (event,) = facts(f'{{"rest":"/api/Order/place","request":{{}},"status":200,"response":{response}}}')
        assert isinstance(event.body, CallObserved)
        assert event.body.error_message == "(withheld: it may hold a login)"

    def test_the_query_of_a_path_is_left_out(self) -> None:
        (event,) = facts('{"rest":"/api/X?access_token=SECRET","request":null,"status":404,"response":null}')
        assert event.body == CallObserved("/api/X", 404)

    def test_ping_and_unknown_paths(self) -> None:
        assert rest("Status/ping", '"pong"', "null") == [CallObserved("/api/Status/ping", 200)]
        assert rest("New/thing", answer('"things":[1]'), "[]") == [CallObserved("/api/New/thing", 200, True, 0)]

    @pytest.mark.parametrize("status", ["null", '"200"', "true", "-1", "1000", "2e2"])
    def test_a_status_that_is_none_is_rejected(self, status: str) -> None:
        rejected(rest("Position/searchOpen", answer('"positions":[]'), '{"accountId":7001}', status))


class TestOtherLines:
    def test_connection_and_clock(self) -> None:
        for state in ("connected", "lost", "stale"):
            (event,) = facts(f'{{"connection":"market","state":"{state}"}}')
            assert event == Event(AT, "broker", f"connection:market@{AT}", ConnectionChanged("market", state))
        assert facts('{"clock":true}') == [Event(AT, "clock", f"clock@{AT}", ClockTicked())]

    @pytest.mark.parametrize(
        "line",
        ['{"connection":"user","state":"up"}', '{"connection":1,"state":"lost"}', '{"connection":"x"}', '{"clock":1}',
         "{}", '{"hub":[],"target":{},"arguments":5}', '{"rest":5}', '{"rest":""}'],
    )  # fmt: skip
    def test_lines_that_make_no_sense_are_rejected(self, line: str) -> None:
        (event,) = facts(line)
        assert isinstance(event.body, WireRejected)
        assert (event.source, event.key) == ("broker", f"rejected@{AT}")

    def test_sources_and_keys(self) -> None:
        def named(line: str) -> list[tuple[str, str]]:
            return [(event.source, event.key) for event in facts(line)]

        user = '{{"hub":"user","target":"{}","arguments":[{}]}}'
        market = '{{"hub":"market","target":"{}","arguments":["{}",{}]}}'
        assert named(user.format("GatewayUserAccount", ACCOUNT)) == [("broker", f"account:7001@{AT}")]
        assert named(user.format("GatewayUserOrder", ORDER)) == [("broker", f"order:501@{AT}")]
        assert named(user.format("GatewayUserPosition", POSITION)) == [("broker", f"position:7001:{MNQ}@{AT}")]
        assert named(user.format("GatewayUserTrade", TRADE)) == [("broker", "trade:801")]
        assert named(market.format("GatewayQuote", MNQ, "{}")) == [("market", f"quote:{MNQ}@{AT}")]
        assert named(market.format("GatewayTrade", MNQ, '{"price":1}')) == [("market", f"print:{MNQ}@{AT}")]
        assert named(market.format("GatewayDepth", MNQ, "{}")) == [("market", f"depth:{MNQ}@{AT}")]
        assert named(market.format("GatewayQuote", MNQ, "null")) == [("market", f"rejected@{AT}")]


def test_every_example_of_the_reference_is_understood() -> None:
    """Reads the shared reference where it is at hand; its payloads are not copied into this repository."""
    folder = Path(os.environ.get("RISKCORE_SHARED", Path(__file__).parents[4] / "shared")) / "topstepx" / "examples"
    if not folder.is_dir():
        pytest.skip("the shared reference is not at hand")
    for path in sorted(folder.glob("hub_*.json")):
        line: Any = decode(path.read_bytes()).value
        events = normalise({"hub": "user" if "User" in path.name else "market", **line}, AT)
        assert events, path.name
        assert not any(isinstance(event.body, WireRejected) for event in events), path.name
    for path in sorted(folder.glob("rest_*.json")):
        if "request" not in path.name:
            name = "/".join(path.stem.split("_")[1:3])
            request = {"contractId": MNQ, "unit": 3, "unitNumber": 1}
            response = decode(path.read_bytes()).value
            line = {"rest": f"/api/{name}", "request": request, "status": 200, "response": response}
            events = normalise(line, AT)
            assert events, path.name
            assert not any(isinstance(event.body, WireRejected) for event in events), path.name


def test_a_mistake_of_our_own_rejects_its_line_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr(normalise_module, "hub_reading", broken)
    monkeypatch.setattr(normalise_module, "path_of", broken)
    (event,) = facts('{"hub":"user","target":"GatewayUserTrade","arguments":[{"id":1}]}')
    assert isinstance(event.body, WireRejected)
    assert "KeyError: 'lost'" in event.body.reason
    assert event.body.raw == '{"hub":"user","target":"GatewayUserTrade","arguments":[{"id":1}]}'
    (login,) = facts('{"rest":"/api/Auth/loginKey","request":{"apiKey":"SECRET"},"status":200,"response":{}}')
    assert isinstance(login.body, WireRejected)
    assert login.body.raw == WITHHELD


@pytest.mark.parametrize(
    ("target", "arguments", "accounts"),
    [
        ("GatewayUserOrder", [{"action": 1, "data": {"accountId": 7, "size": "many"}}], [7]),
        ("GatewayUserTrade", [[{"accountId": 7}, {"accountId": 8, "price": []}, {"accountId": "?"}, None]], [7, 8]),
        ("GatewayUserPosition", [{"accountId": 7}], [7]),
        ("GatewayUserAccount", [{"id": 7}], []),
        ("GatewayUserNews", [{"accountId": 7}], []),
        (None, None, []),
    ],
)
def test_the_accounts_that_a_message_speaks_of_are_known_although_it_cannot_be_read(
    target: str | None, arguments: list[object] | None, accounts: list[int]
) -> None:
    assert accounts_named({"hub": "user", "target": target, "arguments": arguments}) == accounts
