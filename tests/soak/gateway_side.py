"""The simulated gateway of a soak in a process of its own: python -m tests.soak.gateway_side HOURS

Its first line tells the engine's side where it is; then one line an hour with what it holds.
"""

import asyncio
import json
import socket
import sys

from adapters.simulator.server import SimulatedGateway
from tests.adapters.clocks import HurriedLoop
from tests.soak.measures import container_sizes, process_measures
from tests.soak.shared_time import Leader
from tests.soak.week import DAY_SECONDS, HOUR_SECONDS, STARTS_AT, each_hour, scenario, trouble, week_clock


async def serve(hours: int, leader: Leader) -> None:
    loop = asyncio.get_running_loop()
    began_seconds = loop.time()
    clock = week_clock(began_seconds)
    plot = scenario(-(-hours * HOUR_SECONDS // DAY_SECONDS))
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.setblocking(False)
        async with SimulatedGateway(plot, seed=1, clock=clock, at=STARTS_AT, waits=False) as gateway:

            async def strike(hour: int) -> None:
                gateway.inject(trouble(hour))

            def measured(hour: int) -> None:
                say({**process_measures(loop), **container_sizes({"simulator": gateway})})

            where = {"api_url": gateway.api_url, "rtc_url": gateway.rtc_url, "time_port": door.getsockname()[1]}
            login = {"user_name": gateway.user_name, "api_key": gateway.api_key}
            say({**where, **login, "began_seconds": began_seconds})
            link, _ = await loop.sock_accept(door)
            leader.join(link)
            await each_hour(clock, hours, strike, measured)


def say(row: dict[str, object]) -> None:
    print(json.dumps(row), flush=True)


def main() -> None:
    leader = Leader()
    with asyncio.Runner(loop_factory=lambda: HurriedLoop(selector=leader)) as runner:
        runner.run(serve(int(sys.argv[1]), leader))


if __name__ == "__main__":
    main()
