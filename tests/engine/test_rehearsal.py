import socket
import sqlite3

import pytest

from riskcore.core.events import RequestAttempted, RequestPlanned
from riskcore.engine.rehearsal import rehearse
from riskcore.schema.chain import HASH_LENGTH
from riskcore.schema.codec import decode_event


def test_a_rehearsal_goes_the_whole_way_from_a_breach_to_a_stored_attempt() -> None:
    decoded = [decode_event(topic, state[HASH_LENGTH:])[1].body for _, _, topic, state in rehearse()]
    planned = [body for body in decoded if isinstance(body, RequestPlanned)]
    assert [body.kind for body in planned] == ["closeContract"]
    attempted = [body.request for body in decoded if isinstance(body, RequestAttempted)]
    assert attempted == [planned[0].request]
    assert {type(body).__name__ for body in decoded} >= {"RuleBreached", "CommandIssued"}


def test_a_rehearsal_opens_neither_a_store_nor_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a rehearsal is not the real thing")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    monkeypatch.setattr(socket, "socket", refuse)
    rehearse()
