"""What follows when the exposure of one contract changes: position lives, episodes, guard baselines."""

from riskcore.core.names import episode_target, is_about_all_positions, is_about_contract
from riskcore.core.products import built_in_contract, product_code, root_of_code
from riskcore.core.state import Account, Book, Position


def know_contract(book: Book, contract: str) -> None:
    """The built-in tick economics of a contract that no record of the broker has described yet."""
    if contract not in book.contracts:
        built_in = built_in_contract(contract)
        if built_in is not None:
            book.contracts[contract] = built_in


def root_of(book: Book, contract: str) -> str:
    known = book.contracts.get(contract)
    return known.root if known else root_of_code(product_code(contract))


def exposure_changed(book: Book, account: Account, position: Position, before: int, at: int) -> bool:
    """Bookkeeping after a position went from `before` to its present size; True when it was opened or increased.

    A life ends at flat and at a flip: its memory and its episodes end with it (RULES.md 1.6).
    """
    after = position.size
    if after == before:
        return False
    flipped = before * after < 0
    position.changed_at = at
    account.day(book.trade_date).held = True
    if after == 0 or flipped:
        _end_life(account, position)
    if after and (before == 0 or flipped):
        position.opened_at = at
    increased = abs(after) > abs(before) or flipped
    if increased:
        book.ordinal += 1
        position.increase_order = book.ordinal
        position.increased_at = max(position.increased_at, at)
    root = root_of(book, position.contract)
    for lockout in account.lockouts.values():
        if lockout.covers(root):
            lockout.held[position.contract] = smaller_held(lockout.held.get(position.contract, 0), after)
    return increased


def smaller_held(held: int, size: int) -> int:
    """The smallest signed size seen: nothing once flat or on the other side."""
    if held * size <= 0:
        return 0
    return min(held, size, key=abs)


def _end_life(account: Account, position: Position) -> None:
    position.memory.clear()
    flat = not account.held()
    for name in list(account.episodes):
        target = episode_target(name)
        of_position = is_about_contract(target, position.contract)
        if of_position or (flat and is_about_all_positions(target)):
            del account.episodes[name]


def note_disagreement(position: Position, at: int) -> None:
    """Remember since when fills and the broker's own size disagree (DESIGN.md, "Connection and truth")."""
    if position.pushed is None or position.lot_size == position.pushed:
        position.disagrees_since = None
    elif position.disagrees_since is None:
        position.disagrees_since = at


def baseline_of(position: Position) -> int:
    """The size a lockout finds when it begins, counting fills whose push has not come yet (RULES.md 1.5)."""
    if position.pushed is None or position.pushed * position.lot_size < 0:
        return position.size
    return max(position.pushed, position.lot_size, key=abs)
