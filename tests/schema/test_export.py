from collections.abc import Iterable
from dataclasses import replace

import pytest

from riskcore.core.events import ClockTicked, Event, TradingDayOpened, WireRejected
from riskcore.errors import Corrupt, InputError, OutOfSequence
from riskcore.schema.export import ExportWriter, Stored, read_export
from tests.schema.examples import AT, opening

DAY_ONE = [
    opening(),
    Event(AT, "clock", "tick", ClockTicked()),
    Event(AT + 1, "market", "bad:1", WireRejected("x", '\n"é')),
]
DAY_TWO = [opening("2026-08-20"), Event(AT + 2, "clock", "tick", ClockTicked())]


def export(*batches: list[Event]) -> bytes:
    written: list[bytes] = []
    writer = ExportWriter(written.append)
    for batch in batches:
        writer.add_events(batch)
    writer.close()
    return b"".join(written)


def _lines(data: bytes) -> list[bytes]:
    """Lines as a file gives them: split at line feeds only."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def read(data: bytes, strict: bool = False) -> tuple[list[Stored], list[str]]:
    warnings: list[str] = []
    return list(read_export(_lines(data), "day.jsonl", warnings.append, strict)), warnings


def bodies(stored: Iterable[Stored]) -> list[object]:
    """Bodies read, without the previous hash that the writer filled in."""
    found = [event.body for _, event, _ in stored]
    return [replace(body, previous_hash="") if isinstance(body, TradingDayOpened) else body for body in found]


BOTH = export(DAY_ONE, DAY_TWO)


def test_two_days_come_back() -> None:
    stored, warnings = read(BOTH, strict=True)
    assert warnings == []
    assert [seq for seq, _, _ in stored] == [1, 2, 3, 1, 2]
    assert bodies(stored) == [event.body for event in DAY_ONE + DAY_TWO]
    assert isinstance(stored[3][1].body, TradingDayOpened)
    assert stored[3][1].body.previous_hash == stored[2][2].hex()


def test_batches_and_concatenation_make_no_difference() -> None:
    assert export(*([event] for event in DAY_ONE + DAY_TWO)) == BOTH
    twice, _ = read(BOTH + export(DAY_ONE), strict=True)
    assert bodies(twice) == [event.body for event in DAY_ONE + DAY_TWO + DAY_ONE]


def test_the_first_and_last_line() -> None:
    lines = BOTH.splitlines(keepends=True)
    assert lines[0] == b'{"riskcore":"journal/1","profile":"p","previous_hash":""}\n'
    assert lines[-1].startswith(b'{"end":{"lines":6,"sha256":"')


def test_an_export_begins_with_a_day() -> None:
    with pytest.raises(OutOfSequence, match="begins with TradingDayOpened"):
        export(DAY_ONE[1:])


@pytest.mark.slow
def test_every_flipped_bit_is_found_and_the_line_is_named() -> None:
    """Never a warning, never silence, and no event that was not stored."""
    intact, _ = read(BOTH)
    for position in range(len(BOTH)):
        number = BOTH.count(b"\n", 0, position) + 1
        for bit in range(8):
            edited = bytearray(BOTH)
            edited[position] ^= 1 << bit
            warnings: list[str] = []
            got: list[Stored] = []
            with pytest.raises((Corrupt, InputError)) as raised:
                got.extend(read_export(_lines(bytes(edited)), "day.jsonl", warnings.append))
            assert warnings == []
            assert got == intact[: len(got)]
            # A wrong header may only show at the first event.
            assert f"day.jsonl, line {number}:" in str(raised.value) or number == 1


@pytest.mark.slow
def test_truncation_at_every_byte_is_recognised() -> None:
    intact, _ = read(BOTH)
    ends = [len(BOTH) - len(BOTH.split(b"\n", lines)[lines]) for lines in range(1, 7)]
    for length in range(len(BOTH)):
        cut = BOTH[:length]
        with pytest.raises(InputError):
            list(read_export(_lines(cut), "day.jsonl", strict=True))
        if length < ends[0]:
            with pytest.raises(InputError, match=r"empty|header"):
                list(read_export(_lines(cut), "day.jsonl"))
        else:
            warnings: list[str] = []
            stored = list(read_export(_lines(cut), "day.jsonl", warnings.append))
            assert stored == intact[: sum(end <= length for end in ends[1:])]
            assert len(warnings) == 1
            assert "day.jsonl, line" in warnings[0]


def test_lines_removed_doubled_or_moved() -> None:
    lines = BOTH.splitlines(keepends=True)
    for index in range(len(lines)):
        without = lines[:index] + lines[index + 1 :]
        doubled = lines[: index + 1] + lines[index:]
        edits = [doubled, *([without] if index < len(lines) - 1 else [])]
        if index:
            edits.append([*lines[: index - 1], lines[index], lines[index - 1], *lines[index + 1 :]])
        for edited in edits:
            with pytest.raises((Corrupt, InputError)):
                list(read_export(edited, "day.jsonl"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\n", "not the header"),
        (b'{"riskcore":"wire/1"}\n', "not the header"),
        (b'{"riskcore":"journal/2","profile":"p","previous_hash":""}\n', "is not journal/1"),
        (b'{"riskcore":"journal/1", "profile":"p","previous_hash":""}\n', "edited"),
        (b'{"riskcore":"journal/1","profile":"p","previous_hash":"zz"}\n', "not a hash"),
        (b"\xff\xfe\n", "not the header"),
        (b"[" * 100_000 + b"\n", "not the header"),
    ],
)
def test_headers_that_are_none(data: bytes, message: str) -> None:
    with pytest.raises((InputError, Corrupt), match=message):
        read(data)


def rechained(first: list[Event], second: list[Event]) -> list[bytes]:
    """Two exports as one section, as somebody would forge it who cannot compute hashes."""
    return export(first).splitlines(keepends=True)[:-1] + export(second).splitlines(keepends=True)[1:-1]


def test_days_that_do_not_hang_together() -> None:
    with pytest.raises(Corrupt, match="line 5"):
        list(read_export(rechained(DAY_ONE, DAY_TWO), "day.jsonl"))
    header = export([opening(profile="q")]).splitlines(keepends=True)[0]
    with pytest.raises(Corrupt, match="does not belong to the header"):
        list(read_export([header, *BOTH.splitlines(keepends=True)[1:]], "day.jsonl"))
