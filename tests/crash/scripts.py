"""The scripts whose every crash point is tried. Prices move once and stay: no start comes too late."""

from adapters.simulator.scenario import Action, FaultAt, Habit, PricePath
from riskcore.core import events as e
from riskcore.core.programme.balances import PAID, recall
from riskcore.core.quantities import SECOND_NS, money
from riskcore.core.state import BUY, SELL, OrderTerms
from tests.crash.script import ONE_QUOTE_A_SECOND, Script, Word
from tests.simulation.plan import FIRST_ACCOUNT
from tests.simulation.world import World

MNQ = "CON.F.US.MNQ.Z26"
_MARKET = 2
_CLOSE, _REDUCE = "Position/closeContract", "Position/partialCloseContract"
_PLACE, _MODIFY, _CANCEL = "Order/place", "Order/modify", "Order/cancel"
_LOCK = "account/OPERATOR/personal"
_IN_AN_HOUR = 1_794_933_000 * SECOND_NS


def _path(root: str, start: str, *targets: tuple[float, str]) -> PricePath:
    return PricePath(root, start, targets, noise_ticks=0, quotes_per_second=ONE_QUOTE_A_SECOND)


CALM = (_path("MNQ", "21000"),)
_FALLS = (_path("MNQ", "21000", (2, "21000"), (2.5, "20970")),)
_RISES = (_path("MNQ", "21000", (2, "21000"), (2.5, "21010")),)
_DAILY_LOSS = '[rules.daily_realized_loss]\nloss_limit = "200"\nbasis = "combined"\n'
_SMALLER_LOSS = _DAILY_LOSS.replace("200", "100")
_LARGER_LOSS = _DAILY_LOSS.replace("200", "2000")
# An Express Funded Account with 1,900 dollars may hold three lots. After a payout of 700 it is two, and the floor is 0.
_EXPRESS = '[programme]\nstage = "xfa"\nfloor_override = "-50"\n'
_PAYOUT = e.PayoutRecorded(FIRST_ACCOUNT, money("700"))
_BUY_FIVE = Action(1, "market", side=BUY, size=5)
_BREACH = ("RuleBreached", "CommandIssued", "RequestConfirmed", "ObligationMet")


def _loss(name: str, **more: object) -> Script:
    """Five contracts bought, and the daily loss limit reached one and a half seconds later."""
    story = {"rules": _DAILY_LOSS, "prices": _FALLS, "actions": (_BUY_FIVE,), "calls": (_CLOSE,), "stored": _BREACH}
    return Script(name, **{**story, **more})  # type: ignore[arg-type]


def _own(action: str, **figures: object) -> e.OrderRequested:
    return e.OrderRequested(FIRST_ACCOUNT, action, MNQ, **figures)  # type: ignore[arg-type]


def _held(world: World) -> int:
    return world.broker.position(FIRST_ACCOUNT, MNQ)


def _locked(world: World) -> bool:
    assert world.engine is not None, "the operator has spoken to it"
    return _LOCK in world.engine.book.accounts[FIRST_ACCOUNT].lockouts


def _paid(world: World) -> bool:
    assert world.engine is not None, "the operator has spoken to it"
    return bool(recall(world.engine.book.accounts[FIRST_ACCOUNT], PAID))


def _bracket(size: int) -> e.OrderRequested:
    terms = OrderTerms(_MARKET, stop_loss_ticks=-200, take_profit_ticks=400)
    return _own("place", side=BUY, size=size, terms=terms)


SCRIPTS = (
    _loss("daily-loss"),
    _loss(
        "weekly-loss",
        rules='[[rules.period_loss]]\nperiod = "weekly"\nloss_limit = "200"\n',
        actions=(_BUY_FIVE, Action(3, "market", side=SELL, size=4)),
    ),
    _loss(
        "two-accounts",
        accounts=2,
        actions=(_BUY_FIVE, Action(1.2, "market", side=BUY, size=6, account=1)),
    ),
    _loss(
        "two-contracts",
        prices=(*_FALLS, _path("MES", "6000")),
        actions=(_BUY_FIVE, Action(1.1, "market", "MES", SELL, 2)),
    ),
    _loss(
        "bracket-legs",
        actions=(Action(1, "bracket", side=BUY, size=5, ticks=400, target_ticks=400),),
    ),
    _loss(
        "resting-entries",
        actions=(
            _BUY_FIVE,
            Action(1.2, "limit", side=BUY, size=2, ticks=400),
            Action(1.3, "limit", side=SELL, size=3, ticks=400),
        ),
        calls=(_CLOSE, _CANCEL),
    ),
    _loss(
        "partial-fills-of-the-close",
        prices=(_path("MNQ", "21000", (4, "21000"), (4.5, "20965")),),
        actions=(Action(1, "market", side=BUY, size=4),),
        largest_fill=2,
    ),
    _loss("answer-of-the-close-lost", faults=(FaultAt("answer_lost", "rest", on_path=_CLOSE),)),
    _loss("close-timed-out", faults=(FaultAt("timeout_before", "rest", on_path=_CLOSE),), seconds=13),
    _loss(
        "close-refused", faults=(FaultAt("error_code", "rest", on_path=_CLOSE),), stored=(*_BREACH, "RequestRefused")
    ),
    _loss("token-refused-at-the-close", faults=(FaultAt("http_401", "rest", on_path=_CLOSE),)),
    _loss("hub-lost-at-the-close", faults=(FaultAt("dropped", "user", on_path=_CLOSE),)),
    _loss("engine-stopped-at-the-close", stops=(2.55,)),
    _loss(
        "entry-under-the-lockout",
        habits=(Habit("reenter", count=1, after_seconds=1, from_second=2.6, side=BUY, size=2),),
        seconds=7,
    ),
    _loss("reset-behind-the-breach", begins="22:59:54", seconds=10, stored=(*_BREACH, "DayRolled", "LockoutEnded")),
    _loss(
        "settings-tightened-and-loosened",
        rules=_LARGER_LOSS,
        edits=((3, _SMALLER_LOSS), (5, _LARGER_LOSS)),
        stored=(*_BREACH, "ConfigChanged"),
    ),
    Script(
        "reduced-to-the-limit",
        "[rules.max_contracts]\nlimit = 2\n",
        CALM,
        (Action(1, "bracket", side=BUY, size=5, ticks=200, target_ticks=400),),
        flat=False,
        calls=(_REDUCE,),
        stored=_BREACH,
    ),
    Script(
        "stop-placed-and-modified",
        "[rules.trade_management]\nenabled = true\nauto_stop_loss = { ticks = 40 }\n"
        "auto_breakeven = { profit_trigger_ticks = 20, offset_ticks = 1 }\n",
        (_path("MNQ", "21000", (6, "21000"), (6.5, "21010")),),
        (Action(1, "market", side=BUY, size=2),),
        seconds=8,
        flat=False,
        calls=(_PLACE, _MODIFY),
        stored=("RequestConfirmed",),
    ),
    Script(
        "partial-exit",
        "[rules.trade_management]\nenabled = true\nauto_stop_loss = { ticks = 20 }\n"
        'partial_exits = [{ at_r = "1", fraction = "0.5" }]\n',
        _RISES,
        (Action(1, "market", side=BUY, size=4),),
        flat=False,
        calls=(_PLACE, _REDUCE),
        stored=("RequestConfirmed",),
    ),
    Script(
        "orders-of-the-trader",
        _LARGER_LOSS,
        CALM,
        words=(
            Word(2, _bracket(3), lambda world: _held(world) == 3),
            Word(4, _own("close", size=1), lambda world: _held(world) == 2),
            Word(5, _bracket(1), lambda world: _held(world) == 3),
            Word(7, _own("close"), lambda world: _held(world) == 0),
        ),
        faults=(FaultAt("answer_lost", "rest", on_path=_PLACE),),
        seconds=8,
        calls=(_PLACE, _REDUCE, _CLOSE),
    ),
    Script(
        "locked-and-unlocked",
        _LARGER_LOSS,
        CALM,
        (_BUY_FIVE,),
        words=(
            Word(3, e.LockRequested(FIRST_ACCOUNT, _IN_AN_HOUR, "enough for today"), lambda world: _locked(world)),
            Word(5, e.OperatorOverride(FIRST_ACCOUNT, _LOCK, "back again"), lambda world: not _locked(world)),
        ),
        calls=(_CLOSE,),
        stored=("LockRequested", "OperatorOverride"),
    ),
    Script(
        "payout-and-maximum-loss",
        _EXPRESS,
        (_path("MNQ", "21000", (7, "21000"), (7.5, "20972")),),
        (Action(1, "market", side=BUY, size=25),),
        words=(Word(3, _PAYOUT, lambda world: _paid(world)),),
        balance="1900",
        seconds=10,
        calls=(_REDUCE, _CLOSE),
        stored=(*_BREACH, "PayoutRecorded"),
    ),
)
BY_NAME = {script.name: script for script in SCRIPTS}
