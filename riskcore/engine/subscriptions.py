"""What the hubs are asked to tell: of the accounts that are judged, and the contracts they hold, work or ask about."""

from collections.abc import Callable, Iterable, Sequence

from riskcore.core.state import Account


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
