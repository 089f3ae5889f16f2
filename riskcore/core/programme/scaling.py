"""PROG-SCALING: how many lots an XFA may hold by the balance it opened the day with (PROGRAMME.md 3.2 and 5)."""

from riskcore.core.events import PayoutRecorded, ProgrammeReset
from riskcore.core.names import memory_name, rule_key
from riskcore.core.programme.balances import balance_usd, opening_usd
from riskcore.core.programme.terms import SCALING_BOUNDARY, Terms
from riskcore.core.quantities import FRACTION_SCALE
from riskcore.core.state import Account
from riskcore.core.view import View

# The lots in force today. Within a session they never rise.
SIZE_NAME = "programme_size"
SIZE_KEY, LOTS = rule_key(SIZE_NAME, 0), "day.lots"


def lots_by(terms: Terms, balance_usd: int) -> int:
    """Lots at a balance; exactly at a step the upper ones, or the lower by the other reading (R4)."""
    upper = terms.reading(SCALING_BOUNDARY) == "upper"
    found = 0
    for from_usd, lots in terms.scaling:
        if from_usd is None or balance_usd > from_usd or (upper and balance_usd == from_usd):
            found = lots
    return found


def remember_lots(terms: Terms, view: View) -> None:
    """Lots by the opening balance; a payout lowers them at once to those of what is left with the day's result."""
    if not terms.scaling:
        return
    body = view.event.body
    if isinstance(body, ProgrammeReset):
        view.keep_account(LOTS, None)
    balance = opening_usd(view.account)
    if isinstance(body, PayoutRecorded):
        balance = balance_usd(view.book, view.account)
    if balance is None:
        return
    known, lots = view.recall_account(LOTS), lots_by(terms, balance)
    view.keep_account(LOTS, lots if known is None else min(known, lots))


def lots_of(terms: Terms, account: Account) -> int | None:
    """Lots that the account may hold now; None where nothing scales, or while no balance has been reported."""
    return account.memory.get(memory_name(SIZE_KEY, LOTS)) if terms.scaling else None


def size_cap_units(terms: Terms, lots: int | None) -> int | None:
    """The total cap in micro-units: ten for a lot, else that of the account. None: not known, or none."""
    if terms.scaling:
        return None if lots is None else lots * 10
    return terms.size_cap_units


def product_caps(terms: Terms, lots: int | None) -> dict[str, int]:
    """Contracts of each restricted root: the firm's ceiling, and its share of the lots in force where one is told."""
    counted = terms.product_lots if terms.product_lots is not None else lots
    caps = dict(terms.product_caps)
    if counted is not None:
        for root, share in terms.product_shares:
            scaled = share * counted // FRACTION_SCALE
            caps[root] = min(caps.get(root, scaled), scaled)
    return caps
