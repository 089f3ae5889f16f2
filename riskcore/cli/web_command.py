"""`riskcore web`: the trader's page in the browser, from the running engine or read-only from a store."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from riskcore.cli.options import output_options, profile_file_option, say_on_stderr, store_option, warn
from riskcore.errors import ConfigError

Row = dict[str, Any]
SCHEMA = "riskcore.web/1"


@click.command(epilog="Example: riskcore web --no-open")
@profile_file_option
@store_option
@click.option("--profile", metavar="NAME", help="Profile to show; needed if the journal holds several.")
@click.option("--no-open", is_flag=True, help="Print the link and open nothing.")
@click.option(
    "--listen",
    metavar="ADDRESS:PORT",
    help="Without an engine: listen here instead of on 127.0.0.1. Nothing is encrypted.",
)
@click.option(
    "--allow-host", "names", multiple=True, metavar="NAME", help="With --listen: a name or address it is reached by."
)
@output_options
def command(
    config_path: Path | None,
    store: str | None,
    profile: str | None,
    no_open: bool,
    listen: str | None,
    names: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Open the trader's page: served by the running engine, or read-only from the store if none is running.

    The link works once, within a minute. Without an engine this command serves until Ctrl-C and follows the journal.
    """
    from riskcore.cli.desk_options import alert_channels, engine_of
    from riskcore.engine.control_client import NoEngine, ask
    from riskcore.engine.control_file import control_path

    where, name = engine_of({"store": store, "config_path": config_path, "profile": profile})

    def show(link: Row, control: Path, read_only: bool) -> None:
        if as_json:
            row = {"schema": SCHEMA, "url": link["url"], "expires_at": link["expires_at"]}
            # On one line: a script reads it while this command goes on serving.
            click.echo(json.dumps({**row, "control": str(control), "read_only": read_only}, ensure_ascii=False))
        else:
            # Printed in any case: whether a browser has opened it nobody tells us.
            click.echo(link["url"])
            if not no_open:
                click.launch(link["url"])

    try:
        link = ask(where, name, {"ask": "link"})
    except NoEngine:
        link = None
    if link is not None:
        if listen is not None or names:
            raise ConfigError("an engine listens on loopback only: --listen and --allow-host need a store without one")
        show(link, control_path(where, name), False)
        return
    address, port = _listening(listen, names)
    for text in exposure(address, port, names):
        warn(text)
    if not as_json and not quiet:
        say_on_stderr(f"no engine is running: read-only from {where}, until Ctrl-C")
    from riskcore.live.stop_signals import heeding_signals

    with heeding_signals():
        asyncio.run(_serve(where, name, address, port, names, show, alert_channels(config_path)))


def exposure(address: str, port: int, names: tuple[str, ...]) -> Iterator[str]:
    """What somebody must know who listens elsewhere than on loopback."""
    from ipaddress import ip_address

    from adapters.web.service import EVERY_ADDRESS

    with suppress(ValueError):  # A name may be anybody's.
        if ip_address(address).is_loopback:
            return
    yield f"{address}:{port} is open to others, and nothing is encrypted: tunnel it, or keep to a network you trust"
    if address in EVERY_ADDRESS and not names:
        yield "only this computer can open it: say with --allow-host by which name or address others reach it"


def _listening(listen: str | None, names: tuple[str, ...]) -> tuple[str, int]:
    """Address and port to listen on. Raises ConfigError."""
    if listen is None:
        if names:
            raise ConfigError("--allow-host goes with --listen ADDRESS:PORT")
        return "127.0.0.1", 0
    address, _, port = listen.rpartition(":")
    if not address or not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ConfigError(f"--listen {listen}: give an address and a port, such as 192.168.1.20:8080")
    return address.strip("[]"), int(port)


async def _serve(
    store: str, profile: str, address: str, port: int, names: tuple[str, ...], show: Any, channels: Any
) -> None:
    from adapters.web.alone import serve_alone
    from riskcore.engine.control_file import web_path
    from riskcore.live.stop_signals import stopped_by_signals

    over = asyncio.Event()
    with stopped_by_signals(over.set):
        path = web_path(store, profile)
        await serve_alone(
            store, profile, address, port, names, path, lambda link: show(link, path, True), over, channels
        )
