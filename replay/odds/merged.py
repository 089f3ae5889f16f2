"""The exact chance, where journeys meet again: those with the same profit, floor and best day share one future.

Works in fractions over the states of a stage, each day by the core's own rules. Floor and best day never fall, so
states with the same floor and best day are solved together, the highest first.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from replay.odds.days import Block, OddsDay, limited
from riskcore.core.programme.balances import implied_floor_usd
from riskcore.core.programme.target import allowed_best_day_usd, passes
from riskcore.core.programme.terms import PASS_AT, Terms

# Beyond so many states, or so much elimination, journeys are drawn instead.
MOST_STATES = 800
MOST_WORK = 100_000
_LONGEST = 5_000  # Days after which the quartiles of what is left are not looked for.


class State(NamedTuple):
    """Where a journey stands at the end of a day. Ordered so that a journey never goes back to a lower floor."""

    floor: int
    best: int
    profit: int


PASS, LOSE = "pass", "lose"
Next = State | str


@dataclass(slots=True)
class Exact:
    """Chances as fractions, mean days of those that end so, and the days by which a quarter, half, ... have."""

    chances: dict[str, Fraction]
    mean_days: dict[str, Fraction | None]
    quartiles: dict[str, tuple[int, int, int] | None]


@dataclass(slots=True)
class _Graph:
    """The states that can be reached, and with what weight which others follow each."""

    follows: dict[State, dict[Next, int]] = field(default_factory=dict)
    total: int = 0


def exact(days: list[OddsDay], terms: Terms, block: Block = "day") -> Exact | None:
    """The exact chances of journeys over these days; None where too few journeys meet again."""
    graph = _graph(days, terms) if block == "day" else None
    if graph is None or _work(graph) > MOST_WORK:
        return None
    start = next(iter(graph.follows))
    solved = _solve(graph)
    chances = {end: solved[end].get(start, Fraction(0)) for end in (PASS, LOSE)}
    means = {
        end: solved[f"{end} days"].get(start, Fraction(0)) / chances[end] if chances[end] else None
        for end in (PASS, LOSE)
    }
    return Exact(chances, means, _quartiles(graph, start, chances))


# ---- states ------------------------------------------------------------------------------------------


def _graph(days: list[OddsDay], terms: Terms) -> _Graph | None:
    weights: dict[OddsDay, int] = {}
    for day in days:
        kind = limited(day, terms)[0]._replace(trade_date="", marked=True, largest_units=0, costs_usd=0)
        weights[kind] = weights.get(kind, 0) + 1
    assert terms.maximum_loss_usd is not None, "a stage that can be lost has a Maximum Loss Limit"
    graph = _Graph(total=len(days))
    left = [State(-terms.maximum_loss_usd, 0, 0)]
    graph.follows[left[0]] = {}
    while left:
        state = left.pop()
        found = graph.follows[state]
        for day, weight in weights.items():
            after = next_state(state, day, terms)
            found[after] = found.get(after, 0) + weight
            if isinstance(after, State) and after not in graph.follows:
                if len(graph.follows) >= MOST_STATES:
                    return None
                graph.follows[after] = {}
                left.append(after)
    return graph


def next_state(state: State, day: OddsDay, terms: Terms) -> Next:
    """Where a day leads. A best day that raises no target is not kept, so that more journeys meet again."""
    start = terms.start_usd or 0
    profit, best = state.profit + day.net_usd, max(state.best, day.net_usd)
    before_floor = state.profit + day.low_before_high_usd > state.floor
    if terms.reading(PASS_AT) == "in_session" and before_floor:
        inside = state.profit + day.high_usd, max(state.best, day.high_usd)
        if passes(terms, *inside):
            return PASS
    if state.profit + min(day.low_usd, day.net_usd) <= state.floor:
        return LOSE
    if passes(terms, profit, best):
        return PASS
    implied = implied_floor_usd(terms, start + profit)
    assert implied is not None, "the floor follows from the closing balance"
    allowed = allowed_best_day_usd(terms)
    return State(max(state.floor, implied - start), best if allowed is not None and best >= allowed else 0, profit)


def _work(graph: _Graph) -> int:
    """How much elimination takes: of each group its size times the square of how far its states reach."""
    return sum(len(group) * (_reach(graph, group) + 1) ** 2 for group in _groups(graph))


def _groups(graph: _Graph) -> Iterator[list[State]]:
    """States that can lead to one another, those first that lead to no other group that is still to come."""
    group: list[State] = []
    for state in sorted(graph.follows, key=lambda one: (-one.floor, -one.best, one.profit)):
        if group and group[0][:2] != state[:2]:
            yield group
            group = []
        group.append(state)
    yield group


def _reach(graph: _Graph, group: list[State]) -> int:
    place = {state: index for index, state in enumerate(group)}
    return max(
        (abs(place[after] - place[state]) for state in group for after in graph.follows[state] if after in place),
        default=0,
    )


# ---- chances -----------------------------------------------------------------------------------------

_Row = tuple[dict[State, Fraction], list[Fraction]]
_SOUGHT = (PASS, LOSE, f"{PASS} days", f"{LOSE} days")


def _solve(graph: _Graph) -> dict[str, dict[State, Fraction]]:
    """By state: the chance of each end, and the mean days to it (0 where it does not come)."""
    solved: dict[str, dict[State, Fraction]] = {name: {} for name in _SOUGHT}
    ending = _ending(graph)
    for group in _groups(graph):
        live = [state for state in group if state in ending]
        chances = _eliminate(graph, live, solved, (PASS, LOSE))
        for place, name in enumerate((PASS, LOSE)):
            solved[name].update({state: row[place] for state, row in chances.items()})
        days = _eliminate(graph, live, solved, _SOUGHT[2:])
        for place, name in enumerate(_SOUGHT[2:]):
            solved[name].update({state: row[place] for state, row in days.items()})
    return solved


def _ending(graph: _Graph) -> set[State]:
    """States from which a journey can still end; from the others it goes on for ever."""
    before: dict[Next, list[State]] = {}
    for state, follows in graph.follows.items():
        for after in follows:
            before.setdefault(after, []).append(state)
    found: set[State] = set()
    left: list[Next] = [PASS, LOSE]
    while left:
        for state in before.get(left.pop(), ()):
            if state not in found:
                found.add(state)
                left.append(state)
    return found


def _eliminate(
    graph: _Graph, group: list[State], solved: dict[str, dict[State, Fraction]], names: tuple[str, ...]
) -> dict[State, list[Fraction]]:
    """One group by elimination from its lowest profit up, then back."""
    inside = dict.fromkeys(group)
    rows: dict[State, _Row] = {}
    for state in group:
        row, known = _equation(graph, state, inside, solved, names)
        for earlier in sorted((one for one in row if one.profit < state.profit), key=lambda one: one.profit):
            _take_out(row, known, earlier, rows[earlier])
        # A row that was taken out may have brought in more of the lower ones.
        while lower := [one for one in row if one.profit < state.profit]:
            first = min(lower, key=lambda one: one.profit)
            _take_out(row, known, first, rows[first])
        own = 1 - row.pop(state, Fraction(0))
        rows[state] = ({one: weight / own for one, weight in row.items()}, [one / own for one in known])
    found: dict[State, list[Fraction]] = {}
    for state in reversed(group):
        row, known = rows[state]
        found[state] = [
            known[place] + sum((weight * found[one][place] for one, weight in row.items()), Fraction(0))
            for place in range(len(names))
        ]
    return found


def _equation(
    graph: _Graph,
    state: State,
    inside: dict[State, None],
    solved: dict[str, dict[State, Fraction]],
    names: tuple[str, ...],
) -> _Row:
    """x(state) = known + the weights of the states of its own group."""
    row: dict[State, Fraction] = {}
    known = [Fraction(0)] * len(names)
    for after, weight in graph.follows[state].items():
        share = Fraction(weight, graph.total)
        if after in inside and isinstance(after, State):
            row[after] = share
            continue
        for place, name in enumerate(names):
            if isinstance(after, State):
                known[place] += share * solved[name].get(after, Fraction(0))
            elif after == name:
                known[place] += share
    for place, name in enumerate(names):
        if name.endswith(" days"):
            # Each day lived counts one for the journeys that end so.
            known[place] += solved[name.removesuffix(" days")][state]
    return row, known


def _take_out(row: dict[State, Fraction], known: list[Fraction], state: State, solution: _Row) -> None:
    """Put what a lower state is made of in its place."""
    weight = row.pop(state)
    for one, share in solution[0].items():
        row[one] = row.get(one, Fraction(0)) + weight * share
    for place, value in enumerate(solution[1]):
        known[place] += weight * value


# ---- days --------------------------------------------------------------------------------------------


def _quartiles(graph: _Graph, start: State, chances: dict[str, Fraction]) -> dict[str, tuple[int, int, int] | None]:
    """The days by which a quarter, a half and three quarters of those that end so have done so."""
    wanted = {end: [float(chances[end]) * quarter / 4 for quarter in (1, 2, 3)] for end in chances}
    reached: dict[str, list[int]] = {end: [] for end in chances}
    so_far = dict.fromkeys(chances, 0.0)
    now: dict[State, float] = {start: 1.0}
    for day in range(1, _LONGEST + 1):
        after: dict[State, float] = {}
        for state, share in now.items():
            for one, weight in graph.follows[state].items():
                part = share * weight / graph.total
                if isinstance(one, State):
                    after[one] = after.get(one, 0.0) + part
                else:
                    so_far[one] += part
        now = after
        for end in chances:
            while len(reached[end]) < 3 and so_far[end] >= wanted[end][len(reached[end])]:
                reached[end].append(day)
        if all(len(one) == 3 for one in reached.values()):
            break
    return {
        end: (days[0], days[1], days[2]) if len(days) == 3 and chances[end] else None for end, days in reached.items()
    }
