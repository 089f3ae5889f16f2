"""What follows a pass: the funded account, its payouts, and what is left of them after all fees."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from replay.odds.chances import INNER_FUNDED, OUTER_FUNDED, Chance, Spread, drawn_days, share
from replay.odds.days import Block, OddsDay, fresh, table_of
from replay.odds.draws import resamples
from replay.odds.funded import YEAR_DAYS, Funded, funded
from replay.odds.intervals import data_interval
from riskcore.core.programme.terms import Terms
from riskcore.core.quantities import CENT, FRACTION_SCALE, money_text
from riskcore.errors import ConfigError
from riskcore.settings.programme_figures import DEFAULT_READINGS, Figures
from riskcore.settings.programme_terms import terms_for

MONTH_DAYS = 21


@dataclass(frozen=True, slots=True)
class Costs:
    """What the trader pays the firm: the Combine each month, and once when it is passed."""

    combine_usd: int = 0
    activation_usd: int = 0

    def of(self, chance: Chance) -> float:
        """The mean costs of one Combine. A month that was begun is paid; months are counted from the mean days."""
        parts = ((chance.passed, chance.days_to_pass), (chance.lost, chance.days_to_lose))
        months = sum(part * -(-days.mean // MONTH_DAYS) for part, days in parts if days is not None)
        return months * self.combine_usd + chance.passed * self.activation_usd


def funded_terms(terms: Terms, programme: dict[str, Any]) -> Terms | None:
    """The terms of the account that follows a pass; None for a challenge, which is followed by none."""
    if terms.stage == "xfa":
        return fresh(terms)
    if terms.stage != "combine":
        return None
    plain = {**programme, "stage": "xfa", "floor_override": None, "first_payout_taken": False}
    try:
        return terms_for(plain, [])
    except ConfigError:
        return None


def payouts_row(
    days: Sequence[OddsDay],
    terms: Terms,
    chance: Chance,
    spread: Spread | None,
    costs: Costs,
    *,
    entered: float,
    paths: int,
    seed: int,
    block: Block,
    shown: bool,
) -> dict[str, Any]:
    """The payouts of one history.

    `terms` are those of the funded account; `entered`: the chance to come so far; `spread`: that of
    each resampled history, None for an account that is funded already; `shown`: whether single figures are.
    """
    table = table_of([days], terms, block)
    accounts = funded(table, terms, paths, seed)
    paid, kept = accounts.paid_on[0] > 0, _kept(accounts)
    outer = funded(table.resampled(resamples(seed, OUTER_FUNDED, table.blocks)), terms, INNER_FUNDED, seed)
    passing = spread.passed[:OUTER_FUNDED] if spread is not None else np.ones(OUTER_FUNDED)
    first = passing * np.count_nonzero(outer.paid_on, axis=1) / INNER_FUNDED
    dollars = passing * _kept(outer) - costs.of(chance)
    low, high = data_interval([float(one) for one in dollars], table.blocks)
    row: dict[str, Any] = {
        "first": share(entered * paid.mean()),
        "first_data_95": [share(one) for one in data_interval([float(one) for one in first], table.blocks)],
        "first_if_funded": share(paid.mean()),
        "days_to_first": _row(accounts.paid_on[0][paid]),
        "mean_payouts": round(float(accounts.payouts[0].mean()), 2),
        "lost": share(np.count_nonzero(accounts.lost_on[0]) / paths),
        "expected_usd": _dollars(entered * float(kept[0]) - costs.of(chance)),
        "expected_data_95": [_dollars(low), _dollars(high)],
        "paid_share": _paid_share() / FRACTION_SCALE,
        "costs": {"combine_month": money_text(costs.combine_usd), "activation": money_text(costs.activation_usd)},
        "horizon_days": YEAR_DAYS,
        "method": "bootstrap",
    }
    if not shown:
        single = ("first", "first_if_funded", "days_to_first", "mean_payouts", "lost", "expected_usd")
        row.update(dict.fromkeys(single))
    return row


def _row(days: Any) -> dict[str, Any] | None:
    found = drawn_days(days)
    return None if found is None else found.row()


def _kept(accounts: Funded) -> Any:
    """The trader's share of all payouts of one account, on average: of each setting."""
    return accounts.requested.mean(axis=1) * _paid_share() / FRACTION_SCALE


def _paid_share() -> int:
    return Figures(DEFAULT_READINGS).share("payout.paid_share")


def _dollars(value: float) -> str:
    return money_text(round(value / CENT) * CENT)
