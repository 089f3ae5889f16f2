"""The fills of one contract folded into lots and round trips, and folded again when one of them changes.

Order of the fold: first the fills that are part of what the broker showed (Trade.shown), then the rest of what it
showed, then all others. Fills with `settled` have no part in it. Once fills explain all that was shown, their order
is the one in which they were made.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from riskcore.core.lots import NO_LOTS, Lots, after_fill
from riskcore.core.quantities import MICROSECOND_NS
from riskcore.core.state import Account, Book, Contract, OldTrade, Position, Shown, Trade


@dataclass(frozen=True, slots=True)
class Folded:
    """What fills come to: the lots behind all, behind those that were shown, and where each round trip ended."""

    lots: Lots
    shown: Lots
    trips: dict[str, int]  # Round trips that ended, per trade date.
    numbers: dict[int, int]  # Of each fill, how many had ended before it.


def fills_of(account: Account, contract: str) -> list[Trade]:
    """Every fill of a contract of which more than the id is known, voided ones too, in the order they are folded."""
    old = [one.trade(trade_id) for trade_id, one in account.old_trades.items() if one.contract == contract]
    return [*old, *(one for one in account.trades.values() if one.contract == contract)]


def put(account: Account, trades: Iterable[Trade]) -> None:
    """Put changed fills in the place of those they were."""
    old = {}
    for trade in trades:
        if trade.id in account.old_trades:
            old[trade.id] = OldTrade.of(trade)
        else:
            account.trades[trade.id] = trade
    if old:
        account.old_trades = {**account.old_trades, **old}


def fold(fills: Sequence[Trade], shown: Shown | None, contract: Contract | None) -> Folded:
    """What the fills of one contract come to."""
    state, ended = NO_LOTS, 0
    trips: dict[str, int] = {}
    numbers: dict[int, int] = {}
    behind_shown = NO_LOTS
    for part in (True, False):
        for trade in fills:
            if trade.shown is not part or trade.settled:
                continue
            numbers[trade.id] = ended
            if not trade.voided:
                state = after_fill(state, trade, contract)
                ended += state.trip_ended
                trips[trade.trade_date] = trips.get(trade.trade_date, 0) + state.trip_ended
        if part:
            behind_shown = state
            state = _with_shown(state, shown)
    return Folded(state, behind_shown, trips, numbers)


def _with_shown(lots: Lots, shown: Shown | None) -> Lots:
    if shown is None or shown.size == lots.size:
        return lots
    cost = None if shown.cost is None else shown.cost - lots.cost
    return replace(lots, carried=shown.size - lots.size, carried_cost=cost)


def fold_of(book: Book, account: Account, position: Position) -> Folded:
    return fold(fills_of(account, position.contract), position.shown, book.contracts.get(position.contract))


def set_lots(position: Position, lots: Lots) -> None:
    """Take over what a fold came to; what was confirmed of a carried position goes as that goes."""
    position.side, position.lots, position.early = lots.side, lots.lots, lots.early
    position.carried, position.carried_cost = lots.carried, lots.carried_cost
    if position.confirmed * position.carried <= 0:
        position.confirmed = 0
    elif abs(position.carried) < abs(position.confirmed):
        position.confirmed = position.carried
    if lots.flat and position.shown is not None:
        # No fill reported from now on is part of it; yet it may turn out that too many were taken for a part of it.
        position.shown = replace(position.shown, at=0)


def fold_again(
    book: Book, account: Account, position: Position, before: Folded, *, keeps_carried: bool = False
) -> None:
    """Lots, round trips and their numbers after the fills of a contract changed from what `before` came to.

    With `keeps_carried` the change is one of the fills alone: what the broker showed beyond them stays as it was.
    """
    after = fold_of(book, account, position)
    shown = position.shown
    if keeps_carried and shown is not None and after.shown != before.shown:
        cost = None if shown.cost is None else shown.cost + after.shown.cost - before.shown.cost
        position.shown = replace(shown, size=shown.size + after.shown.size - before.shown.size, cost=cost)
        after = fold_of(book, account, position)
    shown = position.shown
    if shown is not None and shown.size == after.shown.size and not (shown.told_size or shown.told_cost):
        position.shown = None  # Fills explain all of it by now.
    known = fills_of(account, position.contract)
    if position.shown is None and any(one.shown for one in known):
        # What was shown may have come between them: first in the fold, they would close lots before their time.
        known = [replace(one, shown=False) for one in known]
        put(account, known)
        after = fold_of(book, account, position)
    set_lots(position, after.lots)
    first = min((one.round_trip for one in known if one.id in before.numbers), default=position.round_trips)
    numbered = [(one, first + after.numbers.get(one.id, one.round_trip - first)) for one in known]
    put(account, [replace(one, round_trip=number) for one, number in numbered if one.round_trip != number])
    position.round_trips += sum(after.trips.values()) - sum(before.trips.values())
    for trade_date in sorted({**before.trips, **after.trips}):
        difference = after.trips.get(trade_date, 0) - before.trips.get(trade_date, 0)
        if difference:
            account.day(trade_date).round_trips += difference


def is_in_order(account: Account, trade: Trade) -> bool:
    """Whether no fill of the contract that is known already was made after this one.

    Instants are compared in microseconds (API.md 0.12); equal ones stay in the order of receipt. So does a fill without
    a broker time: its receipt is by another clock than the times of the others.
    """
    if not _timed(trade):
        return True
    instant, behind_untimed = _made_at(trade), False
    for other in reversed(account.trades.values()):
        if other.contract == trade.contract and not other.voided and other.id != trade.id:
            made = _made_at(other)
            if made > instant:
                return False
            if _timed(other):
                return made < instant or not behind_untimed
            behind_untimed = True
    return True


def put_in_order(account: Account, contract: str) -> None:
    """Fills that are reported late take the place at which they were made, or what they closed would stay open.

    Voided ones keep theirs. A broker time that is ahead of our clock still says which fill came first: all of them are
    of one clock, and more likely ours is slow. Where that leaves closing fills less to close than if such a fill stays
    behind those that were known when it came, its time is wrong.
    """
    fills = [one for one in account.trades.values() if one.contract == contract and not one.voided]
    ordered = min([_ordered(fills, known) for known in (_timed, _dated)], key=_unmatched)
    in_order = iter(ordered)
    in_place = [
        next(in_order) if one.contract == contract and not one.voided else one for one in account.trades.values()
    ]
    account.trades = {trade.id: trade for trade in in_place}


def _ordered(fills: list[Trade], has_time: Callable[[Trade], bool]) -> list[Trade]:
    """By broker time; a fill without one stays behind those that were known when it came.

    So it is also behind the other half of the last of them.
    """
    places: list[tuple[tuple[int, bool], Trade]] = []
    latest = 0
    for one in sorted(fills, key=lambda trade: trade.recorded_at):
        timed = has_time(one)
        instant = _made_at(one) if timed else max(one.placed_at // MICROSECOND_NS, latest)
        places.append(((instant, not timed), one))
        latest = max(latest, instant)
    return [one for _, one in sorted(places, key=lambda place: place[0])]


def _unmatched(fills: list[Trade]) -> int:
    """Contracts that closing fills found nothing to close for, and halves of flips whose other half is not there."""
    lots, shortage = NO_LOTS, 0
    for trade in fills:
        if not trade.settled:
            lots = after_fill(lots, trade, None)
            shortage += lots.shortage
    return shortage + sum(lot.size for lot in lots.early)


def _dated(trade: Trade) -> bool:
    return trade.dated


def _timed(trade: Trade) -> bool:
    """Whether it has a time of the broker's, believed or not."""
    return trade.dated or trade.ahead_at is not None


def _made_at(trade: Trade) -> int:
    """When it was made, by the broker's clock if it has a time of that, in microseconds."""
    return (trade.placed_at if trade.ahead_at is None else trade.ahead_at) // MICROSECOND_NS
