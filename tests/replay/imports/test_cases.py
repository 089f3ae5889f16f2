"""Files as traders have them, through the command line: each case and its brothers (INTERFACE.md 8).

The numbers are those of the collection of cases; what is right is said there and repeated here as figures.
"""

import codecs
import gzip
import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from riskcore.cli.main import run
from tests.replay.imports.inputs import HEADER

DAY = "2026-07-08"
OLD_HEADER = HEADER.replace(",TradeDuration,Commissions", "")
SHORT = (
    "2900000011,MNQU6,07/08/2026 10:10:08 -04:00,07/08/2026 10:12:48 -04:00,30180.500000000,30150.750000000,2.16000,"
    "178.500000000,3,Short,07/08/2026 00:00:00 -05:00,00:02:39.6715820,1.50000"
)
LOSS_RULE = "[rules.daily_realized_loss]\nloss_limit = 500\n"
Row = dict[str, Any]


class Case:
    """One folder, and what the commands say in it."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self._capsys = path, capsys

    def csv(self, name: str, *rows: str, header: str = HEADER) -> str:
        (self.path / name).write_text("\n".join((header, *rows, "")), encoding="utf-8")
        return name

    def trades(self, name: str, *rows: Row) -> str:
        answer = {"trades": rows, "success": True, "errorCode": 0, "errorMessage": None}
        (self.path / name).write_text(json.dumps(answer), encoding="utf-8")
        return name

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and everything that was said."""
        code = run(list(arguments))
        said = self._capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out + said.err

    def imported(self, *arguments: str) -> Row:
        """What `import --json` says."""
        assert run(["import", *arguments, "--json"]) in (0, 1)
        found: Row = json.loads(self._capsys.readouterr().out)
        return found

    def account(self, *arguments: str) -> Row:
        """The one account of the one day."""
        ((account,),) = [day["accounts"] for day in self.imported(*arguments)["days"]]
        found: Row = account
        return found

    def replayed(self, day: str, settings: str) -> Row:
        (self.path / "riskcore.toml").write_text(settings, encoding="utf-8")
        assert run(["replay", f"{day}.jsonl", "--json"]) == 0
        found: Row = json.loads(self._capsys.readouterr().out)
        return found

    def header(self, day: str = DAY) -> Row:
        with (self.path / f"{day}.jsonl").open(encoding="utf-8") as file:
            found: Row = json.loads(file.readline())
        return found


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Case:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "riskcore.toml").write_text("", encoding="utf-8")
    return Case(tmp_path, capsys)


def figures(row: Row) -> tuple[int, str, str, str, str]:
    return row["fills"], row["gross_pnl"], row["fees"], row["commissions"], row["net_pnl"]


def half_turn(trade_id: int, at: str, side: int, price: float, profit: float | None, **other: Any) -> Row:
    row = {"id": trade_id, "accountId": 99000001, "contractId": "CON.F.US.MNQ.U26", "orderId": trade_id + 100}
    row |= {"creationTimestamp": f"{DAY}T{at}+00:00", "price": price, "profitAndLoss": profit, "fees": 0.37}
    return {**row, "side": side, "size": 1, "voided": False, "commissions": 0.25, **other}


# ---- what the file looks like --------------------------------------------------------------------------


def test_01_export_of_2024(case: Case) -> None:
    rows = (
        "40010001,NQM4,05/14/2024 13:31:07 +00:00,05/14/2024 13:33:40 +00:00,18310.250000000,18304.750000000,1.4000,"
        "110.000000000,1,Short,05/14/2024 05:00:00 +00:00",
        "40010002,NQM4,05/14/2024 14:02:11 +00:00,05/14/2024 14:05:30 +00:00,18290.000000000,18286.500000000,4.2000,"
        "-210.000000000,3,Long,05/14/2024 05:00:00 +00:00",
    )
    name = case.csv("export.csv", *rows, header=OLD_HEADER)
    account = case.account(name)
    assert figures(account) == (4, "-100.00", "5.60", "0", "-105.60")
    assert (account["round_trips"], account["commissions_unknown"]) == (2, 4)
    code, said = case.run("import", name)
    assert code == 0
    assert "commissions of 4 fills are not in the files" in said


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_02_delimiter(case: Case, delimiter: str, encoding: str, line_end: str) -> None:
    text = line_end.join((HEADER, SHORT, "")).replace(",", delimiter)
    (case.path / "export.csv").write_bytes(text.encode(encoding))
    assert figures(case.account("export.csv")) == (2, "178.50", "2.16", "1.50", "174.84")


@pytest.mark.parametrize(
    "before", ["\n", "sep=,\n", 'TopstepX Trades Export\n"Account: Practice, 50K"\n', "\n\nsep=,\n\n"]
)
def test_03_lines_before_header(case: Case, before: str) -> None:
    (case.path / "export.csv").write_text(f"{before}{HEADER}\n{SHORT}\n", encoding="utf-8")
    assert figures(case.account("export.csv")) == (2, "178.50", "2.16", "1.50", "174.84")
    (case.path / "bad.csv").write_text(f"{before}{HEADER}\n{SHORT}\n{SHORT}x\n", encoding="utf-8")
    line = before.count("\n") + 3
    assert case.run("import", "bad.csv") == (
        3,
        f"error: bad.csv, line {line}: Commissions: not a decimal number: '1.50000x'\n",
    )


def test_exports_put_one_behind_the_other_are_all_read(case: Case) -> None:
    older = ",".join(SHORT.replace("2900000011", "2900000010").replace(" 10:1", " 09:1").split(",")[:11])
    (case.path / "all.csv").write_text(f"{OLD_HEADER}\n{older}\n{HEADER}\n{SHORT}\n", encoding="utf-8")
    assert figures(case.account("all.csv")) == (4, "357.00", "4.32", "1.50", "351.18")
    (case.path / "bad.csv").write_text(f"{HEADER}\n{SHORT}\n{HEADER.replace('PnL,', '')}\n{SHORT}\n", encoding="utf-8")
    assert case.run("import", "bad.csv") == (3, "error: bad.csv, line 3: this header lacks the columns PnL\n")


def test_answers_in_utf_16(case: Case) -> None:
    name = case.trades("trades.json", half_turn(1, "14:00:00", 0, 30100, None), half_turn(2, "14:01:00", 1, 30110, 20))
    path = case.path / name
    for encoding in ("utf-16", "utf-8-sig"):
        path.write_text(path.read_text(encoding="utf-8").lstrip("\ufeff"), encoding=encoding)
        assert figures(case.account(name)) == (2, "20.00", "0.74", "0.50", "18.76")
        path.write_text(path.read_text(encoding=encoding), encoding="utf-8")
    path.write_bytes(codecs.BOM_UTF16_LE + b"{")
    assert case.run("import", name)[0] == 3


@pytest.mark.parametrize(
    "header",
    [
        HEADER.lower(),
        HEADER.upper(),
        "Id,Contract Name,Entered At,Exited At,Entry Price,Exit Price,Fees,P&L,Size,Type,Day,Duration,Commissions",
    ],
)
def test_columns_are_known_in_any_spelling(case: Case, header: str) -> None:
    assert figures(case.account(case.csv("export.csv", SHORT, header=header)))[-1] == "174.84"


def test_columns_may_come_in_any_order(case: Case) -> None:
    turned = [",".join(reversed(line.split(","))) for line in (HEADER, SHORT)]
    assert figures(case.account(case.csv("export.csv", turned[1], header=turned[0])))[-1] == "174.84"


@pytest.mark.parametrize(
    ("entry", "exit_price", "pnl"),
    [
        ("30.180,50", "30.150,75", "178,50"),
        ("30180,5", "30150,75", "178,500000000"),
        ("30 180,50", "30\N{NO-BREAK SPACE}150,75 $", "178,5"),
    ],
)
def test_decimal_commas(case: Case, entry: str, exit_price: str, pnl: str) -> None:
    row = SHORT.replace(",", ";").replace("30180.500000000", entry).replace("30150.750000000", exit_price)
    row = row.replace("178.500000000", pnl).replace("2.16000", "2,16").replace("1.50000", "1,5")
    name = case.csv("export.csv", row, header=HEADER.replace(",", ";"))
    assert figures(case.account(name)) == (2, "178.50", "2.16", "1.50", "174.84")


def test_decimals_written_both_ways_are_refused(case: Case) -> None:
    row = SHORT.replace(",", ";").replace("178.500000000", "178,5")
    code, said = case.run("import", case.csv("export.csv", row, header=HEADER.replace(",", ";")))
    assert code == 3
    assert "both with a point ('30180.500000000') and with a comma ('178,5')" in said


ORDERS = (
    "Id,AccountName,ContractName,Status,Type,Size,Side,CreatedAt,TradeDay,FilledAt,StopPrice,LimitPrice,ExecutePrice"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \r\n\r\n", "the file is empty"),
        (f"{ORDERS},PositionDisposition\n1,A,MNQU6\n".encode(), "line 1: this is the platform's export of orders"),
        (b"Date,Symbol,Qty\n1,2,3\n", "it begins with 'Date,Symbol,Qty', and a trade export has the columns Id,"),
        (f"{HEADER.replace('PnL,', '')}\n".encode(), "line 1: the trade export lacks the columns PnL"),
        (f"{HEADER},Fees\n{SHORT},1\n".encode(), "line 1: the column Fees comes twice"),
        (b"PK\x03\x04\x00", "a workbook or an archive, not CSV"),
        (HEADER.encode() + b"\n\xff", "not in UTF-8|text in UTF-8: byte"),
        (b'{"success":true}', "exactly one of trades, orders, bars, contracts must be in it"),
        (b'{"trades":null,"success":true}', "trades is null"),
        (b'{"riskcore":"wire/1"}\n{"at":"2026-07-08T14:00:00Z","clock":true}\n', "a session file, not a history"),
    ],
)
def test_a_file_that_is_no_history_is_named_and_exits_3(case: Case, content: bytes, reason: str) -> None:
    (case.path / "file.csv").write_bytes(content)
    code, said = case.run("import", "file.csv")
    assert code == 3
    assert said.startswith("error: file.csv")
    assert any(part in said for part in reason.split("|"))


def test_a_line_of_totals_is_left_out_and_said(case: Case) -> None:
    code, said = case.run("import", case.csv("export.csv", SHORT, ",,,", "Total,,,,,,2.16,178.50,,,,,1.50"))
    assert code == 0
    assert "export.csv line 4: names no contract and no time, so it is no trade; left out" in said


def test_packed_and_marked_files_are_read(case: Case) -> None:
    (case.path / "export.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{SHORT}\n".encode()))
    assert figures(case.account("export.csv.gz"))[-1] == "174.84"
    name = case.trades("t.json", half_turn(1, "14:00:00", 0, 23000, None), half_turn(2, "14:01:00", 1, 23010, 20))
    marked = case.path / name
    marked.write_bytes(codecs.BOM_UTF8 + marked.read_bytes())
    assert figures(case.account(name)) == (2, "20.00", "0.74", "0.50", "18.76")


def test_files_without_rows_say_so(case: Case) -> None:
    code, said = case.run("import", case.csv("header.csv"), case.trades("none.json"))
    assert code == 0
    assert "nothing was written" in said
    assert "header.csv: no rows of export in it" in said
    assert "none.json: no rows of trades in it" in said


# ---- one order, several rows ---------------------------------------------------------------------------

STOPPED = (
    "3100000200,MNQH6,02/03/2026 15:00:00 +00:00,02/03/2026 15:20:27 +00:00,25600,25580,0.72,-40,1,Long,,,0.5",
    "3100000201,MNQH6,02/03/2026 15:01:00 +00:00,02/03/2026 15:20:27 +00:00,25600.25,25580,0.72,-40.5,1,Long,,,0.5",
    "3100000202,MNQH6,02/03/2026 15:02:00 +00:00,02/03/2026 15:20:27 +00:00,25600.5,25580,0.72,-41,1,Long,,,0.5",
)
ENTRIES = (("15:03:15", "25582.25", "-4"), ("15:06:38", "25589.5", "-18.5"), ("15:16:11", "25590.25", "-20"))
ENTRIES += (("15:45:15", "25585.75", "-11"), ("15:45:52", "25591.5", "-22.5"))
COUNTING = """
[rules.trade_frequency_limit]
per_minute = 3
per_hour = 20
[rules.cooldown_after_loss]
consecutive_losses = { count = 4, cooldown_seconds = 1800 }
"""


def test_11_one_order_many_rows(case: Case) -> None:
    rows = [
        f"31000001{number:02d},MNQH6,02/03/2026 {at} +00:00,02/03/2026 15:49:27 +00:00,{price},25580.25,0.72,{pnl},1,"
        "Long,,,0.5"
        for number, (at, price, pnl) in enumerate(ENTRIES)
    ]
    code, said = case.run("import", case.csv("export.csv", *rows))
    assert code == 0
    assert "orders are approximate" in said
    header = case.header("2026-02-03")
    assert header["approximate"] == ["orders"]
    assert "count as one order" in header["note"]
    replay = case.replayed("2026-02-03", COUNTING)
    assert replay["breaches"] == []
    (day,) = replay["accounts"][0]["days"]
    assert (day["fills"], day["orders_filled"]) == (10, 6)


def test_11_one_stop_is_one_loss(case: Case) -> None:
    case.run("import", case.csv("export.csv", *STOPPED))
    (breach,) = case.replayed("2026-02-03", "[rules.cooldown_after_loss]\n")["breaches"]
    assert (breach["rule"], breach["figures"]["pnl"]) == ("RULE-007", "-123.33")


def test_11_answers_without_order_ids_are_grouped_the_same_way(case: Case) -> None:
    opened = [half_turn(number, f"14:0{number}:00", 0, 23000, None, orderId=None) for number in (1, 2)]
    closed = [half_turn(number, "14:20:00.5", 1, 22970, -60, orderId=None) for number in (3, 4)]
    named = half_turn(9, "14:30:00", 0, 23000, None)
    case.run("import", case.trades("t.json", *opened, *closed, named))
    assert case.header()["approximate"] == ["orders"]
    replay = case.replayed(DAY, "[rules.cooldown_after_loss]\n")
    assert [breach["figures"]["pnl"] for breach in replay["breaches"]] == ["-121.24"]
    assert replay["accounts"][0]["days"][0]["orders_filled"] == 4
    case.run("import", case.trades("named.json", named))
    assert "approximate" not in case.header()


def test_lots_of_one_second_and_several_prices_pair_by_their_own_rows(case: Case) -> None:
    second = "MNQU6,07/08/2026 10:00:00 -04:00,07/08/2026"
    rows = (
        f"1,{second} 10:10:00 -04:00,23000,23010,0.72,20,1,Long,,,0.5",
        f"2,{second} 10:11:00 -04:00,23001,23010,0.72,18,1,Long,,,0.5",
        f"3,{second} 10:12:00 -04:00,23000,23010,0.72,20,1,Long,,,0.5",
        f"5,{second} 10:13:00 -04:00,23004,23010,0.72,12,1,Long,,,0.5",
        f"4,{second} 10:13:00 -04:00,23003,23010,0.72,14,1,Long,,,0.5",
    )
    result = case.imported(case.csv("export.csv", *rows))
    (account,) = result["days"][0]["accounts"]
    assert (account["recomputed_pnl"], account["differences"], account["paired_otherwise"]) == ("84.00", [], 0)


def test_a_younger_lot_closed_first_is_said(case: Case) -> None:
    rows = (
        "1,MNQU6,07/08/2026 10:00:00 -04:00,07/08/2026 10:20:00 -04:00,23000,23010,0.72,20,1,Long,,,0.5",
        "2,MNQU6,07/08/2026 10:05:00 -04:00,07/08/2026 10:11:00 -04:00,23001,23010,0.72,18,1,Long,,,0.5",
    )
    code, said = case.run("import", case.csv("export.csv", *rows))
    assert code == 0
    assert "2 closing fills do not close the oldest lot" in said
    assert "2 of 2 closing fills could be checked; the prices give" in said


# ---- what nobody says ----------------------------------------------------------------------------------

NULLS = (("14:41:16", 1, 24920.25), ("14:41:37", 0, 24953.25), ("14:46:53", 1, 24908.75), ("14:52:03", 0, 24905.0))


def test_12_no_pnl_at_all(case: Case) -> None:
    rows = [
        half_turn(number, at, side, price, None, contractId="CON.F.US.ENQ.U26", fees=1.4, commissions=None)
        for number, (at, side, price) in enumerate(NULLS, start=1)
    ]
    name = case.trades("t.json", *rows)
    account = case.account(name)
    assert [one["recomputed"] for one in account["differences"]] == ["-660.00", "75.00"]
    assert (account["round_trips"], account["recomputed_pnl"], account["checked"]) == (2, "-585.00", 2)
    code, said = case.run("import", name)
    assert code == 1
    assert "opens against an open position, which no netted account does: it closed, and its P&L is not" in said
    assert "2 of 2 closing fills could be checked; 2 differ" in said
    rules = "daily_realized_loss", "daily_unrealized_loss", "max_contracts", "daily_realized_profit"
    replay = case.replayed(DAY, "".join(f"[rules.{rule}]\n" for rule in rules))
    assert sorted(row["rule"] for row in replay["accounts"][0]["blind"]) == [
        "RULE-001",
        "RULE-003",
        "RULE-004",
        "RULE-013",
    ]
    assert replay["breaches"] == []


def test_12_a_flip_in_either_order_of_its_halves_is_no_contradiction(case: Case) -> None:
    opened = half_turn(1, "14:00:00", 0, 23000, None)
    for opening_id, closing_id in ((2, 3), (3, 2)):
        opening = half_turn(opening_id, "14:01:00", 1, 23010, None, orderId=7)
        closing = half_turn(closing_id, "14:01:00", 1, 23010, 20, orderId=7)
        last = half_turn(4, "14:02:00", 0, 23000, 20)
        account = case.account(case.trades("t.json", opened, opening, closing, last))
        assert (account["contradictions"], account["round_trips"], account["checked"]) == ([], 2, 2)


def test_12_one_missing_pnl_among_others_closes_what_is_open_and_opens_the_rest(case: Case) -> None:
    rows = (
        half_turn(1, "14:00:00", 0, 23000, None),
        half_turn(2, "14:01:00", 1, 23010, None, size=2),
        half_turn(3, "14:02:00", 0, 23000, 20),
    )
    account = case.account(case.trades("t.json", *rows))
    assert [(one["trade"], one["recomputed"]) for one in account["differences"]] == [(2, "20.00")]
    assert (account["checked"], account["round_trips"], account["recomputed_pnl"]) == (2, 2, "40.00")
    assert case.header()["lacks"][0] == "trades"


def test_28_nothing_recomputed(case: Case) -> None:
    rows = half_turn(1, "14:00:00", 1, 23010, 20), half_turn(2, "14:05:00", 1, 23010, -999)
    code, said = case.run("import", case.trades("t.json", *rows))
    assert code == 1
    assert "0 of 2 closing fills could be checked, so nothing shows" in said
    assert "prices give" not in said


def test_28_what_could_be_checked_is_counted_alone(case: Case) -> None:
    rows = (
        half_turn(1, "14:00:00", 1, 23010, 20),
        half_turn(2, "14:05:00", 0, 23000, None),
        half_turn(3, "14:06:00", 1, 23010, 20),
    )
    code, said = case.run("import", case.trades("t.json", *rows))
    assert code == 0
    assert "1 of 2 closing fills could be checked; the prices give the broker's P&L of it." in said


def test_28_an_unknown_contract_is_not_checked(case: Case) -> None:
    code, said = case.run("import", case.csv("export.csv", SHORT.replace("MNQU6", "XYZU6")))
    assert code == 1
    assert "tick size and value are unknown; give the contract with --contracts" in said
    assert "0 of 1 closing fills could be checked" in said


def test_costs_below_zero_are_costs_and_said(case: Case) -> None:
    name = case.csv("export.csv", SHORT.replace(",2.16000,", ",-2.16,").replace(",1.50000", ",($1.50)"))
    assert figures(case.account(name)) == (2, "178.50", "2.16", "1.50", "174.84")
    assert (
        "export.csv line 2: Commissions -1.50 and 1 more: below zero, and counted as a cost"
        in case.run("import", name)[1]
    )
    rows = half_turn(1, "14:00:00", 0, 23000, None, fees=-0.37), half_turn(2, "14:01:00", 1, 23010, 20)
    name = case.trades("t.json", *rows)
    assert figures(case.account(name)) == (2, "20.00", "0.74", "0.50", "18.76")
    assert "t.json row 1: fees -0.37: below zero" in case.run("import", name)[1]


def test_costs_that_are_not_told_are_unknown_and_not_zero(case: Case) -> None:
    name = case.csv("export.csv", SHORT.replace(",2.16000,", ",,").replace(",1.50000", ","))
    account = case.account(name)
    assert (account["fees_unknown"], account["commissions_unknown"]) == (2, 2)
    assert "account 1: fees of 2 fills are not in the files" in case.run("import", name)[1]


@pytest.mark.parametrize(("basis", "blind"), [("net", ["RULE-013"]), ("gross", [])])
def test_unknown_commissions_blind_the_rule_that_could_breach_too_early(
    case: Case, basis: str, blind: list[str]
) -> None:
    case.run("import", case.csv("export.csv", SHORT.replace(",1.50000", ",")))
    assert case.header()["lacks"][-1] == "commissions"
    settings = f'[profile]\npnl_basis = "{basis}"\n[rules.daily_realized_profit]\n[rules.daily_realized_loss]\n'
    assert [row["rule"] for row in case.replayed(DAY, settings)["accounts"][0]["blind"]] == blind


def test_the_account_that_an_export_does_not_name(case: Case) -> None:
    name = case.csv("export.csv", SHORT)
    code, said = case.run("import", name)
    assert code == 0
    assert "names no account: booked as account 1" in said
    replay = case.replayed(DAY, "[rules.auth_loss_guard]\n")
    assert [(row["rule"], row["reason"]) for row in replay["accounts"][0]["blind"]] == [
        ("RULE-010", "the recording lacks accounts")
    ]
    result = case.imported(name, "--account", "99000001", "--dates", "month-first")
    assert [account["id"] for account in result["days"][0]["accounts"]] == [99000001]
    assert result["notes"] == []


# ---- one id twice, several files -----------------------------------------------------------------------


def mes(trade_id: int, hour: int, exit_price: str, pnl: str) -> str:
    at = f"07/08/2026 {hour}:00:00 -04:00,07/08/2026 {hour}:02:00 -04:00"
    return f"{trade_id},MESU6,{at},6200.00,{exit_price},0.72,{pnl},1,Long,,,0.50"


def test_23_one_id_two_rows(case: Case) -> None:
    rows = mes(3600000001, 10, "6210", "50"), mes(3600000001, 11, "6100", "-500"), mes(3600000002, 12, "6210", "50")
    code, said = case.run("import", case.csv("export.csv", *rows))
    assert code == 1
    assert (
        "trade 3600000001: two different rows have this id (EnteredAt, ExitedAt, ExitPrice differ). An id counts once: "
        "export.csv line 3 counts, export.csv line 2 does not"
    ) in said


def test_23_one_id_with_two_figures_or_two_fills(case: Case) -> None:
    rows = half_turn(1, "14:00:00", 0, 23000, None), half_turn(2, "14:01:00", 1, 23010, 20)
    code, said = case.run(
        "import", case.trades("a.json", *rows), case.trades("b.json", {**rows[1], "profitAndLoss": 25})
    )
    assert code == 1
    assert "trade 2: profitAndLoss differ in a.json row 2, b.json row 1" in said
    code, said = case.run("import", "a.json", case.trades("b.json", {**rows[1], "price": 23020}))
    assert code == 1
    assert "trade 2: two different rows have this id (price differ)" in said


def test_24_exports_of_two_accounts(case: Case) -> None:
    row = "MNQU6,07/08/2026 10:00:0{0} -04:00,07/08/2026 10:30:0{0} -04:00,23000,22850,0.72,-300,1,Long,,,0.50"
    names = (
        case.csv("practice.csv", "3700000001," + row.format(0)),
        case.csv("combine.csv", "3700000501," + row.format(1)),
    )
    code, said = case.run("import", *names)
    assert code == 1
    assert (
        "combine.csv and practice.csv name no account and share no trade, but held positions at the same time" in said
    )
    code, said = case.run("import", *names, "--account", "7")
    assert code == 0
    assert "two accounts" not in said
    for name in names:
        case.run("import", name)
        replay = case.replayed(DAY, "[rules.daily_realized_loss]\nloss_limit = 500\n[rules.max_contracts]\nlimit = 1\n")
        assert replay["accounts"][0]["days"][0]["net_pnl"] == "-301.22"
        assert replay["breaches"] == []


def test_24_exports_of_different_hours_are_asked_about_and_taken_for_one_account(case: Case) -> None:
    code, said = case.run(
        "import", case.csv("a.csv", mes(1, 10, "6210", "50")), case.csv("b.csv", mes(2, 11, "6210", "50"))
    )
    assert code == 0
    assert "a.csv and b.csv name no account and share no trade: taken for one account's" in said


def test_24_two_accounts_in_one_export(case: Case) -> None:
    long = "1,MNQU6,07/08/2026 10:00:00 -04:00,07/08/2026 10:30:00 -04:00,23000,23010,0.72,20,1,Long,,,0.5"
    short = "2,MNQU6,07/08/2026 10:10:00 -04:00,07/08/2026 10:40:00 -04:00,23000,22990,0.72,20,1,Short,,,0.5"
    code, said = case.run("import", case.csv("export.csv", long, short))
    assert code == 1
    assert "the export may hold the rows of two accounts" in said
    assert case.header()["lacks"][0] == "trades"
    header = f"{HEADER},AccountName"
    code, said = case.run("import", case.csv("named.csv", f"{long},PRAC", f"{short},50KTC", header=header))
    assert code == 2
    assert "name several accounts ('50KTC', 'PRAC')" in said
    name = case.csv("ids.csv", f"{long},500", f"{short},501", header=f"{HEADER},AccountId")
    accounts = case.imported(name)["days"][0]["accounts"]
    assert [(row["id"], row["gross_pnl"]) for row in accounts] == [(500, "20.00"), (501, "20.00")]
    only = case.imported(name, "--account", "501")["days"][0]["accounts"]
    assert [row["id"] for row in only] == [501]


def test_a_wrong_account_is_said(case: Case) -> None:
    name = case.trades("t.json", half_turn(1, "14:00:00", 0, 23000, None))
    assert "--account 5: no row is of that account; there is 99000001" in case.run("import", name, "--account", "5")[1]


def test_the_order_of_files_changes_no_byte(case: Case) -> None:
    old = [row.rpartition(",")[0] for row in (SHORT, mes(5, 11, "6210", "50"))]
    files = [
        case.csv("old.csv", *old, header=HEADER.replace(",Commissions", "")),
        case.csv("new.csv", SHORT, mes(6, 12, "6210", "50")),
        case.csv("third.csv", SHORT.replace(",2.16000,", ",,"), mes(6, 12, "6220", "100")),
    ]
    seen = set()
    for order in permutations(files):
        result = case.imported(*order)
        assert figures(result["days"][0]["accounts"][0])[3] == "2.00"
        seen.add(((case.path / f"{DAY}.jsonl").read_bytes(), json.dumps(result)))
    assert len(seen) == 1


def test_the_order_of_answers_changes_no_byte(case: Case) -> None:
    first = half_turn(1, "14:00:00.1234567", 0, 23000, None), half_turn(2, "14:01:00", 1, 23010, 20)
    later = {**first[0], "creationTimestamp": f"{DAY}T14:00:00.123456+00:00", "price": 23000.0, "commissions": None}
    record = {"id": "CON.F.US.MNQ.U26", "name": "MNQU6", "tickSize": 0.25, "tickValue": 0.5}
    bar = {"t": f"{DAY}T14:00:00Z", "o": 23000, "h": 23001, "l": 22999, "c": 23000, "v": 5}
    for name, payload in (("c", {"contracts": [record]}), ("d", {"contracts": [{**record, "tickSize": 0.250}]})):
        (case.path / f"{name}.json").write_text(json.dumps(payload), encoding="utf-8")
    for name, volume in (("e", 5), ("f", 9)):
        payload = {"bars": [{**bar, "v": volume, "c": 23000 + volume / 10 - 0.5}]}
        (case.path / f"{name}.json").write_text(json.dumps(payload), encoding="utf-8")
    files = [case.trades("a.json", *first), case.trades("b.json", later, {**first[1], "profitAndLoss": None})]
    files += ["c.json", "d.json", "e.json", "f.json"]
    seen = set()
    for order in (files, files[::-1], files[3:] + files[:3]):
        account = case.account(*order)
        assert figures(account) == (2, "20.00", "0.74", "0.50", "18.76")
        seen.add((case.path / f"{DAY}.jsonl").read_bytes())
    assert len(seen) == 1
    assert b'"v":9' in seen.pop()


def test_an_export_beside_the_answers_is_refused(case: Case) -> None:
    name = case.trades("t.json", half_turn(1, "14:00:00", 0, 23000, None))
    assert case.run("import", case.csv("export.csv", SHORT), name)[0] == 2


def test_a_trade_over_the_reset_is_in_both_days(case: Case) -> None:
    row = SHORT.replace("10:10:08 -04:00", "16:59:59 -05:00").replace("10:12:48 -04:00", "17:00:00 -05:00")
    result = case.imported(case.csv("export.csv", row))
    assert [(day["trade_date"], day["accounts"][0]["gross_pnl"]) for day in result["days"]] == [
        (DAY, "0"),
        ("2026-07-09", "178.50"),
    ]


def test_the_short_spelling_of_a_contract_is_known(case: Case) -> None:
    rows = (
        half_turn(1, "14:00:00", 0, 23000, None, contractId="F.US.ENQ"),
        half_turn(2, "14:01:00", 1, 23001, 20, contractId="F.US.ENQ"),
    )
    assert case.account(case.trades("t.json", *rows))["recomputed_pnl"] == "20.00"
    settings = "[rules.max_contracts_per_instrument]\nlimits = { 'F.US.MNQ' = 1 }\nunknown_symbol_action = 'block'\n"
    (breach,) = case.replayed(DAY, settings)["breaches"]
    assert breach["contract"] == "F.US.ENQ"


# ---- a position that says no side ----------------------------------------------------------------------

OPEN_AT = '{"id":501,"accountId":99000001,"contractId":"CON.F.US.MNQ.U26","averagePrice":23000,"size":2%s}'
HUB = '{"at":"2026-07-08T14:00:%s","hub":"user","target":"%s","arguments":[{"action":1,"data":%s}]}'
LISTED = (
    '{"at":"2026-07-08T14:00:10Z","rest":"/api/Position/searchOpen","request":{"accountId":99000001},"status":200,'
    '"response":{"positions":[%s],"success":true,"errorCode":0,"errorMessage":null}}'
)


@pytest.mark.parametrize(
    "unclear",
    [
        HUB % ("10Z", "GatewayUserPosition", OPEN_AT % ',"type":0'),
        HUB % ("10Z", "GatewayUserPosition", OPEN_AT % ',"type":9'),
        HUB % ("10Z", "GatewayUserPosition", OPEN_AT % ""),
        LISTED % (OPEN_AT % ',"type":0'),
    ],
    ids=["type0", "type9", "no_type", "list_type0"],
)
def test_21_position_type_unknown(case: Case, unclear: str) -> None:
    fill = json.dumps(half_turn(9601, "14:00:00", 0, 23000, None, size=2))
    quote = '["CON.F.US.MNQ.U26",{"lastPrice":22900.0,"bestBid":22899.75,"bestAsk":22900.0}]'
    lines = (
        '{"riskcore":"wire/1"}',
        HUB % ("00.05Z", "GatewayUserTrade", fill),
        HUB % ("00.06Z", "GatewayUserPosition", OPEN_AT % ',"type":1'),
        unclear,
        f'{{"at":"2026-07-08T14:00:20Z","hub":"market","target":"GatewayQuote","arguments":{quote}}}',
    )
    (case.path / f"{DAY}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    replay = case.replayed(DAY, "[rules.daily_unrealized_loss]\nloss_limit = 300\n")
    (breach,) = replay["breaches"]
    assert (breach["rule"], breach["figures"]["unrealized"]) == ("RULE-004", "-400.00")
    assert [command["kind"] for command in replay["commands"] if command["rule"] == "RULE-004"] == ["ClosePosition"]
    assert replay["rejected_lines"] == 1


# ---- figures that a row does not tell ------------------------------------------------------------------


@pytest.mark.parametrize("nothing", ["", "NULL"])
def test_a_row_without_profit_is_told_and_blinds_the_day(case: Case, nothing: str) -> None:
    long = SHORT.replace("Short", "Long").replace("2900000011", "2900000012").replace(" 10:1", " 11:1")
    name = case.csv("export.csv", SHORT.replace("178.500000000", nothing), long.replace("178.500", "-178.500"))
    code, said = case.run("import", name)
    assert code == 1
    assert "fill 2900000011 of CON.F.US.MNQ.U26 closed, and its P&L is not in the files" in said
    assert "fill 2900000011 of CON.F.US.MNQ.U26: broker none, prices 178.50" in said
    account = case.account(name)
    assert (account["checked"], account["recomputed_pnl"], account["gross_pnl"]) == (2, "0", "-178.50")
    assert case.header()["lacks"][0] == "trades"
    blind = {row["rule"] for row in case.replayed(DAY, LOSS_RULE)["accounts"][0]["blind"]}
    assert "RULE-003" in blind


def test_a_profit_that_one_of_two_exports_tells_counts(case: Case) -> None:
    names = [case.csv("empty.csv", SHORT.replace("178.500000000", "")), case.csv("full.csv", SHORT)]
    for files in permutations(names):
        assert case.run("import", *files)[0] == 0
        assert figures(case.account(*files)) == (2, "178.50", "2.16", "1.50", "174.84")
    assert case.header()["lacks"] == ["orders", "quotes", "positions", "accounts"]


def test_an_export_without_fees_tells_no_net_target(case: Case) -> None:
    header, row = HEADER.replace(",Fees", ""), SHORT.replace(",2.16000", "")
    code, said = case.run("import", case.csv("export.csv", row, header=header))
    assert code == 0
    assert "fees of 2 fills are not in the files" in said
    assert "commissions" in case.header()["lacks"]
    assert figures(case.account("export.csv")) == (2, "178.50", "0", "1.50", "177.00")
    names = ["export.csv", case.csv("full.csv", SHORT)]
    assert figures(case.account(*names)) == (2, "178.50", "2.16", "1.50", "174.84")


def test_a_cost_with_and_without_a_sign_is_the_same_cost(case: Case) -> None:
    names = [case.csv("signed.csv", SHORT.replace(",2.16000", ",-2.16000")), case.csv("plain.csv", SHORT)]
    code, said = case.run("import", *names)
    assert code == 0
    assert "signed.csv line 2: Fees -2.16: below zero, and counted as a cost" in said
    assert "differ in" not in said


def test_a_recording_of_other_files_is_not_replaced_unsaid(case: Case) -> None:
    first, second = case.csv("practice.csv", SHORT), case.csv("combine.csv", SHORT.replace("2900000011", "2900000012"))
    assert "written anew" not in case.run("import", first)[1] + case.run("import", first)[1]
    code, said = case.run("import", second)
    assert code == 0
    assert f"{DAY}.jsonl: written anew, and what had been imported from practice.csv is gone" in said
