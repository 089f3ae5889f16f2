"""The fast way of reading quote records gives what the normaliser gives, or leaves the record to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.topstepx.normalise import normalise
from adapters.topstepx.plain_quotes import QuoteRecords
from adapters.topstepx.signalr.codec import Invocation, read
from riskcore.core.events import QuoteObserved
from tests.quote_texts import broken, contracts, fields

AT = 1_790_000_000_000_000_000
CONTRACT = "CON.F.US.MNQ.U26"
Row = tuple[int, str, int | None, int | None, int | None]


def record(fields: str, contract: str = CONTRACT) -> bytes:
    return f'{{"type":1,"target":"GatewayQuote","arguments":["{contract}",{{{fields}}}]}}'.encode()


def fast(records: list[bytes]) -> list[Row] | None:
    reader = QuoteRecords()
    lines = b"".join(one + b"\n" for one in records)
    quotes = reader.read(lines, AT) if reader.plain(lines) is True else None
    return None if quotes is None else [quotes.row(index) for index in range(len(records))]


def exact(one: bytes) -> Row:
    """One quote by the normaliser. Raises for everything else."""
    message = read(one)
    assert isinstance(message, Invocation)
    line = {"hub": "market", "target": message.target, "arguments": message.arguments}
    (event,) = normalise(line, AT)
    assert isinstance(event.body, QuoteObserved)
    return event.at, event.body.contract, event.body.last, event.body.bid, event.body.ask


FULL = (
    '"symbol":"F.US.MNQ","symbolName":"/MNQ","lastPrice":2100.25,"bestBid":2100.00,"bestAsk":-0.0000005,"change":25.5,'
    '"volume":12000,"lastUpdated":"2024-07-21T13:45:00Z","timestamp":"2026-08-19T20:51:31.4347534+00:00"'
)


@pytest.mark.parametrize(
    "fields",
    [
        FULL,
        "",
        '"lastPrice":0',
        '"lastPrice":null,"bestBid":1.0',
        f'"contract":"{CONTRACT}"',
        '"other":"x","flag":true',
    ],
)
def test_plain_quotes_are_read_fast(fields: str) -> None:
    one = record(fields)
    assert fast([one]) == [exact(one)]
    assert fast([one.replace(b'":', b'": ').replace(b',"', b', "')] * 3) == [exact(one)] * 3


@pytest.mark.parametrize(
    "one",
    [
        record('"lastPrice":1,"lastPrice":2'),
        record('"lastPrice":"1"'),
        record('"lastPrice":NaN'),
        record('"lastPrice":1e3'),
        record('"lastPrice":1000000000000000'),
        record('"LastPrice":1'),
        record('"data":{"lastPrice":1},"action":1'),
        record('"symbol":"\\u0041"'),
        record('"symbol":"é"'),
        record(FULL).replace(b'"type":1', b'"type":11'),
        record(FULL).replace(b'"type":1', b'"type":1.0'),
        record(FULL).replace(b'"type":1', b'"type":null'),
        record(FULL).replace(b'"type":1', b'"type":1,"type":1'),
        record(FULL).replace(b'"type":1', b'"type":1,"invocationId":"5"'),
        record(FULL).replace(b"Quote", b"Quote2"),
        record(FULL).replace(b"Quote", b"Trade"),
        record(FULL).replace(b'"arguments"', b'"Arguments"'),
        record(FULL)[:-1] + b',"headers":{}}',
        record(FULL).replace(f'"{CONTRACT}",'.encode(), b""),
        record(FULL, contract="C" + "1" * 1000),
        record(FULL) + record(FULL),
        record(FULL)[:-1],
        b"",
    ],
)
def test_unusual_records_are_left_to_the_normaliser(one: bytes) -> None:
    assert fast([one]) is None
    assert fast([record(FULL), one, record(FULL)]) is None


fields_of_a_quote = fields(
    "lastPrice", "bestBid", "bestAsk", "volume", "symbol", "LastPrice", "data", "contract", "contractId", "lastPrice1"
)
wholes = st.builds(record, fields_of_a_quote, contracts(CONTRACT))
mutants = broken(wholes)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(wholes, mutants), min_size=1, max_size=3))
def test_the_fast_way_gives_what_the_normaliser_gives(records: list[bytes]) -> None:
    records = [text for text in records if b"\n" not in text] or [record("")]
    rows = fast(records)
    if rows is not None:
        assert rows == [exact(one) for one in records]
