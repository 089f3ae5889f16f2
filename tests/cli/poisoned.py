"""riskcore with a core that fails at one place: python -m tests.cli.poisoned PLACE WORDS...

The trader's own buys are what it fails on: each fill of side +1, however often it is reported.
"""

import sys
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


PLACES = {
    "projection": fails_in_the_projection,
    "planner": fails_in_the_planner,
    "timers": fails_in_what_comes_due,
    "rules": fails_in_a_rule,
}

if __name__ == "__main__":
    PLACES[sys.argv.pop(1)]()
    main()
