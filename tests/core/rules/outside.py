"""A rule that no file of the package knows: the day's closed loss, written as docs/guides/add-a-rule.md says."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from riskcore.core import rules
from riskcore.core.events import Command
from riskcore.core.quantities import MONEY_SCALE, SECOND_NS, money_text
from riskcore.core.rules.base import COUNT, LOSS, OPEN_LOSS, Beside, Breach, Finding, Reading, Rule, spec
from riskcore.core.rules.commands import FLATTEN, lock_until_reset
from riskcore.core.view import View

NAME = "closed_loss"


@dataclass(frozen=True, slots=True)
class Params:
    loss_limit: int = spec(100 * MONEY_SCALE, "money", unit="$", low=1, stricter="lower", doc="closed loss of the day")
    base: int = spec(0, "money", unit="$", low=0, doc="what is added to the limit")
    ask_seconds: int = spec(0, "int", unit="s", low=0, high=60, doc="how often the broker is asked; 0 never")

    @property
    def limit_usd(self) -> int:
        return self.loss_limit + self.base


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    lost = -view.day.realised_usd(view.pnl_basis)
    if lost < params.limit_usd or view.episode_open("day"):
        return ()
    commands: tuple[Command, ...] = (lock_until_reset("closed loss"), *FLATTEN)
    return (Breach("day", {"lost": money_text(lost)}, commands),)


def needs(params: Params) -> tuple[str, ...]:
    return ("trades",)


def gauges(params: Params, view: View) -> Iterator[Reading]:
    yield Reading("closed loss", LOSS, -view.day.realised_usd(view.pnl_basis), params.limit_usd)
    yield Reading("fills", COUNT, len(view.account.trades), 9)


def warnings(params: Params, where: str, beside: Beside) -> Sequence[str]:
    if OPEN_LOSS in beside.bounded:
        return ()
    return (f"{where} sees no open loss: add {beside.advice(OPEN_LOSS)}",)


def confirms_every(params: Params) -> int | None:
    return params.ask_seconds * SECOND_NS or None


def loosens(old: Params, new: Params) -> bool:
    """Two fields make the limit together."""
    return new.limit_usd > old.limit_usd


RULE = Rule(
    "RULE-990",
    NAME,
    "Stop for the day at a closed loss",
    90,
    Params,
    evaluate,
    needs=needs,
    gauges=gauges,
    warnings=warnings,
    confirms_every=confirms_every,
    loosens={"loss_limit": loosens, "base": loosens},
)
# The same function, by an author who forgot to say what it reads.
UNDECLARED = replace(RULE, needs=lambda params: ())


@contextmanager
def added(rule: Rule) -> Iterator[None]:
    """A rule of the registry while a test runs."""
    rules.add(rule)
    try:
        yield
    finally:
        del rules._BY_NAME[rule.name]
