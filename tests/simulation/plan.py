"""What one seed stands for: a trading day, settings whose limits get hit, faults and deaths for a while, then healing.

Everything is drawn here, before the world runs, so that a plan can be printed and changed by hand.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from adapters.simulator.execution import PUSHES, Execution
from adapters.simulator.faults import HANDSHAKE, Fault, names_at
from adapters.simulator.scenario import AccountPlan, Action, Habit, PricePath, Scenario
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS
from riskcore.core.state import OrderTerms
from riskcore.settings.config import read_settings
from tests.simulation.disk import BROKEN
from tests.simulation.programme_plan import PROGRAMME_FROM, with_programme

# Half of the seeds get a venue where closes fill late, in parts and perhaps twice. Smaller seeds are older than that
# venue, and stay what they were: those that failed once are run for ever.
SLOW_VENUE_FROM = 10**12
PROFILE = "simulation"
FIRST_ACCOUNT = 99_000_001
AFTER_HEALING_SECONDS = 30.0
# Tuesday 2026-11-17: in the session, just before the flat-by time, just before the reset (17:00 in Chicago).
STARTS = ("15:30:00", "15:30:00", "15:30:00", "21:09:40", "22:59:40")
_DAY = "2026-11-17T"
_ROOTS = (("MNQ", 21_000, 12), ("MES", 6_000, 4))
_PATHS = (
    "/api/Position/closeContract",
    "/api/Position/closeContract",
    "/api/Position/partialCloseContract",
    "/api/Order/cancel",
    "/api/Order/place",
    "/api/Order/modify",
    "/api/Position/searchOpen",
    "/api/Order/v2/query",
    "/api/Trade/search",
    "/api/Account/search",
    None,
)


@dataclass(frozen=True, slots=True)
class Death:
    """The process is killed: before or after the nth commit, before or after the nth call leaves, at the nth callback.

    n counts from the start of that process. `down_seconds` later it is started again.
    """

    where: str  # commit | committed | send | sent | callback
    n: int
    down_seconds: float


@dataclass(frozen=True, slots=True)
class DiskFault:
    """From `at` seconds on commits fail with `why`, or take `slow_seconds` each."""

    at: float
    seconds: float
    why: str | None = None
    slow_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Times in seconds of the simulation; the script of the scenario begins at 0."""

    seed: int
    start: int
    scenario: Scenario
    settings: dict[str, Any]
    heal_at: float
    end_at: float
    faults: tuple[tuple[float, Fault], ...] = ()
    disk_faults: tuple[DiskFault, ...] = ()
    deaths: tuple[Death, ...] = ()
    clock_jumps: tuple[tuple[float, int], ...] = ()  # The machine's clock is so many nanoseconds ahead from then on.
    words: tuple[tuple[float, e.Fact], ...] = ()  # What the operator says.
    notes: dict[str, Any] = field(default_factory=dict)


def draw(seed: int) -> Plan:
    """The plan of a seed."""
    chance = Random(f"riskcore simulation {seed}")
    heal_at = chance.choice((8.0, 15.0, 15.0, 25.0, 40.0))
    accounts = tuple(
        AccountPlan(FIRST_ACCOUNT + index, f"PRAC-V2-{FIRST_ACCOUNT + index}")
        for index in range(chance.choice((1, 1, 2)))
    )
    roots = _ROOTS[: chance.choice((1, 1, 2))]
    scenario = Scenario(
        name=f"seed {seed}",
        description="nobody's day",
        settings="",
        prices=tuple(_path(chance, *root, heal_at) for root in roots),
        accounts=accounts,
        actions=tuple(_actions(chance, [root for root, _, _ in roots], len(accounts), heal_at)),
        habits=tuple(_habits(chance, [root for root, _, _ in roots], len(accounts), heal_at)),
        seconds=heal_at,
        largest_fill=chance.choice((0, 0, 0, 1, 2)),
    )
    start = int(datetime.fromisoformat(f"{_DAY}{chance.choice(STARTS)}").replace(tzinfo=UTC).timestamp()) * SECOND_NS
    plan = Plan(
        seed=seed,
        start=start,
        scenario=scenario,
        settings=read_settings(random_settings(chance)).plain,
        heal_at=heal_at,
        end_at=heal_at + AFTER_HEALING_SECONDS,
    )
    plan = _troubled(chance, plan)
    slow = seed >= SLOW_VENUE_FROM and Random(f"slow venue {seed}").random() < 0.5
    if slow:
        plan = with_slow_venue(plan)
    return with_programme(plan, random_settings) if seed >= PROGRAMME_FROM else plan


# ---- the day -------------------------------------------------------------------------------------------


def _path(chance: Random, root: str, price: int, points: int, heal_at: float) -> PricePath:
    """A walk in straight lines that goes somewhere: limits are hit, in both directions."""
    now, at, targets = price, 0.0, []
    while at < heal_at:
        at += chance.uniform(2, 10)
        now += chance.randint(-3 * points, 3 * points)
        targets.append((at, str(now)))
    return PricePath(root, str(price), tuple(targets), noise_ticks=chance.choice((0, 2, 5)), quotes_per_second=2)


def _actions(chance: Random, roots: list[str], accounts: int, heal_at: float) -> list[Action]:
    deeds = ("market", "market", "market", "bracket", "limit", "stop", "close", "cancel")
    found = [
        Action(
            second=chance.uniform(0, heal_at),
            deed=chance.choice(deeds),
            root=chance.choice(roots),
            side=chance.choice((1, -1)),
            size=chance.choice((1, 1, 2, 3, 6)),
            ticks=chance.randint(4, 60),
            target_ticks=chance.randint(4, 60),
            account=chance.randrange(accounts),
        )
        for _ in range(chance.randint(1, 8))
    ]
    if chance.random() < 0.1:
        found.append(Action(chance.uniform(0, heal_at), "rights", side=-1, account=chance.randrange(accounts)))
    return sorted(found, key=lambda action: action.second)


def _habits(chance: Random, roots: list[str], accounts: int, heal_at: float) -> list[Habit]:
    if chance.random() < 0.5:
        return []
    after = chance.uniform(0.5, 3)
    return [
        Habit(
            kind=chance.choice(("reenter", "reenter", "cancel_stops", "add")),
            # Whatever he is made to wait, he has done by the time of healing.
            count=max(1, min(4, int(heal_at / (after + 1)) - 1)),
            after_seconds=after,
            root=chance.choice(roots),
            side=chance.choice((1, -1)),
            size=chance.choice((1, 2)),
            account=chance.randrange(accounts),
        )
    ]


_RULES = (
    lambda chance: (
        f"[rules.max_contracts]\nlimit = {chance.randint(1, 4)}\n"
        f'action = "{chance.choice(("reduce_to_limit", "reduce_to_limit", "close_all"))}"\n'
        f"include_working_orders = {chance.choice(('true', 'false'))}\n"
    ),
    lambda chance: f"[rules.max_contracts_per_instrument]\nlimits = {{ MNQ = {chance.randint(0, 3)} }}\n",
    lambda chance: (
        f'[rules.daily_realized_loss]\nloss_limit = "{chance.randint(5, 80)}"\n'
        f'basis = "{chance.choice(("realized", "combined"))}"\n'
    ),
    lambda chance: (
        f'[rules.daily_unrealized_loss]\nloss_limit = "{chance.randint(5, 60)}"\n'
        f'scope = "{chance.choice(("per_position", "total"))}"\n'
    ),
    lambda chance: f'[rules.max_unrealized_profit]\nprofit_target = "{chance.randint(5, 60)}"\n',
    lambda chance: "[rules.trade_frequency_limit]\nper_minute = 2\n",
    lambda chance: (
        '[rules.cooldown_after_loss]\nloss_thresholds = [{ loss_amount = "5", cooldown_seconds = 60 }]\n'
        "close_positions = true\n"
    ),
    lambda chance: (
        f"[rules.no_stop_loss_grace]\ngrace_period_seconds = {chance.randint(1, 5)}\n"
        f'action = "{chance.choice(("close_position", "place_stop"))}"\n'
    ),
    lambda chance: "[rules.session_block_outside]\n",
    lambda chance: "[rules.auth_loss_guard]\n",
    lambda chance: '[rules.symbol_blocks]\nblocked_symbols = ["ES"]\ninclude_micros = true\n',
    lambda chance: (
        "[rules.trade_management]\nenabled = true\n"
        "auto_breakeven = { profit_trigger_ticks = 6, offset_ticks = 1 }\n"
        "trailing_stop = { activation_ticks = 10, trail_distance_ticks = 8 }\n"
        'partial_exits = [{ at_r = "1", fraction = "0.5" }]\n'
        "tighten_after = [{ minutes = 1, distance_ticks = 5 }]\n"
        'move_target = [{ at_r = "0.5", target_r = "2" }]\n'
    ),
    lambda chance: (
        f'[rules.daily_realized_profit]\nprofit_target = "{chance.randint(5, 60)}"\n'
        '[[rules.period_loss]]\nloss_limit = "60"\n[[rules.period_loss]]\nperiod = "monthly"\nloss_limit = "90"\n'
    ),
)


def random_settings(chance: Random, rules: int | None = None) -> str:
    """A profile whose rules are a random few, or so many, with limits that a careless trader hits."""
    switches = f'name = "{PROFILE}"\noperator_unlock = "with_reason"\n'
    if chance.random() < 0.1:
        switches += "strict_mode = true\n"
    if chance.random() < 0.1:
        switches += 'on_blind = "flatten"\nblind_limit_seconds = 5\n'
    chosen = chance.sample(_RULES, chance.randint(1, 4) if rules is None else rules)
    return f"[profile]\n{switches}" + "".join(rule(chance) for rule in chosen)


# ---- trouble -------------------------------------------------------------------------------------------


def _troubled(chance: Random, plan: Plan) -> Plan:
    """The same day with things going wrong until `heal_at`."""
    severity = chance.choice((0, 1, 2, 3, 5))
    faults = sorted(
        ((chance.uniform(0, plan.heal_at - 1), _fault(chance)) for _ in range(chance.randint(0, 2) * severity)),
        key=lambda one: one[0],
    )
    disk_faults = []
    if chance.random() < 0.05 * severity:
        kind = chance.choice((*BROKEN, None))
        disk_faults.append(
            DiskFault(
                at=chance.uniform(0, plan.heal_at - 1),
                seconds=chance.choice((0.5, 3.0, 20.0)),
                why=kind,
                slow_seconds=0.0 if kind else chance.choice((0.05, 0.5, 2.0)),
            )
        )
    deaths = []
    if chance.random() < 0.12 * severity:
        deaths = [_death(chance) for _ in range(chance.choice((1, 1, 2, 3)))]
    jumps = []
    if chance.random() < 0.08 * severity:
        # Fills are asked for with ten minutes to spare: a clock that is wrong by more would miss some.
        ahead = chance.choice((1, 3, 30, 540)) * SECOND_NS
        jumps = [(chance.uniform(0, plan.heal_at), ahead * chance.choice((1, -1)))]
        if chance.random() < 0.5:
            jumps.append((chance.uniform(jumps[0][0], plan.heal_at), 0))
    words = sorted(_words(chance, plan), key=lambda one: one[0]) if chance.random() < 0.3 else []
    return replace(
        plan,
        faults=tuple(faults),
        disk_faults=tuple(disk_faults),
        deaths=tuple(deaths),
        clock_jumps=tuple(jumps),
        words=tuple(words),
    )


def _death(chance: Random) -> Death:
    where = chance.choice(("commit", "committed", "send", "sent", "callback"))
    most = {"commit": 60, "committed": 60, "send": 25, "sent": 25, "callback": 3000}[where]
    return Death(where, chance.randint(1, most), chance.choice((0.05, 0.5, 3.0, 10.0)))


def _fault(chance: Random) -> Fault:
    place = chance.choice(("user", "market", "rest", "rest"))
    name = chance.choice([name for name in names_at(place) if name != HANDSHAKE or chance.random() < 0.5])
    lasts = chance.choice((0.3, 2.0, 6.0, 15.0, 40.0))
    if place != "rest":
        seconds = chance.choice((1.0, 30.0, 120.0)) if name == "delayed" else chance.choice((0.05, 0.5, 2.0))
        return Fault(name, place, lasts_seconds=lasts, seconds=seconds)
    only = chance.choice(_PATHS)
    # The broker does nothing when it says 400, 401, 403, 404; of everything else nobody knows.
    certain = name in ("http_400", "http_401", "http_403", "http_404", "http_429")
    return Fault(
        name,
        place,
        only=only,
        times=None if name == "refused" and only is None else chance.choice((None, 1, 1, 2)),
        lasts_seconds=lasts,
        seconds=chance.choice((1.0, 5.0, 30.0, 120.0)),
        retry_after_seconds=chance.choice((None, 1, 5)),
        error_code=_error_code(chance, only),
        processed=not certain and name != "error_code" and chance.random() < 0.5,
    )


def _error_code(chance: Random, path: str | None) -> int:
    """A code that means that nothing was done, as the fault then does; 1 is AccountNotFound everywhere."""
    return chance.choice((1, 6)) if path == "/api/Position/closeContract" else 1


def _words(chance: Random, plan: Plan) -> list[tuple[float, e.Fact]]:
    """Now and then the operator trades through riskcore, locks himself out, or asks for an override."""
    account = FIRST_ACCOUNT + chance.randrange(len(plan.scenario.accounts))
    contract = "CON.F.US.MNQ.Z26"
    found: list[tuple[float, e.Fact]] = []
    for _ in range(chance.randint(1, 3)):
        at = chance.uniform(1, plan.heal_at)
        stop = chance.choice((None, 20))
        side = chance.choice((1, -1))
        word: e.Fact = chance.choice(
            (
                e.OrderRequested(
                    account,
                    "place",
                    contract,
                    side=side,
                    size=chance.randint(1, 3),
                    terms=OrderTerms(type=2, stop_loss_ticks=stop if stop is None else -side * stop),
                ),
                e.OrderRequested(account, "close", contract),
                e.OrderRequested(account, "close", contract, size=1),
                e.LockRequested(account, plan.start + int((at + 60) * SECOND_NS), "enough for today"),
            )
        )
        found.append((at, word))
    return found


# ---- a venue that makes closing hard -----------------------------------------------------------------------

_CLOSE_PATHS = ("/api/Position/closeContract", "/api/Position/closeContract", "/api/Position/partialCloseContract")
# A close that arrives so much later than it was sent cannot be told from one that never left.
_LONGEST_WAY_SECONDS = 0.5


def with_slow_venue(plan: Plan) -> Plan:
    """The same day where closes fill late, in parts, told in any order; answers get lost, and a copier buys."""
    chance = Random(f"slow venue of {plan.seed}")
    execution = Execution(
        pending_seconds=(0.0, chance.choice((0.0, 1.0, 3.0, 6.0, 10.0))),
        parts=chance.choice(((), (), (1,), (1, 2, 3), (2, 1))),
        between_parts_seconds=chance.choice((0.0, 0.2, 1.0)),
        every_market_order=chance.random() < 0.4,
        pushes=chance.choice(((), tuple(chance.sample(PUSHES, len(PUSHES))))),
        shuffles_pushes=chance.random() < 0.5,
        push_gap_seconds=chance.choice((0.0, 0.0, 0.05, 0.5)),
        fill_volume_lags=chance.random() < 0.3,
        accepts_second_close=chance.random() < 0.6,
        size_fixed_at_acceptance=chance.random() < 0.7,
    )
    faults = [
        (at, _in_time(fault) if execution.accepts_second_close else fault)
        for at, fault in (*plan.faults, *_lost_answers(chance, plan.heal_at))
    ]
    habits = plan.scenario.habits + (() if chance.random() < 0.8 else (_copier(chance, plan),))
    return replace(
        plan,
        scenario=replace(plan.scenario, execution=execution, habits=habits),
        faults=tuple(sorted(faults, key=lambda one: one[0])),
    )


def _lost_answers(chance: Random, heal_at: float) -> list[tuple[float, Fault]]:
    """Closes that are carried out while nobody is told so."""
    if chance.random() < 0.6:
        return []
    name, lasts = chance.choice(("answer_lost", "timeout_after")), chance.choice((6.0, 40.0))
    fault = Fault(name, "rest", only=chance.choice(_CLOSE_PATHS), times=chance.choice((1, 1, 2)), lasts_seconds=lasts)
    return [(chance.uniform(0, heal_at - 1), fault)]


def _in_time(fault: Fault) -> Fault:
    late = fault.place == "rest" and fault.name in ("delayed", "slow")
    return replace(fault, seconds=min(fault.seconds, _LONGEST_WAY_SECONDS)) if late else fault


def _copier(chance: Random, plan: Plan) -> Habit:
    """Buys or sells one contract each second until shortly before the healing."""
    begins = chance.uniform(0, plan.heal_at / 2)
    root = chance.choice([path.root for path in plan.scenario.prices])
    count = max(1, int(plan.heal_at - begins) - 1)
    return Habit(
        "copy", count, 1, begins, root, chance.choice((1, -1)), 1, chance.randrange(len(plan.scenario.accounts))
    )
