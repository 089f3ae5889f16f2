"""What happens in a cell. Nothing of it hangs on the time: each step follows when the one before is seen to be done."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from adapters.simulator.faults import Fault
from riskcore.core.freshness import reconciled
from riskcore.core.quantities import SECOND_NS
from riskcore.core.quantities import price as price_of
from tests.faults.cells import ENFORCING, IDLE, OPEN, Cell
from tests.faults.stack import Stack, live
from tests.faults.troubles import Trouble, trouble_of
from tests.simulation.invariants import unmet

POSITION = 4
FALLEN_PRICE = "20960"
FALL_SECONDS, PAUSE_SECONDS, QUIET_SECONDS = 8, 2, 5
# Patience, which a cell that succeeds never uses up.
PATIENCE_SECONDS = 300
_MARKET_ORDER, _BUY = 2, 0


@dataclass(slots=True)
class Result:
    """What is left of a cell when it is over. Seconds count from healing; `sent_by_then` are calls until then."""

    cell: Cell
    stack: Stack
    store: Path
    struck: bool = False
    sent_by_then: int = 0
    flat_when_healed: bool = False
    flat_seconds: float = 0.0
    recovered_seconds: float = 0.0
    findings: list[str] = field(default_factory=list)

    @property
    def breached(self) -> bool:
        return self.stack.disk.breached


async def play(cell: Cell, store: Path, judge: Callable[[Result], None]) -> Result:
    """`judge` is called when all is quiet. Raises what the engine raised, TimeoutError for a step never done."""
    async with live(store) as stack:
        result = Result(cell, stack, store)
        trouble = trouble_of(cell, stack.gateway, stack.disk, stack.wall, stack.loop)
        await _Plot(cell, stack, trouble, result).unfold()
        judge(result)
    return result


@dataclass(frozen=True, slots=True)
class _Plot:
    """A position is opened, its loss passes the limit; at the cell's moment the trouble begins, and later it heals."""

    cell: Cell
    stack: Stack
    trouble: Trouble
    result: Result

    async def unfold(self) -> None:
        stack, moment = self.stack, self.cell.moment
        await self._until(lambda: stack.engine.ready, "ready")
        if moment == IDLE:
            self.trouble.strike()
            await stack.clock.sleep(self.cell.lasts_seconds)
            if self.trouble.struck():
                self._heal()
        self._trade()
        if moment == IDLE and not self.result.struck:
            # A fault that strikes what is said of an account has had nothing to strike so far.
            await self._struck()
        elif moment != IDLE:
            await self._until(stack.engine.market_expected, "the position seen")
        if moment == OPEN:
            self.trouble.strike()
        elif moment == ENFORCING:
            stack.disk.on_breach = self.trouble.strike
        await stack.clock.sleep(PAUSE_SECONDS)
        self._let_fall()
        if moment == ENFORCING:
            await self._until(lambda: stack.disk.breached, "the breach")
        if moment != IDLE:
            await stack.clock.sleep(self.cell.lasts_seconds)
            await self._struck()
        healed_at = stack.clock.now()
        await self._until(lambda: stack.disk.breached, "the breach")
        await self._until(stack.gateway.broker.flat, "flat")
        self.result.flat_seconds = (stack.clock.now() - healed_at) / SECOND_NS
        await self._until(self._recovered, "everything connected, known and done")
        self.result.recovered_seconds = (stack.clock.now() - healed_at) / SECOND_NS
        await stack.clock.sleep(QUIET_SECONDS)
        # What comes in the very step in which the engine stops is handed on to nobody: the judges could not count it.
        stack.gateway.inject(Fault("market_frozen", "market"))
        await stack.clock.sleep(PAUSE_SECONDS)
        # A hub that is just being opened anew with a fresh token is no trouble.
        await self._until(self._recovered, "everything still known")

    async def _struck(self) -> None:
        """Until it has struck, and then it heals: a client that waits out a pause meets the fault later."""
        await self._until(self.trouble.struck, "the fault strikes")
        self._heal()

    def _heal(self) -> None:
        broker = self.stack.gateway.broker
        self.result.struck = True
        self.result.sent_by_then = len(broker.received)
        self.result.flat_when_healed = broker.flat()
        self.trouble.heal()

    def _recovered(self) -> bool:
        """Both hubs are connected, the account is known, and nothing is left to do."""
        book = self.stack.engine.book
        connected = all(health.state == "connected" for health in self.stack.feed.health())
        return connected and all(
            reconciled(book, account)
            and not any(unmet(book, account, obligation) for obligation in account.obligations.values())
            for account in self.stack.engine.judged()
        )

    def _trade(self) -> None:
        """The trader buys in the platform: no call of ours."""
        gateway = self.stack.gateway
        login = {"userName": gateway.user_name, "apiKey": gateway.api_key}
        token = gateway.broker.rest("/api/Auth/loginKey", login, None, gateway.now())[1]["token"]
        account, contract = gateway.broker.accounts[0].id, gateway.broker.active_contract("MNQ")
        order = {"accountId": account, "contractId": contract, "type": _MARKET_ORDER, "side": _BUY, "size": POSITION}
        answer = gateway.act("/api/Order/place", order, token)
        assert answer["success"], answer
        gateway.broker.received.pop()

    def _let_fall(self) -> None:
        gateway = self.stack.gateway
        contract = gateway.broker.active_contract("MNQ")
        gateway.steer(contract, price_of(FALLEN_PRICE), FALL_SECONDS * SECOND_NS)

    async def _until(self, holds: Callable[[], bool], what: str) -> None:
        clock = self.stack.clock
        end = clock.now() + PATIENCE_SECONDS * SECOND_NS
        while not holds():
            if self.stack.running.done():
                await self.stack.running
                raise AssertionError("the engine has stopped")
            if clock.now() > end:
                raise TimeoutError(f"{what}: not after {PATIENCE_SECONDS} seconds")
            await clock.sleep(0.25)
