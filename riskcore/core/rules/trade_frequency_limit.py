"""RULE-006 TradeFrequencyLimit: too many trades (RULES.md 5).

Which fills are of riskcore's own orders is known only where requests are sent, so `count_enforcement_fills` has no
effect on recordings. A round turn counts however it ended.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from riskcore.core.events import Command
from riskcore.core.names import ACCOUNT, lockout_id, rule_index
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, warn_at_spec
from riskcore.core.rules.base import COUNT, Action, Breach, Finding, Proposal, Reading, Rule, spec
from riskcore.core.rules.commands import CANCEL_ENTRIES, lock_for, lock_until_reset
from riskcore.core.rules.trade_units import counting_fills, unit_of
from riskcore.core.state import Trade
from riskcore.core.view import View

RULE_ID = "RULE-006"
SESSION = "session"
WINDOW_NS = {"minute": 60 * SECOND_NS, "hour": 3_600 * SECOND_NS}
COOLDOWNS = {"minute": 60, "hour": 1_800}
LONGEST_COOLDOWN = 86_400
DURATION = "duration:"
ROUND_TURN = "round_turn"


@dataclass(frozen=True, slots=True)
class Params:
    per_minute: int | None = spec(3, "int", unit="trades", low=1, optional=True, stricter="lower", doc="in 60 s")
    per_hour: int | None = spec(10, "int", unit="trades", low=1, optional=True, stricter="lower", doc="in 3600 s")
    per_session: int | None = spec(
        50, "int", unit="trades", low=1, optional=True, stricter="lower", doc="in the trading day"
    )
    count_unit: str = spec("order", "choice", choices=("fill", "order", ROUND_TURN), doc="what counts as one trade")
    breach_when: str = spec(
        "exceeded", "choice", choices=("exceeded", "reached"), doc="more than the number, or the number itself"
    )
    cooldowns: Mapping[str, int] = spec(
        COOLDOWNS, "cooldowns", unit="s", low=1, high=LONGEST_COOLDOWN, stricter="higher", doc="pause per window"
    )
    session_lockout: str = spec(
        "until_reset",
        "choice_or_number",
        unit="s",
        choices=("until_reset", "duration:N"),
        doc="lock for the rest of the day, or duration:SECONDS",
    )
    count_enforcement_fills: bool = spec(False, "bool", doc="count the fills of riskcore's own orders")
    warn_at: WarnAt = warn_at_spec()

    def __post_init__(self) -> None:
        object.__setattr__(self, "cooldowns", {**COOLDOWNS, **self.cooldowns})
        if self.session_lockout != "until_reset":
            _duration(self.session_lockout)


def _duration(session_lockout: str) -> int:
    """The seconds in duration:N. Raises ValueError."""
    number = session_lockout.removeprefix(DURATION)
    known = session_lockout.startswith(DURATION) and number.isascii() and number.isdigit()
    if not known or not 1 <= int(number) <= LONGEST_COOLDOWN:
        raise ValueError(
            f"{session_lockout!r}: session_lockout is until_reset or duration:N with 1 to {LONGEST_COOLDOWN} seconds"
        )
    return int(number)


def _counted_fills(params: Params, view: View) -> list[Trade]:
    return [trade for trade in counting_fills(view) if _is_counted(params, trade)]


def _is_counted(params: Params, trade: Trade) -> bool:
    return params.count_enforcement_fills or params.count_unit == ROUND_TURN or not trade.enforced


def _dating_fills(params: Params, view: View) -> dict[tuple[str, int], Trade]:
    """Each counted unit with the fill that dates it: its first one, for round turns the one that made flat."""
    dating: dict[tuple[str, int], Trade] = {}
    for trade in _counted_fills(params, view):
        unit = unit_of(trade, params.count_unit)
        known = dating.get(unit)
        if params.count_unit != ROUND_TURN:
            if known is None or trade.placed_at < known.placed_at:
                dating[unit] = trade
        elif _trip_over(view, trade) and (known is None or trade.placed_at >= known.placed_at):
            dating[unit] = trade
    return dating


def _trip_over(view: View, trade: Trade) -> bool:
    return trade.round_trip < view.account.positions[trade.contract].round_trips


def _newly_counted(params: Params, view: View, trade: Trade) -> bool:
    """Whether this fill made its unit count: the first of its order, or the one that ended its round turn.

    A later version does so only where it says that the fill closed, and with that ended a round turn.
    """
    corrected = view.effect.corrected
    if corrected is not None and (corrected.profit_usd is not None or trade.profit_usd is None):
        return False
    if params.count_unit == ROUND_TURN:
        return _trip_over(view, trade)
    if corrected is not None:
        return False
    unit = unit_of(trade, params.count_unit)
    others = [other for other in _counted_fills(params, view) if other.id != trade.id]
    return not any(unit_of(other, params.count_unit) == unit for other in others)


def _windows(params: Params, view: View) -> list[tuple[str, int, Callable[[Trade], bool]]]:
    """Name, limit and membership of each window in use. Windows roll and are half-open (RULES.md 5)."""

    def rolling(name: str) -> Callable[[Trade], bool]:
        return lambda trade: view.now - trade.placed_at < WINDOW_NS[name]

    def in_session(trade: Trade) -> bool:
        return trade.trade_date == view.day.trade_date

    limits: list[tuple[str, int | None, Callable[[Trade], bool]]] = [
        ("minute", params.per_minute, rolling("minute")),
        ("hour", params.per_hour, rolling("hour")),
        (SESSION, params.per_session, in_session),
    ]
    return [(name, limit, inside) for name, limit, inside in limits if limit is not None]


def _lockout_key(view: View, window: str) -> str:
    """Each table has lockouts of its own: it restarts a pause that it set, by its own length, and no other one."""
    index = rule_index(view.rule_key)
    return window if index == "0" else f"{window}.{index}"


def _lock(params: Params, view: View, window: str, reason: str) -> Command:
    """The lockout of a window. The session's ends with the session, however long it was to last."""
    key = _lockout_key(view, window)
    if window != SESSION:
        return lock_for(params.cooldowns[window], view.now, reason, key=key)
    if params.session_lockout == "until_reset":
        return lock_until_reset(reason, key=key)
    pause = lock_for(_duration(params.session_lockout), view.now, reason, key=key)
    assert view.book.day is not None
    assert pause.expires_at is not None
    return replace(pause, expires_at=min(pause.expires_at, view.book.day.closes_at))


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    trade = view.fill
    if trade is None or trade.voided or view.effect.history or not _is_counted(params, trade):
        return ()
    breaches = _breaches(params, view, trade) if _newly_counted(params, view, trade) else []
    restarted = _restarted(params, view, trade, [breach.target for breach in breaches])
    found: tuple[Finding, ...] = (*breaches, Action("", restarted)) if restarted else tuple(breaches)
    return (*found, *approaching(params.warn_at, view, gauges(params, view)))


def _breaches(params: Params, view: View, trade: Trade) -> list[Breach]:
    dating = _dating_fills(params, view)
    found = []
    for window, limit, inside in _windows(params, view):
        count = sum(inside(one) for one in dating.values())
        over = count > limit if params.breach_when == "exceeded" else count >= limit
        if over and inside(dating[unit_of(trade, params.count_unit)]):
            reason = f"{count} trades in the {window}, the limit is {limit}"
            figures = {"count": str(count), "limit": str(limit), "window": window}
            commands = (_lock(params, view, window, reason), CANCEL_ENTRIES)
            found.append(Breach(window, figures, commands, contract=trade.contract, once=False))
    return found


def _restarted(params: Params, view: View, trade: Trade, breached: list[str]) -> tuple[Command, ...]:
    """An opening fill during a cooldown restarts it, also where its window is no longer over (RULES.md 5)."""
    if trade.profit_usd is not None or view.trade is None or view.effect.late:
        return ()
    commands = []
    for window, _, _ in _windows(params, view):
        running = view.account.lockouts.get(lockout_id(ACCOUNT, RULE_ID, _lockout_key(view, window)))
        if window in breached or running is None or running.kind != "cooldown" or running.expires_at is None:
            continue
        if view.now < running.expires_at:
            commands.append(_lock(params, view, window, f"an opening fill restarts the pause: {running.reason}"))
    return tuple(commands)


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    """One more trade would be one too many: by "exceeded" it breaches, by "reached" the limit is met already."""
    dating = _dating_fills(params, view)
    for window, limit, inside in _windows(params, view):
        count = sum(inside(one) for one in dating.values())
        if count >= limit:
            return f"there were {count} trades in the {window} already, the limit is {limit}"
    return None


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """The trades of each window; it changes by itself when its oldest trade leaves it, the session's at the reset."""
    assert view.book.day is not None
    dating = _dating_fills(params, view).values()
    for window, limit, inside in _windows(params, view):
        counted = [trade for trade in dating if inside(trade)]
        oldest = min((trade.placed_at for trade in counted), default=None)
        leaves_at = None if oldest is None else oldest + WINDOW_NS.get(window, 0)
        yield Reading(
            "trades today" if window == SESSION else f"{window} trades",
            COUNT,
            len(counted),
            limit,
            unit="trades",
            until=view.book.day.closes_at if counted and window == SESSION else leaves_at,
            target=window,
            rearms=True,
            allows_equal=params.breach_when == "exceeded",
        )


RULE = Rule(
    RULE_ID,
    "trade_frequency_limit",
    "Too many trades",
    30,
    Params,
    evaluate,
    needs=needs,
    waits_for=(),  # Each fill is judged as it comes, by what is known of those before it.
    admit=admit,
    gauges=gauges,
    advice=wording.PACE,
    monotone=("per_minute", "per_hour", "per_session"),
)
