"""RULE-009 SessionBlockOutside: trade only in allowed hours (RULES.md 5)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.exposure_change import baseline_of, smaller_held
from riskcore.core.names import ACCOUNT, order_target, symbol_scope
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import wording
from riskcore.core.rules.attempts import ended_order_episodes, is_market_data, new_entry_orders
from riskcore.core.rules.base import (
    BREACHED,
    NEAR,
    OK,
    SECONDS,
    WARN,
    Action,
    Breach,
    Finding,
    Proposal,
    Reading,
    Rearm,
    Rule,
    spec,
)
from riskcore.core.rules.commands import FLATTEN, alert, close_position
from riskcore.core.rules.session_hours import Hours, Window, hours_of, windows_of
from riskcore.core.state import Order, Position
from riskcore.core.trading_day import local_text
from riskcore.core.view import View

END = "end"
# What is remembered for a position's life while it is outside: the most contracts it may hold, signed.
ALLOWED = "allowed"
WORKDAYS = {"days": [0, 1, 2, 3, 4], "start": 8 * 3_600 + 30 * 60, "end": 15 * 3_600}


@dataclass(frozen=True, slots=True)
class Params:
    timezone: str = spec("America/Chicago", "zone", doc="zone of the windows")
    windows: tuple[Window, ...] = spec([WORKDAYS], "windows", doc="allowed hours; start after end wraps midnight")
    per_instrument: Mapping[str, tuple[Window, ...]] = spec({}, "root_windows", doc="own windows of a product")
    close_at_end: bool = spec(True, "bool", stricter="true", doc="close what is open when the window ends")
    flatten_before_end_seconds: int = spec(
        0, "int", unit="s", low=0, high=3_600, stricter="higher", doc="how long before the end to close"
    )
    warn_before_end_seconds: tuple[int, ...] = spec(
        (300, 60), "seconds_list", unit="s", low=1, doc="when to alert before the end"
    )
    holidays: tuple[str, ...] = spec((), "dates", doc="days without any window")
    early_closes: Mapping[str, int] = spec({}, "date_times", doc="days that end early")
    action_on_order: str = spec(
        "cancel", "choice", choices=("cancel", "ignore"), doc="what to do with entry orders outside"
    )
    lockout: str = spec(
        "until_session", "choice", choices=("until_session", "none"), doc="lock until the next window starts"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "windows", windows_of(self.windows))
        own = {root.upper(): windows_of(windows) for root, windows in self.per_instrument.items()}
        object.__setattr__(self, "per_instrument", own)

    @property
    def end_ns(self) -> int:
        """How long before a window's end its positions are closed; nothing is allowed from then on."""
        return self.flatten_before_end_seconds * SECOND_NS if self.close_at_end else 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The windows of the account (root None), or of one product that has its own."""

    params: Params
    view: View
    root: str | None
    hours: Hours

    @property
    def end_target(self) -> str:
        return END if self.root is None else f"{END}:{self.root}"

    @property
    def lockout_scope(self) -> str:
        return ACCOUNT if self.root is None else symbol_scope(self.root)

    def owns(self, contract: str) -> bool:
        root = self.view.root(contract)
        return root == self.root if self.root is not None else root not in self.params.per_instrument

    def held(self) -> list[Position]:
        return [position for position in self.view.held() if self.owns(position.contract)]

    def working_orders(self) -> list[Order]:
        return [order for order in self.view.account.working_orders() if self.owns(order.contract)]

    def entry_orders(self) -> list[Order]:
        return [order for order in new_entry_orders(self.view) if self.owns(order.contract)]

    def ends_at(self, at: int) -> int | None:
        """When the session of an instant stops being allowed; None for an instant outside."""
        closes_at = self.hours.closes_at(at)
        if closes_at is None or at >= closes_at - self.params.end_ns:
            return None
        return closes_at - self.params.end_ns

    def inside(self, at: int) -> bool:
        return self.ends_at(at) is not None

    def ended_before(self, position: Position) -> bool:
        """Whether the breach at a session's end, still open, was about this life of the position."""
        ended_at = self.view.episode_since(self.end_target)
        return ended_at is not None and position.opened_at < ended_at

    def opened_inside(self, position: Position) -> bool:
        """Whether all of it was there inside the hours: by the position itself, or by fills whose push came later."""
        size, filled = position.size, position.lot_size
        explained = size * filled > 0 and abs(filled) >= abs(size)
        return self.inside(position.opened_at) or (explained and self.inside(position.fill_at))

    def grew_outside(self, position: Position) -> bool:
        """Whether the position was opened or increased since it is outside."""
        return abs(position.size) > abs(self.view.recall(position, ALLOWED) or 0)


def _scopes(params: Params, view: View) -> list[Scope]:
    assert view.book.day is not None
    zone = view.book.day.zones[params.timezone]
    every: list[tuple[str | None, tuple[Window, ...]]] = [(None, params.windows), *params.per_instrument.items()]
    holidays, early_closes = tuple(params.holidays), tuple(params.early_closes.items())
    return [Scope(params, view, root, hours_of(zone, windows, holidays, early_closes)) for root, windows in every]


def remember(params: Params, view: View) -> None:
    """What each position held when its hours ended, and the smallest size since: more than that is an increase.

    Fills whose push has not come count as held, so that the push which completes them is no increase (RULES.md 1.5).
    """
    if is_market_data(view) or not view.held():
        return
    for scope in _scopes(params, view):
        inside = scope.inside(view.now)
        for position in scope.held():
            view.keep(position, ALLOWED, None if inside else _allowed(scope, position))


def _allowed(scope: Scope, position: Position) -> int:
    allowed = scope.view.recall(position, ALLOWED)
    if allowed is None:
        return baseline_of(position) if scope.opened_inside(position) else 0
    return smaller_held(allowed, baseline_of(position))


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    account = view.account
    if is_market_data(view) or not (account.held() or account.working_orders() or account.episodes):
        return ()
    found: list[Finding] = list(ended_order_episodes(view))
    for scope in _scopes(params, view):
        if scope.inside(view.now):
            found.extend(_begun(scope))
            found.extend(_warnings(scope))
        else:
            found.extend(_outside(scope))
    return found


def _outside(scope: Scope) -> Sequence[Finding]:
    """(a) and (b) for what began outside; (c) for what is left over from the session that has ended."""
    found: list[Finding] = []
    left_over = False
    for position in scope.held():
        if scope.view.episode_open(position.contract):
            continue
        ended = scope.ended_before(position)
        if not scope.grew_outside(position):
            left_over |= not ended
        elif not (ended and scope.params.close_at_end):
            # The end's own close of a position is in force until it is flat, whatever is added meanwhile.
            found.append(_position_breach(scope, position.contract))
    answers_orders = scope.params.action_on_order == "cancel"
    for order in scope.entry_orders() if answers_orders else ():
        if not scope.inside(_works_since(order)) and not scope.view.episode_open(order_target(order.id)):
            found.append(_order_breach(scope, order))
    if answers_orders and not scope.view.episode_open(scope.end_target):
        left_over |= any(scope.inside(_works_since(order)) for order in scope.working_orders())
    return [_end_breach(scope), *found] if left_over else found


def _works_since(order: Order) -> int:
    return order.recorded_at if order.working_since is None else order.working_since


def _figures(scope: Scope) -> dict[str, str]:
    figures = {"local_time": local_text(scope.hours.zone, scope.view.now), "timezone": scope.params.timezone}
    next_start = scope.hours.next_start(scope.view.now)
    return figures if next_start is None else {**figures, "next_start": local_text(scope.hours.zone, next_start)}


def _lock(scope: Scope, reason: str) -> tuple[Command, ...]:
    """The lockout until the next window start, None where there is no next one."""
    if scope.params.lockout == "none":
        return ()
    lock = Command(
        "SetLockout",
        scope=scope.lockout_scope,
        lockout_key="session",
        lockout_kind="until_session",
        expires_at=scope.hours.next_start(scope.view.now),
        text=reason,
    )
    return (lock,)


def _close(contract: str) -> tuple[Command, ...]:
    return Command("CancelOrders", scope="symbol", contract=contract), close_position(contract)


def _position_breach(scope: Scope, contract: str) -> Breach:
    lock = _lock(scope, f"{contract} was opened or increased outside the allowed hours")
    return Breach(contract, _figures(scope), (*lock, *_close(contract)), contract=contract)


def _order_breach(scope: Scope, order: Order) -> Breach:
    lock = _lock(scope, f"an entry order in {order.contract} outside the allowed hours")
    cancel = Command("CancelOrder", contract=order.contract, order_id=order.id)
    return Breach(order_target(order.id), _figures(scope), (*lock, cancel), contract=order.contract)


def _end_breach(scope: Scope) -> Breach:
    lock = _lock(scope, "the allowed hours have ended")
    return Breach(scope.end_target, _figures(scope), (*lock, *_end_commands(scope)))


def _end_commands(scope: Scope) -> tuple[Command, ...]:
    """What ends with the session: all of the account, or only the contracts the ended windows are about."""
    account, params = scope.view.account, scope.params
    touched = [position.contract for position in account.held()]
    touched += [order.contract for order in account.working_orders()]
    if params.close_at_end and scope.root is None and all(scope.owns(contract) for contract in touched):
        return FLATTEN
    closed = [position.contract for position in scope.held()] if params.close_at_end else []
    entered = [order.contract for order in scope.entry_orders()] if params.action_on_order == "cancel" else []
    cancel = [Command("CancelOrders", scope="symbol", contract=name) for name in dict.fromkeys((*closed, *entered))]
    return (*cancel, *(close_position(contract) for contract in closed))


def _begun(scope: Scope) -> Sequence[Finding]:
    """A new session ends the episode of the last one's end, once the positions it was about are gone."""
    open_still = any(scope.ended_before(position) for position in scope.held())
    return (Rearm(scope.end_target),) if scope.view.episode_open(scope.end_target) and not open_still else ()


def _warnings(scope: Scope) -> Sequence[Finding]:
    view = scope.view
    closes_at = scope.hours.closes_at(view.now)
    assert closes_at is not None, "inside a session"
    found = []
    for seconds in scope.params.warn_before_end_seconds:
        target = f"day.warn.{scope.end_target}.{closes_at}.{seconds}"
        due = closes_at - seconds * SECOND_NS == view.now
        if due and not view.episode_open(target) and (scope.held() or scope.entry_orders()):
            found.append(Action(target, (alert(f"the allowed hours end in {seconds} s"),)))
    return found


def deadline(params: Params, view: View) -> int | None:
    """The next warning or end of a session with anything open."""
    if not (view.held() or view.account.working_orders()):
        return None
    due = []
    for scope in _scopes(params, view):
        ends_at = scope.ends_at(view.now) if scope.held() or scope.working_orders() else None
        if ends_at is None:
            continue
        warned = [ends_at + params.end_ns - seconds * SECOND_NS for seconds in params.warn_before_end_seconds]
        due += [instant for instant in (*warned, ends_at) if view.now < instant <= ends_at]
    return min(due, default=None)


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    scope = next(scope for scope in reversed(_scopes(params, view)) if scope.owns(proposal.order.contract))
    if scope.inside(view.now):
        return None
    next_start = _figures(scope).get("next_start")
    until = "" if next_start is None else f"; they begin again {next_start} {params.timezone}"
    return f"it is outside the allowed hours{until}"


def needs(params: Params) -> tuple[str, ...]:
    """Without orders the positions are still judged, and rightly; only entry orders go unseen."""
    return ("positions",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """How long the general windows, and those of each product, still allow trading; outside, when they begin again.

    A countdown has no share of anything: the warnings before the end say when it is near.
    """
    for scope in _scopes(params, view):
        name = "allowed hours" if scope.root is None else f"allowed hours of {scope.root}"
        ends_at = scope.ends_at(view.now)
        if ends_at is None:
            next_start = scope.hours.next_start(view.now)
            yield Reading(name, SECONDS, now=0, left=0, contract=scope.root, until=next_start, state=BREACHED)
            continue
        left_ns = ends_at - view.now
        state = _nearness(params, left_ns + params.end_ns)
        yield Reading(name, SECONDS, now=left_ns, left=left_ns, contract=scope.root, until=ends_at, state=state)


def _nearness(params: Params, left_ns: int) -> str:
    """How near the end of a window is: within its last warning, within any, or not yet."""
    warned = [seconds for seconds in params.warn_before_end_seconds if left_ns <= seconds * SECOND_NS]
    if not warned:
        return OK
    return NEAR if min(params.warn_before_end_seconds) in warned else WARN


RULE = Rule(
    "RULE-009",
    "session_block_outside",
    "Trade only in allowed hours",
    80,
    Params,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=needs,
    waits_for=("positions", "orders"),
    admit=admit,
    keeps_out=True,
    gauges=gauges,
    advice=wording.HOURS,
)
