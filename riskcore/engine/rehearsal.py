"""The way from a breach to a stored command, gone once before it counts: the first command must not pay for it.

What runs for the first time is slow: modules are imported, encoders are built, the interpreter has not adapted to the
code. So a breach of an invented account is decided and encoded before the engine starts. It touches no journal, no
gateway and no book but its own.
"""

from riskcore.core.events import (
    AccountObserved,
    ConnectionChanged,
    EngineStarted,
    Event,
    Fact,
    OrdersListed,
    PositionObserved,
    PositionsListed,
    RequestAttempted,
    TradesListed,
)
from riskcore.core.runner import Runner
from riskcore.core.state import WORKING
from riskcore.schema.chain import Link, link
from riskcore.settings.calendar import day_for
from riskcore.settings.config import read_settings

# The interpreter adapts to code that has run about eight times.
TIMES = 10
_PROFILE, _ACCOUNT, _CONTRACT = "rehearsal", 1, "CON.F.US.MNQ.Z26"
_SETTINGS = f"""
[profile]
name = "{_PROFILE}"
[rules.symbol_blocks]
blocked_symbols = ["MNQ"]
"""
_AT = 1_773_324_000_000_000_000  # 2026-03-12 14:00 UTC, a Thursday in the session.
_FACTS: tuple[Fact, ...] = (
    EngineStarted("rehearsal", True),
    ConnectionChanged("user", "connected"),
    ConnectionChanged("market", "connected"),
    AccountObserved(_ACCOUNT, "REHEARSAL", 0, can_trade=True, simulated=True),
    PositionsListed(_ACCOUNT, ()),
    OrdersListed(_ACCOUNT, WORKING, ()),
    TradesListed(_ACCOUNT, 0),
    PositionObserved(_ACCOUNT, _CONTRACT, 1),
)


def rehearse() -> list[Link]:
    """Decide, note and encode the close of a blocked position, TIMES over; the rows of the last time."""
    rows: list[Link] = []
    settings = read_settings(_SETTINGS).plain
    for _ in range(TIMES):
        events: list[Event] = []
        runner = Runner(settings, (events.extend,), day_for, version=_PROFILE, keep_quotes=True)
        for number, body in enumerate(_FACTS):
            runner.look_ahead()
            runner.begin()
            runner.event(Event(_AT + number, "broker", f"rehearsal:{number}", body))
            runner.end()
        for request in list(runner.book.accounts[_ACCOUNT].requests.values()):
            attempt = RequestAttempted(_ACCOUNT, request.id)
            runner.event(Event(runner.book.now, "gateway", f"attempt:{request.id}", attempt))
        rows = link(_PROFILE, None, events)
    return rows
