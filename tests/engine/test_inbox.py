"""What waits for its turn: accounts before markets, time that never decreases, bars held until they have ended."""

import pytest

from adapters.topstepx.normalise import normalise
from riskcore.core.events import BarObserved, ClockTicked, Event, WireRejected
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quotes import Quotes
from riskcore.engine import inbox as inbox_module
from riskcore.engine.inbox import Inbox, Overflow
from riskcore.engine.ports import Line
from riskcore.schema.instants import utc_text
from tests.engine.hand_clock import HandClock

ACCOUNT = {"hub": "user", "target": "GatewayUserAccount", "arguments": [{"id": 7, "name": "A", "canTrade": True}]}
PRINT = {"hub": "market", "target": "GatewayTrade", "arguments": ["CON.F.US.MNQ.Z26", [{"price": 21000}]]}


def quotes(*ats: int) -> Quotes:
    count = len(ats)
    return Quotes(list(ats), ["CON.F.US.MNQ.Z26"] * count, [1] * count, [None] * count, [None] * count)


def everything(inbox: Inbox) -> list[list[Event] | Quotes]:
    found = []
    while (item := inbox.take()) is not None:
        found.append(item)
    return found


def test_what_concerns_the_account_is_taken_before_market_data_that_came_first() -> None:
    clock = HandClock()
    inbox = Inbox(clock, normalise)
    inbox.quotes(quotes(clock.now()))
    inbox.market(PRINT)
    clock.advance(1)
    inbox.line(ACCOUNT)
    first, second, third = everything(inbox)
    assert isinstance(first, list)
    assert first[0].key.startswith("account:7@")
    assert isinstance(second, Quotes)
    assert isinstance(third, list)
    assert second.ats == [first[0].at], "it waited behind something newer, and time never decreases"
    assert third[0].at == first[0].at
    assert inbox.take() is None
    assert inbox.empty


def test_quotes_keep_their_own_times_when_nothing_overtook_them() -> None:
    clock = HandClock()
    inbox = Inbox(clock, normalise)
    start = clock.now()
    inbox.quotes(quotes(start, start + 5))
    assert everything(inbox) == [quotes(start, start + 5)]


def test_nothing_is_stamped_earlier_than_what_is_stored_already() -> None:
    clock = HandClock()
    inbox = Inbox(clock, normalise)
    inbox.resume_at(clock.now() + 9)
    inbox.line(ACCOUNT)
    [[event]] = everything(inbox)
    assert isinstance(event, Event)
    assert event.at == clock.now() + 9
    assert inbox.stamp() == clock.now() + 9


def bar(start: int, close: int) -> Line:
    """A minute bar as the broker knows it so far."""
    row = {"t": utc_text(start * SECOND_NS), "o": 1, "h": 2, "l": 1, "c": close, "v": 1}
    return {
        "rest": "/api/History/retrieveBars",
        "request": {"contractId": "CON.F.US.MNQ.Z26", "unit": 2, "unitNumber": 1},
        "status": 200,
        "response": {"success": True, "errorCode": 0, "bars": [row]},
    }


def test_a_bar_is_handed_on_when_it_has_ended_and_not_before() -> None:
    clock = HandClock()
    inbox = Inbox(clock, normalise)
    start = clock.now() // SECOND_NS
    inbox.line(bar(start, 2))
    assert everything(inbox) == [[]]
    clock.advance(59)
    inbox.fact(ClockTicked(), "clock", "clock")
    [[tick]] = everything(inbox)
    assert isinstance(tick, Event)
    assert isinstance(tick.body, ClockTicked)
    clock.advance(1)
    inbox.fact(ClockTicked(), "clock", "clock")
    [[ended, tick]] = everything(inbox)
    assert isinstance(ended, Event)
    assert isinstance(ended.body, BarObserved)
    assert ended.at == (start + 60) * SECOND_NS <= tick.at


def test_of_a_bar_that_is_asked_for_again_before_its_end_only_the_last_version_counts() -> None:
    clock = HandClock()
    inbox = Inbox(clock, normalise)
    start = clock.now() // SECOND_NS
    for close in (1, 2):
        inbox.line(bar(start, close))
        assert everything(inbox) == [[]]
        clock.advance(30)
    inbox.fact(ClockTicked(), "clock", "clock")
    [[ended, _]] = everything(inbox)
    assert isinstance(ended, Event)
    assert isinstance(ended.body, BarObserved)
    assert ended.body.close == 2 * 10**9


def test_two_words_of_the_operator_at_one_instant_have_two_keys() -> None:
    inbox = Inbox(HandClock(), normalise)
    assert inbox.fact(ClockTicked(), "operator", "lock") != inbox.fact(ClockTicked(), "operator", "lock")


def test_a_flood_about_the_accounts_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MOST_WAITING", 2)
    inbox = Inbox(HandClock(), normalise)
    inbox.line(ACCOUNT)
    inbox.line(ACCOUNT)
    with pytest.raises(Overflow, match="wait to be handled"):
        inbox.line(ACCOUNT)
    inbox.market(PRINT)
    assert len(everything(inbox)) == 3


@pytest.mark.parametrize("error", [KeyError("size"), AssertionError("made to break"), RecursionError("too deep")])
def test_a_line_that_cannot_be_read_is_kept_and_costs_no_other(error: Exception) -> None:
    def broken(line: Line, at: int) -> list[Event]:
        if "bad" in line:
            raise error
        return normalise(line, at)

    inbox = Inbox(HandClock(), broken)
    inbox.line(ACCOUNT)
    inbox.line({"bad": {"size": 3}})
    inbox.market({"bad": {"token": "SECRET"}})
    inbox.line({"bad": {(1, 2): 3}})
    inbox.line(ACCOUNT)
    events = [event for item in everything(inbox) for event in item if isinstance(event, Event)]
    found = [event.body for event in events]
    kept = [body.raw for body in found if isinstance(body, WireRejected)]
    withheld = "(withheld: it may hold a login)"
    assert kept == ['{"bad": {"size": 3}}', withheld, withheld]
    assert [type(body).__name__ for body in found].count("AccountObserved") == 2
    reasons = [body.reason for body in found if isinstance(body, WireRejected)]
    assert all(type(error).__name__ in reason for reason in reasons)
