"""What the engine does where the broker's messages tell it nothing."""

import pytest

from riskcore.core.events import WireRejected
from riskcore.engine.sight import UNREADABLE
from tests.engine.test_engine_broken import ACCOUNT, Audience, Broker, Disk, engine, keys, run_until, said


@pytest.mark.parametrize("hub", ["user", "market"])
def test_lists_stand_in_for_messages_of_an_account_that_cannot_be_read(hub: str) -> None:
    disk, audience = Disk(), Audience()
    garbled = [{"hub": hub, **said(f"garbled {number}", WireRejected("size is no number", "{}"))} for number in (1, 2)]
    broker = Broker("first", more=garbled)
    run_until(engine(disk, broker, audience=audience), lambda: "garbled 2" in keys(disk) and bool(broker.looked_at))
    told = [(row["account"], row["text"]) for row in audience.said if row["type"] == "drift"]
    assert told == [(ACCOUNT, UNREADABLE)] * (hub == "user"), "once, however many such messages come"
