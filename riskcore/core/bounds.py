"""Where quotes are quiet, as plain figures: made by riskcore.core.watch, searched by quotes in whichever form."""

from dataclasses import dataclass, field

# Inclusive bounds of last, bid and ask: (last low, last high, bid low, bid high, ask low, ask high).
Bounds = tuple[int, int, int, int, int, int]
NOTHING = (1, 0)
# Every quote of the contract is looked at, also one that moves no price: it makes the mark fresh.
NEVER: Bounds = (*NOTHING, *NOTHING, *NOTHING)


@dataclass(slots=True)
class Watch:
    """A quote of a contract that is not in `bounds` is always quiet; none is at or after `until`.

    `gaps` says for each watched contract how long after its last mark the mark goes stale: no quote of any
    contract is quiet that comes more than that after it.
    """

    until: int
    bounds: dict[str, Bounds] = field(default_factory=dict)
    gaps: dict[str, int] = field(default_factory=dict)

    def holds(self, contract: str, last: int | None, bid: int | None, ask: int | None) -> bool:
        """Whether the prices of one quote lie within the bounds."""
        bounds = self.bounds.get(contract)
        if bounds is None or bounds == NEVER:
            return bounds is None
        return (
            (last is None or bounds[0] <= last <= bounds[1])
            and (bid is None or bounds[2] <= bid <= bounds[3])
            and (ask is None or bounds[4] <= ask <= bounds[5])
        )
