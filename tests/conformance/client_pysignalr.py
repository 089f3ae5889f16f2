"""pysignalr on one hub of the simulated gateway, in a process of its own because it changes `websockets` on import.

Prints a line of JSON for everything that happens. Arguments: URL of the hub, token, "negotiated" or "direct", then
Method=argument pairs to subscribe with. It ends when its input does.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage

TARGETS = (
    "GatewayUserAccount",
    "GatewayUserOrder",
    "GatewayUserPosition",
    "GatewayUserTrade",
    "GatewayQuote",
    "GatewayTrade",
    "GatewayDepth",
)


def say(happened: str, what: Any) -> None:
    print(json.dumps({"happened": happened, "what": what}), flush=True)


def hearing(target: str) -> Callable[[Any], Awaitable[None]]:
    async def hear(values: Any) -> None:
        say(target, values)

    return hear


async def run() -> None:
    url, token, way, *subscriptions = sys.argv[1:]
    client = SignalRClient(f"{url}?access_token={token}", headers={"Authorization": f"Bearer {token}"})
    if way == "direct":
        # It has no option for it; its own tests do the same.
        client._transport._skip_negotiation = True
        client._transport._url = client._transport._url.replace("http", "ws", 1)

    async def subscribe() -> None:
        for subscription in subscriptions:
            method, _, argument = subscription.partition("=")
            values = [] if not argument else [int(argument) if argument.isdigit() else argument]
            # Not awaited to its completion: this runs inside the very loop that would read it.
            await client.send(method, values, ignored)

    async def ignored(_: Any) -> None:
        pass  # A completion is only sent to who asks for it.

    async def refused(message: CompletionMessage) -> None:
        say("refused", message.error)

    async def lost() -> None:
        say("reconnecting", None)

    for target in TARGETS:
        client.on(target, hearing(target))
    client.on_error(refused)
    client.on_open(subscribe)
    client.on_close(lost)
    running = asyncio.create_task(client.run())
    running.add_done_callback(lambda task: None if task.cancelled() else say("failed", str(task.exception())))
    await asyncio.to_thread(sys.stdin.read)
    running.cancel()


asyncio.run(run())
