"""RULE-010 AuthLossGuard: the broker has taken trading rights away (RULES.md 5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riskcore.core.events import AccountObserved, Command
from riskcore.core.freshness import connected, connection_since
from riskcore.core.names import ACCOUNT, lockout_id
from riskcore.core.quantities import SECOND_NS
from riskcore.core.rules import wording
from riskcore.core.rules.attempts import is_market_data
from riskcore.core.rules.base import (
    BREACHED,
    NO_MEASURE,
    OK,
    Action,
    Breach,
    Finding,
    Proposal,
    Reading,
    Rearm,
    Rule,
    spec,
)
from riskcore.core.rules.commands import CANCEL_ENTRIES, FLATTEN, alert
from riskcore.core.view import View

RULE_ID = "RULE-010"
CAN_TRADE = "can_trade"
FLATTENED = "can_trade.flatten"
ASKED = "can_trade.asked"
UNKNOWN = "can_trade.unknown"
CHECKED = "can_trade.startup"
FALSE_SINCE = "false_since"
# How long live waits for the broker's word before it flattens on the last one.
ANSWER_WAIT_NS = 5 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Params:
    auto_unlock_on_restore: bool = spec(True, "bool", stricter="false", doc="end the lockout when rights come back")
    check_on_startup: bool = spec(
        True, "bool", stricter="true", doc="at the start of live ask the broker, and judge by the answer"
    )
    verify_interval_seconds: int = spec(
        300, "int", unit="s", low=0, high=3_600, doc="how often live asks again; 0 never, else 30 or more"
    )
    on_unknown: str = spec(
        "allow", "choice", choices=("allow", "lock"), doc="what to do while the broker has never said"
    )
    flatten_after_seconds: int = spec(
        5, "int", unit="s", low=0, high=60, stricter="lower", doc="how long it must stay false before closing"
    )

    def __post_init__(self) -> None:
        if 0 < self.verify_interval_seconds < 30:
            raise ValueError("verify_interval_seconds is 0 for never, or 30 to 3600")

    @property
    def flatten_after_ns(self) -> int:
        return self.flatten_after_seconds * SECOND_NS


def remember(params: Params, view: View) -> None:
    """Since when the broker has been saying false."""
    if view.account.can_trade is not False:
        view.keep_account(FALSE_SINCE, None)
    elif view.recall_account(FALSE_SINCE) is None:
        view.keep_account(FALSE_SINCE, view.now)


def _lock(reason: str) -> Command:
    return Command("SetLockout", scope=ACCOUNT, lockout_key=CAN_TRADE, lockout_kind="condition", text=reason)


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    if is_market_data(view):
        return ()
    if view.account.can_trade is None:
        return _unknown(params, view)
    if view.account.can_trade:
        return _restored(params, view)
    if _awaits_word(params, view):
        return _startup_check(view)
    found: list[Finding] = [Rearm(UNKNOWN)] if view.episode_open(UNKNOWN) else []
    if not view.episode_open(CAN_TRADE):
        found.append(_breach(params))
    elif not view.episode_open(FLATTENED):
        found.extend(_still_false(params, view))
    return found


def _awaits_word(params: Params, view: View) -> bool:
    """Whether a start is still waiting for the broker to say again what it said before it (RULES.md 5, Restart).

    An answer that does not come is not waited for longer than two looks take, as long as it could be heard.
    """
    book = view.book
    if not params.check_on_startup or view.account.rights_told_at >= book.started_at:
        return False
    return not connected(book) or view.now < _startup_ends_at(view)


def _startup_ends_at(view: View) -> int:
    return max(view.book.started_at, connection_since(view.book)) + 2 * ANSWER_WAIT_NS


def _startup_check(view: View) -> Sequence[Finding]:
    """The engine lists its accounts as it starts; where that did not say, it is asked once more by itself."""
    asked_at = view.episode_since(CHECKED)
    asked = asked_at is not None and asked_at >= view.book.started_at
    if asked or view.now < view.book.started_at + ANSWER_WAIT_NS:
        return ()
    return (Action(CHECKED, (Command("ConfirmRights"),)),)


def _still_false(params: Params, view: View) -> Sequence[Finding]:
    """The flatten of an account that stays without rights; live asks the broker once more before it."""
    flatten_at = _flatten_at(params, view)
    if not view.book.started_at:
        return (Action(FLATTENED, FLATTEN),) if flatten_at == view.now else ()
    if flatten_at is None or view.now < flatten_at:
        return ()
    waits_until = _waits_until(view)
    if view.account.rights_told_at >= flatten_at or (waits_until is not None and view.now >= waits_until):
        return (Action(FLATTENED, FLATTEN),)
    return () if view.episode_open(ASKED) else (Action(ASKED, (Command("ConfirmRights"),)),)


def _waits_until(view: View) -> int | None:
    """How long to wait for the broker's word after asking; None while it could not be heard."""
    asked_at = view.episode_since(ASKED)
    if asked_at is None or not connected(view.book):
        return None
    return max(asked_at, connection_since(view.book)) + ANSWER_WAIT_NS


def _breach(params: Params) -> Breach:
    lock = _lock("the broker has taken trading rights away")
    commands = FLATTEN if params.flatten_after_seconds == 0 else (CANCEL_ENTRIES,)
    return Breach(CAN_TRADE, {"can_trade": "false"}, (lock, *commands))


def _flatten_at(params: Params, view: View) -> int | None:
    """When an account that stays without rights is closed: one flickering update must not cost a position."""
    since = view.recall_account(FALSE_SINCE)
    return None if since is None or params.flatten_after_seconds == 0 else since + params.flatten_after_ns


def _restored(params: Params, view: View) -> Sequence[Finding]:
    found: list[Finding] = [
        Rearm(target) for target in (CAN_TRADE, FLATTENED, ASKED, UNKNOWN) if view.episode_open(target)
    ]
    if params.auto_unlock_on_restore and lockout_id(ACCOUNT, RULE_ID, CAN_TRADE) in view.account.lockouts:
        found.append(Action("", (Command("ClearLockout", scope=ACCOUNT, lockout_key=CAN_TRADE),)))
    return found


def _unknown(params: Params, view: View) -> Sequence[Finding]:
    """The broker has never said: told once, when it could have (an account record without the field)."""
    if view.episode_open(UNKNOWN):
        return ()
    text = "the broker has not said whether the account may trade"
    if params.on_unknown == "lock":
        return (Breach(UNKNOWN, {"can_trade": "unknown"}, (_lock(text), CANCEL_ENTRIES, alert(text))),)
    return (Action(UNKNOWN, (alert(text),)),) if isinstance(view.event.body, AccountObserved) else ()


def deadline(params: Params, view: View) -> int | None:
    """The flatten of an account that has been without rights for long enough; after a start, the broker's word."""
    if view.account.can_trade is False and _awaits_word(params, view):
        due = [view.book.started_at + ANSWER_WAIT_NS]
        due += [_startup_ends_at(view)] if connected(view.book) else []
    elif view.episode_open(FLATTENED):
        return None
    else:
        due = [instant for instant in (_flatten_at(params, view), _waits_until(view)) if instant is not None]
    return min((instant for instant in due if instant > view.now), default=None)


def needs(params: Params) -> tuple[str, ...]:
    return ("accounts",)


def confirms_every(params: Params) -> int | None:
    return params.verify_interval_seconds * SECOND_NS or None


def admit(params: Params, view: View, proposal: Proposal) -> str | None:
    return "the broker has taken the trading rights away" if view.account.can_trade is False else None


def gauges(params: Params, view: View) -> Iterator[Reading]:
    """What the broker says of the account's trading rights; nothing else bounds them."""
    rights = view.account.can_trade
    words = {True: "true", False: "false", None: "unknown"}
    taken = rights is False or (rights is None and params.on_unknown == "lock")
    yield Reading("trading rights", NO_MEASURE, now=words[rights], state=BREACHED if taken else OK)


RULE = Rule(
    RULE_ID,
    "auth_loss_guard",
    "The broker has taken trading rights away",
    100,
    Params,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=needs,
    admit=admit,
    keeps_out=True,
    waits_for=("engine",),  # What happens while none runs is judged behind its start, by the broker's answer.
    confirms_every=confirms_every,
    gauges=gauges,
    advice=wording.RIGHTS,
)
