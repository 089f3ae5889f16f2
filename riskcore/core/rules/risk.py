"""RULE-012, R: the distance of the first protective stop, in which levels of profit are measured (RULES.md 5)."""

from riskcore.core.quantities import FRACTION_SCALE
from riskcore.core.rules.stop_management import Held
from riskcore.core.rules.trade_settings import Params
from riskcore.core.view import View

RISK = "r_points"  # R in 1e-9 points, remembered for a position's life.


def remember_risk(params: Params, view: View, held: Held) -> None:
    """R is fixed at the first cover; without a stop there is none."""
    stop = held.stop
    if params.measures_risk and view.recall(held.position, RISK) is None and stop is not None:
        assert stop.stop_price is not None, "the managed stop has a price"
        risk = abs(held.entry.profit(stop.stop_price)) // held.entry.contracts
        view.keep(held.position, RISK, risk or None)


def profit_at(view: View, held: Held, multiple: int) -> int | None:
    """Profit at a multiple of R, in points times contracts; None without R."""
    risk = view.recall(held.position, RISK)
    if risk is None:
        return None
    needed: int = -(-multiple * risk * held.entry.contracts // FRACTION_SCALE)
    return needed
