"""CALIBRATION: says once a day that the balance moves by something else than our net result (RULES.md 1.5).

Not configured: a broker's rule of booking that riskcore does not know would make every limit wrong by as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskcore.core.balance import NAME, STEADY
from riskcore.core.quantities import money_text
from riskcore.core.rules import wording
from riskcore.core.rules.base import Action, Finding, Rule
from riskcore.core.rules.commands import alert
from riskcore.core.view import View


@dataclass(frozen=True, slots=True)
class Params:
    pass


def evaluate(params: Params, view: View) -> Sequence[Finding]:
    difference = view.recall_account(STEADY)
    if difference is None or view.episode_open(STEADY):
        return ()
    text = (
        f"the balance moved by {money_text(-difference)} more than the net result of the fills says: check the account"
    )
    return (Action(STEADY, (alert(text),)),)


def stands(profile: Any, needs: tuple[str, ...]) -> Params:
    return Params()


CALIBRATION = Rule(
    "CALIBRATION", NAME, "The balance and the fills disagree", 4, Params, evaluate, stands=stands, advice=wording.COSTS
)
