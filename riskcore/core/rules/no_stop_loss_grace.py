"""RULE-008 NoStopLossGrace: a position must have a stop (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.exit_orders import FILLS_AWAITED_NS, lacks_fills
from riskcore.core.freshness import connected, connection_since, in_sight, unseen_since
from riskcore.core.in_force import is_met
from riskcore.core.kinds import CLOSES, STOPS
from riskcore.core.order_roles import covering_size, is_protective, leg_cover_ends_at
from riskcore.core.protection import own_stop
from riskcore.core.quantities import FRACTION_SCALE, SECOND_NS, decimal_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, unwarned, warn_at_spec
from riskcore.core.rules.base import NANOSECOND_PLACES, SECONDS, Action, Breach, Finding, Reading, Rule, spec
from riskcore.core.rules.commands import alert, close_position
from riskcore.core.rules.stops import entry_of, place_stop
from riskcore.core.state import Position
from riskcore.core.view import View

RULE_ID = "RULE-008"
# After a reconnect the snapshot says whether a stop was there; it is not waited for longer than this (RULES.md 1.6).
SNAPSHOT_WAIT_NS = 5 * SECOND_NS
MOST_FAILURES = 3
MOST_PLACED_AGAIN = 2

# What is remembered for a position's life, in nanoseconds.
USED = "used_ns"
SINCE = "uncovered_since"
LOST = "lost_at"


@dataclass(frozen=True, slots=True)
class Params:
    grace_period_seconds: int = spec(
        30, "int", unit="s", low=1, high=3_600, stricter="lower", doc="how long a position may be without a stop"
    )
    grace_mode: str = spec(
        "cumulative",
        "choice",
        choices=("cumulative", "per_gap"),
        doc="all uncovered time of a position together, or each gap by itself",
    )
    require_full_size: bool = spec(True, "bool", stricter="true", doc="every contract must be covered")
    max_stop_distance_ticks: int | None = spec(
        None, "int", unit="ticks", low=1, optional=True, stricter="lower", doc="a stop further away does not count"
    )
    action: str = spec(
        "close_position", "choice", choices=("close_position", "place_stop", "alert"), doc="what to do after the grace"
    )
    place_stop_ticks: int = spec(40, "int", unit="ticks", low=1, stricter="lower", doc="distance for place_stop")
    warn_at: WarnAt = warn_at_spec()

    @property
    def grace_ns(self) -> int:
        return self.grace_period_seconds * SECOND_NS


def _covering(params: Params, view: View, position: Position) -> int:
    tick_size = view.tick_size(position.contract)
    entry = entry_of(position)
    if params.max_stop_distance_ticks is None or tick_size is None or entry is None:
        return covering_size(view.account, position, view.now)
    distance = params.max_stop_distance_ticks * tick_size
    return covering_size(view.account, position, view.now, entry.average, distance)


def _is_covered(params: Params, view: View, position: Position) -> bool:
    covering = _covering(params, view, position)
    return covering >= abs(position.size) if params.require_full_size else covering > 0


def remember(params: Params, view: View) -> None:
    """The clock of each position: uncovered time used up, and since when it is running."""
    for position in view.held():
        if not _out_of_touch(view, position):
            _turn_clock(params, view, position)


def _turn_clock(params: Params, view: View, position: Position) -> None:
    covered = _is_covered(params, view, position)
    since = view.recall(position, SINCE)
    lost_at = view.recall(position, LOST)
    view.keep(position, LOST, None)
    if not covered and since is None:
        # Time out of touch counts only here, where the snapshot shows no stop (RULE-008, Restart).
        view.keep(position, SINCE, view.now if lost_at is None else lost_at)
    elif covered and since is not None:
        used = (view.now if lost_at is None else lost_at) - since
        view.keep(position, SINCE, None)
        if params.grace_mode == "cumulative":
            view.keep(position, USED, (view.recall(position, USED) or 0) + used)


def _out_of_touch(view: View, position: Position) -> bool:
    """Whether it is unknown if a stop is there: the connection is lost, or the orders were not listed since.

    A recording may never list them, so there they are not waited for longer than a few seconds.
    """
    book, account = view.book, view.account
    unseen = unseen_since(account)
    if unseen is None and in_sight(book, account.orders_listed_at):
        return False
    lost_at = view.recall(position, LOST)
    if _waits_for_lists(view):
        return lost_at is not None and view.now < connection_since(book) + SNAPSHOT_WAIT_NS
    if lost_at is None:
        view.keep(
            position, LOST, max(connection_since(book), unseen or 0, position.opened_at, account.orders_listed_at)
        )
    return True


def _waits_for_lists(view: View) -> bool:
    """Whether only the lists of a recording are missing, which may never come."""
    return unseen_since(view.account) is None and connected(view.book) and not view.book.started_at


def _breaches_at(params: Params, view: View, position: Position) -> int | None:
    """The instant at which the grace is used up if no stop comes; None while covered or out of touch."""
    since = view.recall(position, SINCE)
    if since is None or view.recall(position, LOST) is not None:
        return None
    return since + params.grace_ns - (view.recall(position, USED) or 0)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for position in view.held():
        if view.episode_open(position.contract):
            found.extend(_close_if_refused(view, position) or _stop_again(params, view, position))
            continue
        breaches_at = _breaches_at(params, view, position)
        if breaches_at is not None and view.now >= breaches_at:
            found.append(_breach(params, view, position, params.grace_ns + view.now - breaches_at))
    return (*found, *approaching(params.warn_at, view, gauges(params, view)))


def _breach(params: Params, view: View, position: Position, uncovered_ns: int) -> Breach:
    uncovered = decimal_text(uncovered_ns, NANOSECOND_PLACES)
    figures = {"uncovered_seconds": uncovered, "grace_period_seconds": str(params.grace_period_seconds)}
    commands = (_answer(params, view, position, uncovered),)
    return Breach(position.contract, figures, commands, contract=position.contract)


def _answer(params: Params, view: View, position: Position, uncovered: str) -> Command:
    if params.action == "alert":
        return alert(f"{position.contract} has been without a stop for {uncovered} s", contract=position.contract)
    entry, tick_size = entry_of(position), view.tick_size(position.contract)
    if params.action == "place_stop" and entry is not None and tick_size is not None:
        own = own_stop(view.account, position.contract, -entry.side)
        missing = abs(position.size) - _covering(params, view, position) + (own.remaining if own is not None else 0)
        price = entry.offset_price(-params.place_stop_ticks, tick_size)
        return place_stop(position.contract, entry.side, min(missing, abs(position.size)), price)
    return close_position(position.contract)


def _close_if_refused(view: View, position: Position) -> Sequence[Finding]:
    """A stop that the broker refuses to place, or that never comes, leaves only the close (RULE-008, Commands)."""
    target = f"{position.contract}.refused"
    refused = any(
        obligation.kind == "PlaceStop"
        and obligation.rule == RULE_ID
        and obligation.contract == position.contract
        and (obligation.refused or obligation.failures >= MOST_FAILURES)
        for obligation in view.account.obligations.values()
    )
    if not refused or view.episode_open(target):
        return ()
    return (Action(target, (close_position(position.contract),)),)


def _stop_again(params: Params, view: View, position: Position) -> Sequence[Finding]:
    """The stop that was placed is gone or too small: the grace is used up, so it is placed anew, and at last closed.

    It is the same breach: it counts once in the life of a position (RULES.md 1.6).
    """
    breaches_at = _breaches_at(params, view, position)
    if params.action != "place_stop" or breaches_at is None or view.now < breaches_at:
        return ()
    if view.now < _fills_awaited_until(view, position):
        return ()
    if _is_in_hand(view, position.contract):
        return ()
    targets = [f"{position.contract}.again{number}" for number in range(1, MOST_PLACED_AGAIN + 2)]
    unused = [target for target in targets if not view.episode_open(target)]
    if not unused:
        return ()
    command = _answer(params, view, position, "") if unused[1:] else close_position(position.contract)
    return (Action(unused[0], (command,)),)


def _is_in_hand(view: View, contract: str) -> bool:
    """Whether a stop or a close of the contract is under way; one that this event shows done is not."""
    return any(
        one.kind in (*STOPS, *CLOSES) and one.contract in (None, contract) and not is_met(view.account, one)
        for one in view.account.obligations.values()
    )


def _fills_awaited_until(view: View, position: Position) -> int:
    """Until when the fills of a stop are awaited that has filled by its own word; 0 for none."""
    ends = (
        order.filled_at + FILLS_AWAITED_NS
        for order in view.account.orders.values()
        if order.filled_at is not None and is_protective(order, position) and lacks_fills(view.account, order)
    )
    return max(ends, default=0)


def deadline(params: Params, view: View) -> int | None:
    """The earliest moment at which a grace ends, a bracket leg stops covering, or the wait for a snapshot ends."""
    due: list[int | None] = []
    for position in view.held():
        if view.recall(position, LOST) is not None:
            if _waits_for_lists(view):
                due.append(connection_since(view.book) + SNAPSHOT_WAIT_NS)
        elif not view.episode_open(position.contract):
            due.append(_breaches_at(params, view, position) or leg_cover_ends_at(view.account, position, view.now))
            due += _warnings_at(params, view, position)
        elif params.action == "place_stop":
            instants = (_breaches_at(params, view, position), _fills_awaited_until(view, position))
            due += [instant for instant in instants if instant is not None and instant > view.now]
    return min((instant for instant in due if instant is not None), default=None)


def _warnings_at(params: Params, view: View, position: Position) -> list[int]:
    """When a clock that is running will have used up the shares of the grace that are still to be warned of."""
    breaches_at, scale = _breaches_at(params, view, position), FRACTION_SCALE
    if breaches_at is None:
        return []
    left = [params.grace_ns * (scale - share) // scale for share in unwarned(params.warn_at, view, position.contract)]
    return [breaches_at - one for one in left if breaches_at - one > view.now]


def needs(params: Params) -> tuple[str, ...]:
    return ("positions", "orders")


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """The time that each position has been without its stop, of the grace."""
    name, held = "time without a stop", view.held()
    if not held:
        yield Reading(name, SECONDS, 0, params.grace_ns)
    for position in held:
        breaches_at = _breaches_at(params, view, position)
        used_ns = view.recall(position, USED) or 0
        if breaches_at is not None:
            used_ns = params.grace_ns + view.now - breaches_at
        contract = position.contract
        yield Reading(name, SECONDS, used_ns, params.grace_ns, contract=contract, until=breaches_at, target=contract)


def stop_ticks(params: Params) -> int:
    return params.place_stop_ticks


RULE = Rule(
    RULE_ID,
    "no_stop_loss_grace",
    "A position must have a stop",
    60,
    Params,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=needs,
    gauges=gauges,
    stop_ticks=stop_ticks,
    advice=wording.STOP,
)
