"""The baseline of a recording in the reference: what its own settings decided along the record (`--baseline`).

It carries nothing out: the record is what came of it. It says which recorded closes were riskcore's own.
"""

from dataclasses import dataclass, replace

from tests.replay.whatif.reference_books import Booked
from tests.replay.whatif.reference_broker import RECORD, Moment, Plan, Request
from tests.replay.whatif.reference_facts import SECOND_NS, Order
from tests.replay.whatif.reference_judge import Judge
from tests.replay.whatif.reference_record import Cancelled
from tests.replay.whatif.reference_rules import Lockout, Memory, Settings

# How old a close of riskcore's may be for a recorded fill, or a cancel, to be what came of it.
CARRIED_OUT_NS = 60 * SECOND_NS
NEVER = 1 << 80
RULE_NAMES = {
    "RULE-001": "max_contracts",
    "RULE-003": "daily_realized_loss",
    "RULE-004": "daily_unrealized_loss",
    "RULE-006": "trade_frequency_limit",
    "RULE-007": "cooldown_after_loss",
}


@dataclass
class Baseline(Judge):
    def take_order(self, order: Order, moment: Moment) -> None:
        if self.could_open(order) and order.id not in self.cancelled and self.memory.locked(moment.at):
            self.actions.add(("cancel", order.id, 0))
            self._cancel(order, moment)
        self._look_again(moment)

    def take_part(self, recorded: Booked, moment: Moment) -> None:
        before = self.exposure(recorded.contract)
        one = replace(recorded)
        self.book.fills.append(one)
        if not one.closes:
            self.memory.increases.append(one.contract)
        self._changed(one.contract, before, moment, fill=one)

    def take_void(self, contract: str, trade: int, moment: Moment) -> None:
        before = self.exposure(contract)
        shares = [one for one in self.book.fills if one.recorded_id == trade and not one.voided]
        for one in shares:
            one.voided = True
        closing = [one for one in shares if one.closes]
        if shares:
            self._changed(contract, before, moment, voided=(closing or shares)[0])

    def carried_out(self, contract: str, at: int) -> bool:
        """Whether a close of the contract is in force, and young enough for a fill now to be what came of it."""
        return any(one.contract == contract and at - one.decided_at <= CARRIED_OUT_NS for one in self.requests)

    def decided_to_close(self, contract: str, at: int) -> bool:
        return any(name == contract and 0 <= at - since <= CARRIED_OUT_NS for name, since in self.closed)

    def left(self, settings: Settings) -> Memory:
        """What the rules left of an account; a lockout of a rule that other settings do not have ends."""
        lockouts = {
            key: Lockout(one.until, dict(one.held))
            for key, one in self.memory.lockouts.items()
            if RULE_NAMES[key[0]] in settings
        }
        known = self.memory
        return Memory(
            lockouts,
            set(known.days_over) if "daily_realized_loss" in settings else set(),
            set(known.lives_over) if "daily_unrealized_loss" in settings else set(),
            known.count_over and "max_contracts" in settings,
            dict(known.tiers) if "cooldown_after_loss" in settings else {},
            list(known.increases),
        )

    def __post_init__(self) -> None:
        self.closed: list[tuple[str, int]] = []

    def _request(self, contract: str, level: int, sweeps: bool, moment: Moment) -> bool:
        self.requests.append(Request(contract, level, Plan(RECORD, moment.at), sweeps, moment.at))
        self.closed.append((contract, moment.at))
        return False

    def _cancel(self, order: Order, moment: Moment) -> bool:
        self.cancelled[order.id] = Cancelled(NEVER, worked=True)
        return False
