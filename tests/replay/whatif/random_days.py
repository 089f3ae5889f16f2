"""Small random wire recordings from one seed, and settings that make the rules bite.

The traders are careless: they flip, add to losers, close in parts and hold overnight. What the broker says of a fill is
what a broker would say (FIFO), so that only the course of the day is random.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from tests.replay.whatif.recording_lines import Lines, instant
from tests.replay.whatif.reference_books import Lot, without_oldest
from tests.replay.whatif.reference_facts import MILLISECOND_NS, SECOND_NS, tick_of, worth
from tests.replay.whatif.reference_rules import Settings

CONTRACTS = {"CON.F.US.MNQ.Z26": 21000, "CON.F.US.EP.Z26": 6000, "CON.F.US.MCLE.Z26": 60}
FEES = {
    "CON.F.US.MNQ.Z26": ("0.37", "0.25"),
    "CON.F.US.EP.Z26": ("1.40", "0.25"),
    "CON.F.US.MCLE.Z26": ("0.52", "0.25"),
}
ACCOUNTS = (99000001, 99000002)
FIRST_DAY = date(2026, 11, 16)  # A Monday.
# The moves of a contract between two looks, in ticks.
MOVES = (-40, -15, -8, -3, -1, 0, 1, 3, 8, 15, 40)
FILLED, CANCELLED, OPEN, PENDING = 2, 3, 1, 6


@dataclass
class Case:
    """A recording, the settings of the counterfactual and the options of the run."""

    seed: int
    lines: list[str]
    settings: Settings
    policy: str
    latency_ms: int
    slippage_ticks: int
    independent: bool
    baseline: Settings | None = None

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The recording and the configuration as files."""
        recording, config = folder / f"random-{self.seed}.jsonl", folder / f"random-{self.seed}.toml"
        recording.write_text("\n".join(self.lines) + "\n", encoding="utf-8")
        config.write_text(toml_of(self.settings), encoding="utf-8")
        if self.baseline is not None:
            self.baseline_file(folder).write_text(toml_of(self.baseline), encoding="utf-8")
        return recording, config

    def baseline_file(self, folder: Path) -> Path:
        return folder / f"random-{self.seed}-baseline.toml"

    def options(self, folder: Path) -> list[str]:
        numbers = ["--latency-ms", str(self.latency_ms), "--slippage-ticks", str(self.slippage_ticks)]
        baseline = [] if self.baseline is None else ["--baseline", str(self.baseline_file(folder))]
        independent = ["--independent-days"] if self.independent else []
        return ["--policy", self.policy, *numbers, *independent, *baseline]


def random_case(seed: int) -> Case:
    random = Random(seed)
    recording = RandomRecording(random)
    return Case(
        seed,
        recording.lines.texts(),
        random_settings(random),
        random.choice(("follow", "follow", "freeze", "stop")),
        random.choice((0, 250, 250, 250, 1000, 5000)),
        random.choice((0, 2, 2, 4)),
        independent=random.random() < 0.25,
    )


def random_settings(random: Random) -> Settings:
    """One to three rules with limits that careless traders reach."""
    lockouts = ({}, {}, {"lockout": "until_reset"}, {"lockout": "cooldown", "cooldown_seconds": 240})
    offers: dict[str, dict[str, Any]] = {
        "max_contracts": {"limit": random.choice((2, 3, 4)), **random.choice(lockouts)},
        "daily_realized_loss": {"loss_limit": random.choice((60, 150, 400))},
        "daily_unrealized_loss": {"loss_limit": random.choice((40, 100, 250)), **random.choice(lockouts)},
        "trade_frequency_limit": {
            "per_minute": random.choice((2, 3)),
            "per_hour": random.choice((4, 6)),
            "per_session": random.choice((8, 12)),
            "breach_when": random.choice(("exceeded", "reached")),
        },
        "cooldown_after_loss": {"tiers": random.choice((((50, 300),), ((30, 120), (100, 900))))},
    }
    names = random.sample(sorted(offers), random.choice((1, 1, 2, 2, 3)))
    return {name: offers[name] for name in sorted(names)}


def toml_of(settings: Settings) -> str:
    texts = ['[profile]\nname = "what-if"\n']
    for name, params in settings.items():
        texts.append(f"[rules.{name}]")
        for key, value in params.items():
            if key == "tiers":
                tiers = [f'{{ loss_amount = "{loss}", cooldown_seconds = {pause} }}' for loss, pause in value]
                texts.append(f"loss_thresholds = [{', '.join(tiers)}]")
            elif key == "loss_limit":
                texts.append(f'loss_limit = "{value}"')
            else:
                texts.append(f"{key} = {value!r}".replace("'", '"'))
    return "\n".join(texts) + "\n"


@dataclass
class Trader:
    """What one account did so far, so that its next fill can be told as a broker would tell it."""

    fills: list[tuple[int, str, int, Fraction, bool]] = field(default_factory=list)  # id, contract, size, price, closes
    voided: set[int] = field(default_factory=set)

    def lots(self, contract: str) -> list[Lot]:
        lots: list[Lot] = []
        for trade, name, size, price, closes in self.fills:
            if name != contract or trade in self.voided:
                continue
            side = 1 if size > 0 else -1
            lots = without_oldest(lots, abs(size))[0] if closes else [*lots, Lot(side, abs(size), price)]
        return lots

    def position(self, contract: str) -> int:
        return sum(lot.side * lot.size for lot in self.lots(contract))


class RandomRecording:
    """Lines of one to three days, made in order of time."""

    def __init__(self, random: Random, *, orders: bool = True) -> None:
        self.random = random
        self.lines = Lines()
        self.accounts = ACCOUNTS[: random.choice((1, 1, 2))]
        self.contracts = random.sample(list(CONTRACTS), random.choice((1, 1, 2)))
        self.shows_orders, self.pushes = orders and random.random() < 0.6, orders and random.random() < 0.3
        self.void_chance = 0.04 if orders else 0.0
        self.traders = {account: Trader() for account in self.accounts}
        self.prices = {one: Fraction(start) for one, start in CONTRACTS.items()}
        self.orders = self.trades = 0
        self.stops: dict[tuple[int, str], tuple[int, int]] = {}
        days = random.choice((1, 1, 2, 3))
        for number in range(days):
            self._day(FIRST_DAY + timedelta(days=number), last=number == days - 1)

    def _day(self, day: date, last: bool) -> None:
        random = self.random
        self.now = instant(f"{day} {random.randrange(8, 15):02}:{random.randrange(60):02}:00")
        ends = instant(f"{day} 16:59:00")
        self.quoted = random.random() < 0.8
        quoted_until = random.randrange(5, 25) if random.random() < 0.15 else 1000
        self._quotes(2)
        for number in range(random.randrange(4, 16)):
            self.quoted = self.quoted and number < quoted_until
            self._quotes(random.choice((0, 1, 1, 2, 4)))
            self._pass(random.choice((2, 15, 40, 120, 600)))
            if self.now > ends:
                break
            self._trade(random.choice(self.accounts), random.choice(self.contracts))
        for account in self.accounts:
            for contract in self.contracts:
                held = self.traders[account].position(contract)
                if held and random.random() < (0.5 if last else 0.7):
                    self._pass(20)
                    self._quotes(1)
                    self._filled(account, contract, -held)
                self._end_stop(account, contract, CANCELLED)
        if random.random() < 0.7:
            self._quotes(2)

    # ---- the market ----------------------------------------------------------------------------------

    def _pass(self, seconds: int) -> None:
        self.now += self.random.randrange(seconds * 1000) * MILLISECOND_NS

    def _say(self, account: int | None, contract: str) -> Lines:
        self.lines.at_instant(self.now)
        self.lines.contract = contract
        if account is not None:
            self.lines.account = account
        return self.lines

    def _move(self, contract: str) -> Fraction:
        self.prices[contract] += self.random.choice(MOVES) * tick_of(contract)
        return self.prices[contract]

    def _quotes(self, count: int) -> None:
        """Quotes near instants that matter: some at once, some at exactly the latency, some late."""
        if not self.quoted:
            return
        for _ in range(count):
            gap = self.random.choice((0, 40, 100, 210, 250, 300, 1000, 4000, 12_000, 30_000))
            self.now += gap * MILLISECOND_NS
            contract = self.random.choice(self.contracts)
            last, tick = self._move(contract), tick_of(contract)
            if self.random.random() < 0.2:
                self._say(None, contract).traded(last)
                continue
            spread = self.random.choice((0, 1, 3))
            sides = (last, last - spread * tick, last + tick)
            shown = [one if self.random.random() < 0.7 else None for one in sides]
            self._say(None, contract).quote(*shown)

    # ---- the traders ---------------------------------------------------------------------------------

    def _trade(self, account: int, contract: str) -> None:
        held, chance = self.traders[account].position(contract), self.random.random()
        side = self.random.choice((1, -1))
        if not held:
            self._entry(account, contract, side * self.random.randrange(1, 5))
        elif chance < 0.3:
            self._entry(account, contract, (1 if held > 0 else -1) * self.random.randrange(1, 4))
        elif chance < 0.45:
            self._flip(account, contract, held)
        elif chance < 0.7:
            self._filled(account, contract, -held)
        else:
            self._filled(account, contract, (-1 if held > 0 else 1) * self.random.randrange(1, abs(held) + 1))
        if self.random.random() < self.void_chance:
            self._void(account, contract)
        self._order_without_fill(account, contract)

    def _entry(self, account: int, contract: str, size: int) -> None:
        if abs(size) > 1 and self.random.random() < 0.3:
            part = (1 if size > 0 else -1) * self.random.randrange(1, abs(size))
            self._filled(account, contract, size, parts=(part, size - part))
        else:
            self._filled(account, contract, size, rests=self.random.random() < 0.3)
        if self.shows_orders and self.random.random() < 0.4 and (account, contract) not in self.stops:
            held = self.traders[account].position(contract)
            self.orders += 1
            self.stops[account, contract] = (90_000 + self.orders, -held)
            self._say(account, contract).order(90_000 + self.orders, -held, OPEN, kind=4, price=self.prices[contract])

    def _flip(self, account: int, contract: str, held: int) -> None:
        """The broker tells a flip as two half-turns of one order, the closing one first."""
        beyond = (-1 if held > 0 else 1) * self.random.randrange(1, 4)
        self._filled(account, contract, beyond - held, parts=(-held, beyond), at_once=True)

    def _filled(
        self,
        account: int,
        contract: str,
        size: int,
        parts: tuple[int, ...] = (),
        at_once: bool = False,
        rests: bool = False,
    ) -> None:
        """An order from its placing to its last fill; a resting one waits for the market."""
        self.orders += 1
        order, stop = 80_000 + self.orders, self.stops.get((account, contract))
        if stop is not None and stop[1] == size and self.random.random() < 0.5:
            order, rests = stop[0], False
            self.stops.pop((account, contract))
        elif self.shows_orders:
            self._say(account, contract).order(order, size, OPEN if rests else PENDING, kind=1 if rests else 2,
                                               price=self.prices[contract] if rests else None)  # fmt: skip
            if rests:
                self._quotes(self.random.choice((0, 1, 2)))
                self._pass(self.random.choice((1, 10, 60)))
            else:
                self.now += 5 * MILLISECOND_NS
        done = 0
        for number, part in enumerate(parts or (size,)):
            if number and not at_once:
                self.now += self.random.choice((100, 1100, 3000)) * MILLISECOND_NS if self.shows_orders else SECOND_NS
            self._tell_fill(account, contract, part, order)
            done += abs(part)
            if self.shows_orders:
                status = FILLED if done == abs(size) else OPEN
                self._say(account, contract).order(order, size, status, filled=done, kind=2)
        if not self.traders[account].position(contract):
            self._end_stop(account, contract, CANCELLED)

    def _tell_fill(self, account: int, contract: str, size: int, order: int) -> None:
        trader, price = self.traders[account], self._move(contract)
        held = trader.position(contract)
        closes = held * size < 0
        pnl = None
        if closes:
            _, gone = without_oldest(trader.lots(contract), abs(size))
            pnl = sum((worth(contract, (price - lot.price) * lot.side) * lot.size for lot in gone), Fraction(0))
        self.trades += 1
        trader.fills.append((70_000 + self.trades, contract, size, price, closes))
        fee, commission = (Fraction(one) * abs(size) for one in FEES[contract])
        if self.random.random() < 0.05:
            fee += Fraction("0.01")  # Does not divide by the size.
        lines = self._say(account, contract)
        number = order if self.shows_orders or self.random.random() < 0.9 else order + 500_000
        lines.fill(size, price, pnl, order=number, fees=fee, commissions=commission, trade=70_000 + self.trades)
        if self.pushes:
            lots = trader.lots(contract)
            count = sum(lot.size for lot in lots)
            average = sum((lot.price * lot.size for lot in lots), Fraction(0)) / count if count else 0
            lines.position(trader.position(contract), Fraction(round(average * 100), 100))

    def _void(self, account: int, contract: str) -> None:
        """The broker takes back the latest fill of the contract, a moment later."""
        trader = self.traders[account]
        known = [one for one in trader.fills if one[1] == contract and one[0] not in trader.voided]
        if not known or self.pushes:
            return
        trade, _, size, price, _ = known[-1]
        self._pass(30)
        trader.voided.add(trade)
        self._say(account, contract).fill(size, price, order=1, trade=trade, voided=True)

    def _end_stop(self, account: int, contract: str, status: int) -> None:
        stop = self.stops.pop((account, contract), None)
        if stop is not None:
            self.now += 60 * MILLISECOND_NS
            self._say(account, contract).order(stop[0], stop[1], status, kind=4)

    def _order_without_fill(self, account: int, contract: str) -> None:
        """A resting order that is cancelled before it fills."""
        if not self.shows_orders or self.random.random() > 0.15:
            return
        self.orders += 1
        order, size = 95_000 + self.orders, self.random.choice((-2, -1, 1, 2))
        self._say(account, contract).order(order, size, OPEN, kind=1, price=self.prices[contract])
        self._quotes(self.random.choice((0, 1, 3)))
        self._pass(20)
        self._say(account, contract).order(order, size, CANCELLED, kind=1)
