"""The simulated gateway's own endpoints below /simulator, for tests in other processes; no broker has them.

POST   /simulator/faults  {"name": "dropped", "place": "user", "times": 1}   the fields of faults.Fault
DELETE /simulator/faults  every fault, or ?place=user
GET    /simulator/state   accounts, positions, orders, fills, calls that may have changed something, faults
POST   /simulator/trade   what the trader does in the platform, which is no call of the client:
                          {"account": 99000001, "contract": "CON...", "side": "buy", "size": 2}, a market order unless
                          it has "limitPrice" or "stopPrice"; {"account": ..., "contract": ..., "close": true};
                          {"account": ..., "cancel": order id}
POST   /simulator/price   {"contract": "CON...", "price": 20000.25, "seconds": 5}: where the market goes, and how fast
POST   /simulator/execution  {"pending_seconds": 6, "parts": [1, 2, 3]}: how market orders fill, the fields of
                          execution.Execution; {} as by default

Both URLs of the gateway have them; while REST is refused only the hubs' one can be reached.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from typing import Any, Protocol

from aiohttp import web

from adapters.simulator import rows
from adapters.simulator.broker import Broker
from adapters.simulator.execution import execution_of
from adapters.simulator.faults import Fault, FaultBoard, fault_of
from adapters.simulator.hub import Hub
from adapters.simulator.rest_server import RestServer
from adapters.topstepx import fields
from adapters.topstepx.fields import Number, Object, Rejected, decode, encode, required
from adapters.topstepx.rows import WIRE_SIDES
from riskcore.core.order_words import SIDES
from riskcore.core.state import TYPE_LIMIT, TYPE_MARKET, TYPE_STOP
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway(Protocol):
    """The simulated gateway, as far as it is acted on from here (server.SimulatedGateway)."""

    broker: Broker
    faults: FaultBoard
    hubs: dict[str, Hub]
    rest: RestServer
    user_name: str
    api_key: str

    def now(self) -> int:
        """The broker's time in nanoseconds UTC."""

    def inject(self, fault: Fault) -> None:
        """A fault comes into force."""

    def clear(self, place: str | None = None) -> None:
        """Take every fault away, or those at one place."""

    def act(self, path: str, body: Object, token: str) -> Any:
        """What the trader does in the platform."""

    def steer(self, contract: str, price: int, nanoseconds: int) -> None:
        """Send the market to a price. Raises KeyError."""


class Control:
    """Acts on one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._by_trader: list[int] = []  # Places in the broker's list of calls.
        self._token: str | None = None

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/simulator/faults", self._answering(self._inject)),
            web.delete("/simulator/faults", self._answering(self._clear)),
            web.get("/simulator/state", self._answering(self._state)),
            web.post("/simulator/trade", self._answering(self._trade)),
            web.post("/simulator/price", self._answering(self._price)),
            web.post("/simulator/execution", self._answering(self._execute)),
        ]

    def _answering(self, act: Callable[[web.Request, Object], Any]) -> Handler:
        """A handler out of a function from one JSON object to another; a mistake is status 400 with a reason."""

        async def handle(request: web.Request) -> web.StreamResponse:
            # The connection this was asked on must live until it is answered, and is of no use to a client afterwards.
            self._gateway.rest.spare(request.transport)
            content = await request.read()
            try:
                body = decode(content).value if content else {}
                if not isinstance(body, dict):
                    raise ConfigError("the body is not a JSON object")
                return _json(200, act(request, body))
            except (ConfigError, Rejected, ValueError, KeyError) as error:
                return _json(400, {"error": str(error)})

        return handle

    # ---- faults --------------------------------------------------------------------------------------

    def _inject(self, request: web.Request, body: Object) -> Object:
        fault = fault_of({key: _text(value) for key, value in body.items()})
        self._gateway.inject(fault)
        return {"injected": fault.name, "place": fault.place}

    def _clear(self, request: web.Request, body: Object) -> Object:
        self._gateway.clear(request.query.get("place"))
        return {"in_force": len(list(self._gateway.faults))}

    # ---- what there is -------------------------------------------------------------------------------

    def _state(self, request: web.Request, body: Object) -> Object:
        broker = self._gateway.broker
        return {
            "at": utc_text(self._gateway.now()),
            "flat": broker.flat(),
            "accounts": [rows.account(account) for account in broker.accounts],
            "positions": [
                {**rows.position(holding), "size": holding.size}
                for account in broker.accounts
                for holding in account.holdings.values()
                if holding.size
            ],
            "orders": [rows.order(order) for order in broker.orders],
            "fills": [rows.fill(fill) for fill in broker.fills],
            "received": list(self._received()),
            "faults": [_written(asdict(fault)) for fault in self._gateway.faults],
            "struck": [
                {"name": name, "place": place, "times": times}
                for (name, place), times in self._gateway.faults.struck.items()
            ],
            "connections": {place: len(hub.connections) for place, hub in self._gateway.hubs.items()},
        }

    def _received(self) -> Iterator[Object]:
        for place, call in enumerate(self._gateway.broker.received):
            yield {
                "at": utc_text(call.at),
                "by": "trader" if place in self._by_trader else "client",
                "path": call.path,
                "request": call.request,
                "status": call.status,
                "error_code": call.error_code,
                "performed": call.performed,
                "order_ids": list(call.order_ids),
            }

    # ---- the trader and the market -------------------------------------------------------------------

    def _trade(self, request: web.Request, body: Object) -> Any:
        account = required(fields.identifier(body, "account"), "account")
        order = fields.identifier(body, "cancel")
        if order is not None:
            return self._act("Order/cancel", {"accountId": account, "orderId": order})
        contract = required(fields.name_of(body, "contract"), "contract")
        if fields.flag(body, "close"):
            return self._act("Position/closeContract", {"accountId": account, "contractId": contract})
        limit, stop = body.get("limitPrice"), body.get("stopPrice")
        placed = {
            "accountId": account,
            "contractId": contract,
            "type": TYPE_LIMIT if limit is not None else TYPE_STOP if stop is not None else TYPE_MARKET,
            "side": WIRE_SIDES[SIDES[required(fields.text(body, "side"), "side")]],
            "size": required(fields.magnitude(body, "size"), "size"),
            "limitPrice": limit,
            "stopPrice": stop,
        }
        return self._act("Order/place", placed)

    def _act(self, path: str, body: Object) -> Any:
        gateway = self._gateway
        if self._token is None or not gateway.broker.authorised(self._token, gateway.now()):
            login = {"userName": gateway.user_name, "apiKey": gateway.api_key}
            self._token = gateway.broker.rest("/api/Auth/loginKey", login, None, gateway.now(), by_trader=True)[1][
                "token"
            ]
        known = len(gateway.broker.received)
        answer = gateway.act(f"/api/{path}", body, self._token)
        self._by_trader += range(known, len(gateway.broker.received))
        return answer

    def _price(self, request: web.Request, body: Object) -> Object:
        contract = required(fields.name_of(body, "contract"), "contract")
        price = required(fields.price(body, "price"), "price")
        seconds = fields.price(body, "seconds") or 0
        self._gateway.steer(contract, price, seconds)
        return {"contract": contract, "price": rows.price(price)}

    def _execute(self, request: web.Request, body: Object) -> Object:
        written = {
            key: [_text(one) for one in value] if isinstance(value, list) else _text(value)
            for key, value in body.items()
        }
        self._gateway.broker.execute(execution_of(written))
        return {"execution": list(written)}


def _text(value: Any) -> Any:
    """What readers of numbers take: an exact number as its text."""
    return value.text if isinstance(value, Number) else value


def _written(fault: Object) -> Object:
    return {key: Number(str(value)) if isinstance(value, float) else value for key, value in fault.items()}


def _json(status: int, answer: Any) -> web.Response:
    response = web.Response(status=status, text=encode(answer), content_type="application/json")
    response.force_close()
    return response
