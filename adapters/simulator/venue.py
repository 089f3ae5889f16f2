"""What the simulated broker's endpoints work on: accounts, contracts, the exchange, the hours, and their replies."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from adapters.simulator.bar_history import BarHistory
from adapters.simulator.catalogue import OFFERED, active_expiry, contract_id_of, contract_of
from adapters.simulator.matching import Exchange
from adapters.simulator.records import Instrument, TradingAccount, WorkOrder
from adapters.simulator.scenario import AccountPlan
from adapters.topstepx.fields import Object
from riskcore.core.quantities import MINUTE_NS, SECOND_NS, money

EXCHANGE_ZONE = ZoneInfo("America/Chicago")
_CLOSES, _OPENS = time(15, 10), time(17, 0)  # API.md 7.
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_HALT_HOUR = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What an endpoint decided: HTTP 200 with the envelope (API.md 1)."""

    payload: Object = field(default_factory=dict)
    code: int = 0
    message: str | None = None
    performed: bool = False  # It changed something beyond a rejected order.
    orders: tuple[WorkOrder, ...] = ()

    def envelope(self) -> Object:
        return {**self.payload, "success": self.code == 0, "errorCode": self.code, "errorMessage": self.message}


class Venue:
    """The state behind the endpoints. `now` is moved by the broker; `hours` refuses orders outside trading hours.

    `moving`: the bars before the first quote are those of a market that moves. `most_rows` bounds lists, 0 does not.
    """

    def __init__(
        self,
        exchange: Exchange,
        accounts: tuple[AccountPlan, ...],
        now: int,
        hours: bool,
        moving: bool = False,
        most_rows: int = 0,
    ) -> None:
        self.exchange = exchange
        self.now = now
        self._hours = hours
        self._moving = moving
        self.most_rows = most_rows
        self.accounts = {plan.id: _account(plan) for plan in accounts}
        self._instruments: dict[str, Instrument] = {}
        self._histories: dict[str, BarHistory] = {}

    def instrument(self, contract_id: str) -> Instrument | None:
        """The contract, expired ones too; None when there never was one."""
        known = self._instruments.get(contract_id)
        if known is None and (found := contract_of(contract_id)) is not None:
            product, expiry = found
            known = self._instruments[contract_id] = Instrument(product.root, expiry, product.reference_price)
        return known

    def quoted(self, root: str, last: int) -> Instrument:
        """The active contract of a root, from the beginning at a price of `last`. Raises KeyError."""
        instrument = Instrument(root, active_expiry(OFFERED[root], self._today()), last)
        self._instruments[instrument.id] = instrument
        return instrument

    def active_id(self, root: str) -> str:
        """The contract of an exchange root that takes orders today. Raises KeyError for an unknown root."""
        return contract_id_of(OFFERED[root], active_expiry(OFFERED[root], self._today()))

    def is_active(self, instrument: Instrument) -> bool:
        return self.active_id(instrument.root) == instrument.id

    def active_instruments(self) -> list[Instrument]:
        """All 51, by contract id."""
        found = [self.instrument(self.active_id(root)) for root in OFFERED]
        return sorted([instrument for instrument in found if instrument is not None], key=lambda one: one.id)

    def history(self, instrument: Instrument) -> BarHistory:
        """The bars of a contract; for an unquoted one they stand where it stands."""
        known = self._histories.get(instrument.id)
        if known is None:
            known = self._histories[instrument.id] = BarHistory(
                instrument.open, instrument.tick_size, trades_at if self._moving else None
            )
        return known

    def open_for_trading(self) -> bool:
        """Whether orders are taken: Sunday 17:00 to Friday 15:10 in Chicago, without 15:10 to 17:00 (API.md 7)."""
        if not self._hours:
            return True
        local = datetime.fromtimestamp(self.now // SECOND_NS, EXCHANGE_ZONE)
        day, clock = local.weekday(), local.time()
        before_close = clock < _CLOSES and day not in (_SATURDAY, _SUNDAY)
        after_open = clock >= _OPENS and day not in (_FRIDAY, _SATURDAY)
        return before_close or after_open

    def held(self, account: TradingAccount, contract_id: str) -> int:
        """The signed size of a position, 0 when flat."""
        holding = account.holdings.get(contract_id)
        return 0 if holding is None else holding.size

    def _today(self) -> date:
        return datetime.fromtimestamp(self.now // SECOND_NS, UTC).date()


@lru_cache(maxsize=1 << 16)
def _trades_in_minute(minute: int) -> bool:
    local = datetime.fromtimestamp(minute * 60, EXCHANGE_ZONE)
    day, hour = local.weekday(), local.hour
    return (day < _SATURDAY and hour < _HALT_HOUR) or (day not in (_FRIDAY, _SATURDAY) and hour > _HALT_HOUR)


def trades_at(at: int) -> bool:
    """Whether the exchange trades: Sunday 17:00 to Friday 16:00 in Chicago, without 16:00 to 17:00 (API.md 7)."""
    return _trades_in_minute(at // MINUTE_NS)


def _account(plan: AccountPlan) -> TradingAccount:
    return TradingAccount(
        plan.id,
        plan.name,
        money(plan.balance),
        plan.can_trade,
        plan.simulated,
        plan.visible,
        plan.auto_oco,
        plan.follower,
    )
