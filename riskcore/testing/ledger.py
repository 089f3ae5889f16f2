"""A tiny language for days: tests of rules read like a trader's notes (docs/concepts/ledgers.md).

    day = Ledger(daily_realized_loss={"loss_limit": usd("500")})
    day.at("10:00:00").closed("-300")
    day.at("10:05:00").closed("-200")
    assert day.breach_times == ["10:05:00"]

Times are Chicago local. Every call goes through the runner as live does it: one fact a turn, on a copy of the book, the
next deadline worked out behind it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from riskcore.core import events as e
from riskcore.core.kinds import Source
from riskcore.core.products import PRODUCTS
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.quotes import Quotes, quote_key
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.rules import put
from riskcore.core.rules.base import Rule
from riskcore.core.runner import Runner
from riskcore.core.state import Account, Book, Day
from riskcore.core.trading_day import Zone, date_text, day_bounds, trade_ordinal
from riskcore.settings import calendar

CHICAGO = ZoneInfo("America/Chicago")
ACCOUNT = 99000001
usd = money  # "500" dollars as the core counts them.
RESET_SECONDS = 17 * 3600
START = "2026-11-20 08:00:00"  # A Friday.
_CODES = {root: code for code, root, *_ in PRODUCTS}


def nanoseconds(moment: datetime) -> int:
    """An aware time as the core counts it: nanoseconds since 1970 UTC."""
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1000


def zone_rows(name: str, around: datetime) -> Zone:
    """Offset rows of a zone around a date."""
    return calendar.zone_rows(name, around.toordinal())


class Ledger:
    """One profile's day, fact by fact.

    start: Chicago time of the first moment. profile: options of [profile] as the core reads them (rulebook.Profile).
    overrides: tables of single accounts. lacks: what the source could not see. zones: further time zones the rules
    read. settings: whole plain settings instead (Settings.plain). programme: the plain [programme]. Everything else
    names a rule: its table, or a list of tables, with scaled values (usd("500"), fraction("0.5")).
    """

    enforces = False  # Whether what is decided is also carried out.

    def __init__(
        self,
        *,
        start: str = START,
        profile: dict[str, Any] | None = None,
        overrides: dict[str, Any] | None = None,
        lacks: tuple[str, ...] = (),
        zones: tuple[str, ...] = (),
        settings: dict[str, Any] | None = None,
        programme: dict[str, Any] | None = None,
        **rules: Any,
    ) -> None:
        self.now = datetime.fromisoformat(start).replace(tzinfo=CHICAGO)
        tables = {name: value if isinstance(value, list) else [value] for name, value in rules.items()}
        options = {"accounts": [], "max_quote_age_ns": 10 * SECOND_NS, **(profile or {})}
        self.settings = settings or {"profile": options, "rules": tables, "accounts": overrides or {}}
        if programme is not None:
            self.settings["programme"] = programme
        rows = zone_rows("America/Chicago", self.now)
        self.zones = {"America/Chicago": rows, **{name: zone_rows(name, self.now) for name in zones}}
        self.lacks = lacks
        self._events: list[e.Event] = []
        self.runner = Runner(self.settings, (self._listen,), self._no_day, version="0", keep_quotes=True)
        self._ids = 0
        self._open_day(nanoseconds(self.now))

    @classmethod
    def of(cls, rule: Rule, *, start: str = START, **fields: Any) -> Self:
        """A day judged by one rule alone, which need not be one of the package. Raises ValueError: its id is taken."""
        put(rule)
        tables: dict[str, Any] = {rule.name: fields}
        return cls(start=start, **tables)

    @property
    def book(self) -> Book:
        """The book with the marks of quiet quotes in place."""
        return self.runner.finish()

    @property
    def events(self) -> list[e.Event]:
        """Everything that would be stored by now, one event to a quote."""
        self.runner.finish()
        return self._events

    @property
    def rulebook(self) -> Rulebook:
        return self.runner.turn.rulebook

    def _forget(self) -> None:
        """What was worked out ahead no longer holds."""
        self.runner.turn._timers_known = False
        self.runner._quiet.happened()

    def _listen(self, events: Sequence[e.Event]) -> None:
        """Quotes that were found quiet are journaled many to an event; here they are noted like all others."""
        for event in events:
            if isinstance(event.body, e.QuotesObserved) and event.key.startswith("quotes@"):
                rows = event.body.quotes
                self._events += [
                    e.Event(at, "market", quote_key(contract, at), e.QuoteObserved(contract, *prices))
                    for at, contract, *prices in rows
                ]
            else:
                self._events.append(event)

    def _no_day(self, settings: object, at: int) -> Day:
        raise AssertionError("a ledger opens its days itself")

    def replace_rules(self, *instances: RuleInstance) -> None:
        """Judge the account by these rules from now on, whatever the settings say."""
        self.rulebook.instances(self.account_state)
        for known in self.rulebook._instances:
            self.rulebook._instances[known] = instances
        for picked in (self.rulebook._readers, self.rulebook._joint, self.rulebook._timed):
            picked.clear()
        self._forget()

    # ---- time ----------------------------------------------------------------------------------------

    def at(self, text: str) -> Self:
        """Set the time: "10:00:05", "10:00:05.250" or "2026-11-23 08:30"."""
        if "-" in text:
            moment = datetime.fromisoformat(text).replace(tzinfo=CHICAGO)
        else:
            moment = datetime.fromisoformat(f"{self.now.date()} {text}").replace(tzinfo=CHICAGO)
        assert moment >= self.now, f"time runs forward: {text} is before {self.now}"
        self.now = moment
        return self

    def tick(self, text: str | None = None) -> Self:
        if text is not None:
            self.at(text)
        return self._take(e.ClockTicked(), "clock", "clock")

    def _open_day(self, at: int) -> None:
        rows = self.zones["America/Chicago"]
        ordinal = trade_ordinal(rows, RESET_SECONDS, at)
        opens_at, closes_at = day_bounds(rows, RESET_SECONDS, ordinal)
        day = Day(date_text(ordinal), opens_at, closes_at, "America/Chicago", RESET_SECONDS, self.zones)
        opened = e.TradingDayOpened("test", day, self.settings, self.lacks, (), {}, (), "0", "", enforces=self.enforces)
        opening_at = self.book.day.closes_at if self.book.day else at
        self._step(e.Event(opening_at, "operator", f"day:{day.trade_date}", opened))

    def _take(self, body: Any, source: Source, key: str) -> Self:
        at = nanoseconds(self.now)
        assert self.book.day is not None
        if at >= self.book.day.closes_at:
            self._open_day(at)
        return self._step(e.Event(at, source, f"{key}@{at}" if ":" not in key or source == "market" else key, body))

    def _step(self, event: e.Event) -> Self:
        self.runner.begin()
        body = event.body
        if isinstance(body, e.QuoteObserved):
            self.runner.quotes(Quotes([event.at], [body.contract], [body.last], [body.bid], [body.ask]))
        else:
            self.runner.event(event)
        self.runner.end()
        self.runner.look_ahead()
        return self

    # ---- facts ---------------------------------------------------------------------------------------

    def contract(self, name: str) -> str:
        return name if "." in name else f"CON.F.US.{_CODES[name]}.Z26"

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def fill(
        self,
        contract: str,
        size: int,
        at_price: str,
        *,
        profit: str | None = None,
        fees: str | None = "0",
        commissions: str | None = None,
        order: int | None = None,
        trade: int | None = None,
        account: int = ACCOUNT,
        created: datetime | None = None,
    ) -> Self:
        """One execution; `profit` makes it a closing one."""
        trade_id = trade if trade is not None else self.next_id()
        body = e.TradeRecorded(
            account=account,
            trade_id=trade_id,
            contract=self.contract(contract),
            price=price(at_price),
            side=1 if size > 0 else -1,
            size=abs(size),
            created_at=nanoseconds(created or self.now),
            profit_usd=None if profit is None else money(profit),
            fees_usd=None if fees is None else money(fees),
            commissions_usd=None if commissions is None else money(commissions),
            order_id=order if order is not None else 1_000_000 + trade_id,
        )
        return self._take(body, "broker", f"trade:{trade_id}")

    def closed(self, profit: str, *, fees: str = "0", contract: str = "MNQ", account: int = ACCOUNT) -> Self:
        """A round trip of one contract that books `profit` at its closing fill."""
        self.fill(contract, 1, "21000", account=account)
        return self.fill(contract, -1, "21000", profit=profit, fees=fees, account=account)

    def void(self, trade: int, account: int = ACCOUNT) -> Self:
        return self._take(e.TradeVoided(account, trade), "broker", f"trade:{trade}")

    def push(self, contract: str, size: int, average: str | None = None, account: int = ACCOUNT) -> Self:
        body = e.PositionObserved(account, self.contract(contract), size, None if average is None else price(average))
        return self._take(body, "broker", "position")

    def quote(self, contract: str, last: str | None = None, bid: str | None = None, ask: str | None = None) -> Self:
        values = [None if value is None else price(value) for value in (last, bid, ask)]
        return self._take(e.QuoteObserved(self.contract(contract), *values), "market", f"quote:{contract}")

    def mark(self, contract: str, value: str) -> Self:
        """A quote with last, bid and ask at one price."""
        return self.quote(contract, value, value, value)

    def order(
        self,
        order_id: int,
        contract: str,
        size: int,
        *,
        type: int = 1,
        status: int = 1,
        stop: str | None = None,
        limit: str | None = None,
        parent: int | None = None,
        linked: int | None = None,
        filled: int = 0,
        tag: str | None = None,
        account: int = ACCOUNT,
    ) -> Self:
        body = e.OrderObserved(
            account=account,
            order_id=order_id,
            contract=self.contract(contract),
            status=status,
            type=type,
            side=1 if size > 0 else -1,
            size=abs(size),
            fill_volume=filled,
            limit_price=None if limit is None else price(limit),
            stop_price=None if stop is None else price(stop),
            parent_id=parent,
            linked_id=linked,
            tag=tag,
            updated_at=nanoseconds(self.now),
        )
        return self._take(body, "broker", "order")

    def account(
        self,
        account: int = ACCOUNT,
        *,
        can_trade: bool | None = None,
        name: str | None = None,
        balance: str | None = None,
    ) -> Self:
        body = e.AccountObserved(account, name, None if balance is None else money(balance), can_trade, True)
        return self._take(body, "broker", "account")

    def bar(self, contract: str, opens: str, prices: tuple[str, str, str, str], minutes: int = 1) -> Self:
        """An open-high-low-close bar that starts at `opens` and becomes known at its end."""
        start = datetime.fromisoformat(f"{self.now.date()} {opens}").replace(tzinfo=CHICAGO)
        unit_ns = minutes * 60 * SECOND_NS
        self.now = start + timedelta(minutes=minutes)
        values = [price(value) for value in prices]
        body = e.BarObserved(self.contract(contract), nanoseconds(start), unit_ns, *values)
        return self._take(body, "market", f"bar:{contract}")

    def take(self, body: Any, key: str = "fact", source: Source = "broker") -> Self:
        """Any other fact."""
        return self._take(body, source, key)

    # ---- results -------------------------------------------------------------------------------------

    def bodies(self, kind: type[Any]) -> list[Any]:
        return [event.body for event in self.events if isinstance(event.body, kind)]

    @property
    def breaches(self) -> list[e.RuleBreached]:
        return self.bodies(e.RuleBreached)

    @property
    def commands(self) -> list[e.CommandIssued]:
        return self.bodies(e.CommandIssued)

    @property
    def kinds(self) -> list[str]:
        """Kinds of the commands issued, alerts left out."""
        return [issued.command.kind for issued in self.commands if issued.command.kind != "Alert"]

    @property
    def alerts(self) -> list[str]:
        return [issued.command.text or "" for issued in self.commands if issued.command.kind == "Alert"]

    @property
    def breach_times(self) -> list[str]:
        return [clock(event.at) for event in self.events if isinstance(event.body, e.RuleBreached)]

    @property
    def account_state(self) -> Account:
        return self.book.accounts[ACCOUNT]


def clock(at: int) -> str:
    """Chicago "HH:MM:SS", with the fraction when there is one."""
    seconds, rest = divmod(at, SECOND_NS)
    text = datetime.fromtimestamp(seconds, CHICAGO).strftime("%H:%M:%S")
    return f"{text}.{rest:09d}".rstrip("0") if rest else text
