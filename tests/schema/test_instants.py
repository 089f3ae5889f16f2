import re
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskcore.core.quantities import SECOND_NS
from riskcore.schema import instants
from riskcore.schema.instants import FIRST_NS, LAST_NS, instant_ns, instant_text, read_instant, utc_text


@given(st.integers(FIRST_NS, LAST_NS))
def test_every_nanosecond_comes_back(at: int) -> None:
    text = instant_text(at)
    assert len(text) == 30
    assert instant_ns(text) == at
    assert text[:26] == datetime.fromisoformat(text[:26] + "Z").astimezone(UTC).replace(tzinfo=None).isoformat(
        timespec="microseconds"
    )


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_755_613_892_123_456_789, "2025-08-19T14:31:32.123456789Z"),
        (FIRST_NS, "0001-01-01T00:00:00.000000000Z"),
        (LAST_NS, "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_known_instants(at: int, text: str) -> None:
    assert instant_text(at) == text
    assert instant_ns(text) == at


@pytest.mark.parametrize("at", [FIRST_NS - 1, LAST_NS + 1, 10**30])
def test_outside_the_calendar(at: int) -> None:
    with pytest.raises(OverflowError):
        instant_text(at)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-08-19T14:31:32Z",
        "2025-08-19T14:31:32.123456789",
        "2025-08-19T14:31:32.12345678Z",
        "2025-08-19T14:31:32.1234567890Z",
        "2025-08-19 14:31:32.123456789Z",
        "2025-08-19T14:31:60.123456789Z",
        "2025-02-29T14:31:32.123456789Z",
        "2025-08-19T14:31:32.+23456789Z",
        "2025-08-19T14:31:32.12345678\u0669Z",
        "2025-08-19T14:31:32.123456789z",
        "2025-08-19T14:31:32,123456789Z",
        "2025-08-19t14:31:32.123456789Z",
        "2025-W34-2T14:31:32.123456789Z",
    ],
)
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        instant_ns(text)


def test_more_seconds_than_are_remembered() -> None:
    for second in range(5_000):
        assert instant_ns(instant_text(second * 10**9 + 1)) == second * 10**9 + 1


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (500_000_000, "1970-01-01T00:00:00.500000Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
    ],
)
def test_people_read_no_more_digits_than_there_are(at: int, text: str) -> None:
    assert utc_text(at) == text


def test_old_seconds_are_forgotten() -> None:
    """A live engine meets a new one each second, all week."""
    instants._text_of_second.clear()
    instants._second_ns.cache_clear()
    before = sys.getallocatedblocks()
    for second in range(5_000):
        assert instant_ns(instant_text(second * SECOND_NS)) == second * SECOND_NS
    assert sys.getallocatedblocks() - before < 3_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00.5z", 500_000_000),
        ("1970-01-01 00:00:00.0000000019Z", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("1970-01-01T05:30:00+05:30", 0),
        ("1969-12-31T17:00:00.25-07:00", 250_000_000),
        ("0001-01-01T01:00:00+01:00", FIRST_NS),
        ("9999-12-31T22:59:59.999999999-01:00", LAST_NS),
    ],
)
def test_an_instant_is_read_at_any_offset(text: str, at: int) -> None:
    assert read_instant(text) == at


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1970-01-01T00:00:00", "not a time with an offset"),
        ("1970-01-01T00:00:00+0100", "not a time with an offset"),
        ("1970-01-01T00:00Z", "not a time with an offset"),
        ("1970-01-01T00:00:00.Z", "not a time with an offset"),
        ("1970-01-01T00:00:60Z", "no such time: 1970-01-01T00:00:60Z"),
        ("1970-02-29T00:00:00.5Z", "no such time: 1970-02-29T00:00:00Z"),
        ("1970-01-01T00:00:00+24:00", "no such time"),
        ("0001-01-01T00:59:59+01:00", "no such time"),
        ("9999-12-31T23:00:00-01:00", "no such time"),
    ],
)
def test_what_is_no_instant_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        read_instant(text)
