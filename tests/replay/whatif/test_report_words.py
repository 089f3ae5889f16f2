"""Amounts, days, instants and contracts as the report writes them."""

import pytest

from replay.whatif.report_words import (
    Amounts,
    action_words,
    contract_words,
    counted,
    day_words,
    percent,
    setting_of,
    span_words,
    time_words,
    value_words,
)
from riskcore.core.quantities import money

DOLLARS, SHARES = Amounts(), Amounts(shared=True)


@pytest.mark.parametrize(
    ("amount", "signed", "short", "axis"),
    [
        ("0", "0.00", "0", "0"),
        ("0.004999", "0.00", "0", "0"),
        ("-0.004999", "0.00", "0", "0"),
        ("0.005", "+0.01", "+0.01", "+0.01"),
        ("-0.005", "−0.01", "−0.01", "−0.01"),
        ("2140", "+2,140.00", "+2,140", "+2,140"),
        ("-1310.5", "−1,310.50", "−1,310.50", "−1,310.5"),
        ("100", "+100.00", "+100", "+100"),
        ("9999", "+9,999.00", "+9,999", "+9,999"),
        ("10000", "+10,000.00", "+10,000", "+10k"),
        ("250000", "+250,000.00", "+250,000", "+250k"),
        ("-1500000", "−1,500,000.00", "−1,500,000", "−1.5M"),
        ("2000000000000", "+2,000,000,000,000.00", "+2,000,000,000,000", "+2,000B"),
    ],
)
def test_dollars(amount: str, signed: str, short: str, axis: str) -> None:
    value = money(amount)
    assert (DOLLARS.signed(value), DOLLARS.short(value), DOLLARS.axis(value)) == (signed, short, axis)
    assert DOLLARS.plain(value) == signed.removeprefix("+")


@pytest.mark.parametrize(
    ("ratio", "signed", "short"),
    [
        ("0", "0.0%", "0%"),
        ("0.000499", "0.0%", "0%"),
        ("0.0005", "+0.1%", "+0.1%"),
        ("-1.25", "−125.0%", "−125%"),
        ("12.3456", "+1,234.6%", "+1,234.6%"),
    ],
)
def test_shares_of_the_loss_limit(ratio: str, signed: str, short: str) -> None:
    value = money(ratio)
    assert (SHARES.signed(value), SHARES.short(value), SHARES.axis(value)) == (signed, short, short)


def test_counts_and_percents() -> None:
    assert [counted(number, "entry", "entries") for number in (0, 1, 1200)] == ["0 entries", "1 entry", "1,200 entries"]
    assert [percent(money(ratio)) for ratio in ("0.714", "0.715", "-0.005", "-0.004", "2.5")] == [
        *("71%", "72%", "−1%", "0%", "250%")
    ]


def test_days_and_instants_are_those_of_the_exchange() -> None:
    assert day_words("2025-09-02") == "Tue 2025-09-02"
    assert span_words("2025-09-02", "2025-11-28") == "2 Sep to 28 Nov 2025"
    assert span_words("2025-12-30", "2026-01-02") == "30 Dec 2025 to 2 Jan 2026"
    assert span_words("2025-09-02", "2025-09-02") == "2 Sep 2025"
    # Daylight saving, then standard time; an evening belongs to the next trading day.
    assert time_words("2025-09-02T15:00:00Z", "2025-09-02") == "10:00:00 CT"
    assert time_words("2025-12-02T15:00:00.123456789Z", "2025-12-02") == "09:00:00 CT"
    assert time_words("2025-09-01T23:30:00.5Z", "2025-09-02") == "1 Sep 18:30:00 CT"
    assert time_words(None) == ""


def test_contracts_are_named_by_their_exchange_root() -> None:
    assert contract_words("CON.F.US.MNQ.U25") == "MNQ U25"
    assert contract_words("CON.F.US.EP.Z25") == "ES Z25"
    assert contract_words("MNQ") == "MNQ"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (None, "nothing"),
        ({"kind": "CloseAllPositions", "rule": "RULE-003", "contract": None}, "closes all positions (RULE-003)"),
        ({"kind": "ClosePosition", "rule": "RULE-004", "contract": "CON.F.US.MNQ.U25"}, "closes MNQ U25 (RULE-004)"),
        ({"kind": "CancelOrders", "rule": "RULE-003", "contract": None}, "cancels orders (RULE-003)"),
        ({"kind": "CancelOrder", "contract": "CON.F.US.MNQ.U25"}, "cancels an order in MNQ U25"),
        (
            {"kind": "PlaceStop", "rule": "RULE-012", "contract": "CON.F.US.MNQ.U25"},
            "places a stop in MNQ U25 (RULE-012)",
        ),
        (
            {"kind": "ModifyStop", "rule": "RULE-012", "contract": "CON.F.US.MNQ.U25"},
            "moves the stop in MNQ U25 (RULE-012)",
        ),
        ({"kind": "SetLockout", "rule": "RULE-011", "contract": None, "scope": "MNQ"}, "locks MNQ (RULE-011)"),
        (
            {"kind": "KeepOut", "rule": "RULE-003", "contract": "CON.F.US.MNQ.U25", "size": 2},
            "keeps out an entry of 2 MNQ U25 (RULE-003)",
        ),
        ({"kind": "Prays", "rule": "RULE-099", "contract": None}, "Prays (RULE-099)"),
    ],
)
def test_actions(action: dict[str, object] | None, words: str) -> None:
    assert action_words(action) == words


def test_settings() -> None:
    assert setting_of("rules.daily_realized_loss.0.loss_limit") == (
        "RULE-003",
        "Stop for the day at a realised loss",
        "loss limit",
    )
    assert setting_of("rules.unheard_of.limit") is None
    assert setting_of("profile.mark") is None
    assert [value_words(value) for value in (None, True, False, 5, "400", ["0.7"])] == [
        *("off", "on", "off", "5", "400", '["0.7"]')
    ]
