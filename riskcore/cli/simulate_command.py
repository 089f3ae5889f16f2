"""`riskcore simulate`: the bundled gateway on loopback, for any client of the broker's API (INTERFACE.md 1)."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from riskcore.cli.options import output_options, print_json, say_on_stderr
from riskcore.cli.print_text import print_text

if TYPE_CHECKING:
    from adapters.simulator.scenario import Scenario
    from adapters.simulator.server import SimulatedGateway


@click.command(epilog="Example: riskcore simulate daily-loss --port 8700")
@click.argument("name", metavar="[SCENARIO]", required=False)
@click.option("--list", "as_list", is_flag=True, help="List the scenarios and exit.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same prices.")
@click.option(
    "--speed",
    type=click.FloatRange(0.01, 10_000),
    default=1.0,
    show_default=True,
    help="How many seconds of the market pass in one second.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_534),
    default=0,
    help="Port for REST; the hubs use the next one. Default: any free ports.",
)
@click.option(
    "--record",
    "recording",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Record what a client sees, from now until the scenario's plot ends.",
)
@output_options
def command(
    name: str | None,
    as_list: bool,
    seed: int,
    speed: float,
    port: int,
    recording: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Run only the simulated gateway: the broker's REST endpoints and both hubs on this machine.

    SCENARIO is daily-loss unless you name another one (see --list).
    Prices, orders, fills and a scripted trader come from SCENARIO and the seed. The script begins when a client
    subscribes to a hub. Ctrl-C ends the gateway cleanly, with exit code 0.
    """
    from adapters.simulator.scenarios import DEFAULT, SCENARIOS, scenario_of
    from riskcore.live.stop_signals import heeding_signals

    if as_list:
        _print_scenarios(list(SCENARIOS.values()), as_json)
        return 0
    scenario = scenario_of(name or DEFAULT)
    with contextlib.suppress(KeyboardInterrupt), heeding_signals():
        asyncio.run(_serve(scenario, seed, speed, port, recording, as_json=as_json, quiet=quiet))
    return 0


def _print_scenarios(scenarios: list["Scenario"], as_json: bool) -> None:
    if as_json:
        listed = [{"name": one.name, "description": one.description, "seconds": one.seconds} for one in scenarios]
        print_json({"schema": "riskcore.scenarios/1", "scenarios": listed})
        return
    width = max(len(scenario.name) for scenario in scenarios)
    for scenario in scenarios:
        print_text(f"{scenario.name:{width}}  {scenario.description}")


async def _serve(
    scenario: "Scenario",
    seed: int,
    speed: float,
    port: int,
    recording: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Until a signal, or until the recording is complete."""
    from adapters.simulator.scenario_clock import ShiftedClock, shift_ns
    from adapters.simulator.server import SimulatedGateway
    from replay.wire_writer import WireWriter
    from riskcore.live.stop_signals import stopped_by_signals
    from riskcore.schema.instants import utc_text

    shift = shift_ns(scenario)
    with contextlib.ExitStack() as stack:
        writer = None
        if recording is not None:
            note = f"simulated: {scenario.name}, seed {seed}"
            writer = stack.enter_context(WireWriter(recording, {"note": note}))
        gateway = SimulatedGateway(
            scenario,
            seed=seed,
            speed=speed,
            port=port,
            clock=ShiftedClock(shift),
            waits=recording is None,
            record=writer.write if writer is not None else None,
        )
        async with gateway:
            serving = asyncio.create_task(gateway.serve())
            stack.enter_context(stopped_by_signals(serving.cancel))
            _print_addresses(gateway, scenario, seed, speed, as_json)
            if shift and not quiet:
                say_on_stderr(
                    f"the gateway's time is {utc_text(gateway.now())[:19]}Z, which is when the scenario plays"
                )
            seconds = scenario.seconds / speed if recording is not None else None
            with contextlib.suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(serving, seconds)
    if not quiet:
        say_on_stderr(f"wrote {recording}" if recording is not None else "ended")


def _print_addresses(gateway: "SimulatedGateway", scenario: "Scenario", seed: int, speed: float, as_json: bool) -> None:
    """At once, because a test that started this command waits for it."""
    environment = {
        "RISKCORE_API_URL": gateway.api_url,
        "RISKCORE_RTC_URL": gateway.rtc_url,
        "PROJECT_X_USERNAME": gateway.user_name,
        "PROJECT_X_API_KEY": gateway.api_key,
    }
    if as_json:
        described: dict[str, Any] = {"schema": "riskcore.simulate/1", "scenario": scenario.name, "seed": seed}
        # On one line: a script reads it while this command goes on serving.
        click.echo(json.dumps({**described, "speed": str(speed), "environment": environment}, ensure_ascii=False))
    else:
        click.echo(f"{scenario.name}: {scenario.description}")
        click.echo("Give a client these, e.g. riskcore live in another terminal; Ctrl-C ends the gateway.\n")
        for name, value in environment.items():
            click.echo(f"  {shell_line(name, value, sys.platform)}")
    sys.stdout.flush()


def shell_line(name: str, value: str, platform: str) -> str:
    """What sets a variable in the shell that people use there: PowerShell on Windows."""
    return f'$env:{name} = "{value}"' if platform == "win32" else f"export {name}={value}"
