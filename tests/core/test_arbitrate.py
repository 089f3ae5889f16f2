"""Arbitration: many commands at one event become one set (RULES.md 3.3)."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskcore.core.arbitrate import Candidate, arbitrate
from riskcore.core.events import Command, CommandIssued
from riskcore.core.in_force import put_in_force
from riskcore.core.state import Account, Lockout, Order

ES, NQ = "CON.F.US.EP.Z26", "CON.F.US.ENQ.Z26"
CLOSE_ALL = Command("CloseAllPositions")
CANCEL_7 = Command("CancelOrder", contract=ES, order_id=7)
ALERT = Command("Alert", text="a")


def close(contract: str = ES) -> Command:
    return Command("ClosePosition", contract=contract)


def reduce(to: int, contract: str = ES) -> Command:
    return Command("ReducePosition", contract=contract, to=to, size=1)


def cancel(scope: str, contract: str | None = None) -> Command:
    return Command("CancelOrders", scope=scope, contract=contract)


def lock(expires_at: int | None, key: str = "day", scope: str = "account") -> Command:
    kind = "cooldown" if expires_at else "condition"
    return Command("SetLockout", scope=scope, lockout_key=key, lockout_kind=kind, expires_at=expires_at, text="why")


def by(rule: str, command: Command, strength: int = 50) -> Candidate:
    return Candidate(strength, rule, f"{rule.lower()}.0", f"cause/{rule}", None, "", command)


def issued(*commands: Command, account: Account | None = None) -> list[Command]:
    candidates = [by("R", command) for command in commands]
    return [one.command for one in arbitrate(account or Account(1), candidates)]


@pytest.mark.parametrize(
    ("commands", "left"),
    [
        ((close(), CLOSE_ALL, reduce(1)), (CLOSE_ALL,)),
        ((close(), reduce(1)), (close(),)),
        ((close(), reduce(1, NQ)), (close(), reduce(1, NQ))),
        ((close(), close(NQ), close()), (close(), close(NQ))),
        ((CLOSE_ALL, CLOSE_ALL), (CLOSE_ALL,)),
        ((reduce(3), reduce(1), reduce(2)), (reduce(1),)),
        ((reduce(2), reduce(2)), (reduce(2),)),
        ((reduce(2), reduce(2, NQ)), (reduce(2), reduce(2, NQ))),
        ((cancel("entry"), cancel("all")), (cancel("all"),)),
        ((cancel("entry"), cancel("entry")), (cancel("entry"),)),
        ((cancel("symbol", ES), cancel("symbol", NQ)), (cancel("symbol", ES), cancel("symbol", NQ))),
        ((cancel("symbol", ES), cancel("symbol", ES)), (cancel("symbol", ES),)),
        ((CANCEL_7, cancel("entry")), (cancel("entry"),)),
        ((CANCEL_7, CLOSE_ALL), (CANCEL_7, CLOSE_ALL)),
        ((ALERT, ALERT, Command("Alert", text="b")), (ALERT, Command("Alert", text="b"))),
        ((lock(5), lock(9), lock(7)), (lock(9),)),
        ((lock(5), lock(None)), (lock(None),)),
        ((lock(5), lock(5, key="other")), (lock(5), lock(5, key="other"))),
        ((lock(5), lock(5, scope="symbol:ES")), (lock(5), lock(5, scope="symbol:ES"))),
        ((lock(5), close()), (lock(5), close())),
    ],
)
def test_merging_whatever_comes_first(commands: tuple[Command, ...], left: tuple[Command, ...]) -> None:
    for order in permutations(commands):
        assert sorted(map(repr, issued(*order))) == sorted(map(repr, left))


def test_the_order_of_a_flatten() -> None:
    commands = issued(ALERT, CLOSE_ALL, cancel("entry"), lock(5), Command("PlaceStop", contract=NQ))
    assert [one.kind for one in commands] == ["SetLockout", "CancelOrders", "CloseAllPositions", "PlaceStop", "Alert"]


def test_the_strongest_rule_is_named() -> None:
    weak, strong = by("RULE-001", CLOSE_ALL, 10), by("RULE-003", CLOSE_ALL, 80)
    assert arbitrate(Account(1), [weak, strong]) == arbitrate(Account(1), [strong, weak]) == [strong]


def in_force(*commands: Command) -> Account:
    account = Account(1)
    account.orders[7] = Order(7, ES, 1, 1, 1, 1, 0, None, None, None, None, None, None, 0)
    for number, command in enumerate(commands):
        put_in_force(account, CommandIssued(f"c{number}", 1, "R", "r.0", None, command), 0)
    return account


@pytest.mark.parametrize(
    ("known", "new", "is_issued"),
    [
        (CLOSE_ALL, CLOSE_ALL, False),
        (CLOSE_ALL, close(), False),
        (CLOSE_ALL, reduce(1), False),
        (close(), close(), False),
        (close(), close(NQ), True),
        (close(), CLOSE_ALL, True),
        (close(), reduce(1), False),
        (close(), reduce(1, NQ), True),
        (reduce(2), reduce(3), False),
        (reduce(2), reduce(2), False),
        (reduce(2), reduce(1), True),
        (reduce(2), reduce(2, NQ), True),
        (reduce(2), close(), True),
        (cancel("entry"), Command("CancelOrder", contract=ES, order_id=7), False),
        (cancel("entry"), Command("CancelOrder", contract=ES, order_id=8), True),
        (CLOSE_ALL, Command("CancelOrder", contract=ES, order_id=7), True),
        (cancel("entry"), cancel("entry"), True),
        (CLOSE_ALL, Command("Alert", text="a"), True),
    ],
)
def test_what_is_demanded_already_is_not_issued_again(known: Command, new: Command, is_issued: bool) -> None:
    assert bool(issued(new, account=in_force(known))) is is_issued


@pytest.mark.parametrize(
    ("known", "new", "is_issued"), [(5, 5, False), (5, 6, True), (5, 4, False), (5, None, True), (None, 9, False)]
)
def test_a_lockout_is_set_again_only_when_it_ends_later(known: int | None, new: int | None, is_issued: bool) -> None:
    account = Account(1)
    lockout = Lockout("account", "R", "day", "cooldown", 0, known, "why")
    account.lockouts[lockout.id] = lockout
    assert bool(issued(lock(new), account=account)) is is_issued
    clear = Command("ClearLockout", scope="account", lockout_key="day")
    assert issued(clear, account=account) == [clear]
    assert issued(clear) == []


COMMANDS = st.sampled_from(
    (CLOSE_ALL, close(), close(NQ), reduce(1), reduce(2), reduce(3, NQ), cancel("entry"), cancel("all"), lock(5))
)


@given(st.lists(st.tuples(COMMANDS, st.integers(0, 3)), max_size=8))
@settings(deadline=None)
def test_arbitration_is_idempotent(wanted: list[tuple[Command, int]]) -> None:
    candidates = [by("R", command, strength) for command, strength in wanted]
    once = arbitrate(Account(1), candidates)
    assert arbitrate(Account(1), once) == once
    assert len({repr(one.command) for one in once}) == len(once)
