"""Whose doing the effect is: leave one out, alone, and the Shapley share of every rule (WHATIF.md 5).

A value is the effect with some tables changed and all others as in the baseline, or off. Runs are shared: a table that
found nothing in a run could be taken out of it without changing anything, so its value is known without a run.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import comb, isqrt
from random import Random
from typing import Any

from replay.whatif.result import Effects
from replay.whatif.settings import Table
from riskcore.core.names import rule_key
from riskcore.core.quantities import money_text

MOST_EXACT = 8
PERMUTATIONS = 2_000
SEED = 20_260_828
CENT_USD = 10_000  # In 1e-6 dollars.
Chosen = frozenset[Table]
Run = Callable[[Chosen], Effects]


@dataclass(slots=True)
class Values:
    """The effect of every set of tables that is asked for. `before`, `after`: the tables on in baseline and change.

    One that is on in both has other parameters where it is chosen, so a run says nothing of it without it.
    """

    run: Run
    before: Chosen
    after: Chosen
    known: dict[Chosen, Effects] = field(default_factory=dict)

    def of(self, chosen: Iterable[Table]) -> Effects:
        wanted = frozenset(chosen)
        found = self.known.get(wanted)
        if found is None:
            found = self._same_as(wanted) or self.run(wanted)
            self.known[wanted] = found
        return found

    def _same_as(self, wanted: Chosen) -> Effects | None:
        """A run with more tables on, of which those that are too many found nothing."""
        for chosen, effects in self.known.items():
            on, alike = self.on(chosen), not (chosen ^ wanted) & self.before & self.after
            extra = on - self.on(wanted)
            silent = not any(rule_key(*table) in effects.fired for table in extra)
            if alike and silent and self.on(wanted) <= on:
                return effects
        return None

    def on(self, chosen: Chosen) -> Chosen:
        """The tables that are on in a run."""
        return (chosen & self.after) | (self.before - chosen)


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one table, in 1e-6 dollars."""

    net_usd: Fraction
    error_usd: Fraction | None = None


def exact_shares(tables: Sequence[Table], values: Values) -> list[Share]:
    """Shapley shares over all subsets; they sum to the effect of all tables less that of none."""
    count = len(tables)
    found = []
    subsets = [frozenset(one) for size in range(count + 1) for one in combinations(tables, size)]
    # Those with the most tables on come first: they say what the others give.
    for chosen in sorted(subsets, key=lambda one: -len(values.on(one))):
        values.of(chosen)
    for one in tables:
        others = [other for other in tables if other != one]
        total = Fraction(0)
        for size in range(count):
            gained = 0
            for subset in combinations(others, size):
                gained += values.of((*subset, one)).net_usd - values.of(subset).net_usd
            total += Fraction(gained, count * comb(count - 1, size))
        found.append(Share(total))
    return found


def sampled_shares(tables: Sequence[Table], values: Values) -> list[Share]:
    """Shares over seeded permutations, with the standard error of each."""
    random = Random(SEED)
    gains: dict[Table, list[int]] = {table: [] for table in tables}
    for _ in range(PERMUTATIONS):
        order = list(tables)
        random.shuffle(order)
        before = values.of(()).net_usd
        for index in range(len(order)):
            after = values.of(order[: index + 1]).net_usd
            gains[order[index]].append(after - before)
            before = after
    return [_sampled(gains[table]) for table in tables]


def _sampled(gains: list[int]) -> Share:
    count, total = len(gains), sum(gains)
    mean = Fraction(total, count)
    variance = sum((gain - mean) ** 2 for gain in gains) / (count - 1)
    error_usd = isqrt(int(variance / count))
    return Share(mean, Fraction(error_usd))


def by_rule(tables: Sequence[Table], values: Values, rule_ids: Callable[[Table], str]) -> tuple[list[Any], Any]:
    """The rows of INTERFACE.md 6, and how the shares were found and rounded."""
    everything = values.of(tables)
    exact = len(tables) <= MOST_EXACT
    shares = exact_shares(tables, values) if exact else sampled_shares(tables, values)
    rounded = [_to_cents(share.net_usd) for share in shares]
    left = everything.net_usd - values.of(()).net_usd - sum(rounded)
    if rounded and left:
        largest = max(range(len(rounded)), key=lambda index: (abs(shares[index].net_usd), -index))
        rounded[largest] += left
    rows = []
    for table, share, net_usd in zip(tables, shares, rounded, strict=True):
        without = values.of(one for one in tables if one != table)
        lost = _lost_by_day(everything, without)
        rows.append(
            {
                "rule": rule_ids(table),
                "table": f"{table[0]}.{table[1]}",
                "net_pnl": money_text(net_usd),
                "leave_one_out": money_text(sum(lost)),
                "alone": money_text(values.of((table,)).net_usd),
                "days_helped": sum(one > 0 for one in lost),
                "days_hurt": sum(one < 0 for one in lost),
                "standard_error": None if share.error_usd is None else money_text(_to_cents(share.error_usd)),
            }
        )
    shown = {"method": "exact" if exact else "permutations", "remainder": money_text(left if rows else 0)}
    return rows, shown if exact else {**shown, "permutations": PERMUTATIONS, "seed": SEED}


def _lost_by_day(everything: Effects, without: Effects) -> list[int]:
    """What is lost on each day when one table is switched off."""
    with_all = {(day.account, day.trade_date): day.net_usd for day in everything.days}
    less = {(day.account, day.trade_date): day.net_usd for day in without.days}
    return [with_all.get(name, 0) - less.get(name, 0) for name in sorted({*with_all, *less})]


def _to_cents(amount: Fraction) -> int:
    return round(amount / CENT_USD) * CENT_USD
