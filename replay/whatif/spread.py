"""The range of the effect over what nobody can know: policy, latency, slippage, path of a bar (WHATIF.md 5)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from replay.whatif.broker import BarPath
from replay.whatif.courses import End, Options, Policy
from replay.whatif.result import Effects
from riskcore.core.quantities import money_text

POLICIES: tuple[Policy, ...] = ("follow", "freeze", "stop")
LATENCIES_MS = (0, 1_000)
SLIPPAGES = (0, 4)
MILLISECOND_NS = 1_000_000
Run = Callable[[Options], Effects]


def spread(options: Options, known: Effects, run: Run, *, bars: bool) -> dict[str, Any]:
    """The kindest and the cruellest effect, and under which assumptions each of them is found.

    Where the courses never part nothing depends on any assumption. Where the broker is asked nothing, only the policy
    can matter. Of equal effects the assumptions in force are named, then the first in the order of WHATIF.md.
    """
    found = [(options, known)]
    if known.divergences:
        for policy in POLICIES:
            plain = replace(options, policy=policy)
            effects = known if policy == options.policy else run(plain)
            found.append((plain, effects))
            if effects.asked:
                for one in _around(plain, effects, bars):
                    found.append((one, _same_as(one, found, bars) or run(one)))
    kindest = max(found, key=lambda one: one[1].net_usd)
    cruellest = min(found, key=lambda one: one[1].net_usd)
    return {
        "kindest": money_text(kindest[1].net_usd),
        "cruellest": money_text(cruellest[1].net_usd),
        "kindest_of": _named(*kindest),
        "cruellest_of": _named(*cruellest),
    }


def _same_as(wanted: Options, found: list[tuple[Options, Effects]], bars: bool) -> Effects | None:
    """A run that differs only in what had no say in it."""
    for options, effects in found:
        end = options.end if effects.end_assumed else wanted.end
        path = options.assumptions.bar_path if bars or effects.path_assumed else wanted.assumptions.bar_path
        if replace(options, end=end, assumptions=replace(options.assumptions, bar_path=path)) == wanted:
            return effects
    return None


def _around(plain: Options, effects: Effects, bars: bool) -> list[Options]:
    assumed = plain.assumptions
    paths: tuple[BarPath, ...] = ("point", "kindest", "cruellest") if bars or effects.extrapolated else ("point",)
    ends: tuple[End, ...] = ("kept", "recorded") if effects.extrapolated else ("kept",)
    latencies = sorted({assumed.latency_ns, *(one * MILLISECOND_NS for one in LATENCIES_MS)})
    slippages = sorted({assumed.slippage_ticks, *SLIPPAGES})
    return [
        other
        for end in ends
        for path in paths
        for latency in latencies
        for slippage in slippages
        if (
            other := replace(
                plain,
                end=end,
                assumptions=replace(assumed, latency_ns=latency, slippage_ticks=slippage, bar_path=path),
            )
        )
        != plain
    ]


def _named(options: Options, effects: Effects) -> dict[str, Any]:
    assumed = options.assumptions
    named: dict[str, Any] = {
        "policy": options.policy,
        "bar_path": assumed.bar_path,
        "latency_ms": assumed.latency_ns // MILLISECOND_NS,
        "slippage_ticks": assumed.slippage_ticks,
    }
    if effects.extrapolated:
        named["end"] = options.end
    return named
