"""What has come in, handed to the core one by one; whatever the engine itself needs to know of it is noted."""

from collections import deque

from riskcore.core.events import AccountObserved, ConnectionChanged, ContractDescribed, Event
from riskcore.core.quotes import Quotes
from riskcore.core.runner import Runner
from riskcore.engine.arming import note_contract
from riskcore.engine.inbox import Inbox
from riskcore.engine.ports import Announcer
from riskcore.engine.quarantine import Quarantine
from riskcore.engine.sight import Sight

# Taken in one turn at most: a longer transaction would let a command wait behind its quotes.
MOST_A_TURN = 500


class Intake:
    """Between inbox and core. What is left of a message on a part of which the core failed stays in hand."""

    def __init__(self, inbox: Inbox, quarantine: Quarantine, sight: Sight, announcer: Announcer) -> None:
        self._inbox = inbox
        self._quarantine = quarantine
        self._sight = sight
        self._announcer = announcer
        self._in_hand: deque[Event] = deque()

    @property
    def empty(self) -> bool:
        return not self._in_hand and self._inbox.empty

    def take(self, runner: Runner, armed: bool) -> None:
        """Hand to the core what waits. Raises ConfigError for a contract that must not be traded while not `armed`."""
        self._take_in_hand(runner, armed)
        for _ in range(MOST_A_TURN):
            item = self._inbox.take()
            if item is None:
                return
            if isinstance(item, Quotes):
                runner.quotes(item)
                continue
            self._in_hand.extend(item)
            self._take_in_hand(runner, armed)

    def _take_in_hand(self, runner: Runner, armed: bool) -> None:
        while self._in_hand:
            fact = self._in_hand.popleft()
            runner.event(self._quarantine.instead(fact))
            if isinstance(fact.body, AccountObserved):
                self._sight.reported(fact.body.account)
            elif isinstance(fact.body, ContractDescribed):
                note_contract(fact.body.contract, self._announcer, armed)
            elif isinstance(fact.body, ConnectionChanged) and fact.body.hub == "user":
                self._sight.note_stream(fact.body.state == "connected")
