"""Messages word for word: the broker's own text, one line each, and never a secret."""

import json

import pytest

from adapters.topstepx.exchange import Exchange
from adapters.topstepx.wire_text import answer_text, hub_text, line_text, quote_texts
from riskcore.core.raw_text import WITHHELD

TOKEN = "eyJhbGciOiJIUzI1NiJ9.e30.abc"
LINE = {"hub": "user", "target": "T", "arguments": [{"price": 1}]}


def test_a_record_is_kept_to_the_byte() -> None:
    record = '{"type":1,"target":"T", "arguments":[{"price":49909.000, "text":"é\\u00e9"}]}'.encode()
    assert hub_text("user", LINE, record) == b'{"hub":"user",' + record[len(b'{"type":1,') :]


@pytest.mark.parametrize(
    "record", [b'{"target":"T","type":1}', b'{"type":1,"a":1,\n"target":"T"}', b'{"type":1,"target":"T"} ']
)
def test_a_record_that_does_not_fit_into_the_line_is_written_anew(record: bytes) -> None:
    assert json.loads(hub_text("user", LINE, record)) == LINE


def test_quotes_are_kept_record_by_record() -> None:
    records = b'{"type":1,"target":"GatewayQuote","arguments":[1.50]}\n' * 2
    assert quote_texts(records) == [b'{"hub":"market","target":"GatewayQuote","arguments":[1.50]}'] * 2


def test_an_answer_is_kept_to_the_byte() -> None:
    exchange = Exchange("/api/Order/search", 1, {"a": 1}, 200, {"orders": []}, b' {"orders": [ ]}')
    assert exchange.text() == (
        b'{"rest":"/api/Order/search","request":{"a":1},"asked_at":"1970-01-01T00:00:00.000000001Z","status":200,'
        b'"response":{"orders": [ ]}}'
    )


def test_an_answer_over_several_lines_is_written_anew() -> None:
    exchange = Exchange("/api/Order/search", 1, {}, 200, {"orders": []}, b'{\n"orders":[]}')
    assert json.loads(exchange.text()) == exchange.line()
    assert b"\n" not in exchange.text()


@pytest.mark.parametrize("secret", [TOKEN, "Bearer abc", 'x","token":"y', 'x","password":"y'])
def test_a_secret_is_never_kept(secret: str) -> None:
    raw = f'{{"type":1,"target":"T","arguments":["{secret}"]}}'.encode()
    kept = [
        hub_text("user", {**LINE, "arguments": [secret]}, raw),
        answer_text({"rest": "/api/X", "status": 200, "response": {"a": secret}}, raw),
        line_text({"hub": "user", "unreadable": "no JSON", "text": secret}),
    ]
    for text in kept:
        assert secret.encode() not in text
        assert json.loads(text)["withheld"] == WITHHELD


def test_a_login_is_kept_without_what_was_sent_and_given() -> None:
    exchange = Exchange("/api/Auth/loginKey", 1, None, 200, {"success": True, "errorCode": 0, "token": TOKEN})
    assert TOKEN.encode() not in exchange.text()
    assert json.loads(exchange.text())["response"] == {"success": True, "errorCode": 0}
