"""PROG-HOURS: no entry shortly before the firm wants everything flat, and flat before it is (PROGRAMME.md 5)."""

from collections.abc import Iterator, Sequence

from riskcore.core.events import Command, PositionsListed
from riskcore.core.names import ACCOUNT, symbol_scope
from riskcore.core.order_roles import is_entry
from riskcore.core.programme.hours_table import Times, clock_text, closes_earlier, is_closed, next_session_at, times_of
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import MINUTE_NS
from riskcore.core.restart import POSITIONS, awaited
from riskcore.core.rules import wording
from riskcore.core.rules.base import BREACHED, NEAR, OK, SECONDS, Action, Breach, Finding, Proposal, Reading, Rule
from riskcore.core.rules.commands import CANCEL_ENTRIES, CLOSE_ALL, FLATTEN, alert, close_position
from riskcore.core.state import Day, Position
from riskcore.core.view import View

LEVELS = LAST_ENTRY, FLATTEN_LEVEL, HARD = ("last_entry", "flatten", "hard")
# What has been looked at today, for every product and for each root that closes by itself. Each level comes once.
LOOKED = "day.looked"
# How long before the flatten what is still open is told: the defaults of RULE-009.
WARNED_MINUTES = (5, 1)


def _name(level: str, root: str | None) -> str:
    return f"{LOOKED}.{level}" if root is None else f"{LOOKED}.{level}.{root}"


def _levels(times: Times) -> tuple[tuple[str, int], ...]:
    return ((LAST_ENTRY, times.last_entry), (FLATTEN_LEVEL, times.flatten), (HARD, times.hard))


def _day(view: View) -> Day:
    assert view.book.day is not None, "a rule looks at a day that is open"
    return view.book.day


def _sets(terms: Terms, view: View) -> Iterator[tuple[str | None, Times]]:
    """The times that count for the account: of every product, and of each root of its own with something in it."""
    day = _day(view)
    if is_closed(terms, day):
        return
    yield None, times_of(terms, day)
    own = [root for root, _ in terms.own_closes]
    contracts = [position.contract for position in view.held()]
    contracts += [order.contract for order in view.account.working_orders()]
    for root in dict.fromkeys(view.root(contract) for contract in contracts):
        if root in own and closes_earlier(terms, day, root):
            yield root, times_of(terms, day, root)


def _sees_positions(view: View) -> bool:
    """Behind a start, a level is looked at once the positions have been listed."""
    return POSITIONS not in awaited(view.book, view.account)


def remember(terms: Terms, view: View) -> None:
    """Which levels are reached; what is new for this event is noted for `evaluate`."""
    if not _sees_positions(view):
        return
    for root, times in _sets(terms, view):
        for level, at in _levels(times):
            name = _name(level, root)
            if view.now >= at and view.recall_account(name) is None:
                view.keep_account(name, 1)
                view.notes[f"{view.rule_key}.{name}"] = True


def evaluate(terms: Terms, view: View) -> Sequence[Finding]:
    found: list[Finding] = []
    for root, times in _sets(terms, view):
        for level, _ in _levels(times):
            if view.notes.get(f"{view.rule_key}.{_name(level, root)}"):
                found += _reached(terms, view, level, root, times)
        found += _warnings(terms, view, root, times)
    return found


def _warned_at(times: Times) -> Iterator[tuple[int, int]]:
    """The minutes and the instant of each warning."""
    return ((minutes, times.flatten - minutes * MINUTE_NS) for minutes in WARNED_MINUTES)


def _warnings(terms: Terms, view: View, root: str | None, times: Times) -> Iterator[Finding]:
    """Minutes before the flatten, what is open is named: the trader can still choose how to close it."""
    for minutes, at in _warned_at(times):
        target = f"day.warn.{minutes}" if root is None else f"day.warn.{minutes}.{root}"
        held = _held(terms, view, root)
        if at != view.now or not held or view.episode_open(target):
            continue
        contracts = ", ".join(position.contract for position in held)
        day, left = _day(view), "a minute" if minutes == 1 else f"{minutes} minutes"
        told = f"{contracts}: closed in {left}, at {clock_text(day, times.flatten)} Chicago, by riskcore; "
        yield Action(target, (alert(f"{told}it has to be flat by {clock_text(day, times.deadline)}"),))


def _reached(terms: Terms, view: View, level: str, root: str | None, times: Times) -> Iterator[Finding]:
    day = _day(view)
    held = _held(terms, view, root)
    target = f"day.{level}" if root is None else f"day.{level}.{root}"
    if level == LAST_ENTRY:
        yield Action(target, (_lock(terms, view, root, times), *_cancels(view, root)))
    elif held:
        figures = {"level": level, "deadline": clock_text(day, times.deadline)}
        yield Breach(target, figures, tuple(_closes(level, root, held, clock_text(day, times.deadline))))


def _held(terms: Terms, view: View, root: str | None) -> list[Position]:
    return [one for one in view.held() if root is None or view.root(one.contract) == root]


def _lock(terms: Terms, view: View, root: str | None, times: Times) -> Command:
    day = _day(view)
    what = "everything" if root is None else root
    reason = f"{what} has to be flat by {clock_text(day, times.deadline)} Chicago; closing and reducing stay possible"
    return Command(
        "SetLockout",
        contract=_just_opened(view, root),
        scope=ACCOUNT if root is None else symbol_scope(root),
        lockout_key="day" if root is None else root,
        lockout_kind="until_session",
        expires_at=next_session_at(terms, day),
        text=reason,
    )


def _just_opened(view: View, root: str | None) -> str | None:
    """The contract of a root that this event opened behind its last entry; what a list brings up existed before."""
    if root is None or isinstance(view.event.body, PositionsListed):
        return None
    opened = (one.contract for one in view.held() if one.contract in view.effect.increased)
    return next((contract for contract in opened if view.root(contract) == root), None)


def _cancels(view: View, root: str | None) -> tuple[Command, ...]:
    """Entry orders go; what protects a position stays until it is closed."""
    if root is None:
        return (CANCEL_ENTRIES,)
    return tuple(
        Command("CancelOrder", contract=order.contract, order_id=order.id)
        for order in view.account.working_orders()
        if view.root(order.contract) == root and is_entry(view.account, order, view.now)
    )


def _closes(level: str, root: str | None, held: Sequence[Position], deadline: str) -> Iterator[Command]:
    if root is not None:
        yield from (close_position(position.contract) for position in held)
    elif level == FLATTEN_LEVEL:
        yield from FLATTEN
    else:
        yield CLOSE_ALL
    if level == HARD:
        contracts = ", ".join(position.contract for position in held)
        yield alert(
            f"{contracts} is still open minutes before {deadline} Chicago, when the firm closes positions itself: "
            "close it by hand if riskcore cannot",
            "critical",
        )


def admit(terms: Terms, view: View, proposal: Proposal) -> str | None:
    """An order of a root that closes earlier, when its last entry is over and nothing has locked it yet."""
    day = _day(view)
    root = view.root(proposal.order.contract)
    if is_closed(terms, day) or not closes_earlier(terms, day, root):
        return None
    times = times_of(terms, day, root)
    if view.now < times.last_entry:
        return None
    return f"{root} has to be flat by {clock_text(day, times.deadline)} Chicago, and its last entry is over"


def deadline(terms: Terms, view: View) -> int | None:
    return min(_dues(terms, view), default=None)


def _dues(terms: Terms, view: View) -> Iterator[int]:
    for root, times in _sets(terms, view):
        yield from (at for level, at in _levels(times) if view.recall_account(_name(level, root)) is None)
        yield from (at for _, at in _warned_at(times) if at > view.now and _held(terms, view, root))


def gauges(terms: Terms, view: View) -> Iterator[Reading]:
    """How long positions may still be open, for all products and for those that close earlier."""
    for root, times in _sets(terms, view):
        left_ns = max(times.flatten - view.now, 0)
        state = BREACHED if not left_ns else (NEAR if view.now >= times.last_entry else OK)
        name = "flat by" if root is None else f"{root} flat by"
        note = f"entries end {clock_text(_day(view), times.last_entry)} Chicago"
        until = times.flatten if left_ns else next_session_at(terms, _day(view))
        yield Reading(name, SECONDS, now=left_ns, left=left_ns, contract=root, until=until, note=note, state=state)


RULE = Rule(
    "PROGRAMME-HOURS",
    "programme_hours",
    "Flat before the firm closes positions itself",
    85,
    Terms,
    evaluate,
    remember=remember,
    deadline=deadline,
    needs=lambda terms: ("positions",),
    admit=admit,
    gauges=gauges,
    advice=wording.HOURS,
)
