"""What leaves: requests whose attempt is stored, and while nothing can be stored what may leave without."""

from collections.abc import Coroutine, Sequence
from typing import Any

from riskcore.core.state import Request
from riskcore.engine.halt import Halt
from riskcore.engine.inbox import Inbox
from riskcore.engine.ports import Gateway, Outcome
from riskcore.engine.sight import Sight
from riskcore.engine.tasks import Tasks
from riskcore.engine.writer import Writer


class Outbox:
    """Sends, and puts each outcome into the inbox as a fact. It keeps nothing: what is due is in the book."""

    def __init__(self, gateway: Gateway, inbox: Inbox, writer: Writer, halt: Halt, sight: Sight, tasks: Tasks) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._writer = writer
        self._halt = halt
        self._sight = sight
        self._tasks = tasks

    def send(self, due: Sequence[tuple[int, Request]]) -> None:
        """Send these requests of accounts, in this order; with a broken disk only those that may leave unstored."""
        stored = self._writer.broken is None
        if not stored:
            due = [one for one in due if self._writer.may_leave(*one)]
            self._halt.sent_at = self._inbox.stamp() if due else self._halt.sent_at
        for account, request in due:
            seeing = request.kind == "takeSnapshot"
            outcome = self._sight.seen(account) if seeing else self._gateway.carry_out(account, request)
            self._tasks.call(self._note_outcome(account, request, outcome, stored=stored))

    async def _note_outcome(
        self, account: int, request: Request, coming: Coroutine[Any, Any, Outcome], *, stored: bool
    ) -> None:
        outcome = await coming
        # Sent unstored, and begun again meanwhile: the journal knows of no such request; the lists show its effect.
        if stored or self._writer.broken is not None:
            body = outcome.fact(account, request.id)
            self._inbox.fact(body, "gateway", f"{outcome.kind}:{request.id}")
