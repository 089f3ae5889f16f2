"""Short plots for tests and trials: each brings one rule or one situation about within thirty seconds."""

from adapters.simulator.scenario import AccountPlan, Action, Habit, PricePath, Scenario
from riskcore.core.state import BUY, SELL

_PER_SECOND = 2
_CALM = (PricePath("MNQ", "21000", noise_ticks=1, quotes_per_second=_PER_SECOND),)
_FALLING = (PricePath("MNQ", "21000", ((2, "21000"), (10, "20960"), (30, "20950")), 2, _PER_SECOND),)
_RISING = (PricePath("MNQ", "21000", ((2, "21000"), (10, "21040"), (30, "21050")), 2, _PER_SECOND),)
_ACCOUNTS = (AccountPlan(), AccountPlan(99_000_002, "PRAC-V2-99000002"), AccountPlan(99_000_003, "PRAC-V2-99000003"))
_BUY_FOUR, _SELL_FOUR = Action(2, "market", side=BUY, size=4), Action(2, "market", side=SELL, size=4)
_DAILY_LOSS = '[rules.daily_realized_loss]\nloss_limit = "200"\nbasis = "combined"'


def _drill(
    name: str,
    description: str,
    rules: str,
    prices: tuple[PricePath, ...],
    *actions: Action,
    habits: tuple[Habit, ...] = (),
    accounts: tuple[AccountPlan, ...] = _ACCOUNTS[:1],
    largest_fill: int = 0,
) -> Scenario:
    """Thirty seconds with at least one breach, flat after twenty-five if the rules are enforced."""
    return Scenario(
        name,
        description,
        f'[profile]\nname = "simulated"\n\n{rules}\n',
        prices,
        accounts=accounts,
        actions=actions,
        habits=habits,
        seconds=30,
        flat_by=25,
        largest_fill=largest_fill,
    )


_RULES = (
    _drill(
        "open-loss",
        "An open loss is cut",
        '[rules.daily_unrealized_loss]\nloss_limit = "150"',
        _FALLING,
        _BUY_FOUR,
    ),
    _drill(
        "open-loss-of-all",
        "Two products lose together what neither loses alone",
        '[rules.daily_unrealized_loss]\nloss_limit = "300"\nscope = "total"',
        (*_FALLING, PricePath("MES", "6000", ((2, "6000"), (10, "5985")), 1, _PER_SECOND)),
        Action(2, "market", side=BUY, size=3),
        Action(3, "market", "MES", BUY, 2),
    ),
    _drill(
        "short-squeeze", "A short position loses the day's limit in a rising market", _DAILY_LOSS, _RISING, _SELL_FOUR
    ),
    _drill(
        "price-gap",
        "The price jumps far past the limit from one quote to the next",
        _DAILY_LOSS,
        (PricePath("MNQ", "21000", ((6, "21000"), (6.001, "20900")), 1, _PER_SECOND),),
        _BUY_FOUR,
    ),
    _drill(
        "crude-spike",
        "A micro crude position is caught by a spike down that comes back",
        _DAILY_LOSS,
        (PricePath("MCL", "70", ((4, "70"), (8, "69.2"), (14, "69.9")), 1, _PER_SECOND),),
        Action(2, "market", "MCL", BUY, 4),
    ),
    _drill(
        "open-profit",
        "An open profit is taken",
        '[rules.max_unrealized_profit]\nprofit_target = "150"',
        _RISING,
        _BUY_FOUR,
    ),
    _drill(
        "give-back",
        "Half of an open profit is gone again",
        '[rules.max_unrealized_profit]\nmode = "give_back"\narm_profit = "100"\ngive_back_fraction = "0.5"',
        (PricePath("MNQ", "21000", ((2, "21000"), (8, "21030"), (16, "21000")), 2, _PER_SECOND),),
        _BUY_FOUR,
    ),
    _drill(
        "too-many-contracts",
        "Twice the contracts that are allowed: everything is closed",
        '[rules.max_contracts]\nlimit = 3\naction = "close_all"',
        _CALM,
        Action(2, "market", side=BUY, size=6),
    ),
    _drill(
        "instrument-cap",
        "Two contracts of one product where none is allowed",
        '[rules.max_contracts_per_instrument]\nlimits = { MNQ = 0 }\ndefault_limit = 10\nenforcement = "close_all"',
        _CALM,
        Action(2, "market", side=BUY, size=2),
    ),
    _drill(
        "blocked-product",
        "A product that is never to be traded, first as an order and then as a position",
        '[rules.symbol_blocks]\nblocked_symbols = ["MCL"]',
        (*_CALM, PricePath("MCL", "70", (), 1, _PER_SECOND)),
        Action(2, "limit", "MCL", BUY, 2, ticks=30),
        Action(5, "market", "MCL", BUY, 2),
    ),
    _drill(
        "overtrading",
        "A fourth trade within the minute, and a fifth one into the pause",
        "[rules.trade_frequency_limit]\nper_minute = 3",
        _CALM,
        *(Action(2 + step, "market", side=BUY if step % 2 == 0 else SELL) for step in range(4)),
        Action(9, "market", side=BUY),
    ),
    _drill(
        "pause-after-loss",
        "A loss of more than a hundred, and the next trade comes before the pause is over",
        '[rules.cooldown_after_loss]\nloss_thresholds = [{ loss_amount = "100", cooldown_seconds = 60 }]',
        _FALLING,
        _BUY_FOUR,
        Action(8, "close"),
        Action(11, "market", side=BUY, size=2),
    ),
    _drill(
        "no-stop",
        "A position without a stop",
        "[rules.no_stop_loss_grace]\ngrace_period_seconds = 4",
        _CALM,
        Action(2, "market", side=BUY, size=2),
    ),
    _drill(
        "stop-pulled",
        "The protective stop is cancelled as soon as it works",
        "[rules.no_stop_loss_grace]\ngrace_period_seconds = 4",
        _CALM,
        Action(2, "bracket", side=BUY, size=2, ticks=60, target_ticks=90),
        habits=(Habit("cancel_stops", count=2, after_seconds=1),),
    ),
)

_SITUATIONS = (
    _drill(
        "entries-resting",
        "Entry orders rest on both sides of the market when the day ends, and one more comes afterwards",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        Action(3, "limit", side=BUY, size=2, ticks=400),
        Action(3.2, "limit", side=SELL, size=6, ticks=400),
        Action(14, "limit", side=BUY, size=1, ticks=400),
    ),
    _drill(
        "stop-beside-the-limit",
        "A protective stop fills just as the daily loss limit closes the position",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        Action(3, "stop", side=SELL, size=4, ticks=88),
    ),
    _drill(
        "flip-while-locked",
        "The day is over, and the trader turns the other way",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        Action(13, "market", side=SELL, size=8),
        Action(15, "market", side=BUY, size=3),
    ),
    _drill(
        "fast-bot",
        "Something reopens within a quarter of a second after each close",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        habits=(Habit("reenter", count=6, after_seconds=0.25, from_second=6, side=BUY),),
    ),
    _drill(
        "one-by-one",
        "Every execution is of a single contract, the close's too",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        largest_fill=1,
    ),
    _drill(
        "bracket-into-the-limit",
        "A bracket whose stop is too far away for the daily loss limit",
        _DAILY_LOSS,
        _FALLING,
        Action(2, "bracket", side=BUY, size=4, ticks=600, target_ticks=200),
    ),
    _drill(
        "two-products",
        "Two products are open when the day ends",
        _DAILY_LOSS,
        (*_FALLING, PricePath("MES", "6000", ((2, "6000"), (10, "6002")), 1, _PER_SECOND)),
        _BUY_FOUR,
        Action(2.5, "market", "MES", BUY, 3),
        Action(2.7, "stop", "MES", SELL, 3, ticks=200),
    ),
    _drill(
        "three-accounts",
        "Three accounts run into the limit within two seconds",
        _DAILY_LOSS,
        _FALLING,
        _BUY_FOUR,
        Action(2.5, "market", side=BUY, size=5, account=1),
        Action(3, "market", side=BUY, size=6, account=2),
        accounts=_ACCOUNTS,
    ),
    _drill(
        "rights-lost-and-back",
        "The trading rights go while a position is open, and come back later",
        "[rules.auth_loss_guard]\nflatten_after_seconds = 1",
        _CALM,
        _BUY_FOUR,
        Action(4, "rights", side=0),
        Action(16, "rights", side=1),
    ),
)

_BROKER = (
    Scenario(
        "live-account",
        "A live funded account beside a practice account: the API may look at it, and nothing else",
        f'[profile]\nname = "simulated"\n\n{_DAILY_LOSS}\n',
        _CALM,
        accounts=(AccountPlan(), AccountPlan(99_000_009, "LIVE-V2-99000009", simulated=False)),
        seconds=30,
    ),
    Scenario(
        "short-tokens",
        "Tokens live for fifteen seconds, and hub connections no longer, while the daily loss limit is reached",
        f'[profile]\nname = "simulated"\n\n{_DAILY_LOSS}\n',
        _FALLING,
        actions=(_BUY_FOUR, Action(16, "market", side=BUY, size=2)),
        seconds=40,
        flat_by=30,
        token_life_seconds=15,
        sockets_end_with_tokens=True,
    ),
    Scenario(
        "stop-managed",
        "A winning trade whose stop is placed, moved to the entry and let trail",
        '[profile]\nname = "simulated"\n\n[rules.trade_management]\nenabled = true\nauto_stop_loss = { ticks = 40 }\n'
        "auto_breakeven = { profit_trigger_ticks = 20, offset_ticks = 1 }\n"
        "trailing_stop = { activation_ticks = 60, trail_distance_ticks = 30 }\n",
        (PricePath("MNQ", "21000", ((2, "21000"), (15, "21030"), (22, "21018"), (30, "21015")), 1, _PER_SECOND),),
        actions=(_BUY_FOUR,),
        seconds=30,
    ),
)

DRILLS = (*_RULES, *_SITUATIONS, *_BROKER)
