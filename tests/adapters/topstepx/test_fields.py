"""Exact numbers and instants out of JSON text."""

import pytest

from adapters.topstepx import fields
from adapters.topstepx.fields import Number, Rejected, TooDeep, decode, encode, instant, raw_text

SECOND = 1_000_000_000
NOON = 1_755_640_800 * SECOND  # 2025-08-19T22:00:00Z


def value(text: str) -> object:
    return decode(text.encode()).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("49909", 49_909 * 10**9),
        ("49909.0", 49_909 * 10**9),
        ("49909.000000000", 49_909 * 10**9),
        ("0.0000005", 500),
        ("-37.63", -37_630_000_000),
        ("0", 0),
        ("2.81e1", 28_100_000_000),
        ("28446.375", 28_446_375_000_000),
        ("0.1", 100_000_000),  # Through a float this times 3 would not be 0.3.
    ],
)
def test_a_price_is_read_from_its_text(text: str, expected: int) -> None:
    assert fields.price({"p": value(text)}, "p") == expected


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "true", '"21000.25"', "[]", "{}", "1e99", "9" * 30])
def test_what_is_no_price_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        fields.price({"p": value(text)}, "p")


@pytest.mark.parametrize(("text", "expected"), [("15", 15), ("15.0", 15), ("-1", -1), ("1e2", 100)])
def test_a_whole_number_may_have_a_point(text: str, expected: int) -> None:
    assert fields.integer({"n": value(text)}, "n") == expected


@pytest.mark.parametrize("text", ["1.5", "true", '"15"', "NaN", str(2**63), "-" + "9" * 40])
def test_what_is_no_whole_number_is_rejected(text: str) -> None:
    with pytest.raises(Rejected):
        fields.integer({"n": value(text)}, "n")


def test_limits_of_ids_and_sizes() -> None:
    assert fields.identifier({"n": 1}, "n") == 1
    assert fields.magnitude({"n": 0}, "n") == 0
    assert fields.integer({"n": 2**63 - 1}, "n") == 2**63 - 1
    with pytest.raises(Rejected, match="no id: 0"):
        fields.identifier({"n": 0}, "n")
    with pytest.raises(Rejected, match="negative: -1"):
        fields.magnitude({"n": -1}, "n")


def test_both_spellings_of_a_field_but_not_at_once() -> None:
    assert fields.integer({"accountId": 5}, "accountId") == 5
    assert fields.integer({"AccountId": 5}, "accountId") == 5
    assert fields.integer({}, "accountId") is None
    with pytest.raises(Rejected, match="given twice"):
        fields.integer({"accountId": 5, "AccountId": 5}, "accountId")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-08-19T22:00:00Z", NOON),
        ("2025-08-19T22:00:00+00:00", NOON),
        ("2025-08-19T17:00:00-05:00", NOON),
        ("2025-08-20T03:30:00+05:30", NOON),
        ("2025-08-19T22:00:00.1Z", NOON + 100_000_000),
        ("2025-08-19T22:00:00.15673+00:00", NOON + 156_730_000),
        ("2025-08-19T22:00:00.4061289+00:00", NOON + 406_128_900),
        ("2025-08-19T22:00:00.123456789Z", NOON + 123_456_789),
        ("2025-08-19T22:00:00.1234567899Z", NOON + 123_456_789),
        ("2000-01-01T00:00:00Z", 946_684_800 * SECOND),
        ("2099-12-31T23:59:59Z", 4_102_444_799 * SECOND),
    ],
)
def test_an_instant_is_exact_to_the_nanosecond(text: str, expected: int) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025-08-19",
        "2025-08-19T22:00:00",
        "2025-08-19T22:00:60Z",
        "2025-02-29T22:00:00Z",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "2000-01-01T00:00:00+00:01",
        "0001-01-01T00:00:00+23:59",
        "2025-08-19T22:00:00+99:00",
        "2025-08-19T22:00:00.Z",
        "٢٠٢٥-08-19T22:00:00Z",
        "1755640800",
    ],
)
def test_absurd_instants_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        instant(text)


def test_an_absurd_instant_is_named_without_its_fraction() -> None:
    with pytest.raises(ValueError, match=r"^absurd time: 0001-01-01T00:00:00\+00:00$"):
        instant("0001-01-01T00:00:00.1230+00:00")


def test_decode_names_a_repeated_key_at_any_depth() -> None:
    assert decode(b'{"a":{"b":1},"c":2}').repeated is None
    assert decode(b'{"a":{"b":1,"c":3,"b":2}}').repeated == "b"


@pytest.mark.parametrize("raw", [b' {"a":1}', b'{"a":1}\r\n', b'\t{ "a" : 1 } '])
def test_blanks_around_it_are_no_part_of_json(raw: bytes) -> None:
    assert decode(raw).value == {"a": 1}


def test_an_error_says_where() -> None:
    with pytest.raises(ValueError, match="Extra data at character 9"):
        decode(b'{"a":1} x')


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a":1}{', b"nul"])
def test_what_is_no_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decode(raw)


def test_deep_nesting_is_a_named_error() -> None:
    with pytest.raises(TooDeep):
        decode(b"[" * 200_000 + b"]" * 200_000)


def test_encode_gives_numbers_as_they_were_written() -> None:
    text = '{"a":[49909.000000000,1e3,-0,null,true,"x\\u00e9"],"b":NaN}'
    assert encode(value(text)) == text.replace("-0", "0")


def test_an_integer_longer_than_python_may_read_stays_text() -> None:
    assert value("1" * 5000) == Number("1" * 5000)


def test_rejected_text_is_cut_and_holds_no_secret() -> None:
    assert len(raw_text("x" * 10_000)) == 4096
    for secret in ("/api/Auth/loginKey", '{"token":"s"}', '{"apiKey":"s"}', "?access_token=s", '{"userName":"s"}'):
        assert raw_text(f"before {secret} after") == fields.WITHHELD
    assert raw_text('"\ud800"') == '"?"'


def test_half_a_character_is_rejected() -> None:
    with pytest.raises(Rejected, match="half a character"):
        fields.text({"name": "\ud800"}, "name")
