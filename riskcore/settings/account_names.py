"""Names of accounts in settings that match no account there is: a mistyped one would lose a limit without a word."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskcore.core.groups.group import is_listed
from riskcore.core.state import Account


def account_tables(plain: Mapping[str, Any]) -> list[str]:
    """The accounts that have tables of their own, `[accounts."…"]`: rules, a programme, or both."""
    return list(dict.fromkeys([*plain["accounts"], *plain.get("programme_accounts", {})]))


def unmatched_tables(plain: Mapping[str, Any], accounts: Sequence[Account]) -> list[str]:
    """Those of them that count for no account. Without account names in a recording a table counts by id alone."""
    known = {name for account in accounts for name in (str(account.id), account.name)}
    return [name for name in account_tables(plain) if name not in known]


def unmatched_members(plain: Mapping[str, Any], accounts: Sequence[Account]) -> Iterator[tuple[str, list[str]]]:
    """The groups that name accounts which are not there, and those names."""
    for group in plain.get("groups", ()):
        missing = unlisted(group["accounts"], accounts)
        if missing:
            yield group["name"], missing


def unlisted(names: Sequence[str], accounts: Sequence[Account]) -> list[str]:
    """The names of a list that no account has."""
    return [name for name in names if not any(is_listed((name,), account) for account in accounts)]


def unmatched_texts(
    plain: Mapping[str, Any], accounts: Sequence[Account], of: str, elsewhere: Sequence[str] = ()
) -> list[str]:
    """A sentence for each name in tables of accounts and in groups that names no account `of` a recording or a login.

    `elsewhere` are names known to be of accounts that need not be there, as a recording may have one account of two.
    """
    there = f"there is {', '.join(account.name or str(account.id) for account in accounts) or 'none'}"
    texts = [
        f'[accounts."{name}"] names no account of {of}, so it counts for none; {there}'
        for name in unmatched_tables(plain, accounts)
        if name not in elsewhere
    ]
    for group, missing in unmatched_members(plain, accounts):
        names = ", ".join(name for name in missing if name not in elsewhere)
        if names:
            texts.append(f"group {group!r}: accounts ({names}) names no account of {of}; {there}")
    return texts


def unmatched_of_login(plain: Mapping[str, Any], visible: Sequence[Account]) -> list[str]:
    """What to say at a live start: here every account is known, and a name that is missing guards nothing."""
    missing = unlisted(plain["profile"]["accounts"], visible)
    there = ", ".join(account.name or str(account.id) for account in visible) or "none"
    texts = [f"profile.accounts ({', '.join(missing)}) names no account of this login; there is {there}"]
    return [*(texts if missing else ()), *unmatched_texts(plain, visible, "this login")]
