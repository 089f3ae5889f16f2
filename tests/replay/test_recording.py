"""Wire recordings: what is read, what stops the reader, what is recorded as rejected."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.topstepx.fields import Number
from replay import blocks
from replay.recording import Item, WireReader, detect_form, open_lines, read_wire
from replay.wire_writer import WireWriter
from riskcore.core.events import BarObserved, ClockTicked, ConnectionChanged, Event, WireRejected
from riskcore.core.quotes import Quotes
from riskcore.errors import CannotWrite, InputError

SECOND = 1_000_000_000
START = 1_755_640_800 * SECOND  # 2025-08-19T22:00:00Z
NQ = "CON.F.US.ENQ.Z25"
HEADER = '{"riskcore":"wire/1"}'


def at(seconds: float) -> str:
    nanoseconds = round(seconds * SECOND)
    minutes, rest = divmod(nanoseconds, 60 * SECOND)
    return f"2025-08-19T22:{minutes:02d}:{rest // SECOND:02d}.{rest % SECOND:09d}Z"


def quote(seconds: float, price: str = "21000.25") -> str:
    return (
        f'{{"at":"{at(seconds)}","hub":"market","target":"GatewayQuote","arguments":["{NQ}",{{"lastPrice":{price}}}]}}'
    )


def clock(seconds: float) -> str:
    return f'{{"at":"{at(seconds)}","clock":true}}'


def write(folder: Path, *lines: str, name: str = "day.jsonl", end: str = "\n") -> Path:
    path = folder / name
    path.write_bytes("".join(line + end for line in lines).encode("utf-8", "surrogateescape"))
    return path


def read(path: Path, **options: Any) -> tuple[list[Item], WireReader, list[str]]:
    warnings: list[str] = []
    reader = read_wire(path, warn=warnings.append, **options)
    return [item for items in reader for item in items], reader, warnings


def told(items: list[Item]) -> list[tuple[float, str]]:
    """Seconds after the start and what came, quotes one by one."""
    found: list[tuple[float, str]] = []
    for item in items:
        if isinstance(item, Quotes):
            found += [((moment - START) / SECOND, "quote") for moment in item.ats]
        else:
            found.append(((item.at - START) / SECOND, type(item.body).__name__))
    return found


def reasons(items: list[Item]) -> list[str]:
    return [item.body.reason for item in items if isinstance(item, Event) and isinstance(item.body, WireRejected)]


def test_a_recording_gives_its_facts_in_order(tmp_path: Path) -> None:
    header = '{"riskcore":"wire/1","profile":"p","note":"n","lacks":["orders","quotes"]}'
    connection = f'{{"at":"{at(2)}","connection":"user","state":"lost"}}'
    path = write(tmp_path, header, clock(1), quote(1), quote(1.5, "-3"), connection, quote(2))
    items, reader, warnings = read(path)
    assert items == [
        Event(START + SECOND, "clock", f"clock@{START + SECOND}", ClockTicked()),
        Quotes(
            [START + SECOND, START + SECOND * 3 // 2],
            [NQ, NQ],
            [21_000_250_000_000, -3 * SECOND],
            [None] * 2,
            [None] * 2,
        ),
        Event(START + 2 * SECOND, "broker", f"connection:user@{START + 2 * SECOND}", ConnectionChanged("user", "lost")),
        Quotes([START + 2 * SECOND], [NQ], [21_000_250_000_000], [None], [None]),
    ]
    assert (reader.profile, reader.note, reader.lacks) == ("p", "n", ("orders", "quotes"))
    assert (reader.lines, reader.events, reader.rejected, reader.cut) == (6, 5, 0, False)
    assert (reader.first_at, reader.last_at) == (START + SECOND, START + 2 * SECOND)
    assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert warnings == []


def test_forms_are_told_apart(tmp_path: Path) -> None:
    assert detect_form(write(tmp_path, HEADER)) == "wire"
    assert detect_form(write(tmp_path, '{"riskcore":"journal/1","profile":"p"}')) == "journal"
    with pytest.raises(InputError, match="journal export"):
        read_wire(tmp_path / "day.jsonl")
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(f"{HEADER}\n".encode()))
    assert detect_form(packed) == "wire"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\x1f\x8b", "cut off in its header"),
        (b"\n", "header is missing"),
        (b'{"at":"2025-08-19T22:00:00Z","clock":true}\n', "line 1: the header is missing"),
        (b"[]\n", "header is missing"),
        (b'{"riskcore":', "header is missing"),
        (b'{"riskcore":"other/1"}\n', "header is missing"),
        (b'{"riskcore":5}\n', "header is missing"),
        (b'{"riskcore":"wire/2"}\n', "is not wire/1"),
        (b'{"riskcore":"wire/1","lacks":"orders"}\n', "lacks must be"),
        (b'{"riskcore":"wire/1","profile":5}\n', "profile and note"),
        (b"\x1f\x8bnothing at all", "damaged"),
        (b"SQLite format 3\x00\x10", "a database and no session file; riskcore export --store"),
    ],
)
def test_a_file_that_is_no_recording(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read(path)


UNREADABLE = [
    ("nonsense", "not JSON"),
    ("\udcff", "not UTF-8"),
    ("[]", "not an object"),
    ("5", "not an object"),
    (f'{{"at":"{at(2)}"}}', "no known kind"),
    (f'{{"at":"{at(2)}","news":1}}', "no known kind"),
    ('{"clock":true}', "`at` is missing"),
    ('{"at":5,"clock":true}', "`at` is missing"),
    ('{"at":"noon","clock":true}', "not a time"),
    ('{"at":"9999-01-01T00:00:00Z","clock":true}', "absurd"),
    (clock(0.999999999), "earlier than in the line before"),
    (quote(0.5), "earlier than in the line before"),
]


@pytest.mark.parametrize(("line", "message"), UNREADABLE)
def test_an_unreadable_line_stops_the_reader_naming_it(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, HEADER, clock(1), line, quote(2))
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert f"{path}, line 3:" in str(caught.value)


@pytest.mark.parametrize(("line", "message"), UNREADABLE)
def test_an_unreadable_line_is_recorded_when_bad_lines_are_skipped(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, HEADER, clock(1), line, quote(2))
    items, reader, _ = read(path, skip_bad_lines=True)
    assert told(items) == [(1, "ClockTicked"), (1, "WireRejected"), (2, "quote")]
    (reason,) = reasons(items)
    assert message in reason
    assert reader.rejected == 1


def test_the_line_number_is_right_inside_a_run_of_quotes(tmp_path: Path) -> None:
    lines = [quote(second / 100) for second in range(3000)]
    lines[2000] = quote(1)
    with pytest.raises(InputError, match="line 2002: `at` is earlier"):
        read(write(tmp_path, HEADER, *lines))
    items, reader, _ = read(tmp_path / "day.jsonl", skip_bad_lines=True)
    assert (reader.events, reader.rejected) == (3000, 1)
    assert told(items)[2000] == (19.99, "WireRejected")


def test_without_a_header_when_bad_lines_are_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, clock(1), "nonsense", clock(2))
    assert detect_form(path, skip_bad_lines=True) == "wire"
    items, reader, _ = read(path, skip_bad_lines=True)
    assert reasons(items)[0] == "the header is missing"
    assert told(items) == [(1, "WireRejected"), (1, "ClockTicked"), (1, "WireRejected"), (2, "ClockTicked")]
    assert reader.rejected == 2


def test_bad_lines_before_any_time_wait_for_it(tmp_path: Path) -> None:
    items, reader, _ = read(write(tmp_path, HEADER, "x", "y", clock(1)), skip_bad_lines=True)
    assert told(items) == [(1, "WireRejected"), (1, "WireRejected"), (1, "ClockTicked")]
    _, reader, _ = read(write(tmp_path, HEADER, "x"), skip_bad_lines=True)
    assert (reader.rejected, reader.first_at) == (1, None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f'{{"at":"{at(2)}","clock":true,"clock":true}}', "'clock' comes twice"),
        (quote(2).replace('"lastPrice"', '"lastPrice":1,"lastPrice"'), "'lastPrice' comes twice"),
        (
            f'{{"at":"{at(2)}","hub":"user","target":"X","arguments":' + "[" * 100_000 + "]" * 100_000 + "}",
            "too deeply",
        ),
        (f'{{"at":"{at(2)}","hub":"user","target":"X","arguments":["' + "x" * (9 << 20) + '"]}', "longer than"),
        (f'{{"at":"{at(2)}","hub":"other","target":"X","arguments":[]}}', "unknown hub"),
        (quote(2, "NaN"), "NaN"),
        (quote(2, "1" * 5000), "too l"),
    ],
)
def test_a_line_that_makes_no_sense_is_rejected_and_stops_nothing(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, HEADER, clock(1), line, clock(3))
    items, reader, warnings = read(path, strict=True)
    assert told(items) == [(1, "ClockTicked"), (2, "WireRejected"), (3, "ClockTicked")]
    assert reason in reasons(items)[0]
    assert (reader.lines, reader.rejected, warnings) == (4, 1, [])
    assert all(len(item.body.raw) <= 4096 for item in items if isinstance(item, Event) and hasattr(item.body, "raw"))
    assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("line", "message"), [("x" * (9 << 20), "`at` is missing"), (clock(0) + " " * (9 << 20), "earlier")]
)
def test_a_line_too_long_that_has_no_usable_time_is_unreadable(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, HEADER, clock(1), line, clock(3))
    with pytest.raises(InputError, match=f"line 3: .*{message}"):
        read(path)
    items, reader, _ = read(path, skip_bad_lines=True)
    assert told(items) == [(1, "ClockTicked"), (1, "WireRejected"), (3, "ClockTicked")]
    assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_recording_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="cannot be written"):
        WireWriter(tmp_path / "none" / "day.jsonl")


def test_a_long_line_is_read(tmp_path: Path) -> None:
    rows = ",".join(f'{{"price":{index}.25,"volume":1}}' for index in range(100_000))
    line = f'{{"at":"{at(1)}","hub":"market","target":"GatewayTrade","arguments":["{NQ}",[{rows}]]}}'
    assert len(line) > 4 * blocks.BLOCK_BYTES
    items, reader, _ = read(write(tmp_path, HEADER, quote(0.5), line, quote(2)))
    assert reader.events == 100_002
    assert told(items)[-1] == (2, "quote")


def test_byte_order_mark_line_ends_and_blank_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + HEADER, clock(1), "", quote(2), quote(3), end="\r\n")
    items, reader, warnings = read(path, strict=True)
    assert told(items) == [(1, "ClockTicked"), (2, "quote"), (3, "quote")]
    assert (reader.lines, warnings) == (5, [])


def test_several_blocks_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [quote(index / 7) if index % 50 else clock(index / 7) for index in range(2000)]
    path = write(tmp_path, HEADER, *lines)
    whole = read(path)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 512)
    pieces = read(path)
    assert told(pieces[0]) == told(whole[0])
    assert pieces[1].sha256 == whole[1].sha256
    assert sum(1 for _ in read_wire(path)) > 100


# ---- bars ------------------------------------------------------------------------------------------------


def bars_line(seconds: float, *minutes: int) -> str:
    rows = ",".join(f'{{"t":"2025-08-19T22:{minute:02d}:00Z","o":1,"h":3,"l":1,"c":2,"v":9}}' for minute in minutes)
    return (
        f'{{"at":"{at(seconds)}","rest":"/api/History/retrieveBars","request":{{"contractId":"{NQ}","unit":2,'
        f'"unitNumber":1}},"status":200,"response":{{"bars":[{rows}],"success":true,"errorCode":0,"errorMessage":null}}}}'
    )


def test_bars_wait_until_they_are_known(tmp_path: Path) -> None:
    lines = [bars_line(30, 3, 2, 1, 0), clock(59), clock(60), quote(100), quote(120), quote(130), clock(179.999999999)]
    items, _, _ = read(write(tmp_path, HEADER, *lines))
    assert told(items) == [
        (59, "ClockTicked"),
        (60, "BarObserved"),
        (60, "ClockTicked"),
        (100, "quote"),
        (120, "BarObserved"),
        (120, "quote"),
        (130, "quote"),
        (179.999999999, "ClockTicked"),
    ]


def test_bars_of_the_past_are_known_at_once_oldest_first(tmp_path: Path) -> None:
    items, _, _ = read(write(tmp_path, HEADER, bars_line(300, 2, 1, 0)))
    opened = [item.body.opens_at for item in items if isinstance(item, Event) and isinstance(item.body, BarObserved)]
    assert told(items) == [(300, "BarObserved")] * 3
    assert opened == sorted(opened)


def test_a_newer_version_of_a_waiting_bar_takes_its_place(tmp_path: Path) -> None:
    newer = bars_line(40, 0).replace('"c":2', '"c":3')
    items, _, _ = read(write(tmp_path, HEADER, bars_line(30, 0), newer, clock(60)))
    closes = [item.body.close for item in items if isinstance(item, Event) and isinstance(item.body, BarObserved)]
    assert closes == [3 * SECOND]


def test_a_bar_splits_a_run_of_quotes(tmp_path: Path) -> None:
    lines = [bars_line(0, 0, 1)] + [quote(second) for second in range(1, 150)]
    items, reader, _ = read(write(tmp_path, HEADER, *lines))
    times = told(items)
    assert times.index((60, "BarObserved")) == 59
    assert times[60] == (60, "quote")
    assert (120, "BarObserved") in times
    assert times == sorted(times, key=lambda told_: told_[0])
    assert reader.events == 151


# ---- our own recordings ----------------------------------------------------------------------------------

LINES: list[tuple[int, dict[str, Any]]] = [
    (START, {"clock": True}),
    (START + 1, {"hub": "market", "target": "GatewayQuote", "arguments": [NQ, {"lastPrice": Number("21000.250")}]}),
    (START + SECOND, {"connection": "user", "state": "lost"}),
]


def record(path: Path, header: dict[str, Any] | None = None) -> Path:
    with WireWriter(path, header) as writer:
        for moment, line in LINES:
            writer.write(moment, line)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = record(tmp_path / "day.jsonl", {"profile": "é", "lacks": ["orders"]})
    items, reader, warnings = read(path, strict=True)
    assert told(items) == [(0, "ClockTicked"), (1e-9, "quote"), (1, "ConnectionChanged")]
    assert (reader.profile, reader.lacks, reader.lines, warnings) == ("é", ("orders",), 5, [])
    before, end = path.read_bytes().rsplit(b"\n", 2)[:2]
    assert json.loads(end)["end"] == {"lines": 4, "sha256": hashlib.sha256(before + b"\n").hexdigest()}


def test_packed_recordings_are_the_same_bytes_each_time(tmp_path: Path) -> None:
    first, second = record(tmp_path / "a.jsonl.gz"), record(tmp_path / "b.jsonl.gz")
    assert first.read_bytes() == second.read_bytes()
    items, reader, _ = read(first, strict=True)
    assert told(items) == told(read(record(tmp_path / "plain.jsonl"))[0])
    assert reader.sha256 == hashlib.sha256(first.read_bytes()).hexdigest()


def test_the_writer_refuses_time_going_back_and_leaves_no_end_line(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    with WireWriter(path) as writer:
        writer.write(START, {"clock": True})
        with pytest.raises(InputError, match="earlier"):
            writer.write(START - 1, {"clock": True})
    assert told(read(path, strict=True)[0]) == [(0, "ClockTicked")]

    def break_off() -> None:
        with WireWriter(path) as writer:
            writer.write(START, {"clock": True})
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert "end line is missing" in read(path)[2][0]


def test_a_cut_at_every_byte_is_recognised(tmp_path: Path) -> None:
    content = record(tmp_path / "whole.jsonl").read_bytes()
    lines = content.splitlines(keepends=True)
    whole = told(read(tmp_path / "whole.jsonl")[0])
    path = tmp_path / "cut.jsonl"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        if length < len(lines[0]) - 1:
            with pytest.raises(InputError):
                read(path)
            continue
        items, reader, warnings = read(path)
        complete = sum(1 for count in range(2, 5) if length >= sum(map(len, lines[:count])) - 1)
        assert told(items) == whole[:complete]
        assert reader.cut
        assert len(warnings) == 1
        with pytest.raises(InputError):
            read(path, strict=True)


def test_a_packed_recording_cut_anywhere_is_recognised(tmp_path: Path) -> None:
    content = record(tmp_path / "whole.jsonl.gz").read_bytes()
    path = tmp_path / "cut.jsonl.gz"
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(InputError):
            read(path, strict=True)
    path.write_bytes(content[:-1])
    items, reader, warnings = read(path)
    assert (told(items)[0], reader.cut, len(warnings)) == ((0, "ClockTicked"), True, 1)


def test_a_changed_bit_is_recognised(tmp_path: Path) -> None:
    content = record(tmp_path / "whole.jsonl").read_bytes()
    path = tmp_path / "changed.jsonl"
    header = content.index(b"\n")
    for place in range(len(content) - 1):
        for bit in (0, 2):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            if place > header:
                with pytest.raises(InputError):
                    read(path, strict=True)


@pytest.mark.parametrize("end", ['{"end":{"lines":3}}', '{"end":5}', '{"end":{"lines":2,"sha256":"00"}}'])
def test_a_wrong_end_line_is_refused_even_when_bad_lines_are_skipped(tmp_path: Path, end: str) -> None:
    with pytest.raises(InputError, match="line 3: the end line does not match"):
        read(write(tmp_path, HEADER, clock(1), end), skip_bad_lines=True)


def test_nothing_comes_after_the_end_line(tmp_path: Path) -> None:
    path = record(tmp_path / "day.jsonl")
    for late in (clock(5), quote(5)):
        with path.open("a", encoding="utf-8") as file:
            file.write(late + "\n")
        with pytest.raises(InputError, match="line 6: comes after the end line"):
            read(path)


def test_a_foreign_recording_needs_no_end_line(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER, clock(1), quote(2))
    path.write_bytes(path.read_bytes()[:-1])
    assert told(read(path, strict=True)[0]) == [(1, "ClockTicked"), (2, "quote")]
    path.write_bytes(path.read_bytes()[:-5])
    items, reader, warnings = read(path)
    assert told(items) == [(1, "ClockTicked")]
    assert reader.cut
    assert f"{path}, line 3: cut off inside its last line" in warnings[0]
    with pytest.raises(InputError, match="cut off"):
        read(path, strict=True)


def test_recordings_one_after_another_in_one_file(tmp_path: Path) -> None:
    first = record(tmp_path / "a.jsonl").read_bytes()
    path = tmp_path / "both.jsonl"
    path.write_bytes(first + first.replace(b"2025-08-19", b"2025-08-20"))
    with pytest.raises(InputError, match="end line does not match"):
        read(path)
    later = [(moment + 86_400 * SECOND, line) for moment, line in LINES]
    with WireWriter(tmp_path / "b.jsonl") as writer:
        for moment, line in later:
            writer.write(moment, line)
    path.write_bytes(first + (tmp_path / "b.jsonl").read_bytes())
    items, reader, warnings = read(path, strict=True)
    assert len(items) == 6
    assert (reader.lines, warnings) == (10, [])
    path.write_bytes(first + b'{"riskcore":"wire/1","profile":"other"}\n')
    with pytest.raises(InputError, match="line 6: a header that differs"):
        read(path)


def test_lines_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines"
    content = b"a\rb\n" + b"x" * 2000 + b"\n\nlast"
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    monkeypatch.setattr(blocks, "LONGEST_LINE_BYTES", 256)
    for stored in (content, gzip.compress(content)):
        path.write_bytes(stored)
        lines = open_lines(path)
        assert list(lines) == [b"a\rb\n", b"x" * 2000 + b"\n", b"\n", b"last"]
        assert lines.sha256 == hashlib.sha256(stored).hexdigest()
