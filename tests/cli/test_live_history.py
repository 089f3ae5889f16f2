"""What the trader did while `riskcore live` did not run: only what is still there is judged (RULES.md 1.6, Restart)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from adapters.simulator.scenario import AccountPlan, PricePath
from adapters.simulator.scenarios import SCENARIOS
from adapters.simulator.server import SimulatedGateway
from riskcore.core.events import LockoutEnded, RuleBreached
from riskcore.core.state import Book
from riskcore.engine.resume import resume
from riskcore.store.journal import Journal
from tests.cli.live_process import Process, started

ACCOUNT = AccountPlan().id
PROFILE = "simulated"
MARKETS = replace(
    SCENARIOS["quiet"],
    prices=tuple(PricePath(root, price, quotes_per_second=1) for root, price in (("MNQ", "21000"), ("MES", "6000"))),
)
SETTINGS = f"""
[profile]
name = "{PROFILE}"
[rules.max_contracts]
limit = 3
lockout = "until_reset"
[rules.cooldown_after_loss]
loss_thresholds = [{{ loss_amount = 1, cooldown_seconds = 3600 }}]
"""


async def trade(gateway: SimulatedGateway, **order: object) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{gateway.api_url}/simulator/trade", json={"account": ACCOUNT, **order})
        assert answer.status_code == 200, answer.text


async def four_bought_and_closed(gateway: SimulatedGateway, contract: str) -> None:
    await trade(gateway, contract=contract, side="buy", size=4)
    await trade(gateway, contract=contract, close=True)


async def run_until(gateway: SimulatedGateway, folder: Path, holds: Callable[[Process], bool]) -> None:
    """A process from its start until something holds, then ended in good order."""
    async with started(gateway, folder, folder / "journal.db", SETTINGS) as process:
        await process.until(lambda: holds(process), "what is waited for")
        assert await process.stop() == 0, process.complaint


def is_ready(process: Process) -> bool:
    return bool(process.of("ready"))


def judged(folder: Path) -> tuple[list[str], Book]:
    """The rules that were breached so far, and the book."""
    with Journal.open(folder / "journal.db", PROFILE) as journal:
        events = [event.body for day in journal.streams() for _, event, _ in journal.read(day)]
        assert not any(isinstance(body, LockoutEnded) for body in events)
        return [body.rule for body in events if isinstance(body, RuleBreached)], resume(journal).book


def test_only_what_is_still_there_at_a_start_is_judged(tmp_path: Path) -> None:
    async def live_through() -> None:
        async with SimulatedGateway(MARKETS, seed=1) as gateway:
            mnq, mes = (gateway.broker.active_contract(root) for root in ("MNQ", "MES"))
            await four_bought_and_closed(gateway, mnq)
            await run_until(gateway, tmp_path, is_ready)
            breached, book = judged(tmp_path)
            assert (breached, book.accounts[ACCOUNT].lockouts) == ([], {}), "the first start, amid a day"
            fills = book.accounts[ACCOUNT].days[book.trade_date].fills
            assert fills >= 2

            await four_bought_and_closed(gateway, mnq)
            await four_bought_and_closed(gateway, mes)
            await run_until(gateway, tmp_path, is_ready)
            breached, book = judged(tmp_path)
            assert (breached, book.accounts[ACCOUNT].lockouts) == ([], {}), "a start with the same journal"
            assert book.accounts[ACCOUNT].days[book.trade_date].fills >= fills + 4

            await trade(gateway, contract=mnq, side="buy", size=4)
            await run_until(gateway, tmp_path, lambda one: is_ready(one) and gateway.broker.position(ACCOUNT, mnq) == 3)
            breached, book = judged(tmp_path)
            assert breached[:1] == ["RULE-001"], "what is still there breaches at once"
            assert "account/RULE-001/day" in book.accounts[ACCOUNT].lockouts

    asyncio.run(live_through())
