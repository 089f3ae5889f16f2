"""A download from a simulated gateway over real sockets, in this process and in a time that waits quickly."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.simulator.scenario import AccountPlan, PastDays, PricePath, Scenario
from adapters.simulator.server import SimulatedGateway
from replay.fetching.fetch import Wanted
from replay.fetching.plan import BarUnit
from riskcore.cli.fetch_run import run_fetch
from riskcore.settings.config import read_settings
from tests.adapters.clocks import LoopClock, run_hurried

ACCOUNT, SECOND = 99_000_001, 99_000_002
Row = dict[str, Any]
Before = Callable[[SimulatedGateway], Awaitable[None]]
PLAIN = read_settings("").plain
MINUTE = BarUnit("minute")


def scenario(**changes: Any) -> Scenario:
    """Accounts with a past: two that trade, one that is not shown any more."""
    plan: dict[str, Any] = {
        "name": "past",
        "description": "",
        "settings": "",
        "prices": (PricePath("MNQ", "21000"),),
        "accounts": (AccountPlan(), AccountPlan(SECOND, "50KTC-V2-99000002"), AccountPlan(7, "OLD", visible=False)),
        "past": (PastDays(25), PastDays(5, "ES", account=1)),
    }
    return Scenario(**{**plan, **changes})


class Download:
    """One gateway and what was fetched from it. The gateway's time is 21 September 2026, a Monday, unless `start`.

    Bars are of hours unless `unit`: days of minutes take long.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, plot: Scenario | None = None) -> None:
        self.folder, self.plot = folder, plot or scenario()
        self.warnings: list[str] = []
        self.progress: list[str] = []
        self.calls: list[str] = []
        self.at: list[tuple[int, str, int | None]] = []
        monkeypatch.setenv("PROJECT_X_USERNAME", SimulatedGateway.user_name)
        monkeypatch.setenv("PROJECT_X_API_KEY", SimulatedGateway.api_key)

    def fetch(
        self,
        first: str,
        last: str,
        *,
        out: str = "days",
        start: int | None = None,
        unit: BarUnit | None = None,
        before: Before | None = None,
        settings: str = "",
        **wanted: Any,
    ) -> Row:
        async def use() -> Row:
            clock = LoopClock() if start is None else LoopClock(start)
            async with SimulatedGateway(self.plot, clock=clock) as gateway:
                if before is not None:
                    await before(gateway)
                try:
                    return await run_fetch(
                        Wanted(first, last, self.folder / out, unit=unit or BarUnit("hour"), **wanted),
                        read_settings(settings).plain,
                        gateway.api_url,
                        warn=self.warnings.append,
                        say=self.progress.append,
                        clock=clock,
                    )
                finally:
                    self.at = [(call.at, call.path.removeprefix("/api/"), call.status) for call in gateway.rest.calls]
                    self.calls = [path for _, path, _ in self.at]

        return run_hurried(use())

    def files(self, out: str = "days") -> dict[str, bytes]:
        """The recordings by their names."""
        return {path.name: path.read_bytes() for path in sorted((self.folder / out).glob("*.jsonl"))}

    def asked(self, path: str) -> int:
        return self.calls.count(path)


def texts(result: Row, kind: str) -> list[str]:
    return [row["text"] for row in result["missing"] if row["kind"] == kind]
