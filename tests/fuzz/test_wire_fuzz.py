"""Whatever stands in a recording: facts that can be stored, or an InputError, never anything else."""

import random
from pathlib import Path

import pytest

from adapters.topstepx.plain_quotes import QuoteShapes
from replay.recording import read_wire
from riskcore.core.events import Event, QuoteObserved
from riskcore.core.quotes import Quotes
from riskcore.errors import InputError
from riskcore.schema.codec import decode_event, encode_event

FILES, LINES_A_FILE = 400, 30
HEADER = b'{"riskcore":"wire/1"}\n'
MNQ = '"CON.F.US.MNQ.U26"'
IDS = f'"id":801,"accountId":7001,"contractId":{MNQ}'
KINDS = [
    f'"hub":"market","target":"GatewayQuote","arguments":[{MNQ},{{"symbol":"F.US.MNQ","lastPrice":29547.25,'
    '"bestBid":29547,"bestAsk":29547.500000000,"volume":12,"timestamp":"2026-08-19T20:51:31.348+00:00"}]',
    f'"hub":"market","target":"GatewayQuote","arguments":[{MNQ},{{"symbol":"F.US.MNQ","bestBid":29547}}]',
    f'"hub":"market","target":"GatewayTrade","arguments":[{MNQ},[{{"price":7730.5,"volume":1}},null]]',
    f'"hub":"market","target":"GatewayDepth","arguments":[{MNQ},[{{"price":29547,"volume":2,"type":4}}]]',
    '"hub":"user","target":"GatewayUserAccount","arguments":[{"action":1,"data":{"id":7001,"name":"P","balance":1.38,'
    '"canTrade":true,"simulated":true}}]',
    f'"hub":"user","target":"GatewayUserOrder","arguments":[{{"action":1,"data":{{{IDS},"status":1,"type":4,"side":1,'
    '"size":2,"stopPrice":22305.25,"fillVolume":0,"updateTimestamp":"2026-08-19T14:15:02.1851032+00:00"}}]',
    f'"hub":"user","target":"GatewayUserPosition","arguments":[{{{IDS},"type":1,"size":3,"averagePrice":1.375}}]',
    f'"hub":"user","target":"GatewayUserTrade","arguments":[{{"action":0,"data":{{{IDS},"price":29423,"fees":0.36,'
    '"profitAndLoss":-49,"side":0,"size":1,"voided":false,"creationTimestamp":"2026-08-19T14:16:01.4061289+00:00"}}]',
    '"hub":"user","target":"GatewayLogout","arguments":[]',
    f'"rest":"/api/Position/searchOpen","request":{{"accountId":7001}},"status":200,"response":{{"positions":[{{{IDS},'
    '"type":2,"size":1}],"success":true,"errorCode":0,"errorMessage":null}',
    f'"rest":"/api/Order/v2/query","request":{{"filter":{{"accountId":7001,"statuses":[1,8]}},"pageOffset":0}},"status":200,'
    f'"response":{{"orders":[{{{IDS},"status":8}}],"totalCount":1,"success":true,"errorCode":0}}',
    f'"rest":"/api/History/retrieveBars","request":{{"contractId":{MNQ},"unit":1,"unitNumber":2}},"status":200,"response":'
    '{"bars":[{"t":"2026-08-19T14:00:01Z","o":2,"h":3,"l":1,"c":2.5}],"success":true}',
    '"rest":"/api/Auth/loginKey","request":{"userName":"SECRET","apiKey":"SECRET"},"status":200,"response":'
    '{"token":"SECRET","success":true,"errorCode":0}',
    '"connection":"user","state":"connected"',
    '"clock":true',
]
TOKENS = (
    b'null|true|NaN|-Infinity|1e400|-1|0|0.0000000005|99999999999999999999|"x"|""|[]|{}|[null]|"\\ud800"|\xff|\x00|"|\\|,|:'
    b'|{|}|[|]|"id":1,|"lastPrice":2,|"at":"2026-08-19T14:00:00Z",|9999-12-31|2026-02-30|6|60|.|-|+|e'
).split(b"|")


def whole_line(chance: random.Random, second: int) -> bytes:
    fraction = f".{chance.randrange(10**9):09d}"[: chance.randrange(11)]
    fraction = "" if fraction == "." else fraction
    return f'{{"at":"2026-08-19T14:{second // 60:02d}:{second % 60:02d}{fraction}Z",{chance.choice(KINDS)}}}'.encode()


def mutated(chance: random.Random, line: bytes) -> bytes:
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        place = chance.randrange(len(line) + 1)
        length = chance.choice((0, 1, 1, 2, 5, 20))
        middle = chance.choice((b"", bytes([chance.randrange(256)]), chance.choice(TOKENS), line[place : place + 9]))
        line = line[:place] + middle + line[place + length :]
    return line


def facts(path: Path) -> tuple[list[Event], str]:
    """All facts with quotes one by one, and how it ended."""
    found: list[Event] = []
    warnings: list[str] = []
    try:
        for items in read_wire(path, skip_bad_lines=True, warn=warnings.append):
            for item in items:
                if isinstance(item, Quotes):
                    for at, contract, *prices in zip(*item, strict=True):
                        key = f"quote:{contract}@{at}"
                        found.append(Event(at, "market", key, QuoteObserved(contract, *prices)))
                else:
                    found.append(item)
    except InputError as error:
        return found, str(error)
    return found, "".join(warnings)


def test_no_line_breaks_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(20_260_819)
    path = tmp_path / "day.jsonl"
    understood: dict[str, int] = {}
    for _ in range(FILES):
        lines = [mutated(chance, whole_line(chance, second)) for second in range(LINES_A_FILE)]
        path.write_bytes(HEADER + b"\n".join(lines) + chance.choice((b"", b"\n", b"\r\n")))
        fast = facts(path)
        assert [event.at for event in fast[0]] == sorted(event.at for event in fast[0])
        for event in fast[0]:
            topic, canonical = encode_event(1, event)
            assert b"SECRET" not in canonical
            assert decode_event(topic, canonical)[1] == event
            understood[topic] = understood.get(topic, 0) + 1
        with monkeypatch.context() as patched:
            patched.setattr(QuoteShapes, "is_quote", lambda self, shape: False)
            assert facts(path) == fast
    assert len(understood) >= 14
    assert min(understood.values()) >= 50, understood
