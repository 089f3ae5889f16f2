"""What the trader's commands need of an engine, and the names they may use for accounts and contracts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from riskcore.core.events import (
    CommandIssued,
    Event,
    Fact,
    RequestAccepted,
    RequestPlanned,
    RequestRefused,
    RequestSuperseded,
    RequestUnresolved,
)
from riskcore.core.products import known_roots
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rulebook import Rulebook
from riskcore.core.state import Account, Book, Mark
from riskcore.engine.ports import Clock
from riskcore.errors import ConfigError, RiskcoreError
from riskcore.schema.rows import Row

Asked = Mapping[str, Any]
CONTRACT_PREFIX = "CON."
KNOWN_IN_SECONDS = 5  # How long the broker's word about a contract or its price is waited for.
LOOK_AGAIN_SECONDS = 0.1
STORED_SECONDS = 20  # How long the operator's word may take to be stored.


class UnknownAccount(ConfigError):
    """An account is named that the profile does not have."""


class Desk(Protocol):
    """A running engine as its trader sees it, or one that only writes the journal (offline_desk.py)."""

    clock: Clock

    @property
    def book(self) -> Book:
        """The state as of now."""

    @property
    def rulebook(self) -> Rulebook:
        """The rules in force."""

    def submit(self, body: Fact) -> str:
        """Hand in the operator's word; returns the natural key of the fact."""

    async def settled(self, key: str, timeout_seconds: float) -> list[Event]:
        """What followed from a fact, once its requests have answers or the time is over."""

    async def stored(self, key: str, timeout_seconds: float) -> list[Event] | None:
        """What was decided on a fact, as soon as that is stored; None when the time is over before."""

    def follow(self, contract: str) -> None:
        """Have a contract described, and its quotes subscribed to."""


class Market(Protocol):
    """The broker's catalogue and the engine's own condition, which are no part of the state."""

    async def active_contract(self, root: str) -> str | None:
        """The contract of a root that takes orders now; None when the broker does not say."""

    def health(self) -> Row:
        """How well the engine sees and acts: `score` from 0 to 100, and `parts` that explain it."""

    def picture(self) -> Row:
        """All accounts with what they hold and what is in force."""


def text_of(asked: Asked, name: str) -> str | None:
    """A text of a request, None when it is left out. Raises ConfigError."""
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise ConfigError(f"{name} must be text")
    return value


def number_of(asked: Asked, name: str) -> int | None:
    """A whole number of a request, None when it is left out. Raises ConfigError."""
    value = asked.get(name)
    if value is not None and type(value) is not int:
        raise ConfigError(f"{name} must be a whole number")
    return value


def judged_accounts(desk: Desk) -> list[Account]:
    """The accounts of the profile."""
    return [account for account in desk.book.accounts.values() if desk.rulebook.judges(account)]


def account_named(desk: Desk, name: str | None) -> Account:
    """The account of a name or id; the only one of the profile when none is named. Raises ConfigError."""
    judged = judged_accounts(desk)
    names = ", ".join(account.name or str(account.id) for account in judged) or "none yet"
    if name is not None:
        for account in judged:
            if name in (str(account.id), account.name):
                return account
        raise UnknownAccount(f"account {name!r} is not one of this profile's accounts: {names}")
    if len(judged) == 1:
        return judged[0]
    raise ConfigError(f"name the account with --account; the profile has: {names}")


def asked_accounts(desk: Desk, asked: Asked) -> list[Account]:
    """The account that a request names, all of the profile when it names none. Raises ConfigError."""
    name = text_of(asked, "account")
    accounts = [account_named(desk, name)] if name is not None else judged_accounts(desk)
    if not accounts:
        raise ConfigError("no account of this profile is known yet; start riskcore live first")
    return accounts


async def stored_events(desk: Desk, key: str) -> list[Event]:
    """What was decided on a fact that was handed in, once it is stored. Raises RiskcoreError when it is not in time."""
    events = await desk.stored(key, STORED_SECONDS)
    if events is None:
        raise RiskcoreError("the engine did not store it in time; check riskcore status before you repeat it")
    return events


def commands_of(events: Sequence[Event]) -> list[str]:
    """The ids of the commands that were issued."""
    return [event.body.id for event in events if isinstance(event.body, CommandIssued)]


async def contract_named(desk: Desk, market: Market, text: str | None, account: Account | None = None) -> str:
    """The broker's id of a contract given as id, root (MNQ) or short name (MNQZ6), described. Raises ConfigError.

    A root means the contract of it that the account holds, else the one that takes orders now.
    """
    if not text:
        raise ConfigError("name a contract: a root such as MNQ, or a contract id")
    wanted = text.strip().upper()
    contract = wanted if wanted.startswith(CONTRACT_PREFIX) else _known(desk.book, wanted, account)
    if contract is None and wanted in _roots(desk.book):
        contract = await market.active_contract(wanted) or _last_quoted(desk.book, wanted)
    if contract is None:
        raise ConfigError(f"no contract {text!r} is known; give a root such as MNQ, or the broker's contract id")
    await _until(desk, lambda: contract in desk.book.contracts, contract)
    if contract not in desk.book.contracts:
        raise ConfigError(f"the broker does not describe {contract}; is it spelled right?")
    return contract


def _roots(book: Book) -> list[str]:
    return [*known_roots(), *(contract.root for contract in book.contracts.values())]


def _known(book: Book, wanted: str, account: Account | None) -> str | None:
    """The one contract that is held under a root, or any contract under its short name."""
    held = [position.contract for position in account.held()] if account is not None else []
    of_root = [name for name in held if name in book.contracts and book.contracts[name].root == wanted]
    if len(of_root) > 1:
        raise ConfigError(f"several contracts of {wanted} are open; name one: {', '.join(of_root)}")
    named = [contract.id for contract in book.contracts.values() if wanted in _short_names(contract.root, contract.id)]
    return next(iter((*of_root, *named)), None)


def _short_names(root: str, contract: str) -> tuple[str, ...]:
    """MNQZ26 and MNQZ6 of CON.F.US.MNQ.Z26."""
    expiry = contract.rpartition(".")[2]
    return (f"{root}{expiry}", f"{root}{expiry[:1]}{expiry[-1:]}")


def _last_quoted(book: Book, root: str) -> str | None:
    quoted = [
        (book.marks[one.id].at, one.id) for one in book.contracts.values() if one.root == root and one.id in book.marks
    ]
    return max(quoted)[1] if quoted else None


async def fresh_mark(desk: Desk, contract: str) -> Mark | None:
    """The market in a contract, waited for when it is not quoted yet; an old mark when nothing newer comes.

    The first quotes of a contract may say no price at all, only a volume: they are no market yet.
    """

    def priced() -> Mark | None:
        mark = desk.book.marks.get(contract)
        says = mark is not None and any(price is not None for price in (mark.last, mark.bid, mark.ask))
        return mark if says else None

    def fresh() -> bool:
        mark = priced()
        return mark is not None and desk.clock.now() - mark.at <= mark.valid_ns

    await _until(desk, fresh, contract)
    return priced()


async def _until(desk: Desk, known: Any, contract: str) -> None:
    """Wait until something is known of a contract, after having asked for it; gives up after a while."""
    if known():
        return
    desk.follow(contract)
    end = desk.clock.now() + KNOWN_IN_SECONDS * SECOND_NS
    while not known() and desk.clock.now() < end:
        await desk.clock.sleep(LOOK_AGAIN_SECONDS)


_ANSWERS = (RequestAccepted, RequestRefused, RequestUnresolved, RequestSuperseded)


@dataclass(slots=True)
class _Reply:
    events: list[Event] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    requests: set[str] = field(default_factory=set)
    begun: bool = False
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    told: asyncio.Event = field(default_factory=asyncio.Event)


class Replies:
    """Collects stored events by the fact that caused them, for as long as somebody waits."""

    def __init__(self) -> None:
        self._replies: dict[str, _Reply] = {}

    def follow(self, key: str) -> None:
        """Somebody wants to know what the fact of this natural key leads to."""
        self._replies[key] = _Reply()

    def note(self, events: Sequence[Event]) -> None:
        """Events that have just been stored, in order."""
        if not self._replies:
            return
        for event in events:
            for key, reply in self._replies.items():
                self._add(key, reply, event)
        for reply in self._replies.values():
            if reply.begun:
                reply.stored.set()
                if not reply.pending:
                    reply.told.set()

    def _add(self, key: str, reply: _Reply, event: Event) -> None:
        body = event.body
        if event.key == key and not event.derived:
            reply.begun = True
        elif event.cause == key:
            reply.events.append(event)
            if isinstance(body, RequestPlanned):
                reply.pending.add(body.request)
                reply.requests.add(body.request)
        elif isinstance(body, _ANSWERS) and body.request in reply.requests:
            reply.events.append(event)
            reply.pending.discard(body.request)

    async def settled(self, key: str, clock: Clock, timeout_seconds: float) -> list[Event]:
        """What followed from the fact, once each of its requests has an answer or the time is over."""
        await self._waited(self._replies[key].told, key, clock, timeout_seconds)
        return self._replies.pop(key).events

    async def stored(self, key: str, clock: Clock, timeout_seconds: float) -> list[Event] | None:
        """What was decided on the fact, which is stored with it; None when it is not stored in time."""
        in_time = await self._waited(self._replies[key].stored, key, clock, timeout_seconds)
        reply = self._replies.pop(key)
        return reply.events if in_time else None

    async def _waited(self, event: asyncio.Event, key: str, clock: Clock, timeout_seconds: float) -> bool:
        try:
            async with clock.timeout(timeout_seconds):
                await event.wait()
        except TimeoutError:
            return False
        except BaseException:
            del self._replies[key]
            raise
        return True
