"""Seeds whose accounts are in the firm's programme and in a group: the same troubled day under other settings.

Everything comes from a chance of its own, so that the seeds below PROGRAMME_FROM stay what they were.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

from adapters.simulator.scenario import AccountPlan, Action, Habit, PricePath
from riskcore.core import events as e
from riskcore.core.quantities import SECOND_NS, money
from riskcore.settings.config import read_settings

if TYPE_CHECKING:
    from tests.simulation.plan import Plan

PROGRAMME_FROM = 10**15
ENFORCED = ("mll", "dll", "size", "hours", "news", "hedge")
# Roots that rules of the programme know: a family of equity indices, and metals that are restricted.
_ROOTS = (
    ("MNQ", 21_000, 12),
    ("MES", 6_000, 4),
    ("NQ", 21_000, 4),
    ("MGC", 2_650, 3),
    ("SIL", 31, 1),
    ("GC", 2_650, 1),
)
# Chicago is six hours behind. In the session; the last entry, the flatten and the hard time of the day; the firm's own
# close; the reset; and the window of a consumer price release.
_STARTS = (
    "2026-11-17T15:30:00",
    "2026-11-17T15:30:00",
    "2026-11-17T15:30:00",
    "2026-11-17T20:54:50",
    "2026-11-17T21:04:50",
    "2026-11-17T21:06:50",
    "2026-11-17T21:09:40",
    "2026-11-17T22:59:40",
    "2026-11-10T13:24:50",
)


def with_programme(plan: "Plan", random_settings: Callable[[Random, int], str]) -> "Plan":
    """The same troubles, with accounts in the programme that are close to their limits.

    `random_settings` writes a profile with so many other rules.
    """
    chance = Random(f"programme of {plan.seed}")
    start = int(datetime.fromisoformat(chance.choice(_STARTS)).replace(tzinfo=UTC).timestamp()) * SECOND_NS
    later_ns = start - plan.start
    roots = chance.sample(_ROOTS, chance.choice((1, 2, 2, 3)))
    stages = [_stage(chance) for _ in range(chance.choice((1, 2, 2)))]
    first = plan.scenario.accounts[0].id
    accounts = tuple(
        AccountPlan(first + place, f"PRAC-V2-{first + place}", balance=str(balance))
        for place, (_, balance) in enumerate(stages)
    )
    names = [root for root, _, _ in roots]
    scenario = replace(
        plan.scenario,
        prices=tuple(_path(chance, *root, plan.heal_at) for root in roots),
        accounts=accounts,
        actions=tuple(_action(chance, one, names, len(accounts)) for one in plan.scenario.actions)
        + tuple(_opening(chance, names, len(accounts), plan.heal_at) for _ in range(2)),
        habits=tuple(_habit(chance, one, names, len(accounts)) for one in plan.scenario.habits),
    )
    profile = random_settings(chance, chance.choice((0, 0, 1, 2)))
    scenario = replace(scenario, actions=tuple(sorted(scenario.actions, key=lambda one: one.second)))
    words = [(at, _moved(chance, word, accounts, later_ns)) for at, word in plan.words]
    words += _words(chance, accounts, plan.heal_at)
    return replace(
        plan,
        start=start,
        scenario=scenario,
        settings=read_settings(_settings(chance, profile, stages, accounts)).plain,
        words=tuple(sorted(words, key=lambda one: one[0])),
    )


def _stage(chance: Random) -> tuple[str, int]:
    """The table of an account without its heading, and its balance at the broker."""
    room = chance.randint(20, 600)
    if chance.random() < 0.5:
        stage, balance = 'stage = "combine"\n', 50_000 + chance.choice((0, 0, 400))
        table = f'{stage}floor_override = "{balance - room}"\ncreated = "2026-09-01"\n'
    elif chance.random() < 0.4:
        stage, balance = 'stage = "xfa"\n', chance.choice((150, 300, 1_500, 2_100))
        table = f'{stage}first_payout_taken = true\nfloor_override = "0"\n'
    else:
        stage, balance = 'stage = "xfa"\n', chance.choice((0, 700, 1_490, 2_000, 5_000))
        table = f'{stage}floor_override = "{min(balance - room, 0)}"\n'
    table += f'mll_buffer = "{chance.choice((20, 100, 200))}"\n'
    table += f'daily_loss_limit = "{chance.choice((20, 60, 200, 1_000))}"\n'
    enforced = (
        list(ENFORCED) if chance.random() < 0.75 else chance.sample(ENFORCED, chance.randint(0, len(ENFORCED) - 1))
    )
    table += f"enforce = {json.dumps(enforced)}\n"
    return f"{table}hedge_grace_seconds = {chance.choice((0, 1, 2, 5))}\n", balance


def _settings(chance: Random, text: str, stages: list[tuple[str, int]], accounts: tuple[AccountPlan, ...]) -> str:
    """`text` is a profile with its other rules."""
    text += f"[programme]\n{stages[0][0]}"
    for account, (table, _) in list(zip(accounts, stages, strict=True))[1:]:
        text += f'[accounts."{account.name}".programme]\n{table}'
    if chance.random() < 0.8:
        text += f'[[group]]\nname = "all of mine"\nmax_contracts = {chance.randint(1, 3)}\n'
        text += f'loss_limit = "{chance.randint(20, 300)}"\nbasis = "{chance.choice(("realized", "combined"))}"\n'
        text += f'opposite = "{chance.choice(("off", "alert", "close"))}"\n'
    if chance.random() < 0.3:
        text += f'[[group]]\nname = "the first"\naccounts = ["{accounts[0].name}"]\nmax_contracts = 1\n'
    return text


def _path(chance: Random, root: str, price: int, points: int, heal_at: float) -> PricePath:
    now, at, targets = price, 0.0, []
    while at < heal_at:
        at += chance.uniform(2, 10)
        now += chance.randint(-3 * points, 3 * points)
        targets.append((at, str(now)))
    return PricePath(root, str(price), tuple(targets), noise_ticks=chance.choice((0, 2, 5)), quotes_per_second=2)


def _action(chance: Random, action: Action, roots: list[str], accounts: int) -> Action:
    size = chance.choice((1, 1, 2, 3, 6, 15))
    return replace(action, root=chance.choice(roots), account=chance.randrange(accounts), size=size)


def _opening(chance: Random, roots: list[str], accounts: int, heal_at: float) -> Action:
    """Something more to be held, on either side."""
    return Action(
        second=chance.uniform(0, heal_at / 2),
        deed="market",
        root=chance.choice(roots),
        side=chance.choice((1, -1)),
        size=chance.choice((1, 2, 4)),
        account=chance.randrange(accounts),
    )


def _habit(chance: Random, habit: Habit, roots: list[str], accounts: int) -> Habit:
    return replace(habit, root=chance.choice(roots), account=chance.randrange(accounts))


def _moved(chance: Random, word: e.Fact, accounts: tuple[AccountPlan, ...], later_ns: int) -> e.Fact:
    """What the operator says, for an account that there is and at the time of this day."""
    account = chance.choice(accounts).id
    assert isinstance(word, e.OrderRequested | e.LockRequested), "the operator says nothing else"
    if isinstance(word, e.LockRequested):
        return replace(word, account=account, expires_at=word.expires_at + later_ns)
    return replace(word, account=account)


def _words(chance: Random, accounts: tuple[AccountPlan, ...], heal_at: float) -> list[tuple[float, e.Fact]]:
    """Payouts, resets and notes: what only the operator knows."""
    found: list[tuple[float, e.Fact]] = []
    for _ in range(chance.choice((0, 0, 1, 2))):
        account = chance.choice(accounts).id
        word: e.Fact = chance.choice(
            (
                e.PayoutRecorded(account, money(str(chance.choice((125, 700, 2_000))))),
                e.ProgrammeReset(account, "the firm has reset it"),
                e.NoteRecorded(account, "nothing of importance"),
            )
        )
        found.append((chance.uniform(1, heal_at), word))
    return found
