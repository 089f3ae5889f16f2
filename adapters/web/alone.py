"""The service without an engine: read-only from a store, until it is told to end. It takes no lock."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.web.reading import Served
from adapters.web.service import Options, Service
from riskcore.audit.stream_messages import Channels, no_channels
from riskcore.engine.control_file import Control, remove_control, write_control
from riskcore.errors import ConfigError
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row
from riskcore.store.journal import Journal
from riskcore.store.recorder import writer_lock


async def serve_alone(
    store: str,
    profile: str,
    address: str,
    port: int,
    names: Sequence[str],
    path: Path,
    listening: Callable[[Row], None],
    over: asyncio.Event,
    channels: Channels = no_channels,
) -> None:
    """Serve until `over`; `path` is its control file, `listening` is called with a link. Raises ConfigError."""
    served = Served(profile, lambda: Journal.open(store, profile), writer_lock(store, profile), None, channels)
    service = Service(served, Options(port=port, address=address, names=names), None)
    try:
        await service.start()
    except OSError as error:
        raise ConfigError(f"{address}:{port}: cannot listen here ({error.strerror or error})") from None
    control = Control(service.url, service.sessions.token, profile, os.getpid(), utc_text(time.time_ns()), True)
    write_control(path, control)
    try:
        listening(service.new_link())
        await over.wait()
    finally:
        remove_control(path, control)
        await service.stop()
