"""riskcore as a library: what its commands do, for your own programs.

    import riskcore

    result = riskcore.replay("monday.jsonl", "riskcore.toml")
    result.accounts[0].days[0].net_pnl        # a Decimal
    result.to_dict()                          # what `riskcore replay --json` prints

`replay`, `whatif`, `sweep` and `odds` run recorded days, `open_journal` reads what an engine stored, `Recorder` writes
a recording from your own bot, `guard` runs the live engine inside it, `load_settings` reads riskcore.toml.
`riskcore.testing` holds the ledgers for tests of rules, `riskcore.errors` every error that is raised on purpose.

What `__all__` names is stable; everything else in the package is not. Nothing is imported before it is used.
Source: INTERFACE.md 11, docs/guides/python.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from riskcore import errors, testing
    from riskcore.api.chances import OddsResult, SweepResult, odds, sweep
    from riskcore.api.days import replay, whatif
    from riskcore.api.guard import Guard, Order, guard
    from riskcore.api.journal import StoredEvent, StoredJournal, open_journal
    from riskcore.api.recorder import Recorder
    from riskcore.api.results import ReplayResult, WhatifResult
    from riskcore.engine.desk_check import Verdict
    from riskcore.settings.config import Settings, load_settings

__all__ = [
    "Guard",
    "OddsResult",
    "Order",
    "Recorder",
    "ReplayResult",
    "Settings",
    "StoredEvent",
    "StoredJournal",
    "SweepResult",
    "Verdict",
    "WhatifResult",
    "errors",
    "guard",
    "load_settings",
    "odds",
    "open_journal",
    "replay",
    "sweep",
    "testing",
    "whatif",
]
_MODULES = ("errors", "testing")
_HOMES = {
    "riskcore.api.chances": ("OddsResult", "SweepResult", "odds", "sweep"),
    "riskcore.api.days": ("replay", "whatif"),
    "riskcore.api.guard": ("Guard", "Order", "guard"),
    "riskcore.api.journal": ("StoredEvent", "StoredJournal", "open_journal"),
    "riskcore.api.recorder": ("Recorder",),
    "riskcore.api.results": ("ReplayResult", "WhatifResult"),
    "riskcore.engine.desk_check": ("Verdict",),
    "riskcore.settings.config": ("Settings", "load_settings"),
}


if not TYPE_CHECKING:  # Or a type checker would take every name for one that is there.

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            return import_module(f"{__name__}.{name}")
        home = next((home for home, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from contextlib import nullcontext

        from riskcore.own_packages import are_ours, own_packages

        # Your program may have a package `replay` of its own. Where it has none, ours stay loaded under their names, as
        # whoever pickles a function of them expects.
        with nullcontext() if are_ours() else own_packages():
            found = globals()[name] = getattr(import_module(home), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
