"""A recorded day through the `riskcore` command, all thirteen rules on; and state rebuilt from a store.

python -m tests.benchmarks.bench_replay --dir DIR [--quotes 1000000] [--runs 3] [--peer 'COMMAND ...']

replay: quiet quotes skipped. cached: their columns kept beside the recording.
every_event: each quote stepped through. Whole processes, wall clock, start-up included.
rebuild: 100,000 stored events read back, chain checked, folded into the state (in this process).
--peer runs beside them, in turn; a peer that times itself may print its seconds as its last line.
"""

import argparse
import json
import random
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from replay.recording import read_wire
from riskcore.core.quotes import Quotes
from riskcore.core.rebuild import rebuild
from riskcore.core.rulebook import rulebook_of
from riskcore.core.runner import Runner
from riskcore.core.state import Book
from riskcore.schema.codec import state_hash
from riskcore.schema.instants import utc_text
from riskcore.settings.calendar import day_for
from riskcore.settings.config import load_settings
from riskcore.store.journal import Journal

NQ = "CON.F.US.ENQ.Z25"
ACCOUNT = 99000001
START = 1_763_712_000_000_000_000
TICK = 0.25  # Prices are written here, not computed with.
FILLS = 50  # Four user events each: order, fill, order filled, position.
STORED = 100_000

ALL_RULES = """
[profile]
name = "bench"
[rules.max_contracts]
[rules.max_contracts_per_instrument]
[rules.daily_realized_loss]
loss_limit = "50000"
basis = "combined"
[rules.daily_unrealized_loss]
loss_limit = "3000"
[rules.max_unrealized_profit]
profit_target = "20000"
[rules.trade_frequency_limit]
[rules.cooldown_after_loss]
[rules.no_stop_loss_grace]
[rules.session_block_outside]
windows = [{ days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sun"], start = "17:00", end = "15:10" }]
[rules.auth_loss_guard]
[rules.symbol_blocks]
blocked_symbols = ["RTY"]
[rules.trade_management]
enabled = true
[rules.trade_management.auto_breakeven]
[rules.trade_management.trailing_stop]
[rules.daily_realized_profit]
profit_target = "50000"
"""


def make_day(path: Path, quotes: int, fills: int = FILLS) -> None:
    """A tick random walk with every field in each quote, and a trader who goes in and out."""
    chance, bid, entry = random.Random(7), 100_000, 0.0
    step = 82_800_000_000_000 // quotes
    every = quotes // (fills + 1)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"riskcore":"wire/1"}\n')
        for index in range(quotes):
            at = utc_text(START + index * step)
            bits = chance.getrandbits(3)
            bid += (bits == 0) - (bits == 1)
            prices = f'"lastPrice":{bid * TICK},"bestBid":{bid * TICK},"bestAsk":{(bid + 1) * TICK}'
            body = f'"symbol":"F.US.ENQ",{prices},"lastUpdated":"{at}","timestamp":"{at}"'
            line = f'{{"at":"{at}","hub":"market","target":"GatewayQuote","arguments":["{NQ}",{{{body}}}]}}\n'
            file.write(line)
            number = index // every
            if index and index % every == 0 and number <= fills:
                side = (number + 1) % 2
                entry = fill(file, at, number, side, (bid + 1 - side) * TICK, entry)


def fill(file: Any, at: str, number: int, side: int, price: float, entry: float) -> float:
    """One fill with the events round it; returns the entry price that is open afterwards."""
    order = {"id": 1000 + number, "accountId": ACCOUNT, "contractId": NQ, "creationTimestamp": at}
    order |= {"updateTimestamp": at, "type": 2, "side": side, "size": 1}
    trade: dict[str, Any] = {"id": 5000 + number, "accountId": ACCOUNT, "contractId": NQ, "creationTimestamp": at}
    trade |= {"price": price, "fees": 1.4, "side": side, "size": 1, "voided": False, "orderId": 1000 + number}
    if side:
        trade["profitAndLoss"] = (price - entry) / TICK * 5
    position = {"id": 1, "accountId": ACCOUNT, "contractId": NQ, "creationTimestamp": at}
    position |= {"type": 0 if side else 1, "size": 1 - side, "averagePrice": price}
    for target, action, data in (
        ("GatewayUserOrder", 1, order | {"status": 6, "fillVolume": 0}),
        ("GatewayUserTrade", 0, trade),
        ("GatewayUserOrder", 1, order | {"status": 2, "fillVolume": 1, "filledPrice": price}),
        ("GatewayUserPosition", 2 if side else 1, position),
    ):
        line = {"at": at, "hub": "user", "target": target, "arguments": [{"action": action, "data": data}]}
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return price


def seconds_of(command: list[str]) -> float:
    """Wall clock of a whole process, or what it printed last when that is a number of seconds."""
    started = time.perf_counter()
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    spent = time.perf_counter() - started
    try:
        return float(printed.split()[-1])
    except (ValueError, IndexError):
        return spent


def rebuilder(folder: Path, day: Path, settings: Path) -> Any:
    """A store of the day's first events, quote by quote, and a function that folds it again."""
    plain = load_settings(settings).plain
    count = 0
    journal = Journal.open(folder / "journal.db", "bench", write=True)
    runner = Runner(plain, (journal.append,), day_for, version="bench", every_event=True)
    for items in read_wire(day):
        for item in items:
            if isinstance(item, Quotes):
                runner.quotes(item)
                count += len(item.ats)
            else:
                runner.event(item)
        if count >= STORED:
            break
    lived = state_hash(runner.finish())

    def run() -> float:
        book, number, started = Book(), 0, time.perf_counter()
        for trade_date in journal.streams():
            rulebook = rulebook_of(journal.opening(trade_date).settings)
            rebuild(book, rulebook, (event for _, event, _ in journal.read(trade_date)))
            number += journal.last_seq(trade_date)
        spent = time.perf_counter() - started
        assert state_hash(book) == lived, "the state rebuilt is the state lived"
        return number / spent

    return run


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--peer", help="a command to time beside the replays")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as name:
        day, settings = Path(name, "day.jsonl"), Path(name, "all.toml")
        settings.write_text(ALL_RULES, encoding="utf-8")
        make_day(day, options.quotes)
        replay = [sys.executable, "-m", "riskcore", "replay", str(day), "--config", str(settings), "--json", "--quiet"]
        lines = [*replay, "--no-cache"]
        commands = {"replay": lines, "cached": replay, "every_event": [*replay, "--every-event"]}
        seconds_of(replay)  # Makes the cache.
        if options.peer:
            commands["peer"] = shlex.split(options.peer)
        spent: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for case, command in commands.items():
                spent[case].append(seconds_of(command))
        for case, found in spent.items():
            print(f"{case:12} {median(found):7.2f} s   {options.quotes / median(found):10,.0f} quotes/s")
        for case in ("replay", "cached", "every_event") if options.peer else ():
            print(f"peer / {case}: {median(spent['peer']) / median(spent[case]):.2f}")
        peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of the largest process: {peak_mib:.1f} MiB")
        run = rebuilder(Path(name), day, settings)
        print(f"rebuild      {median(run() for _ in range(options.runs)):10,.0f} events/s")


if __name__ == "__main__":
    main()
