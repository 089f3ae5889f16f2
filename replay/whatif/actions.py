"""What a course does at one moment, contract by contract and order by order (WHATIF.md 1, "Action").

A command counts when at that moment it changes something at the broker: the obligation that it put in force has not
been met already. A lockout that keeps an entry out is an action as well; it is looked at before the entry is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from riskcore.core import events as e
from riskcore.core.guard import active_lockouts, shown_lockout
from riskcore.core.issuers import PLANNER_ID
from riskcore.core.rulebook import Rulebook
from riskcore.core.rules.base import Proposal
from riskcore.core.state import STATUS_OPEN, TYPE_MARKET, Account, Book, Order, Position
from riskcore.core.view import Effect, View
from riskcore.schema.rows import command_row

_MOMENT = e.Event(0, "core", "entry", e.ClockTicked())


@dataclass(frozen=True, slots=True)
class Action:
    """One thing done at the broker. `what` and `target` name it, `level` says how far it goes."""

    what: str  # close | cancel | stop | keep_out
    target: str
    contract: str
    level: tuple[int | None, ...]
    at: int
    cause: str
    row: dict[str, Any]
    command: e.Command | None = None
    rule: str = ""
    rule_key: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return self.what, self.target

    def like(self, other: "Action | None") -> bool:
        """Whether the other course does the same."""
        return other is not None and self.level == other.level


Actions = dict[tuple[str, str], Action]


def actions_of(book: Book, issued: Sequence[e.Event]) -> dict[int, Actions]:
    """The actions of commands that were just issued, per account."""
    found: dict[int, Actions] = {}
    for event in issued:
        body = event.body
        if not isinstance(body, e.CommandIssued) or body.rule == PLANNER_ID:
            continue
        account = book.accounts[body.account]
        for action in _actions(account, event, body):
            of_account = found.setdefault(account.id, {})
            known = of_account.get(action.name)
            if known is None or (action.what == "close" and action.level < known.level):
                of_account[action.name] = action
    return found


def _actions(account: Account, event: e.Event, body: e.CommandIssued) -> list[Action]:
    obligation = account.obligations.get(body.id)
    if obligation is None:
        return []
    command, row = body.command, command_row(event, body)

    def action(what: str, target: str, contract: str, *level: int | None) -> Action:
        return Action(what, target, contract, level, event.at, event.cause, row, command, body.rule, body.rule_key)

    if command.kind == "CloseAllPositions":
        return [action("close", one.contract, one.contract, 0) for one in account.positions.values() if held_size(one)]
    if command.kind in ("ClosePosition", "ReducePosition"):
        position = account.positions.get(command.contract or "")
        if position is None or abs(held_size(position)) <= (command.to or 0):
            return []
        return [action("close", position.contract, position.contract, command.to or 0)]
    if command.kind in ("CancelOrders", "CancelOrder"):
        orders = [account.orders[one] for one in obligation.order_ids if one in account.orders]
        return [action("cancel", str(one.id), one.contract) for one in orders if works(account, one)]
    if command.kind in ("PlaceStop", "ModifyStop"):
        target = f"{command.contract}/{command.order_id or ''}"
        return [action("stop", target, command.contract or "", command.side, command.size, command.price)]
    if command.kind == "ModifyTarget":
        return [action("target", str(command.order_id), command.contract or "", command.side, command.price)]
    return []


def held_size(position: Position) -> int:
    """The signed size that is held: by the newer of the last fill and the last push, which may be behind."""
    return position.lot_size if position.fill_at >= position.push_at else position.size


def works(account: Account, order: Order) -> bool:
    """Whether an order works: one that its fills have used up does not, whatever its last version says."""
    if not order.working:
        return False
    filled = sum(one.size for one in account.trades.values() if one.order_id == order.id and not one.voided)
    return not order.size or filled < order.size


class Refusal(NamedTuple):
    """Which rule keeps an entry out, and its table where the rule itself does so and no lockout."""

    rule: str
    table: str = ""


def refusal(book: Book, rulebook: Rulebook, account_id: int, contract: str, side: int, at: int) -> Refusal | None:
    """What keeps a new entry out at an instant; None when it may be made."""
    account = book.accounts.get(account_id) or Account(account_id)
    profile = rulebook.profile
    # The instant of the entry: time may not have been told to the book yet.
    moment = replace(book, now=at) if at > book.now else book
    view = View(moment, account, _MOMENT, Effect((account_id,)), profile.pnl_basis, profile.mark)
    lockouts = active_lockouts(view, view.root(contract))
    if lockouts:
        return Refusal(shown_lockout(lockouts).rule)
    proposal = Proposal(
        Order(0, contract, STATUS_OPEN, TYPE_MARKET, side, 1, 0, None, None, None, None, None, None, at)
    )
    for instance in rulebook.instances(account):
        if instance.shadow or instance.lacking(book.lacks):
            continue
        view.rule_key = instance.key
        admit = instance.rule.admit if instance.rule.keeps_out else None
        if admit is not None and admit(instance.params, view, proposal) is not None:
            return Refusal(instance.rule.id, instance.key)
    return None


def keep_out_row(account: int, contract: str, rule: str, size: int) -> dict[str, Any]:
    """An entry kept out, as a divergence shows it."""
    return {"kind": "KeepOut", "account": account, "rule": rule, "contract": contract, "size": size}
