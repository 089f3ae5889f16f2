"""Reading a recorded day of quotes: the whole reader, and what each part of it costs.

python tests/benchmarks/bench_recording.py [--quotes 1000000] [--runs 5] [--every 0]

--every N puts a print and an order-book line after every N quotes, which breaks the runs of quotes. Figures are
medians of processor time, so a busy machine disturbs them less; `peak` is this process's own high-water mark.
"""

import argparse
import hashlib
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from replay.blocks import LineFile
from replay.quote_lines import QuoteLines
from replay.recording import read_wire
from riskcore.schema.instants import instant_text

START = 1_755_640_800_000_000_000
NQ = "CON.F.US.ENQ.Z25"
TICK = 0.25  # Prices are written here, not computed with.


def make_day(path: Path, quotes: int, every: int) -> None:
    """A tick random walk as the market hub sends it: only what changed, times of the broker beside it."""
    chance = random.Random(7)
    bid = 84_000
    step = 82_800_000_000_000 // quotes
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"riskcore":"wire/1"}\n')
        for index in range(quotes):
            at = instant_text(START + index * step)
            bits = chance.getrandbits(9)
            bid += (bits & 7 == 0) - (bits & 7 == 1)
            changed = {"symbol": "F.US.ENQ"} | {
                name: f"{ticks * TICK:g}"
                for name, ticks, mask in (("lastPrice", bid, 24), ("bestBid", bid, 96), ("bestAsk", bid + 1, 384))
                if bits & mask
            }
            changed |= {"lastUpdated": f"{at[:27]}+00:00", "timestamp": f"{at[:23]}+00:00"}
            body = ",".join(
                f'"{key}":{value if key in ("lastPrice", "bestBid", "bestAsk") else json.dumps(value)}'
                for key, value in changed.items()
            )
            start = f'{{"at":"{at[:26]}Z","hub":"market","target":'
            file.write(f'{start}"GatewayQuote","arguments":["{NQ}",{{{body}}}]}}\n')
            if every and index % every == 0:
                file.write(f'{start}"GatewayTrade","arguments":["{NQ}",[{{"price":{bid * TICK:g},"volume":1}}]]}}\n')
                file.write(f'{start}"GatewayDepth","arguments":["{NQ}",[{{"price":1,"volume":2,"type":4}}]]}}\n')


def blocks(path: Path) -> Iterator[bytes]:
    with LineFile(path) as file:
        for number, block in enumerate(file.blocks()):
            yield block if number else block.partition(b"\n")[2]


def whole(path: Path) -> None:
    for _ in read_wire(path):
        pass


def parts(path: Path) -> dict[str, Callable[[], object]]:
    lines = QuoteLines()
    return {
        "bytes from disk": lambda: [None for _ in blocks(path)],
        "sha256": lambda: [hashlib.sha256(block) and None for block in blocks(path)],
        "shapes and columns": lambda: [lines.read(block) and None for block in blocks(path)],
    }


def seconds(work: Callable[[], object], runs: int) -> float:
    taken = []
    for _ in range(runs):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quotes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--every", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.jsonl"
        make_day(path, chosen.quotes, chosen.every)
        print(f"{path.stat().st_size / chosen.quotes:.0f} bytes a quote")
        figures: dict[str, Callable[[], object]] = {"whole reader": lambda: whole(path)}
        for name, work in (figures | ({} if chosen.every else parts(path))).items():
            taken = seconds(work, chosen.runs)
            print(f"{name:22} {taken / chosen.quotes * 1e6:6.3f} us a quote {chosen.quotes / taken / 1e6:6.2f} M/s")
        print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
