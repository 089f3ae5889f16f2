"""What a confirmed key sends: the same as `riskcore flatten` and `riskcore lock`, with the same answer in words."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from riskcore.cli.ask_or_write import ask_or_write
from riskcore.cli.desk_options import ask_engine
from riskcore.cli.desk_text import flatten_text, lock_text

Row = dict[str, Any]


def asking(store: str, profile: str, config_path: Path | None, accounts: Sequence[str] = ()) -> Callable[[Row], str]:
    """A function that sends a request to the engine of a journal, for some accounts or all. It raises RiskcoreError.

    A lock needs no engine: without one it is written into the journal.
    """

    def asked(request: Row) -> str:
        told = []
        for account in accounts or (None,):
            options = {"store": store, "profile": profile, "config_path": config_path, "account": account}
            if request["ask"] == "lock":
                told.append(lock_text(ask_or_write(options, request)))
            else:
                told.append(flatten_text(ask_engine(options, request)))
        return "\n".join(told)

    return asked
