"""What the engine does where the broker's messages tell it nothing."""

from itertools import groupby

import pytest

from riskcore.core.events import Event, SightChanged, WireRejected
from riskcore.core.freshness import POLLED_NS
from riskcore.core.quantities import SECOND_NS
from riskcore.engine.engine import TICK_SECONDS
from riskcore.engine.sight import UNREADABLE
from tests.engine.hand_clock import START_NS
from tests.engine.test_engine_broken import ACCOUNT, Audience, Broker, Disk, engine, keys, run_until, said


def garbled(*hubs: str) -> list[dict[str, object]]:
    rejected = WireRejected("size is no number", "{}")
    return [{"hub": hub, **said(f"garbled {number}", rejected)} for number, hub in enumerate(hubs, start=1)]


@pytest.mark.parametrize("hub", ["user", "market"])
def test_lists_stand_in_for_messages_of_an_account_that_cannot_be_read(hub: str) -> None:
    disk, audience = Disk(), Audience()
    broker = Broker("first", more=garbled(hub, hub))
    run_until(engine(disk, broker, audience=audience), lambda: "garbled 2" in keys(disk) and bool(broker.looked_at))
    told = [(row["account"], row["text"]) for row in audience.said if row["type"] == "drift"]
    assert told == [(ACCOUNT, UNREADABLE)] * (hub == "user"), "once, however many such messages come"


class Listless(Broker):
    """A broker whose lists do not come until `heal`."""

    lists = False

    async def snapshot(self, account: int, since: int, urgent: bool = False) -> bool:
        await super().snapshot(account, since, urgent)
        return self.lists


@pytest.mark.parametrize(("hub", "lost"), [("user", [True, False]), ("market", [])])
def test_an_account_whose_messages_and_lists_both_fail_is_out_of_sight_until_a_list_comes(
    hub: str, lost: list[bool]
) -> None:
    disk, broker = Disk(), Listless("first", more=garbled(hub))
    running = engine(disk, broker)

    def told() -> list[Event]:
        return [event for event in disk.stored if isinstance(event.body, SightChanged)]

    def reached() -> bool:
        past_ns = running.clock.now() - START_NS
        broker.lists = bool(told()) or past_ns > 3 * POLLED_NS
        return past_ns > 6 * POLLED_NS

    run_until(running, reached)
    assert [body for body, _ in groupby(event.body for event in told())] == [SightChanged(ACCOUNT, one) for one in lost]
    if lost:
        [unread_at] = [event.at for event in disk.stored if event.key == "garbled 1"]
        assert POLLED_NS <= told()[0].at - unread_at <= POLLED_NS + 2 * TICK_SECONDS * SECOND_NS
