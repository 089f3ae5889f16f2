"""One of two accounts gets out of sight alone: its messages make no sense, and for a while its lists do not come."""

from typing import Any

import pytest

from adapters.simulator.scenario import AccountPlan, Action
from riskcore.core import events as e
from riskcore.core.freshness import POLLED_NS
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.snapshot_schedule import SnapshotSchedule
from tests.simulation.plan import FIRST_ACCOUNT
from tests.simulation.test_many_accounts import BROKEN, events_of, messages_are_garbled
from tests.simulation.test_plots import START, play
from tests.simulation.world import World

BLIND_LIMIT_SECONDS = 20
LISTS = ("/Position/searchOpen", "/Order/v2/query", "/Trade/search")
UNREAD_AT, LISTS_COME_AT = 6.0, 60.0
RULES = f"""
on_blind = "flatten"
blind_limit_seconds = {BLIND_LIMIT_SECONDS}
[rules.max_contracts]
"""


def nothing_is_seen(world: World) -> None:
    """From a second before the broker says something of the account."""
    real = world.broker.rest

    def rest(path: str, asked: dict[str, Any], *more: Any) -> tuple[int, Any]:
        of_account = asked.get("filter", asked).get("accountId") == BROKEN
        fails = of_account and path.endswith(LISTS) and UNREAD_AT - 1 < world.loop.time() < LISTS_COME_AT
        return (500, None) if fails else real(path, asked, *more)

    world.broker.rest = rest  # type: ignore[method-assign,assignment]
    world.loop.call_at(UNREAD_AT - 1, messages_are_garbled, world)


def what_follows() -> tuple[World, list[tuple[float, e.Body]]]:
    """The world, and what was stored of that account, with the second of the day."""
    buys = (Action(3, "market"), Action(3, "market", account=1), Action(UNREAD_AT, "market", account=1))
    accounts = (AccountPlan(FIRST_ACCOUNT), AccountPlan(BROKEN))
    world = play(RULES, *buys, accounts=accounts, happen=nothing_is_seen, seconds=LISTS_COME_AT + 20)
    return world, [((one.at - START) / SECOND_NS, one.body) for one in events_of(world)]


def test_it_is_told_after_ten_seconds_and_what_it_holds_is_closed_at_its_limit_and_the_other_account_keeps_its() -> (
    None
):
    world, stored = what_follows()
    (lost_at, lost), (back_at, back) = [(at, body) for at, body in stored if isinstance(body, e.SightChanged)]
    assert (lost, back) == (e.SightChanged(BROKEN, True), e.SightChanged(BROKEN, False))
    assert 0 <= lost_at - UNREAD_AT - POLLED_NS / SECOND_NS < 2
    assert 0 <= back_at - LISTS_COME_AT < 17, "the pace of looks that fail, and a tick"
    closes = [at for at, body in stored if isinstance(body, e.RequestPlanned) and body.kind == "closeContract"]
    assert closes == [pytest.approx(lost_at + BLIND_LIMIT_SECONDS, abs=0.001)], "once, although nothing is heard of it"
    held = {account: world.broker.position(account, "CON.F.US.MNQ.Z26") for account in (FIRST_ACCOUNT, BROKEN)}
    assert held == {FIRST_ACCOUNT: 1, BROKEN: 0}
    assert world.judge.violations == []
    assert world.starts == 1


def test_the_same_day_goes_wrong_where_nobody_asks_whether_an_account_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary of the test above."""
    monkeypatch.setattr(SnapshotSchedule, "is_unseen", lambda schedule, account, now: False)
    world, stored = what_follows()
    assert [body for _, body in stored if isinstance(body, e.SightChanged)] == []
    assert world.broker.position(BROKEN, "CON.F.US.MNQ.Z26") == 2
