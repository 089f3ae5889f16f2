"""The messages of days as a file beside the days themselves: block by block, with the links that prove them.

A line holds the messages of one event: trading day, seq, the link before, the link of this block, and the messages. The
links hang on the hashes of the events, so the file is checked against the journal export of the same days.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from riskcore.errors import Corrupt
from riskcore.schema.chain import OPENING
from riskcore.schema.codec import read_line
from riskcore.schema.payloads import linked
from riskcore.store.export_file import written_whole
from riskcore.store.journal import Journal

Block = tuple[str, int, bytes, bytes]  # Trading day, seq, link, whole lines.


def write_messages(journal: Journal, days: list[str], path: Path) -> int:
    """The messages as they were kept; how many. Raises CannotWrite, Corrupt, StoreError."""
    count = 0
    with written_whole(path) as write:
        for day in days:
            before = journal.messages_hang_on(day)
            for seq, block, link in journal.linked_messages(day):
                lines = block.decode("utf-8").split("\n")[:-1]
                count += len(lines)
                row = {"trade_date": day, "seq": seq, "before": before.hex(), "link": link.hex(), "messages": lines}
                write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                before = link
    return count


def read_messages(path: Path, export: Path) -> Iterator[tuple[Block, bytes]]:
    """Each block with the link before it. Each hangs on the one before and on its event in the journal export.

    Raises Corrupt for a block that is not the one that was stored, and for what is no such file.
    """
    before: dict[str, str] = {}
    hashes = _hashes(export)
    right = 0  # Lines.
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                row = json.loads(line)
                day, seq = row["trade_date"], row["seq"]
                lines = "".join(f"{message}\n" for message in row["messages"]).encode()
                hashed = next((found for place, found in hashes if place == (day, seq)), b"")
                link = linked(bytes.fromhex(row["before"]), hashed, lines)
                if link.hex() != row["link"] or row["before"] != before.get(day, row["before"]):
                    raise Corrupt(f"{path}: the messages of day {day}, event {seq}, are not those that were stored")
                before[day] = row["link"]
                yield (day, seq, link, lines), bytes.fromhex(row["before"])
                right += 1
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"{path}, behind line {right}: damaged, cut off, or no file of messages ({error})") from error


def _hashes(export: Path) -> Iterator[tuple[tuple[str, int], bytes]]:
    """The day and seq of each event of an export, and its hash."""
    day = ""
    with gzip.open(export, "rb") as file:
        for line in file:
            if line.startswith(b'{"seq":'):
                topic, canonical, hashed = read_line(line)
                if topic.startswith(OPENING):
                    day = json.loads(canonical)[7]["day"]["trade_date"]
                yield (day, int(canonical[1:].partition(b",")[0])), hashed
