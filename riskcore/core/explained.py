"""Whether fills that were reported late explain what the broker showed in their place (carried.py).

What the broker shows is slightly old, and so are fills that are listed; the clocks of both ends differ. Times alone
therefore do not say which of the late fills were part of what was shown. What they come to does: once the fills of
some moment have the size and the cost that the broker named, none is missing up to there, and fills are the authority
again (RULES.md 1.5, "realised + unrealised = equity").
"""

from dataclasses import replace

from riskcore.core.fold import fills_of, fold_again, fold_of, put
from riskcore.core.lots import lots_of, opened_for
from riskcore.core.state import Account, Book, Contract, Position, Shown, Trade

# With more fills than this reported since, what the broker showed was more than fills: a position that was carried in.
MOST_LATE = 64


def told_so_far(book: Book, account: Account, position: Position) -> tuple[int, int | None]:
    """Signed size and cost of all fills reported so far, also where the broker's figures replace some of them.

    The cost is None where fills may be missing that are never reported: those of a position that was carried in.
    """
    shown, contract = position.shown, book.contracts.get(position.contract)
    if contract is None or not account.reconciled_at or (shown is not None and shown.at and shown.told_cost is None):
        return 0, None
    if shown is not None and shown.told_cost is not None:
        sums, fills = (shown.told_size, shown.told_cost), _late(account, shown)
    elif shown is not None and shown.cost is None:
        return 0, None
    else:
        # Not what is open: a closing fill counts, too, whose opening one is still to be reported.
        sums, fills = (0, 0) if shown is None else (shown.size, shown.cost or 0), _folded(account, position)
    for one in fills:
        sums = _with(sums, one, contract)
    return sums


def note_late(position: Position, trade: Trade) -> None:
    """A fill is reported before it is known whether late ones explain what the broker showed."""
    shown = position.shown
    if shown is None or shown.told_cost is None:
        return
    if len(shown.late) >= MOST_LATE:
        forget_told(position)
    else:
        position.shown = replace(shown, late=(*shown.late, trade.id))


def forget_told(position: Position) -> None:
    """Stop comparing: what the fills come to that were reported before the broker's figures is no longer known."""
    if position.shown is not None:
        position.shown = replace(position.shown, told_size=0, told_cost=None, late=())


def believe_fills(book: Book, account: Account, position: Position) -> None:
    """Fills take their place again where they come to what the broker showed, then or last."""
    if _is_all_told(position):
        before, position.shown = fold_of(book, account, position), None
        fold_again(book, account, position, before)
    shown, contract = position.shown, book.contracts.get(position.contract)
    if shown is None or shown.told_cost is None or contract is None:
        return
    pushed, average = position.pushed, position.average_price
    named = [(shown.size, shown.cost)]
    if pushed and average is not None:
        named.append((pushed, average * pushed))
    late = _late(account, shown)
    sums, number = (shown.told_size, shown.told_cost), 0
    while not _is_one_of(named, *sums):
        if number == len(late):
            return
        sums = _with(sums, late[number], contract)
        number += 1
    _begin_with(book, account, position, late, number, sums)


def _is_all_told(position: Position) -> bool:
    """Whether fills alone come to what the broker shows, so that nothing is open beside them.

    A fill that is told before an older one of its order may be taken for a part of what was shown before both. What
    has been open for longer than fills are late (`confirmed`) is open whatever they come to.
    """
    lots, pushed, average = lots_of(position), position.pushed, position.average_price
    if not position.carried or position.confirmed or not lots.lots or pushed is None or average is None:
        return False
    return pushed == lots.size and abs(average * pushed - lots.cost) <= abs(pushed)


def _begin_with(
    book: Book, account: Account, position: Position, late: list[Trade], number: int, known: tuple[int, int]
) -> None:
    """What was open after the first `number` late fills is known: the others continue from there."""
    before, (size, cost) = fold_of(book, account, position), known
    put(account, [replace(one, shown=place < number) for place, one in enumerate(late)])
    explained = fold_of(book, account, position).shown
    if (explained.size, explained.cost) != known:
        # They close what was opened by fills that are no longer part of the fold.
        assert position.shown is not None, "it stands for those"
        others = fills_of(account, position.contract)
        put(account, [_settled(one) for one in others if one.id not in position.shown.late and not one.settled])
        before = fold_of(book, account, position)
        put(account, [_settled(one) for one in late[:number]])
    position.shown = Shown(size, cost, 0)
    fold_again(book, account, position, before)
    position.confirmed = position.carried


def _settled(trade: Trade) -> Trade:
    return replace(trade, settled=True)


def _is_one_of(named: list[tuple[int, int | None]], size: int, cost: int) -> bool:
    """Whether the broker named this size and cost; its average price is cut to 1e-9 points."""
    return any(one == size and paid is not None and abs(paid - cost) <= abs(size) for one, paid in named)


def _late(account: Account, shown: Shown) -> list[Trade]:
    """The fills reported since, in the order in which they were made."""
    return [one for one in account.trades.values() if one.id in shown.late and not one.voided]


def _folded(account: Account, position: Position) -> list[Trade]:
    """The fills that the fold has behind what was shown."""
    return [one for one in fills_of(account, position.contract) if not (one.shown or one.settled or one.voided)]


def _with(sums: tuple[int, int], trade: Trade, contract: Contract) -> tuple[int, int]:
    """Signed size and cost with one more fill."""
    size, cost = sums
    return size + trade.side * trade.size, cost + _paid(trade, contract)


def _paid(trade: Trade, contract: Contract) -> int:
    """What a fill adds to the cost of all that is open: a closing one takes out what its contracts were opened for."""
    opened = opened_for(trade, contract)
    return trade.side * (trade.price * trade.size if opened is None else opened)
