"""The platform's CSV trade export as half-turns (INTERFACE.md 8)."""

from pathlib import Path

import pytest

from replay.imports.csv_export import OPENING_IDS_FROM, half
from replay.imports.orders import ORDER_IDS_FROM
from riskcore.core.quantities import money
from riskcore.errors import ConfigError, InputError
from tests.replay.imports.inputs import HEADER, MNQ, Imported, answer, export, fill, order

LONG = "11,MNQU5,07/21/2025 09:00:00 -05:00,07/21/2025 09:05:00 -05:00,23400,23410.25,0.74,20.5,1,Long,x,y,"


def test_a_row_becomes_its_two_half_turns(tmp_path: Path) -> None:
    imported = Imported(tmp_path, export(tmp_path / "export.csv", LONG))
    assert imported.result["files"] == [{"file": "export.csv", "kind": "export", "rows": 1}]
    assert imported.days[0]["lacks"] == ["orders", "quotes", "positions", "accounts"]
    opening, closing = imported.fills("2025-07-21")
    assert opening == {
        "id": OPENING_IDS_FROM + 11,
        "accountId": 1,
        "contractId": MNQ,
        "creationTimestamp": "2025-07-21T14:00:00Z",
        "price": 23400,
        "side": 0,
        "size": 1,
        "voided": False,
        "fees": 0.37,
        "orderId": ORDER_IDS_FROM + OPENING_IDS_FROM + 11,
    }
    assert (closing["id"], closing["side"], closing["profitAndLoss"], closing["fees"]) == (11, 1, 20.5, 0.37)
    (account,) = imported.days[0]["accounts"]
    assert (account["recomputed_pnl"], account["net_pnl"], account["commissions_unknown"]) == ("20.50", "19.76", 2)


def test_lots_entered_together_were_one_opening_fill(tmp_path: Path) -> None:
    rows = [
        "13,NQU25,2025-07-21T09:00:00-05:00,2025-07-21T09:05:00-05:00,23400,23399,5.60,40,2,Short,,,",
        "12,NQU25,2025-07-21T09:00:00-05:00,2025-07-21T09:04:00-05:00,23400,23401,2.80,-20,1,Short,,,",
        "14,NQU25,2025-07-21T09:00:00-05:00,2025-07-21T09:06:00-05:00,23400.25,23400.25,2.80,0,1,Short,,,",
    ]
    imported = Imported(tmp_path, export(tmp_path / "export.csv", *rows))
    found = [(row["id"] % OPENING_IDS_FROM, row["side"], row["size"]) for row in imported.fills("2025-07-21")]
    assert found == [(12, 1, 3), (14, 1, 1), (12, 0, 1), (13, 0, 2), (14, 0, 1)]
    (account,) = imported.days[0]["accounts"]
    assert (account["fills"], account["round_trips"], account["differences"]) == (5, 1, [])
    assert (account["gross_pnl"], account["fees"]) == ("20.00", "11.20")


@pytest.mark.parametrize(
    ("amount", "opening"), [("0.74", "0.37"), ("0.75", "0.37"), ("0.01", "0"), ("0.745", "0.3725"), ("0", "0")]
)
def test_costs_are_halved_exactly_and_the_odd_cent_goes_to_the_close(amount: str, opening: str) -> None:
    assert half(money(amount)) == money(opening)


def test_odd_cents_and_commissions_add_up_again(tmp_path: Path) -> None:
    rows = [LONG.replace("0.74,", "0.75,") + "1.01", LONG.replace("11,", "12,", 1).replace("0.74,", "1.03,") + "0.33"]
    imported = Imported(tmp_path, export(tmp_path / "export.csv", *rows))
    opening, *closing = imported.fills("2025-07-21")
    assert (opening["fees"], opening["commissions"]) == (0.88, 0.66)
    assert [(row["fees"], row["commissions"]) for row in closing] == [(0.38, 0.51), (0.52, 0.17)]
    (account,) = imported.days[0]["accounts"]
    assert (account["fees"], account["commissions"], account["commissions_unknown"]) == ("1.78", "1.34", 0)


def test_a_trip_within_one_second_opens_before_it_closes_and_older_lots_close_first(tmp_path: Path) -> None:
    rows = [
        "21,MNQU5,2025-07-21T14:00:00Z,2025-07-21T14:01:00Z,23400,23410,0,20,1,Long,,,",
        "22,MNQU5,2025-07-21T14:01:00Z,2025-07-21T14:01:00Z,23410,23411,0,-2,1,Short,,,",
    ]
    imported = Imported(tmp_path, export(tmp_path / "export.csv", *rows))
    found = [(row["id"] % OPENING_IDS_FROM, row["id"] >= OPENING_IDS_FROM) for row in imported.fills("2025-07-21")]
    assert found == [(21, True), (21, False), (22, True), (22, False)]
    assert imported.result["differences"] == 0


def test_overlapping_exports_count_each_row_once(tmp_path: Path) -> None:
    second = LONG.replace("11,", "12,", 1).replace("09:05", "09:06")
    first, both = export(tmp_path / "a.csv", LONG), export(tmp_path / "b.csv", second, LONG)
    for files in ((first, both), (both, first)):
        imported = Imported(tmp_path, *files)
        assert [row["size"] for row in imported.fills("2025-07-21")] == [2, 1, 1]


def test_whose_export_it_is(tmp_path: Path) -> None:
    path = export(tmp_path / "export.csv", LONG)
    rows = [order(10, "07-21T14:00:00", "07-21T14:00:00", 2, 2, 0, 1, accountId=account) for account in (500, 501)]
    one, two = answer(tmp_path / "one.json", orders=rows[:1]), answer(tmp_path / "two.json", orders=rows)
    assert Imported(tmp_path, path, one).fills("2025-07-21")[0]["accountId"] == 500
    assert Imported(tmp_path, path, two, accounts=(501,)).fills("2025-07-21")[0]["accountId"] == 501
    with pytest.raises(ConfigError, match="names no account"):
        Imported(tmp_path, path, two)
    with pytest.raises(ConfigError, match="count twice"):
        Imported(tmp_path, path, answer(tmp_path / "t.json", trades=[fill(1, "07-21T14:00:00", 0, 1, 23400)]))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("MNQU5", "MNQ", "ContractName: no contract name"),
        ("09:05:00", "08:05:00", "ExitedAt is before EnteredAt"),
        ("07/21/2025 09:00:00 -05:00", "yesterday", "EnteredAt: not a time"),
        ("23400,", "x,", "EntryPrice: not a number"),
        (",1,Long", ",0,Long", "Size is zero, but PnL is '20.5'"),
        (",1,Long", ",-1,Long", "Size: not a whole number above zero"),
        (",1,Long", ",1.5,Long", "Size: not a whole number above zero"),
        ("Long", "Flat", "Type is 'Flat'"),
        ("20.5,", "-,", "PnL: not a number"),
        ("11,", "x,", "Id: not a number"),
        ("11,", f"{OPENING_IDS_FROM},", "Id: number too large"),
        ("23400,", "23,400,", "more fields than the header"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = export(tmp_path / "export.csv", LONG.replace("11,", "10,", 1), ",,,", LONG.replace(old, new, 1))
    with pytest.raises(InputError, match=r"export\.csv, line 4: " + reason):
        Imported(tmp_path, path)


def test_a_row_of_size_zero_is_left_out_and_said(tmp_path: Path) -> None:
    nothing = LONG.replace("11,", "12,", 1).replace("0.74,20.5,1,", "0,0.00,0,")
    imported = Imported(tmp_path, export(tmp_path / "export.csv", LONG, nothing))
    assert [row["size"] for row in imported.fills("2025-07-21")] == [1, 1]
    said = imported.result["notes"]
    assert "export.csv line 3: its size is zero, so nothing was traded; left out" in said


def test_one_day_above_twelve_says_how_all_dates_of_a_file_are_read(tmp_path: Path) -> None:
    shows = LONG.replace("07/21/2025", "21/07/2025")
    other = LONG.replace("11,", "12,", 1).replace("07/21/2025", "08/07/2025")
    imported = Imported(tmp_path, export(tmp_path / "export.csv", other, shows))
    assert [day["trade_date"] for day in imported.days] == ["2025-07-08", "2025-07-21"]
    assert not any("month first" in text for text in imported.result["notes"])


def test_dates_that_show_both_orders_or_not_the_one_asked_for_are_refused(tmp_path: Path) -> None:
    rows = LONG, LONG.replace("11,", "12,", 1).replace("07/21/2025", "22/07/2025")
    with pytest.raises(InputError, match=r"both month first .* and day first"):
        Imported(tmp_path, export(tmp_path / "export.csv", *rows))
    with pytest.raises(InputError, match="can only be month-first"):
        Imported(tmp_path, export(tmp_path / "export.csv", LONG), dates="day-first")


def test_dates_that_show_no_order_are_said_and_can_be_told(tmp_path: Path) -> None:
    path = export(tmp_path / "export.csv", LONG.replace("07/21/2025", "07/08/2025"))
    assumed = Imported(tmp_path / "assumed", path)
    assert [day["trade_date"] for day in assumed.days] == ["2025-07-08"]
    assert any("taken as month first" in text for text in assumed.result["notes"])
    told = Imported(tmp_path / "told", path, dates="day-first")
    assert [day["trade_date"] for day in told.days] == ["2025-08-07"]
    assert not any("month first" in text for text in told.result["notes"])
    same = export(tmp_path / "same.csv", LONG.replace("07/21/2025", "07/07/2025"))
    assert not any("month first" in text for text in Imported(tmp_path / "same", same).result["notes"])


def test_a_quote_that_is_never_closed_swallows_no_rows(tmp_path: Path) -> None:
    path = export(tmp_path / "export.csv", LONG, LONG.replace("11,", "12,", 1).replace(",x,", ',"x,'), LONG)
    with pytest.raises(InputError, match=r"export\.csv, line 3: .*quote"):
        Imported(tmp_path, path)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = export(tmp_path / "export.csv", LONG, header=HEADER.replace("Fees,", "").replace("PnL,", ""))
    with pytest.raises(InputError, match="line 1: the trade export lacks the columns PnL"):
        Imported(tmp_path, path)


def test_quoted_numbers_a_byte_order_mark_and_absent_commissions(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    quoted = (
        '11,MNQU5,07/21/2025 09:00:00 -05:00,07/21/2025 09:05:00 -05:00,"23,400","$23,410.25",$0.74,$20.50,1,Long,,'
    )
    path.write_text(f"\ufeff{HEADER.removesuffix(',Commissions')}\r\n{quoted}\r\n", encoding="utf-8")
    (account,) = Imported(tmp_path, path).days[0]["accounts"]
    assert (account["recomputed_pnl"], account["gross_pnl"], account["fees"]) == ("20.50", "20.50", "0.74")
