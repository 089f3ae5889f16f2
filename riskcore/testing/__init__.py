"""The kit to test rules with: tiny ledgers, a scripted broker, and the check that a rule is a pure function.

    from riskcore.testing import Ledger
    from my_rules import RULE

    def test_opening_in_the_last_minutes_is_closed() -> None:
        day = Ledger.of(RULE, seconds=600)
        assert day.at("16:50:01").fill("MNQ", 1, "21000").kinds == ["ClosePosition"]

Source: docs/concepts/ledgers.md, docs/guides/your-own-rule.md. What is named here is stable.
"""

from riskcore.core.quantities import fraction, money, price
from riskcore.testing.desk import Desk
from riskcore.testing.ledger import ACCOUNT, CHICAGO, Ledger, clock, nanoseconds, usd
from riskcore.testing.rehearsal import Unrepeatable, check_repeatable

__all__ = [
    "ACCOUNT",
    "CHICAGO",
    "Desk",
    "Ledger",
    "Unrepeatable",
    "check_repeatable",
    "clock",
    "fraction",
    "money",
    "nanoseconds",
    "price",
    "usd",
]
