"""What one account's enforcement takes when an engine has many: decided, noted and stored, without sockets.

python -m tests.benchmarks.bench_accounts --dir DIR [--samples 300]
    For 1, 20 and 100 accounts, every rule on: from the turn that takes a position in a blocked contract to the commit
    of breach, command and attempt. Deciding is counted in time of the processor, without that of other programs; the
    commit, which is the disk's, in time of the clock. One account after the other has its turn; each is flat
    again before the next. For the way over sockets: bench_live --accounts.
"""

import argparse
import tempfile
import time
from pathlib import Path

from riskcore.core.events import (
    AccountObserved,
    ConnectionChanged,
    EngineStarted,
    Event,
    Fact,
    OrdersListed,
    PositionObserved,
    PositionsListed,
    RequestAccepted,
    RequestAttempted,
    TradesListed,
)
from riskcore.core.runner import Runner
from riskcore.core.state import WORKING
from riskcore.live.run import unhindered
from riskcore.settings.calendar import day_for
from riskcore.settings.config import read_settings
from riskcore.store.journal import Journal
from tests.benchmarks.bench_live import BURST_SETTINGS, percentile

CONTRACT = "CON.F.US.MNQ.Z26"
SETTINGS = BURST_SETTINGS.replace('["NQ"]', '["MNQ"]')
AT = 1_773_324_000_000_000_000  # 2026-03-12 14:00 UTC, a Thursday in the session.
STEP_NS = 1_000_000


class Desk:
    """An engine's turn by hand: the runner and the journal, in the order of riskcore/engine/engine.py."""

    def __init__(self, journal: Journal, accounts: int) -> None:
        self._journal = journal
        self._events: list[Event] = []
        self._at = AT
        settings = read_settings(SETTINGS).plain
        self._runner = Runner(settings, (self._events.extend,), day_for, version="bench", keep_quotes=True)
        self.take(EngineStarted("bench", True))
        self.take(ConnectionChanged("user", "connected"))
        self.take(ConnectionChanged("market", "connected"))
        for account in range(1, accounts + 1):
            self.take(AccountObserved(account, f"PRAC-{account}", 0, can_trade=True, simulated=True))
            self.take(PositionsListed(account, ()))
            self.take(OrdersListed(account, WORKING, ()))
            self.take(TradesListed(account, 0))

    def take(self, body: Fact) -> tuple[float, float]:
        """One turn; microseconds until it was decided and noted, and those of the commit."""
        self._at += STEP_NS
        began = time.thread_time_ns()
        self._runner.begin()
        self._runner.event(Event(self._at, "broker", f"bench:{self._at}", body))
        account = self._runner.book.accounts.get(getattr(body, "account", 0))
        for request in list(account.requests.values()) if account is not None else ():
            if request.state == "planned" and account is not None:
                attempt = RequestAttempted(account.id, request.id)
                self._runner.event(Event(self._at, "gateway", f"attempt:{request.id}", attempt))
        self._runner.end()
        decided, committing = time.thread_time_ns(), time.perf_counter_ns()
        self._journal.append(self._events)
        stored = time.perf_counter_ns()
        self._events.clear()
        self._runner.look_ahead()
        return (decided - began) / 1000, (stored - committing) / 1000

    def flat_again(self, account: int) -> None:
        for request in list(self._runner.book.accounts[account].requests.values()):
            self.take(RequestAccepted(account, request.id))
        self.take(PositionObserved(account, CONTRACT, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=300)
    chosen = parser.parse_args()
    for accounts in (1, 20, 100):
        with (
            tempfile.TemporaryDirectory(dir=chosen.dir) as folder,
            unhindered(),
            Journal.open(Path(folder) / "journal.db", "bench", write=True) as journal,
        ):
            desk = Desk(journal, accounts)
            taken = []
            for number in range(chosen.samples):
                account = 1 + number % accounts
                taken.append(desk.take(PositionObserved(account, CONTRACT, 1)))
                desk.flat_again(account)
        decided, commits = [sorted(column) for column in zip(*taken, strict=True)]
        whole = sorted(sum(pair) for pair in taken)
        shown = [
            f"{name} p50 {percentile(column, 0.5):.0f} us, p99 {percentile(column, 0.99):.0f} us"
            for name, column in (("decided", decided), ("commit", commits), ("together", whole))
        ]
        print(f"{accounts:>4} accounts: {'; '.join(shown)}")


if __name__ == "__main__":
    main()
