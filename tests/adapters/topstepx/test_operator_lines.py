"""What the operator says in a recording (INTERFACE.md 4)."""

import json
from typing import Any

import pytest

from adapters.topstepx.fields import decode
from adapters.topstepx.normalise import normalise
from riskcore.core.events import NoteRecorded, PayoutRecorded, ProgrammeReset, WireRejected

AT = 1_787_148_961_500_000_000
DOLLAR = 10**6


def facts(**line: Any) -> list[Any]:
    return normalise(decode(json.dumps({"at": "2026-08-19T14:16:01.5Z", **line}).encode()).value, AT)


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ({"operator": "payout", "amount": "700.00"}, PayoutRecorded(7001, 700 * DOLLAR)),
        ({"operator": "payout", "amount": 0.01}, PayoutRecorded(7001, DOLLAR // 100)),
        ({"operator": "payout", "amount": "5", "on": "2026-08-18"}, PayoutRecorded(7001, 5 * DOLLAR, "2026-08-18")),
        ({"operator": "reset", "reason": "bought"}, ProgrammeReset(7001, "bought")),
        (
            {"operator": "reset", "reason": "bought", "balance": "-10", "floor": "-2000"},
            ProgrammeReset(7001, "bought", -10 * DOLLAR, -2000 * DOLLAR),
        ),
        ({"operator": "note", "text": "support wrote"}, NoteRecorded(7001, "support wrote")),
    ],
)
def test_a_word_of_the_operator_is_a_fact_of_the_operators(line: dict[str, Any], body: object) -> None:
    [event] = facts(account=7001, **line)
    assert event.body == body
    assert (event.source, event.key) == ("operator", f"{line['operator']}:7001@{AT}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"operator": "payout", "account": 7001}, "amount is missing"),
        ({"operator": "payout", "account": 7001, "amount": "0"}, "above zero"),
        ({"operator": "payout", "account": 7001, "amount": "-1"}, "above zero"),
        ({"operator": "payout", "account": 7001, "amount": "seven"}, "amount"),
        ({"operator": "payout", "account": 7001, "amount": "7", "on": "yesterday"}, "no date"),
        ({"operator": "payout", "amount": "7"}, "account is missing"),
        ({"operator": "reset", "account": 7001}, "reason is missing"),
        ({"operator": "reset", "account": 7001, "reason": " "}, "reason is empty"),
        ({"operator": "note", "account": 7001}, "text is missing"),
        ({"operator": "unlock", "account": 7001}, "one of payout, reset, note"),
    ],
)
def test_one_that_makes_no_sense_changes_nothing(line: dict[str, Any], reason: str) -> None:
    [event] = facts(**line)
    assert isinstance(event.body, WireRejected)
    assert reason in event.body.reason
