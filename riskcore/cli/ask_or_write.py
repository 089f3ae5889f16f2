"""The operator's word to the running engine, or without one straight into the store, decided by the same core."""

import asyncio
from typing import Any

from riskcore.cli.desk_options import Row, ask_engine, engine_of


def ask_or_write(options: dict[str, Any], request: Row) -> Row:
    """The answer of the running engine, else of the journal itself. Raises RiskcoreError."""
    from riskcore.engine.control_client import NoEngine

    try:
        return ask_engine(options, request)
    except NoEngine:
        return asyncio.run(_written(options, request))


async def _written(options: dict[str, Any], request: Row) -> Row:
    """Take the profile, decide and store; the next engine carries it out. Raises ProfileBusy, StoreError."""
    from riskcore.engine.clock import SystemClock
    from riskcore.engine.desk_locks import lock, unlock
    from riskcore.engine.desk_programme import note, payout, reset
    from riskcore.engine.offline_desk import OfflineDesk
    from riskcore.settings.config import load_settings
    from riskcore.store.journal import Journal
    from riskcore.version import VERSION

    words = {"lock": lock, "unlock": unlock, "payout": payout, "reset": reset, "note": note}
    store, profile = engine_of(options)
    settings = load_settings(options["config_path"]).plain
    settings = {**settings, "profile": {**settings["profile"], "name": profile}}
    with Journal.open(store, profile, write=True) as journal:
        desk = OfflineDesk(journal, settings, SystemClock(), VERSION)
        desk.begin()
        return await words[request["ask"]](desk, {**request, "account": options["account"]})
