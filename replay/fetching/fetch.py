"""Session files out of the broker's own history, for a range of trading days. Source: INTERFACE.md 6, API.md 2.

The days of an import, with the rows asked for instead of read from files: everything behind them is the importer's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.topstepx import fields
from adapters.topstepx import rows as broker_rows
from adapters.topstepx.fields import Object, Rejected
from replay.fetching.answers import Answers
from replay.fetching.market import Market, contracts_by_day
from replay.fetching.missing import Missing, duration_text, remaining_seconds, rolls
from replay.fetching.plan import BarUnit, Window, trading_days, windows
from replay.fetching.questions import Archive, Questions
from replay.imports.importer import FETCHED, Import
from replay.imports.quotes_file import QuoteFiles
from replay.imports.sources import Sources
from riskcore.core.events import AccountObserved
from riskcore.core.products import product_code
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import Day
from riskcore.errors import ConfigError, GatewayError

SCHEMA = "riskcore.fetch/1"
_MOST_NAMED_ACCOUNTS = 3
Row = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a download is to bring. No accounts: those of the profile, or all; no contracts: those that were traded."""

    first: str
    last: str
    out: Path
    accounts: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    unit: BarUnit = field(default_factory=lambda: BarUnit("minute"))
    again: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """An account of the login, and whether the platform still shows it."""

    observed: AccountObserved
    visible: bool


@dataclass(slots=True)
class Progress:
    """How far a download is, said as lines; `seconds_for` knows the quota (calls, calls for bars)."""

    say: Say
    now: Callable[[], int]
    seconds_for: Callable[[int, int], float]
    began_at: int = 0
    done: int = 0
    _said_at: int = 0

    def begin(self) -> None:
        self.began_at, self.done = self.now(), 0

    def step(self, what: str, total: int, questions_each: int, *, of_bars: bool) -> None:
        """Another part of `total` is done."""
        self.done += 1
        now = self.now()
        if self.done < total and now - self._said_at < SECOND_NS:
            return
        self._said_at = now
        left = max(total - self.done, 0)
        calls = left * questions_each
        at_least = self.seconds_for(0, calls) if of_bars else self.seconds_for(calls, 0)
        rest = remaining_seconds(self.done, left, now - self.began_at, at_least)
        self.say(
            f"{what}: {self.done} of {total} ({100 * self.done // total}%), about {duration_text(rest)} left"
            if left
            else f"{what}: {total} of {total}"
        )


@dataclass(slots=True)
class Fetch:
    """One download. Raises GatewayError, ConfigError, CannotWrite; what was answered until then is kept."""

    archive: Archive
    settings: Mapping[str, Any]
    wanted: Wanted
    broker: str
    now: Callable[[], int]
    warn: Say
    progress: Progress
    missing: Missing = field(default_factory=Missing)
    _questions: Questions = field(init=False)
    _sources: Sources = field(init=False)

    async def run(self) -> Row:
        """Ask, write the recordings, and say what `--json` prints."""
        days = self._days()
        # A folder that cannot be used is found before the first question.
        answers = Answers(self.wanted.out, forget=self.wanted.again)
        self._questions = Questions(self.archive, answers, self.broker, self.now)
        self._sources = Sources((), self.progress.say)
        accounts = chosen_accounts(await self._accounts(), self.wanted.accounts, self.settings["profile"]["accounts"])
        watched = [await self._contract_id(text) for text in self.wanted.contracts]
        if not days:
            return self._result(accounts, None, [], {})
        await self._account_history(accounts, days)
        expired = await self._records(watched, days)
        self._sources.finish()
        history = self._sources.history
        by_day = contracts_by_day(history, days, watched)
        market = await self._market(expired, by_day, days, watched)
        written = self._write(market, accounts, days, tuple(watched))
        return self._result(accounts, written, market.rows, by_day)

    def _days(self) -> list[Day]:
        """The trading days that have begun."""
        found = trading_days(self.settings, self.wanted.first, self.wanted.last)
        now = self.now()
        begun = [day for day in found if day.opens_at <= now]
        if not found:
            self.missing.add("day", f"from {self.wanted.first} to {self.wanted.last} there is no trading day")
        elif len(begun) < len(found):
            first = found[len(begun)].trade_date
            self.missing.add(
                "day", f"from {first} on there is nothing yet: that trading day has not begun", trade_date=first
            )
        if begun and begun[-1].closes_at > now:
            date = begun[-1].trade_date
            self.missing.add("day", f"{date} is not over: run this again afterwards to have all of it", trade_date=date)
        return begun

    async def _accounts(self) -> list[Listed]:
        try:
            found = [broker_rows.row_of(row) for row in await self._questions.accounts()]
            return [Listed(broker_rows.account(row), fields.flag(row, "isVisible") is not False) for row in found]
        except Rejected as error:
            raise GatewayError(f"the broker's list of accounts cannot be read: {error}") from None

    # ---- fills and orders ------------------------------------------------------------------------------

    async def _account_history(self, accounts: Sequence[AccountObserved], days: Sequence[Day]) -> None:
        """Fills and orders of every account, week by week."""
        weeks = windows(days)
        self.progress.begin()
        without_query = False
        for account in (one.account for one in accounts):
            for week in weeks:
                for row in await self._questions.trades(account, week):
                    if _made_within(row, week):
                        self._take(self._add_trade, row, f"fill {fields.field(row, 'id')}")
                queried = await self._questions.queried_orders(account, week)
                without_query = without_query or queried is None
                for row in (*await self._questions.orders(account, week), *(queried or ())):
                    self._take(self._add_order, row, f"order {fields.field(row, 'id')}")
                self.progress.step("fills and orders", len(accounts) * len(weeks), 3, of_bars=False)
        if without_query:
            text = (
                "the broker has no Order/v2/query: orders that never became open, such as bracket legs, may be missing"
            )
            self.missing.add("orders", text)
        await self._orders_of_fills(days)

    async def _orders_of_fills(self, days: Sequence[Day]) -> None:
        """The orders of fills that no list had: they were placed before the range."""
        listed = self._sources.history.order_ids()
        wanted = {
            (fill.account, fill.recorded.order_id)
            for fill in self._sources.history.read_fills()
            if fill.recorded is not None and fill.recorded.order_id is not None
        }
        for account, order in sorted(wanted - listed):
            row = await self._questions.order(account, order, days[-1].closes_at)
            if row is None:
                text = f"order {order} of account {account} filled, but the broker does not show it"
                self.missing.add("orders", text, account=account)
            else:
                self._take(self._add_order, row, f"order {order}")

    def _take(self, add: Callable[[Object, str], None], row: Object, where: str) -> None:
        """A row that cannot be read is left out, and said: the figures of its day cannot be right."""
        try:
            add(row, where)
        except Rejected as error:
            self._sources.history.conflicts.append(f"{where}: left out, because it cannot be read: {error}")

    def _add_trade(self, row: Object, where: str) -> None:
        self._sources.history.add_trade(row, where, _every_account)

    def _add_order(self, row: Object, where: str) -> None:
        self._sources.history.add_order(row, _every_account)

    # ---- contracts and bars ----------------------------------------------------------------------------

    async def _contract_id(self, text: str) -> str:
        """The id of a contract given by id, name (MNQZ26) or root, which means the month that is traded now."""
        if text.upper().startswith("CON."):
            if await self._questions.contract(text.upper()) is not None:
                return text.upper()
            raise ConfigError(
                f"--contract {text[:60]!r}: the broker knows no such contract; riskcore needs its whole id"
            )
        wanted = text.upper()
        for row in await self._questions.contracts_like(text):
            found = broker_rows.contract(broker_rows.row_of(row)).contract
            names = {found.root, product_code(found.id), fields.text(row, "name"), f"{found.root}{found.id[-3:]}"}
            if wanted in names and fields.flag(row, "activeContract") is not False:
                return found.id
        raise ConfigError(
            f"--contract {text[:60]!r}: the broker offers no contract of that name now; write the whole id of one, "
            "such as CON.F.US.MNQ.Z26"
        )

    async def _records(self, watched: Sequence[str], days: Sequence[Day]) -> set[str]:
        """The records of all contracts that matter; those that have expired."""
        history, expired = self._sources.history, set[str]()
        for contract in sorted({*watched, *history.read_contracts()}):
            row = await self._questions.contract(contract)
            if row is None:
                text = f"{contract}: the broker has no record of it, so its ticks are those of the built-in table"
                self.missing.add("contract", text, contract=contract)
                continue
            self._take(self._add_contract, row, f"the record of {contract}")
            if fields.flag(row, "activeContract") is False:
                expired.add(contract)
        return expired

    def _add_contract(self, row: Object, where: str) -> None:
        self._sources.history.add_contract(row, where)

    async def _market(
        self, expired: set[str], by_day: Mapping[str, set[str]], days: Sequence[Day], watched: Sequence[str]
    ) -> Market:
        """The bars of --contract, else of every contract on the days on which it was traded or held."""
        wanted: dict[str, list[Day]] = {}
        for day in days:
            for contract in sorted(watched or by_day[day.trade_date]):
                wanted.setdefault(contract, []).append(day)
        total = sum(len(windows(of_contract)) for of_contract in wanted.values())

        def step(contract: str) -> None:
            self.progress.step(f"bars of {contract}", total, 1, of_bars=True)

        self.progress.begin()
        market = Market(self._questions, self.wanted.unit, self.missing, expired, step)
        await market.collect(wanted)
        return market

    # ---- what comes of it ------------------------------------------------------------------------------

    def _write(
        self, market: Market, accounts: Sequence[AccountObserved], days: Sequence[Day], watched: tuple[str, ...]
    ) -> Row:
        ids = sorted(one.account for one in accounts)
        origin = f"{FETCHED}: fills, orders and {self.wanted.unit} bars of {', '.join(map(str, ids))}"
        return Import(
            self._sources,
            self.settings,
            self.wanted.out,
            market,
            QuoteFiles(()),
            self.warn,
            self.progress.say,
            origin=origin,
            span=(days[0], days[-1]),
            watched=watched,
            suffix=suffix_of(ids),
        ).run()

    def _result(
        self,
        accounts: Sequence[AccountObserved],
        written: Row | None,
        bars: list[dict[str, object]],
        by_day: Mapping[str, set[str]],
    ) -> Row:
        found = written or {
            "days": [],
            "closing_fills": 0,
            "checked": 0,
            "differences": 0,
            "conflicts": [],
            "notes": [],
        }
        return {
            "schema": SCHEMA,
            "from": self.wanted.first,
            "to": self.wanted.last,
            "unit": str(self.wanted.unit),
            "accounts": [{"id": one.account, "name": one.name} for one in accounts],
            **{name: value for name, value in found.items() if name not in ("schema", "files")},
            "bars": bars,
            "missing": self.missing.rows,
            "rolls": rolls(by_day, self._sources.history.contracts),
            "questions": {"asked": self._questions.asked, "kept": self._questions.kept},
        }


def chosen_accounts(listed: Sequence[Listed], named: Sequence[str], of_profile: Sequence[str]) -> list[AccountObserved]:
    """The accounts that are named, else those of the profile, else all that are visible. Raises ConfigError."""
    by_name = {name: one.observed for one in listed for name in (str(one.observed.account), one.observed.name) if name}
    there = ", ".join(f"{one.observed.account} {one.observed.name or ''}".strip() for one in listed) or "none"
    unknown = [name for name in named if name not in by_name]
    if unknown:
        raise ConfigError(f"--account {unknown[0][:60]!r}: this login has no such account; there are: {there}")
    wanted = [by_name[name] for name in named or of_profile if name in by_name]
    if of_profile and not wanted:
        raise ConfigError(f"none of the accounts of the profile belongs to this login; there are: {there}")
    found = wanted or [one.observed for one in listed if one.visible]
    return sorted({one.account: one for one in found}.values(), key=lambda one: one.account)


def suffix_of(accounts: Sequence[int]) -> str:
    """What the recordings of these accounts are called by, beside their date: another set has other files."""
    if len(accounts) <= _MOST_NAMED_ACCOUNTS:
        return "".join(f"_{account}" for account in accounts)
    digest = sha256(",".join(map(str, accounts)).encode()).hexdigest()[:8]
    return f"_{len(accounts)}-accounts-{digest}"


def _made_within(row: Object, window: Window) -> bool:
    """Whether a fill is the window's own and not one of the minutes beside it; an unreadable time is said later."""
    try:
        at = fields.instant_of(row, "creationTimestamp")
    except Rejected:
        at = None
    return at is None or window.start <= at < window.end


def _every_account(account: int) -> bool:
    return True
