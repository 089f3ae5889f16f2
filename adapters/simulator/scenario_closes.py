"""Plots in which a close is hard: it fills late or in parts, its answer is lost, a second one would reverse.

Each holds the account to RULES.md 1.6 "A close has an exit order": one close at a time, and flat in the end.
"""

from adapters.simulator.execution import Execution
from adapters.simulator.scenario import Action, FaultAt, Habit, PricePath, Scenario
from riskcore.core.state import BUY

_FALLING = (PricePath("MNQ", "21000", ((2, "21000"), (8, "20960"), (30, "20950")), 2, 2),)
_DAILY_LOSS = """\
[profile]
name = "simulated"

[rules.daily_realized_loss]
loss_limit = "200"
basis = "combined"
"""
_BUY_SIX = (Action(2, "market", side=BUY, size=6),)
_CLOSE = "Position/closeContract"
_REVERSING = Execution(pending_seconds=(6, 6), accepts_second_close=True)
COPIES = 200


def _hard(
    name: str,
    description: str,
    execution: Execution,
    *,
    faults: tuple[FaultAt, ...] = (),
    actions: tuple[Action, ...] = _BUY_SIX,
    settings: str = _DAILY_LOSS,
) -> Scenario:
    """Forty seconds whose limit is reached at about the fifth; flat by the thirty-fifth in spite of everything."""
    return Scenario(
        name,
        description,
        settings,
        _FALLING,
        actions=actions,
        faults=faults,
        seconds=40,
        flat_by=35,
        execution=execution,
    )


CLOSES = (
    _hard(
        "slow-fill",
        "Every close rests as pending for six seconds before it fills, and nothing is reported meanwhile",
        Execution(pending_seconds=(6, 6)),
    ),
    _hard(
        "fill-in-parts",
        "The close of six contracts fills as one, two and three, each reported in another order, and the volume lags",
        Execution(
            parts=(1, 2, 3),
            between_parts_seconds=2,
            shuffles_pushes=True,
            push_gap_seconds=0.2,
            fill_volume_lags=True,
        ),
    ),
    _hard(
        "second-close",
        "A close rests for six seconds, and the venue takes a second one: both would fill and reverse the position",
        _REVERSING,
    ),
    _hard(
        "second-partial-close",
        "The same where three of six contracts are to go: a second partial close would leave none",
        _REVERSING,
        settings='[profile]\nname = "simulated"\n\n[rules.max_contracts]\nlimit = 3\n',
        actions=(*_BUY_SIX, Action(30, "close")),
    ),
    _hard(
        "close-answer-lost",
        "The order of the close is pushed, then its answer is lost; it fills six seconds later",
        _REVERSING,
        faults=(FaultAt("answer_lost", "rest", on_path=_CLOSE, count=2),),
    ),
    _hard(
        "close-answer-hangs",
        "The close is carried out and its answer never arrives; it fills six seconds later",
        _REVERSING,
        faults=(FaultAt("timeout_after", "rest", on_path=_CLOSE, count=2),),
    ),
    _hard(
        "slow-everything",
        "Every market order takes up to six seconds: what is bought into the lockout is pending when the close leaves",
        Execution(pending_seconds=(1, 6), every_market_order=True),
        actions=(*_BUY_SIX, Action(10, "market", side=BUY, size=2), Action(13, "market", side=BUY)),
    ),
    Scenario(
        "copier",
        f"Something buys one contract each second, {COPIES} times, whatever is done about it, while the day is over",
        _DAILY_LOSS,
        _FALLING,
        actions=(Action(2, "market", side=BUY, size=4),),
        habits=(Habit("copy", count=COPIES, after_seconds=1, from_second=9, side=BUY),),
        seconds=9 + COPIES + 20,
        flat_by=9 + COPIES + 15,
    ),
)
