"""What an engine is built with: what it is to do, and the outside it works on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskcore.engine.arming import Arm, check_accounts
from riskcore.engine.inbox import AccountsNamed, Normalise
from riskcore.engine.ports import Announcer, Clock, Feed, Gateway
from riskcore.engine.wire import Recording
from riskcore.engine.writer import Appender


@dataclass(frozen=True, slots=True)
class Options:
    """`settings` are plain (settings/config.py); `enforces`: whether anything may be sent; `arm`: see Arm.

    `keep_payloads`: which messages are kept in the journal (user, all, off).
    """

    settings: Mapping[str, Any]
    version: str
    enforces: bool
    arm: Arm = check_accounts
    keep_payloads: str = "user"


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, real or simulated. `accounts_named`: of which accounts a hub's message speaks that is unreadable."""

    journal: Appender
    clock: Clock
    gateway: Gateway
    feed: Feed
    announcer: Announcer
    normalise: Normalise
    accounts_named: AccountsNamed
    recording: Recording | None = None
