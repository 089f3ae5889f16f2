"""Numbers, instants and names as exports write them (INTERFACE.md 8)."""

import pytest

from replay.export_values import contract_id, decimal_mark, export_instant, number_text
from riskcore.core.quantities import money


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("1,234.50", "1234.50"),
        ("$1,234,567", "1234567"),
        ("-$25.00", "-25.00"),
        ("($25.00)", "-25.00"),
        ("€ 3", "3"),
        ("\N{MINUS SIGN}4.5", "-4.5"),
        (" 12 USD", "12"),
        (".5", "0.5"),
        ("+7", "+7"),
    ],
)
def test_numbers_as_exports_write_them(text: str, plain: str) -> None:
    assert number_text(text) == plain


@pytest.mark.parametrize("text", ["1,5", "12,34.5", "", "$", "--1", "(-1)", "NaN", "inf", "1.2.3", "1,2345"])
def test_numbers_that_could_mean_two_things_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a (decimal )?number"):
        money(number_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "07/21/2025 09:00:00 -05:00",
        "7/21/2025 9:00:00 AM -05:00",
        "07/21/2025 02:00:00 PM +00:00",
        "07/21/2025 14:00:00Z",
        "07/21/2025 09:00:00 -0500",
        "07/21/2025 09:00 -05:00",
        "21.07.2025 16:00:00 +02:00",
        "2025-07-21T14:00:00+00:00",
        "2025-07-21 16:00:00 +02:00",
        "2025-07-21T19:45:00+0545",
    ],
)
def test_times_with_any_offset(text: str) -> None:
    assert export_instant(text) == 1_753_106_400 * 10**9


@pytest.mark.parametrize("text", ["07/21/2025 09:00:00", "13/21/2025 09:00:00Z", "7/21/2025 13:00:00 PM Z", "", "x"])
def test_times_without_an_offset_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        export_instant(text)


@pytest.mark.parametrize(
    ("name", "year", "expected"),
    [
        ("MNQU5", 2025, "CON.F.US.MNQ.U25"),
        ("NQU5", 2025, "CON.F.US.ENQ.U25"),
        ("MNQU25", 2025, "CON.F.US.MNQ.U25"),
        ("NQH0", 2029, "CON.F.US.ENQ.H30"),
        ("M2KZ5", 2025, "CON.F.US.M2K.Z25"),
        ("6EZ5", 2025, "CON.F.US.EU6.Z25"),
        ("gcq5", 2025, "CON.F.US.GCE.Q25"),
        ("METK6", 2026, "CON.F.US.GMET.K26"),
        ("XYZH6", 2025, "CON.F.US.XYZ.H26"),
        ("CON.F.US.EP.U25", 2025, "CON.F.US.EP.U25"),
        ("F.US.EP", 2025, "F.US.EP"),
    ],
)
def test_contract_names(name: str, year: int, expected: str) -> None:
    assert contract_id(name, year) == expected


@pytest.mark.parametrize(
    ("texts", "mark"),
    [
        ([], "."),
        (["1,234", "1.234"], "."),
        (["1,234.50"], "."),
        (["1.234,50"], ","),
        (["30180,5", "1.234"], ","),
        (["1,5"], ","),
        (["(178,50)"], ","),
        (["0.5", "1,234"], "."),
        (["1,234,567"], "."),
    ],
)
def test_the_decimal_mark_a_file_shows(texts: list[str], mark: str) -> None:
    assert decimal_mark(texts) == mark


def test_a_file_that_shows_both_marks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a point \('0.5'\) and with a comma \('1,5'\)"):
        decimal_mark(["0.5", "1,5"])


@pytest.mark.parametrize(
    ("text", "plain"), [("30.180,50", "30180.50"), ("1,5", "1.5"), ("1.234.567", "1234567"), ("(25,00)", "-25.00")]
)
def test_numbers_with_decimal_commas(text: str, plain: str) -> None:
    assert number_text(text, ",") == plain


@pytest.mark.parametrize("text", ["0.5", "1,5,0", "1.23,5"])
def test_a_point_groups_thousands_there_or_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        money(number_text(text, ","))
