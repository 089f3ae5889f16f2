"""What would come of an order, asked before it is placed anywhere: nothing is stored, and nothing is sent."""

from dataclasses import dataclass

from riskcore.audit.safe_size import breaks
from riskcore.audit.status import view_of
from riskcore.core.trader_orders import objection
from riskcore.engine.desk import Asked, Desk, Market, account_named, fresh_mark, text_of
from riskcore.engine.desk_orders import placed


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an order may be placed. `rule` forbids it, if a rule does. `text` says why it is not allowed, or what
    could not be tried; it is empty when everything was.
    """

    allowed: bool
    rule: str | None
    text: str


async def check(desk: Desk, market: Market, asked: Asked) -> Verdict:
    """Whether riskcore would send this order, and whether its entry or its stop would break a rule.

    `asked` is what `riskcore order place` asks. A price that is not known yet is waited for, some seconds at most.
    Raises ConfigError for what makes no sense.
    """
    account = account_named(desk, text_of(asked, "account"))
    order = await placed(desk, market, account, asked)
    contract, terms = order.contract, order.terms
    assert contract is not None, "whoever places an order names a contract"
    assert terms is not None, "whoever places an order says how"
    await fresh_mark(desk, contract)
    book, rulebook = desk.book, desk.rulebook
    declined = objection(book, rulebook, order, desk.clock.now())
    if declined is not None:
        return Verdict(False, declined.rule, declined.reason)
    account = book.accounts[account.id]
    position = account.positions.get(contract)
    held = 0 if position is None else position.size
    if order.side * held < 0 and order.size <= abs(held):
        return Verdict(True, None, "")  # It only reduces, which is always allowed.
    ticks = None if terms.stop_loss_ticks is None else abs(terms.stop_loss_ticks)
    view = view_of(book, rulebook, account)
    rule, text = breaks(book, rulebook, account, view, contract, order.side, order.size, ticks)
    return Verdict(rule is None, rule, text)
