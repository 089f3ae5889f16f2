"""Whether what is known of an account is still what the broker has (RULES.md 8.4, DESIGN.md "Connection and truth")."""

from riskcore.core.kinds import CONNECTED, USER_HUB
from riskcore.core.names import memory_name, rule_key
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Account, Book

# How long a list holds while nothing is pushed: polling asks more often than that.
POLLED_NS = 10 * SECOND_NS
# Since when an account has been out of sight by itself, in its memory (events.SightChanged).
UNSEEN_SINCE = memory_name(rule_key("blind", 0), "unseen_since")


def connected(book: Book) -> bool:
    """Whether events of the accounts come in; a recording that never says otherwise was connected."""
    return book.connections.get(USER_HUB, CONNECTED) == CONNECTED


def connection_since(book: Book) -> int:
    """Since when the user hub has been connected, or lost."""
    return book.connection_since.get(USER_HUB, 0)


def unseen_since(account: Account) -> int | None:
    """Since when neither messages nor lists have told what this account does, whatever the hubs do."""
    return account.memory.get(UNSEEN_SINCE)


def out_of_sight(book: Book, account: Account) -> bool:
    """Whether nothing tells what an account does, and no list is fresh enough to stand in for the messages."""
    if unseen_since(account) is not None:
        return True
    return not connected(book) and not in_sight(book, min(account.reconciled_at, account.orders_listed_at))


def in_sight(book: Book, asked_at: int) -> bool:
    """Whether a list that was asked for then still shows what there is.

    It was asked after the connection came, and pushes have followed it since; or after it was lost, and is fresh.
    """
    if not asked_at:
        return False
    if connected(book):
        return asked_at >= connection_since(book)
    return asked_at > connection_since(book) and book.now - asked_at < POLLED_NS


def reconciled(book: Book, account: Account) -> bool:
    """Whether the account was seen in full, its positions, orders and fills, since its events came without a gap.

    While the connection is lost, polling stands in for it.
    """
    if account.unseeded or unseen_since(account) is not None:
        return False
    return in_sight(book, min(account.reconciled_at, account.orders_listed_at))
