"""riskcore import: histories in, recordings by trading day out, every P&L checked (INTERFACE.md 8)."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars
import pytest

from replay.imports.bars import contract_in
from replay.imports.quotes_file import on_grid
from replay.recording import read_wire
from riskcore.cli.main import run
from riskcore.core.quantities import price
from riskcore.errors import CannotWrite, ConfigError, InputError, RiskcoreError
from tests.replay.imports.inputs import MNQ, Imported, answer, fill, order

OPENED = fill(1, "07-21T14:00:00", 0, 2, 23400)
CLOSED = fill(2, "07-21T14:05:00", 1, 2, 23410.25, 20.5 * 2)


def trades(tmp_path: Path, *rows: dict[str, Any], name: str = "trades.json") -> Path:
    return answer(tmp_path / name, trades=list(rows))


# ---- fills ---------------------------------------------------------------------------------------------


def test_a_day_is_written_and_its_sums_are_told(tmp_path: Path) -> None:
    imported = Imported(tmp_path, trades(tmp_path, CLOSED, OPENED))
    (day,) = imported.days
    assert day["trade_date"] == "2025-07-21"
    assert day["recording"] == "2025-07-21.jsonl"
    assert day["lacks"] == ["orders", "quotes", "positions", "accounts"]
    assert day["accounts"] == [
        {
            "id": 500,
            "fills": 2,
            "voided": 0,
            "round_trips": 1,
            "closing_fills": 1,
            "checked": 1,
            "recomputed_pnl": "41.00",
            "gross_pnl": "41.00",
            "fees": "1.48",
            "fees_unknown": 0,
            "commissions": "0",
            "commissions_unknown": 2,
            "net_pnl": "39.52",
            "differences": [],
            "not_recomputed": [],
            "paired_otherwise": 0,
            "contradictions": [],
        }
    ]
    assert imported.result["differences"] == 0


def test_fills_are_hub_messages_at_their_time_without_nulls(tmp_path: Path) -> None:
    imported = Imported(tmp_path, trades(tmp_path, CLOSED, OPENED))
    header, first, second, end = imported.lines("2025-07-21")
    assert header["riskcore"] == "wire/1"
    assert header["lacks"] == ["orders", "quotes", "positions", "accounts"]
    assert header["note"] == "imported from trades.json"
    assert first["at"] == "2025-07-21T14:00:00.000000000Z"
    assert (first["hub"], first["target"]) == ("user", "GatewayUserTrade")
    assert "profitAndLoss" not in first["arguments"][0]["data"]
    assert second["arguments"][0]["data"]["profitAndLoss"] == 41.0
    assert end["end"]["lines"] == 3


def test_prices_and_amounts_are_written_as_they_came(tmp_path: Path) -> None:
    path = tmp_path / "trades.json"
    rows = json.dumps([OPENED, CLOSED]).replace("23410.25", "23410.250000000").replace("0.74", "0.740")
    path.write_text(f'{{"trades":{rows},"success":true}}', encoding="utf-8")
    imported = Imported(tmp_path, path)
    text = (imported.out / "2025-07-21.jsonl").read_text(encoding="utf-8")
    assert '"price":23410.250000000' in text
    assert text.count('"fees":0.740') == 2


def test_fills_of_one_instant_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    rows = [fill(number, "07-21T14:00:00", 0, 1, 23400 + number) for number in (3, 1, 2)]
    imported = Imported(tmp_path, trades(tmp_path, *rows))
    assert [row["id"] for row in imported.fills("2025-07-21")] == [1, 2, 3]


def test_the_same_fill_in_two_files_counts_once_and_what_is_known_wins(tmp_path: Path) -> None:
    first = trades(tmp_path, OPENED, CLOSED, name="a.json")
    second = trades(tmp_path, {**CLOSED, "fees": None, "commissions": 0.5}, name="b.json")
    for files in ((first, second), (second, first)):
        (account,) = Imported(tmp_path, *files).days[0]["accounts"]
        assert (account["fills"], account["fees"], account["commissions"]) == (2, "1.48", "0.50")
        assert account["commissions_unknown"] == 1


def test_two_accounts_share_the_day_and_keep_their_sums(tmp_path: Path) -> None:
    other = [{**row, "accountId": 501, "id": row["id"] + 10} for row in (OPENED, CLOSED)]
    imported = Imported(tmp_path, trades(tmp_path, OPENED, CLOSED, *other))
    assert [(row["id"], row["gross_pnl"]) for row in imported.days[0]["accounts"]] == [(500, "41.00"), (501, "41.00")]
    only = Imported(tmp_path, trades(tmp_path, OPENED, CLOSED, *other), accounts=(501,))
    assert [row["accountId"] for row in only.fills("2025-07-21")] == [501, 501]


def test_a_voided_fill_is_kept_as_said_and_counts_nothing(tmp_path: Path) -> None:
    voided = fill(3, "07-21T14:02:00", 0, 5, 23000, voided=True)
    imported = Imported(tmp_path, trades(tmp_path, OPENED, voided, CLOSED))
    (account,) = imported.days[0]["accounts"]
    assert (account["fills"], account["voided"], account["differences"]) == (2, 1, [])
    assert [row["voided"] for row in imported.fills("2025-07-21")] == [False, True, False]


def test_a_void_known_to_one_file_only_counts_in_either_order(tmp_path: Path) -> None:
    first = trades(tmp_path, OPENED, CLOSED, name="a.json")
    second = trades(tmp_path, {**OPENED, "voided": True}, {**CLOSED, "voided": True}, name="b.json")
    for files in ((first, second), (second, first)):
        (account,) = Imported(tmp_path, *files).days[0]["accounts"]
        assert (account["fills"], account["voided"], account["gross_pnl"]) == (0, 2, "0")


@pytest.mark.parametrize(
    ("recorded", "differs"), [(41, False), (41.005, False), (41.006, True), (40.995, False), (40.99, True)]
)
def test_a_recorded_profit_half_a_cent_or_more_away_is_a_difference(
    tmp_path: Path, recorded: float, differs: bool
) -> None:
    imported = Imported(tmp_path, trades(tmp_path, OPENED, {**CLOSED, "profitAndLoss": recorded}))
    assert imported.result["differences"] == int(differs)
    if differs:
        (row,) = imported.days[0]["accounts"][0]["differences"]
        assert (row["trade"], row["recorded"], row["recomputed"]) == (2, f"{recorded:.3f}".rstrip("0"), "41.00")


def test_profits_are_first_in_first_out_over_partial_exits_and_flips(tmp_path: Path) -> None:
    rows = [
        fill(1, "07-21T14:00:00", 0, 1, 23400),
        fill(2, "07-21T14:01:00", 0, 1, 23410),
        fill(3, "07-21T14:02:00", 1, 1, 23405, 10.0),
        fill(4, "07-21T14:03:00", 1, 1, 23420, 20.0),
        fill(5, "07-21T14:03:00", 1, 2, 23420),
        fill(6, "07-21T14:04:00", 0, 2, 23425, -20.0),
    ]
    (account,) = Imported(tmp_path, trades(tmp_path, *rows)).days[0]["accounts"]
    assert (account["recomputed_pnl"], account["gross_pnl"], account["round_trips"]) == ("10.00", "10.00", 2)
    assert account["differences"] == []


def test_what_was_opened_before_the_files_begin_is_listed_and_no_difference(tmp_path: Path) -> None:
    imported = Imported(tmp_path, trades(tmp_path, CLOSED))
    (account,) = imported.days[0]["accounts"]
    assert imported.result["differences"] == 0
    assert account["not_recomputed"][0]["trade"] == 2
    assert "before these files begin" in account["not_recomputed"][0]["reason"]


def test_an_unknown_product_needs_its_contract_record(tmp_path: Path) -> None:
    rows = [{**row, "contractId": "CON.F.US.XYZ.U25"} for row in (OPENED, CLOSED)]
    record = {"id": "CON.F.US.XYZ.U25", "name": "XYZU5", "tickSize": 0.25, "tickValue": 0.5, "activeContract": True}
    without = Imported(tmp_path, trades(tmp_path, *rows))
    assert "--contracts" in without.days[0]["accounts"][0]["not_recomputed"][0]["reason"]
    contracts = answer(tmp_path / "contracts.json", contracts=[record])
    imported = Imported(tmp_path, trades(tmp_path, *rows), contracts=[contracts])
    assert imported.days[0]["accounts"][0]["recomputed_pnl"] == "41.00"
    at, path, payload = imported.messages("2025-07-21")[0]
    assert (at, path, payload["contract"]) == ("14:00:00", "/api/Contract/searchById", record)


# ---- trading days --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "trade_date"),
    [
        ("2025-03-07T22:59:59", "2025-03-07"),  # Winter: the day ends at 23:00Z.
        ("2025-03-07T23:00:00", "2025-03-10"),
        ("2025-03-10T21:59:59.999999", "2025-03-10"),  # Summer from Sunday on: at 22:00Z.
        ("2025-03-10T22:00:00", "2025-03-11"),
        ("2025-10-31T21:59:59", "2025-10-31"),
        ("2025-10-31T22:00:00", "2025-11-03"),
        ("2025-11-03T22:59:59", "2025-11-03"),
        ("2025-11-03T23:00:00", "2025-11-04"),
    ],
)
def test_days_end_at_the_reset_on_both_sides_of_the_clock_changes(tmp_path: Path, at: str, trade_date: str) -> None:
    row = {**OPENED, "creationTimestamp": f"{at}+00:00"}
    assert [day["trade_date"] for day in Imported(tmp_path, trades(tmp_path, row)).days] == [trade_date]


def test_reset_and_time_zone_are_those_of_the_settings(tmp_path: Path) -> None:
    settings = '[profile]\ntimezone = "UTC"\nreset_time = "14:03"\n'
    imported = Imported(tmp_path, trades(tmp_path, OPENED, CLOSED), settings=settings)
    assert [day["trade_date"] for day in imported.days] == ["2025-07-21", "2025-07-22"]
    assert imported.days[1]["accounts"][0]["recomputed_pnl"] == "41.00"


def test_a_recording_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    quotes = quotes_file(
        tmp_path, ts_event=instants("14:00:01", "14:00:02"), bid_px=[1.0, 2.0], ask_px=[2.0, float("inf")]
    )
    with pytest.raises(InputError, match=r"quotes of CON.F.US.MNQ.U25 at 2025-07-21T14:00:02"):
        Imported(tmp_path, trades(tmp_path, OPENED), quotes=[quotes])
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "out" / "2025-07-21.jsonl.part").mkdir()
    with pytest.raises(CannotWrite, match=r"2025-07-21.jsonl.part: cannot be written"):
        Imported(tmp_path, trades(tmp_path, OPENED))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be used as a folder"):
        Imported(tmp_path / "file", trades(tmp_path, OPENED))


def test_importing_again_replaces_only_imports(tmp_path: Path) -> None:
    Imported(tmp_path, trades(tmp_path, OPENED))
    again = Imported(tmp_path, trades(tmp_path, OPENED, CLOSED))
    assert len(again.fills("2025-07-21")) == 2
    (again.out / "2025-07-21.jsonl").write_text('{"riskcore":"wire/1","note":"live"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"2025-07-21.jsonl: exists and is neither an import nor a download"):
        Imported(tmp_path, trades(tmp_path, OPENED))


# ---- orders --------------------------------------------------------------------------------------------


def statuses(imported: Imported, trade_date: str = "2025-07-21") -> list[tuple[str, str, int]]:
    """(time, order id or fill, status) of the account's messages in order."""
    found = []
    for at, target, row in imported.messages(trade_date):
        if target == "GatewayUserTrade":
            found.append((at, f"fill {row['id']}", 0))
        elif target == "GatewayUserOrder":
            found.append((at, str(row["id"]), row["status"]))
    return found


def test_a_bracket_lives_as_the_hub_would_have_shown_it(tmp_path: Path) -> None:
    entered = fill(1, "07-21T14:00:01", 0, 1, 23400, orderId=10)
    stopped = fill(2, "07-21T14:05:00", 1, 1, 23390, -20.0, orderId=11)
    rows = [
        order(10, "07-21T14:00:00", "07-21T14:00:00", 2, 2, 0, 1),
        order(11, "07-21T14:00:00", "07-21T14:00:01.020", 2, 4, 1, 1, parentOrderId=10, stopPrice=23390.25),
        order(12, "07-21T14:00:00", "07-21T14:05:00.012", 3, 1, 1, 1, parentOrderId=10, limitPrice=23420),
    ]
    orders = answer(tmp_path / "orders.json", orders=rows)
    imported = Imported(tmp_path, orders, trades(tmp_path, entered, stopped))
    assert imported.days[0]["lacks"] == ["quotes", "positions", "accounts"]
    assert statuses(imported) == [
        ("14:00:00", "10", 6),
        ("14:00:00", "11", 8),
        ("14:00:00", "12", 8),
        ("14:00:01", "fill 1", 0),
        ("14:00:01", "10", 2),
        ("14:00:01", "11", 1),
        ("14:00:01", "12", 1),
        ("14:05:00", "11", 2),
        ("14:05:00", "fill 2", 0),
        ("14:05:00", "12", 3),
    ]
    stops = [row for _, _, row in imported.messages("2025-07-21") if row["id"] == 11]
    assert [row.get("stopPrice") for row in stops] == [None, 23390.25, 23390.25]
    assert [row["updateTimestamp"][11:] for row in stops] == ["14:00:00Z", "14:00:01Z", "14:05:00Z"]
    assert [row["fillVolume"] for row in stops] == [0, 0, 1]


def test_partial_fills_leave_an_order_open_until_the_last(tmp_path: Path) -> None:
    rows = [fill(number, f"07-21T14:0{number}:00", 0, 1, 23400, orderId=10) for number in (1, 2, 3)]
    orders = answer(tmp_path / "o.json", orders=[order(10, "07-21T14:00:00", "07-21T14:00:00", 2, 1, 0, 3)])
    imported = Imported(tmp_path, trades(tmp_path, *rows), orders)
    versions = [row for _, target, row in imported.messages("2025-07-21") if target == "GatewayUserOrder"]
    assert [(row["status"], row["fillVolume"]) for row in versions] == [(1, 0), (1, 1), (1, 2), (2, 3)]


def test_a_partly_filled_order_is_cancelled_when_it_was_updated(tmp_path: Path) -> None:
    rows = [order(10, "07-21T14:00:00", "07-21T14:09:00", 3, 1, 0, 3, fillVolume=1)]
    imported = Imported(tmp_path, answer(tmp_path / "o.json", orders=rows), trades(tmp_path, {**OPENED, "orderId": 10}))
    assert statuses(imported) == [
        ("14:00:00", "10", 1),
        ("14:00:00", "fill 1", 0),
        ("14:00:00", "10", 1),
        ("14:09:00", "10", 3),
    ]


def test_a_bracket_of_an_entry_without_known_fills_waits_for_its_end(tmp_path: Path) -> None:
    rows = [
        order(10, "07-21T14:00:00", "07-21T14:01:00", 2, 1, 0, 1),
        order(11, "07-21T14:00:00", "07-21T14:09:00", 3, 4, 1, 1, parentOrderId=10, stopPrice=23000),
    ]
    imported = Imported(tmp_path, answer(tmp_path / "o.json", orders=rows))
    assert statuses(imported) == [
        ("14:00:00", "10", 1),
        ("14:00:00", "11", 8),
        ("14:01:00", "10", 2),
        ("14:01:00", "11", 1),
        ("14:09:00", "11", 3),
    ]


def test_orders_without_fills_end_at_their_update(tmp_path: Path) -> None:
    rows = [
        order(10, "07-21T14:00:00", "07-21T14:09:00", 3, 1, 0, 1, limitPrice=23000),
        order(11, "07-21T14:01:00", "07-21T14:01:00.002", 5, 2, 0, 1),
        order(12, "07-21T14:02:00", "07-21T14:02:00", 1, 4, 1, 1, stopPrice=22000),
        order(13, "07-21T14:03:00", "07-21T14:04:00", 3, 4, 1, 1, parentOrderId=10),
    ]
    imported = Imported(tmp_path, answer(tmp_path / "orders.json", orders=rows))
    assert imported.days[0]["accounts"] == []
    assert statuses(imported) == [
        ("14:00:00", "10", 1),
        ("14:01:00", "11", 6),
        ("14:01:00", "11", 5),
        ("14:02:00", "12", 1),
        ("14:03:00", "13", 8),
        ("14:04:00", "13", 3),
        ("14:09:00", "10", 3),
    ]


def test_an_order_over_the_reset_is_in_both_days(tmp_path: Path) -> None:
    rows = [order(10, "07-21T21:59:00", "07-21T22:30:00", 3, 1, 0, 1)]
    imported = Imported(tmp_path, answer(tmp_path / "orders.json", orders=rows))
    assert statuses(imported, "2025-07-21") == [("21:59:00", "10", 1)]
    assert statuses(imported, "2025-07-22") == [("22:30:00", "10", 3)]


def test_the_newer_of_two_versions_of_an_order_counts(tmp_path: Path) -> None:
    old = answer(tmp_path / "a.json", orders=[order(10, "07-21T14:00:00", "07-21T14:01:00", 1, 1, 0, 1, limitPrice=1)])
    new = answer(tmp_path / "b.json", orders=[order(10, "07-21T14:00:00", "07-21T14:02:00", 3, 1, 0, 1)])
    for files in ((old, new), (new, old)):
        imported = Imported(tmp_path, *files)
        assert statuses(imported) == [("14:00:00", "10", 1), ("14:02:00", "10", 3)]
        assert imported.messages("2025-07-21")[1][2]["limitPrice"] == 1


def test_orders_of_one_account_say_nothing_about_another(tmp_path: Path) -> None:
    orders = answer(tmp_path / "orders.json", orders=[order(10, "07-21T14:00:00", "07-21T14:00:00", 2, 2, 0, 1)])
    imported = Imported(tmp_path, trades(tmp_path, OPENED, {**OPENED, "accountId": 501}), orders)
    assert imported.days[0]["lacks"] == ["orders", "quotes", "positions", "accounts"]


# ---- market data ---------------------------------------------------------------------------------------


def bar(at: str, close: float) -> dict[str, Any]:
    return {"t": f"2025-07-{at}:00+00:00", "o": close, "h": close + 1, "l": close - 1, "c": close, "v": 9}


def bars_file(tmp_path: Path, *rows: dict[str, Any], name: str = f"{MNQ}.json.gz") -> Path:
    path = tmp_path / "bars" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"bars": list(reversed(rows)), "success": True, "errorCode": 0, "errorMessage": None})
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def bar_times(imported: Imported, trade_date: str) -> list[tuple[str, str]]:
    """(known at, opened at) of the bars of a day."""
    return [
        (at, payload["bars"][0]["t"][11:16])
        for at, target, payload in imported.messages(trade_date)
        if target.endswith("retrieveBars")
    ]


def test_bars_are_known_at_their_end_from_shortly_before_the_first_fill(tmp_path: Path) -> None:
    minutes = ("13:50", "13:54", "13:55", "14:00", "14:01", "20:59", "22:00")
    bars_file(tmp_path, *(bar(f"21T{minute}", 23400) for minute in minutes))
    imported = Imported(tmp_path, trades(tmp_path, OPENED, CLOSED), bars=[tmp_path / "bars"])
    assert imported.days[0]["lacks"] == ["orders", "positions", "accounts"]
    assert bar_times(imported, "2025-07-21") == [
        ("13:55:00", "13:54"),
        ("13:56:00", "13:55"),
        ("14:01:00", "14:00"),
        ("14:02:00", "14:01"),
        ("21:00:00", "20:59"),
    ]
    (request,) = {json.dumps(line["request"]["unitNumber"]) for line in imported.lines("2025-07-21") if "rest" in line}
    assert request == "1"
    facts = [item for items in read_wire(imported.out / "2025-07-21.jsonl") for item in items]
    assert len(facts) == 7


def test_what_is_held_has_bars_on_days_without_a_fill(tmp_path: Path) -> None:
    bars_file(tmp_path, bar("21T14:01", 23400), bar("22T14:01", 23400), bar("22T14:02", 23400), bar("23T14:01", 23400))
    later = {**CLOSED, "creationTimestamp": "2025-07-24T14:00:00+00:00"}
    imported = Imported(tmp_path, trades(tmp_path, OPENED, later), bars=[tmp_path / "bars"])
    assert [day["trade_date"] for day in imported.days] == ["2025-07-21", "2025-07-22", "2025-07-23", "2025-07-24"]
    assert [day["lacks"] for day in imported.days][2:] == [
        ["orders", "positions", "accounts"],
        ["orders", "quotes", "positions", "accounts"],
    ]
    assert imported.warnings == [
        "2025-07-24: no bars or quotes of CON.F.US.MNQ.U25, so the open P&L there stays unknown"
    ]


def test_the_shortest_bars_of_a_day_count(tmp_path: Path) -> None:
    bars_file(tmp_path, bar("21T14:00", 23400), bar("21T14:15", 23400), name=f"{MNQ}-15m.json")
    bars_file(tmp_path, bar("21T14:05", 23400), bar("21T14:06", 23400), name=f"{MNQ}-1m.json")
    imported = Imported(tmp_path, trades(tmp_path, OPENED), bars=[tmp_path / "bars"])
    assert bar_times(imported, "2025-07-21") == [("14:06:00", "14:05"), ("14:07:00", "14:06")]
    only = Imported(tmp_path, trades(tmp_path, OPENED), bars=[tmp_path / "bars" / f"{MNQ}-15m.json"])
    assert bar_times(only, "2025-07-21") == [("14:15:00", "14:00"), ("14:30:00", "14:15")]


def test_the_contract_of_market_data_is_in_the_name_or_the_only_one_traded(tmp_path: Path) -> None:
    assert contract_in(tmp_path / MNQ / "2025-07-21.json.gz") == MNQ
    assert contract_in(tmp_path / MNQ / "CON.F.US.EP.U25_bbo.parquet") == "CON.F.US.EP.U25"
    path = bars_file(tmp_path, bar("21T14:01", 23400), name="bars.json")
    assert len(bar_times(Imported(tmp_path, trades(tmp_path, OPENED), path), "2025-07-21")) == 1
    other = {**OPENED, "id": 9, "contractId": "CON.F.US.EP.U25"}
    quotes = quotes_file(tmp_path, "bbo.parquet", ts_event=instants("14:00:01"), bid_px=[1.0], ask_px=[2.0])
    for options in ({"bars": [path]}, {"quotes": [quotes]}):
        with pytest.raises(InputError, match="which contract is it"):
            Imported(tmp_path, trades(tmp_path, OPENED, other), **options)


def quotes_file(tmp_path: Path, name: str = f"{MNQ}_bbo.parquet", **columns: Any) -> Path:
    path = tmp_path / name
    polars.DataFrame(columns).write_parquet(path)
    return path


def instants(*times: str) -> polars.Series:
    return polars.Series([f"2025-07-21T{time}" for time in times]).str.to_datetime(time_unit="ns", time_zone="UTC")


def test_quotes_are_exact_sparse_and_never_crossed(tmp_path: Path) -> None:
    path = quotes_file(
        tmp_path,
        ts_event=instants("14:00:03", "13:50:00", "14:00:01.000000001", "14:00:02", "14:00:04", "22:00:00"),
        bid_px=[23400.0, 1.0, 23399.999999999996, None, 23402.0, 1.0],
        ask_px=[23400.13, 2.0, float("nan"), 23400.25, 23402.0, 2.0],
    )
    imported = Imported(tmp_path, trades(tmp_path, OPENED), quotes=[path])
    found = [line for line in imported.lines("2025-07-21") if line.get("hub") == "market"]
    assert [line["at"][11:] for line in found] == [
        "14:00:01.000000001Z",
        "14:00:02.000000000Z",
        "14:00:03.000000000Z",
    ]
    assert [line["arguments"][0] for line in found] == [MNQ] * 3
    sides = [(line["arguments"][1].get("bestBid"), line["arguments"][1].get("bestAsk")) for line in found]
    assert sides == [(23400, None), (None, 23400.25), (23400, 23400.13)]
    assert imported.warnings == ["1 quotes left out: their bid was not below their ask"]


def test_minute_quotes_are_known_when_the_minute_is_over(tmp_path: Path) -> None:
    path = quotes_file(tmp_path, t=instants("13:54:59", "14:00:00"), bid_c=[1.0, 23400.0], ask_c=[2.0, 23401.0])
    imported = Imported(tmp_path, trades(tmp_path, OPENED), quotes=[path])
    found = [at for at, target, _ in imported.messages("2025-07-21") if target == "GatewayQuote"]
    assert found == ["13:55:59", "14:01:00"]


@pytest.mark.parametrize(
    "times",
    [
        polars.Series([1_753_106_401 * 10**9]),
        polars.Series(["2025-07-21T09:00:01-05:00"]),
        polars.Series(["2025-07-21T14:00:01"]).str.to_datetime(time_unit="us"),
    ],
    ids=["integer", "text", "without a zone"],
)
def test_times_of_quotes_may_be_nanoseconds_text_or_utc(tmp_path: Path, times: polars.Series) -> None:
    path = quotes_file(tmp_path, ts_event=times, bid_px=[23400.0], ask_px=[23400.25])
    imported = Imported(tmp_path, trades(tmp_path, OPENED), quotes=[path])
    assert [at for at, target, _ in imported.messages("2025-07-21") if target == "GatewayQuote"] == ["14:00:01"]


def test_quotes_of_several_files_are_one_stream(tmp_path: Path) -> None:
    first = quotes_file(
        tmp_path, f"{MNQ}_a.parquet", ts_event=instants("14:00:01", "14:00:03"), bid_px=[1.0, 3.0], ask_px=[None, None]
    )
    second = quotes_file(
        tmp_path, f"{MNQ}_b.parquet", ts_event=instants("14:00:02", "14:00:04"), bid_px=[2.0, None], ask_px=[None, None]
    )
    imported = Imported(tmp_path, trades(tmp_path, OPENED), quotes=[second, first])
    bids = [row["bestBid"] for _, target, row in imported.messages("2025-07-21") if target == "GatewayQuote"]
    assert bids == [1, 2, 3]


@pytest.mark.parametrize(
    ("value", "tick", "expected"),
    [
        ("0.30000000000000004", "0.1", "0.3"),
        ("1308.199951171875", "0.1", "1308.2"),
        ("-37.630000000000003", "0.01", "-37.63"),
        ("1308.25", "0.1", "1308.25"),
        ("0.0067125", "0.0000005", "0.0067125"),
        ("23400.00025", "0.25", "23400"),
        ("23400.000250001", "0.25", "23400.000250001"),
        ("7.0000001", None, "7.0000001"),
    ],
)
def test_float_noise_goes_and_prices_off_the_grid_stay(value: str, tick: str | None, expected: str) -> None:
    assert on_grid(price(value), None if tick is None else price(tick)) == price(expected)


# ---- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": None}, "price is missing"),
        ({"price": "23400"}, "price is not a number"),
        ({"price": float("nan")}, "price"),
        ({"size": -1}, "size is negative"),
        ({"size": 1.5}, "size is not a whole number"),
        ({"side": 2}, "side 2 is unknown"),
        ({"creationTimestamp": None}, "creationTimestamp is missing"),
        ({"creationTimestamp": "2025-07-21T14:00:00"}, "creationTimestamp: not a time with an offset"),
        ({"contractId": ""}, "contractId is empty"),
        ({"id": 0}, "id is no id"),
        ({"Price": 1}, "a field is given twice"),
        ({"fees": "1"}, "fees is not a number"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=r"trades\.json, trades row 2: " + reason):
        Imported(tmp_path, trades(tmp_path, OPENED, {**CLOSED, **change}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["contractId", "side", "size", "creationTimestamp", "status"])
def test_a_bad_order_is_named(tmp_path: Path, name: str) -> None:
    row = {**order(10, "07-21T14:00:00", "07-21T14:00:00", 2, 2, 0, 1), name: None}
    with pytest.raises(InputError, match=rf"orders\.json, orders row 1: {name} is missing"):
        Imported(tmp_path, answer(tmp_path / "orders.json", orders=[row]))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the file is empty"),
        ("{", "not JSON"),
        ("[]", "no object"),
        ("{}", "found none"),
        ('{"trades":[],"orders":[]}', "found trades, orders"),
        ('{"trades":null}', "trades is null"),
        ('{"trades":[3]}', "trades row 1: not an object"),
        ('{"trades":[],"trades":[]}', "comes twice"),
        ('{"trades":[],"success":false,"errorCode":1}', "the call failed"),
        ("a,b\n1,2\n", "neither an answer"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_of_no_known_kind_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason) as raised:
        Imported(tmp_path, path)
    assert "file.txt" in str(raised.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json.gz"
    broken.write_bytes(gzip.compress(b'{"trades":[]}')[:-4])
    latin = tmp_path / "latin.csv"
    latin.write_bytes("Währung".encode("latin-1"))
    parquet = tmp_path / f"{MNQ}.parquet"
    parquet.write_bytes(b"PAR1 no")
    columns = quotes_file(tmp_path, a=[1])
    dates = quotes_file(tmp_path, "dates.parquet", ts_event=[True], bid_px=[1.0], ask_px=[2.0])
    empty = tmp_path / "empty"
    empty.mkdir()
    bad_bar = bars_file(tmp_path, {**bar("21T14:01", 23400), "h": 1})
    fills = trades(tmp_path, OPENED)
    absent = tmp_path / f"absent-{MNQ}.parquet"
    cases: list[tuple[Path, Any]] = [(path, [path]) for path in (tmp_path / "absent.json", broken, latin)]
    cases += [(path, {"quotes": [path]}) for path in (parquet, columns, dates, absent)]
    cases += [(path, {"bars": [path]}) for path in (empty, bad_bar)]
    for path, given in cases:
        files, options = ([fills], given) if isinstance(given, dict) else (given, {})
        with pytest.raises(RiskcoreError, match=path.name) as raised:
            Imported(tmp_path, *files, **options)
        assert raised.value.exit_code == 3
        assert "\n" not in str(raised.value)


# ---- the command ---------------------------------------------------------------------------------------


def test_the_command_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = trades(tmp_path, OPENED, CLOSED)
    assert run(["import", path.name]) == 0
    assert "1 of 1 closing fills could be checked; the prices give the broker's P&L of it." in capsys.readouterr().out
    assert (tmp_path / "2025-07-21.jsonl").exists()
    assert run(["import", path.name, "--json", "--out", "days"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["schema"] == "riskcore.import/1"
    assert result["files"] == [{"file": "trades.json", "kind": "trades", "rows": 2}]
    assert (tmp_path / "days" / "2025-07-21.jsonl").exists()
    assert run(["import", trades(tmp_path, name="none.json").name]) == 0
    assert "nothing was written" in capsys.readouterr().out
    orders = answer(tmp_path / "o.json", orders=[order(10, "07-21T14:00:00", "07-21T14:00:00", 5, 2, 0, 1)])
    assert run(["import", orders.name, "--out", "orders"]) == 0
    assert "no fills" in capsys.readouterr().out


def test_days_without_anything_have_no_recording(tmp_path: Path) -> None:
    later = {**CLOSED, "creationTimestamp": "2025-07-30T14:00:00Z"}
    empty = bars_file(tmp_path, name=f"{MNQ}.json")
    imported = Imported(tmp_path, trades(tmp_path, OPENED, later), bars=[empty])
    assert [day["trade_date"] for day in imported.days] == ["2025-07-21", "2025-07-30"]
    assert imported.days[1]["accounts"][0]["recomputed_pnl"] == "41.00"


def test_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = trades(tmp_path, OPENED, {**CLOSED, "profitAndLoss": 40})
    assert run(["import", wrong.name]) == 1
    text = capsys.readouterr().out
    assert "fill 2 of CON.F.US.MNQ.U25: broker 40.00, prices 41.00" in text
    assert "1 of 1 closing fills could be checked; 1 differs" in text
    assert run(["import", "absent.json"]) == 3
    assert run(["import", wrong.name, "--account", "PRAC"]) == 2
    assert run(["import"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    orders = answer(tmp_path / "orders.json", orders=[order(1001, "07-21T14:00:00", "07-21T14:00:00", 2, 2, 0, 2)])
    files = [trades(tmp_path, OPENED, name="a.json"), trades(tmp_path, CLOSED, name="b.json"), orders]
    texts = set()
    for chosen in (files, files[::-1]):
        imported = Imported(tmp_path, *chosen)
        body = (imported.out / "2025-07-21.jsonl").read_text(encoding="utf-8").splitlines()[1:-1]
        texts.add("\n".join(body))
    assert len(texts) == 1
