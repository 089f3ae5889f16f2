"""PROG-MLL: the Maximum Loss Limit, which ends the account (PROGRAMME.md 4 and 5)."""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Command, ProgrammeReset
from riskcore.core.marks import TotalValuation
from riskcore.core.names import day_level, episode_name, rule_key
from riskcore.core.programme import balances
from riskcore.core.programme.levels import (
    Consequence,
    Level,
    conservative_total,
    is_judged,
    level_findings,
    narrow_by_levels,
    next_objection,
    remember_start,
)
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import (
    BREACHED,
    LOSS,
    NEAR,
    OPEN_LOSS,
    Action,
    Finding,
    Proposal,
    Quiet,
    Reading,
    Rearm,
    Rule,
)
from riskcore.core.rules.commands import CANCEL_ENTRIES, FLATTEN, alert, lock_for_good, lock_until_reset
from riskcore.core.rules.day_total import certain, open_positions
from riskcore.core.state import Account, Book
from riskcore.core.view import View

ID, NAME = "PROGRAMME-MLL", "programme_mll"
FLOOR = "floor"
_UNKNOWN, _UNARMED = "day.unknown", "day.unarmed"
SET_THE_FLOOR = "set [programme] floor_override to the Maximum Loss Limit that your dashboard shows"


def applies(terms: Terms) -> bool:
    """Whether the account has a Maximum Loss Limit. A Pro account has one that only the trader can name."""
    if terms.floor_kind == "override":
        return terms.stage != "practice" or terms.floor_override_usd is not None
    return terms.floor_kind != "none" and terms.maximum_loss_usd is not None


def floor_breached_at(account: Account) -> int | None:
    """When the floor was reached; None where it never was, or the operator has reset the account since."""
    return account.episodes.get(episode_name(rule_key(NAME, 0), FLOOR))


def _equity(view: View) -> TotalValuation | None:
    """B, the day's net and open results at the prices at which they could be closed; None while B is not known."""
    balance = balances.balance_usd(view.book, view.account)
    return None if balance is None else conservative_total(view, balance)


def _levels(terms: Terms, view: View) -> tuple[Level, ...]:
    """What the equity must stay above, mildest first; empty while the floor is not known."""
    floor, buffer = balances.floor_usd(terms, view.account), balances.buffer_usd(terms, view.account)
    if floor is None or buffer is None:
        return ()
    return (
        Level("buffer", day_level("buffer"), floor + buffer),
        Level("half", day_level("half"), floor + buffer // 2),
        Level(FLOOR, FLOOR, floor),
    )


def _is_armed(view: View) -> bool:
    """A live engine does not enforce a floor that only its own first look implies: the true one may be higher."""
    return not view.book.started_at or balances.floor_source(view.account) != "derived"


def remember(terms: Terms, view: View) -> None:
    remember_start(view)


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    if isinstance(view.event.body, ProgrammeReset):
        return tuple(Rearm(target) for target in view.open_targets())
    if not is_judged(view):
        return ()
    total, levels = _equity(view), _levels(terms, view)
    if total is None or not levels:
        return _once(view, _UNKNOWN, _why_unknown(view.account))
    if not _is_armed(view):
        text = f"the Maximum Loss Limit is not enforced: its floor is only derived from one balance; {SET_THE_FLOOR}"
        return _once(view, _UNARMED, text)
    floor = levels[-1].threshold_usd
    buffer = money_text(balances.buffer_usd(terms, view.account) or 0)
    equity, room = money_text(total.value), money_text(total.value - floor)

    def figures(level: Level) -> dict[str, str]:
        return {"level": level.name, "equity": equity, "floor": money_text(floor), "room": room, "buffer": buffer}

    flags = ("derived",) if balances.floor_source(view.account) == "derived" else ()
    return level_findings(view, levels, total, figures, _commands(equity, money_text(floor)), flags)


def _commands(equity: str, floor: str) -> Consequence:
    """What each level does; the day is locked at the first of the mild ones."""

    def commands(level: Level, is_locked: bool) -> tuple[Command, ...]:
        reason = f"equity {equity} is close to the Maximum Loss Limit of {floor}"
        lock = () if is_locked else (lock_until_reset(reason),)
        if level.name == "buffer":
            return (*lock, CANCEL_ENTRIES)
        if level.name == "half":
            return (*lock, *FLATTEN)
        ended = f"equity {equity} reached the Maximum Loss Limit of {floor}"
        text = f"{ended}: the firm ends the account at this mark even if the exit fills above the floor"
        return (lock_for_good(ended, FLOOR), *FLATTEN, alert(text, "critical"))

    return commands


def _once(view: View, target: str, text: str) -> Sequence[Finding]:
    """An alert, once a day and while something is open."""
    if view.episode_open(target) or not open_positions(view):
        return ()
    return (Action(target, (alert(text, "critical"),)),)


def _why_unknown(account: Account) -> str:
    why = balances.why_unknown(account) or f"its floor is not known; {SET_THE_FLOOR}"
    return f"the Maximum Loss Limit is not judged: {why}"


def quiet(terms: Terms, view: View, bounds: Quiet) -> None:
    total, levels = _equity(view), _levels(terms, view)
    if total is None or not levels:
        bounds.never |= not view.episode_open(_UNKNOWN)
    elif not _is_armed(view):
        bounds.never |= not view.episode_open(_UNARMED)
    else:
        narrow_by_levels(view, bounds, levels, total.value)


def needs(terms: Terms) -> tuple[str, ...]:
    return ("trades", "quotes", "accounts")


def blind(terms: Terms, book: Book, account: Account) -> str | None:
    if terms.floor_kind == "override" and terms.floor_override_usd is None:
        return f"the floor is not known: {SET_THE_FLOOR}"
    return balances.why_unknown(account)


def admit(terms: Terms, view: View, proposal: Proposal) -> str | None:
    total, levels = _equity(view), _levels(terms, view)
    if total is None or not levels or not _is_armed(view):
        return None
    level = next_objection(view, levels, total.value)
    if level is None:
        return None
    room = money_text(total.value - levels[-1].threshold_usd)
    return (
        f"equity {money_text(total.value)} leaves {room} to the Maximum Loss Limit, which breaches level {level.name}"
    )


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """How much of the room at the day's opening is used."""
    total, opening = _equity(view), balances.opening_usd(view.account)
    floor = balances.floor_usd(terms, view.account)
    if total is not None and opening is not None and floor is not None and opening > floor:
        used_usd, room_usd = opening - total.value, opening - floor
        yield Reading(
            "maximum loss",
            LOSS,
            used_usd,
            floor,
            now=total.value,
            room=room_usd,
            measure="equity",
            fresh=certain(total),
        )
    elif total is not None and opening is not None and floor is not None:
        # The day opened without any room, so no share of it can be told.
        left_usd = max(total.value - floor, 0)
        state = NEAR if left_usd else BREACHED
        yield Reading("maximum loss", LOSS, now=total.value, limit=floor, left=left_usd, measure="equity", state=state)


def bounds(terms: Terms) -> tuple[str, ...]:
    return (OPEN_LOSS,)


MAXIMUM_LOSS = Rule(
    ID,
    NAME,
    "Stay above the firm's Maximum Loss Limit",
    110,
    Terms,
    evaluate,
    remember=remember,
    quiet=quiet,
    needs=needs,
    blind=blind,
    admit=admit,
    gauges=gauges,
    bounds=bounds,
    advice=wording.FIRM_LOSS,
)
