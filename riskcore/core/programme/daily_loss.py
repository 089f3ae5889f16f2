"""PROG-DLL: the firm's Daily Loss Limit, guarded below its own line (PROGRAMME.md 5)."""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Command
from riskcore.core.marks import TotalValuation
from riskcore.core.names import day_level, episode_name, rule_key
from riskcore.core.programme.levels import (
    Level,
    conservative_total,
    is_judged,
    level_findings,
    narrow_by_levels,
    next_objection,
    remember_start,
)
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import FRACTION_SCALE, limit_text, money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import LOSS, OPEN_LOSS, Finding, Proposal, Quiet, Reading, Rule
from riskcore.core.rules.commands import CANCEL_ENTRIES, FLATTEN, lock_until_reset
from riskcore.core.rules.day_total import realised_total
from riskcore.core.state import Account
from riskcore.core.view import View

ID, NAME = "PROGRAMME-DLL", "programme_dll"
ENTRIES, FLATTENS, LIMIT = "entries", "flatten", "limit"


def applies(terms: Terms) -> bool:
    return terms.loss_limit_usd is not None


def limit_reached_today(account: Account) -> bool:
    """Whether the firm's own line was reached on the open day."""
    return episode_name(rule_key(NAME, 0), day_level(LIMIT)) in account.episodes


def limit_usd(terms: Terms) -> int:
    assert terms.loss_limit_usd is not None, "without a limit the rule is off"
    return terms.loss_limit_usd


def _levels(terms: Terms) -> tuple[Level, ...]:
    """Nothing is rounded: a total, which is whole, is at or below the cut product exactly when it is at the ratio."""
    shares = ((ENTRIES, terms.guard_entries_at), (FLATTENS, terms.flatten_at), (LIMIT, FRACTION_SCALE))
    return tuple(Level(name, day_level(name), -share * limit_usd(terms) // FRACTION_SCALE) for name, share in shares)


def _total(view: View) -> TotalValuation:
    """Net result of the day with open results; of an earlier day only closed ones are known."""
    realised = realised_total(view, "net")
    return realised if view.effect.late else conservative_total(view, realised.value)


def remember(terms: Terms, view: View) -> None:
    remember_start(view)


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    if not is_judged(view):
        return ()
    total = _total(view)
    day_pnl, limit = money_text(total.value), limit_text(limit_usd(terms))

    def figures(level: Level) -> dict[str, str]:
        return {"level": level.name, "day_pnl": day_pnl, "loss_limit": limit}

    def commands(level: Level, is_locked: bool) -> tuple[Command, ...]:
        relation = "reached" if level.name == LIMIT else "is close to"
        reason = f"day P&L {day_pnl} {relation} the Daily Loss Limit of {limit}"
        lock = () if is_locked else (lock_until_reset(reason),)
        return (*lock, CANCEL_ENTRIES) if level.name == ENTRIES else (*lock, *FLATTEN)

    return level_findings(view, _levels(terms), total, figures, commands)


def quiet(terms: Terms, view: View, bounds: Quiet) -> None:
    narrow_by_levels(view, bounds, _levels(terms), _total(view).value)


def needs(terms: Terms) -> tuple[str, ...]:
    return ("trades", "quotes")


def admit(terms: Terms, view: View, proposal: Proposal) -> str | None:
    level = next_objection(view, _levels(terms), _total(view).value)
    if level is None:
        return None
    limit = limit_text(limit_usd(terms))
    return f"day P&L {money_text(_total(view).value)} breaches level {level.name} of the Daily Loss Limit of {limit}"


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    yield Reading("daily loss limit", LOSS, -_total(view).value, limit_usd(terms))


def bounds(terms: Terms) -> tuple[str, ...]:
    return (OPEN_LOSS,)


DAILY_LOSS = Rule(
    ID,
    NAME,
    "Stop before the firm's Daily Loss Limit",
    90,
    Terms,
    evaluate,
    remember=remember,
    quiet=quiet,
    needs=needs,
    admit=admit,
    gauges=gauges,
    bounds=bounds,
    advice=wording.DAY_LOSS,
)
