"""The fast way of reading quotes gives what the normaliser gives, or leaves the line to it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.topstepx.fields import decode, instant
from adapters.topstepx.normalise import normalise
from replay.columns.columns import ColumnQuotes
from replay.quote_lines import QuoteLines
from riskcore.core.events import QuoteObserved
from riskcore.core.quotes import Quotes
from tests.quote_texts import broken, contracts, fields

LINE = '{"at":"%s","hub":"market","target":"GatewayQuote","arguments":["%s",{%s}]}'
AT = "2025-08-19T22:00:00.082800Z"
CONTRACT = "CON.F.US.ENQ.Z25"


def fast(lines: list[bytes]) -> Quotes | None:
    block = QuoteLines().read(b"".join(line + b"\n" for line in lines))
    return ColumnQuotes(block.columns, 0, len(lines)) if block.plain.all() else None


def exact(line: bytes) -> tuple[int, str, int | None, int | None, int | None]:
    """One quote by the normaliser. Raises for everything else."""
    decoded = decode(line)
    assert decoded.repeated is None
    at = instant(decoded.value["at"])
    (event,) = normalise(decoded.value, at)
    assert isinstance(event.body, QuoteObserved)
    return at, event.body.contract, event.body.last, event.body.bid, event.body.ask


def line(fields: str, at: str = AT, contract: str = CONTRACT) -> bytes:
    return (LINE % (at, contract, fields)).encode()


FULL = (
    '"symbol":"F.US.ENQ","lastPrice":21000.25,"bestBid":21000,"bestAsk":-0.0000005,"change":-1.5,"volume":12,'
    '"lastUpdated":"2025-08-19T22:00:00.0828000+00:00","timestamp":"2025-08-19T22:00:00.082+00:00"'
)


@pytest.mark.parametrize(
    "fields",
    [
        FULL,
        "",
        '"lastPrice":0',
        '"lastPrice":null,"bestBid":1.0',
        '"lastPrice":1.5,"bestBid":2,"other":"x","flag":true',
        '"bestAsk":999999999.999999999',
        f'"contract":"{CONTRACT}"',
    ],
)
def test_plain_quotes_are_read_fast(fields: str) -> None:
    one = line(fields)
    quotes = fast([one])
    assert quotes is not None
    assert [tuple(row) for row in zip(*quotes, strict=True)] == [exact(one)]
    spaced = one.replace(b'":', b'": ').replace(b',"', b', "')
    assert fast([spaced]) == quotes


@pytest.mark.parametrize(
    "fields",
    [
        '"lastPrice":1,"lastPrice":2',
        '"symbol":"a","symbol":"b"',
        '"lastPrice":"1"',
        '"lastPrice":true',
        '"lastPrice":[1]',
        '"lastPrice":NaN',
        '"lastPrice":1e3',
        '"lastPrice":1000000000000000',
        '"lastPrice":1000000000',
        '"lastPrice":0.0000000001',
        '"lastPrice":99999999999999999999.5',
        '"lastPrice":1.2.3',
        '"lastPrice":--1',
        '"lastPrice":',
        '"lastPrice":01',
        '"volume":1-2',
        '"volume":',
        '"volume":.5',
        '"volume":05',
        '"LastPrice":1',
        '"data":{"lastPrice":1}',
        '"data":5',
        '"symbol":"\\u0041"',
        '"symbol":"é"',
        '"lastPrice":1,',
        '"a":1 "b":2',
    ],
)
def test_unusual_quotes_are_left_to_the_normaliser(fields: str) -> None:
    assert fast([line(fields)]) is None


@pytest.mark.parametrize(
    "changed",
    [
        line(FULL).replace(b'"at":', b'"at":"2025-08-19T22:00:00.082800Z","at":'),
        line(FULL).replace(b'"hub":"market",', b'"hub":"market","hub":"market",'),
        line(FULL).replace(b"]}", b'],"x":1}'),
        line(FULL).replace(b"market", b"user"),
        line(FULL).replace(b"market", b"mark3t"),
        line(FULL).replace(b"GatewayQuote", b"GatewayTrade"),
        line(FULL).replace(f'"{CONTRACT}"'.encode(), b'""'),
        line(FULL).replace(f'"{CONTRACT}",'.encode(), b""),
        line(FULL, contract="C" + "1" * 1000),
        line(FULL, at="2025-08-19T22:00:00.082800+00:00"),
        line(FULL, at="2025-08-19T22:00:60.082800Z"),
        line(FULL, at="2025-08-19T22:60:00.082800Z"),
        line(FULL, at="2025-08-19T24:00:00.082800Z"),
        line(FULL, at="1999-08-19T22:00:00.082800Z"),
        line(FULL, at="2025-08-19T22:00:0.0828000Z"),
        line(FULL, at="2025-08-19T22:00:00082800.Z"),
        line(FULL, at="20250-8-19T22:00:00.082800Z"),
        b" " + line(FULL),
        b"",
    ],
)
def test_unusual_lines_are_left_to_the_normaliser(changed: bytes) -> None:
    many = [line(FULL)] * 20
    assert fast([changed]) is None
    assert fast([*many, changed]) is None


def test_two_objects_or_a_broken_object_are_no_two_lines() -> None:
    assert fast([line(FULL) + line(FULL), b""]) is None
    whole = line(FULL)
    assert fast([whole[:-3], whole[-3:]]) is None


@pytest.mark.parametrize("digits", range(10))
@pytest.mark.parametrize("step_ns", [1, 999_999_937, 7_000_000_000, 61_000_000_000])
def test_instants_are_exact_over_minutes(digits: int, step_ns: int) -> None:
    rows = []
    for index in range(200):
        second, nanosecond = divmod(index * step_ns, 10**9)
        minute, second = divmod(second, 60)
        hour, minute = divmod(minute, 60)
        fraction = f".{nanosecond:09d}"[: digits + 1] if digits else ""
        rows.append(line('"lastPrice":1', at=f"2025-08-19T{hour + 19:02d}:{minute:02d}:{second:02d}{fraction}Z"))
    quotes = fast(rows)
    assert quotes is not None
    assert quotes.ats == [exact(row)[0] for row in rows]


def test_which_lines_of_a_mixed_block_are_plain() -> None:
    block = b"\n".join([line(FULL), b'{"at":"2025-08-19T22:00:00Z","clock":true}', line("")]) + b"\n"
    assert QuoteLines().read(block).plain.tolist() == [True, False, True]


fields_of_a_quote = fields(
    "lastPrice", "bestBid", "bestAsk", "volume", "change", "symbol", "LastPrice", "data", "timestamp", "lastPrice1"
)
times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.sampled_from([AT, "2025-08-19T22:00:00Z", "2025-08-19T22:00:00.1Z", "2025-08-19T22:00:75.082800Z"]),
)
wholes = st.builds(line, fields_of_a_quote, times, contracts(CONTRACT))
mutants = broken(wholes)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(wholes, mutants), min_size=1, max_size=3))
def test_the_fast_way_gives_what_the_normaliser_gives(lines: list[bytes]) -> None:
    lines = [text for text in lines if b"\n" not in text] or [line("")]
    quotes = fast(lines)
    if quotes is not None:
        assert [tuple(row) for row in zip(*quotes, strict=True)] == [exact(text) for text in lines]


def test_a_part_of_quotes_keeps_its_columns(tmp_path: Path) -> None:
    quotes = Quotes([1, 2, 3], ["a", "b", "c"], [1, None, 3], [4, 5, 6], [7, 8, 9])
    assert quotes.part(1, 2) == Quotes([2], ["b"], [None], [5], [8])
