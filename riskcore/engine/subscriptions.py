"""What the hubs are asked to tell: of the accounts that are judged, and the contracts they hold, work or ask about."""

from collections.abc import Callable, Iterable, Sequence

from riskcore.core.quantities import MINUTE_NS, SECOND_NS
from riskcore.core.state import Account, Book


class Subscriptions:
    """`tell` is called with accounts and contracts whenever they change (Feed.follow).

    A contract that was followed once stays followed: unsubscribing saves nothing.
    """

    def __init__(self, tell: Callable[[Sequence[int], Sequence[str]], None]) -> None:
        self._tell = tell
        self._accounts: tuple[int, ...] = ()
        self._contracts: dict[str, None] = {}  # In the order they were first wanted.

    @property
    def contracts(self) -> list[str]:
        return list(self._contracts)

    def update(self, accounts: Sequence[Account]) -> bool:
        """Follow these accounts and whatever they hold or work; whether the accounts are others than before."""
        ids = tuple(account.id for account in accounts)
        contracts = [position.contract for account in accounts for position in account.held()]
        contracts += [order.contract for account in accounts for order in account.working_orders() if order.contract]
        changed = ids != self._accounts
        self._accounts = ids
        self._also(contracts, anyway=changed)
        return changed

    def also(self, contract: str) -> None:
        """Follow a contract that somebody asks about."""
        self._also([contract], anyway=False)

    def _also(self, contracts: Iterable[str], *, anyway: bool) -> None:
        new = dict.fromkeys(one for one in contracts if one not in self._contracts)
        if new or anyway:
            self._contracts.update(new)
            self._tell(self._accounts, tuple(self._contracts))


AGAIN_NS = MINUTE_NS  # Between two questions about one contract.
AWAITED_NS = 5 * SECOND_NS  # How long the records of contracts that are held may take before the rules are armed.


class Descriptions:
    """Remembers what was asked; what is known is in the book."""

    def __init__(self) -> None:
        self._asked_at: dict[str, int] = {}

    def due(self, book: Book, contracts: Sequence[str], now: int) -> list[str]:
        """The contracts to ask about now; they count as asked."""
        unknown = [one for one in contracts if not _is_described(book, one)]
        due = [one for one in unknown if one not in self._asked_at or now - self._asked_at[one] >= AGAIN_NS]
        self._asked_at.update(dict.fromkeys(due, now))
        return due

    def awaited(self, book: Book, contracts: Sequence[str], now: int) -> bool:
        """Whether a record may still come; a broker that is silent delays nobody for long."""
        unknown = [one for one in contracts if not _is_described(book, one)]
        return any(now - self._asked_at.get(one, now) < AWAITED_NS for one in unknown)


def _is_described(book: Book, contract: str) -> bool:
    known = book.contracts.get(contract)
    return known is not None and known.described
