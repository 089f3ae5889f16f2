"""riskcore with a core that fails at one place: python -m tests.cli.poisoned PLACE WORDS...

The trader's own buys are what it fails on: each fill of side +1, however often it is reported.
"""

import sys
from dataclasses import replace
from typing import Any

from riskcore.cli.main import main
from riskcore.core import events as e
from riskcore.core import project, step
from riskcore.core.rulebook import Rulebook


def fails_in_the_projection() -> None:
    real = project._HANDLERS[e.TradeRecorded]

    def broken(book: Any, at: int, body: e.TradeRecorded) -> Any:
        effect = real(book, at, body)
        return {-1: effect}[body.side]

    project._HANDLERS[e.TradeRecorded] = broken


def fails_in_the_planner() -> None:
    real = step.missing

    def broken(book: Any, account: Any, timeout: int) -> Any:
        assert all(trade.side < 0 for trade in account.trades.values()), "made to break"
        return real(book, account, timeout)

    step.missing = broken


def fails_in_what_comes_due() -> None:
    real = step.due_timers

    def broken(book: Any, *rest: Any) -> Any:
        for account in book.accounts.values():
            for trade in account.trades.values():
                1 // (trade.side - 1)
        return real(book, *rest)

    step.due_timers = broken


def fails_in_a_rule() -> None:
    real = Rulebook.instances

    def broken(self: Rulebook, account: Any) -> Any:
        assert all(trade.side < 0 for trade in account.trades.values()), "made to break"
        return real(self, account)

    Rulebook.instances = broken  # type: ignore[method-assign]


def fails_on_every_list_of_positions() -> None:
    real = project._HANDLERS[e.PositionsListed]

    def broken(book: Any, at: int, body: e.PositionsListed) -> Any:
        assert not body.positions, "made to break"
        return real(book, at, body)

    project._HANDLERS[e.PositionsListed] = broken


def fails_in_rule_004(where: str) -> None:
    """A rule of which one function raises as soon as there are fills."""
    real = Rulebook.instances

    def broken(params: Any, view: Any) -> Any:
        assert not view.account.trades, "made to break"
        return ()

    def instances(self: Rulebook, account: Any) -> Any:
        return tuple(
            replace(one, rule=replace(one.rule, **{where: broken})) if one.rule.id == "RULE-004" else one
            for one in real(self, account)
        )

    Rulebook.instances = instances  # type: ignore[method-assign]


PLACES = {
    "projection": fails_in_the_projection,
    "planner": fails_in_the_planner,
    "timers": fails_in_what_comes_due,
    "rules": fails_in_a_rule,
}

# What ends differently: for good, or in the rule alone.
OTHERS = {
    "positions": fails_on_every_list_of_positions,
    "evaluate": lambda: fails_in_rule_004("evaluate"),
    "remember": lambda: fails_in_rule_004("remember"),
}

if __name__ == "__main__":
    {**PLACES, **OTHERS}[sys.argv.pop(1)]()
    main()
