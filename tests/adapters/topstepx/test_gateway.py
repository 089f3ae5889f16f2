"""The gateway against a small broker on a real socket, at fifteen times the speed of time."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from random import Random
from typing import Any, ClassVar

import pytest

from adapters.topstepx import wire
from adapters.topstepx.credentials import Credentials
from adapters.topstepx.gateway import TopstepGateway
from adapters.topstepx.http import HttpTransport
from adapters.topstepx.normalise import normalise
from adapters.topstepx.transport import Answer
from riskcore.core.events import (
    AccountObserved,
    BarObserved,
    CallObserved,
    ContractDescribed,
    OrderObserved,
    OrdersListed,
    PositionsListed,
    TradeRecorded,
)
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quotes import Quotes
from riskcore.core.state import BUY, SELL, TYPE_LIMIT, OrderTerms, Request
from riskcore.engine.ports import Line, Outcome, Texts
from riskcore.errors import BrokerUnreachable, LoginRefused
from tests.adapters.clocks import ScaledClock
from tests.adapters.topstepx.small_broker import (
    ACCOUNT,
    KEY,
    MNQ,
    NAME,
    Call,
    Gone,
    Reply,
    Script,
    SmallBroker,
    failed,
    good,
    hang,
    serving,
)

SCALE = 15  # Three seconds are enough for a busy machine to answer on loopback.
STAMP = "2026-11-20T15:00:00.5+00:00"
STAMP_NS = 1_795_186_800 * SECOND_NS + SECOND_NS // 2


class Told:
    """A sink that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def line(self, line: Line, text: bytes = b"") -> None:
        self.lines.append(line)

    def market(self, line: Line, text: bytes = b"") -> None:
        raise AssertionError("no market data comes by REST")

    def quotes(self, quotes: Quotes, texts: Texts | None = None) -> None:
        raise AssertionError("no quotes come by REST")

    def facts(self, path: str = "") -> list[Any]:
        found = [line for line in self.lines if path in line["rest"]]
        return [event.body for line in found for event in normalise(line, STAMP_NS * 2)]

    def paths(self) -> list[str]:
        return [line["rest"].removeprefix("/api/") for line in self.lines]


class Hasty(Script):
    """Sends what it is told to call before the answer is awaited."""

    def __init__(self, broker: SmallBroker) -> None:
        super().__init__(broker)
        self.asked: list[str] = []

    def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Coroutine[Any, Any, Answer]:
        self.asked.append(path)
        return super().call(method, path, body, headers)


class Room:
    """An open gateway, its broker and what the sink was told."""

    def __init__(self) -> None:
        self.broker = SmallBroker()
        self.told = Told()

    def run(self, use: Callable[[TopstepGateway], Awaitable[Any]], *, opened: bool = True) -> Any:
        async def whole() -> Any:
            async with serving(self.broker) as base:
                gateway = TopstepGateway(HttpTransport(base), Credentials(NAME, KEY), ScaledClock(SCALE), Random(1))
                try:
                    if opened:
                        await gateway.open(self.told)
                        self.broker.calls.clear()
                        self.told.lines.clear()
                    return await use(gateway)
                finally:
                    await gateway.close()

        return asyncio.run(whole())

    def carry_out(self, **fields: Any) -> Outcome:
        outcome: Outcome = self.run(lambda gateway: gateway.carry_out(ACCOUNT, request(**fields)))
        return outcome


@pytest.fixture
def room() -> Room:
    return Room()


def request(kind: str, **fields: Any) -> Request:
    base: dict[str, Any] = {
        "id": "r1",
        "obligation": "o1",
        "contract": None,
        "order_id": None,
        "size": 0,
        "side": 0,
        "price": None,
        "attempt": 1,
        "state": "attempted",
        "at": 0,
    }
    return Request(kind=kind, **(base | fields))


def order(number: int, **fields: Any) -> dict[str, Any]:
    base = {"id": number, "accountId": ACCOUNT, "contractId": MNQ, "status": 1, "type": 4, "side": 1, "size": 1}
    return base | {"creationTimestamp": STAMP, "updateTimestamp": STAMP, "stopPrice": 21000.25} | fields


def trade(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "accountId": ACCOUNT,
        "contractId": MNQ,
        "creationTimestamp": STAMP,
        "price": 21000.25,
        "profitAndLoss": None,
        "fees": 0.37,
        "side": 0,
        "size": 1,
        "voided": False,
        "orderId": 5,
    }


def pages(rows: list[dict[str, Any]]) -> Callable[[Call], Any]:
    """Order/v2/query as measured: the offset counts rows, a hundred at most, the total tells the truth."""

    def answer(call: Call) -> Any:
        offset = call.body["pageOffset"]
        return good(orders=rows[offset : offset + 100], totalCount=len(rows))

    return answer


class TestOpening:
    def test_it_logs_in_and_lists_the_accounts(self, room: Room) -> None:
        room.run(lambda gateway: gateway.open(room.told), opened=False)
        assert room.told.paths() == ["Auth/loginKey", "Account/search", "Auth/logout"]
        (account,) = room.told.facts("Account")
        assert (account.account, account.balance_usd, account.simulated) == (ACCOUNT, 150_000_500_000, True)
        assert room.broker.calls[1].body == {"onlyActiveAccounts": True}

    def test_a_refused_login(self, room: Room) -> None:
        room.broker.on("Auth/loginKey", failed(3))
        with pytest.raises(LoginRefused, match="PROJECT_X_API_KEY") as error:
            room.run(lambda gateway: gateway.open(room.told), opened=False)
        assert error.value.exit_code == 5
        assert room.broker.paths() == ["Auth/loginKey"]

    @pytest.mark.parametrize("answer", [Reply(503), Gone(), Reply(200, b"<html>"), good(accounts=None)])
    def test_a_broker_that_does_not_list_the_accounts(self, room: Room, answer: Any) -> None:
        room.broker.on("Account/search", answer)
        with pytest.raises(BrokerUnreachable, match="does not list the accounts"):
            room.run(lambda gateway: gateway.open(room.told), opened=False)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_login_that_may_not_see_the_accounts(self, room: Room, status: int) -> None:
        room.broker.on("Account/search", Reply(status))
        with pytest.raises(LoginRefused, match="does not show the accounts"):
            room.run(lambda gateway: gateway.open(room.told), opened=False)

    def test_a_broker_out_of_reach(self) -> None:
        async def use(base: str) -> None:
            gateway = TopstepGateway(HttpTransport(base), Credentials(NAME, KEY), ScaledClock(SCALE), Random(1))
            try:
                await gateway.open(Told())
            finally:
                await gateway.close()

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # Not listening.
            base = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(BrokerUnreachable, match="no connection to http://127"):
                asyncio.run(use(base))

    def test_a_passing_failure_is_waited_out(self, room: Room) -> None:
        room.broker.on("Auth/loginKey", Gone(), Reply(502), good(token="t"))
        room.broker.on("Account/search", Reply(500), good(accounts=[]))
        room.run(lambda gateway: gateway.open(room.told), opened=False)


class TestWhatIsNeverHeldBack:
    @pytest.mark.parametrize(("obligation", "outcome"), [("o1", "accepted"), ("", "refused")])
    def test_a_leg_cut_to_what_is_open_is_enforcement_a_change_by_the_trader_is_not(
        self, room: Room, obligation: str, outcome: str
    ) -> None:
        room.broker.on("Contract/searchById", Reply(429, None, {"retry-after": "60"}))
        cut = request("modifyOrder", obligation=obligation, order_id=7, size=1, terms=OrderTerms())

        async def use(gateway: TopstepGateway) -> Outcome:
            asking = asyncio.create_task(gateway.describe(MNQ))
            while not room.told.lines:
                await asyncio.sleep(0.01)
            asking.cancel()
            return await gateway.carry_out(ACCOUNT, cut)

        assert room.run(use).kind == outcome


class TestRequests:
    def test_close(self, room: Room) -> None:
        assert room.carry_out(kind="closeContract", contract=MNQ).kind == "accepted"
        assert room.broker.last("Position/closeContract") == {"accountId": ACCOUNT, "contractId": MNQ}
        assert room.told.facts("closeContract") == [
            CallObserved("/api/Position/closeContract", 200, True, 0, account=ACCOUNT)
        ]

    def test_partial_close(self, room: Room) -> None:
        room.carry_out(kind="partialCloseContract", contract=MNQ, size=2)
        body = room.broker.last("Position/partialCloseContract")
        assert body == {"accountId": ACCOUNT, "contractId": MNQ, "size": 2}

    def test_cancel(self, room: Room) -> None:
        room.broker.on("Order/cancel", failed(2))
        outcome = room.carry_out(kind="cancelOrder", contract=MNQ, order_id=7)
        assert (outcome.kind, outcome.reason) == ("accepted", "the order no longer exists: nothing is left to cancel")
        assert room.broker.last("Order/cancel") == {"accountId": ACCOUNT, "orderId": 7}

    def test_a_protective_stop(self, room: Room) -> None:
        room.broker.on("Order/place", good(orderId=9056))
        price = 20_950_250_000_000
        outcome = room.carry_out(kind="placeStop", contract=MNQ, side=SELL, size=2, price=price, tag="t1")
        assert (outcome.kind, outcome.order_id) == ("accepted", 9056)
        assert room.broker.last("Order/place") == {
            "accountId": ACCOUNT,
            "contractId": MNQ,
            "type": 4,
            "side": 1,
            "size": 2,
            "limitPrice": None,
            "stopPrice": 20950.25,
            "trailPrice": None,
            "customTag": "t1",
        }
        assert room.told.paths()[-2:] == ["Order/place", "Auth/logout"]

    def test_an_order_of_the_trader_with_brackets(self, room: Room) -> None:
        terms = OrderTerms(type=TYPE_LIMIT, limit_price=21_000 * 10**9, stop_loss_ticks=-40, take_profit_ticks=80)
        room.carry_out(kind="placeOrder", contract=MNQ, side=BUY, size=1, tag="t2", terms=terms)
        body = room.broker.last("Order/place")
        assert (body["type"], body["side"], body["limitPrice"], body["customTag"]) == (1, 0, 21000, "t2")
        assert body["stopLossBracket"] == {"ticks": -40, "type": 4}
        assert body["takeProfitBracket"] == {"ticks": 80, "type": 1}

    def test_modifying(self, room: Room) -> None:
        room.carry_out(kind="modifyStop", contract=MNQ, order_id=7, size=2, price=20_950_250_000_000)
        empty = {"limitPrice": None, "stopPrice": None, "trailPrice": None, "size": None}
        sent = {"accountId": ACCOUNT, "orderId": 7, **empty}
        assert room.broker.last("Order/modify") == sent | {"stopPrice": 20950.25, "size": 2}
        room.carry_out(kind="modifyStop", contract=MNQ, order_id=7, size=1)
        assert room.broker.last("Order/modify") == sent | {"size": 1}, "the price stays as it is"
        terms = OrderTerms(limit_price=21_000 * 10**9, trail_price=10**9)
        room.carry_out(kind="modifyOrder", contract=MNQ, order_id=7, terms=terms)
        assert room.broker.last("Order/modify") == sent | {"limitPrice": 21000, "trailPrice": 1}

    @pytest.mark.parametrize(
        "fields",
        [
            {"kind": "closeContract"},
            {"kind": "partialCloseContract", "contract": MNQ},
            {"kind": "cancelOrder"},
            {"kind": "placeStop", "contract": MNQ, "side": SELL, "size": 1},
            {"kind": "placeOrder", "contract": MNQ, "side": SELL, "size": 1},
            {"kind": "modifyStop", "order_id": 7},
            {"kind": "dance", "contract": MNQ},
        ],
    )
    def test_a_request_that_makes_no_sense_is_refused_unsent(self, room: Room, fields: dict[str, Any]) -> None:
        outcome = room.carry_out(**fields)
        assert outcome.kind == "refused"
        assert outcome.reason.startswith("riskcore cannot send this")
        assert room.broker.paths() == ["Auth/logout"]

    @pytest.mark.parametrize("answer", [Gone(), hang, Reply(504), Reply(200, b"<html>")])
    def test_an_action_whose_answer_is_lost_is_sent_once(self, room: Room, answer: Any) -> None:
        room.broker.on("Position/closeContract", answer)
        room.broker.on("Position/partialCloseContract", answer)
        assert room.carry_out(kind="closeContract", contract=MNQ).kind == "unresolved"
        assert room.carry_out(kind="partialCloseContract", contract=MNQ, size=1).kind == "unresolved"
        assert room.broker.paths()[-2:] == ["Position/partialCloseContract", "Auth/logout"]

    def test_what_keeps_an_account_safe_is_sent_before_its_outcome_is_awaited(self, room: Room) -> None:
        def paths(kind: str) -> list[str]:
            async def run() -> list[str]:
                transport = Hasty(room.broker)
                gateway = TopstepGateway(transport, Credentials(NAME, KEY), ScaledClock(SCALE), Random(1))
                await gateway.open(room.told)
                transport.asked.clear()
                coming = gateway.carry_out(ACCOUNT, request(kind, obligation="", contract=MNQ, order_id=7))
                asked = list(transport.asked)
                assert (await coming).kind == "accepted"
                return asked

            return asyncio.run(run())

        assert paths("closeContract") == [wire.CloseContract.PATH]
        assert paths("cancelOrder") == [wire.OrderCancel.PATH]
        assert paths("modifyOrder") == []  # The trader's own orders wait for the quota.

    def test_an_expired_token_is_replaced_on_the_way(self, room: Room) -> None:
        room.broker.valid = set()

        async def use(gateway: TopstepGateway) -> Outcome:
            assert room.broker.valid
            room.broker.valid.clear()
            return await gateway.carry_out(ACCOUNT, request("closeContract", contract=MNQ))

        assert room.run(use).kind == "accepted"
        assert room.broker.count("Position/closeContract") == 2


class TestLostPlacements:
    STOP: ClassVar[dict[str, Any]] = {
        "kind": "placeStop",
        "contract": MNQ,
        "side": SELL,
        "size": 1,
        "price": 10**9,
        "tag": "t1",
    }

    @pytest.mark.parametrize("answer", [Gone(), hang, Reply(500), Reply(200, b"<html>"), failed(7), Reply(429)])
    def test_the_order_is_found_by_its_tag_and_not_sent_again(self, room: Room, answer: Any) -> None:
        room.broker.on("Order/place", answer)
        room.broker.on("Order/v2/query", pages([order(6), order(7, customTag="t1", status=6)]))
        outcome = room.carry_out(**self.STOP)
        assert (outcome.kind, outcome.order_id) == ("accepted", 7)
        assert "found by its tag" in outcome.reason
        assert room.broker.count("Order/place") == 1
        assert [body.order_id for body in room.told.facts("v2/query") if isinstance(body, OrderObserved)] == [6, 7]

    def test_an_order_that_has_filled_already_is_found_too(self, room: Room) -> None:
        room.broker.on("Order/place", Gone())
        room.broker.on("Order/search", good(orders=[order(7, customTag="t1", status=2)]))
        assert room.carry_out(**self.STOP) == Outcome(
            "accepted", "the answer was lost, but the order is there: found by its tag", 7
        )

    def test_an_order_that_was_rejected_is_none(self, room: Room) -> None:
        room.broker.on("Order/place", Gone())
        room.broker.on("Order/search", good(orders=[order(7, customTag="t1", status=5)]))
        outcome = room.carry_out(**self.STOP)
        assert (outcome.kind, outcome.order_id) == ("refused", 7)

    def test_not_found_proves_nothing(self, room: Room) -> None:
        room.broker.on("Order/place", Gone())
        room.broker.on("Order/v2/query", pages([order(7, customTag="t1-SL")]))
        assert room.carry_out(**self.STOP).kind == "unresolved"

    def test_a_look_up_that_fails_proves_nothing(self, room: Room) -> None:
        for path in ("Order/place", "Order/v2/query", "Order/search"):
            room.broker.on(path, Reply(500))
        assert room.carry_out(**self.STOP).kind == "unresolved"
        assert room.broker.count("Order/place") == 1

    def test_a_used_tag_leads_to_its_order(self, room: Room) -> None:
        room.broker.on("Order/place", failed(2, "custom tag already in use"))
        assert room.carry_out(**self.STOP).kind == "refused"
        room.broker.on("Order/v2/query", pages([order(7, customTag="t1")]))
        outcome = room.carry_out(**self.STOP)
        assert (outcome.kind, outcome.order_id) == ("accepted", 7)

    def test_a_plain_refusal_is_not_looked_up(self, room: Room) -> None:
        room.broker.on("Order/place", failed(2, "Invalid stop price", orderId=9))
        assert room.carry_out(**self.STOP).kind == "refused"
        assert room.broker.paths() == ["Order/place", "Auth/logout"]

    def test_without_a_tag_nothing_can_be_found(self, room: Room) -> None:
        room.broker.on("Order/place", Gone())
        assert room.carry_out(**self.STOP | {"tag": None}).kind == "unresolved"
        assert room.broker.paths() == ["Order/place", "Auth/logout"]


class TestSnapshots:
    def snapshot(self, room: Room, *, urgent: bool = False) -> bool:
        complete: bool = room.run(lambda gateway: gateway.snapshot(ACCOUNT, STAMP_NS, urgent))
        return complete

    def test_everything_is_asked_and_told(self, room: Room) -> None:
        position = {"id": 1, "accountId": ACCOUNT, "contractId": MNQ, "type": 1, "size": 2, "averagePrice": 28446.375}
        room.broker.on("Position/searchOpen", good(positions=[position]))
        room.broker.on("Order/v2/query", pages([order(7), order(8, status=8, stopPrice=None)]))
        room.broker.on("Trade/search", good(trades=[trade(70)]))
        room.broker.on("Order/search", good(orders=[order(5, status=2)]))
        assert self.snapshot(room, urgent=True)
        assert room.told.paths()[:-1] == [
            "Position/searchOpen",
            "Order/v2/query",
            "Trade/search",
            "Order/search",
            "Account/search",
        ]
        facts = room.told.facts()
        (positions,) = [body for body in facts if isinstance(body, PositionsListed)]
        assert positions.positions[0].average_price == 28_446_375_000_000
        (orders,) = [body for body in facts if isinstance(body, OrdersListed)]
        assert (orders.statuses, orders.order_ids) == ((1, 6, 7, 8), (7, 8))
        assert positions.asked_at is not None
        assert orders.asked_at is not None
        assert positions.asked_at <= orders.asked_at
        assert [body.trade_id for body in facts if isinstance(body, TradeRecorded)] == [70]
        assert [body.order_id for body in facts if isinstance(body, OrderObserved)] == [7, 8, 5]
        assert any(isinstance(body, AccountObserved) for body in facts)
        for path in ("Trade/search", "Order/search"):
            assert room.broker.last(path) == {"accountId": ACCOUNT, "startTimestamp": "2026-11-20T15:00:00.500000Z"}

    def test_many_orders_come_as_one_line(self, room: Room) -> None:
        rows = [order(number) for number in range(1, 251)]
        room.broker.on("Order/v2/query", pages(rows))
        assert self.snapshot(room)
        asked = [call.body["pageOffset"] for call in room.broker.calls if call.path == "Order/v2/query"]
        assert asked == [0, 99, 198]
        (line,) = [line for line in room.told.lines if line["rest"].endswith("v2/query")]
        assert line["request"]["pageOffset"] == 0
        (listed,) = [body for body in room.told.facts("v2/query") if isinstance(body, OrdersListed)]
        assert listed.order_ids == tuple(range(1, 251))

    def test_an_order_that_fills_between_two_pages_hides_no_other(self, room: Room) -> None:
        rows = [order(number) for number in range(1, 251)]
        asked: list[int] = []

        def answer(call: Call) -> Any:
            asked.append(call.body["pageOffset"])
            if len(asked) == 2:
                del rows[10]  # The rows after it move up, one of them from the second page to the first.
                rows.append(order(251))  # The total is the same.
            return pages(rows)(call)

        room.broker.on("Order/v2/query", answer)
        assert self.snapshot(room)
        (listed,) = [body for body in room.told.facts("v2/query") if isinstance(body, OrdersListed)]
        assert listed.order_ids == tuple(number for number in range(1, 252) if number != 11)
        assert asked == [0, 99, 0, 99, 198]

    def test_a_list_that_never_holds_still_is_not_complete(self, room: Room) -> None:
        rows = [order(number) for number in range(1, 251)]

        def answer(call: Call) -> Any:
            del rows[0]
            return pages(rows)(call)

        room.broker.on("Order/v2/query", answer)
        assert not self.snapshot(room)
        assert not any(isinstance(body, OrdersListed) for body in room.told.facts())

    def test_without_the_query_open_orders_are_listed_and_suspended_ones_not_denied(self, room: Room) -> None:
        room.broker.on("Order/v2/query", Reply(404))
        room.broker.on("Order/searchOpen", good(orders=[order(7)]))
        assert self.snapshot(room)
        (listed,) = [body for body in room.told.facts() if isinstance(body, OrdersListed)]
        assert listed.statuses == (1,)

    @pytest.mark.parametrize("urgent", [False, True])
    @pytest.mark.parametrize(
        ("path", "answer"),
        [
            ("Position/searchOpen", Reply(500)),
            ("Position/searchOpen", Reply(401)),
            ("Position/searchOpen", Reply(404)),
            ("Position/searchOpen", hang),
            ("Position/searchOpen", failed(1)),
            ("Position/searchOpen", good()),
            ("Position/searchOpen", good(positions=None)),
            ("Position/searchOpen", {"positions": [], "success": True, "errorCode": 1}),
            ("Position/searchOpen", good(positions=[{"id": 1}])),
            ("Position/searchOpen", Reply(200, b"<html>")),
            ("Order/v2/query", Reply(500)),
            ("Order/v2/query", good(orders=[])),
            ("Order/v2/query", good(orders=[], totalCount=3)),
            ("Order/v2/query", good(orders=None, totalCount=0)),
            ("Order/v2/query", good(orders=[{"id": 7}], totalCount=1)),
            ("Trade/search", Gone()),
            ("Trade/search", good(trades=None)),
            ("Trade/search", good(trades=[{"id": 7}])),
            ("Order/search", Reply(503)),
            ("Order/search", good(orders=[{"id": 7}])),
            ("Account/search", Reply(503)),
            ("Account/search", good(accounts=[])),
        ],
    )
    def test_what_is_missing_or_odd_makes_it_incomplete(self, room: Room, path: str, answer: Any, urgent: bool) -> None:
        async def use(gateway: TopstepGateway) -> bool:
            room.broker.on(path, answer)
            return await gateway.snapshot(ACCOUNT, STAMP_NS, urgent)

        assert room.run(use) is False
        kinds = {"Position/searchOpen": PositionsListed, "Order/v2/query": OrdersListed}
        if path in kinds:
            assert not any(isinstance(body, kinds[path]) for body in room.told.facts())


class TestOthers:
    def test_a_contract_is_described(self, room: Room) -> None:
        row = {"id": MNQ, "name": "MNQZ6", "tickSize": 0.25, "tickValue": 0.5, "activeContract": True}
        room.broker.on("Contract/searchById", good(contract=row))
        room.run(lambda gateway: gateway.describe(MNQ))
        (described,) = room.told.facts("Contract")
        assert isinstance(described, ContractDescribed)
        assert described.contract.root == "MNQ"

    def test_a_mark_is_refreshed_by_bars_of_a_second(self, room: Room) -> None:
        row = {"t": STAMP, "o": 1, "h": 2, "l": 1, "c": 2, "v": 5}
        room.broker.on("History/retrieveBars", good(bars=[row]))
        room.run(lambda gateway: gateway.refresh_mark(MNQ))
        (bar,) = room.told.facts("History")
        assert isinstance(bar, BarObserved)
        assert (bar.close, bar.unit_ns) == (2 * 10**9, SECOND_NS)
        body = room.broker.last("History/retrieveBars")
        assert (body["unit"], body["unitNumber"], body["live"], body["includePartialBar"]) == (1, 1, False, False)

    def test_contracts(self, room: Room) -> None:
        async def use(gateway: TopstepGateway) -> None:
            room.broker.on("Contract/search", good(contracts=[{"id": MNQ}]))
            room.broker.on("Contract/available", failed(1))
            assert await gateway.search_contracts("MNQ") == [{"id": MNQ}]
            assert room.broker.last("Contract/search") == {"live": False, "searchText": "MNQ"}
            assert await gateway.contracts() is None

        room.run(use)

    def test_ping(self, room: Room) -> None:
        assert room.run(lambda gateway: gateway.ping(), opened=False)

    def test_closing_is_quick_when_the_logout_hangs(self, room: Room) -> None:
        room.broker.on("Auth/logout", hang)
        room.run(lambda gateway: gateway.ping())
        assert room.broker.paths()[-1] == "Auth/logout"

    def test_no_secret_gets_out(self, room: Room) -> None:
        async def use(gateway: TopstepGateway) -> str:
            await gateway.snapshot(ACCOUNT, STAMP_NS)
            room.broker.on("Order/place", Gone())
            outcome = await gateway.carry_out(ACCOUNT, request(**TestLostPlacements.STOP))
            return repr(gateway) + repr(vars(gateway)) + repr(outcome)

        assert "SECRET" not in room.run(use)
        assert "SECRET" not in repr(room.told.lines)
        assert room.told.paths()[-1] == "Auth/logout"
