"""SignalR's JSON protocol: whatever the frames' bounds, the same messages; whatever the bytes, no surprise."""

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.topstepx.fields import Number
from adapters.topstepx.plain_quotes import QuoteRecords
from adapters.topstepx.signalr import codec
from adapters.topstepx.signalr.codec import (
    LONGEST_RECORD_BYTES,
    Close,
    Codec,
    Completion,
    Greeting,
    Invocation,
    Message,
    Ping,
    PlainRecords,
    RecordTooLong,
    Unreadable,
    invocation,
    read,
)

END = b"\x1e"
HELLO = b"{}" + END
QUOTE = (
    b'{"type":1,"target":"GatewayQuote","arguments":["CON.F.US.MNQ.U26",{"symbol":"F.US.MNQ","bestBid":29547,'
    b'"bestAsk":29547.5,"timestamp":"2026-08-19T20:51:31.348+00:00"}]}'
)
TRADE = '{"type":1,"target":"GatewayTrade","arguments":["CON.F.US.MNQ.U26",[{"price":7730.5,"note":"€ 𝄞"}]]}'.encode()


def received(*chunks: bytes, plain: codec.Recogniser | None = None) -> list[Message]:
    """The messages of a connection; plain records read, because which ones come undecoded is left open."""
    one = Codec(plain)
    found: list[Message] = []
    for message in (message for chunk in chunks for message in one.receive(chunk)):
        if isinstance(message, PlainRecords):
            read_now = [read(line) for line in message.lines[:-1].split(b"\n")]
            found += [message for message in read_now if message is not None]
        else:
            found.append(message)
    return found


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b'{"type":1,"target":"T","arguments":[1,1.50,"x"]}', Invocation("T", [1, Number("1.50"), "x"])),
        (b'{"arguments":[],"target":"T","type":1,"headers":{},"invocationId":"9","new":1}', Invocation("T", [])),
        (b'{"type":1}', Invocation(None, None)),
        (b'{"type":1,"target":5,"arguments":{}}', Invocation(5, {})),
        (b'{"type":3,"invocationId":"1","result":null}', Completion("1", None)),
        (b'{"type":3,"invocationId":"1","error":"no such account"}', Completion("1", "no such account")),
        (b'{"type":3,"invocationId":"1","error":{"a":1}}', Completion("1", "an error that is no text")),
        (b'{"type":3,"invocationId":"1","error":"\\ud800"}', Completion("1", "?")),
        (b' {"type" : 6 } ', Ping()),
        (b'{"type":7}', Close(None, False)),
        (b'{"type":7,"error":"bye","allowReconnect":true}', Close("bye", True)),
        (b'{"type":7,"allowReconnect":"yes"}', Close(None, False)),
        (b'{"type":2,"invocationId":"1","item":5}', None),
        (b'{"type":4,"invocationId":"1","target":"T","arguments":[]}', None),
        (b'{"type":5,"invocationId":"1"}', None),
        (b'{"type":8,"sequenceId":1}', None),
        (b'{"type":999999999999}', None),
    ],
)
def test_messages(record: bytes, message: Message | None) -> None:
    assert read(record) == message
    assert received(HELLO, record + END) == [Greeting(None)] + ([] if message is None else [message])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"", "not JSON"),
        (b"oh no", "not JSON"),
        (b'{"type":1,"target":"T"', "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[1]", "not an object"),
        (b"null", "not an object"),
        (b"{}", "type is not"),
        (b'{"type":"1"}', "type is not"),
        (b'{"type":true}', "type is not"),
        (b'{"type":1.0}', "type is not"),
        (b'{"type":3,"result":1}', "without its invocationId"),
        (b'{"type":3,"invocationId":7}', "without its invocationId"),
        (b'{"type":1,"target":"T","target":"U","arguments":[]}', "'target' comes twice"),
        (b'{"type":1,"target":"T","arguments":[{"price":1,"price":2}]}', "'price' comes twice"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_records_that_are_no_message_are_handed_on_and_the_next_one_counts(record: bytes, reason: str) -> None:
    greeting, unreadable, ping = received(HELLO + record + END + b'{"type":6}' + END)
    assert isinstance(unreadable, Unreadable)
    assert reason in unreadable.reason
    assert unreadable.raw == record.decode("utf-8", "replace")
    assert (greeting, ping) == (Greeting(None), Ping())


@pytest.mark.parametrize(
    ("record", "error"),
    [
        (b"{}", None),
        (b'{"error":null,"minorVersion":0}', None),
        (b'{"error":"Requested protocol is not available."}', "Requested protocol is not available."),
        (b'{"error":5}', "an error that is no text"),
        (b'{"type":6}', "did not answer the handshake"),
        (b"<html>", "did not answer the handshake"),
        (b"[]", "did not answer the handshake"),
        (b"\xff", "did not answer the handshake"),
    ],
)
def test_the_answer_to_the_handshake(record: bytes, error: str | None) -> None:
    (greeting,) = received(record + END)
    assert isinstance(greeting, Greeting)
    assert greeting.error == error if error is None else error in str(greeting.error)


def test_data_may_follow_the_handshake_in_the_same_frame() -> None:
    assert received(HELLO + b'{"type":6}' + END) == [Greeting(None), Ping()]


def test_every_split_of_a_stream_gives_the_same_messages() -> None:
    stream = END.join([b"{}", QUOTE, QUOTE, TRADE, b"oops", b'{"type":6}', QUOTE, b""])
    for plain in (None, QuoteRecords().plain):
        whole = received(stream, plain=plain)
        assert len(whole) == 7
        for cut in range(len(stream) + 1):
            assert received(stream[:cut], stream[cut:], plain=plain) == whole
        assert received(*(stream[index : index + 1] for index in range(len(stream))), plain=plain) == whole


def test_plain_records_come_undecoded_and_in_their_place() -> None:
    one = Codec(QuoteRecords().plain)
    messages = one.receive(END.join([b"{}", QUOTE, QUOTE, TRADE, QUOTE, b""]))
    assert isinstance(messages.pop(2), Invocation)
    assert messages == [Greeting(None), PlainRecords((QUOTE + b"\n") * 2), PlainRecords(QUOTE + b"\n")]
    assert one.receive((QUOTE + END) * 2) == [PlainRecords((QUOTE + b"\n") * 2)]
    assert one.receive(b'{"type":6}' + END) == [Ping()]


records = st.one_of(
    st.sampled_from([QUOTE, QUOTE.replace(b"29547", b"1e3"), QUOTE + b"\n", TRADE, b'{"type":6}', b'{"type":3}', b""]),
    st.binary(max_size=20).map(lambda data: data.replace(END, b"")),
    st.dictionaries(st.sampled_from(["type", "target", "error", "x"]), st.integers(0, 8) | st.text(max_size=5)).map(
        lambda value: json.dumps(value).encode()
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(records, max_size=8), st.lists(st.integers(0, 2000), max_size=6), st.booleans())
def test_any_split_of_any_records_gives_the_same_messages(found: list[bytes], cuts: list[int], fast: bool) -> None:
    stream = HELLO + b"".join(record + END for record in found)
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    chunks = [stream[start:end] for start, end in pairwise(places)]
    plain = QuoteRecords().plain if fast else None
    assert received(*chunks, plain=plain) == received(stream, plain=plain)


def test_random_bytes_never_raise_anything_undocumented() -> None:
    chance = random.Random(1)
    pieces = [QUOTE, TRADE, END, b'{"type":', b"1", b"7}", b"\n", b"\xf0\x9d", b'"', b"[", b"{", b"\\u", b"}"]
    for _ in range(3000):
        data = b"".join(chance.choice((*pieces, chance.randbytes(3))) for _ in range(chance.randrange(12)))
        found = received(*[data] * 3, plain=QuoteRecords().plain if chance.random() < 0.5 else None)
        assert len(found) <= data.count(END) * 3


def test_a_record_may_be_long_but_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LONGEST_RECORD_BYTES == 16 * 2**20
    monkeypatch.setattr(codec, "LONGEST_RECORD_BYTES", 100)
    good = b'{"type":6,"x":"' + b"x" * 83 + b'"}'
    assert len(good) == 100
    assert received(HELLO, good[:50], good[50:] + END, good + END) == [Greeting(None), Ping(), Ping()]
    for chunks in ([good + b" " + END], [good, b" "], [good[:50], good[50:] + b" " + END], [END + good + b" "]):
        with pytest.raises(RecordTooLong, match="100 bytes"):
            received(HELLO, *chunks)
    with pytest.raises(RecordTooLong):
        received(HELLO, END + good + b" " + END)
    with pytest.raises(RecordTooLong):
        received(b"x" * 101)


def test_what_is_sent() -> None:
    """The records of topstepx/API.md 4.1 and 4.2."""
    assert codec.HANDSHAKE == '{"protocol":"json","version":1}\x1e'
    assert codec.PING == '{"type":6}\x1e'
    assert codec.CLOSE == '{"type":7}\x1e'
    start = '{"type":1,"invocationId":'
    assert invocation("1", "SubscribeAccounts", ()) == start + '"1","target":"SubscribeAccounts","arguments":[]}\x1e'
    orders = '"2","target":"SubscribeOrders","arguments":[99000001]}\x1e'
    assert invocation("2", "SubscribeOrders", (99000001,)) == start + orders
    quotes = '"3","target":"SubscribeContractQuotes","arguments":["CON.F.US.MNQ.U26"]}\x1e'
    assert invocation("3", "SubscribeContractQuotes", ("CON.F.US.MNQ.U26",)) == start + quotes
    assert invocation("4", "T", ("a\x1eb",)).count("\x1e") == 1
