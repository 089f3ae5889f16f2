"""A group of accounts that are limited together: its parameters, who is in it, how another of them is looked at.

Source: PROGRAMME.md 7, INTERFACE.md 3 `[group]`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from riskcore.core.rules.base import spec
from riskcore.core.state import Account, Book
from riskcore.core.view import Effect, View

OPPOSITE = ("off", "alert", "close")  # What is done about opposite positions, the strictest last.


@dataclass(frozen=True, slots=True)
class Group:
    """A `[group]` table. An amount or a size that is None limits nothing."""

    name: str = spec("group", "text", doc="what you call the group")
    accounts: tuple[str, ...] = spec((), "accounts", doc='account names or ids; "all" = every account of the profile')
    max_contracts: int | None = spec(
        None,
        "int",
        unit="minis",
        low=1,
        high=10_000,
        optional=True,
        stricter="lower",
        doc="most that may be open in all",
    )
    loss_limit: int | None = spec(
        None, "money", unit="$", low=1, optional=True, stricter="lower", doc="loss of all that ends the day of each"
    )
    basis: str = spec(
        "combined", "choice", choices=("realized", "combined"), doc="closed trades only, or with open P&L"
    )
    opposite: str = spec("off", "choice", choices=OPPOSITE, doc="what to do when one account is long and another short")


def is_listed(listed: Sequence[str], account: Account) -> bool:
    """Whether an account is one of those named in settings, or nobody can say that it is not.

    No names mean every simulated account (INTERFACE.md 3). Without account names in a recording the settings count for
    every account in it (INTERFACE.md 4).
    """
    if not listed:
        return account.simulated is not False
    if str(account.id) in listed or account.name in listed:
        return True
    return account.name is None and not all(entry.isdigit() for entry in listed)


def members(group: Group, book: Book) -> list[Account]:
    """The accounts of the group that are known so far, in the order they were first heard of."""
    profile = tuple(book.settings.get("profile", {}).get("accounts", ()))
    return [
        account
        for account in book.accounts.values()
        if is_listed(profile, account) and is_listed(group.accounts, account)
    ]


def view_of(view: View, account: Account) -> View:
    """Another account at the same event; nothing is new for it."""
    if account is view.account:
        return view
    return View(view.book, account, view.event, Effect(), view.pnl_basis, view.mark_mode, view.rule_key)
