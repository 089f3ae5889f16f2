"""Random walks of the market that hold a rule to its quiet bounds (riskcore/core/watch.py)."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from riskcore.core.quantities import price, price_text
from riskcore.core.watch import Watch, watch
from tests.core.ledger import Ledger, nanoseconds

FAR = 10**20  # Bounds beyond this are none.
STEP = timedelta(milliseconds=700)


def moves(*roots: str, steps: int = 12) -> st.SearchStrategy[list[tuple[str, str, int]]]:
    """Steps of a walk: which root, and by how many ticks or to which edge of its quiet interval."""
    one = st.tuples(
        st.sampled_from(roots),
        st.sampled_from(("ticks", "ticks", "low edge", "high edge", "past low", "past high")),
        st.integers(-400, 400),
    )
    return st.lists(one, min_size=1, max_size=steps)


def walk(day: Ledger, steps: list[tuple[str, str, int]]) -> int:
    """Quote every step; a quote inside the bounds must change nothing but its mark. Returns how many were quiet.

    Bounds stay in force while quotes are quiet, as in the runner that skips them.
    """
    quiet = 0
    bounds = watch(day.book, day.rulebook)
    for root, kind, ticks in steps:
        day.now += STEP
        contract = day.contract(root)
        value = _next_price(day, bounds, contract, kind, ticks)
        inside = _inside(bounds, contract, value, nanoseconds(day.now))
        before, count = _remembered(day), len(day.events)
        day.mark(root, price_text(value))
        if inside:
            derived = [event.body for event in day.events[count + 1 :]]
            assert derived == []
            assert _remembered(day) == before
            quiet += 1
        else:
            bounds = watch(day.book, day.rulebook)
    return quiet


def _next_price(day: Ledger, bounds: Watch, contract: str, kind: str, ticks: int) -> int:
    mark = day.book.marks[contract].last
    assert mark is not None
    low, high = bounds.bounds.get(contract, (1, 0))[:2]
    if low <= high and "low" in kind and low > -FAR:
        return low - (kind == "past low")
    if low <= high and "high" in kind and high < FAR:
        return high + (kind == "past high")
    return mark + ticks * day.book.contracts[contract].tick_size


def _inside(found: Watch, contract: str, value: int, at: int) -> bool:
    if at >= found.until:
        return False
    bounds = found.bounds.get(contract)
    return bounds is None or all(bounds[index] <= value <= bounds[index + 1] for index in (0, 2, 4))


def _remembered(day: Ledger) -> Any:
    account = day.account_state
    positions = {name: dict(position.memory) for name, position in account.positions.items()}
    return dict(account.memory), positions, dict(account.episodes), dict(account.counters)


def is_quiet(day: Ledger, root: str, value: str) -> bool:
    """Whether a quote of a root at this price, a moment from now, needs no look."""
    found = watch(day.book, day.rulebook)
    return _inside(found, day.contract(root), price(value), nanoseconds(day.now + STEP))
