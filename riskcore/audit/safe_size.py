"""The safe size of each contract as rows: how many may be opened now, and the rule that one more would break.

The trial itself is the core's (riskcore/core/safe_size.py); here stands what needs no trial: a lockout, a rule that is
blind or breached, a missing stop.
"""

from collections.abc import Mapping

from riskcore.audit.blindness import blind_rows, unseeded_rules
from riskcore.audit.limits import readings
from riskcore.core.restart import awaited
from riskcore.core.rulebook import Rulebook, RuleInstance
from riskcore.core.safe_size import Found, Stop, broken_by, counting, counts_money, entry_price, fee_rate, room, stop_of
from riskcore.core.state import BUY, Account, Book
from riskcore.core.view import View
from riskcore.schema.rows import Row

_NOT_TRIED = "not tried against the loss limits"


def safe_size_rows(
    book: Book,
    rulebook: Rulebook,
    account: Account,
    view: View,
    stop_ticks: int | None = None,
    found: Found | None = None,
) -> list[Row]:
    """One row per contract that is quoted. `stop_ticks` is the distance asked for; without it the stop that works.

    Who asks again and again keeps `found`, where the search begins.
    """
    instances, blind = counting(rulebook, account), _blind(book, rulebook, account, view)
    mode = rulebook.profile.mark
    rows = []
    for contract in sorted(book.marks):
        if entry_price(book, contract, BUY, mode) is None:
            continue
        stop = stop_of(book, account, instances, contract, mode) if stop_ticks is None else Stop(stop_ticks)
        size, rule, text = _size(book, rulebook, view, instances, blind, contract, stop, {} if found is None else found)
        rows.append(
            {
                "account": account.id,
                "contract": contract,
                "stop_ticks": None if stop is None else stop.ticks,
                "size": size,
                "rule": rule,
                "text": text,
            }
        )
    return rows


def breaks(
    book: Book,
    rulebook: Rulebook,
    account: Account,
    view: View,
    contract: str,
    side: int,
    size: int,
    stop_ticks: int | None,
) -> tuple[str | None, str]:
    """The rule that opening so many contracts at the mark would break, None for none, and a sentence about it.

    Without a distance the stop of `stop_of` is meant. A flip is not tried: only what forbids any size is looked at.
    """
    instances = counting(rulebook, account)
    nothing = _nothing(book, view, instances, _blind(book, rulebook, account, view), contract)
    if nothing is not None:
        return nothing
    mode, position = rulebook.profile.mark, account.positions.get(contract)
    if entry_price(book, contract, side, mode) is None:
        return None, f"{_NOT_TRIED}: no price is known"
    if position is not None and position.size * side < 0:
        return None, f"{_NOT_TRIED}: it reverses the position"
    stop = stop_of(book, account, instances, contract, mode) if stop_ticks is None else Stop(stop_ticks)
    rule = broken_by(book, rulebook, view, contract, side, size, stop)
    if rule is not None:
        at = "" if stop is None else _stop_words(stop)
        return rule, f"{size} more{at} would break {rule}"
    if stop is None and counts_money(instances, view):
        return None, f"{_NOT_TRIED}: give the distance of the stop"
    return None, ""


def _stop_words(stop: Stop) -> str:
    return f" with the stop {stop.ticks} {'tick' if stop.ticks == 1 else 'ticks'} away"


def _blind(book: Book, rulebook: Rulebook, account: Account, view: View) -> dict[str, str]:
    """The rules that cannot judge now, and why."""
    blind = {str(row["rule"]): str(row["reason"]) for row in blind_rows(book, rulebook, account, view)}
    unseeded = dict.fromkeys(unseeded_rules(book, rulebook, account), "the fills of the day are still to be listed")
    return {**blind, **unseeded}


def _size(
    book: Book,
    rulebook: Rulebook,
    view: View,
    instances: list[RuleInstance],
    blind: Mapping[str, str],
    contract: str,
    stop: Stop | None,
    found: Found,
) -> tuple[int | None, str | None, str]:
    """The size, what bounds it, and both in a sentence."""
    nothing = _nothing(book, view, instances, blind, contract)
    if nothing is not None:
        return 0, *nothing
    if stop is None and counts_money(instances, view):
        return (
            None,
            None,
            "a loss limit is in force, so the size depends on your stop: place it, or give its --stop-ticks",
        )
    most = room(book, rulebook, view, contract, stop, found)
    unknown = "" if fee_rate(view, view.root(contract)) is not None else "; fees unknown, none counted"
    at = "" if stop is None else _stop_words(stop)
    if most.size is None:
        return None, None, f"no rule bounds the size{at}{unknown}"
    return most.size, most.rule, f"{most.size} more{at}; one more would break {most.rule}{unknown}"


def _nothing(
    book: Book, view: View, instances: list[RuleInstance], blind: Mapping[str, str], contract: str
) -> tuple[str, str] | None:
    """The rule that leaves no room at all, whatever the stop, and why; None where a size has to be tried.

    A rule that has breached already breaches once only, so no trial would find it.
    """
    root = view.root(contract)
    locked = [
        one
        for one in view.account.lockouts.values()
        if one.covers(root) and (one.expires_at is None or view.now < one.expires_at)
    ]
    if locked:
        last = max(locked, key=lambda one: (one.expires_at is None, one.expires_at or 0))
        return last.rule, f"locked by {last.rule}: {last.reason}"
    awaiting = awaited(book, view.account)
    for instance in instances:
        rule = instance.rule.id
        if rule in blind:
            return rule, f"{rule} is blind: {blind[rule]}"
        if instance.waits(awaiting):
            return rule, f"{rule} waits for what the broker has still to list: {', '.join(awaiting)}"
        for reading in readings(instance, view):
            if reading.breaches and reading.contract in (None, contract, root):
                return rule, f"{rule} is breached: {reading.name} {reading.text(reading.shown)}".rstrip()
    return None
