"""A client of the simulated broker in memory: requests and answers go through JSON text, as on the wire."""

import json
from typing import Any

from adapters.simulator.broker import Broker, Message
from adapters.simulator.scenario import API_KEY, USER_NAME, AccountPlan, PricePath, Scenario
from adapters.topstepx.fields import Number, decode, encode
from adapters.topstepx.normalise import normalise
from riskcore.core.events import WireRejected
from riskcore.core.quantities import SECOND_NS

AT = 1_795_269_600 * SECOND_NS  # Saturday 2026-11-21 14:00 UTC; hours are off unless a test switches them on.
MNQ, MES, CRUDE = "CON.F.US.MNQ.Z26", "CON.F.US.MES.Z26", "CON.F.US.MCLE.F27"
ACCOUNT, OTHER = 99_000_001, 99_000_002
LIMIT, MARKET, STOP_LIMIT, STOP, TRAILING, JOIN_BID, JOIN_ASK = 1, 2, 3, 4, 5, 6, 7
BUY, SELL = 0, 1  # As on the wire.
STILL = PricePath("MNQ", "21000", noise_ticks=0)
NULLS = {"limitPrice": None, "stopPrice": None, "trailPrice": None, "customTag": None}


def scenario(*prices: PricePath, accounts: tuple[AccountPlan, ...] = (AccountPlan(),), **more: Any) -> Scenario:
    return Scenario("test", "a test", "", prices or (STILL,), accounts=accounts, **more)


class Desk:
    """Logged in from the beginning; `lines` holds every hub event so far, each checked to be understood."""

    def __init__(self, plan: Scenario | None = None, seed: int = 1, at: int = AT) -> None:
        self.broker = Broker(plan or scenario(), seed=seed, at=at)
        self.at = at
        self.lines: list[Message] = []
        self.token = self.call("Auth/loginKey", {"userName": USER_NAME, "apiKey": API_KEY})["token"]
        self.wait(1)

    def send(self, path: str, body: Any) -> tuple[int, Any]:
        """One request over the wire: HTTP status and decoded answer."""
        asked = decode(json.dumps(body).encode()).value
        token = None if path.startswith("Auth/login") else self.token
        status, answer = self.broker.rest(f"/api/{path}", asked, token, self.at)
        heard = decode(encode(answer).encode()).value
        if status == 200 and isinstance(heard, dict) and not path.startswith("Auth/"):
            line = {"rest": f"/api/{path}", "request": asked, "status": status, "response": heard}
            understood(line, self.at)
        return status, heard

    def call(self, path: str, body: Any) -> Any:
        status, answer = self.send(path, body)
        assert status == 200, answer
        return answer

    def wait(self, seconds: float) -> list[Message]:
        """Let time pass, one happening after the other, and hear what the hubs say."""
        until = self.at + round(seconds * SECOND_NS)
        heard: list[Message] = []
        while (due := self.broker.due()) is not None and due <= until:
            self.broker.advance(due)
            heard += self.broker.messages(due)
        self.broker.advance(until)
        heard += self.broker.messages(until)
        self.at = until
        for at, _, _, line in heard:
            understood(decode(encode(line).encode()).value, at)
        self.lines += heard
        return heard

    def place(self, kind: int = MARKET, side: int = BUY, size: int = 1, **fields: Any) -> Any:
        asked = {"accountId": ACCOUNT, "contractId": MNQ, "type": kind, "side": side, "size": size, **NULLS, **fields}
        return self.call("Order/place", asked)

    def order(self, order_id: int, account: int = ACCOUNT) -> Any:
        return self.call("Order/searchById", {"accountId": account, "orderId": order_id})["order"]

    def own(self, path: str, **fields: Any) -> Any:
        return self.call(path, {"accountId": ACCOUNT, **fields})

    @property
    def held(self) -> int:
        return self.broker.position(ACCOUNT, MNQ)


def understood(line: dict[str, Any], at: int) -> None:
    for event in normalise(line, at):
        assert not isinstance(event.body, WireRejected), (event.body, line)


def rows(messages: list[Message], target: str) -> list[dict[str, Any]]:
    """The rows of one kind of user event, with their action, numbers as exact values."""
    told = [line["arguments"][0] for _, _, _, line in messages if line["target"] == f"GatewayUser{target}"]
    return [{**plain(one["data"]), "action": one["action"]} for one in told]


def kinds(messages: list[Message]) -> list[Any]:
    """User events in order: a status for an order, else the kind; repeated account events once."""
    told: list[Any] = []
    for _, hub, _, line in messages:
        if hub == "user":
            kind = line["target"].removeprefix("GatewayUser")
            shown = line["arguments"][0]["data"]["status"] if kind == "Order" else kind
            if shown != "Account" or told[-1:] != ["Account"]:
                told.append(shown)
    return told


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers as floats, which tests may compare."""
    return {name: float(value.text) if isinstance(value, Number) else value for name, value in row.items()}
