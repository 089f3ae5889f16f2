"""By which settings a running engine judges, in words: at the start and after an edit (RULES.md 1.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from riskcore.core.loosening import compare, in_force_now
from riskcore.core.state import Account
from riskcore.engine.ports import Announcer

Plain = Mapping[str, Any]


def tell_ready(announcer: Announcer, judged: Sequence[Account], enforces: bool, settings: Plain) -> None:
    """The rules are armed; `rules` is how many tables of them the settings have.

    `unseeded` are the accounts whose fills of the day are still to be listed: none, or nothing would be armed.
    """
    tables = [settings["rules"], *settings["accounts"].values()]
    rules = sum(len(instances) for table in tables for instances in table.values())
    ids, unseeded = [account.id for account in judged], [account.id for account in judged if account.unseeded]
    announcer.say("ready", accounts=ids, enforces=enforces, rules=rules, unseeded=unseeded)


def tell_edits(announcer: Announcer, in_force: Plain, wanted: Plain) -> None:
    """The addresses of the settings that count from now on, and of those that wait for the reset."""
    from_now = in_force_now(in_force, wanted)
    at_once = [change.path for change in compare(in_force, from_now)]
    later = [change.path for change in compare(from_now, wanted)]
    if at_once or later:
        announcer.say("settings", now=at_once, at_reset=later, policy=in_force["profile"]["loosen_policy"])
