"""The tables of riskcore.toml that are not rules: [profile], and the switches every rule has.

They are declared like rule parameters (core/rules/base.py `spec`), so that one reader checks everything.
[programme] is in programme_table.py. Source: INTERFACE.md 3; RULES.md 1.6.
"""

from dataclasses import dataclass

from riskcore.core.rules.base import spec

# [profile] keys whose plain form has another name or scale (core/rulebook.py Profile).
NANOSECONDS = {
    "max_quote_age_seconds": "max_quote_age_ns",
    "command_timeout_seconds": "command_timeout_ns",
    "blind_limit_seconds": "blind_limit_ns",
}
RENAMED = {"reset_time": "reset_seconds"}


@dataclass(frozen=True, slots=True)
class ProfileTable:
    name: str = spec("default", "name", doc="name of the profile; its journal is kept under it")
    accounts: tuple[str, ...] = spec(
        (), "accounts", doc='account names or ids; "all" = every visible simulated account'
    )
    timezone: str = spec("America/Chicago", "zone", doc="zone of reset_time")
    reset_time: int = spec(61_200, "clock", low=0, high=86_399, doc="when the trading day begins")
    pnl_basis: str = spec("net", "choice", choices=("net", "gross"), doc="whether fees and commissions count")
    mark: str = spec("last", "choice", choices=("last", "conservative"), doc="price that values an open position")
    max_quote_age_seconds: int = spec(10, "int", unit="s", low=1, high=3600, doc="an older quote is stale")
    command_timeout_seconds: int = spec(
        3, "int", unit="s", low=1, high=60, doc="when an unanswered request is unresolved"
    )
    strict_mode: bool = spec(False, "bool", doc="every breach flattens and locks until the reset")
    operator_unlock: str = spec(
        "never", "choice", choices=("never", "with_reason"), doc="whether the operator may end a lockout early"
    )
    on_blind: str = spec("alert", "choice", choices=("alert", "flatten"), doc="what to do when a rule lacks its inputs")
    blind_limit_seconds: int = spec(60, "int", unit="s", low=1, high=3600, doc="how long before on_blind acts")
    loosen_policy: str = spec(
        "next_reset",
        "choice",
        choices=("next_reset", "immediate", "never"),
        doc="when a change that loosens a limit takes effect",
    )
    keep_payloads: str = spec(
        "user",
        "choice",
        choices=("user", "all", "off"),
        doc="which messages of the broker are kept word for word beside their events: user = all but market data",
    )


@dataclass(frozen=True, slots=True)
class ApiTable:
    """The local API of a running engine: what it serves decides nothing, so it is no part of what is judged by."""

    enabled: bool = spec(True, "bool", doc="the page in the browser; commands reach the engine without it, too")
    port: int = spec(0, "int", low=0, high=65_535, doc="of 127.0.0.1; 0 = a free one")
    quote_hz: int = spec(4, "int", unit="1/s", low=1, high=20, doc="most quotes of a contract that a reader gets")


@dataclass(frozen=True, slots=True)
class RuleSwitches:
    """Keys every rule table takes beside its own fields."""

    enabled: bool = spec(True, "bool", stricter="true", doc="false switches the rule off without deleting it")
    shadow: bool = spec(False, "bool", stricter="false", doc="records what it would have done and does nothing")
    locked: bool = spec(
        False, "bool", stricter="true", doc="loosening waits for the next reset even with loosen_policy = immediate"
    )
