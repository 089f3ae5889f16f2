"""What a figure has to be held against: traders without an edge, and the firm's own published rates (ODDS.md 1, 6)."""

from decimal import Decimal, localcontext

from riskcore.core.programme.terms import Terms

SIX_PLACES = Decimal("0.000001")
# The firm's disclosure for 2025, as shares.
PUBLISHED = {
    "year": 2025,
    "combines_passed": 0.168,
    "people_who_passed": 0.518,
    "funded_people_paid": 0.333,
    "called_live": 0.0071,
}


def random_walk(terms: Terms) -> float | None:
    """The chance of a trader without an edge whose balance moves in steps as small as can be; None without a target.

    Static floor: L / (L + T). A floor that trails until it reaches the start, which is before the target in all
    accounts of the firm: e^(−1) · L / T.
    """
    loss, target = terms.maximum_loss_usd, terms.target_usd
    if loss is None or target is None:
        return None
    with localcontext() as context:
        context.prec = 30
        if terms.floor_kind == "static":
            chance = Decimal(loss) / (loss + target)
        else:
            chance = Decimal(-1).exp() * loss / target
        return float(chance.quantize(SIX_PLACES))
