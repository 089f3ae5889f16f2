"""RULE-004 DailyUnrealizedLoss: cut an open loss (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import Command
from riskcore.core.quantities import FRACTION_SCALE, MONEY_SCALE, limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.approach import WarnAt, approaching, next_share, warn_at_spec
from riskcore.core.rules.base import LOSS, OPEN_LOSS, OPEN_POSITIONS, Breach, Cap, Finding, Quiet, Reading, Rule, spec
from riskcore.core.rules.commands import FLATTEN, alert, close_position, lock_until_reset, optional_lockout
from riskcore.core.rules.day_total import TOTAL, certain, loss_finding, narrow_by_total, narrow_by_value
from riskcore.core.view import View

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class Params:
    loss_limit: int = spec(300 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="open loss to cut")
    scope: str = spec(
        "per_position", "choice", choices=("per_position", TOTAL), doc="each contract by itself, or all together"
    )
    action: str | None = spec(
        None,
        "choice",
        choices=("close_position", "flatten", "flatten_and_lock", "alert"),
        optional=True,
        doc="close_position (per_position) or flatten (total) by default",
    )
    lockout: str = spec("none", "choice", choices=("none", "until_reset", "cooldown"), doc="lock after the cut")
    cooldown_seconds: int = spec(300, "int", unit="s", low=1, high=86_400, stricter="higher", doc="for cooldown")
    confirm_ms: int = spec(0, "int", unit="ms", low=0, high=5_000, stricter="lower", doc="how long it must hold")
    warn_at: WarnAt = warn_at_spec()


def _below(params: Params, value: int | None) -> bool:
    return value is not None and value <= -params.loss_limit


def _confirmed(params: Params, since: int | None, now: int) -> bool:
    """Whether the loss has held for confirm_ms since the first breaching mark."""
    return params.confirm_ms == 0 or (since is not None and now - since >= params.confirm_ms * MILLISECOND_NS)


def remember(params: Params, view: View) -> None:
    """The instant of the first breaching mark, while it keeps breaching."""
    if params.confirm_ms == 0:
        return
    if params.scope == TOTAL:
        since = view.recall_account("below_since")
        below = _below(params, view.total().value)
        view.keep_account("below_since", (since if since is not None else view.now) if below else None)
        return
    for position in view.held():
        since = view.recall(position, "below_since")
        below = _below(params, view.value(position).value)
        view.keep(position, "below_since", (since if since is not None else view.now) if below else None)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    found = _evaluate_total(params, view) if params.scope == TOTAL else _evaluate_each(params, view)
    return (*found, *approaching(params.warn_at, view, gauges(params, view)))


def _evaluate_each(params: Params, view: View) -> Sequence[Finding]:
    found = []
    for position in view.held():
        one = view.value(position)
        if one.value is None or not _below(params, one.value) or one.stale or view.episode_open(position.contract):
            continue
        if _confirmed(params, view.recall(position, "below_since"), view.now):
            flags = ("from_bars",) if one.from_bars else ()
            figures = _figures(params, one.value)
            commands = _commands(params, view, one.value, position.contract)
            found.append(Breach(position.contract, figures, commands, contract=position.contract, flags=flags))
    return found


def _evaluate_total(params: Params, view: View) -> Sequence[Finding]:
    if not view.held() or view.episode_open(TOTAL):
        return ()
    total = view.total()
    if not _below(params, total.value) or not _confirmed(params, view.recall_account("below_since"), view.now):
        return ()
    figures, commands = _figures(params, total.value), _commands(params, view, total.value, None)
    finding = loss_finding(view, TOTAL, total, -params.loss_limit, figures, commands)
    return () if finding is None else (finding,)


def _figures(params: Params, value: int) -> dict[str, str]:
    return {"unrealized": money_text(value), "loss_limit": limit_text(params.loss_limit)}


def _commands(params: Params, view: View, value: int, contract: str | None) -> tuple[Command, ...]:
    """What closes the loss of one contract, or of all when `contract` is None."""
    reason = f"open P&L {money_text(value)} reached the loss limit of {limit_text(params.loss_limit)}"
    action = params.action or ("close_position" if contract else "flatten")
    if action == "flatten_and_lock":
        return (lock_until_reset(reason), *FLATTEN)
    lock = optional_lockout(params.lockout, params.cooldown_seconds, view.now, reason)
    if action == "alert":
        return (*lock, alert(reason, contract=contract))
    if action == "close_position" and contract is not None:
        return (*lock, close_position(contract))
    return (*lock, *FLATTEN)


def deadline(params: Params, view: View) -> int | None:
    """When a loss that is being confirmed has held long enough; what was not closed then waits for a quote."""
    if params.confirm_ms == 0:
        return None
    if params.scope == TOTAL:
        waiting = [] if view.episode_open(TOTAL) else [view.recall_account("below_since")]
    else:
        waiting = [
            view.recall(position, "below_since") for position in view.held() if not view.episode_open(position.contract)
        ]
    due = [since + params.confirm_ms * MILLISECOND_NS for since in waiting if since is not None]
    return min((instant for instant in due if instant > view.now), default=None)


def quiet(params: Params, view: View, bounds: Quiet) -> None:
    if params.scope == TOTAL:
        if _confirming(params, view.recall_account("below_since")):
            bounds.never = True
        elif params.confirm_ms or not view.episode_open(TOTAL):
            narrow_by_total(view, bounds, view.total().value + _next_usd(params, view, TOTAL), None)
        return
    for position in view.held():
        if params.confirm_ms == 0 and view.episode_open(position.contract):
            continue
        one = view.value(position)
        if one.value is None or one.stale or _confirming(params, view.recall(position, "below_since")):
            bounds.never = True
        else:
            next_usd = _next_usd(params, view, position.contract)
            narrow_by_value(view, bounds, position, one.value + next_usd, None)


def _next_usd(params: Params, view: View, target: str) -> int:
    """The open loss at which the rule acts next: by a warning, or at the limit."""
    scale: int = FRACTION_SCALE
    return params.loss_limit * next_share(params.warn_at, view, target) // scale


def _confirming(params: Params, since: int | None) -> bool:
    """Whether a rise as well as a fall would change what is remembered."""
    return params.confirm_ms > 0 and since is not None


def needs(params: Params) -> tuple[str, ...]:
    return ("quotes",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """The open loss of each position, or of all together."""
    limit, held = params.loss_limit, view.held()
    if params.scope == TOTAL or not held:
        total = view.total()
        used = -total.value if held else 0
        yield Reading("open loss", LOSS, used, limit, target=TOTAL, fresh=bool(held) and certain(total))
        return
    for position in held:
        one, contract = view.value(position), position.contract
        used_or_unknown = None if one.value is None else -one.value
        fresh = not one.stale
        yield Reading("open loss", LOSS, used_or_unknown, limit, contract=contract, target=contract, fresh=fresh)


def bounds(params: Params) -> tuple[str, ...]:
    return (OPEN_LOSS,)


def caps(params: Params) -> tuple[Cap, ...]:
    return (Cap("loss_limit", OPEN_POSITIONS, params.loss_limit),)


RULE = Rule(
    "RULE-004",
    "daily_unrealized_loss",
    "Cut an open loss",
    60,
    Params,
    evaluate,
    remember=remember,
    deadline=deadline,
    quiet=quiet,
    needs=needs,
    gauges=gauges,
    bounds=bounds,
    caps=caps,
    advice=wording.OPEN_LOSS,
    monotone=("loss_limit",),
)
