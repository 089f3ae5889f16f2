"""A ledger of several accounts that one group limits."""

from typing import Any

from riskcore.core import events as e
from tests.core.ledger import ACCOUNT, SECOND_NS, Ledger

OTHER = ACCOUNT + 1
THIRD = ACCOUNT + 2


def group(**fields: Any) -> Ledger:
    """Two accounts A and B (ACCOUNT and OTHER), named, under one group."""
    plain = {
        "name": "desk",
        "accounts": [],
        "max_contracts": None,
        "loss_limit": None,
        "basis": "combined",
        "opposite": "off",
        **fields,
    }
    profile = {"accounts": [], "max_quote_age_ns": 10 * SECOND_NS}
    day = Ledger(settings={"profile": profile, "rules": {}, "accounts": {}, "groups": [plain]})
    return day.account(ACCOUNT, name="A").account(OTHER, name="B")


def breaches(day: Ledger) -> list[tuple[str, int]]:
    return [(one.rule, one.account) for one in day.breaches]


def commands(day: Ledger, account: int) -> list[tuple[str, str | None, int | None]]:
    """Kind, product code and size allowed of the commands for one account, alerts left out."""
    return [
        (one.command.kind, one.command.contract and one.command.contract.split(".")[3], one.command.to)
        for one in day.commands
        if one.account == account and one.command.kind != "Alert"
    ]


def carried_out(day: Ledger) -> Ledger:
    """Everything open is closed at the price it was bought at."""
    for account in list(day.book.accounts.values()):
        for position in account.held():
            day.take(e.PositionObserved(account.id, position.contract, 0), "position")
    return day
