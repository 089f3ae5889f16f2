"""Which rules cannot judge at the moment, and why: for status, health and the gauges (RULES.md 1.5, 8.4, 8.6)."""

from collections.abc import Mapping

from riskcore.core.freshness import out_of_sight, unseen_since
from riskcore.core.kinds import CONNECTED, MARKET_HUB, USER_HUB, ConnectionState, Hub
from riskcore.core.restart import TRADES, awaited
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, Position
from riskcore.core.view import View
from riskcore.schema.rows import Row

UNSEEN = "messages about the account cannot be read, and its lists do not come"
# What each hub tells of; a rule that needs it is blind while the hub is not connected (RULES.md 8.4).
TOLD_BY: dict[Hub, tuple[str, ...]] = {USER_HUB: ("trades", "orders", "positions"), MARKET_HUB: ("quotes",)}


def blind_rows(book: Book, rulebook: Rulebook, account: Account, view: View) -> list[Row]:
    """Rules that lack what they judge by, and why: their recording, a lost hub, or a stale mark (RULES.md 1.5, 8.4).

    Lists that are polled stand in for the user hub, and bars for quotes: what the rules act on is no lack.
    """
    stale = [position.contract for position in view.held() if _is_unmarked(view, position)]
    missing = {hub: f"the {hub} hub is {book.connections[hub]}" for hub in TOLD_BY if _is_lost(book.connections, hub)}
    if unseen_since(account) is not None:
        missing.setdefault(USER_HUB, UNSEEN)
    if USER_HUB in missing and not out_of_sight(book, account):
        del missing[USER_HUB]
    if MARKET_HUB in missing and view.held() and not stale and _marked_since_loss(book, view):
        del missing[MARKET_HUB]
    lost = {need: hub for hub in missing for need in TOLD_BY[hub]}
    found = []
    for instance in rulebook.instances(account):
        needs = instance.rule.needs(instance.params)
        blind = instance.blind_because(book, account)
        hubs = sorted({lost[need] for need in needs if need in lost})
        if blind is not None:
            reason = blind
        elif hubs:
            reason = " and ".join(missing[hub] for hub in hubs)
        elif "quotes" in needs and stale:
            reason = f"no fresh mark of {' and '.join(stale)}"
        else:
            continue
        found.append({"rule": instance.rule.id, "name": instance.rule.name, "reason": reason})
    return sorted(found, key=lambda row: str(row["rule"]))


def _marked_since_loss(book: Book, view: View) -> bool:
    """Whether another source has reported the market of every position since its hub was lost."""
    since = book.connection_since.get(MARKET_HUB, 0)
    return all(book.marks[position.contract].at > since for position in view.held())


def unseeded_rules(book: Book, rulebook: Rulebook, account: Account) -> list[str]:
    """The rules that do not judge yet because the fills of the day are still to be listed (RULES.md 8.6)."""
    if book.day is None:
        return []
    unseen = tuple(name for name in awaited(book, account) if name == TRADES)
    return sorted(dict.fromkeys(one.rule.id for one in rulebook.instances(account) if one.waits(unseen)))


def _is_lost(connections: Mapping[Hub, ConnectionState], hub: Hub) -> bool:
    return connections.get(hub, CONNECTED) != CONNECTED


def _is_unmarked(view: View, position: Position) -> bool:
    one = view.value(position)
    return one.value is None or one.stale
