"""The named days of the simulated broker: a story each, with the settings that suit it.

`SCENARIOS` holds them, the short drills of scenario_drills.py and the hard closes of scenario_closes.py. All prices
and times are of the plot without noise.
"""

from adapters.simulator.scenario import AccountPlan, Action, FaultAt, Habit, PastDays, PricePath, Scenario
from adapters.simulator.scenario_closes import CLOSES
from adapters.simulator.scenario_drills import DRILLS
from riskcore.core.state import BUY
from riskcore.errors import ConfigError

DEFAULT = "daily-loss"
SECOND_ACCOUNT = AccountPlan(99_000_002, "PRAC-V2-99000002")
_DAILY_LOSS = """\
# A practice account: done for the day at a loss of 500 dollars, closed and open together.
[profile]
name = "simulated"

[rules.daily_realized_loss]
loss_limit = "500"
basis = "combined"
"""
_CAREFUL = """\
# The starter rules: size, loss, pace and a stop on every trade.
[profile]
name = "simulated"

[rules.max_contracts]
limit = 5

[rules.daily_realized_loss]
loss_limit = "500"
basis = "combined"

[rules.daily_unrealized_loss]
loss_limit = "300"

[rules.trade_frequency_limit]
per_minute = 6

[rules.no_stop_loss_grace]
grace_period_seconds = 10
"""
_REVENGE_PRICES = PricePath(
    "MNQ", "21000", ((3, "21000"), (6, "20985"), (7, "20986"), (12, "20962"), (20, "20975"), (30, "20990"))
)
_REVENGE = (
    Action(3, "market", side=BUY, size=5),
    Action(6, "close"),
    Action(7, "market", side=BUY, size=10),
    Action(15, "market", side=BUY, size=5),
)

_STORIES = (
    Scenario(
        "daily-loss",
        "Revenge trading: a small loss, then double the size against the trend, until the daily loss limit ends the "
        "day; a try to go on is closed at once",
        _DAILY_LOSS,
        (_REVENGE_PRICES,),
        actions=_REVENGE,
        seconds=30,
        flat_by=20,
    ),
    Scenario(
        "disciplined-day",
        "Two trades with stop and target, one won, one lost, all inside the rules",
        _CAREFUL,
        (
            PricePath(
                "MNQ",
                "21000",
                ((3, "21000"), (20, "21016"), (25, "21013"), (30, "21014"), (45, "21005"), (60, "21008")),
                noise_ticks=1,
            ),
        ),
        actions=(
            Action(3, "bracket", side=BUY, size=2, ticks=40, target_ticks=60),
            Action(30, "bracket", side=BUY, size=2, ticks=32, target_ticks=64),
        ),
        seconds=60,
    ),
    Scenario(
        "runaway-position",
        "A position without a stop that runs away: cut at an open loss of 200, or after ten seconds without a stop",
        """\
[profile]
name = "simulated"

[rules.daily_unrealized_loss]
loss_limit = "200"

[rules.no_stop_loss_grace]
grace_period_seconds = 10
""",
        (PricePath("MNQ", "21000", ((3, "21000"), (15, "20960"), (30, "20930"))),),
        actions=(Action(3, "market", side=BUY, size=4),),
        seconds=30,
        flat_by=20,
    ),
    Scenario(
        "disconnect-mid-flatten",
        "The daily loss limit is reached, and the hubs are lost at the very moment the position is closed",
        _DAILY_LOSS,
        (_REVENGE_PRICES,),
        actions=_REVENGE[:3],
        faults=(
            FaultAt("dropped", "user", on_path="Position/closeContract"),
            FaultAt("dropped", "market", on_path="Position/closeContract"),
        ),
        seconds=40,
        flat_by=30,
    ),
    Scenario(
        "reopening-bot",
        "Something else on the account reopens the position after each close, while the day is over",
        _DAILY_LOSS,
        (_REVENGE_PRICES,),
        actions=_REVENGE[:3],
        habits=(Habit("reenter", count=4, after_seconds=1, from_second=9, side=BUY, size=2),),
        seconds=40,
        flat_by=30,
    ),
    Scenario(
        "brackets",
        "Four contracts with stop and target where two are allowed: the cut leaves legs that are too large, then the "
        "daily loss limit closes what is left, legs and all",
        """\
[profile]
name = "simulated"

[rules.max_contracts]
limit = 2

[rules.daily_realized_loss]
loss_limit = "100"
basis = "combined"
""",
        (PricePath("MNQ", "21000", ((3, "21000"), (8, "21002"), (14, "20968"))),),
        actions=(Action(3, "bracket", side=BUY, size=4, ticks=200, target_ticks=400),),
        seconds=30,
        flat_by=22,
    ),
    Scenario(
        "two-accounts",
        "One account breaks its daily loss limit while the other trades within the rules and closes by itself",
        _DAILY_LOSS,
        (_REVENGE_PRICES, PricePath("MES", "6000", ((3, "6000"), (18, "6006")), noise_ticks=1)),
        accounts=(AccountPlan(), SECOND_ACCOUNT),
        actions=(
            *_REVENGE[:3],
            Action(4, "bracket", "MES", BUY, 2, ticks=40, target_ticks=80, account=1),
            Action(18, "cancel", "MES", account=1),
            Action(18.5, "close", "MES", account=1),
        ),
        seconds=30,
        flat_by=22,
    ),
    Scenario(
        "scaling-in",
        "A trader who adds to a position again and again where three contracts are allowed",
        """\
[profile]
name = "simulated"

[rules.max_contracts]
limit = 3
""",
        (PricePath("MNQ", "21000", ((3, "21000"), (20, "20990"))),),
        actions=(Action(3, "market", side=BUY, size=2), Action(20, "close")),
        habits=(Habit("add", count=6, after_seconds=2, from_second=4, side=BUY),),
        seconds=30,
        flat_by=23,
    ),
    Scenario(
        "profit-target",
        "The day ends at a profit of 200 dollars, before it can be given back",
        """\
[profile]
name = "simulated"

[rules.daily_realized_profit]
profit_target = "200"
basis = "combined"
""",
        (PricePath("MNQ", "21000", ((3, "21000"), (12, "21030"), (30, "20980"))),),
        actions=(Action(3, "market", side=BUY, size=5),),
        seconds=30,
        flat_by=18,
    ),
    Scenario(
        "can-trade-false",
        "The broker takes the trading rights away while a position is open",
        """\
[profile]
name = "simulated"

[rules.auth_loss_guard]
flatten_after_seconds = 2
""",
        (PricePath("MNQ", "21000", ((20, "21005"),)),),
        actions=(
            Action(3, "bracket", side=BUY, size=2, ticks=80, target_ticks=80),
            Action(6, "rights", side=0),
            Action(12, "market", side=BUY, size=1),
        ),
        seconds=25,
        flat_by=15,
    ),
    Scenario(
        "partial-fills",
        "Orders fill two contracts at a time: the limit is reached while an order still fills, and so does the close",
        _DAILY_LOSS,
        (PricePath("MNQ", "21000", ((3, "21000"), (12, "20960"), (30, "20950"))),),
        actions=(
            Action(3, "market", side=BUY, size=9),
            Action(5, "limit", side=BUY, size=6, ticks=100),
        ),
        largest_fill=2,
        seconds=30,
        flat_by=25,
    ),
    Scenario(
        "overnight-reset",
        "The daily loss limit is reached just before 17:00 in Chicago; the new day's trade is free again",
        _DAILY_LOSS,
        (PricePath("MNQ", "21000", ((2, "21000"), (8, "20950"), (60, "20960"))),),
        actions=(
            Action(2, "market", side=BUY, size=6),
            Action(14, "market", side=BUY, size=1),
            Action(35, "market", side=BUY, size=1),
            Action(50, "close"),
        ),
        local_time="16:59:30",
        seconds=60,
        flat_by=55,
    ),
    Scenario(
        "quiet",
        "Nothing happens: one contract is quoted once a second and there are no trades",
        _CAREFUL,
        (PricePath("MNQ", "21000", noise_ticks=1, quotes_per_second=1),),
    ),
    Scenario(
        "past-month",
        "Thirty working days behind the account, of a trader who doubles his size after a loss: for riskcore fetch",
        _CAREFUL,
        (PricePath("MNQ", "21000"),),
        past=(PastDays(30),),
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (*_STORIES, *DRILLS, *CLOSES)}


def scenario_of(name: str) -> Scenario:
    """The scenario of a name. Raises ConfigError."""
    if name not in SCENARIOS:
        raise ConfigError(f"no scenario is called {name!r:.60}; known are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
