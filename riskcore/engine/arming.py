"""Which accounts an engine may be armed on, and with which contracts (RULES.md 1.2, 6.8)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from riskcore.core.events import Event
from riskcore.core.loosening import compare, in_force_now
from riskcore.core.products import table_difference
from riskcore.core.quarantine import told_text
from riskcore.core.state import Account, Contract
from riskcore.engine.ports import Announcer
from riskcore.errors import ConfigError
from riskcore.settings.programme import programmes_of

# What may stand in the way of judging accounts: those judged, those the login shows, whether anything is to be sent.
Arm = Callable[[Sequence[Account], Sequence[Account], bool], None]


def check_accounts(judged: Sequence[Account], visible: Sequence[Account], enforces: bool) -> None:
    """Refuse to run without an account, and to arm on a funded one. `visible` is what the login shows.

    Raises ConfigError.
    """
    if not judged:
        shown = ", ".join(map(_shown, visible)) or "none"
        raise ConfigError(f"no account of the profile is there; accounts of this login: {shown}")
    funded = [account for account in judged if account.simulated is False]
    if enforces and funded:
        names = ", ".join(map(_shown, funded))
        raise ConfigError(
            f"{names}: the firm forbids automation on live funded accounts;"
            " leave it out of [profile] accounts, or watch it with --dry-run"
        )


def check_contracts(contracts: Iterable[Contract]) -> None:
    """Refuse to start while the tick value of a contract is unknown. Raises ConfigError."""
    for contract in contracts:
        difference = table_difference(contract)
        if difference is not None:
            raise ConfigError(f"{difference}; ask the broker which is right, or install a newer riskcore")


def note_contract(contract: Contract, announcer: Announcer, armed: bool) -> None:
    """The broker has described a contract. Once the rules are armed a difference is only reported: nothing is disarmed.

    Raises ConfigError.
    """
    difference = table_difference(contract)
    if difference is not None:
        announcer.say("drift", contract=contract.id, text=difference)
    if not armed:
        check_contracts([contract])


def _shown(account: Account) -> str:
    kind = ", not simulated" if account.simulated is False else ""
    return f"{account.name or ''} ({account.id}{kind})"


Plain = Mapping[str, Any]


def tell_ready(announcer: Announcer, judged: Sequence[Account], enforces: bool, settings: Plain) -> None:
    """The rules are armed; `rules` is how many tables the settings have of rules, programmes and groups.

    `unseeded` are the accounts whose fills of the day are still to be listed: none, or nothing would be armed.
    """
    tables = [settings["rules"], *settings["accounts"].values()]
    rules = sum(len(instances) for table in tables for instances in table.values())
    rules += len(programmes_of(settings)) + len(settings.get("groups", ()))
    ids, unseeded = [account.id for account in judged], [account.id for account in judged if account.unseeded]
    announcer.say("ready", accounts=ids, enforces=enforces, rules=rules, unseeded=unseeded)


def tell_left_out(announcer: Announcer, left_out: Sequence[Event]) -> None:
    """What the core failed on before, and this engine goes on without."""
    for event in left_out:
        text = told_text(event)
        if text is not None:
            account = getattr(event.body, "account", None)
            figures = {} if account is None else {"account": account}
            announcer.say("drift", **figures, text=text)


def tell_edits(announcer: Announcer, in_force: Plain, wanted: Plain) -> None:
    """The addresses of the settings that count from now on, and of those that wait for the reset."""
    from_now = in_force_now(in_force, wanted)
    at_once = [change.path for change in compare(in_force, from_now)]
    later = [change.path for change in compare(from_now, wanted)]
    if at_once or later:
        announcer.say("settings", now=at_once, at_reset=later, policy=in_force["profile"]["loosen_policy"])
