"""Missed enforcement: what a rule demanded and did not get, or against which the trader added exposure.

An obligation ends only when recorded events show it met (RULES.md 1.6). In a replay nobody carries commands out, so
this list says how far the recorded trader was from what the rules would have enforced.
"""

from dataclasses import dataclass, field

from riskcore.core import events as e
from riskcore.core.in_force import is_met
from riskcore.core.kinds import CUTS, STOPS
from riskcore.core.state import Account, Book, Obligation
from riskcore.core.view import Effect
from riskcore.schema.instants import utc_text
from riskcore.schema.rows import Row

NOT_MET, EXPOSURE_ADDED = "not_met", "exposure_added"


@dataclass(slots=True)
class MissedEnforcement:
    """`rows` are complete after `finish`."""

    rows: list[Row] = field(default_factory=list)

    def listen(self, book: Book, event: e.Event, effect: Effect) -> None:
        """An event after it was applied: does it add exposure that a command in force forbids?"""
        if event.derived or not effect.increased:
            return
        account = book.accounts[effect.accounts[0]]
        for contract in effect.increased:
            size = account.positions[contract].size
            for obligation in account.obligations.values():
                if _closes(obligation, contract) and not is_met(account, obligation):
                    side = "long" if size > 0 else "short"
                    text = f"{abs(size)} {side} of {contract} while it was to be {_aim(obligation)}"
                    self.rows.append(_row(EXPOSURE_ADDED, event.at, account, obligation, contract, text, event.key))

    def finish(self, book: Book) -> None:
        """Time ends here: what is still in force was not met."""
        for account in book.accounts.values():
            for obligation in account.obligations.values():
                if obligation.kind == "ConfirmFlat":
                    continue  # The close itself was met; only the looks after it were still to come.
                text = _unmet(account, obligation)
                self.rows.append(_row(NOT_MET, book.now, account, obligation, obligation.contract, text, None))


def _closes(obligation: Obligation, contract: str) -> bool:
    if obligation.kind == "CloseAllPositions":
        return True
    return obligation.kind in CUTS and obligation.contract == contract


def _aim(obligation: Obligation) -> str:
    return f"at most {obligation.to}" if obligation.to else "flat"


def _unmet(account: Account, obligation: Obligation) -> str:
    if obligation.kind in CUTS:
        held = [
            f"{abs(position.size)} {position.contract}"
            for position in account.held()
            if _closes(obligation, position.contract)
        ]
        return f"still open at the end: {', '.join(held)}; it was to be {_aim(obligation)}"
    if obligation.kind in STOPS:
        return f"no such stop at the end on {obligation.contract}"
    if obligation.kind == "ModifyTarget":
        return f"the target of {obligation.contract} was not at its price at the end"
    working = [str(order_id) for order_id in obligation.order_ids if account.orders[order_id].working]
    return f"still working at the end: order {', '.join(working)}"


def _row(
    kind: str, at: int, account: Account, obligation: Obligation, contract: str | None, text: str, cause: str | None
) -> Row:
    return {
        "kind": kind,
        "at": utc_text(at),
        "account": account.id,
        "contract": contract,
        "command": obligation.id,
        "rule": obligation.rule,
        "since": utc_text(obligation.set_at),
        "cause": cause,
        "text": text,
    }
