"""Random days from one seed: fills, pushes, orders, quotes, bars, ticks, connections, several accounts and contracts.

The traders here are careless on purpose: limits are tight, so that every rule has something to do.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money, price
from riskcore.core.quotes import Quotes
from riskcore.settings.config import load_settings

CONTRACTS = {
    "CON.F.US.MNQ.Z26": (price("21000"), price("0.25"), money("0.5")),
    "CON.F.US.EP.Z26": (price("6000"), price("0.25"), money("12.5")),
    "CON.F.US.MCLE.Z26": (price("60"), price("0.01"), money("1")),
}
ACCOUNTS = (99000001, 99000002)
# Friday 2026-11-20 14:00 Chicago; long days cross the reset and the weekend.
START = 1_795_204_800 * SECOND_NS


@dataclass
class RandomDay:
    """Facts in order: Quotes columns and events, as a reader delivers them."""

    seed: int
    count: int = 400
    quiet: bool = False  # Long calm runs of quotes, as real days have them.
    items: list[Quotes | e.Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.now = START + self.random.randrange(4 * 3600) * SECOND_NS
        self.prices = {name: start for name, (start, _, _) in CONTRACTS.items()}
        self.held: dict[tuple[int, str], list[list[int]]] = {}
        self.ids = 0
        self.orders: dict[int, tuple[int, str, int, int]] = {}
        for _ in range(self.count):
            if self.random.random() < 0.6:
                self._quotes()
            else:
                self._other()

    def _pass_time(self) -> None:
        scale = self.random.choice((0, 1_000_000, 300_000_000, SECOND_NS, 3 * SECOND_NS, 30 * SECOND_NS))
        self.now += self.random.randrange(scale + 1)
        if self.random.random() < 0.01:
            self.now += self.random.randrange(3 * 3600) * SECOND_NS

    def _quotes(self) -> None:
        rows: list[tuple[int, str, int | None, int | None, int | None]] = []
        names = self.random.sample(list(CONTRACTS), self.random.choice((1, 1, 1, 2, 3)))
        for _ in range(self.random.choice((1, 3, 40, 400 if self.quiet else 20))):
            name = self.random.choice(names)
            _, tick, _ = CONTRACTS[name]
            self.prices[name] += tick * self.random.choice((-1, 0, 0, 1) if self.quiet else (-9, -2, -1, 0, 1, 2, 9))
            self.now += self.random.choice((0, 50_000_000, 400_000_000))
            last = self.prices[name]
            shown = [value if self.random.random() < 0.7 else None for value in (last, last - tick, last + tick)]
            rows.append((self.now, name, *shown))
        self.items.append(Quotes(*(list(column) for column in zip(*rows, strict=True))))
        self._pass_time()

    def _event(self, body: Any, source: str, key: str) -> None:
        self.items.append(e.Event(self.now, source, key, body))
        self._pass_time()

    def _other(self) -> None:
        account, contract = self.random.choice(ACCOUNTS), self.random.choice(list(CONTRACTS))
        kind = self.random.choice(("trade", "trade", "trade", "push", "order", "order", "bar", "tick", "state", "hub"))
        if kind == "trade":
            self._trade(account, contract)
        elif kind == "push":
            size = sum(lot[1] for lot in self.held.get((account, contract), []))
            self._push(account, contract, size if self.random.random() < 0.9 else size + 1)
        elif kind == "order":
            self._order(account, contract)
        elif kind == "bar":
            at = self.now - self.now % (60 * SECOND_NS) - 60 * SECOND_NS
            low, high = sorted(
                self.prices[contract] + self.random.randrange(-40, 40) * CONTRACTS[contract][1] for _ in "ab"
            )
            body = e.BarObserved(contract, at, 60 * SECOND_NS, low, high, low, self.prices[contract])
            self._event(body, "market", f"bar:{contract}:{at}")
        elif kind == "tick":
            self._event(e.ClockTicked(), "clock", f"clock@{self.now}")
        elif kind == "state":
            self._event(e.AccountObserved(account, None, None, self.random.random() < 0.7, True), "broker", "account")
        else:
            state = self.random.choice(("connected", "connected", "lost", "stale"))
            self._event(e.ConnectionChanged(self.random.choice(("user", "market")), state), "broker", "connection")

    def _push(self, account: int, contract: str, size: int) -> None:
        body = e.PositionObserved(account, contract, size, self.prices[contract])
        self._event(body, "broker", f"position:{account}:{contract}@{self.now}")

    def _trade(self, account: int, contract: str) -> None:
        """Open, add, close or close and flip, with the P&L the broker would say."""
        lots = self.held.setdefault((account, contract), [])
        _, tick, value = CONTRACTS[contract]
        at_price = self.prices[contract]
        self.ids += 1
        profit = None
        if lots and self.random.random() < 0.55:
            side = -1 if lots[0][1] > 0 else 1
            size = self.random.randint(1, sum(abs(lot[1]) for lot in lots))
            profit = self._close(lots, size, at_price) * value // tick
        else:
            side = (1 if lots[0][1] > 0 else -1) if lots else self.random.choice((1, -1))
            size = self.random.randint(1, 4)
            lots.append([at_price, side * size])
        fees = money("0.37") * size
        placed = self.now - self.random.choice(
            (0, 40_000_000, 4 * 3600 * SECOND_NS if self.random.random() < 0.1 else 0)
        )
        body = e.TradeRecorded(account, self.ids, contract, at_price, side, size, placed, profit, fees, None, self.ids)
        self._event(body, "broker", f"trade:{self.ids}")
        if self.random.random() < 0.05:
            self._event(body, "broker", f"trade:{self.ids}")
        if self.random.random() < 0.03:
            self._event(e.TradeVoided(account, self.ids), "broker", f"trade:{self.ids}")

    @staticmethod
    def _close(lots: list[list[int]], size: int, at_price: int) -> int:
        points = 0
        while size:
            entry, held = lots[0]
            taken = min(size, abs(held))
            points += (at_price - entry) * taken * (1 if held > 0 else -1)
            lots[0][1] -= taken if held > 0 else -taken
            size -= taken
            if lots[0][1] == 0:
                lots.pop(0)
        return points

    def _order(self, account: int, contract: str) -> None:
        if self.orders and self.random.random() < 0.5:
            order_id = self.random.choice(sorted(self.orders))
            account, contract, side, kind = self.orders.pop(order_id)
            status = self.random.choice((2, 3, 3, 1))
        else:
            self.ids += 1
            order_id, status = self.ids, self.random.choice((1, 6, 1, 8))
            side, kind = self.random.choice((1, -1)), self.random.choice((1, 4, 4, 5, 2))
            self.orders[order_id] = (account, contract, side, kind)
        tick = CONTRACTS[contract][1]
        stop = self.prices[contract] - side * -1 * tick * self.random.randrange(1, 60) if kind == 4 else None
        parent = order_id - 1 if self.random.random() < 0.2 else None
        body = e.OrderObserved(
            account,
            order_id,
            contract,
            status,
            kind,
            side,
            self.random.randint(1, 3),
            0,
            None,
            stop,
            parent,
            None,
            None,
            self.now,
        )
        self._event(body, "broker", f"order:{order_id}@{self.now}")


def settings_of(random: Random) -> dict[str, Any]:
    """A random subset of the rules with tight, random settings."""
    return load_settings(None, settings_sets(random)).plain


def settings_sets(random: Random) -> list[str]:
    """The same as assignments."""
    tables: dict[str, list[str]] = {
        "max_contracts": [
            "limit=3",
            "action=close_all",
            "count_type=net",
            "include_working_orders=true",
            "lockout=cooldown",
        ],
        "max_contracts_per_instrument": ["limits.MNQ=2", "default_limit=3", "unknown_symbol_action=block"],
        "daily_realized_loss": [
            "loss_limit=60",
            "basis=combined",
            "basis=trailing_realized",
            "basis=trailing_unrealized",
        ],
        "daily_unrealized_loss": [
            "loss_limit=40",
            "scope=total",
            "confirm_ms=700",
            "lockout=cooldown",
            "action=flatten_and_lock",
        ],
        "max_unrealized_profit": ["profit_target=40", "arm_profit=20", "scope=total"],
        "trade_frequency_limit": ["per_minute=2", "count_unit=fill", "breach_when=reached"],
        "cooldown_after_loss": ["unit=fill", "unit=round_trip", "close_positions=true"],
        "no_stop_loss_grace": [
            "grace_period_seconds=5",
            "grace_mode=per_gap",
            "action=place_stop",
            "require_full_size=false",
        ],
        "session_block_outside": ["flatten_before_end_seconds=600", "close_at_end=false"],
        "auth_loss_guard": ["flatten_after_seconds=2"],
        "symbol_blocks": ['blocked_symbols=["MCL"]', "close_existing=false"],
        "trade_management": [
            "auto_breakeven.profit_trigger_ticks=4",
            "trailing_stop.activation_ticks=6",
            "max_hold_minutes=2",
        ],
        "daily_realized_profit": ["profit_target=60", "basis=combined", "give_back.arm=30"],
    }
    sets = []
    for name, options in tables.items():
        if random.random() < 0.5:
            sets.append(f"rules.{name}.enabled=true")
            sets += [f"rules.{name}.{option}" for option in options if random.random() < 0.5]
            if name == "max_unrealized_profit" and any("arm_profit" in one for one in sets):
                sets.append(f"rules.{name}.mode={random.choice(('breakeven', 'give_back'))}")
            if name == "daily_realized_profit" and any("give_back.arm" in one for one in sets):
                sets.append(f"rules.{name}.give_back.fraction=0.5")
    sets += [option for option in ("profile.mark=conservative", "profile.strict_mode=true") if random.random() < 0.2]
    sets += ["profile.on_blind=flatten"] if random.random() < 0.2 else []
    return sets
